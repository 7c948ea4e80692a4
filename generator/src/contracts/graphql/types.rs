//! Type expressions to GraphQL (LANGUAGE §3.1), and the definitions that they need.
//!
//! A record is `Money` in answers, `MoneyInput` in requests, and `MoneyPatch` inside patches, where all fields can be
//! left out; so is a map's entry (`MoneyEntry`, `MoneyEntryInput`, and `MoneyEntryPatch` whose null value removes it).

use std::collections::BTreeSet;

use super::{block, description, is_loaded};
use crate::{
    contracts::shape,
    escape,
    model::{
        Default, Docs, Enum, Field, MapKey, Model, Resource, ResourceRef, Scalar, Service, Type, TypeDef, TypeRef,
        Union,
    },
    names,
};

/// What a type is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Input,
    /// Patches and filters: every field can be left out.
    Patch,
    Output,
}

/// The types of one schema, gathered as they are referred to.
pub(super) struct Types<'m> {
    pub(super) model: &'m Model,
    pub(super) service: &'m Service,
    known: BTreeSet<String>,
    later: Vec<(String, Needed)>,
    /// What has been defined, in that order.
    defined: Vec<(String, Needed)>,
    scalars: BTreeSet<&'static str>,
    /// Some input is one of several.
    one_of: bool,
}

/// A type of a schema, besides scalars and roots: what it is made from.
#[derive(Clone, Debug)]
pub enum Needed {
    /// Of `[types]` or an enum of a service.
    Named(TypeRef, Side),
    /// As every answer shows it.
    Item(ResourceRef),
    /// Of a map.
    Entry(MapKey, Type, Side),
    /// What is written at an operation, or given to create, replace or change an item.
    Object(Object),
    /// By what the list of a resource is filtered.
    Filter(String, Vec<Field>),
    /// Of the list of a resource, and its values.
    Sort(String, Vec<String>),
    /// Of which item of the service.
    Connection(String),
    Edge(String),
    PageInfo,
}

/// A type without a name in the design.
#[derive(Clone, Debug)]
pub struct Object {
    pub docs: Docs,
    pub fields: Vec<Field>,
    pub side: Side,
    /// Its name in the contract: `ReserveResponse`, `NewOrder`, `OrderDraft`, `OrderPatch`.
    pub of: String,
}

impl<'m> Types<'m> {
    pub(super) fn new(model: &'m Model, service: &'m Service) -> Self {
        let (known, later, defined, scalars) = (BTreeSet::new(), Vec::new(), Vec::new(), BTreeSet::new());
        Self { model, service, known, later, defined, scalars, one_of: false }
    }

    fn need(&mut self, name: String, needed: Needed) -> String {
        if self.known.insert(name.clone()) {
            self.later.push((name.clone(), needed));
        }
        name
    }

    /// With its `!`.
    pub(super) fn item(&mut self, of: &ResourceRef) -> String {
        let name = of.resource.clone();
        self.need(name, Needed::Item(of.clone())) + "!"
    }

    /// With its `!`.
    pub(super) fn response(&mut self, name: String, fields: &[Field]) -> String {
        let (docs, fields, of) = (Docs::default(), fields.to_vec(), name.clone());
        self.need(name, Needed::Object(Object { docs, fields, side: Side::Output, of })) + "!"
    }

    pub(super) fn new_item(&mut self, resource: &Resource) -> String {
        let fields = self.with_id(resource, shape::new_fields(resource));
        let of = format!("New{}", resource.name);
        let name = names::graphql::input(&of);
        self.need(name, Needed::Object(Object { docs: given("creates", resource), fields, side: Side::Input, of }))
    }

    pub(super) fn draft(&mut self, resource: &Resource) -> String {
        let fields = shape::draft_fields(resource);
        let (name, of) = (names::graphql::input(&resource.name), format!("{}Draft", resource.name));
        self.need(name, Needed::Object(Object { docs: given("replaces", resource), fields, side: Side::Input, of }))
    }

    pub(super) fn patch(&mut self, resource: &Resource) -> String {
        let fields = shape::draft_fields(resource);
        let of = format!("{}Patch", resource.name);
        let object = Object { docs: given("changes", resource), fields, side: Side::Patch, of: of.clone() };
        self.need(of, Needed::Object(object))
    }

    pub(super) fn filter(&mut self, resource: &Resource) -> String {
        let fields = shape::filter_fields(resource);
        self.need(format!("{}Filter", resource.name), Needed::Filter(resource.name.clone(), fields))
    }

