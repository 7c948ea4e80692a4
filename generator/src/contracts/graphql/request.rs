//! An operation to a request for it: example arguments, what is selected of the answer, and what GraphQL then shows of
//! an example answer. Generated tests and flows send them.

use serde_json::{Map, Value, json};

use super::{Side, root, type_name, with_id};
use crate::{
    contracts::{example, shape},
    escape,
    model::{
        Field, Input, MapKey, Model, Operation, Output, ResourceRef, Service, Shape, StreamItem, Type, TypeDef,
        TypeRef, Verb,
    },
    names,
};

/// A request for one operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `mutation { reserve(orderId: "…") { reservationId } }`
    pub text: String,
    /// What the operation takes, as JSON of the contract: the id of the item it is on, the input, the revision.
    pub input: Vec<Value>,
    /// What it answers, as JSON of the contract: null for "done", a list for a stream.
    pub answer: Value,
    /// What GraphQL shows of that answer.
    pub data: Value,
}

/// What a request should be like.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Scalars of the answer are selected that are at most so many objects deep.
    pub depth: usize,
    /// Which example is given.
    pub nth: u32,
    /// Which item it is about.
    pub id: Id,
    /// Whether a revision is demanded.
    pub etag: bool,
}

/// Which item a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    Example,
    /// The variable `$id`.
    Variable,
}

/// A request for an operation.
pub fn request(model: &Model, service: &Service, operation: &Operation, wish: Wish) -> Request {
    let writer = Writer { model, service, wish };
    let (name, arguments) = match &operation.shape {
        Shape::Custom { of, input, .. } => {
            (names::graphql::field(&operation.name), writer.arguments(operation, of.as_deref(), input))
        }
        Shape::Verb { verb, resource } => {
            let plural = service.resources.get(resource).map_or("", |resource| &resource.plural);
            let of = shape::of_service(service, resource);
            (names::graphql::verb_field(*verb, resource, plural), writer.verb_arguments(*verb, &of))
        }
    };
    let (answer, shown) = writer.answer(operation);
    let texts: Vec<_> = arguments.iter().flat_map(|argument| argument.texts.iter().map(String::as_str)).collect();
    let texts = if texts.is_empty() { String::new() } else { format!("({})", texts.join(", ")) };
    let data = shown.data(&answer);
    let kind = root(operation);
    let streams = kind == "Subscription";
    let variable = wish.id == Id::Variable && shape::on_item(operation).is_some();
    let variables = if variable { "($id: ID!)" } else { "" };
    Request {
        text: format!("{}{variables} {{ {name}{texts}{} }}", kind.to_lowercase(), shown.selection()),
        input: arguments.into_iter().map(|argument| argument.value).collect(),
        answer: if streams { json!([answer]) } else { answer },
        data: if streams { json!([data]) } else { data },
    }
}

/// An argument of the operation, which is one or several of its field.
struct Argument {
    value: Value,
    texts: Vec<String>,
}

/// What is shown of a value.
enum Shown {
    /// True, whatever the value is.
    Done,
    /// The value as it is.
    Same,
    /// As a text.
    Id,
    /// A value of an enum, as GraphQL calls it.
    Choice,
    Each(Box<Shown>),
    /// A map: how its keys are shown, and its values unless they are too deep.
    Entries(MapKey, Option<Box<Shown>>),
    Object(Object),
    OneOf(Vec<(String, Object)>),
}

/// The name of the type, and the members that are shown.
struct Object {
    name: String,
    members: Vec<Member>,
}

struct Member {
    /// In JSON of the contract, and in GraphQL.
    names: (String, String),
    shown: Shown,
}

struct Writer<'m> {
    model: &'m Model,
    service: &'m Service,
    wish: Wish,
}

