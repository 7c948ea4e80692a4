//! A contract as it is generated, with its `Linked`: one operation with an answer, one with a stream, one that is queued
//! when it cannot be made.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kit::{Context, Failure, Kind, OperationError, Stream};
use kit_resilience::{Link, fallback, keyed};
use serde::Serialize;
use serde_json::Value;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reserve {
    pub sku: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reserved {
    pub reservation: Option<u32>,
}

#[derive(Debug, PartialEq)]
pub enum ReserveError {
    OutOfStock,
    Failure(Failure),
}

#[async_trait]
pub trait Inventory: Send + Sync + 'static {
    async fn reserve(&self, cx: &Context, input: Reserve) -> Result<Reserved, ReserveError>;
    async fn restock(&self, cx: &Context, input: Reserve) -> Result<(), Failure>;
    async fn watch(&self, cx: &Context, input: Reserve) -> Result<Stream<u32, Failure>, Failure>;
}

pub mod operations {
    use kit::{Operation, Safety};

    pub const RESERVE: Operation = Operation { service: "inventory", name: "reserve", safety: Safety::Keyed };
    pub const RESTOCK: Operation = Operation { service: "inventory", name: "restock", safety: Safety::Keyed };
    pub const WATCH: Operation = Operation { service: "inventory", name: "watch", safety: Safety::Safe };
}

/// Any `Inventory` behind a link.
pub struct Linked {
    pub inner: Arc<dyn Inventory>,
    /// Takes the commands that cannot be made now.
    pub queue: Arc<dyn Inventory>,
    pub link: Link,
}

#[async_trait]
impl Inventory for Linked {
    async fn reserve(&self, cx: &Context, input: Reserve) -> Result<Reserved, ReserveError> {
        let cx = &keyed(cx, &operations::RESERVE, &input)?;
        let attempt = |cx: Context| {
            let input = input.clone();
            async move { self.inner.reserve(&cx, input).await }
        };
        let result = self.link.call(cx, &operations::RESERVE, attempt).await;
        fallback::default(cx, &operations::RESERVE, result, || Reserved { reservation: None })
    }

    async fn restock(&self, cx: &Context, input: Reserve) -> Result<(), Failure> {
        let cx = &keyed(cx, &operations::RESTOCK, &input)?;
        let attempt = |cx: Context| {
            let input = input.clone();
            async move { self.inner.restock(&cx, input).await }
        };
        let result = self.link.call(cx, &operations::RESTOCK, attempt).await;
        fallback::queue(cx, &operations::RESTOCK, result, || self.queue.restock(cx, input)).await
    }

    async fn watch(&self, cx: &Context, input: Reserve) -> Result<Stream<u32, Failure>, Failure> {
        let attempt = |cx: Context| {
            let input = input.clone();
            async move { self.inner.watch(&cx, input).await }
        };
        self.link.open(cx, &operations::WATCH, attempt).await
    }
}

impl fmt::Display for ReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfStock => f.write_str("out of stock"),
            Self::Failure(failure) => failure.fmt(f),
        }
    }
}

impl From<Failure> for ReserveError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl OperationError for ReserveError {
    fn kind(&self) -> Kind {
        match self {
            Self::OutOfStock => Kind::Conflict,
            Self::Failure(failure) => failure.kind,
        }
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::OutOfStock => None,
            Self::Failure(failure) => Some(failure),
        }
    }

    fn declared(&self) -> Option<(&'static str, Value)> {
        match self {
            Self::OutOfStock => Some(("OutOfStock", Value::Null)),
            Self::Failure(_) => None,
        }
    }

    fn from_declared(name: &str, _: Value) -> Option<Self> {
        (name == "OutOfStock").then_some(Self::OutOfStock)
    }
}
