// Yours: written once by Linkwright, never overwritten.
//! What customers see, in one GraphQL schema.

use std::sync::Arc;

use async_trait::async_trait;
use front_contract::{
    Order, OrderPageError, OrderPageRequest, OrderPageResponse, PlaceOrderError, PlaceOrderRequest, Product,
};
use futures_util::future;
use inventory_contract::ProductId;
use kit::{Context, Failure, Kind};
use kit_resilience::fallback;

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
        let order = self.orders.get_order(&cx.call(), input.order_id).await.map_err(|error| match error.kind {
            Kind::NotFound => OrderPageError::NoSuchOrder,
            _ => Failure::upstream(error).into(),
        })?;
        let goods = order.lines.iter().map(|line| self.product(cx, &line.sku));
        let goods = future::try_join_all(goods).await?;
        Ok(OrderPageResponse { order, goods: goods.into_iter().flatten().collect() })
    }

    async fn place_order(&self, cx: &Context, input: PlaceOrderRequest) -> Result<Order, PlaceOrderError> {
        let order = self
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
        Ok(order)
    }
}

impl Front {
    /// What is known of a product: nothing while inventory is away, or once it is sold no more, since an order without
    /// the names of its goods is better than none.
    async fn product(&self, cx: &Context, sku: &str) -> Result<Option<Product>, Failure> {
        let answer = match self.inventory.get_product(&cx.call(), ProductId(sku.into())).await {
            Err(missing) if missing.kind == Kind::NotFound => Ok(None),
            answer => answer.map(Some),
        };
        fallback::default(cx, &inventory_contract::operations::GET_PRODUCT, answer, || None).map_err(Failure::upstream)
    }
}
