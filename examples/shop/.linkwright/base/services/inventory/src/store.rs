// Yours: written once by Linkwright, never overwritten.
//! What `inventory` keeps, and how. One module a resource, the SQL in sight.

use kit_messaging::inbox;
use kit_store::{Migration, Store};

pub mod product;
pub mod reservation;

/// Applied once, in this order. Add yours at the end; what was applied is never changed.
const MIGRATIONS: &[Migration] = &[
    inbox::MIGRATION,
    Migration { name: "0001_products", sql: include_str!("../migrations/0001_products.sql") },
    Migration { name: "0002_reservations", sql: include_str!("../migrations/0002_reservations.sql") },
];

pub async fn open(url: &str) -> anyhow::Result<Store> {
    Store::open(url, MIGRATIONS).await
}
