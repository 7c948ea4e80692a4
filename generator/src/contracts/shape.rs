//! What an operation, a resource or an event carries, as fields: the part of the lowering that all documents share.

use std::collections::BTreeSet;

use crate::model::{
    Docs, Event, Field, FieldPath, Input, MapKey, Model, Operation, Payload, Resource, ResourceRef, Scalar, Service,
    Shape, Type, TypeRef, Verb,
};

pub use crate::fit::{is_natural, record, resource};

/// The member of a resource's answers that holds its revision.
pub const ETAG: &str = "etag";

/// The resource, of the same service, on one item of which the operation works: it gets its `id`.
pub fn on_item(operation: &Operation) -> Option<&str> {
    match &operation.shape {
        Shape::Custom { of, .. } => of.as_deref(),
        Shape::Verb { verb: Verb::List | Verb::Create, .. } => None,
        Shape::Verb { resource, .. } => Some(resource),
    }
}

/// The input of a command or query, without the id of the item it is on. Verbs have none: see [`new_fields`],
/// [`draft_fields`] and [`filters`].
pub fn input_fields(model: &Model, operation: &Operation) -> Vec<Field> {
    let Shape::Custom { input, .. } = &operation.shape else { return Vec::new() };
    match input {
        Input::None | Input::Stream(_) => Vec::new(),
        Input::Named(name) => record(model, name).map(|record| record.fields.clone()).unwrap_or_default(),
        Input::Fields(fields) => fields.clone(),
        Input::Payload(of) => model
            .services
            .get(&of.service)
            .and_then(|owner| owner.events.get(&of.event))
            .map(|event| payload_fields(model, event))
            .unwrap_or_default(),
    }
}

/// The input of a command or query as its request carries it: the id of the item it is on first.
pub fn request_fields(model: &Model, service: &Service, operation: &Operation) -> Vec<Field> {
    let mut fields = input_fields(model, operation);
    if let Some(resource) = on_item(operation) {
        fields.retain(|field| field.name != "id");
        fields.insert(0, item_id(&of_service(service, resource)));
    }
    fields
}

/// What an event carries.
pub fn payload_fields(model: &Model, event: &Event) -> Vec<Field> {
    match &event.payload {
        Payload::Named(name) => record(model, name).map(|record| record.fields.clone()).unwrap_or_default(),
        Payload::Fields(fields) => fields.clone(),
        Payload::Resource(of) => resource(model, of).map(item_fields).unwrap_or_default(),
    }
}

/// Whether a replace makes its item where there is none: under a natural key.
pub fn places(service: &Service, operation: &Operation) -> bool {
    let Shape::Verb { verb: Verb::Replace, resource } = &operation.shape else { return false };
    service.resources.get(resource).is_some_and(is_natural)
}

/// An item of a resource as every answer shows it: all its fields and its revision.
pub fn item_fields(resource: &Resource) -> Vec<Field> {
    let mut fields = resource.fields.clone();
    fields.push(Field { docs: summary("The revision: it changes whenever the item does."), readonly: true, ..etag() });
    fields
}

/// What a caller gives to create an item.
pub fn new_fields(resource: &Resource) -> Vec<Field> {
    resource.fields.iter().filter(|field| !field.readonly).cloned().collect()
}

/// What a caller gives to replace an item, and may change by a patch.
pub fn draft_fields(resource: &Resource) -> Vec<Field> {
    let given = |field: &&Field| !field.readonly && !field.fixed && field.name != resource.id;
    resource.fields.iter().filter(given).cloned().collect()
}

/// The fields of a resource that are foreign keys of its table, each with the resource of the same service that it refers
/// to: single references.
///
/// Not the key, for an item may be known by another's id before that one is; not what the service alone gives and has to
/// give, for only business code knows it; and not what goes round in a ring of required references, for none of these
/// could be the first.
pub fn foreign_keys<'r>(service: &Service, resource: &'r Resource) -> Vec<(&'r Field, &'r str)> {
    let all = resource.fields.iter().filter_map(|field| Some((field, foreign_key(service, resource, field)?)));
    all.filter(|(field, to)| is_optional(field) || !leads_to(service, to, &resource.name, &mut BTreeSet::new()))
        .collect()
}

/// The foreign keys that every item has.
pub fn required_keys<'r>(service: &Service, resource: &'r Resource) -> impl Iterator<Item = (&'r Field, &'r str)> {
    foreign_keys(service, resource).into_iter().filter(|(field, _)| !is_optional(field))
}

