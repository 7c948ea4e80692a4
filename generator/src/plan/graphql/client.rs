//! Views of a contract's client over GraphQL: each operation's document, its variables, and how values look there.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    contracts::{graphql::called, shape},
    escape,
    model::{
        Field, Input, MapKey, Model, Operation, Output, ResourceRef, Scalar, Service, Shape, StreamItem, Transport,
        Type, TypeDef, TypeRef, Verb,
    },
    names,
    plan::operations::{self, OperationView, request_name, response_name},
};

/// What the template of the client sees.
#[derive(Debug, Serialize)]
pub struct Client {
    operations: Vec<Called>,
    /// Those that are not served over GraphQL although others are.
    others: Vec<OperationView>,
    shapes: Vec<Static>,
}

#[derive(Debug, Serialize)]
struct Called {
    #[serde(flatten)]
    operation: OperationView,
    /// A Rust string literal.
    document: String,
    /// What adds its variables: `with("id", &Shape::Same, &id)`.
    variables: Vec<String>,
    /// `call`, `find`, `watch`
    by: &'static str,
    /// The shape of its answer.
    shape: String,
}

/// A record, union or enum: `MONEY`, `Shape::Object(&[…])`.
#[derive(Debug, Serialize)]
struct Static {
    name: String,
    shape: String,
}

/// The client of a service of which operations are called over GraphQL.
pub fn client(model: &Model, service: &Service) -> Client {
    let mut shapes = Shapes { model, service, known: BTreeMap::new() };
    let (mut operations, mut others) = (Vec::new(), Vec::new());
    for operation in service.operations.values() {
        let view = operations::view(model, service, operation);
        let served = model.served(&service.name, &operation.name).has(Transport::Graphql);
        match called::document(model, service, operation).filter(|_| served) {
            Some(document) => operations.push(Called {
                document: escape::rust_raw_str(&document.lines(4)),
                variables: variables(&mut shapes, operation, &view).iter().map(|text| qualified(text)).collect(),
                by: match &operation.shape {
                    Shape::Verb { verb: Verb::Get, .. } => "find",
                    _ if view.stream => "watch",
                    _ => "call",
                },
                shape: qualified(&shapes.answer(operation)),
                operation: view,
            }),
            None => others.push(view),
        }
    }
    let shapes = shapes.known.into_iter().map(|(name, shape)| Static { name, shape }).collect();
    Client { operations, others, shapes }
}

/// The statics of an expression stand in a module of their own.
fn qualified(expression: &str) -> String {
    let is_static = |part: &&str| part.starts_with(|c: char| c.is_ascii_uppercase()) && !part.starts_with("Shape::");
    let part = |part: &str| if is_static(&part) { format!("shapes::{part}") } else { part.to_owned() };
    expression.split('&').map(part).collect::<Vec<_>>().join("&")
}

fn variables(shapes: &mut Shapes<'_>, operation: &Operation, view: &OperationView) -> Vec<String> {
    let mut variable = |name: &str| match (&operation.shape, name) {
        (Shape::Verb { verb: Verb::List, resource }, "query") => {
            let (filter, sort) = shapes.list(resource);
            format!("list(&{filter}, &{sort}, &query)")
        }
        (Shape::Verb { resource, .. }, "new" | "draft") => {
            format!("with(\"input\", &{}, &{name})", shapes.item(&shape::of_service(shapes.service, resource)))
        }
        (Shape::Verb { resource, .. }, "patch") => {
            format!("with(\"set\", &{}, &patch)", shapes.item(&shape::of_service(shapes.service, resource)))
        }
        (Shape::Custom { input, .. }, "input") => format!("members(&{}, &input)", shapes.input(operation, input)),
        (_, name) => format!("with({}, &Shape::Same, &{name})", escape::rust_str(name)),
    };
    view.params.iter().map(|param| variable(&param.name)).collect()
}

