//! Removes messages that nobody will get any more.

use std::time::Duration;

use kit::Failure;
use kit_store::{Json, Store, failure};
use tokio::{sync::mpsc, time::sleep};

use super::{millis, now, writer::Job};

/// How long a message stays once all its subscriptions have done with it: publishing it again is noticed as long, and
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

/// All that may go, by indexes that have nothing else: what waits or is dead costs nothing. The last message stays, or
/// its number would be given again, to one that followers take for seen.
async fn sweep_once(store: &Store) -> Result<(), Failure> {
    loop {
        // Looked up by a reader, for mostly there is nothing to write.
        let gone: Vec<i64> = sqlx::query_scalar(
            r#"select "message" from (
                 select * from (select "message" from "finished" where "at" < ?1 order by "at" limit ?3)
                 union all
                 select * from (select "seq" from "messages" where "claimed" = 0 and "published_at" < ?2
                                order by "published_at" limit ?3)
               ) where "message" < (select max("seq") from "messages")"#,
        )
        .bind(now() - millis(DONE))
        .bind(now() - millis(UNCLAIMED))
        .bind(CHUNK)
        .fetch_all(store.read())
        .await
        .map_err(failure)?;
        if gone.is_empty() {
            return Ok(());
        }
        remove(store, &gone).await?;
    }
}

async fn remove(store: &Store, gone: &[i64]) -> Result<(), Failure> {
    let mut tx = store.begin().await?;
    for statement in [
        // A subscription made meanwhile may have got a copy.
        r#"delete from "messages" as m
           where "seq" in (select "value" from json_each(?))
             and not exists (select 1 from "deliveries" where "message" = m."seq")"#,
        // What has a copy again is not finished; it will be once more.
        r#"delete from "finished" where "message" in (select "value" from json_each(?))"#,
    ] {
        sqlx::query(statement).bind(Json(gone)).execute(&mut *tx).await.map_err(failure)?;
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use kit::Context;
    use sqlx::Row;

    use super::*;
    use crate::{Broker, EmbeddedBroker, Message, Subscription, Verdict, Which};

    #[tokio::test]
    async fn only_what_is_old_and_nobody_will_get_is_removed() {
        let broker = EmbeddedBroker::open(":memory:").await.unwrap();
        let lease = Duration::from_secs(60);
        broker.declare(&Subscription::new("one", ["a"])).await.unwrap();
        let message = |kind| Message::new(&Context::default(), kind, "/x", &()).unwrap();
        broker
            .publish(&[message("a"), message("a"), message("a"), message("a"), message("b"), message("b")])
            .await
            .unwrap();
        let taken = broker.receive("one", 3, lease).await.unwrap();
        let dead = Verdict::DeadLetter { reason: "x".into() };
        for (delivery, verdict) in taken.iter().zip([Verdict::Ack, Verdict::Ack, dead]) {
            broker.settle(&delivery.receipt, verdict).await.unwrap();
        }
        // As if these had been published and finished so long ago.
        let left = async |seconds: u64, which: &str| {
            let mut tx = broker.store.begin().await.unwrap();
            for (table, at, number) in [("messages", "published_at", "seq"), ("finished", "at", "message")] {
                let update = format!("update {table} set {at} = ? where {number} in ({which})");
                let update = sqlx::query(sqlx::AssertSqlSafe(update)).bind(now() - seconds as i64 * 1000);
                update.execute(&mut *tx).await.unwrap();
            }
            tx.commit().await.unwrap();
            sweep_once(&broker.store).await.unwrap();
            let left = sqlx::query_scalar::<_, i64>("select seq from messages order by seq");
            left.fetch_all(broker.store.read()).await.unwrap()
        };
        assert_eq!(left(30, "1").await, [1, 2, 3, 4, 5, 6], "all are young");
        assert_eq!(left(61, "1, 3, 4").await, [2, 3, 4, 5, 6], "done and old, but not dead or waiting");
        broker.declare(&Subscription::new("two", ["a"])).await.unwrap();
        assert_eq!(
            left(61, "2, 5").await,
            [2, 3, 4, 5, 6],
            "a new subscription has a copy, and nobody has claimed the last"
        );
        let copies = broker.receive("two", 9, lease).await.unwrap();
        assert_eq!(copies.len(), 3);
        for delivery in &copies {
            broker.settle(&delivery.receipt, Verdict::Ack).await.unwrap();
        }
        assert_eq!(left(61, "2").await, [3, 4, 5, 6]);
        assert_eq!(left(UNCLAIMED.as_secs() + 1, "3, 4, 5, 6").await, [3, 4, 6], "the last one stays");
        assert_eq!(broker.drop_dead("one", Which::All).await.unwrap(), 1);
        assert_eq!(left(61, "3").await, [4, 6], "deleted is done with");
        assert_eq!(broker.receive("one", 9, lease).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_stays_is_not_looked_at() {
        let broker = EmbeddedBroker::open(":memory:").await.unwrap();
        for table in
            [r#""finished" where "at" < 1 order by "at""#, r#""messages" where "claimed" = 0 and "published_at" < 1"#]
        {
            let plan = format!("explain query plan select 1 from {table}");
            let steps = sqlx::query(sqlx::AssertSqlSafe(plan)).fetch_all(broker.store.read()).await.unwrap();
            let steps: Vec<String> = steps.iter().map(|row| row.try_get("detail").unwrap()).collect();
            assert!(steps.len() == 1 && steps[0].starts_with("SEARCH"), "{steps:?}");
        }
    }
}
