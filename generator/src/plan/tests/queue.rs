//! What proves a service through the queue: each command from its sender to the scripted service and back.

use serde::Serialize;

use crate::{
    escape,
    model::{Model, Operation, Service},
};

use super::{
    super::{
        queue::{self, QueuedOperation},
        ways,
    },
    Declared, Round, tested,
};

/// What `tests/mapping/by_queue.rs` sees.
#[derive(Serialize)]
pub struct Suite {
    contract: String,
    service_trait: String,
    commands: Vec<Case>,
    /// The same, where they stand in for calls.
    stand_ins: Vec<Case>,
}

#[derive(Clone, Serialize)]
struct Case {
    /// A Rust string literal.
    what: String,
    name: String,
    method: String,
    constant: String,
    /// `(id, input,)`
    names: String,
    /// `(OrderId, CancelRequest,)`
    inputs: String,
    rounds: Vec<Round>,
    least: Round,
    /// `, id, input`
    arguments: String,
    errors: Vec<Declared>,
    /// Whether there is input that could be wrong.
    poison: bool,
}

pub fn suite(model: &Model, service: &Service, contract: String, service_trait: String) -> Suite {
    let taken = service.operations.values().filter(|operation| queue::is_taken(model, service, operation));
    let commands: Vec<Case> = taken.map(|operation| case(model, service, operation)).collect();
    let stand_ins = if ways::stands_in(model, service) { commands.clone() } else { Vec::new() };
    Suite { contract, service_trait, commands, stand_ins }
}

fn case(model: &Model, service: &Service, operation: &Operation) -> Case {
    let QueuedOperation { operation: view, .. } = queue::operation(model, service, operation);
    let tested = tested(model, service, operation);
    Case {
        what: escape::rust_str(&format!("{}.{} through the queue", service.name, operation.name)),
        name: operation.name.clone(),
        poison: !view.params.is_empty(),
        method: view.method,
        constant: view.constant,
        arguments: view.arguments,
        names: tested.names,
        inputs: tested.inputs,
        rounds: tested.rounds,
        least: tested.least,
        errors: tested.errors,
    }
}
