//! What an operation takes and gives, field by field, and whether a value of one type is always one of another: by
//! this the checker judges `on` and `with`, and emitted code fills calls, events and answers.

use std::collections::HashMap;

use crate::{
    design::Word,
    model::{
        EventRef, Field, Input, MapKey, Model, Operation, OperationKind, OperationRef, Output, Payload, Record,
        Resource, ResourceRef, Scalar, Shape, Type, TypeDef, Verb,
    },
};

/// A record of `[types]`; `None` for an unknown one.
pub fn record<'m>(model: &'m Model, name: &str) -> Option<&'m Record> {
    match model.types.get(name) {
        Some(TypeDef::Record(record)) => Some(record),
        _ => None,
    }
}

pub fn resource<'m>(model: &'m Model, of: &ResourceRef) -> Option<&'m Resource> {
    model.services.get(&of.service)?.resources.get(&of.resource)
}

/// A natural key that callers give, not a UUID that the service makes.
pub fn is_natural(resource: &Resource) -> bool {
    resource.id != "id"
        || !resource.fields.iter().any(|f| f.name == "id" && f.readonly && f.ty == Type::Scalar(Scalar::Uuid))
}

pub fn operation<'m>(model: &'m Model, of: &OperationRef) -> Option<&'m Operation> {
    model.services.get(&of.service)?.operations.get(&of.operation)
}

/// The fields of an event's payload; `None` if unknown.
pub fn payload<'m>(model: &'m Model, of: &EventRef) -> Option<&'m [Field]> {
    match &model.services.get(&of.service)?.events.get(&of.event)?.payload {
        Payload::Named(name) => record(model, name).map(|record| record.fields.as_slice()),
        Payload::Resource(of) => resource(model, of).map(|resource| resource.fields.as_slice()),
        Payload::Fields(fields) => Some(fields),
    }
}

/// The fields of an input; `None` if unknown.
pub fn input<'m>(model: &'m Model, input: &'m Input) -> Option<&'m [Field]> {
    match input {
        // The fields of a stream are those of its items.
        Input::None | Input::Stream(_) => Some(&[]),
        Input::Named(name) => record(model, name).map(|record| record.fields.as_slice()),
        Input::Fields(fields) => Some(fields),
        Input::Payload(event) => payload(model, event),
    }
}

/// All fields that a caller gives: of verbs and operations on an item its id too. `None` if unknown.
pub fn taken<'m>(model: &'m Model, service: &str, operation: &'m Operation) -> Option<Vec<&'m Field>> {
    let resource_named = |name: &str| model.services.get(service).and_then(|s| s.resources.get(name));
    match &operation.shape {
        Shape::Custom { of, input: given, .. } => {
            let id = of.as_deref().and_then(resource_named).and_then(|resource| resource.fields.first());
            Some(id.into_iter().chain(input(model, given)?).collect())
        }
        Shape::Verb { verb, resource } => {
            let fields = &resource_named(resource)?.fields;
            let id = fields.first();
            Some(match verb {
                Verb::List => Vec::new(),
                Verb::Get | Verb::Delete => id.into_iter().collect(),
                Verb::Create => fields.iter().filter(|field| !field.readonly).collect(),
                Verb::Replace | Verb::Patch => id
                    .into_iter()
                    .chain(fields.iter().skip(1).filter(|field| !field.readonly && !field.fixed))
                    .collect(),
            })
        }
    }
}

/// The fields of an answer that is one record or item; `None` for "done", lists, streams and what is unknown.
pub fn given<'m>(model: &'m Model, service: &str, operation: &'m Operation) -> Option<&'m [Field]> {
    let own = |name: &str| Some(model.services.get(service)?.resources.get(name)?.fields.as_slice());
    match &operation.shape {
        Shape::Custom { of, output, .. } => match output {
            Output::None | Output::Stream(_) => None,
            Output::Named(name) => record(model, name).map(|record| record.fields.as_slice()),
            Output::Resource(of) => resource(model, of).map(|resource| resource.fields.as_slice()),
            Output::Fields(fields) => Some(fields),
            Output::Item => own(of.as_deref()?),
        },
        Shape::Verb { verb: Verb::List | Verb::Delete, .. } => None,
        Shape::Verb { resource, .. } => own(resource),
    }
}

