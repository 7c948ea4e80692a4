//! What is asked seldom: subscriptions, numbers, dead letters.

use kit::{Failure, Kind, json};
use kit_store::{Json, Store, Tx, failure};
use serde_json::Value;
use sqlx::{Row, sqlite::SqliteRow};

use super::now;
use crate::{DeadLetter, Message, Mishap, Subscription, SubscriptionStats, Which, memory::unknown};

pub(super) async fn declare(store: &Store, subscription: &Subscription) -> Result<(), Failure> {
    let mut tx = store.begin().await?;
    let id: i64 = sqlx::query_scalar(
        r#"insert into "subscriptions" ("name") values (?) on conflict do update set "name" = "name" returning "id""#,
    )
    .bind(&subscription.name)
    .fetch_one(&mut *tx)
    .await
    .map_err(failure)?;
    // What a type that is new to the subscription has left. It counts as claimed from now on.
    sqlx::query(
        r#"insert into "deliveries" ("subscription", "message", "due_at")
           select ?1, "seq", ?3 from "messages" where "type" in (
             select "value" from json_each(?2) except select "type" from "subscription_types" where "subscription" = ?1)
           on conflict do nothing"#,
    )
    .bind(id)
    .bind(Json(&subscription.types))
    .bind(now())
    .execute(&mut *tx)
    .await
    .map_err(failure)?;
    sqlx::query(
        r#"update "messages" set "claimed" = 1 where "claimed" = 0 and "type" in (select "value" from json_each(?))"#,
    )
    .bind(Json(&subscription.types))
    .execute(&mut *tx)
    .await
    .map_err(failure)?;
    sqlx::query(r#"delete from "subscription_types" where "subscription" = ?"#)
        .bind(id)
        .execute(&mut *tx)
        .await
        .map_err(failure)?;
    sqlx::query(
        r#"insert into "subscription_types" ("subscription", "type") select distinct ?, "value" from json_each(?)"#,
    )
    .bind(id)
    .bind(Json(&subscription.types))
    .execute(&mut *tx)
    .await
    .map_err(failure)?;
    tx.commit().await
}

/// The number of the last message.
pub(super) async fn last(store: &Store) -> Result<i64, Failure> {
    let last = sqlx::query_scalar(r#"select coalesce(max("seq"), 0) from "messages""#);
    last.fetch_one(store.read()).await.map_err(failure)
}

/// Of the messages after that number, some at a time: those of some types, oldest first, and the number of the last one
/// that was looked at.
///
/// # Errors
/// `unavailable` if a message of these types was removed before it has been seen.
pub(super) async fn after(store: &Store, number: i64, types: &Value) -> Result<(i64, Vec<Message>), Failure> {
    // One view of both tables.
    let mut tx = store.read().begin().await.map_err(failure)?;
    let swept: Option<i64> =
        sqlx::query_scalar(r#"select max("message") from "swept" where "type" in (select "value" from json_each(?))"#)
            .bind(Json(types))
            .fetch_one(&mut *tx)
            .await
            .map_err(failure)?;
    if swept.is_some_and(|swept| swept > number) {
        return Err(Failure::new(Kind::Unavailable, "the reader fell behind and has missed messages: begin anew"));
    }
    let rows = sqlx::query(
        r#"select "seq", iif("type" in (select "value" from json_each(?2)), "event", null) as "event"
           from "messages" where "seq" > ?1 order by "seq" limit 100"#,
    )
    .bind(number)
    .bind(Json(types))
    .fetch_all(&mut *tx)
    .await
    .map_err(failure)?;
    tx.commit().await.map_err(failure)?;
    let number = rows.last().map_or(Ok(number), |row| row.try_get("seq")).map_err(failure)?;
    let events = rows.iter().map(|row| row.try_get::<Option<&str>, _>("event")).filter_map(Result::transpose);
    let messages = events.map(|event| event.map(Message::decode)).collect::<Result<_, _>>().map_err(failure)?;
    Ok((number, messages))
}

pub(super) async fn stats(store: &Store) -> Result<Vec<SubscriptionStats>, Failure> {
    let rows = sqlx::query(
        r#"select s."name", s."delivered", s."acked",
             count(*) filter (where d."state" = 0 or d."state" = 1 and d."due_at" <= ?1) as "pending",
             count(*) filter (where d."state" = 1 and d."due_at" > ?1) as "in_flight",
             count(*) filter (where d."state" = 2) as "dead",
             max(0, coalesce(?1 - min(m."published_at") filter (where d."state" < 2), 0)) as "oldest_age_ms"
           from "subscriptions" s
             left join "deliveries" d on d."subscription" = s."id"
             left join "messages" m on m."seq" = d."message"
           group by s."id" order by s."name""#,
    )
    .bind(now())
    .fetch_all(store.read())
    .await
    .map_err(failure)?;
    let stats = |row: &SqliteRow| {
        Ok(SubscriptionStats {
            subscription: row.try_get("name")?,
            pending: row.try_get("pending")?,
            in_flight: row.try_get("in_flight")?,
            dead: row.try_get("dead")?,
            oldest_age_ms: row.try_get("oldest_age_ms")?,
            delivered: row.try_get("delivered")?,
            acked: row.try_get("acked")?,
        })
    };
    rows.iter().map(stats).collect::<sqlx::Result<_>>().map_err(failure)
}

pub(super) async fn dead_letters(
    store: &Store,
    subscription: Option<&str>,
    limit: usize,
) -> Result<Vec<DeadLetter>, Failure> {
    let rows = sqlx::query(
        r#"select s."name", d."attempts", d."history", m."event"
           from "deliveries" d
             join "subscriptions" s on s."id" = d."subscription"
             join "messages" m on m."seq" = d."message"
           where d."state" = 2 and (?1 is null or s."name" = ?1)
           order by d."due_at", d."message" limit ?2"#,
    )
    .bind(subscription)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(store.read())
    .await
    .map_err(failure)?;
    rows.iter().map(dead_letter).collect::<sqlx::Result<_>>().map_err(failure)
}

fn dead_letter(row: &SqliteRow) -> sqlx::Result<DeadLetter> {
    let mut history: Vec<Mishap> =
        serde_json::from_str(row.try_get("history")?).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let end = history.pop();
    Ok(DeadLetter {
        subscription: row.try_get("name")?,
        message: Message::decode(row.try_get("event")?),
        attempts: row.try_get("attempts")?,
        died_at: end.as_ref().map_or_else(json::now, |end| end.at),
        reason: end.map(|end| end.reason).unwrap_or_default(),
        history,
    })
}

/// Attempts count anew; the history goes on.
pub(super) async fn replay(store: &Store, subscription: &str, which: Which<'_>) -> Result<u64, Failure> {
    on_dead(
        store,
        subscription,
        which,
        r#"update "deliveries" set "state" = 0, "attempts" = 0, "due_at" = ?4
           where "subscription" = ?1 and "state" = 2
             and (?2 or "message" in (select "seq" from "messages" where "id" in (select "value" from json_each(?3))))"#,
    )
    .await
}

pub(super) async fn drop_dead(store: &Store, subscription: &str, which: Which<'_>) -> Result<u64, Failure> {
    on_dead(
        store,
        subscription,
        which,
        r#"delete from "deliveries"
           where "subscription" = ?1 and "state" = 2
             and (?2 or "message" in (select "seq" from "messages" where "id" in (select "value" from json_each(?3))))"#,
    )
    .await
}

/// `statement` has: 1 the subscription, 2 whether all are meant, 3 the ids that are, 4 the time.
async fn on_dead(store: &Store, subscription: &str, which: Which<'_>, statement: &'static str) -> Result<u64, Failure> {
    let (all, ids) = match which {
        Which::All => (true, &[] as &[String]),
        Which::Ids(ids) => (false, ids),
    };
    let mut tx = store.begin().await?;
    let id = known(&mut tx, subscription).await?;
    let done = sqlx::query(statement)
        .bind(id)
        .bind(all)
        .bind(Json(ids))
        .bind(now())
        .execute(&mut *tx)
        .await
        .map_err(failure)?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

pub(super) async fn forget(store: &Store, subscription: &str) -> Result<u64, Failure> {
    let mut tx = store.begin().await?;
    let id = known(&mut tx, subscription).await?;
    let delete = |statement: &'static str| sqlx::query(statement).bind(id);
    delete(r#"delete from "subscription_types" where "subscription" = ?"#).execute(&mut *tx).await.map_err(failure)?;
    let copies = delete(r#"delete from "deliveries" where "subscription" = ?"#).execute(&mut *tx).await;
    let removed = copies.map_err(failure)?.rows_affected();
    delete(r#"delete from "subscriptions" where "id" = ?"#).execute(&mut *tx).await.map_err(failure)?;
    tx.commit().await?;
    Ok(removed)
}

async fn known(tx: &mut Tx, subscription: &str) -> Result<i64, Failure> {
    let id = sqlx::query_scalar(r#"select "id" from "subscriptions" where "name" = ?"#).bind(subscription);
    id.fetch_optional(&mut **tx).await.map_err(failure)?.ok_or_else(|| unknown(subscription))
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use kit::Context;

    use super::*;
    use crate::{Broker, EmbeddedBroker};

    #[tokio::test]
    async fn what_is_of_other_types_is_looked_at_once() {
        let broker = EmbeddedBroker::open(":memory:").await.unwrap();
        let message = |kind| Message::new(&Context::default(), kind, "/x", &()).unwrap();
        broker.publish(&[message("a"), message("b"), message("a")]).await.unwrap();
        for (from, types, seen, count) in
            [(0, vec!["a", "c"], 3, 2), (0, vec!["c"], 3, 0), (1, vec!["a"], 3, 1), (3, vec!["a"], 3, 0)]
        {
            let (last, messages) = after(&broker.store, from, &serde_json::json!(types)).await.unwrap();
            assert_eq!((last, messages.len()), (seen, count), "{types:?} after {from}");
        }
    }

    #[tokio::test]
    async fn who_falls_behind_is_told() {
        let broker = EmbeddedBroker::open(":memory:").await.unwrap();
        let message = |kind| Message::new(&Context::default(), kind, "/x", &()).unwrap();
        let (mut slow, mut other) = (broker.follow(&["a"]).await.unwrap(), broker.follow(&["b"]).await.unwrap());
        broker.publish(&[message("a"), message("b"), message("a")]).await.unwrap();
        let mut tx = broker.store.begin().await.unwrap();
        sqlx::query("delete from messages where seq = 1").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(slow.next().await.unwrap().map_err(|failure| failure.kind), Err(Kind::Unavailable));
        assert!(slow.next().await.is_none());
        assert_eq!(other.next().await.unwrap().unwrap().kind, "b", "it has missed nothing");
        let mut anew = broker.follow(&["a"]).await.unwrap();
        broker.publish(&[message("a")]).await.unwrap();
        assert_eq!(anew.next().await.unwrap().unwrap().kind, "a", "what was removed before is nothing to it");
    }
}
