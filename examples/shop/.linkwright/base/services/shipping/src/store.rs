// Yours: written once by Linkwright, never overwritten.
//! What `shipping` keeps, and how. One module a resource, the SQL in sight.

use kit_messaging::outbox;
use kit_store::{Migration, Store};

pub mod parcel;

/// Applied once, in this order. Add yours at the end; what was applied is never changed.
const MIGRATIONS: &[Migration] = &[
    outbox::MIGRATION,
    kit_answers::MIGRATION,
    Migration { name: "parcels_1", sql: include_str!("../migrations/parcels_1.sql") },
];

pub async fn open(url: &str) -> anyhow::Result<Store> {
    Store::open(url, MIGRATIONS).await
}
