//! What answers in place of a service that does not: the outermost part of a link, written after its call.
//!
//! ```text
//! let cx = &keyed(cx, &operations::RESTOCK, &input)?;
//! let result = self.link.call(cx, &operations::RESTOCK, attempt).await;
//! let result = fallback::queue(cx, &operations::RESTOCK, result, || self.queue.restock(cx, input)).await;
//! fallback::default(cx, &operations::RESTOCK, result, Restocked::default)
//! ```
//!
//! The last good answers of queries are [`LastAnswers`](crate::LastAnswers), mark `inventory.look=cache;age=12`.
//!
//! Each steps in for errors that say nothing of the request (`unavailable`, `timeout`, `limited`; so also for an open
//! circuit, a full bulkhead and a deadline that has passed), and leaves everything else as it is. The answer is marked,
//! so that no stand-in passes for the real thing: [`Context::marks`]. Where there are several, the first that steps in
//! leaves no error for the next.

use std::fmt;

use kit::{Context, Operation, OperationError};

use crate::link::may_repeat;

/// Answers with a value of our own: mark `inventory.reserve=default`.
///
/// If the call had no answer in time, what it asked for may still have been done.
pub fn default<T, E: OperationError>(
    cx: &Context,
    operation: &Operation,
    result: Result<T, E>,
    value: impl FnOnce() -> T,
) -> Result<T, E> {
    result.or_else(|error| {
        if !error.kind().is_transient() {
            return Err(error);
        }
        mark(cx, operation, "default", &error);
        Ok(value())
    })
}

/// Leaves a command for later: mark `inventory.restock=queue`. `enqueue` must have stored it when it returns, with the
/// idempotency key of `cx`, which is that of the call if `cx` comes from [`keyed`](crate::keyed).
///
/// An unsafe operation is left for later only if it cannot have reached the other side, for a queue delivers it without
/// asking what has become of the call. If the queue fails too, the caller has the error of the call.
pub async fn queue<E, F, Q>(
    cx: &Context,
    operation: &Operation,
    result: Result<(), E>,
    enqueue: impl FnOnce() -> F,
) -> Result<(), E>
where
    E: OperationError,
    F: Future<Output = Result<(), Q>> + Send,
    Q: fmt::Display,
{
    let Err(error) = result else { return Ok(()) };
    if !error.kind().is_transient() || !may_repeat(operation, &error) {
        return Err(error);
    }
    match enqueue().await {
        Ok(()) => {
            mark(cx, operation, "queue", &error);
            Ok(())
        }
        Err(failure) => {
            tracing::warn!(service = operation.service, operation = operation.name, error = %failure, "not queued either");
            Err(error)
        }
    }
}

pub(crate) fn mark(cx: &Context, operation: &Operation, kind: &str, error: &impl OperationError) {
    tracing::info!(service = operation.service, operation = operation.name, fallback = kind, %error, "fell back");
    cx.marks().add(format!("{}.{}={kind}", operation.service, operation.name));
}