    pub(super) fn sort(&mut self, resource: &Resource) -> String {
        let value = |path: String| names::graphql::enum_value(&path.replace('.', "_"));
        let both = |path| [value(path), String::new()];
        let values = shape::sorts(resource).into_iter().map(both).map(|[up, _]| [up.clone(), up + "_DESC"]);
        let values = values.flatten().collect();
        self.need(format!("{}Sort", resource.name), Needed::Sort(resource.name.clone(), values))
    }

    pub(super) fn connection(&mut self, resource: &Resource) -> String {
        self.need(names::graphql::connection(&resource.name), Needed::Connection(resource.name.clone()))
    }

    /// The type of a value, with its `!` if it has to be there.
    pub(super) fn of(&mut self, ty: &Type, side: Side) -> String {
        match ty {
            Type::Scalar(scalar) => self.scalar(scalar),
            Type::Ref(_) => "ID!".to_owned(),
            Type::Named(of) => self.named(of, side) + "!",
            Type::Resource(of) => self.item(of),
            // A patch replaces a list as a whole.
            Type::List { item, .. } if side == Side::Patch => format!("[{}]!", self.of(item, Side::Input)),
            Type::List { item, .. } => format!("[{}]!", self.of(item, side)),
            Type::Optional(inner) => nullable(self.of(inner, side)),
            Type::Map { key, value } => {
                let name = entry_name(key, value, side);
                let entry = Needed::Entry(key.clone(), value.as_ref().clone(), side);
                format!("[{}!]!", self.need(name, entry))
            }
        }
    }

    /// `name: Type`, with its description before it and its default behind.
    pub(super) fn field(&mut self, field: &Field, side: Side) -> String {
        let ty = match side {
            Side::Patch => nullable(self.of(&field.ty, side)),
            Side::Input | Side::Output => self.of(&field.ty, side),
        };
        let default = match &field.default {
            Some(default) if side == Side::Input => format!(" = {}", literal(default, &field.ty)),
            _ => String::new(),
        };
        format!("{}{}: {ty}{default}", description(&field.docs), names::graphql::field(&field.name))
    }

    fn named(&mut self, of: &TypeRef, side: Side) -> String {
        let (name, side) = type_name(self.model, of, side);
        self.need(name, Needed::Named(of.clone(), side))
    }

    /// A JSON value may be null, so it is nullable wherever it stands.
    fn scalar(&mut self, scalar: &Scalar) -> String {
        let own = match scalar {
            Scalar::String { .. } => return "String!".to_owned(),
            Scalar::Bool => return "Boolean!".to_owned(),
            Scalar::I32 { .. } => return "Int!".to_owned(),
            Scalar::F64 { .. } => return "Float!".to_owned(),
            Scalar::Json => "JSON",
            Scalar::U32 { .. } => "UInt32",
            Scalar::I64 { .. } => "Int64",
            Scalar::U64 { .. } => "UInt64",
            Scalar::Decimal { .. } => "Decimal",
            Scalar::Uuid => "UUID",
            Scalar::Timestamp => "DateTime",
            Scalar::Date => "Date",
            Scalar::Duration => "Duration",
            Scalar::Bytes => "Bytes",
        };
        self.scalars.insert(own);
        if own == "JSON" { own.to_owned() } else { format!("{own}!") }
    }

    /// What [`Types::define`] has defined.
    pub(super) fn defined(self) -> Vec<(String, Needed)> {
        self.defined
    }

    /// All that is needed, in the order in which it was first referred to.
    pub(super) fn define(&mut self) -> Vec<String> {
        let mut blocks = Vec::new();
        while !self.later.is_empty() {
            for (name, needed) in std::mem::take(&mut self.later) {
                self.defined.push((name.clone(), needed.clone()));
                blocks.extend(self.definition(&name, needed));
            }
        }
        for scalar in std::mem::take(&mut self.scalars) {
            blocks.push(format!("{}scalar {scalar}\n", description(&shape::summary(meaning(scalar)))));
        }
        if self.one_of {
            blocks.push("directive @oneOf on INPUT_OBJECT\n".to_owned());
        }
        blocks
    }

