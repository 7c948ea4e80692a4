//! The broker built in: one SQLite file that all processes of the system open.
//!
//! Everything that must be safe passes the [writer](writer), which joins what comes at the same time in one commit.
//! A consumer that waits is woken by commits of its own process at once. Commits of others are noticed by asking SQLite
//! for its `data_version`, a read of shared memory: every 2 ms while there is traffic, every 50 ms when there is none.
//! So a message that ends a silence may wait 50 ms for a consumer of another process, and an idle process makes 20 small
//! reads a second. File notification would be sooner, but differs on every system; sockets between the processes would
//! be one more thing to break.

mod admin;
mod sweeper;
mod writer;

use std::{future::ready, time::Duration};

use anyhow::Result;
use async_trait::async_trait;
use chrono::Utc;
use futures_util::{StreamExt as _, stream};
use kit::{Failure, Stream};
use kit_store::{Migration, Store, failure};
use sqlx::Row;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
    time::sleep,
};

use self::writer::Job;
use crate::{
    Broker, DeadLetter, Delivery, Message, Receipt, Subscription, SubscriptionStats, Verdict, Which, memory::unknown,
};

const MIGRATION: Migration = Migration { name: "kit_broker_1", sql: include_str!("embedded/broker.sql") };

/// Jobs that may wait for the writer; past it, callers wait.
const QUEUE: usize = 1024;
/// Between two looks at what other processes did.
const LOOK: std::ops::RangeInclusive<Duration> = Duration::from_millis(2)..=Duration::from_millis(50);
/// A waiting consumer looks for itself as often: leases that others gave up are not announced.
const PATIENCE: Duration = Duration::from_secs(1);

/// A durable queue in a SQLite file. Clones share it.
///
/// Acknowledged means on the disk: it survives power loss. With `?durability=process` in the URL it survives the end of
/// the process only, and publishing does not wait for the disk.
#[derive(Clone, Debug)]
pub struct EmbeddedBroker {
    store: Store,
    jobs: mpsc::Sender<Job>,
    wake: watch::Sender<u64>,
}

impl EmbeddedBroker {
    /// Opens or creates the file of `sqlite:path/to/messages.db`; `:memory:` is a broker of its own.
    ///
    /// # Errors
    /// The file cannot be opened, or is not a broker's.
    pub async fn open(url: &str) -> Result<Self> {
        let store = Store::open(url, &[MIGRATION]).await?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let wake = watch::Sender::new(0);
        tokio::spawn(writer::write(store.clone(), queue, wake.clone()));
        tokio::spawn(watch_others(store.clone(), jobs.downgrade(), wake.clone()));
        tokio::spawn(sweeper::sweep(store.clone(), jobs.downgrade()));
        Ok(Self { store, jobs, wake })
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<Result<T, Failure>>) -> Job) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    async fn take(&self, subscription: &str, max: usize, lease: Duration) -> Result<Vec<Delivery>, Failure> {
        let (reply, answer) = oneshot::channel();
        let mut taker = Taker { jobs: self.jobs.clone(), answer };
        let job = Job::Receive { subscription: subscription.to_owned(), max, lease, reply };
        self.jobs.send(job).await.map_err(|_| gone())?;
        (&mut taker.answer).await.map_err(|_| gone())?
    }

    /// When the next message of the subscription may be delivered, in milliseconds since 1970.
    async fn next_due(&self, subscription: &str) -> Result<Option<i64>, Failure> {
        let row = sqlx::query(
            r#"select (select min("due_at") from "deliveries" where "subscription" = "id" and "state" < 2) as "due"
               from "subscriptions" where "name" = ?"#,
        )
        .bind(subscription)
        .fetch_optional(self.store.read())
        .await
        .map_err(failure)?;
        row.ok_or_else(|| unknown(subscription))?.try_get("due").map_err(failure)
    }
}

/// [`admin::after`], to its end: who looks on may stop at any moment, and holds no connection of the others then.
async fn page(store: &Store, after: i64, types: &serde_json::Value) -> Result<(i64, Vec<Message>), Failure> {
    let (store, types) = (store.clone(), types.clone());
    let page = tokio::spawn(async move { admin::after(&store, after, &types).await });
    page.await.map_err(Failure::internal)?
}

#[async_trait]
impl Broker for EmbeddedBroker {
    async fn declare(&self, subscription: &Subscription) -> Result<(), Failure> {
        admin::declare(&self.store, subscription).await?;
        self.wake.send_modify(|version| *version += 1);
        Ok(())
    }

    async fn publish(&self, messages: &[Message]) -> Result<(), Failure> {
        if messages.is_empty() {
            return Ok(());
        }
        let rows = messages.iter().map(writer::row).collect::<Result<Vec<_>, _>>()?;
        self.ask(|reply| Job::Publish { rows, reply }).await
    }

    async fn receive(&self, subscription: &str, max: usize, lease: Duration) -> Result<Vec<Delivery>, Failure> {
        let mut wake = self.wake.subscribe();
        loop {
            wake.mark_unchanged();
            let wait = match self.next_due(subscription).await? {
                Some(due) => due - now(),
                None => i64::MAX,
            };
            if wait <= 0 {
                let deliveries = self.take(subscription, max, lease).await?;
                if !deliveries.is_empty() {
                    return Ok(deliveries);
                }
            }
            tokio::select! {
                _ = wake.changed() => {}
                () = sleep(Duration::from_millis(wait.max(0).unsigned_abs()).min(PATIENCE)) => {}
            }
        }
    }

