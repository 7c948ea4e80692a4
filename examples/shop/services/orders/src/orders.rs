// Yours: written once by Linkwright, never overwritten.
//! The life of an order.

use std::sync::Arc;

use async_trait::async_trait;
use kit::{Context, Etag, Failure};
use kit_messaging::outbox;
use kit_store::Store;
use orders_contract::{
    CancelError, CardCharged, ChargeRefused, CreateOrderError, ListOrders, NewOrder, Order, OrderCancelled, OrderId,
    OrderPage, OrderPlaced, OrderStatus, ParcelSent,
};
use uuid::Uuid;

use crate::store;

/// The business code of `orders`.
pub struct Orders {
    store: Store,
    inventory: Arc<dyn inventory_contract::Inventory>,
}

impl Orders {
    pub fn new(store: Store, inventory: Arc<dyn inventory_contract::Inventory>) -> Self {
        Self { store, inventory }
    }
}

#[async_trait]
impl orders_contract::Orders for Orders {
    async fn list_orders(&self, _cx: &Context, query: ListOrders) -> Result<OrderPage, Failure> {
        Ok(store::order::list(self.store.read(), &query).await?)
    }

    async fn get_order(&self, _cx: &Context, id: OrderId) -> Result<Order, Failure> {
        Ok(store::order::get(self.store.read(), &id).await?)
    }

    async fn create_order(&self, cx: &Context, new: NewOrder) -> Result<Order, CreateOrderError> {
        let id = OrderId(Uuid::now_v7());
        // Whenever we do not hear the answer, or end before the commit, the goods stay reserved for an order that is not
        // there: that is the price of asking first. A real shop lets reservations run out.
        let reserved = self
            .inventory
            .reserve(&cx.call(), inventory_contract::ReserveRequest { order_id: id.clone(), lines: new.lines.clone() })
            .await
            .map_err(|error| match error {
                inventory_contract::ReserveError::OutOfStock(data) => CreateOrderError::OutOfStock(data),
                other => Failure::upstream(other).into(),
            })?;
        let order = Order {
            id,
            customer: new.customer,
            lines: new.lines,
            payment: new.payment,
            total: reserved.total,
            status: OrderStatus::Placed,
            placed_at: kit::json::now(),
            etag: Etag(1),
        };
        let mut tx = self.store.begin().await?;
        store::order::insert(&mut tx, &order).await?;
        outbox::publish(&mut tx, cx, &OrderPlaced(order.clone())).await?;
        kit_answers::keep(&mut tx, cx, &order).await?;
        tx.commit().await?;
        Ok(order)
    }

    async fn cancel(&self, cx: &Context, id: OrderId) -> Result<Order, CancelError> {
        let mut tx = self.store.begin().await?;
        let mut order = store::order::get(&mut *tx, &id).await?;
        match order.status {
            // The parcel may be leaving at this moment: then the customer has both, the goods and the refund. A shop that
            // cannot afford it refunds when shipping says that it has unpacked.
            OrderStatus::Placed | OrderStatus::Paid => order.status = OrderStatus::Cancelled,
            OrderStatus::Sent => return Err(CancelError::TooLate),
            // It has ended already, which is what was asked for.
            _ => return Ok(order),
        }
        store::order::update(&mut tx, &mut order).await?;
        outbox::publish(&mut tx, cx, &OrderCancelled { order_id: id }).await?;
        kit_answers::keep(&mut tx, cx, &order).await?;
        tx.commit().await?;
        Ok(order)
    }

    async fn mark_paid(&self, cx: &Context, id: OrderId, _input: CardCharged) -> Result<Order, Failure> {
        self.mark(cx, &id, OrderStatus::Paid).await
    }

    async fn mark_refused(&self, cx: &Context, id: OrderId, _input: ChargeRefused) -> Result<Order, Failure> {
        self.mark(cx, &id, OrderStatus::Refused).await
    }

    async fn mark_sent(&self, cx: &Context, id: OrderId, _input: ParcelSent) -> Result<Order, Failure> {
        self.mark(cx, &id, OrderStatus::Sent).await
    }
}

impl Orders {
    /// Takes over what another service has done. Its events come in any order, and may cross a cancellation, so an
    /// order only moves forward; one that was sent before word of its cancellation came was sent all the same.
    async fn mark(&self, cx: &Context, id: &OrderId, status: OrderStatus) -> Result<Order, Failure> {
        let mut tx = self.store.begin().await?;
        let mut order = store::order::get(&mut *tx, id).await?;
        if order.status == OrderStatus::Placed || status == OrderStatus::Sent {
            order.status = status;
            store::order::update(&mut tx, &mut order).await?;
        }
        kit_answers::keep(&mut tx, cx, &order).await?;
        tx.commit().await?;
        Ok(order)
    }
}
