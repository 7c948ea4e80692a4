// Yours: written once by Linkwright, never overwritten.

use std::sync::Arc;

use async_trait::async_trait;
use clock_contract::StopRequest;
use kit::{Context, Failure};

/// The business code of `clock`.
pub struct Clock {
    camp: Arc<dyn camp_contract::Camp>,
}

impl Clock {
    pub fn new(camp: Arc<dyn camp_contract::Camp>) -> Self {
        Self { camp }
    }
}

#[async_trait]
impl clock_contract::Clock for Clock {
    async fn stop(&self, cx: &Context, _input: StopRequest) -> Result<(), Failure> {
        // Yours: which one. This is the id of an example.
        self.camp.timed(&cx.call(), camp_contract::RunnerId(1)).await.map_err(Failure::upstream)?;
        Ok(())
    }
}
