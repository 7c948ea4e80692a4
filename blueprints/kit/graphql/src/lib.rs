//! GraphQL: views of a contract's types, one line an operation, failures as extensions, the endpoint.
//!
//! The types of a contract know nothing of GraphQL. Its `graphql` module declares a view of each ([`object!`],
//! [`input!`], [`arguments!`], [`union!`], [`one_of!`], [`choice!`], [`entry!`], [`connection!`]) and resolvers that call the contract's
//! trait: [`context`], [`received`], [`answer`]. [`schema`] puts limits around them, [`endpoint`] serves them.

mod call;
mod choice;
mod convert;
mod declare;
mod endpoint;
mod limits;
mod load;
mod page;
mod request;
mod scalar;
mod watch;

pub use call::{Items, answer, context, done, error, found, items, received};
pub use choice::values;
pub use convert::{Change, Input, Output, field};
pub use endpoint::endpoint;
pub use limits::{Limits, schema};
pub use load::{Batches, batches, reference};
pub use page::PageInfo;
pub use scalar::{Bytes, Date, DateTime, Decimal, Duration, Form, Int64, Json, Key, Scalar, UInt32, UInt64, Uuid};

#[doc(hidden)]
pub use kit::Failure;
