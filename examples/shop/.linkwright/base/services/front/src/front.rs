// Yours: written once by Linkwright, never overwritten.
//! What customers see, in one GraphQL schema.

use std::sync::Arc;

use async_trait::async_trait;
use front_contract::{Order, OrderPageError, OrderPageRequest, OrderPageResponse, PlaceOrderError, PlaceOrderRequest};
use kit::{Context, Etag, Failure, Kind};
use kit_resilience::fallback;
use rust_decimal::Decimal;

/// The business code of `front`.
pub struct Front {
    inventory: Arc<dyn inventory_contract::Inventory>,
    orders: Arc<dyn orders_contract::Orders>,
}

impl Front {
    pub fn new(inventory: Arc<dyn inventory_contract::Inventory>, orders: Arc<dyn orders_contract::Orders>) -> Self {
        Self { inventory, orders }
    }
}

#[async_trait]
impl front_contract::Front for Front {
    async fn order_page(&self, cx: &Context, input: OrderPageRequest) -> Result<OrderPageResponse, OrderPageError> {
        let get_order = self.orders.get_order(&cx.call(), input.order_id).await.map_err(|error| match error {
            missing if missing.kind == Kind::NotFound => OrderPageError::NoSuchOrder,
            other => Failure::upstream(other).into(),
        })?;
        let answer = self.inventory.get_product(&cx.call(), inventory_contract::ProductId("BBC-456".into())).await;
        // What stands in for an answer that does not come is a decision of this service: make it yours.
        let answer = fallback::default(cx, &inventory_contract::operations::GET_PRODUCT, answer, || {
            inventory_contract::Product {
                sku: inventory_contract::ProductId("BBC-456".into()),
                name: "example".into(),
                price: inventory_contract::Money {
                    amount: Decimal::new(1, 2),
                    currency: inventory_contract::Currency::Eur,
                },
                on_hand: 1,
                reserved: 0,
                etag: Etag(1),
            }
        });
        answer.map_err(|error| match error {
            missing if missing.kind == Kind::NotFound => OrderPageError::NoSuchOrder,
            other => Failure::upstream(other).into(),
        })?;
        Ok(OrderPageResponse { order: get_order, goods: Vec::new() })
    }

    async fn place_order(&self, cx: &Context, input: PlaceOrderRequest) -> Result<Order, PlaceOrderError> {
        let create_order = self
            .orders
            .create_order(
                &cx.call(),
                orders_contract::NewOrder { customer: input.customer, lines: input.lines, payment: input.payment },
            )
            .await
            .map_err(|error| match error {
                orders_contract::CreateOrderError::OutOfStock(data) => PlaceOrderError::OutOfStock(data),
                other => Failure::upstream(other).into(),
            })?;
        Ok(create_order)
    }
}
