//! An implementation of the contract that notes how it was called.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_graphql::Executor;
use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use kit::{Context, Cursor, Etag, Failure, Kind, Stream};
use serde_json::json;

use crate::contract::*;

pub const ID: &str = "0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77";
/// Of an order that nobody gets away with.
pub const FATAL: &str = "0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e79";
/// Of an order of which nothing is ever heard.
pub const ENDLESS: &str = "0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e78";

pub fn order() -> Order {
    let money = Money { amount: kit::json::decimal("1.50").unwrap(), currency: Currency::Eur };
    Order {
        id: ID.parse().unwrap(),
        etag: Etag(3),
        customer_id: CustomerId(7),
        total: money,
        lines: vec![Line { sku: "a".into(), quantity: u32::MAX }],
        status: OrderStatus::InTransit,
        note: None,
        counts: [("x".into(), 1), ("y".into(), 2)].into(),
        payment: Payment::Invoice(Invoice { due: "2026-02-28".parse().unwrap() }),
        weight: i64::MIN,
        serial: u64::MAX,
        placed_at: kit::json::timestamp("2026-01-31T12:00:00Z").unwrap(),
        lead: Duration::from_secs(90),
        picture: vec![0, 255],
        extra: json!({"a": [1, null]}),
        part: Some(Part { name: "a".into(), inner: Some(Box::new(Part { name: "b".into(), inner: None })) }),
        r#type: -1,
    }
}

#[derive(Default)]
pub struct Store {
    /// The contexts of calls that change something.
    pub contexts: Mutex<Vec<Context>>,
    /// What those calls were given, as text.
    pub seen: Mutex<Vec<String>>,
    /// The customers that were asked for, one by one.
    pub asked: Mutex<Vec<CustomerId>>,
    /// Those that were asked for together.
    pub batches: Mutex<Vec<Vec<CustomerId>>>,
    /// Whoever asks for several gets no answer.
    pub is_gone: bool,
}

impl Store {
    fn note(&self, cx: &Context, input: impl std::fmt::Debug) {
        self.contexts.lock().unwrap().push(cx.clone());
        self.seen.lock().unwrap().push(format!("{input:?}"));
    }
}

#[async_trait]
impl Shop for Store {
    async fn list_orders(&self, cx: &Context, input: ListOrders) -> Result<OrderPage, Failure> {
        cx.marks().add("stock.list=cache");
        let next = (input.cursor != Some(Cursor("end".into()))).then(|| Cursor("end".into()));
        self.note(cx, input);
        let mut other = order();
        other.customer_id = CustomerId(8);
        Ok(OrderPage { items: vec![order(), order(), other], next })
    }

    async fn get_order(&self, _: &Context, id: OrderId) -> Result<Order, Failure> {
        assert_ne!(id, FATAL.parse()?, "secret words");
        if id == order().id { Ok(order()) } else { Err(Failure::not_found(format!("order {id}"))) }
    }

    async fn create_order(&self, cx: &Context, new: NewOrder) -> Result<Order, Failure> {
        let NewOrder { customer_id, total, lines, note, counts, payment, weight, extra } = new.clone();
        self.note(cx, new);
        let extra = extra.unwrap_or_default();
        Ok(Order { customer_id, total, lines, note, counts, payment, weight, extra, ..order() })
    }

    async fn patch_order(
        &self,
        cx: &Context,
        _: OrderId,
        patch: OrderPatch,
        etag: Option<Etag>,
    ) -> Result<Order, Failure> {
        self.note(cx, &patch);
        Etag(3).check(etag)?;
        let mut order = order();
        kit::patch::set(&mut order.note, patch.note);
        kit::patch::set(&mut order.weight, patch.weight);
        Ok(order)
    }

    async fn delete_order(&self, cx: &Context, _: OrderId, etag: Option<Etag>) -> Result<(), Failure> {
        self.note(cx, etag);
        Err(Failure::internal(anyhow::anyhow!("password=1234")))
    }

    async fn ship(&self, cx: &Context, id: OrderId) -> Result<Order, ShipError> {
        self.note(cx, id);
        Err(ShipError::OutOfStock(Shortage { left: 3 }))
    }

    /// Two levels, then the end of business.
    async fn watch(&self, _: &Context, id: OrderId) -> Result<Stream<Level, ShipError>, ShipError> {
        if id == ENDLESS.parse()? {
            return Ok(stream::pending().boxed());
        }
        if id != order().id {
            return Err(Failure::new(Kind::Limited, "slowly").retry_after(Duration::from_millis(1500)).into());
        }
        let level = |left| Ok(Level { left, customer_id: CustomerId(7) });
        Ok(stream::iter([level(2), level(1), Err(ShipError::Closed)]).boxed())
    }

    async fn get_customer(&self, _: &Context, id: CustomerId) -> Result<Customer, Failure> {
        self.asked.lock().unwrap().push(id.clone());
        match id.0 {
            7 => Ok(Customer { id, name: "Ada".into() }),
            _ => Err(Failure::not_found("customer")),
        }
    }

    async fn batch_get_customers(&self, cx: &Context, ids: Vec<CustomerId>) -> Result<Vec<Customer>, Failure> {
        self.batches.lock().unwrap().push(ids.clone());
        if self.is_gone {
            return Err(Failure::new(Kind::Unavailable, "the database is gone"));
        }
        kit::those_found(ids.into_iter().map(|id| self.get_customer(cx, id))).await
    }
}

/// A schema over a fresh store, and the store.
pub fn schema() -> (crate::graphql::Schema, Arc<Store>) {
    let store = Arc::new(Store::default());
    (crate::graphql::schema(store.clone(), Default::default()), store)
}

/// The response of a request, as JSON.
pub async fn execute(schema: &crate::graphql::Schema, query: &str) -> serde_json::Value {
    serde_json::to_value(schema.execute(query.into()).await).unwrap()
}
