//! What emitted business code does before anybody has written any: it makes the declared calls, fills every input and
//! answer by field name, and takes examples for the rest.

mod calls;
mod items;
mod sources;
mod statements;

use std::collections::BTreeSet;

use crate::{
    contracts::shape,
    escape,
    model::{
        EventRef, Field, Input, Model, Operation, Output, Payload, Scalar, Service, Shape, StreamItem, Type, TypeDef,
    },
    names,
};

pub use calls::{arguments, guesses, record_of, required_keys, sends};
pub use statements::mentions;

use super::{
    events,
    examples::{self, Source},
    operations::response_name,
    publish,
    rust::user,
};
use calls::calls;
use items::{on_item, verb_lines};
use sources::{given, output_fields};
use statements::{bound, moved};

/// The statements of an operation.
pub fn body(model: &Model, service: &Service, operation: &Operation) -> Vec<String> {
    let lines = match &operation.shape {
        Shape::Custom { of, output, .. } => {
            let mut sources = given(model, service, operation);
            let mut lines: Vec<String> = read_lines(model, operation, &mut sources);
            lines.extend(calls(model, service, operation, &mut sources));
            match of.as_ref().and_then(|of| service.resources.get(of)) {
                _ if !operation.follows.is_empty() => lines.extend(follow_lines(model, service, operation)),
                Some(resource) => lines.extend(on_item(model, service, operation, resource, output, &mut sources)),
                None => {
                    let answer = answer_lines(model, operation, &sources);
                    lines.extend(publish::effect(model, service, operation, &sources, answer));
                }
            }
            lines
        }
        Shape::Verb { verb, resource } => match service.resources.get(resource) {
            Some(resource) => verb_lines(model, service, operation, *verb, resource),
            None => Vec::new(),
        },
    };
    moved(bound(lines))
}

/// The events that a query sends on, as items of its stream.
fn follow_lines(model: &Model, service: &Service, operation: &Operation) -> Vec<String> {
    let types: Vec<String> = operation.follows.iter().map(|event| events::seen_from(service, event)).collect();
    let listed: Vec<String> = types.iter().map(|ty| format!("{ty}::TYPE")).collect();
    let payload = if operation.errors.is_empty() { "message?.payload()" } else { "Ok(message?.payload()?)" };
    let item = match &operation.shape {
        Shape::Custom { output: Output::Stream(StreamItem::Named(union)), .. }
            if matches!(model.types.get(union), Some(TypeDef::Union(_))) =>
        {
            let last = types.len() - 1;
            let arm = |(number, event): (usize, &EventRef)| {
                let found = model.services.get(&event.service).and_then(|service| service.events.get(&event.event));
                let Some(Payload::Named(variant)) = found.map(|event| &event.payload) else { return String::new() };
                let kind = if number == last { "_".to_owned() } else { format!("{}::TYPE", types[number]) };
                format!("{kind} => {}::{variant}(message.payload()?), ", user(union))
            };
            let arms: String = operation.follows.iter().enumerate().map(arm).collect();
            format!("{{ let message = message?; Ok(match message.kind.as_str() {{ {arms} }}) }}")
        }
        _ => payload.to_owned(),
    };
    let members: Option<BTreeSet<String>> =
        operation.follows.iter().map(|event| events::about(model, service, operation, event)).collect();
    // If all of them call it the same.
    let member = members.filter(|members| members.len() == 1).and_then(|members| members.into_iter().next());
    let which = match member {
        Some(member) => {
            let member = escape::rust_str(&member);
            format!("let messages = kit_messaging::about(messages, {member}, &id)?;")
        }
        None => "// Yours: which of them the caller gets.".to_owned(),
    };
    let read = shape::on_item(operation).map(|resource| {
        let module = names::rust::module(resource);
        format!("store::{module}::get(self.store.read(), &id).await?;")
    });
    let follow = [
        format!("let messages = self.broker.follow(&[{}]).await?;", listed.join(", ")),
        which,
        format!("Ok(Box::pin(messages.map(|message| {item})))"),
    ];
    read.into_iter().chain(follow).collect()
}

