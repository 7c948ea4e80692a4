//! An operation to the document by which a client of the service's trait asks for it: all of the answer, whatever the input.

use std::collections::BTreeSet;

use super::{arguments, request::Document, root};
use crate::{
    contracts::shape,
    model::{Field, GraphqlLimits, Model, Operation, Output, Service, Shape, StreamItem, Type, TypeDef, Verb},
    names,
};

/// Where the document stops and the answer may go on: asked for under this name, which no field of a design has.
const DEEPER: &str = "_deeper: __typename";

/// The document that asks for all of the answer, within the limits of the service; of types that contain themselves as
/// deep as they allow. `None`: the limits do not allow all of it.
pub fn document(model: &Model, service: &Service, operation: &Operation) -> Option<Document> {
    // Deepest first: all depths are the same to what does not contain itself.
    (1..=service.graphql.depth.min(DEEPEST)).rev().find_map(|depth| {
        let mut selection = Selection { model, limits: service.graphql, fields: 1, aliases: 0, too_much: false };
        let selected = selection.answer(service, operation, depth - 1)?;
        (!selection.too_much).then(|| whole(model, service, operation, selected))
    })
}

/// No document is deeper, whatever the limits allow.
const DEEPEST: u32 = 32;

fn whole(model: &Model, service: &Service, operation: &Operation, selected: Document) -> Document {
    let arguments = arguments(model, service, operation);
    let variables = arguments.iter().map(|(name, ty)| Document::text(format!("${name}: {ty}"))).collect();
    let given = arguments.iter().map(|(name, _)| Document::text(format!("{name}: ${name}"))).collect();
    let head = format!("{}{} ", root(operation).to_lowercase(), Document::arguments(variables).flat());
    let field = Document::Row(vec![Document::text(field(service, operation)), Document::arguments(given), selected]);
    Document::Row(vec![Document::text(head), Document::braces(vec![field])])
}

/// The field of the root that an operation is.
fn field(service: &Service, operation: &Operation) -> String {
    match &operation.shape {
        Shape::Custom { .. } => names::graphql::field(&operation.name),
        Shape::Verb { verb, resource } => {
            let plural = service.resources.get(resource).map_or("", |resource| &resource.plural);
            names::graphql::verb_field(*verb, resource, plural)
        }
    }
}

/// What is selected so far.
struct Selection<'m> {
    model: &'m Model,
    limits: GraphqlLimits,
    fields: u32,
    aliases: u32,
    too_much: bool,
}

