//! REST: the edge around a router, extractors and answers that speak problem+json, server-sent events, the client, and
//! the server itself.
//!
//! ```
//! # use std::sync::Arc;
//! # use axum::{Router, extract::State, response::Response, routing::get};
//! # use kit::{Context, Etag, Failure, Validate, Violations};
//! # use kit_http::{Cx, Edge, IfNoneMatch, Json, Path, Problem, Query, answer, edge};
//! # #[derive(serde::Serialize, serde::Deserialize)] struct Item { id: u32, etag: Etag }
//! # #[derive(serde::Deserialize)] struct ItemDraft {}
//! # impl Validate for ItemDraft { fn validate(&self, _: &mut Violations) {} }
//! # struct Items;
//! # impl Items {
//! #     async fn get_item(&self, _: &Context, id: u32) -> Result<Item, Failure> { Ok(Item { id, etag: Etag(1) }) }
//! #     async fn create_item(&self, _: &Context, _: ItemDraft) -> Result<Item, Failure> { Err(Failure::stale()) }
//! # }
//! type Service = State<Arc<Items>>;
//!
//! async fn get_item(State(s): Service, cx: Cx, Path(id): Path<u32>, known: IfNoneMatch) -> Result<Response, Problem> {
//!     let item = s.get_item(&cx, id).await?;
//!     Ok(known.answer(item.etag, &item))
//! }
//!
//! async fn create_item(State(s): Service, cx: Cx, Json(input): Json<ItemDraft>) -> Result<Response, Problem> {
//!     let item = s.create_item(&cx, input).await?;
//!     Ok(answer::created(&["v1", "items", &item.id.to_string()], item.etag, &item))
//! }
//!
//! let routes = Router::new().route("/v1/items", axum::routing::post(create_item)).route("/v1/items/{id}", get(get_item));
//! let app: Router = edge(routes.with_state(Arc::new(Items)), Edge::default());
//! ```

mod accept;
mod admit;
pub mod answer;
mod client;
mod conditional;
mod cors;
mod edge;
mod escape;
mod events;
mod exchange;
mod extract;
mod grpc;
mod headers;
mod heartbeat;
mod located;
mod peer;
mod problem;
mod reader;
mod resume;
mod serve;
mod socket;
mod stopping;
mod talk;
mod upload;
pub mod version;
mod waiting;

pub use admit::admitting;
pub use client::{Client, Request};
pub use conditional::{IfMatch, IfMatchOne, IfNoneMatch};
pub use cors::{Cors, Origin};
pub use edge::{Edge, edge};
pub use events::Events;
pub use extract::{Cx, Json, JsonText, MergePatch, Path, Query};
/// What a request takes along of its context, for those who build one by hand.
pub use headers::send as send_context;
pub use heartbeat::Heartbeat;
pub use located::{InPath, Located, apart};
pub use peer::{Network, forwarded};
pub use problem::{Problem, kind, status};
pub use reader::{Event, EventReader};
/// An answer as it comes in.
pub use reqwest::Response as Incoming;
pub use serve::{Drained, Server, serve};
pub use talk::{Talk, is_too_large};
pub use upload::{Upload, brings_stream};