/// Whether others of the service have foreign keys to this resource, or it has one to itself.
pub fn is_referred(service: &Service, resource: &Resource) -> bool {
    service.resources.values().any(|other| foreign_keys(service, other).iter().any(|(_, to)| *to == resource.name))
}

fn foreign_key<'r>(service: &Service, resource: &Resource, field: &'r Field) -> Option<&'r str> {
    let to = match &field.ty {
        Type::Optional(inner) => inner,
        ty => ty,
    };
    let Type::Ref(to) = to else { return None };
    let is_given = is_optional(field) || !field.readonly;
    (to.service == service.name && is_given && field.name != resource.id).then_some(to.resource.as_str())
}

/// Whether a field is a list that may be empty, which in a query is to be absent: lists repeat their parameter.
pub fn may_be_empty(field: &Field) -> bool {
    matches!(field.ty, Type::List { min: 0, .. })
}

/// Whether a field may, and need not, refer to an item of the service itself.
pub fn may_refer_within(service: &Service, field: &Field) -> bool {
    match &field.ty {
        Type::Optional(inner) => matches!(&**inner, Type::Ref(to) if to.service == service.name),
        _ => false,
    }
}

fn is_optional(field: &Field) -> bool {
    matches!(field.ty, Type::Optional(_))
}

/// Whether required references lead from one resource to another.
fn leads_to<'m>(service: &'m Service, from: &'m str, to: &str, seen: &mut BTreeSet<&'m str>) -> bool {
    if from == to {
        return true;
    }
    let Some(resource) = service.resources.get(from).filter(|_| seen.insert(from)) else { return false };
    let required = resource.fields.iter().filter(|field| !is_optional(field));
    let mut next = required.filter_map(|field| foreign_key(service, resource, field));
    next.any(|next| leads_to(service, next, to, seen))
}

/// A revision, as answers tell it and callers may demand it.
pub fn etag() -> Field {
    plain(ETAG, Type::Scalar(Scalar::String { min: 1, max: None, pattern: None }))
}

/// The id of an item in a request, where it is called `id` whatever the field is called.
pub fn item_id(of: &ResourceRef) -> Field {
    Field { docs: summary(&format!("Which {}.", of.resource)), ..plain("id", Type::Ref(of.clone())) }
}

/// A field without marks and default.
pub fn plain(name: &str, ty: Type) -> Field {
    let docs = Docs::default();
    Field { name: name.to_owned(), docs, ty, default: None, unique: false, readonly: false, fixed: false }
}

/// The type of `[types]` of that name.
pub fn named_type(name: &str) -> Type {
    Type::Named(TypeRef { service: None, name: name.to_owned() })
}

/// A text of our own.
pub fn summary(text: &str) -> Docs {
    Docs { summary: text.to_owned(), description: String::new() }
}

/// Summary and description as one text.
pub fn text(docs: &Docs) -> String {
    match (docs.summary.is_empty(), docs.description.is_empty()) {
        (false, false) => format!("{}\n\n{}", docs.summary, docs.description),
        _ => format!("{}{}", docs.summary, docs.description),
    }
}

/// A resource of this service.
pub fn of_service(service: &Service, resource: &str) -> ResourceRef {
    ResourceRef { service: service.name.clone(), resource: resource.to_owned() }
}

/// The type of a resource's id, through ids that are themselves references. Never a [`Type::Ref`].
pub fn id_type(model: &Model, of: &ResourceRef) -> Type {
    let mut of = of;
    // A model has no circle of ids; were there one, this ends all the same.
    for _ in 0..=model.services.values().map(|service| service.resources.len()).sum() {
        let id = resource(model, of).and_then(|r| r.fields.iter().find(|field| field.name == r.id));
        match id.map(|field| &field.ty) {
            Some(Type::Ref(next)) => of = next,
            Some(ty) => return ty.clone(),
            None => break,
        }
    }
    Type::Scalar(Scalar::Uuid)
}

/// The name of a type in documents, of which the names of wrappers, entries and inputs are made: `Money`, `I64`,
/// `ProductId`, `StringList`, `MoneyMap`, `MoneyByDateMap`. What a document takes from another service has its plain
/// name too: `check` refuses designs in which two things of one document would share it.
pub fn type_name(ty: &Type) -> String {
    match ty {
        Type::Scalar(scalar) => scalar_name(scalar).to_owned(),
        Type::Named(of) => of.name.clone(),
        Type::Resource(of) => of.resource.clone(),
        Type::Ref(of) => format!("{}Id", of.resource),
        Type::List { item, .. } => type_name(item) + "List",
        Type::Optional(inner) => type_name(inner) + "Option",
        Type::Map { key, value } => entry_stem(key, value) + "Map",
    }
}

