// Yours: written once by Linkwright, never overwritten.

use async_trait::async_trait;
use desk_contract::{AcceptRequest, Accepted};
use kit::{Context, Failure};
use kit_messaging::outbox;
use kit_store::Store;

/// The business code of `desk`.
pub struct Desk {
    store: Store,
}

impl Desk {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl desk_contract::Desk for Desk {
    async fn accept(&self, cx: &Context, input: AcceptRequest) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        // Yours: what this does.
        outbox::publish(&mut tx, cx, &Accepted { parcel: input.parcel, grams: input.grams }).await?;
        kit_answers::keep(&mut tx, cx, &()).await?;
        tx.commit().await?;
        Ok(())
    }
}
