use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use kit::{Failure, Kind, Stream};
use kit_messaging::{
    Broker, DeadLetter, Delivery, MemoryBroker, Message, Receipt, Subscription, SubscriptionStats, Verdict, Which,
};

/// A broker in memory that is away, or refuses, or forgets leases, as the test wants.
#[derive(Default)]
pub struct Faulty {
    pub inner: MemoryBroker,
    pub away: AtomicBool,
    /// Messages with this subject are never taken.
    pub refused: Mutex<Option<String>>,
    pub forgets_leases: AtomicBool,
}

impl Faulty {
    fn here(&self) -> Result<(), Failure> {
        if self.away.load(Ordering::SeqCst) { Err(Failure::unavailable(anyhow::anyhow!("away"))) } else { Ok(()) }
    }
}

#[async_trait]
impl Broker for Faulty {
    async fn declare(&self, subscription: &Subscription) -> Result<(), Failure> {
        self.here()?;
        self.inner.declare(subscription).await
    }

    async fn publish(&self, messages: &[Message]) -> Result<(), Failure> {
        self.here()?;
        let refused = self.refused.lock().unwrap().clone();
        if refused.is_some() && messages.iter().any(|message| message.subject == refused) {
            return Err(Failure::new(Kind::Invalid, "not this one"));
        }
        self.inner.publish(messages).await
    }

    async fn receive(&self, subscription: &str, max: usize, lease: Duration) -> Result<Vec<Delivery>, Failure> {
        self.here()?;
        self.inner.receive(subscription, max, lease).await
    }

    async fn settle(&self, receipt: &Receipt, verdict: Verdict) -> Result<bool, Failure> {
        self.here()?;
        self.inner.settle(receipt, verdict).await
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<bool, Failure> {
        self.here()?;
        Ok(!self.forgets_leases.load(Ordering::SeqCst) && self.inner.extend(receipt, lease).await?)
    }

    async fn follow(&self, types: &[&str]) -> Result<Stream<Message, Failure>, Failure> {
        self.here()?;
        self.inner.follow(types).await
    }

    async fn forget(&self, subscription: &str) -> Result<u64, Failure> {
        self.inner.forget(subscription).await
    }

    async fn ping(&self) -> Result<(), Failure> {
        self.here()
    }

    async fn stats(&self) -> Result<Vec<SubscriptionStats>, Failure> {
        self.inner.stats().await
    }

    async fn dead_letters(&self, subscription: Option<&str>, limit: usize) -> Result<Vec<DeadLetter>, Failure> {
        self.inner.dead_letters(subscription, limit).await
    }

    async fn replay(&self, subscription: &str, which: Which<'_>) -> Result<u64, Failure> {
        self.inner.replay(subscription, which).await
    }

    async fn drop_dead(&self, subscription: &str, which: Which<'_>) -> Result<u64, Failure> {
        self.inner.drop_dead(subscription, which).await
    }
}
