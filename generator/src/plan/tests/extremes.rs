//! The ends of a type as Rust expressions: what carries both, carries what is between them.

use crate::{
    contracts::{matching, shape},
    escape,
    model::{
        DeclaredError, EventRef, Field, Input, MapKey, Model, Operation, Output, Payload, Resource, ResourceRef,
        Scalar, Service, Shape, StreamItem, Type, TypeDef, TypeRef, Verb,
    },
    names,
};

use super::super::{
    operations::{self, request_name, response_name},
    resources,
    rust::{self, id_name, user},
    types::is_recursive,
};

/// Unusual in every target: quotes, what URLs and markup reserve, letters of two, three and four bytes.
const TEXT: &str = "ü/?#&=+%;,:\"'\\<>{}[]$@ 日本\u{1F980}";
/// No string of a test is longer than need be.
const LONG: usize = 32;

/// Which end of each type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing where there may be nothing; the shortest, the smallest, the first.
    Least,
    /// Something wherever there may be something; the longest, the greatest, the last.
    Most,
}

/// Writes values of one end.
#[derive(Clone)]
pub struct Extremes<'m> {
    model: &'m Model,
    /// What stands before names of the design: nothing where imports are computed, `orders_contract::` elsewhere.
    path: String,
    end: End,
    /// Records that this value is in: one that contains itself has to end.
    within: Vec<String>,
}

impl<'m> Extremes<'m> {
    pub fn new(model: &'m Model, path: &str, end: End) -> Self {
        Self { model, path: path.to_owned(), end, within: Vec::new() }
    }

    /// The arguments of an operation, each with a comma after it.
    pub fn arguments(&self, service: &Service, operation: &Operation) -> String {
        let arguments = match &operation.shape {
            Shape::Custom { of, input, .. } => {
                let id = of.as_ref().map(|resource| self.id(service, resource));
                let input = match input {
                    Input::None => None,
                    Input::Named(name) => Some(self.named(name)),
                    // Two that differ, so that their order counts.
                    Input::Stream(name) => Some(match self.end {
                        End::Least => "vec![]".into(),
                        End::Most => {
                            let least = Extremes::new(self.model, &self.path, End::Least).named(name);
                            format!("vec![{}, {least}]", self.named(name))
                        }
                    }),
                    Input::Fields(fields) => Some(self.record(&request_name(operation), fields)),
                    Input::Payload(event) => self.payload(event),
                };
                id.into_iter().chain(input).collect()
            }
            Shape::Verb { verb, resource } => match service.resources.get(resource) {
                Some(found) => self.verb(service, *verb, found),
                None => Vec::new(),
            },
        };
        arguments.into_iter().map(|argument| argument + ", ").collect()
    }

    fn verb(&self, service: &Service, verb: Verb, resource: &Resource) -> Vec<String> {
        let of = shape::of_service(service, &resource.name);
        let (name, id) = (&resource.name, self.id(service, &resource.name));
        let condition = self.some(format!("Etag({})", u32::MAX));
        match verb {
            Verb::List => vec![self.query(resource)],
            Verb::Get => vec![id],
            Verb::Create => {
                let fields = resources::with_id(&shape::new_fields(resource), resource, &of);
                vec![self.record(&format!("New{name}"), &fields)]
            }
            Verb::Replace => {
                vec![id, self.record(&format!("{name}Draft"), &shape::draft_fields(resource)), condition]
            }
            Verb::Patch => {
                let mut fields = shape::draft_fields(resource);
                // A patch of nothing at all is refused by nobody and changes nothing: the least changes one.
                if self.end == End::Least {
                    fields.truncate(1);
                }
                vec![id, self.patch(name, &fields, fields.len() < shape::draft_fields(resource).len()), condition]
            }
            Verb::Delete => vec![id, condition],
        }
    }

    fn id(&self, service: &Service, resource: &str) -> String {
        self.value(&Type::Ref(shape::of_service(service, resource)))
    }

