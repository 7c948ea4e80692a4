//! What every operation shares, whatever carries it: who calls and by when, how it fails, what values look like on
//! the wire, what makes input valid.

mod context;
mod declare;
mod failure;
pub mod grpc;
mod id;
pub mod input;
mod intent;
pub mod json;
mod operation;
pub mod page;
pub mod patch;
mod span;
mod standing;
pub mod strict;
pub mod tagged;
mod trace;
mod validate;

use std::pin::Pin;

pub use anyhow::Error as Cause;

pub use context::{Caller, Context, Marks, Origin};
pub use failure::{Failure, FieldError, Kind, OperationError, Wire, data, if_there, log_cause, record, those_found};
pub use id::Etag;
pub use intent::Intent;
pub use operation::{Operation, Safety};
pub use page::Cursor;
pub use serde_json::Value as Data;
pub use span::Span;
pub use standing::Standing;
pub use trace::Trace;
pub use validate::{Validate, Violations};

/// The items of a `stream T`: of an output with the operation's error, of an input with [`Failure`]. An error ends it.
pub type Stream<T, E> = Pin<Box<dyn futures_util::Stream<Item = Result<T, E>> + Send>>;
