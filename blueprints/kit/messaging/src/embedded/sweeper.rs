//! Removes messages that nobody will get any more.

use std::time::Duration;

use kit::Failure;
use kit_store::{Store, failure};
use tokio::{sync::mpsc, time::sleep};

use super::{millis, now, writer::Job};

/// How long a message stays that all its subscriptions have done with: publishing it again is noticed as long, and
/// subscriptions made meanwhile get it.
const DONE: Duration = Duration::from_secs(60);
/// How long a message stays that no subscription wanted.
const UNCLAIMED: Duration = Duration::from_secs(7 * 24 * 3600);
/// Between two sweeps.
const PAUSE: Duration = Duration::from_secs(5);
/// Removed in one commit, so that others get in between.
const CHUNK: i64 = 2000;

/// Works until the broker is dropped.
pub(super) async fn sweep(store: Store, broker: mpsc::WeakSender<Job>) {
    while broker.strong_count() > 0 {
        match sweep_once(&store).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(failure) => tracing::warn!(%failure, "cannot remove old messages"),
        }
        // In small steps, to end soon after the broker.
        for _ in 0..PAUSE.as_secs() {
            if broker.strong_count() > 0 {
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Whether there may be more.
async fn sweep_once(store: &Store) -> Result<bool, Failure> {
    // Looked up by a reader, for mostly there is nothing to write.
    let old: Vec<i64> = sqlx::query_scalar(
        r#"select "seq" from "messages" m
           where "published_at" < iif("claimed", ?1, ?2)
             and not exists (select 1 from "deliveries" where "message" = m."seq")
           order by "seq" limit ?3"#,
    )
    .bind(now() - millis(DONE))
    .bind(now() - millis(UNCLAIMED))
    .bind(CHUNK)
    .fetch_all(store.read())
    .await
    .map_err(failure)?;
    if old.is_empty() {
        return Ok(false);
    }
    let mut tx = store.begin().await?;
    sqlx::query(
        r#"delete from "messages" as m
           where "seq" in (select "value" from json_each(?))
             and not exists (select 1 from "deliveries" where "message" = m."seq")"#,
    )
    .bind(kit_store::Json(&old))
    .execute(&mut *tx)
    .await
    .map_err(failure)?;
    tx.commit().await?;
    Ok(old.len() as i64 == CHUNK)
}
