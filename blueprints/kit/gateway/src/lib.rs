//! One entry to several services: a gateway in the sense of RFC 9110, 3.7. It passes on what the table of a [`Front`]
//! names and nothing else, and each service behind it is called as any other is, behind a [`Link`](kit_resilience::Link)
//! with a policy and a bulkhead of its own: one that is slow, failing or gone takes nothing from the others.
//!
//! ```no_run
//! # use kit_gateway::{Front, Route};
//! # use kit_resilience::{Link, Policy};
//! static ORDERS: Front = Front {
//!     service: "orders",
//!     prefix: "/orders",
//!     routes: &[Route { method: "GET", path: "/v1/orders/{id}", operation: "get_order" }],
//! };
//!
//! # fn main() -> anyhow::Result<()> {
//! let link = Link::new("gateway → orders", Policy::default());
//! let router: axum::Router = kit_gateway::router("gateway", &ORDERS, "http://127.0.0.1:7101", link)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What passes
//!
//! Bodies pass both ways as they come, without a buffer in between, so a slow reader slows the writer down. A connection that
//! becomes a WebSocket (RFC 6455) is a tunnel, until either side ends it. Callers may speak HTTP/1.1 or HTTP/2; to those
//! behind it is HTTP/1.1. A path is passed on byte by byte, less the prefix: nothing in it is decoded or made shorter.
//!
//! | header | request | answer |
//! |---|---|---|
//! | `Connection`, what it names, and what else is for one hop (RFC 9110, 7.6.1) | dropped | dropped |
//! | `Via` (RFC 9110, 7.6.3) | this hop added | this hop added |
//! | `Forwarded` (RFC 7239) | who asks, for which host, by which protocol: as the connection says, or a proxy of ours | |
//! | `X-Forwarded-*`, `X-Real-IP`, anybody else's `Forwarded` | dropped: anyone can write them | |
//! | `Host` | that of the service | |
//! | `Origin` of a WebSocket | dropped: the gateway's own `cors` has let it pass | |
//! | `traceparent` | a span of this hop | |
//! | `request-timeout-ms` | what is left for this try | |
//! | `Location`, `Content-Location`, `Link` | | with the gateway's paths |
//! | `Access-Control-*` | | dropped: the gateway says itself who may read |
//! | all others: `Idempotency-Key`, `If-Match`, `Accept`, `Last-Event-ID`, `ETag`, … | as they are | as they are |
//!
//! # What callers see of trouble
//!
//! Answers of the services are passed on as they are, errors too. What the gateway answers itself is problem+json: 503 with
//! `Retry-After` where a service is gone, keeps failing, or has all its places taken; 504 where the head of its answer is
//! late; 408 where the rest of a request's body is, which says nothing of the service; 413 where it is too large. A stream of
//! input (NDJSON) has neither limit while it flows: the service holds each item to its own. A safe method (RFC 9110, 9.2.1)
//! without a body is tried again as the policy says; anything else only where nothing of it was sent.
//!
//! Streams of events and of input, WebSockets, and answers while they are read take none of the places for calls: they have
//! [their own](kit_resilience::Policy::streams).

mod backend;
mod body;
mod front;
mod headers;
mod references;
mod refused;
mod tunnel;

pub use front::{Front, Route, router};
