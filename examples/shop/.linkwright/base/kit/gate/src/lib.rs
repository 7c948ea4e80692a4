//! What every call of a service passes, whatever carries it. The gate stands around the business code, so that REST,
//! gRPC, GraphQL and messages all meet the same one.
//!
//! **One effect under one key.** A call with an idempotency key, as `draft-ietf-httpapi-idempotency-key-header-07` has it,
//! is done once: its first answer is kept by caller, operation and key, and a repeat is given the same one. A key that
//! comes with another input is refused (`invalid`), one whose first call is still at work too (`conflict`, with the time
//! to ask again). Messages are calls whose key is their id. Only successes are kept: what failed has changed nothing, and
//! may be tried again under its key.
//!
//! An answer is kept for good in the transaction of the effect, by the line `answers::keep(&mut tx, cx, &order).await?`
//! before its commit: then a process that ends at any moment, or another one that does the same at the same time, leaves
//! one effect. Where business code has no such line, [`Call::once`] keeps the answer after the work; if the process ends
//! between the two, a repeat does the work again.
//!
//! **So many calls in so much time.** A call counts in the limit of its operation and in those of the service, for its
//! caller: who has proved who they are, else the address they call from. One too many is refused (`limited`) with the time
//! after which it is let in. Messages are not counted, and of what is fetched together for one answer only the first.
//!
//! ```
//! use kit::{Context, Failure, Operation, Safety};
//! use kit_gate::Gate;
//!
//! static PLACE: Operation = Operation { service: "orders", name: "place", safety: Safety::Keyed };
//!
//! # async fn work(_: &Context, _: String) -> Result<u32, Failure> { Ok(1) }
//! async fn place(gate: &Gate, cx: &Context, input: String) -> Result<u32, Failure> {
//!     let call = gate.call(cx, &PLACE, &input)?;
//!     call.once(|cx| async move { work(&cx, input).await }).await
//! }
//! ```

mod ledger;
mod limit;
mod once;
mod rate;

pub use ledger::{Kept, Ledger, encode};
pub use limit::{Counted, Counters, Limits, LocalCounters};
pub use once::{Call, Gate, still_at_work};
pub use rate::Rate;
