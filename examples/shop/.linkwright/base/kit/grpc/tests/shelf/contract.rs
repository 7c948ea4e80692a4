//! The contract's own types and trait.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, NaiveDate, Utc};
use kit::{Context, Etag, Failure, Stream, Validate, Violations};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

kit::id! { pub ItemId(Uuid) }
impl kit::Validate for ItemId {}
kit_grpc::id!(ItemId: String);

kit::choice! { pub Currency { Eur = "eur", Usd = "usd", } }
kit_grpc::choice!(Currency { Eur = 1, Usd = 2 });

#[derive(Clone, Debug, PartialEq)]
pub struct Money {
    pub amount: Decimal,
    pub currency: Currency,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub name: String,
    pub inner: Option<Box<Part>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    Bought(Bought),
    Made(Made),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Bought {
    pub from: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    pub batch: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: ItemId,
    pub price: Money,
    pub stock: i64,
    pub since: DateTime<Utc>,
    pub lead: Duration,
    pub extra: Value,
    pub picture: Vec<u8>,
    pub weight: f64,
    pub best_before: Option<NaiveDate>,
    pub accepted: Vec<Currency>,
    pub tags: Option<Vec<String>>,
    pub notes: Vec<Option<String>>,
    pub rows: Vec<Vec<String>>,
    pub bins: BTreeMap<Currency, u32>,
    pub prices: BTreeMap<NaiveDate, Money>,
    pub history: BTreeMap<i64, Vec<String>>,
    pub part: Option<Part>,
    pub source: Source,
    pub r#type: u32,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemPatch {
    pub price: Option<MoneyPatch>,
    pub stock: Option<i64>,
    pub best_before: Option<Option<NaiveDate>>,
    pub accepted: Option<Vec<Currency>>,
    pub tags: Option<Option<Vec<String>>>,
    pub bins: Option<BTreeMap<Currency, Option<u32>>>,
    pub part: Option<Option<PartPatch>>,
    pub r#type: Option<u32>,
}
impl Validate for ItemPatch {}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct MoneyPatch {
    pub amount: Option<Decimal>,
    pub currency: Option<Currency>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartPatch {
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub sku: String,
    pub quantity: u32,
}

/// Input of an operation on one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Reserve {
    pub quantity: u32,
    pub lines: Vec<Line>,
}

impl Validate for Reserve {
    fn validate(&self, v: &mut Violations) {
        v.at("quantity", |v| v.range(&self.quantity, 1..=9));
    }
}

impl Validate for Line {
    fn validate(&self, v: &mut Violations) {
        v.at("quantity", |v| v.range(&self.quantity, 1..=9));
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reserved {
    pub left: u32,
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Shortage {
    pub left: u32,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    pub left: u32,
}

kit::errors! {
    pub ReserveError {
        OutOfStock(Shortage): Conflict = "out of stock",
        Closed: Unavailable = "closed",
    }
}

#[tonic::async_trait]
pub trait Shelf: Send + Sync + 'static {
    async fn get_item(&self, cx: &Context, id: ItemId) -> Result<Item, Failure>;
    async fn update_item(
        &self,
        cx: &Context,
        id: ItemId,
        patch: ItemPatch,
        etag: Option<Etag>,
    ) -> Result<Item, Failure>;
    async fn delete_item(&self, cx: &Context, id: ItemId, etag: Option<Etag>) -> Result<(), Failure>;
    async fn reserve(&self, cx: &Context, id: ItemId, input: Reserve) -> Result<Reserved, ReserveError>;
    async fn watch(&self, cx: &Context, id: ItemId) -> Result<Stream<Level, ReserveError>, ReserveError>;
    async fn restock(&self, cx: &Context, input: Stream<Line, Failure>) -> Result<Reserved, ReserveError>;
    async fn talk(
        &self,
        cx: &Context,
        input: Stream<Line, Failure>,
    ) -> Result<Stream<Level, ReserveError>, ReserveError>;
}
