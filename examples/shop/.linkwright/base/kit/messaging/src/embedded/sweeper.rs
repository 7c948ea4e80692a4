//! Removes messages that nobody will get any more.

use std::time::Duration;

use kit::Failure;
use kit_store::{Columns, Json, Store, failure};
use tokio::{sync::mpsc, time::sleep};

use super::{millis, now, writer::Job};

/// How long a message stays that all its subscriptions have done with: publishing it again is noticed as long, and
/// subscriptions made meanwhile get it.
const DONE: Duration = Duration::from_secs(60);
/// How long a message stays that no subscription wanted.
const UNCLAIMED: Duration = Duration::from_secs(7 * 24 * 3600);
/// Between two sweeps.
const PAUSE: Duration = Duration::from_secs(5);
/// Looked at in one go and removed in one commit, so that others get in between.
const CHUNK: i64 = 2000;

/// Works until the broker is dropped.
pub(super) async fn sweep(store: Store, broker: mpsc::WeakSender<Job>) {
    while broker.strong_count() > 0 {
        if let Err(failure) = sweep_once(&store).await {
            tracing::warn!(%failure, "cannot remove old messages");
        }
        // In small steps, to end soon after the broker.
        for _ in 0..PAUSE.as_secs() {
            if broker.strong_count() > 0 {
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// From the oldest message to the first that is too young.
async fn sweep_once(store: &Store) -> Result<(), Failure> {
    let (mut position, mut old) = (0, true);
    while old {
        // Looked up by a reader, for mostly there is nothing to write.
        let rows = sqlx::query(
            r#"select "seq", "published_at" < ?1 as "old",
                 "published_at" < iif("claimed", ?1, ?2)
                   and not exists (select 1 from "deliveries" where "message" = m."seq") as "gone"
               from "messages" m where "seq" > ?3 order by "seq" limit ?4"#,
        )
        .bind(now() - millis(DONE))
        .bind(now() - millis(UNCLAIMED))
        .bind(position)
        .bind(CHUNK)
        .fetch_all(store.read())
        .await
        .map_err(failure)?;
        let mut gone = Vec::new();
        old = !rows.is_empty();
        for row in &rows {
            position = row.read::<i64>("seq").map_err(failure)?;
            old &= row.read::<bool>("old").map_err(failure)?;
            if row.read::<bool>("gone").map_err(failure)? {
                gone.push(position);
            }
        }
        if !gone.is_empty() {
            remove(store, &gone).await?;
        }
    }
    Ok(())
}

async fn remove(store: &Store, gone: &[i64]) -> Result<(), Failure> {
    let mut tx = store.begin().await?;
    // Looked up again: a subscription made meanwhile may have got a copy.
    sqlx::query(
        r#"delete from "messages" as m
           where "seq" in (select "value" from json_each(?))
             and not exists (select 1 from "deliveries" where "message" = m."seq")"#,
    )
    .bind(Json(gone))
    .execute(&mut *tx)
    .await
    .map_err(failure)?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use kit::Context;

    use super::*;
    use crate::{Broker, EmbeddedBroker, Message, Subscription, Verdict};

    #[tokio::test]
    async fn only_what_is_old_and_nobody_will_get_is_removed() {
        let broker = EmbeddedBroker::open(":memory:").await.unwrap();
        let lease = Duration::from_secs(60);
        broker.declare(&Subscription::new("one", ["a"])).await.unwrap();
        let message = |kind| Message::new(&Context::default(), kind, "/x", &()).unwrap();
        broker.publish(&[message("a"), message("a"), message("a"), message("a"), message("b")]).await.unwrap();
        let taken = broker.receive("one", 3, lease).await.unwrap();
        let dead = Verdict::DeadLetter { reason: "x".into() };
        for (delivery, verdict) in taken.iter().zip([Verdict::Ack, Verdict::Ack, dead]) {
            broker.settle(&delivery.receipt, verdict).await.unwrap();
        }
        let left = async |seconds: u64, which: &str| {
            let mut tx = broker.store.begin().await.unwrap();
            let update = format!("update messages set published_at = ? where seq in ({which})");
            let update = sqlx::query(sqlx::AssertSqlSafe(update)).bind(now() - seconds as i64 * 1000);
            update.execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            sweep_once(&broker.store).await.unwrap();
            let left = sqlx::query_scalar::<_, i64>("select seq from messages order by seq");
            left.fetch_all(broker.store.read()).await.unwrap()
        };
        assert_eq!(left(30, "1").await, [1, 2, 3, 4, 5], "all are young");
        assert_eq!(left(61, "1, 3, 4").await, [2, 3, 4, 5], "done and old, but not dead or waiting");
        assert_eq!(left(61, "2, 5").await, [3, 4, 5], "nobody has claimed it yet");
        assert_eq!(left(UNCLAIMED.as_secs() + 1, "3, 4, 5").await, [3, 4]);
        assert_eq!(broker.receive("one", 9, lease).await.unwrap().len(), 1);
    }
}