/// Reads an input to its end before anything else is done, and counts its items where the answer has room for that.
/// Where the output is a stream too, each item is answered as it comes.
fn read_lines(model: &Model, operation: &Operation, sources: &mut Vec<Source>) -> Vec<String> {
    let Shape::Custom { input: Input::Stream(_), output, .. } = &operation.shape else { return Vec::new() };
    let whole = |field: &Field| match &field.ty {
        Type::Scalar(Scalar::U32 { min, max }) => (*min, *max) == (u32::MIN, u32::MAX),
        Type::Scalar(Scalar::U64 { min, max }) => (*min, *max) == (u64::MIN, u64::MAX),
        _ => false,
    };
    let count = match output {
        Output::Stream(_) => return Vec::new(),
        _ => output_fields(model, operation).and_then(|fields| fields.into_iter().find(whole)),
    };
    let yours = "// Yours: what becomes of each item.".to_owned();
    let read = match count {
        Some(field) => {
            let name = names::rust::ident(&field.name);
            sources.insert(0, Source { values: vec![(field, name.clone())], item: None });
            format!("let {name} = input.try_fold(0, async |count, _| Ok(count + 1)).await?;")
        }
        None => "input.try_for_each(async |_| Ok(())).await?;".to_owned(),
    };
    vec![yours, read]
}

fn answer_lines(model: &Model, operation: &Operation, sources: &[Source]) -> Vec<String> {
    let Shape::Custom { input, output, .. } = &operation.shape else { return Vec::new() };
    if matches!((input, output), (Input::Named(given), Output::Named(due)) if given == due)
        && operation.calls.is_empty()
        && operation.emits.is_empty()
    {
        return vec!["Ok(input)".into()];
    }
    let record = match output {
        Output::Named(name) => user(name),
        Output::Fields(_) => user(&response_name(operation)),
        Output::Resource(of) => {
            let item = sources.iter().find_map(|source| source.holds(of)).map(str::to_owned);
            let item = item.unwrap_or_else(|| examples::example(model, &Type::Resource(of.clone()), ""));
            return vec![format!("Ok({item})")];
        }
        Output::Stream(item) => {
            if let Input::Stream(given) = input {
                return exchanged(model, operation, given, item);
            }
            let item = match item {
                StreamItem::Named(name) => examples::example_of(model, name, ""),
                StreamItem::Resource(of) => examples::example(model, &Type::Resource(of.clone()), ""),
            };
            return vec![format!("Ok(Box::pin(futures_util::stream::iter([Ok({item})])))")];
        }
        Output::None | Output::Item => return vec!["Ok(())".into()],
    };
    let fields = output_fields(model, operation).unwrap_or_default();
    vec![format!("Ok({record} {{ {} }})", examples::filled(model, &fields, sources, ""))]
}

/// Each item of an input, answered by one that is filled from it by field name.
fn exchanged(model: &Model, operation: &Operation, given: &str, due: &StreamItem) -> Vec<String> {
    let record = |name: &str| match model.types.get(name) {
        Some(TypeDef::Record(record)) => Some(record.fields.clone()),
        _ => None,
    };
    let answer = match due {
        StreamItem::Named(name) if name == given && operation.errors.is_empty() => return vec!["Ok(input)".into()],
        StreamItem::Named(name) if name == given => return vec!["Ok(Box::pin(input.map(|item| Ok(item?))))".into()],
        StreamItem::Named(name) => match record(name) {
            Some(fields) => {
                let item = Source::record("item", &record(given).unwrap_or_default());
                format!("{} {{ {} }}", user(name), examples::filled(model, &fields, &[item], ""))
            }
            None => examples::example_of(model, name, ""),
        },
        StreamItem::Resource(of) => examples::example(model, &Type::Resource(of.clone()), ""),
    };
    let taken = if mentions(&answer, "item") { "let item = item?" } else { "item?" };
    vec![format!("Ok(Box::pin(input.map(|item| {{ {taken}; Ok({answer}) }})))")]
}
