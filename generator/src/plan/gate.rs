//! What every call of a service passes before its business code, where there is anything to guard.

use crate::model::{Model, Operation, Safety, Service};

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

/// Whether any calls of the service are counted.
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
