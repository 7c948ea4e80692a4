use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::Utc;
use futures_util::FutureExt;
use kit::{Context, Failure, OperationError};
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tracing::Instrument;

use crate::{
    Broker, Delivery, Guarantee, Message, Policy, Receipt, Subscription, Verdict,
    batch::{self, Part},
};

/// Pause after an error of the broker.
const BROKER_PAUSE: Duration = Duration::from_millis(500);
/// How long a free slot waits for others to become free too.
const GATHER: Duration = Duration::from_millis(2);

/// What handles each message by means of `service`, for [`Consumer::run`].
pub fn handler<S, H, F>(service: &Arc<S>, handle: H) -> impl Fn(Context, Message) -> F + Send + Sync + use<S, H, F>
where
    S: Send + Sync + 'static,
    H: Fn(Arc<S>, Context, Message) -> F + Send + Sync + 'static,
{
    let service = service.clone();
    move |cx, message| handle(service.clone(), cx, message)
}

/// Takes the messages of a subscription and hands them to a service. Clones share the numbers.
#[derive(Clone)]
pub struct Consumer(Arc<Inner>);

struct Inner {
    broker: Arc<dyn Broker>,
    subscription: Subscription,
    policy: Policy,
    counters: Counters,
}

/// What a consumer has done since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConsumerState {
    pub subscription: String,
    pub in_flight: u64,
    /// Done and acknowledged.
    pub consumed: u64,
    pub retried: u64,
    pub dead_lettered: u64,
    /// Given up without a trace but this number: no dead letters, or at most once.
    pub lost: u64,
    /// From the moment the last message was made to the moment work on it began, in milliseconds.
    pub lag_ms: u64,
}

#[derive(Default)]
struct Counters {
    in_flight: AtomicU64,
    consumed: AtomicU64,
    retried: AtomicU64,
    dead_lettered: AtomicU64,
    lost: AtomicU64,
    lag_ms: AtomicU64,
}

impl Consumer {
    pub fn new(broker: Arc<dyn Broker>, subscription: Subscription, policy: Policy) -> Self {
        Self(Arc::new(Inner { broker, subscription, policy, counters: Counters::default() }))
    }

    /// Tells the [state](Self::state) whenever it is asked.
    pub fn states(&self) -> impl Fn() -> ConsumerState + Send + Sync + use<> {
        let consumer = self.clone();
        move || consumer.state()
    }

    pub fn state(&self) -> ConsumerState {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.0.counters;
        ConsumerState {
            subscription: self.0.subscription.name.clone(),
            in_flight: read(&counters.in_flight),
            consumed: read(&counters.consumed),
            retried: read(&counters.retried),
            dead_lettered: read(&counters.dead_lettered),
            lost: read(&counters.lost),
            lag_ms: read(&counters.lag_ms),
        }
    }

    /// Works until `stop`, then finishes what it has begun. Errors of the broker are logged and waited out.
    ///
    /// `handler` gets the message with its [context](Message::context), at whose deadline it is dropped. Its answer
    /// decides: `Ok` acknowledges, an error does what its kind says (the table of the design language): try again later,
    /// or set aside. A panic counts as `internal`.
    pub async fn run<H, F, T, E>(&self, stop: impl Future<Output = ()> + Send, handler: H)
    where
        H: Fn(Context, Message) -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: OperationError,
    {
        let Inner { broker, subscription, policy, .. } = &*self.0;
        let handler = Arc::new(handler);
        let slots = Arc::new(Semaphore::new(policy.concurrency.max(1)));
        let mut work = JoinSet::new();
        let stop = stop.shared();
        let in_batches = policy.batch.size > 1;
        let declared = async {
            while let Err(failure) = broker.declare(subscription).await {
                warn("cannot declare the subscription", subscription, &failure);
                sleep(BROKER_PAUSE).await;
            }
        };
        tokio::select! {
            biased;
            () = stop.clone() => return,
            () = declared => {}
        }
        loop {
            let received = tokio::select! {
                biased;
                () = stop.clone() => break,
                received = self.receive(&slots) => received,
            };
            match received {
                Ok((mut deliveries, _slots)) if in_batches => {
                    batch::fill(&mut deliveries, &**broker, &subscription.name, policy, stop.clone()).await;
                    let parts = Part::each(deliveries.len()).map(Some);
                    for (delivery, part) in deliveries.into_iter().zip(parts) {
                        let (consumer, handler) = (self.clone(), handler.clone());
                        work.spawn(async move { consumer.take(delivery, &*handler, None, part).await });
                    }
                    while work.join_next().await.is_some() {}
                }
                Ok((deliveries, mut free)) => {
                    for delivery in deliveries {
                        let (consumer, handler, slot) = (self.clone(), handler.clone(), free.split(1));
                        work.spawn(async move { consumer.take(delivery, &*handler, slot, None).await });
                    }
                }
                Err(failure) => {
                    warn("cannot receive", subscription, &failure);
                    tokio::select! {
                        () = stop.clone() => break,
                        () = sleep(BROKER_PAUSE) => {}
                    }
                }
            }
            while work.try_join_next().is_some() {}
        }
        while work.join_next().await.is_some() {}
    }

