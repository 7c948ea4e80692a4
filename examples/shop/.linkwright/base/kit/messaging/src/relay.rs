use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use futures_util::TryStreamExt;
use kit::Kind;
use kit_store::{Columns, Json, Store};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use crate::{Broker, Message};

/// Messages published in one go.
const BATCH: usize = 200;
/// … unless they are big.
const BATCH_BYTES: usize = 4 << 20;
/// Published messages stay in the outbox about as long, so that one commit deletes many. After a crash they are
/// published again, with the same ids.
const TIDY: Duration = Duration::from_millis(200);
/// The outbox is looked at as often even if nobody of this process wrote to it.
const LOOK: Duration = Duration::from_secs(1);
/// Pause after an error.
const PAUSE: Duration = Duration::from_millis(500);

/// Publishes what is in the outbox, in the order it was committed: the store has one writer, so that is the order of the
/// numbers, and none comes late. One relay is enough; several publish the same messages, which the broker takes for
/// repeats: a waste, and no harm. Clones share the numbers.
#[derive(Clone)]
pub struct Relay(Arc<Inner>);

struct Inner {
    store: Store,
    broker: Arc<dyn Broker>,
    published: AtomicU64,
    refused: AtomicU64,
    waiting: AtomicI64,
}

/// What a relay has done since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RelayState {
    pub published: u64,
    /// The broker will never take them; they stay in the outbox with the reason.
    pub refused: u64,
    /// How long the oldest message has waited for a broker that does not answer, in milliseconds.
    pub oldest_age_ms: u64,
}

impl Relay {
    pub fn new(store: Store, broker: Arc<dyn Broker>) -> Self {
        let (published, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { store, broker, published, refused, waiting: AtomicI64::new(0) }))
    }

    pub fn state(&self) -> RelayState {
        RelayState {
            published: self.0.published.load(Ordering::Relaxed),
            refused: self.0.refused.load(Ordering::Relaxed),
            oldest_age_ms: match self.0.waiting.load(Ordering::Relaxed) {
                0 => 0,
                since => (chrono::Utc::now().timestamp_millis() - since).max(0).unsigned_abs(),
            },
        }
    }

    /// Works until `stop`, at which it publishes what is there. Errors are logged and waited out.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let mut marks = self.0.store.marks();
        let mut stop = std::pin::pin!(stop);
        let mut done = Published::default();
        loop {
            marks.mark_unchanged();
            let wake = match self.relay(&mut done).await {
                Ok(()) => Instant::now() + if done.untidy.is_empty() { LOOK } else { TIDY },
                Err(error) => {
                    tracing::warn!("cannot publish from the outbox: {error:#}");
                    Instant::now() + PAUSE
                }
            };
            tokio::select! {
                () = &mut stop => break,
                _ = marks.changed() => {}
                () = sleep_until(wake) => {}
            }
        }
        if let Err(error) = self.finish(&mut done).await {
            tracing::warn!("the outbox keeps some messages for the next start: {error:#}");
        }
    }

    async fn finish(&self, done: &mut Published) -> Result<()> {
        self.relay(done).await?;
        self.tidy(done).await
    }

    /// Publishes all there is.
    async fn relay(&self, done: &mut Published) -> Result<()> {
        loop {
            let (mut numbers, mut messages, mut bytes, mut last) = (Vec::new(), Vec::new(), 0, done.last);
            let query =
                r#"select "seq", "event" from "kit_outbox" where "seq" > ? and "refused" is null order by "seq""#;
            let mut rows = sqlx::query(query).bind(done.last).fetch(self.0.store.read());
            let mut unreadable = Vec::new();
            while messages.len() < BATCH && bytes < BATCH_BYTES {
                let Some(row) = rows.try_next().await? else { break };
                last = row.read::<i64>("seq")?;
                let event = row.read::<String>("event")?;
                bytes += event.len();
                match serde_json::from_str::<Message>(&event) {
                    Ok(message) => {
                        numbers.push(last);
                        messages.push(message);
                    }
                    Err(error) => unreadable.push((last, error)),
                }
            }
            drop(rows);
            for (number, error) in unreadable {
                self.refuse(number, &error.to_string()).await?;
            }
            if done.untidy_since.elapsed() >= TIDY || done.untidy.len() >= 10 * BATCH {
                self.tidy(done).await?;
            }
            if last == done.last {
                return Ok(());
            }
            if let Some(oldest) = messages.first() {
                self.0.waiting.store(oldest.time.timestamp_millis(), Ordering::Relaxed);
                self.publish(&numbers, &messages).await?;
            }
            self.0.waiting.store(0, Ordering::Relaxed);
            done.last = last;
            done.untidy.extend(numbers);
        }
    }

    /// Together; and if one of them will never be taken, each by itself.
    async fn publish(&self, numbers: &[i64], messages: &[Message]) -> Result<()> {
        match self.0.broker.publish(messages).await {
            Ok(()) => {
                self.0.published.fetch_add(messages.len() as u64, Ordering::Relaxed);
            }
            Err(failure) if failure.kind == Kind::Invalid && messages.len() > 1 => {
                for (number, message) in numbers.iter().zip(messages) {
                    Box::pin(self.publish(&[*number], std::slice::from_ref(message))).await?;
                }
            }
            Err(failure) if failure.kind == Kind::Invalid => {
                for number in numbers {
                    self.refuse(*number, &failure.detail).await?;
                }
            }
            Err(failure) => {
                let cause = failure.source.as_ref().map(ToString::to_string);
                return Err(failure).context(cause.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Keeps a message that nobody will ever take, with the reason.
    async fn refuse(&self, number: i64, reason: &str) -> Result<()> {
        tracing::error!(number, reason, "a message stays in the outbox for good");
        self.0.refused.fetch_add(1, Ordering::Relaxed);
        let mut tx = self.0.store.begin().await?;
        let update = sqlx::query(r#"update "kit_outbox" set "refused" = ? where "seq" = ?"#);
        update.bind(reason).bind(number).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    async fn tidy(&self, done: &mut Published) -> Result<()> {
        if !done.untidy.is_empty() {
            let mut tx = self.0.store.begin().await?;
            sqlx::query(
                r#"delete from "kit_outbox" where "refused" is null and "seq" in (select "value" from json_each(?))"#,
            )
            .bind(Json(&done.untidy))
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        }
        done.untidy.clear();
        done.untidy_since = Instant::now();
        Ok(())
    }
}

/// What has been published, by number.
struct Published {
    last: i64,
    /// Still in the table.
    untidy: Vec<i64>,
    untidy_since: Instant,
}

impl Default for Published {
    fn default() -> Self {
        Self { last: 0, untidy: Vec::new(), untidy_since: Instant::now() }
    }
}
