//! Views of the types of a contract: records, enums, unions, ids.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    contracts::{shape, wire::WireLock},
    escape,
    model::{Default, Docs, Enum, Event, Field, Model, Payload, Record, Scalar, Type, TypeDef, TypeRef, Union},
    names,
    scope::Item,
};

use super::{
    grpc,
    resources::{self, Draft},
    rust::{self, user},
};

/// What `contract/src/types.rs` sees.
#[derive(Debug, std::default::Default, Serialize)]
pub struct Types {
    pub ids: Vec<Id>,
    pub enums: Vec<EnumView>,
    pub unions: Vec<UnionView>,
    pub records: Vec<RecordView>,
    /// What `list` takes; all of it may be left out.
    pub lists: Vec<RecordView>,
    pub patches: Vec<RecordView>,
    pub drafts: Vec<Draft>,
    pub defaults: Vec<DefaultView>,
    pub patterns: Vec<PatternView>,
}

#[derive(Debug, Serialize)]
pub struct Id {
    pub docs: Vec<String>,
    pub name: String,
    pub inner: String,
    pub attributes: Vec<String>,
    /// The statement that checks its bounds, if it has any.
    pub check: Vec<String>,
    /// What it is in proto, if anything carries it over gRPC.
    pub grpc: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct EnumView {
    pub docs: Vec<String>,
    pub name: String,
    pub values: Vec<ValueView>,
    /// Its numbers in proto, if anything carries it over gRPC: `Eur = 1, Usd = 2`.
    pub grpc: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct ValueView {
    pub variant: String,
    /// As on the wire, a Rust string literal.
    pub text: String,
}

#[derive(Debug, Serialize)]
pub struct UnionView {
    pub docs: Vec<String>,
    pub name: String,
    /// Marked names: the variant is called like its record.
    pub variants: Vec<UnionVariant>,
}

#[derive(Debug, Serialize)]
pub struct UnionVariant {
    pub variant: String,
    pub record: String,
    /// The value of its tag, a Rust string literal.
    pub text: String,
}

#[derive(Debug, Serialize)]
pub struct RecordView {
    pub docs: Vec<String>,
    pub name: String,
    pub fields: Vec<FieldView>,
    /// Statements that check the bounds, in the order of the fields.
    pub checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
pub struct FieldView {
    pub docs: Vec<String>,
    pub attributes: Vec<String>,
    pub name: String,
    pub ty: String,
}

#[derive(Debug, Serialize)]
pub struct Check {
    pub field: String,
    pub code: String,
}

/// A function that serde calls for an absent field.
#[derive(Debug, Serialize)]
pub struct DefaultView {
    /// The record and its field.
    #[serde(skip)]
    pub of: (String, String),
    pub function: String,
    pub ty: String,
    pub value: String,
}

#[derive(Debug, Serialize)]
pub struct PatternView {
    pub name: String,
    /// A Rust string literal, anchored at both ends.
    pub pattern: String,
}

impl Types {
    /// Nothing that others could mention.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
            && self.enums.is_empty()
            && self.unions.is_empty()
            && self.records.is_empty()
            && self.lists.is_empty()
            && self.patches.is_empty()
    }

    /// Adds an item that the scope gives to this crate. The lock is there if anything carries the item over gRPC.
    pub fn add(&mut self, model: &Model, item: &Item, mut wire: Option<&mut WireLock>) {
        match item {
            Item::Type(name) => self.add_type(model, name, wire.as_deref_mut()),
            Item::Id(resource) => {
                let found = model.services.get(&resource.service).and_then(|s| s.resources.get(&resource.resource));
                if let Some((resource, id)) = found.and_then(|r| Some((r, r.fields.iter().find(|f| f.name == r.id)?))) {
                    self.add_patterns(&id.ty);
                    let attributes = rust::adapter(&id.ty).map(|a| format!("#[serde(with = \"As::<{a}>\")]"));
                    self.ids.push(Id {
                        docs: vec![format!("/// Names one {}.", resource.name)],
                        name: user(&rust::id_name(&resource.name)),
                        inner: rust::ty(&id.ty),
                        attributes: attributes.into_iter().collect(),
                        check: rust::check(model, &id.ty, "self.0", false).into_iter().collect(),
                        grpc: wire.map(|_| grpc::id_message(model, &id.ty)).into_iter().collect(),
                    });
                }
            }
            Item::Resource(of) => {
                if let Some(resource) = shape::resource(model, of) {
                    resources::add_item(self, model, of, resource);
                }
            }
            Item::Payload(event) => {
                let found = model.services.get(&event.service).and_then(|s| s.events.get(&event.event));
                if let Some(Event { name, docs, payload: Payload::Fields(fields), .. }) = found {
                    self.add_record(model, name, docs, fields);
                }
            }
        }
    }

    fn add_type(&mut self, model: &Model, of: &TypeRef, wire: Option<&mut WireLock>) {
        let numbers = |found: &Enum| wire.map(|wire| grpc::choice(model, of, &found.values, wire));
        if let Some(service) = &of.service {
            if let Some(found) = model.services.get(service).and_then(|s| s.enums.get(&of.name)) {
                self.add_enum(found, numbers(found));
            }
            return;
        }
        match model.types.get(&of.name) {
            Some(TypeDef::Record(Record { name, docs, fields })) => self.add_record(model, name, docs, fields),
            Some(TypeDef::Enum(found)) => self.add_enum(found, numbers(found)),
            Some(TypeDef::Union(found)) => self.add_union(found),
            None => {}
        }
    }

    fn add_enum(&mut self, Enum { name, docs, values }: &Enum, grpc: Option<String>) {
        let values = values
            .iter()
            .map(|value| ValueView {
                variant: rust::variant(&names::rust::variant(value)),
                text: escape::rust_str(value),
            })
            .collect();
        self.enums.push(EnumView {
            docs: doc_lines(docs, ""),
            name: user(name),
            values,
            grpc: grpc.into_iter().collect(),
        });
    }

    fn add_union(&mut self, Union { name, docs, variants }: &Union) {
        let variant =
            |v: &String| UnionVariant { variant: rust::variant(v), record: user(v), text: escape::rust_str(v) };
        let variants = variants.iter().map(variant).collect();
        self.unions.push(UnionView { docs: doc_lines(docs, ""), name: user(name), variants });
    }

    /// Adds a record: of `[types]`, a payload, or the input or output of an operation.
    pub fn add_record(&mut self, model: &Model, name: &str, docs: &Docs, fields: &[Field]) {
        let view = self.record(model, name, name, docs, fields);
        self.records.push(view);
    }

    /// The view of a record; its defaults and patterns are added. An item, what is new and a draft have the same defaults:
    /// those of `whose` they are.
    pub fn record(&mut self, model: &Model, name: &str, whose: &str, docs: &Docs, fields: &[Field]) -> RecordView {
        let mut view =
            RecordView { docs: doc_lines(docs, ""), name: user(name), fields: Vec::new(), checks: Vec::new() };
        for field in fields {
            let mut attributes = Vec::new();
            if let Some(value) = field.default.as_ref().filter(|_| !matches!(field.ty, Type::Optional(_))) {
                attributes.push(self.default(whose, field, value));
            }
            let adapter = rust::adapter(&field.ty);
            if matches!(field.ty, Type::Optional(_)) {
                attributes.push("default".into());
            }
            if let Some(adapter) = &adapter {
                attributes.push(format!("with = \"As::<{adapter}>\""));
            }
            if matches!(field.ty, Type::Optional(_)) {
                attributes.push("skip_serializing_if = \"Option::is_none\"".into());
            }
            let ident = names::rust::ident(&field.name);
            if ident != field.name && !ident.starts_with("r#") {
                attributes.push(format!("rename = {}", escape::rust_str(&field.name)));
            }
            let boxed = is_recursive(model, name, &field.ty);
            view.fields.push(FieldView {
                docs: doc_lines(&field.docs, ""),
                attributes: match attributes.is_empty() {
                    true => Vec::new(),
                    false => vec![format!("#[serde({})]", attributes.join(", "))],
                },
                ty: if boxed { boxed_type(&field.ty) } else { rust::ty(&field.ty) },
                name: ident.clone(),
            });
            if let Some(code) = rust::check(model, &field.ty, &format!("self.{ident}"), false) {
                view.checks.push(Check { field: escape::rust_str(&field.name), code });
            }
            self.add_patterns(&field.ty);
        }
        view
    }

    /// What serde is told of a default: that of the type, or the function that makes it.
    fn default(&mut self, whose: &str, field: &Field, value: &Default) -> String {
        if matches!(value, Default::Bool(false) | Default::Integer(0) | Default::EmptyList) {
            return "default".into();
        }
        let of = (whose.to_owned(), field.name.clone());
        let known = self.defaults.iter().find(|known| known.of == of).map(|known| known.function.clone());
        let function = known.unwrap_or_else(|| {
            let plain = format!("default_{}_{}", names::snake(whose), field.name);
            // `bar_baz` of `Foo` and `baz` of `FooBar`.
            let alike = self.defaults.iter().filter(|known| known.function.trim_end_matches('_') == plain).count();
            let function = plain + &"_".repeat(alike);
            let (ty, value) = (rust::ty(&field.ty), default_value(&field.ty, value));
            self.defaults.push(DefaultView { of, function: function.clone(), ty, value });
            function
        });
        format!("default = \"{function}\"")
    }

    fn add_patterns(&mut self, ty: &Type) {
        match ty {
            Type::Scalar(Scalar::String { pattern: Some(pattern), .. }) => {
                let name = rust::pattern_name(pattern);
                if !self.patterns.iter().any(|known| known.name == name) {
                    let pattern = escape::rust_str(&format!("^(?:{pattern})$"));
                    self.patterns.push(PatternView { name, pattern });
                }
            }
            Type::List { item, .. } => self.add_patterns(item),
            Type::Optional(inner) => self.add_patterns(inner),
            Type::Map { value, .. } => self.add_patterns(value),
            Type::Scalar(_) | Type::Named(_) | Type::Ref(_) | Type::Resource(_) => {}
        }
    }
}

/// The doc comment of something of the design, or else the line `otherwise`, which is ours.
pub fn doc_lines(docs: &Docs, otherwise: &str) -> Vec<String> {
    let mut text = docs.summary.clone();
    if !docs.description.is_empty() && docs.description != docs.summary {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&docs.description);
    }
    if text.is_empty() && !otherwise.is_empty() {
        return vec![format!("/// {otherwise}")];
    }
    if text.is_empty() { Vec::new() } else { escape::rust_doc(&text).lines().map(str::to_owned).collect() }
}

/// The Rust expression of a default.
pub fn default_value(ty: &Type, default: &Default) -> String {
    match (default, ty) {
        (Default::EmptyList, _) => "Vec::new()".into(),
        (Default::Bool(value), _) => value.to_string(),
        (Default::Integer(value), _) => value.to_string(),
        (Default::Float(value), _) => format!("{value:?}"),
        (Default::Value(value), Type::Named(name)) => format!("{}::{}", user(&name.name), names::rust::variant(value)),
        (Default::Text(text) | Default::Value(text), Type::Scalar(Scalar::Decimal { .. })) => {
            let digits: String = text.chars().filter(|c| *c != '.').collect();
            let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            format!("Decimal::new({}, {scale})", digits.parse::<i64>().unwrap_or_default())
        }
        (Default::Text(text) | Default::Value(text), Type::Scalar(scalar)) => {
            let literal = escape::rust_str(text);
            match scalar {
                Scalar::String { .. } => format!("{literal}.into()"),
                Scalar::Timestamp => format!("kit::json::timestamp({literal}).unwrap_or_default()"),
                Scalar::Duration => format!("kit::json::duration({literal}).unwrap_or_default()"),
                _ => format!("{literal}.parse().unwrap_or_default()"),
            }
        }
        (Default::Text(text) | Default::Value(text), _) => format!("{}.into()", escape::rust_str(text)),
    }
}

fn boxed_type(ty: &Type) -> String {
    match ty {
        Type::Optional(inner) => format!("Option<Box<{}>>", rust::ty(inner)),
        other => format!("Box<{}>", rust::ty(other)),
    }
}

/// A value of the type may hold the record called `name` without a list or map between, so that only a `Box` gives it
/// a size.
pub fn is_recursive(model: &Model, name: &str, ty: &Type) -> bool {
    fn reaches<'a>(model: &'a Model, name: &str, ty: &'a Type, seen: &mut BTreeSet<&'a str>) -> bool {
        match ty {
            Type::Optional(inner) => reaches(model, name, inner, seen),
            Type::Named(found) if found.service.is_none() => reaches_named(model, name, &found.name, seen),
            _ => false,
        }
    }
    fn reaches_named<'a>(model: &'a Model, name: &str, found: &'a str, seen: &mut BTreeSet<&'a str>) -> bool {
        if found == name {
            return true;
        }
        if !seen.insert(found) {
            return false;
        }
        match model.types.get(found) {
            Some(TypeDef::Record(record)) => record.fields.iter().any(|f| reaches(model, name, &f.ty, seen)),
            Some(TypeDef::Union(union)) => union.variants.iter().any(|v| reaches_named(model, name, v, seen)),
            Some(TypeDef::Enum(_)) | None => false,
        }
    }
    reaches(model, name, ty, &mut BTreeSet::new())
}
