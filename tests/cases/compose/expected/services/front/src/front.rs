// Yours: written once by Linkwright, never overwritten.
//! One schema for all.

use std::sync::Arc;

use async_trait::async_trait;
use front_contract::{PageRequest, PageResponse};
use kit::{Context, Failure};

/// The business code of `front`.
pub struct Front {
    order_desk: Arc<dyn order_desk_contract::OrderDesk>,
}

impl Front {
    pub fn new(order_desk: Arc<dyn order_desk_contract::OrderDesk>) -> Self {
        Self { order_desk }
    }
}

#[async_trait]
impl front_contract::Front for Front {
    async fn page(&self, cx: &Context, input: PageRequest) -> Result<PageResponse, Failure> {
        let item_ = self.order_desk.get_item(&cx.call(), input.item_id).await.map_err(Failure::upstream)?;
        Ok(PageResponse { price: item_.price })
    }
}
