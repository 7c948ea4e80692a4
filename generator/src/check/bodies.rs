//! Inputs, outputs and payloads to the model's: which record, resource or stream they name.

use indexmap::IndexMap;

use super::{Checker, types};
use crate::{
    design::{Body, Reference, TypeDefKind},
    model::{Enum, Input, Output, Payload, ResourceRef, StreamItem},
    source::{Span, Spanned},
};

/// Whose body it is.
pub(super) struct Place<'a> {
    /// The service.
    pub home: &'a str,
    /// What a record written there is called: `ReserveRequest`, `OrderPlaced`.
    pub record: &'a str,
    /// Where enums written in its fields go.
    pub enums: &'a mut IndexMap<String, Enum>,
}

/// A name in a body.
enum Named {
    Record(String),
    Union(String),
    Resource(ResourceRef),
    /// Reported, or of an external.
    Unknown,
}

pub(super) fn input(checker: &mut Checker, body: &Spanned<Body>, place: Place) -> Input {
    match &body.value {
        Body::Fields(fields) if fields.is_empty() => Input::None,
        Body::Fields(fields) => {
            Input::Fields(types::lower_fields(checker, fields, place.record, Some(place.home), place.enums))
        }
        Body::Named { stream, name } => {
            match named(checker, name, place.home, if stream.is_some() { "input = \"stream " } else { "input = \"" }) {
                Named::Record(name) | Named::Union(name) if stream.is_some() => Input::Stream(name),
                Named::Record(name) => Input::Named(name),
                Named::Union(union) => {
                    not_a_record(checker, &name.span, "input", &union, "union");
                    Input::Named(String::new())
                }
                Named::Resource(resource) => {
                    let message =
                        format!("input `{}` is a resource, which only its own service makes", resource.resource);
                    let help = "name a record with the fields that are given, or use the verb `create`";
                    checker.error("E319", &name.span, message, help);
                    Input::Named(String::new())
                }
                Named::Unknown if stream.is_some() => Input::Stream(String::new()),
                Named::Unknown => Input::Named(String::new()),
            }
        }
        Body::Broken => Input::Named(String::new()),
    }
}

pub(super) fn output(checker: &mut Checker, body: &Spanned<Body>, place: Place) -> Output {
    match &body.value {
        Body::Fields(fields) => {
            Output::Fields(types::lower_fields(checker, fields, place.record, Some(place.home), place.enums))
        }
        Body::Named { stream: Some(_), name } => {
            Output::Stream(match named(checker, name, place.home, "output = \"stream ") {
                Named::Record(name) | Named::Union(name) => StreamItem::Named(name),
                Named::Resource(resource) => StreamItem::Resource(resource),
                Named::Unknown => StreamItem::Named(String::new()),
            })
        }
        Body::Named { stream: None, name } => match named(checker, name, place.home, "output = \"") {
            Named::Record(name) => Output::Named(name),
            Named::Resource(resource) => Output::Resource(resource),
            Named::Union(union) => {
                not_a_record(checker, &name.span, "output", &union, "union");
                Output::Named(String::new())
            }
            Named::Unknown => Output::Named(String::new()),
        },
        Body::Broken => Output::Named(String::new()),
    }
}

pub(super) fn payload(checker: &mut Checker, body: &Spanned<Body>, place: Place) -> Payload {
    match &body.value {
        Body::Fields(fields) => {
            Payload::Fields(types::lower_fields(checker, fields, place.record, Some(place.home), place.enums))
        }
        Body::Named { name, .. } => match named(checker, name, place.home, "payload = \"") {
            Named::Record(name) => Payload::Named(name),
            Named::Resource(resource) => Payload::Resource(resource),
            Named::Union(union) => {
                not_a_record(checker, &name.span, "payload", &union, "union");
                Payload::Named(String::new())
            }
            Named::Unknown => Payload::Named(String::new()),
        },
        Body::Broken => Payload::Named(String::new()),
    }
}

/// The record of `[types]` that is sent with an error.
pub(super) fn error_data(checker: &mut Checker, name: &Spanned<Reference>, home: &str) -> Option<String> {
    match named(checker, name, home, "") {
        Named::Record(record) => Some(record),
        Named::Union(union) => {
            not_a_record(checker, &name.span, "error data", &union, "union");
            None
        }
        Named::Resource(resource) => {
            let message = format!("error data `{}` is a resource", resource.resource);
            checker.error("E319", &name.span, message, "name a record of [types]");
            None
        }
        Named::Unknown => None,
    }
}

/// `before` is what stands before the name, for who wrote that of an event.
fn named(checker: &mut Checker, name: &Spanned<Reference>, home: &str, before: &str) -> Named {
    let reference = &name.value;
    let design = checker.design;
    let def = design.types.get(&reference.name).filter(|_| reference.owner.is_none());
    match def.map(|def| &def.kind) {
        Some(TypeDefKind::Record(_)) => Named::Record(reference.name.clone()),
        Some(TypeDefKind::Union(_)) => Named::Union(reference.name.clone()),
        Some(TypeDefKind::Enum(_)) => {
            not_a_record(checker, &name.span, "", &reference.name, "enum");
            Named::Unknown
        }
        Some(TypeDefKind::Scalar(_)) => {
            not_a_record(checker, &name.span, "", &reference.name, "scalar");
            Named::Unknown
        }
        Some(TypeDefKind::Broken) => Named::Unknown,
        None if checker.symbols.is_event_of(reference) => {
            checker.not_a_type(reference, &name.span, before);
            Named::Unknown
        }
        None if reference.owner.is_some() || checker.symbols.is_resource(&reference.name) => {
            checker.resource(name, Some(home)).map_or(Named::Unknown, Named::Resource)
        }
        None => {
            checker.not_a_type(reference, &name.span, before);
            Named::Unknown
        }
    }
}

fn not_a_record(checker: &mut Checker, span: &Span, what: &str, name: &str, kind: &str) {
    let message = format!(
        "{what} `{name}` is not a record but a named {kind}",
        what = if what.is_empty() { "type" } else { what }
    );
    let field = crate::names::snake(name);
    checker.error("E308", span, message, format!("name it, so it can grow: `{{ {field} = \"{name}\" }}`"));
}
