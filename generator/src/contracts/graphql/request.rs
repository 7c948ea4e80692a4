//! An operation to a request for it: example arguments, what is selected of the answer, and what GraphQL then shows of
//! an example answer. Generated tests and flows send them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
};

use serde_json::{Value, json};

use super::{Reference, Side, arguments, references, root, type_name, with_id};
pub use document::Document;
use shown::{Member, Object, Shown, key_value, member};

mod document;
mod shown;

use crate::{
    contracts::{example, shape},
    escape,
    model::{
        Field, Input, Model, Operation, Output, ResourceRef, Service, Shape, StreamItem, Type, TypeDef, TypeRef, Verb,
    },
    names,
};

/// A request for one operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `mutation { reserve(orderId: "…") { reservationId } }`
    pub document: Document,
    /// What the operation takes, as JSON of the contract: the id of the item it is on, the input, the revision.
    pub input: Vec<Value>,
    /// What it answers, as JSON of the contract: null for "done", a list for a stream.
    pub answer: Value,
    /// What GraphQL shows of that answer.
    pub data: Value,
    /// The items whose ids stand in variables, each with the name of its variable: `orderId`.
    pub variables: BTreeMap<ResourceRef, String>,
}

/// What a request should be like.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'m> {
    /// Scalars of the answer are selected that are at most so many objects deep.
    pub depth: usize,
    /// Which example is given.
    pub nth: u32,
    /// The items that are there: their ids are given by variables. Others are examples.
    pub made: &'m BTreeSet<ResourceRef>,
    /// Whether a revision is demanded.
    pub etag: bool,
    /// Whether it is for a system that runs: the ids of what others refer to are asked for through them, and what may refer
    /// to an item of the service refers to none, for it may be gone.
    pub live: bool,
}

/// A request for an operation.
pub fn request(model: &Model, service: &Service, operation: &Operation, wish: Wish<'_>) -> Request {
    let writer = Writer { model, service, wish, variables: RefCell::default() };
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
    let data = shown.data(&answer);
    let kind = root(operation);
    let streams = kind == "Subscription";
    let (input, written): (Vec<Value>, Vec<Vec<Document>>) =
        arguments.into_iter().map(|argument| (argument.value, argument.written)).unzip();
    let field = Document::Row(vec![Document::text(name), Document::arguments(written.concat()), shown.selection()]);
    let variables = writer.variables.into_inner();
    let declared = variables.values().map(|name| Document::text(format!("${name}: ID!"))).collect();
    let head = format!("{}{} ", kind.to_lowercase(), Document::arguments(declared).flat());
    Request {
        document: Document::Row(vec![Document::text(head), Document::braces(vec![field])]),
        input,
        answer: if streams { json!([answer]) } else { answer },
        data: if streams { json!([data]) } else { data },
        variables,
    }
}

/// A request for any input.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// With a variable for each argument.
    pub document: String,
    /// The variable that takes the whole input; none: each of its fields is one.
    pub whole: Option<&'static str>,
    pub subscription: bool,
}

/// How deep a request for any input looks into the answer.
const DEPTH: usize = 3;