    /// What `list` takes: nothing, or every filter.
    fn query(&self, resource: &Resource) -> String {
        let ty = self.name(&format!("List{}", resource.plural));
        if self.end == End::Least {
            return format!("{ty}::default()");
        }
        let mut members =
            vec!["limit: Some(kit::page::MAX_LIMIT)".to_owned(), "cursor: Some(Cursor(\"a+/=\".into()))".to_owned()];
        if let Some(last) = shape::sorts(resource).last() {
            let sort = self.name(&format!("{}Sort", resource.name));
            let variant = rust::variant(&names::upper_camel(&last.replace('.', "_")));
            members.push(format!("sort: vec![{sort}::{variant}Descending, {sort}::{variant}]"));
        }
        for field in shape::filter_fields(resource) {
            let value = match &field.ty {
                Type::List { item, .. } => self.both(item),
                ty => self.value(ty),
            };
            members.push(format!("{}: {value}", names::rust::ident(&field.name)));
        }
        format!("{ty} {{ {} }}", members.join(", "))
    }

    /// A patch of these fields. What may be nothing becomes nothing, or something.
    fn patch(&self, record: &str, fields: &[Field], partial: bool) -> String {
        let members: Vec<String> = fields
            .iter()
            .map(|field| format!("{}: Some({})", names::rust::ident(&field.name), self.patched(record, &field.ty)))
            .chain(partial.then(|| "..Default::default()".to_owned()))
            .collect();
        format!("{} {{ {} }}", self.name(&format!("{record}Patch")), members.join(", "))
    }

    fn patched(&self, within: &str, ty: &Type) -> String {
        match ty {
            Type::Optional(_) if self.end == End::Least => "None".into(),
            Type::Optional(inner) => format!("Some({})", self.patched(within, inner)),
            Type::Map { key, value } if self.end == End::Most => {
                format!("BTreeMap::from([({}, Some({}))])", self.key(key), self.value(value))
            }
            Type::Named(TypeRef { service: None, name }) => match self.model.types.get(name) {
                Some(TypeDef::Record(record)) => {
                    let patch = self.inside(name).patch(name, &record.fields, false);
                    if is_recursive(self.model, within, ty) { format!("Box::new({patch})") } else { patch }
                }
                _ => self.value(ty),
            },
            ty => self.value(ty),
        }
    }

    /// What an operation answers; of a stream all its items.
    pub fn answer(&self, service: &Service, operation: &Operation) -> String {
        match &operation.shape {
            Shape::Custom { of, output, .. } => match output {
                Output::None => "()".into(),
                Output::Named(name) => self.named(name),
                Output::Fields(fields) => self.record(&response_name(operation), fields),
                Output::Resource(of) => self.item(of),
                Output::Item => self.item(&shape::of_service(service, of.as_deref().unwrap_or_default())),
                Output::Stream(StreamItem::Named(name)) => self.several(self.named(name)),
                Output::Stream(StreamItem::Resource(of)) => self.several(self.item(of)),
            },
            Shape::Verb { verb, resource } => {
                let item = || self.item(&shape::of_service(service, resource));
                let page = self.name(&format!("{resource}Page"));
                match verb {
                    Verb::List => {
                        let next = self.some("Cursor(\"a+/=\".into())".into());
                        format!("{page} {{ items: {}, next: {next} }}", self.several(item()))
                    }
                    Verb::Delete => "()".into(),
                    _ => item(),
                }
            }
        }
    }

    /// A declared error with its data.
    pub fn error(&self, operation: &Operation, error: &DeclaredError) -> String {
        let data = error.data.as_ref().map(|data| format!("({})", self.named(data)));
        format!("{}::{}{}", self.name(&operations::error_name(operation)), error.name, data.unwrap_or_default())
    }

    /// What an event carries.
    pub fn payload(&self, event: &EventRef) -> Option<String> {
        let found = self.model.services.get(&event.service)?.events.get(&event.event)?;
        Some(match &found.payload {
            Payload::Named(name) => self.named(name),
            Payload::Resource(of) => self.item(of),
            Payload::Fields(fields) => self.record(&found.name, fields),
        })
    }