/// The shapes that are needed, by the names of their statics.
struct Shapes<'m> {
    model: &'m Model,
    service: &'m Service,
    known: BTreeMap<String, String>,
}

impl Shapes<'_> {
    /// As a reference.
    fn answer(&mut self, operation: &Operation) -> String {
        let item = |resource: &str| Type::Resource(shape::of_service(self.service, resource));
        let ty = match &operation.shape {
            Shape::Custom { output, .. } => match output {
                Output::None => return "&Shape::Done".into(),
                Output::Named(name) | Output::Stream(StreamItem::Named(name)) => shape::named_type(name),
                Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => Type::Resource(of.clone()),
                Output::Item => match shape::on_item(operation) {
                    Some(resource) => item(resource),
                    None => return "&Shape::Done".into(),
                },
                Output::Fields(fields) => {
                    let fields = fields.clone();
                    return format!("&{}", self.record(&response_name(operation), &fields));
                }
            },
            Shape::Verb { verb: Verb::Delete, .. } => return "&Shape::Done".into(),
            Shape::Verb { verb: Verb::List, resource } => {
                let item = self.of(&item(resource));
                return format!("&{}", self.named(&format!("{resource}Page"), |_| format!("Shape::Page(&{item})")));
            }
            Shape::Verb { resource, .. } => item(resource),
        };
        match self.of(&ty) {
            of if of.starts_with("Shape::Of(") => of.replacen("Shape::Of(", "", 1).trim_end_matches(')').to_owned(),
            own => format!("&{own}"),
        }
    }

    fn input(&mut self, operation: &Operation, input: &Input) -> String {
        let fields = shape::input_fields(self.model, operation);
        match input {
            Input::Named(name) => self.record(name, &fields),
            _ => self.record(&request_name(operation), &fields),
        }
    }

    fn item(&mut self, of: &ResourceRef) -> String {
        let Some(resource) = shape::resource(self.model, of) else { return "Shape::Same".into() };
        let fields = shape::item_fields(resource);
        self.object(&of.resource, &fields, |field| (field.name == resource.id).then(|| self::id(&field.ty)))
    }

    /// The filters of a list, and the words for its order.
    fn list(&mut self, resource: &str) -> (String, String) {
        let Some(found) = self.service.resources.get(resource) else { return Default::default() };
        let mut members = Vec::new();
        for filter in shape::filters(found) {
            let value = self.of(&filter.ty);
            members.push((filter.path.clone(), filter.name.clone(), format!("Shape::Each(&{value})")));
            for comparison in shape::COMPARISONS.iter().filter(|_| filter.ordered) {
                let names = (format!("{}.{comparison}", filter.path), format!("{}_{comparison}", filter.name));
                members.push((names.0, names.1, value.clone()));
            }
        }
        let words = shape::sorts(found).into_iter().flat_map(|path| {
            let graphql = names::graphql::enum_value(&path.replace('.', "_"));
            [(path.clone(), graphql.clone()), (format!("-{path}"), graphql + "_DESC")]
        });
        let filter = match members.is_empty() {
            true => "Shape::Same".into(),
            false => self.named(&format!("{resource}Filter"), |_| object(members)),
        };
        let words: Vec<_> = words.collect();
        let sort = match words.is_empty() {
            true => "Shape::Same".into(),
            false => self.named(&format!("{resource}Sort"), |_| choice(words)),
        };
        (filter, sort)
    }

    fn record(&mut self, name: &str, fields: &[Field]) -> String {
        self.object(name, fields, |_| None)
    }

    /// `own` is the shape of a field that is not as its type says.
    fn object(&mut self, name: &str, fields: &[Field], own: impl Fn(&Field) -> Option<&'static str>) -> String {
        self.named(name, |shapes| {
            let member = |field: &Field| {
                let shape = own(field).map_or_else(|| shapes.of(&field.ty), str::to_owned);
                (field.name.clone(), field.name.clone(), shape)
            };
            object(fields.iter().map(member).collect())
        })
    }

    fn named(&mut self, name: &str, shape: impl FnOnce(&mut Self) -> String) -> String {
        let name = names::rust::constant(name);
        if !self.known.contains_key(&name) {
            // Before what it contains, which may be it again.
            self.known.insert(name.clone(), String::new());
            let shape = shape(self);
            self.known.insert(name.clone(), shape);
        }
        name
    }

    /// The shape of a value, as an expression.
    fn of(&mut self, ty: &Type) -> String {
        let of = |name: String| if name.starts_with("Shape") { name } else { format!("Shape::Of(&{name})") };
        match ty {
            Type::Scalar(_) => "Shape::Same".into(),
            Type::Ref(to) => id(&shape::id_type(self.model, to)).into(),
            Type::Optional(inner) => self.of(inner),
            Type::List { item, .. } => match self.of(item) {
                same if same == "Shape::Same" => same,
                item => format!("Shape::Each(&{item})"),
            },
            Type::Map { key, value } => format!("Shape::Entries(&{}, &{})", self.key(key), self.of(value)),
            Type::Resource(resource) => of(self.item(resource)),
            Type::Named(named) => of(self.declared(named)),
        }
    }

    fn key(&mut self, key: &MapKey) -> String {
        match key {
            MapKey::I32 | MapKey::U32 => "Shape::Number".into(),
            MapKey::Enum(of) => match self.declared(of) {
                name if name.starts_with("Shape") => name,
                name => format!("Shape::Of(&{name})"),
            },
            MapKey::String | MapKey::I64 | MapKey::U64 | MapKey::Uuid | MapKey::Date => "Shape::Same".into(),
        }
    }

    fn declared(&mut self, of: &TypeRef) -> String {
        let words = |values: &[String]| {
            choice(values.iter().map(|value| (value.clone(), names::graphql::enum_value(value))).collect())
        };
        let model = self.model;
        if let Some(owner) = &of.service {
            let found = model.services.get(owner).and_then(|owner| owner.enums.get(&of.name));
            return found.map_or("Shape::Same".into(), |found| self.named(&of.name, |_| words(&found.values)));
        }
        match model.types.get(&of.name) {
            Some(TypeDef::Enum(found)) => self.named(&of.name, |_| words(&found.values)),
            Some(TypeDef::Record(record)) => self.record(&of.name, &record.fields),
            Some(TypeDef::Union(union)) => self.named(&of.name, |shapes| {
                let variant = |name: &String| {
                    let field = names::graphql::field(&names::snake(name));
                    let shape = shapes.of(&shape::named_type(name));
                    format!("({}, {}, {shape})", escape::rust_str(name), escape::rust_str(&field))
                };
                format!("Shape::OneOf(&[{}])", union.variants.iter().map(variant).collect::<Vec<_>>().join(", "))
            }),
            None => "Shape::Same".into(),
        }
    }
}

/// What is a number in JSON is the text of an `ID`.
fn id(ty: &Type) -> &'static str {
    match ty {
        Type::Scalar(Scalar::I32 { .. } | Scalar::U32 { .. }) => "Shape::Number",
        _ => "Shape::Same",
    }
}

/// Of members by their names in JSON and in the design.
fn object(members: Vec<(String, String, String)>) -> String {
    let member = |(json, name, shape): (String, String, String)| {
        format!("({}, {}, {shape})", escape::rust_str(&json), escape::rust_str(&names::graphql::field(&name)))
    };
    format!("Shape::Object(&[{}])", members.into_iter().map(member).collect::<Vec<_>>().join(", "))
}

fn choice(words: Vec<(String, String)>) -> String {
    let word =
        |(json, graphql): (String, String)| format!("({}, {})", escape::rust_str(&json), escape::rust_str(&graphql));
    format!("Shape::Choice(&[{}])", words.into_iter().map(word).collect::<Vec<_>>().join(", "))
}
