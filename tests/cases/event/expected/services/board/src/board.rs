// Yours: written once by Linkwright, never overwritten.

use async_trait::async_trait;
use board_contract::ShowRequest;
use kit::{Context, Failure};
use kit_store::Store;

/// The business code of `board`.
pub struct Board {
    store: Store,
}

impl Board {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl board_contract::Board for Board {
    async fn show(&self, cx: &Context, _input: ShowRequest) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        // Yours: what this does.
        kit_answers::keep(&mut tx, cx, &()).await?;
        tx.commit().await?;
        Ok(())
    }
}
