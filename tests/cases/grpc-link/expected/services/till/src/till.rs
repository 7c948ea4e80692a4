// Yours: written once by Linkwright, never overwritten.

use std::sync::Arc;

use async_trait::async_trait;
use kit::{Context, Failure};
use kit_resilience::fallback;
use till_contract::{SellRequest, SellResponse};

/// The business code of `till`.
pub struct Till {
    stock: Arc<dyn stock_contract::Stock>,
}

impl Till {
    pub fn new(stock: Arc<dyn stock_contract::Stock>) -> Self {
        Self { stock }
    }
}

#[async_trait]
impl till_contract::Till for Till {
    async fn sell(&self, cx: &Context, input: SellRequest) -> Result<SellResponse, Failure> {
        let answer =
            self.stock.take(&cx.call(), stock_contract::TakeRequest { sku: input.sku, count: input.number }).await;
        // What stands in for an answer that does not come is a decision of this service: make it yours.
        let answer = fallback::default(cx, &stock_contract::operations::TAKE, answer, || {
            stock_contract::TakeResponse { left: 1 }
        });
        let take = answer.map_err(Failure::upstream)?;
        Ok(SellResponse { left: take.left })
    }
}
