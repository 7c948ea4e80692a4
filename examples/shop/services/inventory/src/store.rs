// Yours: written once by Linkwright, never overwritten.
//! What `inventory` keeps, and how. One module a resource, the SQL in sight.

use kit_store::{Migration, Store};

pub mod product;
pub mod reservation;

/// Applied once, in this order. Add yours at the end; what was applied is never changed.
const MIGRATIONS: &[Migration] = &[
    kit_answers::MIGRATION,
    Migration { name: "products_1", sql: include_str!("../migrations/products_1.sql") },
    Migration { name: "reservations_1", sql: include_str!("../migrations/reservations_1.sql") },
    Migration { name: "goods_1", sql: include_str!("../migrations/goods_1.sql") },
];

pub async fn open(url: &str) -> anyhow::Result<Store> {
    Store::open(url, MIGRATIONS).await
}