    /// A value of the type.
    fn value(&self, ty: &Type) -> String {
        match ty {
            Type::Scalar(scalar) => self.scalar(scalar),
            Type::Named(named) => self.typed(named),
            Type::Resource(of) => self.item(of),
            Type::Ref(of) => {
                let id = shape::resource(self.model, of)
                    .and_then(|resource| resource.fields.iter().find(|field| field.name == resource.id))
                    .map_or(Type::Scalar(Scalar::Uuid), |field| field.ty.clone());
                format!("{}({})", self.name(&id_name(&of.resource)), self.value(&id))
            }
            Type::List { max: Some(0), .. } => "vec![]".into(),
            // Nothing of it is looked at: it may be a list of the type that it is in.
            Type::List { min: 0, .. } if self.end == End::Least => "vec![]".into(),
            Type::List { item, min: 0..=2, max } if self.end == End::Most && *max != Some(1) => self.both(item),
            Type::List { item, min, .. } => {
                format!("vec![{}]", vec![self.value(item); (*min).max(1) as usize].join(", "))
            }
            Type::Optional(_) if self.end == End::Least => "None".into(),
            Type::Optional(inner) => format!("Some({})", self.value(inner)),
            Type::Map { .. } if self.end == End::Least => "BTreeMap::new()".into(),
            Type::Map { key, value } => format!("BTreeMap::from([({}, {})])", self.key(key), self.value(value)),
        }
    }

    /// A list of two that differ, so that their order shows, and the absence of one.
    fn both(&self, item: &Type) -> String {
        let least = Self { end: End::Least, ..self.clone() };
        format!("vec![{}, {}]", self.value(item), least.value(item))
    }

    fn several(&self, item: String) -> String {
        if self.end == End::Least { "vec![]".into() } else { format!("vec![{item}]") }
    }

    fn some(&self, value: String) -> String {
        if self.end == End::Least { "None".into() } else { format!("Some({value})") }
    }

    fn named(&self, name: &str) -> String {
        self.typed(&TypeRef { service: None, name: name.to_owned() })
    }

    fn typed(&self, TypeRef { service, name }: &TypeRef) -> String {
        let variant = |values: &[String]| {
            let value = if self.end == End::Least { values.first() } else { values.last() };
            format!("{}::{}", self.name(name), names::rust::variant(value.map_or("", String::as_str)))
        };
        let own = service.as_ref().and_then(|service| self.model.services.get(service)?.enums.get(name));
        match (own, self.model.types.get(name)) {
            (Some(found), _) => variant(&found.values),
            (None, Some(TypeDef::Enum(found))) => variant(&found.values),
            (None, Some(TypeDef::Union(union))) => {
                let record = if self.end == End::Least { union.variants.first() } else { union.variants.last() };
                let record = record.map_or("", String::as_str);
                format!("{}::{record}({})", self.name(name), self.inside(name).named(record))
            }
            (None, Some(TypeDef::Record(record))) => self.inside(name).record(name, &record.fields),
            (None, None) => String::new(),
        }
    }

    fn item(&self, of: &ResourceRef) -> String {
        let fields = shape::resource(self.model, of).map(|resource| resources::typed(resource, of)).unwrap_or_default();
        let inside = self.inside(&of.resource);
        let etag = if self.end == End::Least { 1 } else { u32::MAX };
        format!("{} {{ {}, etag: Etag({etag}) }}", self.name(&of.resource), inside.members(&of.resource, &fields))
    }

    fn record(&self, name: &str, fields: &[Field]) -> String {
        format!("{} {{ {} }}", self.name(name), self.members(name, fields))
    }

    fn members(&self, record: &str, fields: &[Field]) -> String {
        let member = |field: &Field| {
            let value = match &field.ty {
                ty if !is_recursive(self.model, record, ty) => self.value(ty),
                Type::Optional(_) if self.end == End::Least => "None".into(),
                Type::Optional(inner) => format!("Some(Box::new({}))", self.value(inner)),
                ty => format!("Box::new({})", self.value(ty)),
            };
            format!("{}: {value}", names::rust::ident(&field.name))
        };
        fields.iter().map(member).collect::<Vec<_>>().join(", ")
    }