    /// As many as there are free slots, at least one; or as a batch has.
    async fn receive(&self, slots: &Arc<Semaphore>) -> Result<(Vec<Delivery>, OwnedSemaphorePermit), Failure> {
        let Inner { broker, subscription, policy, .. } = &*self.0;
        let closed = |_| Failure::internal(anyhow::anyhow!("the slots are closed"));
        let mut free = slots.clone().acquire_owned().await.map_err(closed)?;
        // Work often ends in a row: to ask for one message each time would be a commit each time.
        let half = u32::try_from(policy.concurrency / 2).unwrap_or(u32::MAX);
        if let Ok(Ok(more)) = timeout(GATHER, slots.clone().acquire_many_owned(half.saturating_sub(1))).await {
            free.merge(more);
        }
        while let Ok(more) = slots.clone().try_acquire_owned() {
            free.merge(more);
        }
        let (most, lease) = match policy.batch.size {
            0 | 1 => (free.num_permits(), policy.lease),
            size => (size, policy.lease + policy.batch.within),
        };
        let deliveries = broker.receive(&subscription.name, most, lease).await?;
        Ok((deliveries, free))
    }

    async fn take<H, F, T, E>(
        &self,
        delivery: Delivery,
        handler: &H,
        slot: Option<OwnedSemaphorePermit>,
        part: Option<Part>,
    ) where
        H: Fn(Context, Message) -> F,
        F: Future<Output = Result<T, E>>,
        E: OperationError,
    {
        let Inner { policy, counters, subscription, .. } = &*self.0;
        let Delivery { message, attempt, receipt } = delivery;
        let lag = (Utc::now() - message.time).num_milliseconds().max(0);
        counters.lag_ms.store(lag.unsigned_abs(), Ordering::Relaxed);
        let context = message.context(attempt);
        let span = tracing::info_span!(
            "message",
            subscription = subscription.name,
            id = message.id,
            r#type = message.kind,
            attempt,
            trace_id = context.trace().id()
        );
        counters.in_flight.fetch_add(1, Ordering::Relaxed);
        async {
            tracing::debug!("taken");
            if policy.guarantee == Guarantee::AtMostOnce && !self.acknowledged_before(&receipt).await {
                return;
            }
            // Whoever took it so often never lived to tell: it may be the message that kills.
            if attempt > policy.attempts {
                let reason = format!("no answer in {} attempts", attempt - 1);
                return self.settle(&receipt, Verdict::DeadLetter { reason }).await;
            }
            if context.remaining() == Some(Duration::ZERO) {
                let reason = "the deadline has passed before the work began".into();
                return self.settle(&receipt, Verdict::DeadLetter { reason }).await;
            }
            let context = context.within(policy.timeout);
            let work = context.limit(async { handler(context.clone(), message).await });
            let result = tokio::select! {
                result = work => result,
                () = self.keep_lease(&receipt) => {
                    tracing::warn!("somebody else has the message now: gave the work up");
                    return;
                }
            };
            let verdict = match result {
                Ok(_) => Verdict::Ack,
                Err(error) => policy.verdict(attempt, &error),
            };
            // The next message may come in the commit that settles this one.
            drop(slot);
            if let Some(part) = part {
                tokio::select! {
                    () = part.all() => {}
                    () = self.keep_lease(&receipt) => {
                        tracing::warn!("the lease was over before the batch: the message comes again");
                        return;
                    }
                }
            }
            self.settle(&receipt, verdict).await;
        }
        .instrument(span)
        .await;
        counters.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    async fn acknowledged_before(&self, receipt: &Receipt) -> bool {
        match self.0.broker.settle(receipt, Verdict::Ack).await {
            Ok(ours) => ours,
            Err(failure) => {
                warn("cannot acknowledge, so the work is left", &self.0.subscription, &failure);
                false
            }
        }
    }

    /// Extends the lease until it is lost. Without one, which is at most once, waits for ever.
    async fn keep_lease(&self, receipt: &Receipt) {
        let Inner { broker, policy, subscription, .. } = &*self.0;
        if policy.guarantee == Guarantee::AtMostOnce {
            return std::future::pending().await;
        }
        loop {
            sleep(policy.lease / 3).await;
            match broker.extend(receipt, policy.lease).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(failure) => warn("cannot extend a lease", subscription, &failure),
            }
        }
    }

    async fn settle(&self, receipt: &Receipt, verdict: Verdict) {
        let Inner { broker, policy, subscription, counters } = &*self.0;
        let at_most_once = policy.guarantee == Guarantee::AtMostOnce;
        let (counter, verdict) = match verdict {
            Verdict::Ack => {
                tracing::debug!("done");
                (&counters.consumed, Verdict::Ack)
            }
            Verdict::Retry { reason, .. } | Verdict::DeadLetter { reason } if at_most_once => {
                tracing::error!(reason, "lost a message: at most once");
                (&counters.lost, Verdict::Ack)
            }
            Verdict::DeadLetter { reason } if !policy.dead_letter => {
                tracing::error!(reason, "lost a message: no dead letters");
                (&counters.lost, Verdict::Ack)
            }
            Verdict::DeadLetter { reason } => {
                tracing::error!(reason, "dead letter");
                (&counters.dead_lettered, Verdict::DeadLetter { reason })
            }
            Verdict::Retry { after, reason } => {
                tracing::warn!(reason, ?after, "tries again");
                (&counters.retried, Verdict::Retry { after, reason })
            }
            Verdict::Release => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        // At most once, it was acknowledged before.
        if at_most_once && verdict == Verdict::Ack {
            return;
        }
        let begun = Instant::now();
        loop {
            match broker.settle(receipt, verdict.clone()).await {
                Ok(true) => return,
                Ok(false) => return tracing::warn!("the lease was over before the work: the message comes again"),
                Err(failure) => warn("cannot settle a message", subscription, &failure),
            }
            // Past its lease it comes again by itself.
            if begun.elapsed() > policy.lease {
                return;
            }
            sleep(BROKER_PAUSE).await;
        }
    }
}

fn warn(what: &str, subscription: &Subscription, failure: &Failure) {
    let cause = failure.source.as_ref().map(ToString::to_string);
    tracing::warn!(subscription = subscription.name, %failure, cause, "{what}");
}
