//! Type expressions to proto3 (LANGUAGE §3.1), and the definitions that they need.
//!
//! Every singular scalar is `optional`, so that a missing field is told from an empty one. What proto3 cannot nest is
//! wrapped: `StringList { repeated string items }`, `LineOption { Line value }`, `MoneyMap { map<string, Money> items }`.

use std::collections::BTreeSet;

use super::definition::{Definition, Kind, Member};
use crate::{
    contracts::shape,
    model::{Docs, Enum, Field, MapKey, Model, Resource, ResourceRef, Scalar, Service, Type, TypeDef, TypeRef, Union},
    names,
};

/// The types of one file, gathered as they are referred to.
pub(super) struct Types<'m> {
    pub(super) model: &'m Model,
    pub(super) service: &'m Service,
    /// Files of `google/protobuf`.
    pub(super) imports: BTreeSet<&'static str>,
    /// Names of what is defined or will be.
    known: BTreeSet<String>,
    later: Vec<(String, Needed)>,
}

/// What a field's type has to be defined as.
#[derive(Clone, Debug, PartialEq)]
pub enum Needed {
    Type(TypeRef),
    Item(ResourceRef),
    List(Type),
    Option(Type),
    Map(MapKey, Type),
    /// What a caller gives to create an item of the service's resource of that name; and so on.
    New(String),
    Draft(String),
    Patch(String),
    Filter(String),
}

impl<'m> Types<'m> {
    pub(super) fn new(model: &'m Model, service: &'m Service) -> Self {
        Self { model, service, imports: BTreeSet::new(), known: BTreeSet::new(), later: Vec::new() }
    }

    /// Refers to a definition that this file has to hold.
    pub(super) fn need(&mut self, needed: Needed) -> String {
        let name = match &needed {
            Needed::Type(of) => of.name.clone(),
            Needed::Item(of) => of.resource.clone(),
            Needed::List(item) => shape::type_name(item) + "List",
            Needed::Option(value) => shape::type_name(value) + "Option",
            Needed::Map(key, value) => shape::entry_stem(key, value) + "Map",
            Needed::New(resource) => format!("New{resource}"),
            Needed::Draft(resource) => format!("{resource}Draft"),
            Needed::Patch(resource) => format!("{resource}Patch"),
            Needed::Filter(resource) => format!("{resource}Filter"),
        };
        if self.known.insert(name.clone()) {
            self.later.push((name.clone(), needed));
        }
        name
    }

    pub(super) fn named(&mut self, name: &str) -> String {
        self.need(Needed::Type(TypeRef { service: None, name: name.to_owned() }))
    }

    pub(super) fn item(&mut self, of: &ResourceRef) -> String {
        self.need(Needed::Item(of.clone()))
    }

    pub(super) fn empty(&mut self) -> String {
        self.google("empty", "Empty")
    }

    /// With a dot before it, for a service may be called `google`.
    pub(super) fn google(&mut self, file: &'static str, name: &str) -> String {
        self.imports.insert(file);
        format!(".google.protobuf.{name}")
    }

    /// The names of all that is needed and what they stand for, in the order in which they were first referred to.
    pub(super) fn names(&mut self) -> Vec<(String, Needed)> {
        let mut found = Vec::new();
        while !self.later.is_empty() {
            for (name, needed) in std::mem::take(&mut self.later) {
                self.definition(name.clone(), needed.clone());
                found.push((name, needed));
            }
        }
        found
    }

    /// All that is needed, in the order in which it was first referred to.
    pub(super) fn define(&mut self) -> Vec<Definition> {
        let mut definitions = Vec::new();
        while !self.later.is_empty() {
            for (name, needed) in std::mem::take(&mut self.later) {
                definitions.extend(self.definition(name, needed));
            }
        }
        definitions
    }

    fn definition(&mut self, name: String, needed: Needed) -> Option<Definition> {
        let model = self.model;
        let wrapper = |members| Definition { name: name.clone(), docs: Docs::default(), kind: Kind::Message, members };
        let message = |docs: &Docs, members| Definition { docs: docs.clone(), ..wrapper(members) };
        Some(match needed {
            Needed::Type(TypeRef { service: Some(owner), name: of }) => {
                let scope = super::enum_scope(model, Some(&owner), &of);
                enumeration(name.clone(), scope, model.services.get(&owner)?.enums.get(&of)?)
            }
            Needed::Type(TypeRef { service: None, name: of }) => match model.types.get(&of)? {
                TypeDef::Enum(found) => enumeration(name.clone(), super::enum_scope(model, None, &of), found),
                TypeDef::Union(of) => self.union(name.clone(), of),
                TypeDef::Record(of) => message(&of.docs, self.members(&of.fields)),
            },
            Needed::Item(of) => {
                let resource = shape::resource(model, &of)?;
                message(&resource.docs, self.members(&shape::item_fields(resource)))
            }
            Needed::List(item) => {
                let list = Type::List { item: Box::new(item), min: 0, max: None };
                wrapper(self.members(&[shape::plain("items", list)]))
            }
            // Without a list or map in it, for an empty one is not none.
            Needed::Option(value) => wrapper(self.members(&[shape::plain("value", Type::Optional(Box::new(value)))])),
            Needed::Map(key, value) => {
                let map = Type::Map { key, value: Box::new(value) };
                wrapper(self.members(&[shape::plain("items", map)]))
            }
            Needed::New(of) => message(&given("creates", &of), self.own(&of, shape::new_fields)?),
            Needed::Draft(of) => message(&given("replaces", &of), self.own(&of, shape::draft_fields)?),
            Needed::Patch(of) => message(&given("changes", &of), self.own(&of, shape::draft_fields)?),
            Needed::Filter(of) => wrapper(self.own(&of, shape::filter_fields)?),
        })
    }