impl Selection<'_> {
    fn answer(&mut self, service: &Service, operation: &Operation, left: u32) -> Option<Document> {
        let item = |resource: &str| Type::Resource(shape::of_service(service, resource));
        let ty = match &operation.shape {
            Shape::Custom { output, .. } => match output {
                Output::None => return Some(Document::text("")),
                Output::Named(name) | Output::Stream(StreamItem::Named(name)) => shape::named_type(name),
                Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => Type::Resource(of.clone()),
                Output::Item => item(shape::on_item(operation)?),
                Output::Fields(fields) => return self.object(fields, left).map(spaced),
            },
            Shape::Verb { verb: Verb::Delete, .. } => return Some(Document::text("")),
            Shape::Verb { verb: Verb::List, resource } => {
                self.count(4);
                let nodes = self.of(&item(resource), left.checked_sub(1)?)?;
                let nodes = Document::Row(vec![Document::text("nodes"), nodes]);
                return Some(spaced(vec![nodes, Document::text("pageInfo { hasNextPage endCursor }")]));
            }
            Shape::Verb { resource, .. } => item(resource),
        };
        self.of(&ty, left)
    }

    fn count(&mut self, fields: u32) {
        self.fields += fields;
        self.too_much |= self.fields > self.limits.complexity || self.aliases > self.limits.aliases;
    }

    /// With a space before it, or nothing. `None`: it does not fit in the levels that are left.
    fn of(&mut self, ty: &Type, left: u32) -> Option<Document> {
        match ty {
            Type::Scalar(_) | Type::Ref(_) => Some(Document::text("")),
            Type::Optional(inner) | Type::List { item: inner, .. } => self.of(inner, left),
            Type::Map { value, .. } => {
                let left = left.checked_sub(1)?;
                self.count(2);
                let value = self.of(value, left).or_else(|| self.cut(value, left))?;
                Some(entries(value))
            }
            Type::Resource(of) => {
                let fields = shape::item_fields(shape::resource(self.model, of)?);
                self.object(&fields, left).map(spaced)
            }
            Type::Named(of) if of.service.is_some() => Some(Document::text("")),
            Type::Named(of) => match self.model.types.get(&of.name)? {
                TypeDef::Enum(_) => Some(Document::text("")),
                TypeDef::Record(record) => self.object(&record.fields, left).map(spaced),
                TypeDef::Union(union) => self.union(&union.variants, left).map(spaced),
            },
        }
    }

    fn object(&mut self, fields: &[Field], left: u32) -> Option<Vec<Document>> {
        if left == 0 || self.too_much {
            return None;
        }
        if fields.is_empty() {
            self.count(1);
            return Some(vec![Document::text("_empty")]);
        }
        fields.iter().map(|field| self.member(field, "", left - 1)).collect()
    }

    /// `prefix` makes a name of its own.
    fn member(&mut self, field: &Field, prefix: &str, left: u32) -> Option<Document> {
        self.count(1);
        let name = names::graphql::field(&field.name);
        let name = if prefix.is_empty() { name } else { format!("{prefix}_{name}: {name}") };
        let selected = self.of(&field.ty, left).or_else(|| self.cut(&field.ty, left))?;
        Some(Document::Row(vec![Document::text(name), selected]))
    }

    fn union(&mut self, variants: &[String], left: u32) -> Option<Vec<Document>> {
        if left == 0 || self.too_much {
            return None;
        }
        self.count(1);
        let mut selected = vec![Document::text("__typename")];
        let records: Vec<(&String, &[Field])> = variants
            .iter()
            .filter_map(|name| Some((name, shape::record(self.model, name)?.fields.as_slice())))
            .collect();
        for (variant, fields) in records.iter().filter(|(_, fields)| !fields.is_empty()) {
            let mut members = Vec::new();
            for field in *fields {
                // Fields of one name that are shown together have to have one type (GraphQL, October 2021, 5.3.2).
                let others = records.iter().filter(|(name, _)| name != variant).flat_map(|(_, fields)| *fields);
                let clashes = others.into_iter().any(|other| other.name == field.name && other.ty != field.ty);
                self.aliases += u32::from(clashes);
                let own = names::graphql::field(&names::snake(variant));
                members.push(self.member(field, if clashes { &own } else { "" }, left - 1)?);
            }
            let on = Document::text(format!("... on {variant} "));
            selected.push(Document::Row(vec![on, Document::braces(members)]));
        }
        Some(selected)
    }

    /// What is asked for in place of a type that contains itself, and goes on where no level is left.
    fn cut(&mut self, ty: &Type, left: u32) -> Option<Document> {
        match ty {
            Type::Optional(inner) | Type::List { item: inner, .. } => self.cut(inner, left),
            Type::Map { value, .. } => {
                let left = left.checked_sub(1)?;
                self.count(2);
                self.cut(value, left).map(entries)
            }
            Type::Named(of) if left > 0 && of.service.is_none() && contains_itself(self.model, &of.name) => {
                self.aliases += 1;
                self.count(1);
                Some(spaced(vec![Document::text(DEEPER)]))
            }
            _ => None,
        }
    }
}

fn spaced(fields: Vec<Document>) -> Document {
    Document::Row(vec![Document::text(" "), Document::braces(fields)])
}

fn entries(value: Document) -> Document {
    spaced(vec![Document::text("key"), Document::Row(vec![Document::text("value"), value])])
}

/// Whether a value of a type can hold another of it, at any depth, in lists and maps too.
fn contains_itself(model: &Model, name: &str) -> bool {
    fn inner<'m>(model: &'m Model, name: &str) -> Vec<&'m str> {
        match model.types.get(name) {
            Some(TypeDef::Record(record)) => record.fields.iter().filter_map(|field| named(&field.ty)).collect(),
            Some(TypeDef::Union(union)) => union.variants.iter().map(String::as_str).collect(),
            Some(TypeDef::Enum(_)) | None => Vec::new(),
        }
    }
    fn named(ty: &Type) -> Option<&str> {
        match ty {
            Type::Optional(inner) | Type::List { item: inner, .. } | Type::Map { value: inner, .. } => named(inner),
            Type::Named(of) if of.service.is_none() => Some(&of.name),
            _ => None,
        }
    }
    let (mut seen, mut next) = (BTreeSet::new(), inner(model, name));
    while let Some(found) = next.pop() {
        if found == name {
            return true;
        }
        if seen.insert(found) {
            next.extend(inner(model, found));
        }
    }
    false
}
