//! What every call of a service passes before its business code, where there is anything to guard.

use crate::model::{Limits, Model, Operation, Safety, Service};

use super::{events, queue};

/// Whether the first answer under a key is kept: for callers who send one with a command, and for messages, which may
/// come again.
pub fn keeps_answer(model: &Model, service: &Service, operation: &Operation) -> bool {
    let is_repeated = operation.safety == Safety::Keyed || is_run_by_messages(model, service, operation);
    events::has_store(model, service) && is_repeated && !operation.streams() && !operation.reads()
}

/// Whether calls of the operation are counted: its own, or those of its service. Messages are not.
pub fn is_limited(model: &Model, service: &Service, operation: &Operation) -> bool {
    service.counts(operation) && model.is_called(&service.name, &operation.name)
}

/// Whether anything that callers ask is counted.
pub fn counts(model: &Model, service: &Service) -> bool {
    limits(model, service) || counts_passing(service)
}

/// Whether what passes through it to others is counted, as its own calls are.
pub fn counts_passing(service: &Service) -> bool {
    !service.fronts.is_empty() && service.limits != Limits::default()
}

/// Whether any calls of its own operations are counted.
pub fn limits(model: &Model, service: &Service) -> bool {
    service.operations.values().any(|operation| is_limited(model, service, operation))
}

/// Whether any first answer of the service is kept.
pub fn keeps_answers(model: &Model, service: &Service) -> bool {
    service.operations.values().any(|operation| keeps_answer(model, service, operation))
}

fn is_run_by_messages(model: &Model, service: &Service, operation: &Operation) -> bool {
    !operation.on.is_empty() || queue::is_taken(model, service, operation)
}