    fn own(&mut self, resource: &str, fields: impl Fn(&Resource) -> Vec<Field>) -> Option<Vec<Member>> {
        let fields = fields(self.service.resources.get(resource)?);
        Some(self.members(&fields))
    }

    fn union(&mut self, name: String, union: &Union) -> Definition {
        let name_of = |variant: &str| match names::snake(variant) {
            // The `oneof` itself is called so; to prost the variant is `Kind` all the same.
            name if name == "kind" => name + "_",
            name => name,
        };
        let member = |variant: &String| Member {
            name: name_of(variant),
            docs: Docs::default(),
            presence: "",
            ty: self.named(variant),
        };
        let members = union.variants.iter().map(member).collect();
        Definition { name, docs: union.docs.clone(), kind: Kind::Alternatives, members }
    }

    pub(super) fn members(&mut self, fields: &[Field]) -> Vec<Member> {
        fields.iter().map(|field| self.member(field)).collect()
    }

    fn member(&mut self, field: &Field) -> Member {
        let (presence, ty) = match &field.ty {
            Type::List { item, .. } => ("", format!("repeated {}", self.single(item))),
            Type::Map { key, value } => ("", format!("map<{}, {}>", map_key(key), self.single(value))),
            Type::Optional(inner) => (self.presence(inner), self.single(inner)),
            ty => (self.presence(ty), self.single(ty)),
        };
        Member { name: field.name.clone(), docs: field.docs.clone(), presence, ty }
    }

    /// Messages have presence by themselves.
    fn presence(&self, ty: &Type) -> &'static str {
        match ty {
            Type::Scalar(Scalar::Timestamp | Scalar::Duration | Scalar::Json) => "",
            Type::Scalar(_) => "optional ",
            Type::Ref(of) => self.presence(&shape::id_type(self.model, of)),
            Type::Named(TypeRef { service: Some(_), .. }) => "optional ",
            Type::Named(of) => match self.model.types.get(&of.name) {
                Some(TypeDef::Enum(_)) => "optional ",
                _ => "",
            },
            Type::Resource(_) | Type::List { .. } | Type::Optional(_) | Type::Map { .. } => "",
        }
    }

    /// The type as one value: what can stand in a `repeated` or as the value of a map.
    fn single(&mut self, ty: &Type) -> String {
        match ty {
            Type::Scalar(scalar) => match scalar {
                Scalar::String { .. } | Scalar::Decimal { .. } | Scalar::Uuid | Scalar::Date => "string".to_owned(),
                Scalar::Bool => "bool".to_owned(),
                Scalar::I32 { .. } => "int32".to_owned(),
                Scalar::I64 { .. } => "int64".to_owned(),
                Scalar::U32 { .. } => "uint32".to_owned(),
                Scalar::U64 { .. } => "uint64".to_owned(),
                Scalar::F64 { .. } => "double".to_owned(),
                Scalar::Bytes => "bytes".to_owned(),
                Scalar::Timestamp => self.google("timestamp", "Timestamp"),
                Scalar::Duration => self.google("duration", "Duration"),
                Scalar::Json => self.google("struct", "Value"),
            },
            Type::Named(of) => self.need(Needed::Type(of.clone())),
            Type::Resource(of) => self.item(of),
            Type::Ref(of) => self.single(&shape::id_type(self.model, of)),
            Type::List { item, .. } => self.need(Needed::List(item.as_ref().clone())),
            Type::Optional(inner) => self.need(Needed::Option(inner.as_ref().clone())),
            Type::Map { key, value } => self.need(Needed::Map(key.clone(), value.as_ref().clone())),
        }
    }
}

/// Integers are keys as they are, all else as text.
fn map_key(key: &MapKey) -> &'static str {
    match key {
        MapKey::I32 => "int32",
        MapKey::I64 => "int64",
        MapKey::U32 => "uint32",
        MapKey::U64 => "uint64",
        MapKey::String | MapKey::Uuid | MapKey::Date | MapKey::Enum(_) => "string",
    }
}

fn enumeration(name: String, scope: String, of: &Enum) -> Definition {
    let member = |value: &String| Member {
        name: names::proto::enum_value(&name, value),
        docs: Docs::default(),
        presence: "",
        ty: String::new(),
    };
    let members = of.values.iter().map(member).collect();
    Definition {
        kind: Kind::Enum { zero: names::proto::enum_zero(&name), scope },
        docs: of.docs.clone(),
        members,
        name,
    }
}

fn given(does: &str, resource: &str) -> Docs {
    shape::summary(&format!("What {does} an item of `{resource}`."))
}
