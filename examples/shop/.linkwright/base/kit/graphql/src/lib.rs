//! GraphQL: views of a contract's types, one line an operation, failures as extensions, the endpoint.
//!
//! The types of a contract know nothing of GraphQL. Its `graphql` module declares views of them and resolvers that call
//! the contract's trait: [`context`], [`received`], then [`answer`], [`found`], [`done`] or [`items`]. [`schema`] puts
//! limits around them, [`endpoint`] serves them. A whole one is `tests/shop/graphql.rs`.
//!
//! | contract | output | input |
//! |---|---|---|
//! | `String`, `bool`, `i32`, `f64` | the same | the same |
//! | `u32`, `i64`, `u64` | [`UInt32`], [`Int64`], [`UInt64`] | the same |
//! | `Decimal`, `Uuid`, `DateTime<Utc>`, `NaiveDate`, `Duration`, `Vec<u8>` | [`Decimal`], [`Uuid`], [`DateTime`], [`Date`], [`Duration`], [`Bytes`] | the same |
//! | `serde_json::Value` | `Option<Json>`, optional or not | the same |
//! | an id | [`Key<OrderId>`](Key) | the same |
//! | `Etag`, `Cursor` | `String` | `String` |
//! | `Option<T>`, `Vec<T>`, `Box<T>` of the view | the same | the same |
//! | `BTreeMap<K, T>` | `Vec<TEntry>`, [`entry!`] | `Vec<TEntryInput>` |
//! | record, union, choice | [`object!`], [`union!`], [`choice!`] | [`input!`], [`one_of!`], [`choice!`] |
//! | a page | [`connection!`] | |
//! | a patch's `Option<T>`, `Option<Option<T>>` | | [`Change`], `MaybeUndefined` |
//! | arguments that make a record | | [`arguments!`] |

mod absent;
mod call;
mod choice;
mod client;
mod config;
mod convert;
mod declare;
mod documents;
mod endpoint;
mod extent;
mod limited;
mod limits;
mod load;
mod page;
mod request;
mod scalar;
mod sdl;
mod shape;
mod tokens;
mod watch;

pub use call::{Items, admitted, alone, answer, context, done, error, found, items, opening, received};
pub use choice::values;
pub use client::{Client, Request};
pub use config::{Config, Introspection, Settings};
pub use convert::{Change, Input, Output, field};
pub use documents::{DocumentState, Documents};
pub use endpoint::endpoint;
pub use limited::{Limited, schema};
pub use limits::Limits;
pub use load::{Batches, batches, each, reference, references};
pub use page::PageInfo;
pub use scalar::{Bytes, Date, DateTime, Decimal, Duration, Form, Int64, Json, Key, Scalar, UInt32, UInt64, Uuid};
pub use sdl::differences;
pub use shape::Shape;

#[doc(hidden)]
pub use kit::{Cursor, Failure};
