//! `on`: whether what an event carries is enough for what it runs (E502).

use super::{Checker, types};
use crate::{
    design, fit,
    model::{EventRef, Field, Input, Model, Operation, Output, Payload, Shape, StreamItem, TypeDef},
    names,
    source::Span,
};

pub(super) fn check(checker: &mut Checker, model: &Model) {
    let design = checker.design;
    for (service, lowered) in &model.services {
        let Some(written) = design.services.get(service) else { continue };
        for (name, operation) in &lowered.operations {
            let written = written.queries.get(name).or_else(|| written.commands.get(name));
            let Some(on) = written.and_then(|written| written.on.as_ref()) else { continue };
            for event in &operation.on {
                runs(checker, model, service, operation, event, &place(on, event));
            }
            for event in &operation.follows {
                streams(checker, model, operation, event, &place(on, event));
            }
            same_payload(checker, model, operation, &on.span);
        }
    }
}

/// Where the event stands in `on`.
fn place(on: &design::List<design::Reference>, event: &EventRef) -> Span {
    let named = on.value.iter().find(|reference| {
        reference.value.name == event.event
            && reference.value.owner.as_ref().is_none_or(|owner| *owner == event.service)
    });
    named.map_or_else(|| on.span.clone(), |reference| reference.span.clone())
}

/// A command gets its input and, with `of`, its item from the payload.
fn runs(checker: &mut Checker, model: &Model, service: &str, operation: &Operation, event: &EventRef, span: &Span) {
    let Some(payload) = fit::payload(model, event) else { return };
    let Shape::Custom { of, input, .. } = &operation.shape else { return };
    if let Some(resource) = of.as_ref().and_then(|of| model.services.get(service)?.resources.get(of)) {
        let key = format!("{}_id", names::snake(&resource.name));
        if let Some(id) = resource.fields.first() {
            let id = Field { name: key, default: None, ..id.clone() };
            carries(checker, model, operation, event, payload, &id, span);
        }
    }
    if matches!(input, Input::Fields(_) | Input::Named(_)) {
        for field in fit::input(model, input).unwrap_or_default() {
            carries(checker, model, operation, event, payload, field, span);
        }
    }
}

/// A query that streams sends each event on: as an item of its stream.
fn streams(checker: &mut Checker, model: &Model, operation: &Operation, event: &EventRef, span: &Span) {
    let Shape::Custom { output: Output::Stream(item), .. } = &operation.shape else { return };
    let Some(payload) = fit::payload(model, event) else { return };
    let item = match item {
        StreamItem::Named(name) => match model.types.get(name) {
            Some(TypeDef::Record(record)) => &record.fields,
            Some(TypeDef::Union(union)) => {
                let named =
                    model.services.get(&event.service).and_then(|s| s.events.get(&event.event)).map(|e| &e.payload);
                if !matches!(named, Some(Payload::Named(record)) if union.variants.contains(record)) {
                    let message = format!("the payload of `{}` is no variant of `{name}`", event.event);
                    checker.error("E502", span, message, format!("make it a record of [types] and add it to `{name}`"));
                }
                return;
            }
            _ => return,
        },
        StreamItem::Resource(of) => match fit::resource(model, of) {
            Some(resource) => &resource.fields,
            None => return,
        },
    };
    for field in item {
        carries(checker, model, operation, event, payload, field, span);
    }
}

/// Whether the payload has a field that is needed, with the same type.
fn carries(
    checker: &mut Checker,
    model: &Model,
    operation: &Operation,
    event: &EventRef,
    payload: &[Field],
    field: &Field,
    span: &Span,
) {
    let (name, needs) = (&operation.name, &field.name);
    let found = payload.iter().find(|carried| carried.name == *needs);
    match found {
        None if matches!(field.ty, crate::model::Type::Optional(_)) || field.default.is_some() => {}
        None => {
            let message = format!("`{name}` needs `{needs}`, which `{}` does not carry", event.event);
            let names_item = matches!(&operation.shape, Shape::Custom { of: Some(of), .. } if *needs == format!("{}_id", names::snake(of)));
            let help = match names_item {
                true => "add it to the payload: it says which item is meant",
                false => "make it optional, add it to the payload, or call for it with `calls`",
            };
            checker.error("E502", span, message, help);
        }
        Some(carried) if types::is_unknown(&carried.ty) || types::is_unknown(&field.ty) => {}
        Some(carried) if fit::fits(model, &carried.ty, &field.ty) => {}
        Some(carried) => {
            let (has, wants) = (fit::shown(&carried.ty), fit::shown(&field.ty));
            let message = if has == wants {
                format!("`{name}` takes narrower bounds for `{needs}` than `{}` carries", event.event)
            } else {
                format!("`{name}` takes `{needs}` as `{wants}`, but `{}` carries `{has}`", event.event)
            };
            checker.error("E502", span, message, "give both the same type");
        }
    }
}

/// Without an input of its own a command takes the payload, so there is one.
fn same_payload(checker: &mut Checker, model: &Model, operation: &Operation, span: &Span) {
    let Shape::Custom { input: Input::Payload(first), .. } = &operation.shape else { return };
    let payload = |event: &EventRef| Some(&model.services.get(&event.service)?.events.get(&event.event)?.payload);
    for event in operation.on.iter().skip(1) {
        let (Some(a), Some(b)) = (payload(first), payload(event)) else { continue };
        let same = match (a, b) {
            (Payload::Fields(_), Payload::Fields(_)) => false,
            (Payload::Named(name), _) | (_, Payload::Named(name)) if name.is_empty() => true,
            (a, b) => a == b,
        };
        if !same {
            let message = format!(
                "`{}` has no input of its own, and `{}` and `{}` carry different payloads",
                operation.name, first.event, event.event
            );
            checker.error("E502", span, message, "write `input` with the fields that both have");
        }
    }
}
