//! What the flows of `smoke` must hear of: the subscriptions that get a message when every operation that callers reach
//! has run once with example input.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    escape,
    model::{EventRef, Exposure, Field, Model, Operation, OperationRef, Service, Shape, Transport, Type, Verb},
};

use super::{day_one, events, queue};

/// A subscription that the flows must reach.
#[derive(Debug, Serialize)]
pub struct Heard {
    /// Rust string literals.
    pub what: String,
    pub subscription: String,
    /// `acknowledged`; `delivered` where examples cannot know which item is meant, so that it may be refused.
    pub function: &'static str,
}

/// All of them.
pub fn heard(model: &Model) -> Vec<Heard> {
    let running = running(model);
    let mut all = Vec::new();
    for (service, operation) in model.operations() {
        let published = |event: &&&EventRef| running.iter().any(|(s, o)| emitted(s, o).is_some_and(|e| e == ***event));
        for hearing in events::hearings(model, service, operation) {
            if let Some(event) = hearing.events.iter().find(published) {
                let what = format!("{}.{} → {}", event.service, event.event, hearing.subscription);
                all.push(one(model, service, operation, &what, &hearing.subscription));
            }
        }
        let place = place(service, operation);
        let sender = running.iter().find(|(from, caller)| commands(model, from, caller).contains(&place));
        let name = queue::queue(service, operation);
        if let Some((from, caller)) = sender {
            let what = format!("{}.{} → {name}", from.name, caller.name);
            all.push(one(model, service, operation, &what, &name));
        } else if operation.expose.has(Transport::Queue) {
            all.push(one(model, service, operation, &name, &name));
        }
    }
    all
}

fn one(model: &Model, service: &Service, operation: &Operation, what: &str, subscription: &str) -> Heard {
    Heard {
        what: escape::rust_str(what),
        subscription: escape::rust_str(subscription),
        function: if is_sure(model, service, operation) { "acknowledged" } else { "delivered" },
    }
}

/// The operations that callers outside reach, and those that run because of them, as far as they are sure to succeed.
fn running(model: &Model) -> Vec<(&Service, &Operation)> {
    let callers =
        |operation: &Operation| operation.expose.transports().any(|transport| transport != Transport::Graphql);
    let sure = || model.operations().filter(|(service, operation)| is_sure(model, service, operation));
    let mut running: Vec<_> = sure().filter(|(_, operation)| callers(operation)).collect();
    loop {
        let published: BTreeSet<EventRef> = running.iter().filter_map(|(s, o)| emitted(s, o)).collect();
        let sent: BTreeSet<OperationRef> = running.iter().flat_map(|(s, o)| commands(model, s, o)).collect();
        let runs = |service: &Service, operation: &Operation| {
            operation.on.iter().any(|event| published.contains(event)) || sent.contains(&place(service, operation))
        };
        let known = |of: &Operation| running.iter().any(|(_, operation)| std::ptr::eq(*operation, of));
        let more: Vec<_> = sure().filter(|(service, own)| runs(service, own) && !known(own)).collect();
        if more.is_empty() {
            return running;
        }
        running.extend(more);
    }
}

/// It works with example input: an example names no item that is there, but what has to be referred to is made before it
/// over every transport; and what is called may fail. Commands are only sent.
fn is_sure(model: &Model, service: &Service, operation: &Operation) -> bool {
    let needs_no_item = match &operation.shape {
        Shape::Custom { of, .. } => of.is_none(),
        Shape::Verb { verb, .. } => *verb == Verb::Create,
    };
    let sends = operation.calls.iter().all(|call| queue::by_queue(model, service, &call.to));
    let is_made =
        |field: &Field| matches!(&field.ty, Type::Ref(to) if is_made(model, service, &to.resource, operation.expose));
    let refers = day_one::required_keys(service, operation).into_iter().all(is_made);
    needs_no_item && operation.errors.is_empty() && sends && refers
}

/// Whether every one of these transports creates an item of the resource for sure.
fn is_made(model: &Model, service: &Service, resource: &str, over: Exposure) -> bool {
    service.operations.values().any(|operation| {
        let creates = matches!(&operation.shape, Shape::Verb { verb: Verb::Create, resource: of } if of == resource);
        creates
            && over.transports().all(|transport| operation.expose.has(transport))
            && is_sure(model, service, operation)
    })
}

/// What an operation publishes when it succeeded.
fn emitted(service: &Service, operation: &Operation) -> Option<EventRef> {
    let event = operation.emits.first()?.clone();
    Some(EventRef { service: service.name.clone(), event })
}

/// What an operation sends through the queue.
fn commands(model: &Model, service: &Service, operation: &Operation) -> Vec<OperationRef> {
    let sent = operation.calls.iter().filter(|call| queue::by_queue(model, service, &call.to));
    sent.map(|call| call.to.clone()).collect()
}

fn place(service: &Service, operation: &Operation) -> OperationRef {
    OperationRef { service: service.name.clone(), operation: operation.name.clone() }
}
