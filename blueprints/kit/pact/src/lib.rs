//! Consumer-driven contract tests: what one service asks of another and hears from it stands in a file of the Pact
//! Specification, version 4. Who asks writes it, who answers is held to it.
//!
//! * [`Pact`]: the side that asks. Its real client calls a scripted service; what was asked and what of the answers it reads
//!   is an interaction. Then the client has to be content with an answer that has nothing else. Only then it is written.
//! * [`prove`]: the side that answers. The real service is brought into the state that an interaction speaks of, and the
//!   verifier of the Pact project, a program of its own, asks and judges it.
//! * [`complete`]: no file speaks of services that are not there, or is written by nobody any more.
//!
//! An answer may have more than a pact names, and other values; what is named has to be there and of its type.

mod asked;
mod common;
mod file;
mod heard;
mod verify;

pub use asked::{Given, Peer};
pub use file::{Pact, complete};
pub use verify::prove;
