//! The model to the documents of each service: OpenAPI, OpenRPC, AsyncAPI, GraphQL, proto and JSON Schema, and what is made of
//! them. All of it is pure: the same model and wire lock give the same bytes.
//!
//! Every document holds its own copy of the types it uses. What the design's names become is [`crate::names`]; how its
//! free texts are written is [`crate::escape`].

pub mod asyncapi;
pub mod composed;
pub mod example;
pub mod fronted;
pub mod graphql;
pub mod matching;
pub mod openapi;
pub mod openrpc;
pub mod pattern;
pub mod pb;
pub mod proto;
pub mod schema;
pub mod shape;
pub mod wire;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
