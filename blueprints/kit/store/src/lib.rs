//! A service's own SQLite database. The SQL stays in the service, in sight; this crate opens the file safely, brings
//! its tables up to date, writes values into columns and reads them back, and gives lists a page at a time.
//!
//! ```
//! use kit_store::{Columns, Micros, Migration, Scaled, Store, Text, on_unique};
//!
//! # async fn example(id: uuid::Uuid, total: rust_decimal::Decimal) -> anyhow::Result<()> {
//! const ORDERS: Migration = Migration {
//!     name: "orders_1",
//!     sql: r#"create table "orders" ("id" text primary key, "sku" text unique, "total" integer, "placed_at" text)"#,
//! };
//! let store = Store::open("sqlite:data/orders.db", &[ORDERS]).await?;
//!
//! let mut tx = store.begin().await?;
//! let insert = sqlx::query(r#"insert into "orders" ("id", "sku", "total", "placed_at") values (?, ?, ?, ?)"#)
//!     .bind(Text(id))
//!     .bind("a-1")
//!     .bind(Scaled::<2>(total))
//!     .bind(Micros(kit::json::now()));
//! on_unique(insert.execute(&mut *tx).await, &[("orders.sku", "sku")])?;
//! tx.commit().await?;
//!
//! let row = sqlx::query(r#"select * from "orders" where "id" = ?"#).bind(Text(id)).fetch_one(store.read()).await?;
//! assert_eq!(row.read::<Scaled<2>>("total")?, total);
//! assert_eq!(row.read::<Option<String>>("sku")?.as_deref(), Some("a-1"));
//! # Ok(())
//! # }
//! ```

mod column;
mod failure;
mod list;
mod migrate;
mod raw;
mod store;

pub use column::{Column, Columns, Digits, Json, Micros, Revision, Scaled, Span, Text};
pub use failure::{changed, failure, found, on_reference, on_referred, on_unique};
pub use list::{List, Rows, Sort, any_of};
pub use migrate::Migration;
pub use store::{Store, Tx};
