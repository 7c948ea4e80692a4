//! The records that code is filled from: the input, items, answers.

use crate::{
    contracts::shape,
    model::{Field, Input, Model, Operation, Output, Payload, ResourceRef, Service, Shape, TypeDef, Verb},
    names,
};

use super::super::{events, examples::Source};

/// What an operation knows before it has called anybody: its input, the item that it makes, the id of the one that it is
/// on. The paths of `with` lead through this and nothing else.
pub(super) fn given(model: &Model, service: &Service, operation: &Operation) -> Vec<Source> {
    let id = |resource: &str| Source::id("id", &shape::of_service(service, resource));
    match &operation.shape {
        Shape::Custom { of, .. } => [input(model, operation)].into_iter().chain(of.as_deref().map(id)).collect(),
        Shape::Verb { verb: Verb::List, .. } => Vec::new(),
        Shape::Verb { verb: Verb::Create, resource } => {
            let of = shape::of_service(service, resource);
            vec![item_source(model, &of, &names::rust::variable(resource))]
        }
        Shape::Verb { resource, .. } => vec![id(resource)],
    }
}

fn input(model: &Model, operation: &Operation) -> Source {
    if let Shape::Custom { input: Input::Payload(event), .. } = &operation.shape
        && let Some(found) = model.services.get(&event.service).and_then(|service| service.events.get(&event.event))
    {
        return match &found.payload {
            Payload::Resource(of) => item_source(model, of, "input"),
            Payload::Named(_) | Payload::Fields(_) => Source::record("input", &events::fields(model, found)),
        };
    }
    Source::record("input", &shape::input_fields(model, operation))
}

/// A variable with the answer of an operation, if it is one record or item.
pub(super) fn answer_source(model: &Model, owner: &Service, operation: &Operation, variable: &str) -> Option<Source> {
    let own = |resource: &str| Some(item_source(model, &shape::of_service(owner, resource), variable));
    match &operation.shape {
        Shape::Custom { output: Output::Resource(of), .. } => Some(item_source(model, of, variable)),
        Shape::Custom { of: Some(resource), output: Output::Item, .. } => own(resource),
        Shape::Custom { .. } => Some(Source::record(variable, &output_fields(model, operation)?)),
        Shape::Verb { verb: Verb::List | Verb::Delete, .. } => None,
        Shape::Verb { resource, .. } => own(resource),
    }
}

pub(super) fn item_source(model: &Model, of: &ResourceRef, variable: &str) -> Source {
    match shape::resource(model, of) {
        Some(resource) => Source::item(variable, resource, of),
        None => Source::record(variable, &[]),
    }
}

pub(super) fn output_fields(model: &Model, operation: &Operation) -> Option<Vec<Field>> {
    match &operation.shape {
        Shape::Custom { output: Output::Named(name), .. } => Some(record_fields(model, name)),
        Shape::Custom { output: Output::Fields(fields), .. } => Some(fields.clone()),
        _ => None,
    }
}

pub(super) fn record_fields(model: &Model, name: &str) -> Vec<Field> {
    match model.types.get(name) {
        Some(TypeDef::Record(record)) => record.fields.clone(),
        _ => Vec::new(),
    }
}