/// A request for an operation that takes any input. Of a list it asks for the place of the next page too.
pub fn asked(model: &Model, service: &Service, operation: &Operation) -> Asked {
    let made = BTreeSet::new();
    let wish = Wish { depth: DEPTH, nth: 0, made: &made, etag: false, live: false };
    let writer = Writer { model, service, wish, variables: RefCell::default() };
    let (name, whole) = match &operation.shape {
        Shape::Custom { .. } => (names::graphql::field(&operation.name), None),
        Shape::Verb { verb, resource } => {
            let plural = service.resources.get(resource).map_or("", |resource| &resource.plural);
            let whole = match verb {
                Verb::Create | Verb::Replace => Some("input"),
                Verb::Patch => Some("set"),
                Verb::List | Verb::Get | Verb::Delete => None,
            };
            (names::graphql::verb_field(*verb, resource, plural), whole)
        }
    };
    let arguments = arguments(model, service, operation);
    let variables = arguments.iter().map(|(name, ty)| Document::text(format!("${name}: {ty}"))).collect();
    let given = arguments.iter().map(|(name, _)| Document::text(format!("{name}: ${name}"))).collect();
    let (_, shown) = writer.answer(operation);
    let selection = shown.selection().flat();
    let selection = match (&operation.shape, selection.strip_suffix(" }")) {
        (Shape::Verb { verb: Verb::List, .. }, Some(nodes)) => {
            format!("{nodes} pageInfo {{ endCursor hasNextPage }} }}")
        }
        _ => selection,
    };
    let kind = root(operation);
    Asked {
        document: format!(
            "{}{} {{ {name}{}{selection} }}",
            kind.to_lowercase(),
            Document::arguments(variables).flat(),
            Document::arguments(given).flat()
        ),
        whole,
        subscription: kind == "Subscription",
    }
}

/// An argument of the operation, which is one or several of its field.
struct Argument {
    value: Value,
    written: Vec<Document>,
}

struct Writer<'m> {
    model: &'m Model,
    service: &'m Service,
    wish: Wish<'m>,
    variables: RefCell<BTreeMap<ResourceRef, String>>,
}

