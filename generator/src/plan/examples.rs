//! Values as Rust expressions: taken from what variables hold by field name, else the default, else an example.

use crate::{
    contracts::{matching, shape},
    escape, fit,
    model::{
        EventRef, Field, Input, Model, Operation, Output, Payload, Resource, ResourceRef, Scalar, Service, Shape,
        StreamItem, Type, TypeDef, TypeRef, Verb,
    },
    names,
};

use super::{
    events, imports,
    operations::{request_name, response_name},
    resources,
    rust::{self, id_name, user},
    types::default_value,
};

/// A variable that values are taken from.
#[derive(Clone, Debug)]
pub struct Source {
    /// What it holds under which name, and the place where: `order.total`.
    pub values: Vec<(Field, String)>,
    /// The resource that it is an item of, and the variable.
    pub item: Option<(ResourceRef, String)>,
}

impl Source {
    /// A variable with fields.
    pub fn record(variable: &str, fields: &[Field]) -> Self {
        let value = |field: &Field| (field.clone(), format!("{variable}.{}", names::rust::ident(&field.name)));
        Self { values: fields.iter().map(value).collect(), item: None }
    }

    /// A variable with an item of a resource. `order_id` is its id too.
    pub fn item(variable: &str, resource: &Resource, of: &ResourceRef) -> Self {
        let mut values = Self::record(variable, &resources::typed(resource, of)).values;
        values.extend(Self::id(&format!("{variable}.{}", names::rust::ident(&resource.id)), of).values);
        Self { values, item: Some((of.clone(), variable.to_owned())) }
    }

    /// A variable with the id of an item.
    pub fn id(variable: &str, of: &ResourceRef) -> Self {
        let field = shape::plain(&events::item_id(&of.resource), Type::Ref(of.clone()));
        Self { values: vec![(field, variable.to_owned())], item: None }
    }

    /// The variable, if it holds an item of the resource.
    pub fn holds(&self, resource: &ResourceRef) -> Option<&str> {
        self.item.as_ref().filter(|(of, _)| of == resource).map(|(_, variable)| variable.as_str())
    }
}

/// `name: input.name, total: Decimal::new(100, 2)`: each field from the first source that has one of its name and
/// type, else its default, else an example.
pub fn filled(model: &Model, fields: &[Field], sources: &[Source], path: &str) -> String {
    let fields: Vec<String> =
        fields.iter().map(|field| member(&field.name, &value(model, field, sources, path))).collect();
    fields.join(", ")
}

/// A field and its value, as one writes them.
pub fn member(field: &str, value: &str) -> String {
    let ident = names::rust::ident(field);
    if ident == value { ident } else { format!("{ident}: {value}") }
}

/// The value of a field, as [`filled`] finds it.
pub fn value(model: &Model, field: &Field, sources: &[Source], path: &str) -> String {
    match (taken(model, field, sources, path), &field.default) {
        (Some(taken), _) => taken,
        (None, Some(default)) => prefixed(&default_value(&field.ty, default), path),
        (None, None) => example(model, &field.ty, path),
    }
}

/// The value of a field from the first source that has it.
pub fn taken(model: &Model, field: &Field, sources: &[Source], path: &str) -> Option<String> {
    let named = sources.iter().flat_map(|source| &source.values).filter(|(found, _)| found.name == field.name);
    named.filter_map(|(found, place)| converted(model, place, &found.ty, &field.ty, path)).next().or_else(|| {
        let Type::Resource(of) = &field.ty else { return None };
        sources.iter().find_map(|source| source.holds(of)).map(|variable| format!("{variable}.clone()"))
    })
}

/// The value at a place as one of another type, if it always is one: as [`fit::fits`] says, by what is needed to make it
/// so in Rust.
pub fn converted(model: &Model, place: &str, from: &Type, to: &Type, path: &str) -> Option<String> {
    let kept = || if rust::is_copy(from) { place.to_owned() } else { format!("{place}.clone()") };
    // What is the same inside is taken whole.
    let each = |into: &str, from: &Type, to: &Type, out: &str| {
        let value = converted(model, "value", from, to, path)?;
        if value == "value" || value == "value.clone()" {
            return Some(kept());
        }
        let map = value.strip_suffix("(value)").map_or_else(|| format!("|value| {value}"), str::to_owned);
        Some(format!("{}{into}.map({map}){out}", kept()))
    };
    match (from, to) {
        (from, to) if !fit::fits(model, from, to) => None,
        (from, to) if from == to => Some(kept()),
        (Type::Optional(from), Type::Optional(to)) => each("", from, to, ""),
        (from, Type::Optional(to)) => Some(format!("Some({})", converted(model, place, from, to, path)?)),
        (Type::List { item: from, .. }, Type::List { item: to, .. }) => each(".into_iter()", from, to, ".collect()"),
        (Type::Map { value: from, .. }, Type::Map { value: to, .. }) => {
            let value = converted(model, "value", from, to, path)?;
            let is_same = value == "value" || value == "value.clone()";
            let entries = || format!("{}.into_iter().map(|(key, value)| (key, {value})).collect()", kept());
            Some(if is_same { kept() } else { entries() })
        }
        // An id is one of what it is around.
        (Type::Ref(of), to) => converted(model, &format!("{place}.0"), &id_of(model, of)?, to, path),
        (from, Type::Ref(of)) => {
            let id = converted(model, place, from, &id_of(model, of)?, path)?;
            Some(format!("{}({id})", named(path, &id_name(&of.resource))))
        }
        (Type::Scalar(_), Type::Scalar(_)) => Some(kept()),
        _ => None,
    }
}