impl Writer<'_> {
    fn arguments(&self, operation: &Operation, of: Option<&str>, input: &Input) -> Vec<Argument> {
        let id = of.map(|resource| self.id(&shape::of_service(self.service, resource)));
        let mut arguments: Vec<Argument> = id.into_iter().collect();
        if *input != Input::None {
            let fields = shape::input_fields(self.model, operation);
            let value = example::object(self.model, &fields, self.wish.nth);
            let given: Vec<_> = fields.iter().filter(|field| of.is_none() || field.name != "id").collect();
            arguments.push(Argument { texts: self.members(&given, &value), value });
        }
        arguments
    }

    fn verb_arguments(&self, verb: Verb, of: &ResourceRef) -> Vec<Argument> {
        let Some(resource) = shape::resource(self.model, of) else { return Vec::new() };
        let object = |name: &str, fields: &[Field]| {
            let fields = with_id(of, resource, fields.to_vec());
            let value = example::object(self.model, &fields, self.wish.nth);
            let members = self.members(&fields.iter().collect::<Vec<_>>(), &value).join(", ");
            Argument { value, texts: vec![format!("{name}: {{ {members} }}")] }
        };
        let etag = || match self.wish.etag {
            true => Argument { value: json!("1"), texts: vec!["etag: \"1\"".to_owned()] },
            false => Argument { value: Value::Null, texts: Vec::new() },
        };
        match verb {
            Verb::List => vec![Argument { value: json!({ "limit": 20 }), texts: vec!["first: 20".to_owned()] }],
            Verb::Get => vec![self.id(of)],
            Verb::Create => vec![object("input", &shape::new_fields(resource))],
            Verb::Replace => vec![self.id(of), object("input", &shape::draft_fields(resource)), etag()],
            Verb::Patch => vec![self.id(of), object("set", &shape::draft_fields(resource)), etag()],
            Verb::Delete => vec![self.id(of), etag()],
        }
    }

    fn id(&self, of: &ResourceRef) -> Argument {
        let ty = Type::Ref(of.clone());
        let value = example::nth_value(self.model, &ty, "id", self.wish.nth);
        let text = match self.wish.id {
            Id::Example => self.literal(&ty, &value),
            Id::Variable => "$id".to_owned(),
        };
        Argument { texts: vec![format!("id: {text}")], value }
    }

    /// An example answer, of a stream its item, and what is shown of it.
    fn answer(&self, operation: &Operation) -> (Value, Shown) {
        let depth = self.wish.depth;
        let of = |ty: Type| {
            let shown = self.shown(&ty, depth).unwrap_or(Shown::Same);
            (example::value(self.model, &ty), shown)
        };
        let item = |resource: &str| of(Type::Resource(shape::of_service(self.service, resource)));
        match &operation.shape {
            Shape::Custom { output, .. } => match output {
                Output::None => (Value::Null, Shown::Done),
                Output::Named(name) | Output::Stream(StreamItem::Named(name)) => of(shape::named_type(name)),
                Output::Resource(resource) | Output::Stream(StreamItem::Resource(resource)) => {
                    of(Type::Resource(resource.clone()))
                }
                Output::Item => shape::on_item(operation).map_or((Value::Null, Shown::Done), item),
                Output::Fields(fields) => {
                    let name = names::upper_camel(&operation.name) + "Response";
                    (example::object(self.model, fields, 0), Shown::Object(self.object(name, fields, depth)))
                }
            },
            Shape::Verb { verb: Verb::Delete, .. } => (Value::Null, Shown::Done),
            Shape::Verb { verb: Verb::List, resource } => {
                let (item, shown) = item(resource);
                let page = Shown::Object(Object {
                    name: names::graphql::connection(resource),
                    members: vec![member("items", "nodes", Shown::Each(Box::new(shown)))],
                });
                (json!({ "items": [item] }), page)
            }
            Shape::Verb { resource, .. } => item(resource),
        }
    }

    /// `None`: it is too deep.
    fn shown(&self, ty: &Type, left: usize) -> Option<Shown> {
        Some(match ty {
            Type::Scalar(_) => Shown::Same,
            Type::Ref(_) => Shown::Id,
            Type::Optional(inner) => self.shown(inner, left)?,
            Type::List { item, .. } => Shown::Each(Box::new(self.shown(item, left)?)),
            Type::Map { key, value } => {
                let left = left.checked_sub(1)?;
                Shown::Entries(key.clone(), self.shown(value, left).map(Box::new))
            }
            Type::Resource(of) => {
                let resource = shape::resource(self.model, of)?;
                let name = of.resource.clone();
                let fields = with_id(of, resource, shape::item_fields(resource));
                Shown::Object(self.object(name, &fields, left).some_if(left)?)
            }
            Type::Named(of) => return self.named(of, left),
        })
    }

    fn named(&self, of: &TypeRef, left: usize) -> Option<Shown> {
        let name = |of: &TypeRef| type_name(self.model, of, Side::Output).0;
        if of.service.is_some() {
            return Some(Shown::Choice);
        }
        Some(match self.model.types.get(&of.name)? {
            TypeDef::Enum(_) => Shown::Choice,
            TypeDef::Record(record) => Shown::Object(self.object(name(of), &record.fields, left).some_if(left)?),
            TypeDef::Union(union) => {
                let mut variants = Vec::new();
                for variant in &union.variants {
                    let of = TypeRef { service: None, name: variant.clone() };
                    let fields = &shape::record(self.model, variant)?.fields;
                    variants.push((variant.clone(), self.object(name(&of), fields, left).some_if(left)?));
                }
                Shown::OneOf(distinct(variants))
            }
        })
    }

    fn object(&self, name: String, fields: &[Field], left: usize) -> Object {
        let show = |field: &Field| {
            let shown = self.shown(&field.ty, left.checked_sub(1)?)?;
            Some(member(&field.name, &names::graphql::field(&field.name), shown))
        };
        Object { name, members: fields.iter().filter_map(show).collect() }
    }

    /// `name: literal` of each field that the value has.
    fn members(&self, fields: &[&Field], value: &Value) -> Vec<String> {
        let given = fields.iter().filter_map(|field| Some((field, value.get(&field.name)?)));
        let member = |(field, value): (&&Field, &Value)| {
            format!("{}: {}", names::graphql::field(&field.name), self.literal(&field.ty, value))
        };
        given.map(member).collect()
    }

    fn literal(&self, ty: &Type, value: &Value) -> String {
        match (ty, value) {
            (_, Value::Null) => "null".to_owned(),
            (Type::Optional(inner), _) => self.literal(inner, value),
            (Type::List { item, .. }, Value::Array(items)) => {
                let items: Vec<_> = items.iter().map(|value| self.literal(item, value)).collect();
                format!("[{}]", items.join(", "))
            }
            (Type::Map { key, value: ty }, Value::Object(entries)) => {
                let entry = |(name, value): (&String, &Value)| {
                    let key = self.literal(&shape::key_type(key), &key_value(key, name));
                    format!("{{ key: {key}, value: {} }}", self.literal(ty, value))
                };
                format!("[{}]", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            (Type::Named(of), _) => self.named_literal(of, value),
            _ => json_literal(value),
        }
    }

    fn named_literal(&self, of: &TypeRef, value: &Value) -> String {
        let object = |name: &str| {
            let fields = shape::record(self.model, name).map(|record| record.fields.as_slice()).unwrap_or_default();
            format!("{{ {} }}", self.members(&fields.iter().collect::<Vec<_>>(), value).join(", "))
        };
        match (of.service.is_none().then(|| self.model.types.get(&of.name)).flatten(), value) {
            (Some(TypeDef::Record(record)), _) => object(&record.name),
            (Some(TypeDef::Union(_)), _) => {
                let variant = value["type"].as_str().unwrap_or_default();
                format!("{{ {}: {} }}", names::graphql::field(&names::snake(variant)), object(variant))
            }
            (_, Value::String(value)) => names::graphql::enum_value(value),
            _ => json_literal(value),
        }
    }
}

impl Object {
    /// Nothing of an object is shown where none may begin.
    fn some_if(self, left: usize) -> Option<Self> {
        (left > 0).then_some(self)
    }

    fn selection(&self) -> String {
        let members: Vec<_> =
            self.members.iter().map(|member| format!("{}{}", member.names.1, member.shown.selection())).collect();
        // An object of which no field is shown is asked for its type.
        if members.is_empty() { "__typename".to_owned() } else { members.join(" ") }
    }

    fn data(&self, value: &Value) -> Map<String, Value> {
        if self.members.is_empty() {
            return Map::from_iter([("__typename".to_owned(), json!(self.name))]);
        }
        let member = |member: &Member| {
            let value = value.get(&member.names.0).unwrap_or(&Value::Null);
            (member.names.1.clone(), member.shown.data(value))
        };
        self.members.iter().map(member).collect()
    }
}

impl Shown {
    /// With a space before it, or nothing.
    fn selection(&self) -> String {
        match self {
            Self::Done | Self::Same | Self::Id | Self::Choice => String::new(),
            Self::Each(item) => item.selection(),
            Self::Entries(_, None) => " { key }".to_owned(),
            Self::Entries(_, Some(value)) => format!(" {{ key value{} }}", value.selection()),
            Self::Object(object) => format!(" {{ {} }}", object.selection()),
            Self::OneOf(variants) => {
                let variant = |(_, object): &(String, Object)| {
                    let members = object.selection();
                    // The type is asked for already.
                    if object.members.is_empty() { String::new() } else { format!(" ... on {} {{ {members} }}", object.name) }
                };
                format!(" {{ __typename{} }}", variants.iter().map(variant).collect::<String>())
            }
        }
    }

    fn data(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Done, _) => json!(true),
            (_, Value::Null) | (Self::Same, _) => value.clone(),
            (Self::Id, Value::String(_)) => value.clone(),
            (Self::Id, other) => json!(other.to_string()),
            (Self::Choice, value) => json!(names::graphql::enum_value(value.as_str().unwrap_or_default())),
            (Self::Each(item), Value::Array(items)) => items.iter().map(|value| item.data(value)).collect(),
            (Self::Entries(key, value), Value::Object(entries)) => {
                let entry = |(name, inner): (&String, &Value)| {
                    let key = match key {
                        MapKey::Enum(_) => json!(names::graphql::enum_value(name)),
                        key => key_value(key, name),
                    };
                    let value = value.as_ref().map(|value| ("value".to_owned(), value.data(inner)));
                    Value::Object([("key".to_owned(), key)].into_iter().chain(value).collect())
                };
                entries.iter().map(entry).collect()
            }
            (Self::Object(object), value) => object.data(value).into(),
            (Self::OneOf(variants), value) => {
                let found = variants.iter().find(|(name, _)| value["type"] == json!(name));
                let Some((_, object)) = found else { return Value::Null };
                let mut data = Map::from_iter([("__typename".to_owned(), json!(object.name))]);
                data.extend(object.data(value));
                data.into()
            }
            (Self::Each(_) | Self::Entries(..), other) => other.clone(),
        }
    }
}

fn member(json: &str, graphql: &str, shown: Shown) -> Member {
    Member { names: (json.to_owned(), graphql.to_owned()), shown }
}

/// Fields of one name in several variants would have to have one type: the first is kept.
fn distinct(mut variants: Vec<(String, Object)>) -> Vec<(String, Object)> {
    let mut seen = std::collections::BTreeSet::new();
    for (_, object) in &mut variants {
        object.members.retain(|member| seen.insert(member.names.1.clone()));
    }
    variants
}

/// A key of a map, which JSON has as a text.
fn key_value(key: &MapKey, name: &str) -> Value {
    match key {
        MapKey::I32 | MapKey::U32 => name.parse::<i64>().map_or_else(|_| json!(name), |number| json!(number)),
        MapKey::String | MapKey::I64 | MapKey::U64 | MapKey::Uuid | MapKey::Date | MapKey::Enum(_) => json!(name),
    }
}

/// A value without a type. Names of members stand without quotes; examples have none that could not.
fn json_literal(value: &Value) -> String {
    match value {
        Value::String(text) => escape::graphql_str(text),
        Value::Array(items) => format!("[{}]", items.iter().map(json_literal).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{name}: {}", json_literal(value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
