// Yours: written once by Linkwright, never overwritten.
//! What `shelf` keeps, and how. One module a resource, the SQL in sight.

use kit_store::{Migration, Store};

pub mod book;

/// Applied once, in this order. Add yours at the end; what was applied is never changed.
const MIGRATIONS: &[Migration] =
    &[kit_answers::MIGRATION, Migration { name: "books_1", sql: include_str!("../migrations/books_1.sql") }];

pub async fn open(url: &str) -> anyhow::Result<Store> {
    Store::open(url, MIGRATIONS).await
}
