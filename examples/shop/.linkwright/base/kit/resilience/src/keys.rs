//! The idempotency keys of calls.

use kit::{Context, Failure, Operation, Safety};
use serde::Serialize;

/// The context of a call with this input, with an idempotency key if the operation needs one and there is none. It follows
/// from the key that the call is made under, if it is made under one ([`Context::behalf`]): work that is done again because
/// it failed, for a message that comes again or a caller who tries again, has no second effect on the other side.
///
/// # Errors
/// `internal`: the input has no JSON form.
pub fn keyed(cx: &Context, operation: &Operation, input: &impl Serialize) -> Result<Context, Failure> {
    match cx.behalf().filter(|_| needs_key(cx, operation)) {
        Some(intent) => Ok(cx.clone().keyed(intent.next_key(operation, input)?)),
        None => Ok(with_key(cx, operation)),
    }
}

fn needs_key(cx: &Context, operation: &Operation) -> bool {
    operation.safety == Safety::Keyed && cx.idempotency_key().is_none()
}

/// With a new key if the operation needs one: all tries have the same.
pub(crate) fn with_key(cx: &Context, operation: &Operation) -> Context {
    let cx = cx.clone();
    if needs_key(&cx, operation) { cx.keyed(uuid::Uuid::now_v7().to_string()) } else { cx }
}
