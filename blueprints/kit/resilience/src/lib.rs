//! What stands between a caller and a service that may be slow, failing or gone: a [`Link`] puts each call of one
//! service to another through a [`Policy`], whatever carries the call.
//!
//! A contract's `Linked { inner: Arc<dyn Inventory>, link: Link }` is itself an `Inventory`: its methods call
//! [`Link::call`], or [`Link::open`] where the answer is a stream, then the declared [`fallback`]. From the caller
//! inwards:
//!
//! ```text
//! fallback → total deadline → retry → circuit breaker → bulkhead → per-try timeout → the call
//! ```
//!
//! `tests/link/contract.rs` has such a contract; `tests/link/order.rs` has a test for each arrow.

mod answers;
mod breaker;
mod budget;
mod bulkhead;
pub mod fallback;
mod keys;
mod link;
mod policy;
mod source;
mod ways;

pub use answers::{Asked, LastAnswers, LastAnswersState};
pub use breaker::BreakerState;
pub use keys::keyed;
pub use link::{Held, Link, LinkState};
pub use policy::{Backoff, Breaker, Budget, Policy, Retry};
pub use ways::Ways;
