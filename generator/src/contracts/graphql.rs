//! A service to its GraphQL schema: what callers outside the system reach over GraphQL, in the schema definition
//! language.

use super::shape;
use crate::{
    escape,
    model::{
        Docs, Field, Model, Operation, OperationKind, Output, Resource, ResourceRef, Scalar, Service, Shape,
        StreamItem, Transport, Type, Verb,
    },
    names,
};

pub mod called;
pub mod request;
mod types;

use types::Types;
pub use types::{Needed, Object, Reference, Side, entry_name, references, type_name, with_id};

/// What the schema says of arguments that verbs have.
pub const FIRST: &str = "Items of the page: at most 200; 50 if not given.";
pub const AFTER: &str = "The end cursor of the page before.";
pub const ETAG: &str = "Refused as stale unless it is the item's.";

/// The types that the schema of a service needs, besides scalars and roots, by name.
pub fn definitions(model: &Model, service: &Service) -> Vec<(String, Needed)> {
    lower(model, service).1.defined()
}

/// The text of the schema: the root types first, then all types as they are met, then the scalars.
pub fn graphql(model: &Model, service: &Service) -> String {
    let left_out = service.operations.values().filter(|operation| operation.reads());
    let left_out: String = left_out
        .map(|operation| {
            format!("# `{}` is not here: it takes a stream, which GraphQL has no word for.\n", operation.name)
        })
        .collect();
    let gap = if left_out.is_empty() { "" } else { "\n" };
    left_out + gap + &lower(model, service).0
}

fn lower<'m>(model: &'m Model, service: &'m Service) -> (String, Types<'m>) {
    let mut types = Types::new(model, service);
    let mut roots: [(&str, Vec<String>); 3] = [("Query", vec![]), ("Mutation", vec![]), ("Subscription", vec![])];
    for operation in service.operations.values().filter(|operation| is_served(model, service, operation)) {
        let root = root(operation);
        if let Some((_, fields)) = roots.iter_mut().find(|(name, _)| *name == root) {
            fields.push(operation_field(&mut types, operation));
        }
    }
    let mut blocks = Vec::new();
    for (name, mut fields) in roots {
        if fields.is_empty() && name == "Query" {
            // A schema has to have something to ask for. No name of a design begins so.
            fields.push("\"The version of the service.\"\n_version: Int!".to_owned());
        }
        if !fields.is_empty() {
            blocks.push(block("type", name, &Docs::default(), &fields));
        }
    }
    blocks.extend(types.define());
    (blocks.join("\n"), types)
}

/// The type of a value as the schema writes it: `[Line!]!`.
pub fn value_type(model: &Model, service: &Service, ty: &Type, side: Side) -> String {
    Types::new(model, service).of(ty, side)
}

/// The field of its root type that an operation is.
pub fn field(service: &Service, operation: &Operation) -> String {
    match &operation.shape {
        Shape::Custom { .. } => names::graphql::field(&operation.name),
        Shape::Verb { verb, resource } => {
            let plural = service.resources.get(resource).map_or(resource, |found| &found.plural);
            names::graphql::verb_field(*verb, resource, plural)
        }
    }
}

/// Whether callers outside, or services of the system, reach an operation over GraphQL. There is one schema for both.
pub fn is_served(model: &Model, service: &Service, operation: &Operation) -> bool {
    model.served(&service.name, &operation.name).has(Transport::Graphql)
}

/// The root type that an operation is a field of.
pub fn root(operation: &Operation) -> &'static str {
    match (&operation.shape, operation.kind) {
        (Shape::Custom { output: Output::Stream(_), .. }, _) => "Subscription",
        (_, OperationKind::Query) => "Query",
        (_, OperationKind::Command) => "Mutation",
    }
}

/// Whether the object that an id refers to is offered beside the id: where the service itself can get it.
pub fn is_loaded(service: &Service, of: &ResourceRef) -> bool {
    of.service == service.name
        && service.resources.get(&of.resource).is_some_and(|resource| resource.verbs.contains(&Verb::Get))
}

/// The arguments of an operation: names and types. What has a default may be left out.
pub fn arguments(model: &Model, service: &Service, operation: &Operation) -> Vec<(String, String)> {
    let (_, arguments, _) = lowered(&mut Types::new(model, service), operation);
    let plain = |argument: &String| {
        // The description stands in lines of its own.
        let (name, ty) = argument.lines().last()?.split_once(": ")?;
        let ty = match ty.split_once(" = ") {
            Some((ty, _)) => ty.trim_end_matches('!'),
            None => ty,
        };
        Some((name.to_owned(), ty.to_owned()))
    };
    arguments.iter().filter_map(plain).collect()
}

