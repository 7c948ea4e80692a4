//! The embedded queue: how many messages it takes in a second, beside SQLite itself, and how soon they are there.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result};
use kit::{Context, Failure, Validate};
use kit_messaging::{Broker, Consumer, Message, Policy, Subscription};
use kit_store::{Migration, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinSet, time::sleep};

use crate::{percentile, print};

const KIND: &str = "bench.bell.Rung.v1";
const SOURCE: &str = "/bell";

/// Some two hundred bytes, as events of resources have.
#[derive(Serialize, Deserialize)]
struct Rung {
    /// Nanoseconds since 1970.
    sent: u64,
    text: String,
}

impl Validate for Rung {}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn message() -> Result<Message, Failure> {
    Message::new(&Context::default(), KIND, SOURCE, &Rung { sent: now(), text: "ding dong ".repeat(15) })
}

fn messages(count: usize) -> Result<Vec<Message>, Failure> {
    (0..count).map(|_| message()).collect()
}

/// The broker with one subscription, as a queue that somebody listens to has.
async fn broker(file: &str) -> Result<Arc<dyn Broker>> {
    let broker = kit_messaging::connect(&format!("sqlite:{file}")).await?;
    broker.declare(&subscription()).await?;
    Ok(broker)
}

fn subscription() -> Subscription {
    Subscription::new("bench.listener", [KIND])
}

fn rate(count: usize, started: Instant) -> Value {
    json!({ "per_second": count as f64 / started.elapsed().as_secs_f64() })
}

/// Publishers at work at the same time, each of which waits until its message is safe.
pub async fn publish(file: &str, publishers: usize, count: usize) -> Result<Value> {
    let broker = broker(file).await?;
    let each = count.div_ceil(publishers);
    // Their ids grow with time, over all publishers.
    let mut stacks = vec![Vec::with_capacity(each); publishers];
    for (index, message) in messages(each * publishers)?.into_iter().enumerate() {
        stacks[index % publishers].push(message);
    }
    let started = Instant::now();
    let mut work = JoinSet::new();
    for stack in stacks.drain(..) {
        let broker = broker.clone();
        work.spawn(async move {
            for message in stack {
                broker.publish(&[message]).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(done) = work.join_next().await {
        done??;
    }
    Ok(rate(each * publishers, started))
}

/// The same rows into a table without index, trigger or copies, `batch` of them in each commit, which is as safe.
pub async fn insert(file: &str, batch: usize, count: usize) -> Result<Value> {
    let table =
        r#"create table "messages" ("seq" integer primary key, "id" text, "source" text, "type" text, "event" text)"#;
    let store = Store::open(&format!("sqlite:{file}"), &[Migration { name: "raw", sql: table }]).await?;
    let messages = messages(count)?;
    let rows = |messages: &[Message]| {
        let row = |m: &Message| Ok(json!([m.id, m.source, m.kind, serde_json::to_string(m)?]));
        anyhow::Ok(serde_json::to_string(&messages.iter().map(row).collect::<Result<Vec<_>>>()?)?)
    };
    let batches = messages.chunks(batch).map(rows).collect::<Result<Vec<_>>>()?;
    let started = Instant::now();
    for rows in batches {
        let mut tx = store.begin().await?;
        sqlx::query(
            r#"insert into "messages" ("id", "source", "type", "event")
               select "value" ->> 0, "value" ->> 1, "value" ->> 2, "value" ->> 3 from json_each(?)"#,
        )
        .bind(rows)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
    }
    Ok(rate(count, started))
}

/// Publishes messages with a pause after each, for a consumer in another process.
pub async fn send(file: &str, count: usize, pause: u64) -> Result<Value> {
    let broker = broker(file).await?;
    for _ in 0..count {
        broker.publish(&[message()?]).await?;
        sleep(Duration::from_millis(pause)).await;
    }
    Ok(Value::Null)
}

/// Consumes as an emitted service does; the effect is that the handler runs. Says `ready` first.
pub async fn consume(file: &str, count: usize) -> Result<Value> {
    let broker = broker(file).await?;
    let consumer = Consumer::new(broker, subscription(), Policy::default());
    let times = Arc::new(Mutex::new(Vec::with_capacity(count)));
    let done = Arc::new(Notify::new());
    let stop = done.clone();
    print(&json!("ready"));
    let seen = times.clone();
    let handle = move |_: Context, message: Message| {
        let (seen, done) = (seen.clone(), done.clone());
        async move {
            let rung: Rung = message.payload()?;
            let late = now().saturating_sub(rung.sent) as f64 / 1e6;
            let all = seen.lock().is_ok_and(|mut seen| {
                seen.push(late);
                seen.len() == count
            });
            if all {
                done.notify_one();
            }
            Ok::<(), Failure>(())
        }
    };
    consumer.run(stop.notified(), handle).await;
    let mut times = times.lock().ok().context("a handler panicked")?.clone();
    times.sort_by(f64::total_cmp);
    Ok(json!({ "p50_ms": percentile(&times, 0.5), "p99_ms": percentile(&times, 0.99) }))
}
