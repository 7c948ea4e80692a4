//! JSON-RPC 2.0 (<https://www.jsonrpc.org/specification>) over HTTP: what is asked, what is answered, the client.
//!
//! Each version of a service answers `POST` at a path of its own, `/v1/rpc`. What the specification leaves open is done so:
//!
//! | what | how |
//! |---|---|
//! | status | 200 with a response, an error too; 204 if nothing is answered. What never came to be a request is problem+json: 405, 406, 413, 415, 503 |
//! | parameters | by name; by position where the positions are fixed by the method's kind (`order.replace`: id, item, revision), not where they are the fields of an input, whose order is no part of a contract |
//! | strictness | members that nobody knows, or that are there twice, are refused, in requests and in parameters |
//! | `id` | text, number or null, given back as it was written; a request with `"id": null` is answered, as section 4.1 has it |
//! | batches | at most [`BATCH`] requests, [`AT_ONCE`] at work at a time, answered in their order |
//! | deadline, trace | of the HTTP request, for every call of a batch; each is a span of its own |
//! | idempotency key | the header's for a single call; in a batch each call has `<key>/<index>`, so a repeated batch has the same keys |
//! | stand-ins | the header `fallback` tells of them, for a batch of all of them |
//!
//! ```
//! # use std::sync::Arc;
//! # use kit::{Context, Failure};
//! use kit_jsonrpc::{Asked, Outcome, answer, endpoint};
//!
//! # struct Shelf;
//! # impl Shelf { async fn count(&self, _: &Context, id: u32) -> Result<u32, Failure> { Ok(id) } }
//! async fn call(shelf: Arc<Shelf>, cx: Context, asked: Asked) -> Outcome {
//!     match asked.method() {
//!         "shelf.count" => {
//!             let (id,) = asked.params(["id"])?;
//!             answer(shelf.count(&cx, id).await)
//!         }
//!         _ => asked.unknown(),
//!     }
//! }
//!
//! let app: axum::Router = kit_http::edge(endpoint("/v1/rpc", Arc::new(Shelf), call), kit_http::Edge::default());
//! ```

mod client;
mod endpoint;
mod error;
mod params;
mod request;

pub use client::Client;
pub use endpoint::{AT_ONCE, Outcome, answer, document, endpoint};
pub use error::{Data, Error, code, kind};
pub use params::{FromParams, Named, named, on_item};
pub use request::{Asked, BATCH};
