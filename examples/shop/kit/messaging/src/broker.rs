use std::{sync::Arc, time::Duration};

use anyhow::{Result, bail};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kit::{
    Failure, Stream,
    json::{As, Micros},
};
use serde::{Deserialize, Serialize};

use crate::{EmbeddedBroker, MemoryBroker, Message};

/// What carries messages. Each subscription gets one copy of every message of its types; its consumers compete for it.
/// A copy is delivered at least once: until it is acknowledged, it comes again.
///
/// Errors are `unavailable` (try again), `invalid` (it will never work) or `not_found` (no such subscription).
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Makes the subscription, or changes which types it gets: from then on these and no others. Publishers declare the
    /// subscriptions they know of too, all types included, so that nothing is lost to a consumer that has never run yet.
    async fn declare(&self, subscription: &Subscription) -> Result<(), Failure>;

    /// Ends a subscription that nobody needs any more, which else keeps every message of its types for ever. Answers how
    /// many were on their way to it, dead ones included.
    async fn forget(&self, subscription: &str) -> Result<u64, Failure>;

    /// All are stored when this returns. A message of a known source and id is a repeat and changes nothing, as
    /// long as the broker has the first: at least a minute after all its subscriptions have done with it.
    async fn publish(&self, messages: &[Message]) -> Result<(), Failure>;

    /// Waits for at least one message and gives up to `max`, each hidden from other consumers for `lease`.
    /// May be dropped while it waits: what it had taken by then is given back.
    async fn receive(&self, subscription: &str, max: usize, lease: Duration) -> Result<Vec<Delivery>, Failure>;

    /// Ends a lease. False: it was over before, and somebody else may have the message.
    async fn settle(&self, receipt: &Receipt, verdict: Verdict) -> Result<bool, Failure>;

    /// The lease ends this long from now. False: it was over before, and somebody else may have the message.
    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<bool, Failure>;

    /// Every message of these types from now on, for one who looks on: nothing is kept for those who are away, nothing
    /// acknowledged, and a copy for each of them. An error ends it, `unavailable` too, which also tells a reader so slow
    /// that a message was removed before it has seen it.
    async fn follow(&self, types: &[&str]) -> Result<Stream<Message, Failure>, Failure>;

    /// The broker answers. Costs the same however much it has to do.
    async fn ping(&self) -> Result<(), Failure>;

    /// Every subscription with its numbers, by name. Counts all that is not acknowledged.
    async fn stats(&self) -> Result<Vec<SubscriptionStats>, Failure>;

    /// Dead letters, oldest first: of one subscription or of all.
    async fn dead_letters(&self, subscription: Option<&str>, limit: usize) -> Result<Vec<DeadLetter>, Failure>;

    /// Delivers dead letters again, as if for the first time. Answers how many there were.
    async fn replay(&self, subscription: &str, which: Which<'_>) -> Result<u64, Failure>;

    /// Deletes dead letters. Answers how many there were.
    async fn drop_dead(&self, subscription: &str, which: Which<'_>) -> Result<u64, Failure>;
}

/// Opens the broker of a `BROKER_URL`: `sqlite:messages.db` is the embedded one, shared by all processes that open the
/// file; `memory:` one for this call alone.
///
/// # Errors
/// The URL is of a broker that is not built in, or it cannot be opened.
pub async fn connect(url: &str) -> Result<Arc<dyn Broker>> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(Arc::new(EmbeddedBroker::open(url).await?)),
        Some(("memory", "")) => Ok(Arc::new(MemoryBroker::default())),
        _ => bail!("{url:?} is no broker of this workspace; it has sqlite:path/to/messages.db and memory:"),
    }
}

/// Who gets what: a name that its consumers share (`billing.bill`), and the types of the messages. A new one, or a type
/// new to it, begins with what the broker still has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub name: String,
    pub types: Vec<String>,
}

impl Subscription {
    pub fn new(name: impl Into<String>, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), types: types.into_iter().map(Into::into).collect() }
    }
}

/// A message on its way to one subscription.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub message: Message,
    /// Counts from 1.
    pub attempt: u32,
    pub receipt: Receipt,
}

/// Names one lease of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub subscription: String,
    /// The broker's own number of the message.
    pub message: i64,
    /// Grows with each lease of the message: an old receipt settles nothing.
    pub lease: i64,
}

/// How a delivery ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Ack,
    /// Deliver it again, not before this span is over.
    Retry { after: Duration, reason: String },
    /// Deliver it again at once: nobody tried.
    Release,
    /// Keep it aside until somebody looks.
    DeadLetter { reason: String },
}

/// Which dead letters of a subscription are meant.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    All,
    /// Those of these message ids.
    Ids(&'a [String]),
}

/// A message that a subscription could not digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub subscription: String,
    pub message: Message,
    pub attempts: u32,
    pub reason: String,
    #[serde(with = "As::<Micros>")]
    pub died_at: DateTime<Utc>,
    /// What went wrong before, oldest first.
    pub history: Vec<Mishap>,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mishap {
    pub attempt: u32,
    #[serde(with = "As::<Micros>")]
    pub at: DateTime<Utc>,
    pub reason: String,
}

/// Where a subscription stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionStats {
    pub subscription: String,
    /// May be delivered now or, after a failure, later.
    pub pending: u64,
    pub in_flight: u64,
    pub dead: u64,
    /// How long the oldest that is pending or in flight has been here, in milliseconds.
    pub oldest_age_ms: u64,
    /// Since the subscription was made, each redelivery counted.
    pub delivered: u64,
    pub acked: u64,
}