/// The type of the field that is the id.
fn id_of(model: &Model, of: &ResourceRef) -> Option<Type> {
    let resource = shape::resource(model, of)?;
    resource.fields.iter().find(|field| field.name == resource.id).map(|field| field.ty.clone())
}

/// A name of the design, of the crate at `path`.
fn named(path: &str, name: &str) -> String {
    if path.is_empty() { user(name) } else { format!("{path}{name}") }
}

/// Names of the design as another crate's.
fn prefixed(expression: &str, path: &str) -> String {
    if path.is_empty() { expression.to_owned() } else { expression.replace(imports::USER, path) }
}

/// An expression that makes a valid value of the type. `path` stands before names of the design, if they are another
/// crate's.
pub fn example(model: &Model, ty: &Type, path: &str) -> String {
    let named = |name: &str| named(path, name);
    match ty {
        Type::Scalar(scalar) => scalar_example(scalar),
        Type::Ref(resource) => {
            let id = model.services.get(&resource.service).and_then(|s| s.resources.get(&resource.resource));
            let inner = id
                .and_then(|r| r.fields.iter().find(|f| f.name == r.id))
                .map_or(Type::Scalar(Scalar::Uuid), |f| f.ty.clone());
            format!("{}({})", named(&id_name(&resource.resource)), example(model, &inner, path))
        }
        Type::Resource(of) => {
            let fields = shape::resource(model, of).map(|resource| resources::typed(resource, of)).unwrap_or_default();
            format!("{} {{ {}, etag: Etag(1) }}", named(&of.resource), filled(model, &fields, &[], path))
        }
        Type::Optional(_) => "None".into(),
        Type::Map { .. } => "BTreeMap::new()".into(),
        Type::List { min: 0, .. } => "Vec::new()".into(),
        Type::List { item, min, .. } => {
            let item = example(model, item, path);
            format!("vec![{}]", vec![item; *min as usize].join(", "))
        }
        Type::Named(TypeRef { service, name }) => {
            let first = match service {
                Some(service) => {
                    model.services.get(service).and_then(|s| s.enums.get(name)).and_then(|e| e.values.first())
                }
                None => match model.types.get(name) {
                    Some(TypeDef::Enum(found)) => found.values.first(),
                    Some(TypeDef::Union(union)) => {
                        let variant = union.variants.first().map_or("", String::as_str);
                        let inner = Type::Named(TypeRef { service: None, name: variant.into() });
                        return format!("{}::{variant}({})", named(name), example(model, &inner, path));
                    }
                    Some(TypeDef::Record(record)) => {
                        return format!("{} {{ {} }}", named(name), filled(model, &record.fields, &[], path));
                    }
                    None => None,
                },
            };
            format!("{}::{}", named(name), names::rust::variant(first.map_or("", String::as_str)))
        }
    }
}

/// An example of a record of `[types]`.
pub fn example_of(model: &Model, record: &str, path: &str) -> String {
    example(model, &Type::Named(TypeRef { service: None, name: record.into() }), path)
}