    async fn settle(&self, receipt: &Receipt, verdict: Verdict) -> Result<bool, Failure> {
        self.ask(|reply| Job::Settle { receipt: receipt.clone(), verdict, reply }).await
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<bool, Failure> {
        self.ask(|reply| Job::Extend { receipt: receipt.clone(), lease, reply }).await
    }

    async fn follow(&self, types: &[&str]) -> Result<Stream<Message, Failure>, Failure> {
        let (types, begin) = (serde_json::json!(types), admin::last(&self.store).await?);
        let (broker, wake) = (self.clone(), self.wake.subscribe());
        let pages = stream::unfold((broker, wake, begin), move |(broker, mut wake, mut after)| {
            let types = types.clone();
            async move {
                loop {
                    wake.mark_unchanged();
                    match page(&broker.store, after, &types).await {
                        // All there is has been seen.
                        Ok((last, _)) if last == after => {}
                        Ok((last, messages)) => {
                            after = last;
                            if messages.is_empty() {
                                continue;
                            }
                            let messages = messages.into_iter().map(Ok).collect();
                            return Some((messages, (broker, wake, after)));
                        }
                        Err(failure) => return Some((vec![Err(failure)], (broker, wake, after))),
                    }
                    // Only the broker itself holds the other end.
                    wake.changed().await.ok()?;
                }
            }
        });
        let ends_with_an_error =
            pages.flat_map(stream::iter).scan(false, |ended, message: Result<Message, Failure>| {
                let before = std::mem::replace(ended, message.is_err());
                ready((!before).then_some(message))
            });
        Ok(Box::pin(ends_with_an_error))
    }

    async fn forget(&self, subscription: &str) -> Result<u64, Failure> {
        admin::forget(&self.store, subscription).await
    }

    async fn ping(&self) -> Result<(), Failure> {
        self.store.ping().await.map_err(Failure::unavailable)
    }

    async fn stats(&self) -> Result<Vec<SubscriptionStats>, Failure> {
        admin::stats(&self.store).await
    }

    async fn dead_letters(&self, subscription: Option<&str>, limit: usize) -> Result<Vec<DeadLetter>, Failure> {
        admin::dead_letters(&self.store, subscription, limit).await
    }

    async fn replay(&self, subscription: &str, which: Which<'_>) -> Result<u64, Failure> {
        let count = admin::replay(&self.store, subscription, which).await?;
        self.wake.send_modify(|version| *version += 1);
        Ok(count)
    }

    async fn drop_dead(&self, subscription: &str, which: Which<'_>) -> Result<u64, Failure> {
        admin::drop_dead(&self.store, subscription, which).await
    }
}

/// Waits for deliveries, and gives them back if it is dropped when they are under way.
struct Taker {
    jobs: mpsc::Sender<Job>,
    answer: oneshot::Receiver<Result<Vec<Delivery>, Failure>>,
}

impl Drop for Taker {
    fn drop(&mut self) {
        // Closed, it refuses what has not been sent, and the writer notices.
        self.answer.close();
        if let (Ok(Ok(deliveries)), Ok(runtime)) = (self.answer.try_recv(), Handle::try_current()) {
            let jobs = self.jobs.clone();
            runtime.spawn(async move {
                for delivery in deliveries {
                    let _ = jobs.send(writer::release(delivery)).await;
                }
            });
        }
    }
}

fn gone() -> Failure {
    Failure::unavailable(anyhow::anyhow!("the broker's writer has ended"))
}

/// Wakes waiting consumers when another process has published. Ends with the broker.
async fn watch_others(store: Store, broker: mpsc::WeakSender<Job>, wake: watch::Sender<u64>) {
    let (mut seen, mut newest, mut pause) = (0, 0, *LOOK.start());
    while broker.strong_count() > 0 {
        // `data_version` counts for one connection, so this one is kept.
        let Ok(mut connection) = store.read().acquire().await else {
            sleep(*LOOK.end()).await;
            continue;
        };
        while broker.strong_count() > 0 {
            pause = pause.mul_f32(1.5).min(*LOOK.end());
            sleep(pause).await;
            if wake.receiver_count() == 0 {
                continue;
            }
            let Ok(version) = sqlx::query_scalar::<_, i64>("pragma data_version").fetch_one(&mut *connection).await
            else {
                break;
            };
            if version == seen {
                continue;
            }
            let last = sqlx::query_scalar::<_, i64>(r#"select coalesce(max("seq"), 0) from "messages""#);
            let Ok(last) = last.fetch_one(&mut *connection).await else { break };
            (seen, pause) = (version, *LOOK.start());
            if last != newest {
                newest = last;
                wake.send_modify(|version| *version += 1);
            }
        }
    }
}

/// Milliseconds since 1970: the clock that the processes share.
fn now() -> i64 {
    Utc::now().timestamp_millis()
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2)
}