/// What the names of a map and of its entries begin with: `Money`, and `MoneyByDate` where the keys are no strings.
pub fn entry_stem(key: &MapKey, value: &Type) -> String {
    match key {
        MapKey::String => type_name(value),
        key => format!("{}By{}", type_name(value), type_name(&key_type(key))),
    }
}

fn scalar_name(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::String { .. } => "String",
        Scalar::Bool => "Bool",
        Scalar::I32 { .. } => "I32",
        Scalar::I64 { .. } => "I64",
        Scalar::U32 { .. } => "U32",
        Scalar::U64 { .. } => "U64",
        Scalar::F64 { .. } => "F64",
        Scalar::Decimal { .. } => "Decimal",
        Scalar::Uuid => "Uuid",
        Scalar::Timestamp => "Timestamp",
        Scalar::Date => "Date",
        Scalar::Duration => "Duration",
        Scalar::Bytes => "Bytes",
        Scalar::Json => "Json",
    }
}

/// A type that a map's keys are in JSON terms.
pub fn key_type(key: &MapKey) -> Type {
    Type::Scalar(match key {
        MapKey::String => Scalar::String { min: 0, max: None, pattern: None },
        MapKey::I32 => Scalar::I32 { min: i32::MIN, max: i32::MAX },
        MapKey::I64 => Scalar::I64 { min: i64::MIN, max: i64::MAX },
        MapKey::U32 => Scalar::U32 { min: 0, max: u32::MAX },
        MapKey::U64 => Scalar::U64 { min: 0, max: u64::MAX },
        MapKey::Uuid => Scalar::Uuid,
        MapKey::Date => Scalar::Date,
        MapKey::Enum(of) => return Type::Named(of.clone()),
    })
}

/// One thing that `list` may filter by.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// As in the design and in the query: `total.amount`.
    pub path: String,
    /// As a field: `total_amount`.
    pub name: String,
    /// Of one value; never `Optional`.
    pub ty: Type,
    /// Also by `gte`, `gt`, `lte`, `lt`.
    pub ordered: bool,
}

/// Values at most of one filter. Each is bound by itself, and stores bind so many in a statement only.
const VALUES: u32 = 100;

impl Filter {
    /// Any of these values.
    pub fn any(&self) -> Type {
        Type::List { item: Box::new(self.ty.clone()), min: 0, max: Some(VALUES) }
    }
}

/// The comparisons of ordered filters, as suffixes of their names.
pub const COMPARISONS: [&str; 4] = ["gte", "gt", "lte", "lt"];

/// What `list` of a resource may filter by.
pub fn filters(resource: &Resource) -> Vec<Filter> {
    let filter = |path: &FieldPath| {
        let ty = match &path.ty {
            Type::Optional(inner) => inner.as_ref().clone(),
            ty => ty.clone(),
        };
        let ordered = is_ordered(&ty);
        Filter { path: path.segments.join("."), name: path.segments.join("_"), ty, ordered }
    };
    resource.filter.iter().map(filter).collect()
}

/// The filters as fields of one record: `status` any of a list, `placed_at_gte` one value. All may be left out.
pub fn filter_fields(resource: &Resource) -> Vec<Field> {
    let mut fields = Vec::new();
    for filter in filters(resource) {
        let docs = summary("Any of these; none given: any value.");
        fields.push(Field { docs, ..plain(&filter.name, filter.any()) });
        for comparison in COMPARISONS.iter().filter(|_| filter.ordered) {
            let value = Type::Optional(Box::new(filter.ty.clone()));
            fields.push(plain(&format!("{}_{comparison}", filter.name), value));
        }
    }
    fields
}

/// The ways to sort a list, as paths of the design, each upwards: `total.amount`.
pub fn sorts(resource: &Resource) -> Vec<String> {
    resource.sort.iter().map(|path| path.segments.join(".")).collect()
}

/// Numbers, moments, days and spans of time have an order that all transports and stores agree on.
fn is_ordered(ty: &Type) -> bool {
    match ty {
        Type::Scalar(scalar) => match scalar {
            Scalar::I32 { .. } | Scalar::I64 { .. } | Scalar::U32 { .. } | Scalar::U64 { .. } => true,
            Scalar::F64 { .. } | Scalar::Decimal { .. } => true,
            Scalar::Timestamp | Scalar::Date | Scalar::Duration => true,
            Scalar::String { .. } | Scalar::Bool | Scalar::Uuid | Scalar::Bytes | Scalar::Json => false,
        },
        _ => false,
    }
}