fn operation_field(types: &mut Types, operation: &Operation) -> String {
    let (name, arguments, mut answer) = lowered(types, operation);
    // One that fails takes nothing from the others.
    if types.service.composes() && root(operation) != "Subscription" {
        answer = types::nullable(answer);
    }
    format!("{}{name}{}: {answer}", description(&operation.docs), listed(&arguments))
}

/// Name, arguments and answer of the field that an operation is.
fn lowered(types: &mut Types, operation: &Operation) -> (String, Vec<String>, String) {
    match &operation.shape {
        Shape::Custom { output, .. } => {
            let fields = shape::request_fields(types.model, types.service, operation);
            let arguments = fields.iter().map(|field| types.field(field, Side::Input)).collect();
            (names::graphql::field(&operation.name), arguments, answer(types, operation, output))
        }
        Shape::Verb { verb, resource } => match types.service.resources.get(resource) {
            Some(resource) => verb_field(types, *verb, resource),
            None => Default::default(),
        },
    }
}

fn answer(types: &mut Types, operation: &Operation, output: &Output) -> String {
    match output {
        Output::None => "Boolean!".to_owned(),
        Output::Named(name) | Output::Stream(StreamItem::Named(name)) => {
            types.of(&shape::named_type(name), Side::Output)
        }
        Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => {
            types.of(&Type::Resource(of.clone()), Side::Output)
        }
        Output::Item => match shape::on_item(operation) {
            Some(resource) => types.item(&shape::of_service(types.service, resource)),
            None => "Boolean!".to_owned(),
        },
        Output::Fields(fields) => types.response(names::upper_camel(&operation.name) + "Response", fields),
    }
}

fn verb_field(types: &mut Types, verb: Verb, resource: &Resource) -> (String, Vec<String>, String) {
    let name = names::graphql::verb_field(verb, &resource.name, &resource.plural);
    let of = shape::of_service(types.service, &resource.name);
    let item = if verb == Verb::Delete { String::new() } else { types.item(&of) };
    let id = types.field(&shape::item_id(&of), Side::Input);
    let optional = |name: &str, scalar, text: &str| Field {
        docs: shape::summary(text),
        ..shape::plain(name, Type::Optional(Box::new(Type::Scalar(scalar))))
    };
    let text = || Scalar::String { min: 0, max: None, pattern: None };
    let etag = types.field(&optional(shape::ETAG, text(), ETAG), Side::Input);
    let (arguments, answer) = match verb {
        Verb::List => {
            let number = Scalar::I32 { min: 1, max: 200 };
            let mut arguments = vec![
                types.field(&optional("first", number, FIRST), Side::Input),
                types.field(&optional("after", text(), AFTER), Side::Input),
            ];
            if !resource.filter.is_empty() {
                arguments.push(format!("where: {}", types.filter(resource)));
            }
            if !resource.sort.is_empty() {
                arguments.push(format!("orderBy: [{}!]", types.sort(resource)));
            }
            (arguments, types.connection(resource) + "!")
        }
        Verb::Get => return (name, vec![id], item.trim_end_matches('!').to_owned()),
        Verb::Create => (vec![format!("input: {}!", types.new_item(resource))], item),
        Verb::Replace => (vec![id, format!("input: {}!", types.draft(resource)), etag], item),
        Verb::Patch => (vec![id, format!("set: {}!", types.patch(resource)), etag], item),
        Verb::Delete => (vec![id, etag], "Boolean!".to_owned()),
    };
    (name, arguments, answer)
}

/// Arguments in one line if none has a description, else a line each.
fn listed(arguments: &[String]) -> String {
    match arguments {
        [] => String::new(),
        _ if arguments.iter().any(|argument| argument.contains('\n')) => {
            format!("(\n{}\n)", arguments.iter().map(|argument| indented(argument)).collect::<Vec<_>>().join("\n"))
        }
        _ => format!("({})", arguments.join(", ")),
    }
}

/// A definition with members, each of one or more lines.
fn block(keyword: &str, name: &str, docs: &Docs, members: &[String]) -> String {
    let members: String = members.iter().map(|member| indented(member) + "\n").collect();
    format!("{}{keyword} {name} {{\n{members}}}\n", description(docs))
}

fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("  {line}") };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The description of what follows, with its line end; nothing if there is none. It is read as Markdown.
fn description(docs: &Docs) -> String {
    let text = escape::markdown(&shape::text(docs));
    if text.is_empty() { text } else { escape::graphql_description(&text) + "\n" }
}

#[cfg(test)]
mod tests;