    fn definition(&mut self, name: &str, needed: Needed) -> Option<String> {
        let model = self.model;
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let ours = |text: &str, members: &[String]| block("type", name, &shape::summary(text), members);
        Some(match needed {
            Needed::Named(of, side) => {
                let found = match &of.service {
                    Some(owner) => return Some(enumeration(name, model.services.get(owner)?.enums.get(&of.name)?)),
                    None => model.types.get(&of.name)?,
                };
                match found {
                    TypeDef::Enum(of) => enumeration(name, of),
                    TypeDef::Union(of) => self.union(name, of, side),
                    TypeDef::Record(of) => self.object(name, &of.docs, &of.fields, side),
                }
            }
            Needed::Item(of) => {
                let resource = shape::resource(model, &of)?;
                let fields = self.with_id(resource, shape::item_fields(resource));
                self.object(name, &resource.docs, &fields, Side::Output)
            }
            Needed::Object(Object { docs, fields, side, .. }) => self.object(name, &docs, &fields, side),
            Needed::Filter(_, fields) => self.object(name, &Docs::default(), &fields, Side::Patch),
            Needed::Entry(key, value, side) => {
                let key = self.of(&shape::key_type(&key), Side::Input);
                let value = match side {
                    // Null takes the entry away; a value replaces it as a whole.
                    Side::Patch => nullable(self.of(&value, Side::Input)),
                    Side::Input | Side::Output => self.of(&value, side),
                };
                let keyword = if side == Side::Output { "type" } else { "input" };
                block(keyword, name, &Docs::default(), &[format!("key: {key}"), format!("value: {value}")])
            }
            Needed::Sort(_, values) => block("enum", name, &Docs::default(), &values),
            Needed::Connection(item) => {
                let edge = self.need(names::graphql::edge(&item), Needed::Edge(item.clone()));
                let info = self.need("PageInfo".to_owned(), Needed::PageInfo);
                let members =
                    [format!("nodes: [{item}!]!"), format!("edges: [{edge}!]!"), format!("pageInfo: {info}!")];
                ours("A page of a list.", &members)
            }
            Needed::Edge(item) => {
                let cursor = "\"Where the next page begins, at the last item of a page.\"\ncursor: String";
                ours("An item of a list.", &[format!("node: {item}!"), cursor.to_owned()])
            }
            Needed::PageInfo => ours(
                "Where a page of a list ends.",
                &lines(&[
                    "\"There is a page after this one.\"\nhasNextPage: Boolean!",
                    "\"Lists are read forwards only.\"\nhasPreviousPage: Boolean!",
                    "startCursor: String",
                    "\"Give it as `after` to get the next page.\"\nendCursor: String",
                ]),
            ),
        })
    }

    fn object(&mut self, name: &str, docs: &Docs, fields: &[Field], side: Side) -> String {
        let mut members: Vec<_> = fields.iter().map(|field| self.field(field, side)).collect();
        if side == Side::Output {
            members.extend(references(self.service, fields).into_iter().map(|reference| self.referred(&reference)));
        }
        if members.is_empty() {
            // GraphQL has no empty types. No name of a design begins so.
            members.push("_empty: Boolean".to_owned());
        }
        block(if side == Side::Output { "type" } else { "input" }, name, docs, &members)
    }

    /// The object that a reference means, beside its id.
    fn referred(&mut self, Reference { name, to, several, .. }: &Reference) -> String {
        let object = nullable(self.item(to));
        let ty = if *several { format!("[{object}]!") } else { object };
        format!("{}: {ty}", names::graphql::field(name))
    }

    fn union(&mut self, name: &str, of: &Union, side: Side) -> String {
        let variant = |variant: &String| TypeRef { service: None, name: variant.clone() };
        if side == Side::Output {
            let variants: Vec<_> = of.variants.iter().map(|name| self.named(&variant(name), side)).collect();
            return format!("{}union {name} = {}\n", description(&of.docs), variants.join(" | "));
        }
        self.one_of = true;
        let member = |name: &String| {
            let ty = self.named(&variant(name), Side::Input);
            format!("{}: {ty}", names::graphql::field(&names::snake(name)))
        };
        let members: Vec<_> = of.variants.iter().map(member).collect();
        block("input", &format!("{name} @oneOf"), &of.docs, &members)
    }

    fn with_id(&self, resource: &Resource, fields: Vec<Field>) -> Vec<Field> {
        with_id(&shape::of_service(self.service, &resource.name), resource, fields)
    }
}

