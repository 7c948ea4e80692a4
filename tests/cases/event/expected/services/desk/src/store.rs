// Yours: written once by Linkwright, never overwritten.
//! What `desk` keeps, and how. One module a resource, the SQL in sight.

use kit_messaging::outbox;
use kit_store::{Migration, Store};

/// Applied once, in this order. Add yours at the end; what was applied is never changed.
const MIGRATIONS: &[Migration] = &[outbox::MIGRATION, kit_answers::MIGRATION];

pub async fn open(url: &str) -> anyhow::Result<Store> {
    Store::open(url, MIGRATIONS).await
}
