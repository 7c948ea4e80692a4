//! Views of commands that travel through the queue: in the contract, and in the service that does them.

use serde::Serialize;

use crate::{
    contracts::asyncapi,
    escape,
    model::{Delivery, Link, Model, Operation, OperationRef, Policy, Service, Transport, Via},
    names,
};

use super::{
    events::{self, Consumer},
    operations::{self, OperationView},
};

/// The version that commands have as long as designs cannot say another one.
const VERSION: u32 = 1;

/// One operation through the queue.
#[derive(Debug, Serialize)]
pub struct QueuedOperation {
    #[serde(flatten)]
    pub operation: OperationView,
    /// Rust string literals.
    pub queue: String,
    pub kind: String,
    /// Of the function that makes the message: `, id: &OrderId, input: &CancelRequest`
    pub borrowed: String,
    /// What makes the message.
    pub message: String,
    /// `, &id, &input`
    pub references: String,
    /// `, id.clone(), input.clone()`
    pub copies: String,
    /// `, message.member("id")?, message.input(&["id"])?`
    pub reads: String,
    /// `message`, or `_message` where nothing is read of it.
    pub read: &'static str,
}

/// The operation as the contract of its service sends and takes it.
pub fn operation(model: &Model, service: &Service, operation: &Operation) -> QueuedOperation {
    let view = operations::view(model, service, operation);
    let each = |text: &dyn Fn(&operations::Param) -> String| view.params.iter().map(text).collect::<String>();
    let is_input = |param: &operations::Param| param.name == "input";
    let beside: Vec<String> = view.params.iter().filter(|p| !is_input(p)).map(|p| escape::rust_str(&p.name)).collect();
    let mut steps = vec![format!("Message::command(cx, &super::{}, source)", view.constant)];
    steps.extend(view.params.iter().map(|param| match is_input(param) {
        true => ".with_input(input)".to_owned(),
        false => format!(".with(\"{0}\", {0})", param.name),
    }));
    QueuedOperation {
        queue: escape::rust_str(&queue(service, operation)),
        kind: escape::rust_str(&names::event_type(&model.name, &service.name, &operation.name, VERSION)),
        borrowed: each(&|param| format!(", {}: &{}", param.name, param.ty)),
        message: steps.join("?"),
        references: each(&|param| format!(", &{}", param.name)),
        copies: each(&|param| format!(", {}", param.clone)),
        reads: each(&|param| match is_input(param) {
            true => format!(", message.input(&[{}])?", beside.join(", ")),
            false => format!(", message.member({})?", escape::rust_str(&param.name)),
        }),
        read: if view.params.is_empty() { "_message" } else { "message" },
        operation: view,
    }
}

/// Where the commands wait. What events run besides has a queue of that name already.
pub fn queue(service: &Service, operation: &Operation) -> String {
    let name = events::subscription(service, operation);
    if operation.on.is_empty() { name } else { name + ".commands" }
}

/// Whether the service takes the operation from the queue.
pub fn is_taken(model: &Model, service: &Service, operation: &Operation) -> bool {
    model.served(&service.name, &operation.name).has(Transport::Queue)
}

/// Whether the service takes anything from the queue.
pub fn takes(model: &Model, service: &Service) -> bool {
    service.operations.values().any(|operation| is_taken(model, service, operation))
}

/// Whether the service sends commands through the queue, if only when a call fails.
pub fn sends(model: &Model, service: &Service) -> bool {
    !asyncapi::sent(model, service).is_empty()
}

/// Whether the service calls the operation through the queue alone.
pub fn by_queue(model: &Model, from: &Service, to: &OperationRef) -> bool {
    model.link(&from.name, to).is_some_and(|link| link.via() == Some(Via::Queue))
}

/// The consumers of a service's commands.
pub fn consumers(model: &Model, service: &Service, contract: &str) -> Vec<Consumer> {
    let taken = service.operations.values().filter(|operation| is_taken(model, service, operation));
    taken.map(|operation| consumer(model, service, operation, contract)).collect()
}

/// The policy of a command's queue.
pub fn policy(model: &Model, service: &Service, operation: &Operation) -> Policy {
    careful(&policies(model, service, operation))
}

fn policies<'m>(model: &'m Model, service: &Service, operation: &Operation) -> Vec<&'m Policy> {
    let place = OperationRef { service: service.name.clone(), operation: operation.name.clone() };
    let queued = |link: &&Link| link.via() == Some(Via::Queue) || link.policy.queues();
    model.links_to(&place).filter(queued).map(|link| &link.policy).collect()
}

fn consumer(model: &Model, service: &Service, operation: &Operation, contract: &str) -> Consumer {
    let policies = policies(model, service, operation);
    let policy = careful(&policies);
    let constant = names::rust::constant(&operation.name);
    let (method, variable) = (names::rust::ident(&operation.name), names::rust::variable(&service.name));
    let mut consumer = Consumer::new(
        format!("`{}`, from the queue.", operation.name),
        format!("take_{}", operation.name),
        queue(service, operation),
        &policy,
    );
    consumer.subscribed = format!("{contract}::queue::{constant}.subscription()");
    consumer.call = format!("{contract}::queue::server::{method}(&*{variable}, &cx, &message)");
    if policies.iter().any(|one| **one != policy) {
        consumer.promise.push("Several links lead here: of each setting the most careful counts.".into());
    }
    consumer
}

/// Of each setting the one that loses least. Where no link says anything, the usual.
fn careful(policies: &[&Policy]) -> Policy {
    let Some((first, others)) = policies.split_first() else { return Policy::message() };
    let mut policy = (*first).clone();
    for other in others {
        policy.timeout = policy.timeout.max(other.timeout);
        policy.retry.attempts = policy.retry.attempts.max(other.retry.attempts);
        policy.retry.backoff.0 = policy.retry.backoff.0.max(other.retry.backoff.0);
        policy.retry.backoff.1 = policy.retry.backoff.1.max(other.retry.backoff.1);
        policy.dead_letter |= other.dead_letter;
        if other.batch.size > policy.batch.size {
            policy.batch = other.batch;
        }
        if other.delivery == Delivery::AtLeastOnce {
            policy.delivery = Delivery::AtLeastOnce;
        }
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_policies_the_most_careful_counts() {
        let quick = Policy { delivery: Delivery::AtMostOnce, dead_letter: false, ..Policy::call() };
        assert_eq!(careful(&[]), Policy::message());
        assert_eq!(careful(&[&quick]), quick);
        let both = careful(&[&quick, &Policy::message()]);
        assert_eq!(both, Policy { breaker: both.breaker, ..Policy::message() });
    }
}