/// Fields of a resource, the id among them as what it is.
pub fn with_id(of: &ResourceRef, resource: &Resource, mut fields: Vec<Field>) -> Vec<Field> {
    for id in fields.iter_mut().filter(|field| field.name == resource.id) {
        // No reference to the item itself is offered: it would be a circle.
        id.ty = Type::Ref(ResourceRef { service: String::new(), ..of.clone() });
    }
    fields
}

/// A field that names items of which the schema shows more than the id.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The field.
    pub field: Field,
    /// As a name of the design: `customer`.
    pub name: String,
    pub to: ResourceRef,
    pub several: bool,
}

/// The references among the fields of an answer to what the service itself can get.
pub fn references(service: &Service, fields: &[Field]) -> Vec<Reference> {
    let reference = |field: &Field| {
        let (to, several) = match &field.ty {
            Type::Ref(to) => (to, false),
            Type::Optional(inner) => match inner.as_ref() {
                Type::Ref(to) => (to, false),
                _ => return None,
            },
            Type::List { item, .. } => match item.as_ref() {
                Type::Ref(to) => (to, true),
                _ => return None,
            },
            _ => return None,
        };
        let name = names::graphql::object_of_ref(&field.name)?;
        if !is_loaded(service, to) || fields.iter().any(|other| other.name == name) {
            return None;
        }
        Some(Reference { field: field.clone(), name, to: to.clone(), several })
    };
    fields.iter().filter_map(reference).collect()
}

/// The name of a type of the design in a schema, and the side whose form it has there.
pub fn type_name(model: &Model, of: &TypeRef, side: Side) -> (String, Side) {
    let (suffix, side) = match model.types.get(&of.name) {
        _ if of.service.is_some() => ("", side),
        Some(TypeDef::Record(_)) => (suffix(side), side),
        // A patch replaces a union as a whole.
        Some(TypeDef::Union(_)) if side == Side::Patch => (suffix(Side::Input), Side::Input),
        Some(TypeDef::Union(_)) => (suffix(side), side),
        Some(TypeDef::Enum(_)) | None => ("", side),
    };
    (format!("{}{suffix}", of.name), side)
}

/// The name of an entry of a map.
pub fn entry_name(key: &MapKey, value: &Type, side: Side) -> String {
    names::graphql::entry(&shape::entry_stem(key, value)) + suffix(side)
}

fn enumeration(name: &str, of: &Enum) -> String {
    let values: Vec<_> = of.values.iter().map(|value| names::graphql::enum_value(value)).collect();
    block("enum", name, &of.docs, &values)
}

fn literal(default: &Default, ty: &Type) -> String {
    match default {
        Default::Text(text) => escape::graphql_str(text),
        Default::Bool(value) => value.to_string(),
        Default::Integer(value) => match ty {
            Type::Scalar(Scalar::I64 { .. } | Scalar::U64 { .. }) => format!("\"{value}\""),
            _ => value.to_string(),
        },
        Default::Float(value) => format!("{value:?}"),
        Default::Value(value) => names::graphql::enum_value(value),
        Default::EmptyList => "[]".to_owned(),
    }
}

fn given(does: &str, resource: &Resource) -> Docs {
    shape::summary(&format!("What {does} one {}.", resource.name))
}

pub(super) fn nullable(mut ty: String) -> String {
    if ty.ends_with('!') {
        ty.pop();
    }
    ty
}

fn suffix(side: Side) -> &'static str {
    match side {
        Side::Input => "Input",
        Side::Patch => "Patch",
        Side::Output => "",
    }
}

/// What a scalar is, as the kit's GraphQL says it.
fn meaning(scalar: &str) -> &'static str {
    match scalar {
        "UInt32" => "An integer from 0 to 4294967295.",
        "Int64" => "An integer of 64 bits, as a string of digits; a number is accepted.",
        "UInt64" => "An integer of 64 bits, not negative, as a string of digits; a number is accepted.",
        "Decimal" => "A decimal number, as a string: never rounded.",
        "UUID" => "A universally unique identifier, RFC 9562.",
        "DateTime" => "A moment in UTC to the microsecond, RFC 3339: 2026-01-31T12:00:00.000000Z.",
        "Date" => "A date, ISO 8601: 2026-01-31.",
        "Duration" => "A span of time, ISO 8601 without years and months: P1DT2H0.5S.",
        "Bytes" => "Bytes, base64 with padding, RFC 4648.",
        _ => "Any JSON value; integers within ±2^53, RFC 7493.",
    }
}