/// Every type inside a type, itself first.
pub fn parts(ty: &Type) -> Vec<&Type> {
    let mut parts = vec![ty];
    match ty {
        Type::List { item, .. } | Type::Optional(item) => parts.extend(self::parts(item)),
        Type::Map { value, .. } => parts.extend(self::parts(value)),
        Type::Scalar(_) | Type::Named(_) | Type::Resource(_) | Type::Ref(_) => {}
    }
    parts
}

/// A reference as the id that it carries.
fn id_type<'m>(model: &'m Model, mut of: &'m ResourceRef) -> Option<&'m Type> {
    // A natural key may be a reference itself; a ring of them is reported elsewhere.
    for _ in 0..8 {
        match &resource(model, of)?.fields.first()?.ty {
            Type::Ref(next) => of = next,
            ty => return Some(ty),
        }
    }
    None
}

/// Whether every value of `from` is a value of `to`: bounds are narrower, what is required may stand for what is
/// optional, an id for a reference.
pub fn fits(model: &Model, from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Ref(a), Type::Ref(b)) if a == b => true,
        (Type::Ref(of), other) => id_type(model, of).is_none_or(|id| fits(model, id, other)),
        (other, Type::Ref(of)) => id_type(model, of).is_none_or(|id| fits(model, other, id)),
        (Type::Optional(a), Type::Optional(b)) => fits(model, a, b),
        (a, Type::Optional(b)) => fits(model, a, b),
        (Type::List { item: a, min, max }, Type::List { item: b, min: low, max: high }) => {
            min >= low && below(*max, *high) && fits(model, a, b)
        }
        (Type::Map { key: a, value: v }, Type::Map { key: b, value: w }) => a == b && fits(model, v, w),
        (Type::Scalar(a), Type::Scalar(b)) => fits_scalar(a, b),
        (a, b) => a == b,
    }
}

/// Whether an upper bound lies within another; `None` is no bound.
fn below<T: PartialOrd>(a: Option<T>, b: Option<T>) -> bool {
    match (a, b) {
        (_, None) => true,
        (Some(a), Some(b)) => a <= b,
        (None, Some(_)) => false,
    }
}

/// As [`fits`], of scalars.
pub fn fits_scalar(from: &Scalar, to: &Scalar) -> bool {
    use Scalar::{Decimal, F64, I32, I64, String, U32, U64};
    match (from, to) {
        (String { min: a, max: b, pattern: p }, String { min: c, max: d, pattern: q }) => {
            a >= c && below(*b, *d) && (q.is_none() || p == q)
        }
        (I32 { min: a, max: b }, I32 { min: c, max: d }) => a >= c && b <= d,
        (I64 { min: a, max: b }, I64 { min: c, max: d }) => a >= c && b <= d,
        (U32 { min: a, max: b }, U32 { min: c, max: d }) => a >= c && b <= d,
        (U64 { min: a, max: b }, U64 { min: c, max: d }) => a >= c && b <= d,
        (F64 { min: a, max: b }, F64 { min: c, max: d }) => {
            // A lower bound within another is an upper bound of the negated values.
            below(a.map(|x| -x), c.map(|x| -x)) && below(*b, *d)
        }
        (Decimal { precision: p, scale: s }, Decimal { precision: q, scale: t }) => {
            s <= t && p.saturating_sub(*s) <= q.saturating_sub(*t)
        }
        (a, b) => a == b,
    }
}

/// A type as the design writes it, for messages.
pub fn shown(ty: &Type) -> String {
    match ty {
        Type::Scalar(scalar) => scalar_word(scalar).to_owned(),
        Type::Named(named) => named.name.clone(),
        Type::Resource(of) => format!("{}.{}", of.service, of.resource),
        Type::Ref(of) => format!("ref {}.{}", of.service, of.resource),
        Type::List { item, .. } => format!("{}[]", shown(item)),
        Type::Optional(item) => format!("{}?", shown(item)),
        Type::Map { key: MapKey::String, value } => format!("map<{}>", shown(value)),
        Type::Map { key, value } => format!("map<{}, {}>", key_word(key), shown(value)),
    }
}

