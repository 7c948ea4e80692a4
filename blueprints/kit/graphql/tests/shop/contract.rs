//! The contract's own types and trait, which know nothing of GraphQL.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use kit::{Context, Cursor, Etag, Failure, Stream, Validate, Violations};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

kit::id! { pub OrderId(Uuid) }
impl kit::Validate for OrderId {}

kit::id! { pub CustomerId(u64) }
impl kit::Validate for CustomerId {}

kit::choice! { pub Currency { Eur = "eur", Usd = "usd", } }
kit::choice! { pub OrderStatus { Placed = "placed", InTransit = "in_transit", } }
kit::choice! { pub OrderSort { Placed = "placed_at", PlacedDesc = "-placed_at", AmountDesc = "-total.amount", } }

#[derive(Clone, Debug, PartialEq)]
pub struct Money {
    pub amount: Decimal,
    pub currency: Currency,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub sku: String,
    pub quantity: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Payment {
    CardPayment(CardPayment),
    Invoice(Invoice),
}

#[derive(Clone, Debug, PartialEq)]
pub struct CardPayment {
    pub last_digits: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Invoice {
    pub due: NaiveDate,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub name: String,
    pub inner: Option<Box<Part>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub id: OrderId,
    pub etag: Etag,
    pub customer_id: CustomerId,
    pub total: Money,
    pub lines: Vec<Line>,
    pub status: OrderStatus,
    pub note: Option<String>,
    pub counts: BTreeMap<String, u32>,
    pub payment: Payment,
    pub weight: i64,
    pub serial: u64,
    pub placed_at: DateTime<Utc>,
    pub lead: Duration,
    pub picture: Vec<u8>,
    pub extra: Value,
    pub part: Option<Part>,
    pub r#type: i32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewOrder {
    pub customer_id: CustomerId,
    pub total: Money,
    pub lines: Vec<Line>,
    pub note: Option<String>,
    pub counts: BTreeMap<String, u32>,
    pub payment: Payment,
    pub weight: i64,
    pub extra: Option<Value>,
}

impl Validate for NewOrder {
    fn validate(&self, v: &mut Violations) {
        v.at("lines", |v| v.each(&self.lines, |v, line| v.at("quantity", |v| v.range(&line.quantity, 1..=9))));
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrderPatch {
    pub note: Option<Option<String>>,
    pub weight: Option<i64>,
    pub total: Option<MoneyPatch>,
    pub counts: Option<BTreeMap<String, Option<u32>>>,
}
impl Validate for OrderPatch {}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct MoneyPatch {
    pub amount: Option<Decimal>,
    pub currency: Option<Currency>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOrders {
    pub limit: Option<u32>,
    pub cursor: Option<Cursor>,
    pub status: Vec<OrderStatus>,
    pub sort: Option<OrderSort>,
}

impl Validate for ListOrders {
    fn validate(&self, v: &mut Violations) {
        v.at("limit", |v| v.some(&self.limit, |v, limit| v.range(limit, 1..=200)));
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OrderPage {
    pub items: Vec<Order>,
    pub next: Option<Cursor>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    pub id: CustomerId,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shortage {
    pub left: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    pub left: u32,
    pub customer_id: CustomerId,
}

kit::errors! {
    pub ShipError {
        OutOfStock(Shortage): Conflict = "out of stock",
        Closed: Unavailable = "closed",
    }
}

#[async_trait]
pub trait Shop: Send + Sync + 'static {
    async fn list_orders(&self, cx: &Context, input: ListOrders) -> Result<OrderPage, Failure>;
    async fn get_order(&self, cx: &Context, id: OrderId) -> Result<Order, Failure>;
    async fn create_order(&self, cx: &Context, order: NewOrder) -> Result<Order, Failure>;
    async fn patch_order(
        &self,
        cx: &Context,
        id: OrderId,
        patch: OrderPatch,
        etag: Option<Etag>,
    ) -> Result<Order, Failure>;
    async fn delete_order(&self, cx: &Context, id: OrderId, etag: Option<Etag>) -> Result<(), Failure>;
    async fn ship(&self, cx: &Context, id: OrderId) -> Result<Order, ShipError>;
    async fn watch(&self, cx: &Context, id: OrderId) -> Result<Stream<Level, ShipError>, ShipError>;
    async fn get_customer(&self, cx: &Context, id: CustomerId) -> Result<Customer, Failure>;
    async fn batch_get_customers(&self, cx: &Context, ids: Vec<CustomerId>) -> Result<Vec<Customer>, Failure> {
        kit::those_found(ids.into_iter().map(|id| self.get_customer(cx, id))).await
    }
}
