//! gRPC: values as protobuf messages, the call's context as metadata, failures as rich statuses.
//!
//! A contract's `grpc` module says how its types look on the wire ([`message!`], [`patch!`], [`union!`], [`list!`],
//! [`option!`]) and has one line an operation: [`received`] and [`answer`] in the server, [`request`] and [`output`] in
//! the client. Ids and choices say it where they are declared: [`id!`], [`choice!`]. A whole one is
//! `tests/shelf/grpc.rs`, over messages that prost made with every singular field `optional` and maps as `BTreeMap`.

mod channel;
mod client;
mod codec;
mod declare;
mod mask;
mod order;
mod rich;
mod scalar;
mod server;
mod standard;
mod status;
mod whole;

pub use channel::{Channel, connect};
pub use client::{Messages, exchange, output, outputs, request, send};
pub use codec::{Proto, defaulted, field, missing, required};
#[doc(hidden)]
pub use kit::Failure;
pub use mask::{Mask, Populated};
pub use order::{order_by, sort};
pub use server::{Items, answer, context, read, received, routes, stream, talk};
pub use standard::{Health, standard};
pub use status::{error, status};
