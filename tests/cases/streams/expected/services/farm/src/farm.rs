// Yours: written once by Linkwright, never overwritten.

use std::sync::Arc;

use async_trait::async_trait;
use farm_contract::HarvestResponse;
use kit::{Context, Failure};

/// The business code of `farm`.
pub struct Farm {
    mill: Arc<dyn mill_contract::Mill>,
}

impl Farm {
    pub fn new(mill: Arc<dyn mill_contract::Mill>) -> Self {
        Self { mill }
    }
}

#[async_trait]
impl farm_contract::Farm for Farm {
    async fn harvest(&self, cx: &Context) -> Result<HarvestResponse, Failure> {
        let grind = self
            .mill
            .grind(
                &cx.call(),
                Box::pin(futures_util::stream::iter([Ok(mill_contract::Grain { kind: "example".into(), grams: 1 })])),
            )
            .await
            .map_err(Failure::upstream)?;
        Ok(HarvestResponse { grains: grind.grains })
    }
}
