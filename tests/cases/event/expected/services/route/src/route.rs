// Yours: written once by Linkwright, never overwritten.

use async_trait::async_trait;
use kit::{Context, Failure};
use kit_store::Store;
use route_contract::Accepted;

/// The business code of `route`.
pub struct Route {
    store: Store,
}

impl Route {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl route_contract::Route for Route {
    async fn load(&self, cx: &Context, _input: Accepted) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        // Yours: what this does.
        kit_answers::keep(&mut tx, cx, &()).await?;
        tx.commit().await?;
        Ok(())
    }
}
