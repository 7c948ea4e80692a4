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
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
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
    scalars: BTreeSet<&'static str>,
    /// Some input is one of several.
    one_of: bool,
}

enum Needed {
    Named(TypeRef, Side),
    Item(ResourceRef),
    Entry(MapKey, Type, Side),
    Object(Docs, Vec<Field>, Side),
    Sort(Vec<String>),
    /// Of which item.
    Connection(String),
    Edge(String),
    PageInfo,
}

impl<'m> Types<'m> {
    pub(super) fn new(model: &'m Model, service: &'m Service) -> Self {
        let (known, later, scalars) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        Self { model, service, known, later, scalars, one_of: false }
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
        self.need(name, Needed::Object(Docs::default(), fields.to_vec(), Side::Output)) + "!"
    }

    pub(super) fn new_item(&mut self, resource: &Resource) -> String {
        let fields = self.with_id(resource, shape::new_fields(resource));
        let name = names::graphql::input(&format!("New{}", resource.name));
        self.need(name, Needed::Object(given("creates", resource), fields, Side::Input))
    }

    pub(super) fn draft(&mut self, resource: &Resource) -> String {
        let fields = shape::draft_fields(resource);
        let name = names::graphql::input(&resource.name);
        self.need(name, Needed::Object(given("replaces", resource), fields, Side::Input))
    }

    pub(super) fn patch(&mut self, resource: &Resource) -> String {
        let fields = shape::draft_fields(resource);
        let docs = given("changes", resource);
        self.need(format!("{}Patch", resource.name), Needed::Object(docs, fields, Side::Patch))
    }

    pub(super) fn filter(&mut self, resource: &Resource) -> String {
        let fields = shape::filter_fields(resource);
        self.need(format!("{}Filter", resource.name), Needed::Object(Docs::default(), fields, Side::Patch))
    }

    pub(super) fn sort(&mut self, resource: &Resource) -> String {
        let value = |path: String| names::graphql::enum_value(&path.replace('.', "_"));
        let both = |path| [value(path), String::new()];
        let values = shape::sorts(resource).into_iter().map(both).map(|[up, _]| [up.clone(), up + "_DESC"]);
        self.need(format!("{}Sort", resource.name), Needed::Sort(values.flatten().collect()))
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
                let stem = shape::entry_stem(key, value);
                let name = names::graphql::entry(&stem) + suffix(side);
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
        let name = of.name.clone();
        let (suffix, side) = match self.model.types.get(&of.name) {
            _ if of.service.is_some() => ("", side),
            Some(TypeDef::Record(_)) => (suffix(side), side),
            // A patch replaces a union as a whole.
            Some(TypeDef::Union(_)) if side == Side::Patch => (suffix(Side::Input), Side::Input),
            Some(TypeDef::Union(_)) => (suffix(side), side),
            Some(TypeDef::Enum(_)) | None => ("", side),
        };
        self.need(name + suffix, Needed::Named(of.clone(), side))
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

    /// All that is needed, in the order in which it was first referred to.
    pub(super) fn define(&mut self) -> Vec<String> {
        let mut blocks = Vec::new();
        while !self.later.is_empty() {
            for (name, needed) in std::mem::take(&mut self.later) {
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
            Needed::Object(docs, fields, side) => self.object(name, &docs, &fields, side),
            Needed::Entry(key, value, side) => {
                let key = self.of(&shape::key_type(&key), Side::Input);
                let value = match side {
                    Side::Patch => nullable(self.of(&value, side)),
                    Side::Input | Side::Output => self.of(&value, side),
                };
                let keyword = if side == Side::Output { "type" } else { "input" };
                block(keyword, name, &Docs::default(), &[format!("key: {key}"), format!("value: {value}")])
            }
            Needed::Sort(values) => block("enum", name, &Docs::default(), &values),
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
            members.extend(fields.iter().filter_map(|field| self.referred(field, fields)));
        }
        if members.is_empty() {
            // GraphQL has no empty types. No name of a design begins so.
            members.push("_empty: Boolean".to_owned());
        }
        block(if side == Side::Output { "type" } else { "input" }, name, docs, &members)
    }

    /// The object that a reference means, beside its id.
    fn referred(&mut self, field: &Field, fields: &[Field]) -> Option<String> {
        let (of, several) = match &field.ty {
            Type::Ref(of) => (of, false),
            Type::Optional(inner) => match inner.as_ref() {
                Type::Ref(of) => (of, false),
                _ => return None,
            },
            Type::List { item, .. } => match item.as_ref() {
                Type::Ref(of) => (of, true),
                _ => return None,
            },
            _ => return None,
        };
        let name = names::graphql::object_of_ref(&field.name)?;
        if !is_loaded(self.service, of) || fields.iter().any(|other| other.name == name) {
            return None;
        }
        let object = nullable(self.item(of));
        let ty = if several { format!("[{object}]!") } else { object };
        Some(format!("{}: {ty}", names::graphql::field(&name)))
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

    /// The fields, the id among them as what it is.
    fn with_id(&self, resource: &Resource, mut fields: Vec<Field>) -> Vec<Field> {
        let of = shape::of_service(self.service, &resource.name);
        for id in fields.iter_mut().filter(|field| field.name == resource.id) {
            // No reference to the item itself is offered: it would be a circle.
            id.ty = Type::Ref(ResourceRef { service: String::new(), ..of.clone() });
        }
        fields
    }
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

fn nullable(mut ty: String) -> String {
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
