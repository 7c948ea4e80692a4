//! The one task of a process that writes messages: all jobs that wait when a commit begins share it, so that many
//! publishers and consumers wait for the disk together and not one after the other.

use std::{collections::HashSet, time::Duration};

use kit::Failure;
use kit_store::{Json, Store, Tx, failure};
use sqlx::{Row, sqlite::SqliteRow};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::yield_now,
};

use super::{millis, now};
use crate::{Delivery, Message, Receipt, Verdict};

/// Jobs in one commit.
const BATCH: usize = 256;
/// Messages inserted by one statement, about.
const INSERT_BYTES: usize = 8 << 20;

type Reply<T> = oneshot::Sender<Result<T, Failure>>;

/// What callers want, and where they wait for the answer.
#[derive(Debug)]
pub(super) enum Job {
    Publish { rows: Vec<String>, reply: Reply<()> },
    Receive { subscription: String, max: usize, lease: Duration, reply: Reply<Vec<Delivery>> },
    Settle { receipt: Receipt, verdict: Verdict, reply: Reply<bool> },
    Extend { receipt: Receipt, lease: Duration, reply: Reply<bool> },
}

/// What a job came to; sent once it is committed.
enum Done {
    Nothing,
    Held(bool),
    Taken(Vec<Delivery>),
}

/// A message as a row: id, source, type and the message, in JSON.
pub(super) fn row(message: &Message) -> Result<String, Failure> {
    let event = message.encode()?;
    serde_json::to_string(&[&message.id, &message.source, &message.kind, &event]).map_err(Failure::internal)
}

/// Works until the broker is dropped.
pub(super) async fn write(store: Store, mut queue: mpsc::Receiver<Job>, wake: watch::Sender<u64>) {
    let mut jobs = Vec::new();
    while queue.recv_many(&mut jobs, BATCH).await > 0 {
        // Who gave up waiting must not be handed messages.
        jobs.retain(|job| !matches!(job, Job::Receive { reply, .. } if reply.is_closed()));
        match commit(&store, &jobs).await {
            Ok(done) => {
                if jobs.iter().any(makes_due) {
                    wake.send_modify(|version| *version += 1);
                }
                let mut orphans = Vec::new();
                for (job, done) in jobs.drain(..).zip(done) {
                    orphans.extend(reply(job, done));
                }
                jobs.extend(orphans.into_iter().map(release));
                if !jobs.is_empty() && commit(&store, &jobs).await.is_ok() {
                    wake.send_modify(|version| *version += 1);
                }
                jobs.clear();
                // Who has just got an answer may have more to do: what comes of it joins those that wait already. Without
                // this, callers fall into two halves that wait for each other's commits.
                yield_now().await;
            }
            Err(failure) => jobs.drain(..).for_each(|job| refuse(job, &failure)),
        }
    }
}

fn makes_due(job: &Job) -> bool {
    match job {
        Job::Publish { .. } => true,
        Job::Settle { verdict, .. } => matches!(verdict, Verdict::Retry { .. } | Verdict::Release),
        Job::Receive { .. } | Job::Extend { .. } => false,
    }
}

/// Deliveries come back if nobody is there to take them.
fn reply(job: Job, done: Done) -> Vec<Delivery> {
    match (job, done) {
        (Job::Publish { reply, .. }, _) => drop(reply.send(Ok(()))),
        (Job::Settle { reply, .. } | Job::Extend { reply, .. }, Done::Held(held)) => drop(reply.send(Ok(held))),
        (Job::Receive { reply, .. }, Done::Taken(deliveries)) => {
            if let Err(Ok(deliveries)) = reply.send(Ok(deliveries)) {
                return deliveries;
            }
        }
        // A job and what it came to are of one kind.
        (Job::Settle { .. } | Job::Extend { .. } | Job::Receive { .. }, _) => {}
    }
    Vec::new()
}

pub(super) fn release(delivery: Delivery) -> Job {
    Job::Settle { receipt: delivery.receipt, verdict: Verdict::Release, reply: oneshot::channel().0 }
}