    /// For what is in a value of that name. The second time around there is nothing more in it.
    fn inside(&self, name: &str) -> Self {
        let end = if self.within.iter().any(|known| known == name) { End::Least } else { self.end };
        let within = self.within.iter().cloned().chain([name.to_owned()]).collect();
        Self { end, within, ..self.clone() }
    }

    fn name(&self, name: &str) -> String {
        if self.path.is_empty() { user(name) } else { format!("{}{name}", self.path) }
    }

    fn key(&self, key: &MapKey) -> String {
        let scalar = match key {
            MapKey::String => Scalar::String { min: 1, max: None, pattern: None },
            MapKey::I32 => Scalar::I32 { min: i32::MIN, max: i32::MAX },
            MapKey::I64 => Scalar::I64 { min: i64::MIN, max: i64::MAX },
            MapKey::U32 => Scalar::U32 { min: 0, max: u32::MAX },
            MapKey::U64 => Scalar::U64 { min: 0, max: u64::MAX },
            MapKey::Uuid => Scalar::Uuid,
            MapKey::Date => Scalar::Date,
            MapKey::Enum(of) => return self.typed(of),
        };
        self.scalar(&scalar)
    }

    fn scalar(&self, scalar: &Scalar) -> String {
        let ends = |least: String, most: String| if self.end == End::Least { least } else { most };
        match scalar {
            Scalar::String { min, max, pattern } => {
                let matching = pattern.as_ref().and_then(|pattern| matching::matching(pattern, *min, *max, 1));
                let text = matching.unwrap_or_else(|| self.text(*min, *max));
                format!("{}.into()", escape::rust_str(&text))
            }
            Scalar::Bool => ends("false".into(), "true".into()),
            Scalar::I32 { min, max } => ends(min.to_string(), max.to_string()),
            Scalar::I64 { min, max } => ends(min.to_string(), max.to_string()),
            Scalar::U32 { min, max } => ends(min.to_string(), max.to_string()),
            Scalar::U64 { min, max } => ends(min.to_string(), max.to_string()),
            Scalar::F64 { min, max } => ends(
                min.map_or("f64::MIN".into(), |min| format!("{min:?}")),
                max.map_or("f64::MAX".into(), |max| format!("{max:?}")),
            ),
            Scalar::Decimal { precision, scale } => {
                let digits = "9".repeat(*precision as usize);
                ends(format!("Decimal::new(-{digits}, {scale})"), format!("Decimal::new({digits}, {scale})"))
            }
            Scalar::Uuid => ends("Uuid::nil()".into(), "Uuid::max()".into()),
            Scalar::Timestamp => {
                let moment = ends("0001-01-01T00:00:00Z".into(), "9999-12-31T23:59:59.999999Z".into());
                format!("\"{moment}\".parse().unwrap()")
            }
            Scalar::Date => {
                let day = ends("0001-01-01".into(), "9999-12-31".into());
                format!("\"{day}\".parse().unwrap()")
            }
            Scalar::Duration => ends("Duration::ZERO".into(), "Duration::new(315_576_000_000, 0)".into()),
            Scalar::Bytes => ends("Vec::new()".into(), "vec![0, 0xFF, b'+', b'/']".into()),
            Scalar::Json => ends("Value::Null".into(), "serde_json::json!({ \"a\": [1.5, null, \"ü\"] })".into()),
        }
    }

    /// As short as may be, or of all that is unusual.
    fn text(&self, min: u32, max: Option<u32>) -> String {
        match self.end {
            End::Least => "a".repeat(min as usize),
            End::Most => {
                let room = max.map_or(LONG, |max| (max as usize).min(LONG)).max(min as usize);
                TEXT.chars().cycle().take(room).collect()
            }
        }
    }
}