impl Writer<'_> {
    fn arguments(&self, operation: &Operation, of: Option<&str>, input: &Input) -> Vec<Argument> {
        let id = of.map(|resource| self.id(&shape::of_service(self.service, resource)));
        let mut arguments: Vec<Argument> = id.into_iter().collect();
        if *input != Input::None {
            let fields = shape::input_fields(self.model, operation);
            let value = example::object(self.model, &fields, self.wish.nth);
            let given: Vec<_> = fields.iter().filter(|field| of.is_none() || field.name != "id").collect();
            arguments.push(Argument { written: self.members(&given, &value), value });
        }
        arguments
    }

    fn verb_arguments(&self, verb: Verb, of: &ResourceRef) -> Vec<Argument> {
        let Some(resource) = shape::resource(self.model, of) else { return Vec::new() };
        let object = |name: &str, fields: &[Field]| {
            let mut value = example::object(self.model, fields, self.wish.nth);
            if self.wish.live {
                for field in fields.iter().filter(|field| shape::may_refer_within(self.service, field)) {
                    value.as_object_mut().map(|members| members.shift_remove(&field.name));
                }
            }
            let members = self.members(&fields.iter().collect::<Vec<_>>(), &value);
            Argument { value, written: vec![Document::member(name, Document::object(members))] }
        };
        let etag = || match self.wish.etag {
            true => Argument { value: json!("1"), written: vec![Document::text("etag: \"1\"")] },
            false => Argument { value: Value::Null, written: Vec::new() },
        };
        match verb {
            Verb::List => vec![Argument { value: json!({ "limit": 20 }), written: vec![Document::text("first: 20")] }],
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
        Argument { written: vec![Document::member("id", self.literal(&ty, &value))], value }
    }

    /// `orderId`, with the service before it if another has a resource of that name.
    fn variable(&self, of: &ResourceRef) -> String {
        let alike = self.model.services.values().filter(|service| service.resources.contains_key(&of.resource)).count();
        let resource = names::snake(&of.resource) + "_id";
        names::graphql::field(&if alike > 1 { format!("{}_{resource}", of.service) } else { resource })
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
                let (mut variants, mut types) = (Vec::new(), BTreeMap::new());
                for variant in &union.variants {
                    let of = TypeRef { service: None, name: variant.clone() };
                    let fields = &shape::record(self.model, variant)?.fields;
                    let mut object = self.object(name(&of), fields, left).some_if(left)?;
                    // Fields of one name in several variants have to have one type: the first says which.
                    object.members.retain(|member| {
                        let ty = fields.iter().find(|field| field.name == member.names.0).map(|field| &field.ty);
                        match types.entry(member.names.1.clone()) {
                            Entry::Vacant(entry) => *entry.insert(ty) == ty,
                            Entry::Occupied(entry) => ty.is_some() && *entry.get() == ty,
                        }
                    });
                    variants.push((variant.clone(), object));
                }
                Shown::OneOf(variants)
            }
        })
    }

    fn object(&self, name: String, fields: &[Field], left: usize) -> Object {
        let show = |field: &Field| {
            let shown = self.shown(&field.ty, left.checked_sub(1)?)?;
            Some(member(&field.name, &names::graphql::field(&field.name), shown))
        };
        let mut members: Vec<Member> = fields.iter().filter_map(show).collect();
        if self.wish.live && left > 0 {
            members.extend(references(self.service, fields).iter().filter_map(|reference| self.reference(reference)));
        }
        Object { name, members }
    }

    /// The id of what is referred to, asked for through it. Examples have none, for nothing is found.
    fn reference(&self, Reference { name, to, .. }: &Reference) -> Option<Member> {
        let id = &shape::resource(self.model, to)?.id;
        let members = vec![member(id, &names::graphql::field(id), Shown::Id)];
        Some(member(name, &names::graphql::field(name), Shown::Object(Object { name: to.resource.clone(), members })))
    }

    /// `name: literal` of each field that the value has.
    fn members(&self, fields: &[&Field], value: &Value) -> Vec<Document> {
        let given = fields.iter().filter_map(|field| Some((field, value.get(&field.name)?)));
        let member = |(field, value): (&&Field, &Value)| {
            Document::member(&names::graphql::field(&field.name), self.literal(&field.ty, value))
        };
        given.map(member).collect()
    }

    fn literal(&self, ty: &Type, value: &Value) -> Document {
        match (ty, value) {
            (Type::Optional(inner), value) if !value.is_null() => self.literal(inner, value),
            (Type::List { item, .. }, Value::Array(items)) => {
                Document::list(items.iter().map(|value| self.literal(item, value)).collect())
            }
            (Type::Map { key, value: ty }, Value::Object(entries)) => {
                let entry = |(name, value): (&String, &Value)| {
                    let key = self.literal(&shape::key_type(key), &key_value(key, name));
                    Document::object(vec![
                        Document::member("key", key),
                        Document::member("value", self.literal(ty, value)),
                    ])
                };
                Document::list(entries.iter().map(entry).collect())
            }
            (Type::Named(of), value) if !value.is_null() => self.named_literal(of, value),
            (Type::Ref(of), value) if !value.is_null() && self.wish.made.contains(of) => {
                let name = self.variable(of);
                let text = Document::text(format!("${name}"));
                self.variables.borrow_mut().insert(of.clone(), name);
                text
            }
            _ => json_literal(value),
        }
    }

    fn named_literal(&self, of: &TypeRef, value: &Value) -> Document {
        let object = |name: &str| {
            let fields = shape::record(self.model, name).map(|record| record.fields.as_slice()).unwrap_or_default();
            Document::object(self.members(&fields.iter().collect::<Vec<_>>(), value))
        };
        match (of.service.is_none().then(|| self.model.types.get(&of.name)).flatten(), value) {
            (Some(TypeDef::Record(record)), _) => object(&record.name),
            (Some(TypeDef::Union(_)), _) => {
                let variant = value["type"].as_str().unwrap_or_default();
                let field = names::graphql::field(&names::snake(variant));
                Document::object(vec![Document::member(&field, object(variant))])
            }
            (_, Value::String(value)) => Document::text(names::graphql::enum_value(value)),
            _ => json_literal(value),
        }
    }
}

/// A value without a type. Names of members stand without quotes; examples have none that could not.
fn json_literal(value: &Value) -> Document {
    match value {
        Value::String(text) => Document::text(escape::graphql_str(text)),
        Value::Array(items) => Document::list(items.iter().map(json_literal).collect()),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| Document::member(name, json_literal(value));
            Document::object(members.iter().map(member).collect())
        }
        other => Document::text(other.to_string()),
    }
}