/// An example of each argument of an operation.
pub fn arguments(model: &Model, service: &Service, operation: &Operation, path: &str) -> Vec<String> {
    let named = |name: &str| named(path, name);
    let record = |name: &str, fields: &[Field]| format!("{} {{ {} }}", named(name), filled(model, fields, &[], path));
    match &operation.shape {
        Shape::Custom { of, input, .. } => {
            let id = of.as_ref().map(|resource| {
                let of = ResourceRef { service: service.name.clone(), resource: resource.clone() };
                example(model, &Type::Ref(of), path)
            });
            let input = match input {
                Input::None => None,
                Input::Named(name) => Some(example_of(model, name, path)),
                Input::Stream(name) => {
                    Some(format!("Box::pin(futures_util::stream::iter([Ok({})]))", example_of(model, name, path)))
                }
                Input::Fields(fields) => Some(record(&request_name(operation), fields)),
                Input::Payload(event) => payload(model, event, path),
            };
            id.into_iter().chain(input).collect()
        }
        Shape::Verb { verb, resource } => {
            let of = ResourceRef { service: service.name.clone(), resource: resource.clone() };
            let Some(found) = service.resources.get(resource) else { return Vec::new() };
            let id = || example(model, &Type::Ref(of.clone()), path);
            let none = || "None".to_owned();
            match verb {
                Verb::List => vec![format!("{}::default()", named(&format!("List{}", found.plural)))],
                Verb::Get => vec![id()],
                Verb::Create => {
                    vec![record(&format!("New{resource}"), &resources::with_id(&shape::new_fields(found), found, &of))]
                }
                Verb::Replace => vec![id(), record(&format!("{resource}Draft"), &shape::draft_fields(found)), none()],
                Verb::Patch => vec![id(), format!("{}::default()", named(&format!("{resource}Patch"))), none()],
                Verb::Delete => vec![id(), none()],
            }
        }
    }
}

/// An example of what an operation answers; of a stream its item.
pub fn answer(model: &Model, service: &Service, operation: &Operation, path: &str) -> String {
    let named = |name: &str| named(path, name);
    match &operation.shape {
        Shape::Custom { of, output, .. } => match output {
            Output::None => "()".into(),
            Output::Named(name) | Output::Stream(StreamItem::Named(name)) => example_of(model, name, path),
            Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => {
                example(model, &Type::Resource(of.clone()), path)
            }
            Output::Fields(fields) => {
                format!("{} {{ {} }}", named(&response_name(operation)), filled(model, fields, &[], path))
            }
            Output::Item => {
                let resource = of.clone().unwrap_or_default();
                example(model, &Type::Resource(ResourceRef { service: service.name.clone(), resource }), path)
            }
        },
        Shape::Verb { verb, resource } => {
            let of = ResourceRef { service: service.name.clone(), resource: resource.clone() };
            let item = || example(model, &Type::Resource(of.clone()), path);
            match verb {
                Verb::List => {
                    format!(
                        "{} {{ items: vec![{}], next: Some(Cursor(\"next\".into())) }}",
                        named(&format!("{resource}Page")),
                        item()
                    )
                }
                Verb::Delete => "()".into(),
                _ => item(),
            }
        }
    }
}

/// An example of an event's payload.
pub fn payload(model: &Model, event: &EventRef, path: &str) -> Option<String> {
    let found = model.services.get(&event.service)?.events.get(&event.event)?;
    let named = |name: &str| named(path, name);
    Some(match &found.payload {
        Payload::Named(name) => example_of(model, name, path),
        Payload::Resource(of) => example(model, &Type::Resource(of.clone()), path),
        Payload::Fields(fields) => format!("{} {{ {} }}", named(&found.name), filled(model, fields, &[], path)),
    })
}

fn scalar_example(scalar: &Scalar) -> String {
    match scalar {
        Scalar::String { min, max, pattern } => {
            let matching = pattern.as_ref().and_then(|pattern| matching::matching(pattern, *min, *max, 0));
            let length = (*min).max(7).min(max.unwrap_or(u32::MAX)) as usize;
            let text = matching.unwrap_or_else(|| "example".chars().cycle().take(length).collect());
            format!("{}.into()", escape::rust_str(&text))
        }
        Scalar::Bool => "true".into(),
        Scalar::I32 { min, max } => (*min).max(1).min(*max).to_string(),
        Scalar::I64 { min, max } => (*min).max(1).min(*max).to_string(),
        Scalar::U32 { min, max } => (*min).max(1).min(*max).to_string(),
        Scalar::U64 { min, max } => (*min).max(1).min(*max).to_string(),
        Scalar::F64 { min, max } => format!("{:?}", min.unwrap_or(f64::MIN).max(1.0).min(max.unwrap_or(f64::MAX))),
        Scalar::Decimal { scale, .. } => format!("Decimal::new(1, {scale})"),
        Scalar::Uuid => "Uuid::from_u128(1)".into(),
        Scalar::Timestamp => "DateTime::UNIX_EPOCH".into(),
        Scalar::Date => "DateTime::UNIX_EPOCH.date_naive()".into(),
        Scalar::Duration => "Duration::from_secs(60)".into(),
        Scalar::Bytes => "b\"example\".to_vec()".into(),
        Scalar::Json => "Value::Null".into(),
    }
}