fn refuse(job: Job, failure: &Failure) {
    let failure = Failure::new(failure.kind, failure.detail.clone())
        .caused_by(anyhow::anyhow!("{}", failure.source.as_ref().map(ToString::to_string).unwrap_or_default()));
    match job {
        Job::Publish { reply, .. } => drop(reply.send(Err(failure))),
        Job::Receive { reply, .. } => drop(reply.send(Err(failure))),
        Job::Settle { reply, .. } | Job::Extend { reply, .. } => drop(reply.send(Err(failure))),
    }
}

/// All jobs in one transaction. An error undoes them all; it comes from the file, so it would meet each alone too.
async fn commit(store: &Store, jobs: &[Job]) -> Result<Vec<Done>, Failure> {
    let mut tx = store.begin().await?;
    let done = run(&mut tx, jobs).await.map_err(failure)?;
    tx.commit().await?;
    Ok(done)
}

async fn run(tx: &mut Tx, jobs: &[Job]) -> sqlx::Result<Vec<Done>> {
    publish(tx, jobs).await?;
    let acked = acknowledge(tx, jobs).await?;
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        done.push(match job {
            Job::Publish { .. } => Done::Nothing,
            Job::Settle { receipt, verdict: Verdict::Ack, .. } => {
                Done::Held(acked.contains(&(receipt.message, receipt.lease)))
            }
            Job::Settle { receipt, verdict, .. } => Done::Held(put_back(tx, receipt, verdict).await?),
            Job::Extend { receipt, lease, .. } => Done::Held(extend(tx, receipt, *lease).await?),
            Job::Receive { subscription, max, lease, .. } => Done::Taken(take(tx, subscription, *max, *lease).await?),
        });
    }
    Ok(done)
}