fn key_word(key: &MapKey) -> &str {
    match key {
        MapKey::String => "string",
        MapKey::I32 => "i32",
        MapKey::I64 => "i64",
        MapKey::U32 => "u32",
        MapKey::U64 => "u64",
        MapKey::Uuid => "uuid",
        MapKey::Date => "date",
        MapKey::Enum(named) => &named.name,
    }
}

fn scalar_word(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::String { .. } => "string",
        Scalar::Bool => "bool",
        Scalar::I32 { .. } => "i32",
        Scalar::I64 { .. } => "i64",
        Scalar::U32 { .. } => "u32",
        Scalar::U64 { .. } => "u64",
        Scalar::F64 { .. } => "f64",
        Scalar::Decimal { .. } => "decimal",
        Scalar::Uuid => "uuid",
        Scalar::Timestamp => "timestamp",
        Scalar::Date => "date",
        Scalar::Duration => "duration",
        Scalar::Bytes => "bytes",
        Scalar::Json => "json",
    }
}

/// `` query `orders` ``, `` `list` of `Order` ``
pub fn title(operation: &Operation) -> String {
    match (&operation.shape, operation.kind) {
        (Shape::Verb { verb, resource }, _) => format!("`{}` of `{resource}`", verb.word()),
        (Shape::Custom { .. }, OperationKind::Query) => format!("query `{}`", operation.name),
        (Shape::Custom { .. }, OperationKind::Command) => format!("command `{}`", operation.name),
    }
}

/// The types of `[types]` that have values, and how many parts the smallest of each has. A type that is not in it always
/// contains another of itself, which the checker refuses. Of a union, the variant with the smallest is safe to make an
/// example of.
pub fn sizes(model: &Model) -> HashMap<&str, u64> {
    let mut sizes: HashMap<&str, u64> = HashMap::new();
    loop {
        let before = sizes.len();
        for (name, def) in &model.types {
            if sizes.contains_key(name.as_str()) {
                continue;
            }
            let proved = match def {
                TypeDef::Enum(_) => Some(1),
                TypeDef::Record(Record { fields, .. }) => size_of_fields(model, &sizes, fields),
                // Variants that are not there were reported.
                TypeDef::Union(union) if union.variants.is_empty() => Some(1),
                TypeDef::Union(union) => union.variants.iter().filter_map(|v| sizes.get(v.as_str()).copied()).min(),
            };
            if let Some(size) = proved {
                sizes.insert(name, size);
            }
        }
        if sizes.len() == before {
            return sizes;
        }
    }
}

/// How many parts a value of these fields has at least; `None` if there is none.
pub fn size_of_fields(model: &Model, sizes: &HashMap<&str, u64>, fields: &[Field]) -> Option<u64> {
    fields.iter().try_fold(1_u64, |sum, field| Some(sum.saturating_add(size_of(model, sizes, &field.ty)?)))
}

fn size_of(model: &Model, sizes: &HashMap<&str, u64>, ty: &Type) -> Option<u64> {
    match ty {
        // What is not in [types] has no fields.
        Type::Named(named) if named.service.is_none() && model.types.contains_key(&named.name) => {
            sizes.get(named.name.as_str()).copied()
        }
        Type::List { item, min, .. } if *min > 0 => Some(size_of(model, sizes, item)?.saturating_mul((*min).into())),
        // A long text counts like many short ones.
        Type::Scalar(Scalar::String { min, .. }) => Some(1 + u64::from(*min) / 64),
        _ => Some(1),
    }
}

/// The type of `[types]` that a value of this type always contains, if any.
pub fn innermost(ty: &Type) -> Option<&str> {
    match ty {
        Type::Named(named) if named.service.is_none() => Some(&named.name),
        Type::List { item, min, .. } if *min > 0 => innermost(item),
        _ => None,
    }
}
