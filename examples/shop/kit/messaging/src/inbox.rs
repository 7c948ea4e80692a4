//! What has been received, in the service's own database: a message that comes again has no second effect.

use chrono::{TimeDelta, Utc};
use kit::{Context, Failure};
use kit_store::{Micros, Migration, Tx, failure};

/// The inbox's table, for [`Store::open`](kit_store::Store::open).
pub const MIGRATION: Migration = Migration { name: "kit_inbox_1", sql: include_str!("inbox.sql") };

/// How long a message is remembered.
const WINDOW: TimeDelta = TimeDelta::days(7);
/// One in so many calls forgets what is older, a limited number at a time.
const SWEEP: u32 = 100;

/// Whether the work that `cx` asks for, by its idempotency key, is new to this subscription. If it is, it counts as
/// done once the transaction is committed. Work without a key is always new.
///
/// # Errors
/// `unavailable` or `internal`, from the database.
pub async fn first_time(tx: &mut Tx, cx: &Context, subscription: &str) -> Result<bool, Failure> {
    let Some(key) = cx.idempotency_key() else { return Ok(true) };
    if fastrand::u32(..SWEEP) == 0 {
        let old = Utc::now() - WINDOW;
        sqlx::query(
            r#"delete from "kit_inbox" where ("subscription", "key") in
               (select "subscription", "key" from "kit_inbox" where "seen_at" < ? order by "seen_at" limit 1000)"#,
        )
        .bind(Micros(old))
        .execute(&mut **tx)
        .await
        .map_err(failure)?;
    }
    let done = sqlx::query(
        r#"insert into "kit_inbox" ("subscription", "key", "seen_at") values (?, ?, ?) on conflict do nothing"#,
    )
    .bind(subscription)
    .bind(key)
    .bind(Micros(Utc::now()))
    .execute(&mut **tx)
    .await
    .map_err(failure)?;
    Ok(done.rows_affected() == 1)
}