async fn publish(tx: &mut Tx, jobs: &[Job]) -> sqlx::Result<()> {
    let arrays = arrays(jobs);
    if arrays.is_empty() {
        return Ok(());
    }
    let last: i64 =
        sqlx::query_scalar(r#"select coalesce(max("seq"), 0) from "messages""#).fetch_one(&mut **tx).await?;
    for rows in arrays {
        sqlx::query(
            r#"insert into "messages" ("id", "source", "type", "event", "claimed", "published_at")
               select "value" ->> 0, "value" ->> 1, "value" ->> 2, "value" ->> 3,
                      exists (select 1 from "subscription_types" where "type" = "value" ->> 2), ?2
               from json_each(?1) where true
               on conflict ("source", "id") do nothing"#,
        )
        .bind(rows)
        .bind(now())
        .execute(&mut **tx)
        .await?;
    }
    // All copies at once: a trigger would make them one by one.
    sqlx::query(
        r#"insert into "deliveries" ("subscription", "message", "due_at")
           select "subscription", "seq", "published_at"
           from "messages" cross join "subscription_types" on "subscription_types"."type" = "messages"."type"
           where "seq" > ?"#,
    )
    .bind(last)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All rows to publish as one JSON array, or as several where SQLite would not take so long a text.
fn arrays(jobs: &[Job]) -> Vec<String> {
    let mut arrays = Vec::new();
    let mut array = String::new();
    for job in jobs {
        let Job::Publish { rows, .. } = job else { continue };
        for row in rows {
            array.push(if array.is_empty() { '[' } else { ',' });
            array.push_str(row);
            if array.len() >= INSERT_BYTES {
                arrays.push(std::mem::take(&mut array) + "]");
            }
        }
    }
    if !array.is_empty() {
        arrays.push(array + "]");
    }
    arrays
}

/// All acknowledgements at once: message and lease of those that were in time.
async fn acknowledge(tx: &mut Tx, jobs: &[Job]) -> sqlx::Result<HashSet<(i64, i64)>> {
    let mut receipts: Vec<&Receipt> = Vec::new();
    for job in jobs {
        if let Job::Settle { receipt, verdict: Verdict::Ack, .. } = job {
            receipts.push(receipt);
        }
    }
    receipts.sort_by(|a, b| a.subscription.cmp(&b.subscription));
    let mut acked = HashSet::new();
    for of_one in receipts.chunk_by(|a, b| a.subscription == b.subscription) {
        let Some(first) = of_one.first() else { continue };
        let held: Vec<_> = of_one.iter().map(|receipt| [receipt.message, receipt.lease]).collect();
        let rows = sqlx::query(
            r#"delete from "deliveries"
               where "subscription" = (select "id" from "subscriptions" where "name" = ?1) and "state" = 1
                 and ("message", "lease") in (select "value" ->> 0, "value" ->> 1 from json_each(?2))
               returning "message", "lease""#,
        )
        .bind(&first.subscription)
        .bind(Json(held))
        .fetch_all(&mut **tx)
        .await?;
        sqlx::query(r#"update "subscriptions" set "acked" = "acked" + ? where "name" = ?"#)
            .bind(rows.len() as i64)
            .bind(&first.subscription)
            .execute(&mut **tx)
            .await?;
        for row in &rows {
            acked.insert((row.try_get("message")?, row.try_get("lease")?));
        }
    }
    Ok(acked)
}

async fn put_back(tx: &mut Tx, receipt: &Receipt, verdict: &Verdict) -> sqlx::Result<bool> {
    let (state, due, tried, reason) = match verdict {
        Verdict::Ack | Verdict::Release => (0, now(), 0, None),
        Verdict::Retry { after, reason } => (0, now().saturating_add(millis(*after)), 1, Some(reason)),
        Verdict::DeadLetter { reason } => (2, now(), 1, Some(reason)),
    };
    let done = sqlx::query(
        r#"update "deliveries" set "state" = ?1, "due_at" = ?2, "attempts" = "attempts" - 1 + ?3,
             "history" = iif(?4 is null, "history",
               json_insert("history", '$[#]', json_object('attempt', "attempts", 'at', ?5, 'reason', ?4)))
           where "subscription" = (select "id" from "subscriptions" where "name" = ?6)
             and "message" = ?7 and "lease" = ?8 and "state" = 1"#,
    )
    .bind(state)
    .bind(due)
    .bind(tried)
    .bind(reason)
    .bind(kit::json::timestamp_text(&kit::json::now()))
    .bind(&receipt.subscription)
    .bind(receipt.message)
    .bind(receipt.lease)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn extend(tx: &mut Tx, receipt: &Receipt, lease: Duration) -> sqlx::Result<bool> {
    let done = sqlx::query(
        r#"update "deliveries" set "due_at" = ?
           where "subscription" = (select "id" from "subscriptions" where "name" = ?)
             and "message" = ? and "lease" = ? and "state" = 1"#,
    )
    .bind(now().saturating_add(millis(lease)))
    .bind(&receipt.subscription)
    .bind(receipt.message)
    .bind(receipt.lease)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn take(tx: &mut Tx, subscription: &str, max: usize, lease: Duration) -> sqlx::Result<Vec<Delivery>> {
    let now = now();
    let rows = sqlx::query(
        r#"update "deliveries" set "state" = 1, "due_at" = ?3, "attempts" = "attempts" + 1, "lease" = "lease" + 1
           where ("subscription", "message") in (
             select "subscription", "message" from "deliveries"
             where "subscription" = (select "id" from "subscriptions" where "name" = ?1) and "state" < 2 and "due_at" <= ?2
             order by "due_at", "message" limit ?4)
           returning "message", "attempts", "lease", (select "event" from "messages" where "seq" = "message") as "event""#,
    )
    .bind(subscription)
    .bind(now)
    .bind(now.saturating_add(millis(lease)))
    .bind(max as i64)
    .fetch_all(&mut **tx)
    .await?;
    if !rows.is_empty() {
        sqlx::query(r#"update "subscriptions" set "delivered" = "delivered" + ? where "name" = ?"#)
            .bind(rows.len() as i64)
            .bind(subscription)
            .execute(&mut **tx)
            .await?;
    }
    let mut deliveries = rows.iter().map(|row| delivery(row, subscription)).collect::<sqlx::Result<Vec<_>>>()?;
    deliveries.sort_by_key(|delivery| delivery.receipt.message);
    Ok(deliveries)
}

fn delivery(row: &SqliteRow, subscription: &str) -> sqlx::Result<Delivery> {
    let receipt =
        Receipt { subscription: subscription.into(), message: row.try_get("message")?, lease: row.try_get("lease")? };
    Ok(Delivery { message: Message::decode(row.try_get("event")?), attempt: row.try_get("attempts")?, receipt })
}
