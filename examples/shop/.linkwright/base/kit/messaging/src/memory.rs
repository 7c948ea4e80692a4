use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::stream;
use kit::{Failure, Stream, json};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::{Broker, DeadLetter, Delivery, Message, Mishap, Receipt, Subscription, SubscriptionStats, Verdict, Which};

/// A broker inside one process, for tests: it follows tokio's clock, paused or not, and keeps every message.
#[derive(Clone, Debug, Default)]
pub struct MemoryBroker {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// In the order they came.
    messages: Vec<Message>,
    known: HashSet<(String, String)>,
    subscriptions: BTreeMap<String, Copies>,
}

#[derive(Debug)]
struct Copies {
    types: Vec<String>,
    /// By the place of the message.
    copies: BTreeMap<usize, Copy>,
    delivered: u64,
    acked: u64,
}

#[derive(Debug)]
struct Copy {
    /// When it may be delivered next.
    due: Instant,
    came: Instant,
    leased: bool,
    attempts: u32,
    lease: i64,
    history: Vec<Mishap>,
    /// The last of the history was the end.
    dead: bool,
}

impl Copy {
    fn new() -> Self {
        let now = Instant::now();
        Self { due: now, came: now, leased: false, attempts: 0, lease: 0, history: Vec::new(), dead: false }
    }

    fn failed(&mut self, reason: String) {
        self.history.push(Mishap { attempt: self.attempts, at: json::now(), reason });
    }
}

impl MemoryBroker {
    /// All that has been published, in order.
    pub fn published(&self) -> Vec<Message> {
        self.state().messages.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn copies(&mut self, subscription: &str) -> Result<&mut Copies, Failure> {
        self.subscriptions.get_mut(subscription).ok_or_else(|| unknown(subscription))
    }

    /// The copy, if the receipt is of its present lease.
    fn leased(&mut self, receipt: &Receipt) -> Option<&mut Copy> {
        let place = usize::try_from(receipt.message).ok()?;
        let copy = self.subscriptions.get_mut(&receipt.subscription)?.copies.get_mut(&place)?;
        (copy.leased && copy.lease == receipt.lease).then_some(copy)
    }

    fn take(&mut self, subscription: &str, max: usize, lease: Duration) -> Result<Vec<Delivery>, Failure> {
        let now = Instant::now();
        let messages = std::mem::take(&mut self.messages);
        let taken = self.copies(subscription).map(|of| {
            let mut due: Vec<_> = of.copies.iter_mut().filter(|(_, copy)| !copy.dead && copy.due <= now).collect();
            due.sort_by_key(|(place, copy)| (copy.due, **place));
            let deliver = |(place, copy): (&usize, &mut Copy)| {
                (copy.due, copy.leased, copy.attempts, copy.lease) =
                    (later(lease), true, copy.attempts + 1, copy.lease + 1);
                let receipt = Receipt { subscription: subscription.into(), message: *place as i64, lease: copy.lease };
                Some(Delivery { message: messages.get(*place)?.clone(), attempt: copy.attempts, receipt })
            };
            let deliveries: Vec<_> = due.into_iter().take(max).filter_map(deliver).collect();
            of.delivered += deliveries.len() as u64;
            deliveries
        });
        self.messages = messages;
        taken
    }

    /// The dead of a subscription: each is changed, and stays if `keep` says so.
    fn bury(&mut self, subscription: &str, which: Which<'_>, keep: impl Fn(&mut Copy) -> bool) -> Result<u64, Failure> {
        let messages = std::mem::take(&mut self.messages);
        let wanted = |place: &usize| match which {
            Which::All => true,
            Which::Ids(ids) => messages.get(*place).is_some_and(|message| ids.contains(&message.id)),
        };
        let mut count = 0;
        let done = self.copies(subscription).map(|of| {
            of.copies.retain(|place, copy| {
                let meant = copy.dead && wanted(place);
                count += u64::from(meant);
                !meant || keep(copy)
            });
        });
        self.messages = messages;
        done.map(|()| count)
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    async fn declare(&self, subscription: &Subscription) -> Result<(), Failure> {
        let mut state = self.state();
        let State { messages, subscriptions, .. } = &mut *state;
        let empty = || Copies { types: Vec::new(), copies: BTreeMap::new(), delivered: 0, acked: 0 };
        let of = subscriptions.entry(subscription.name.clone()).or_insert_with(empty);
        let new = |kind: &String| subscription.types.contains(kind) && !of.types.contains(kind);
        for (place, _) in messages.iter().enumerate().filter(|(_, message)| new(&message.kind)) {
            of.copies.entry(place).or_insert_with(Copy::new);
        }
        of.types.clone_from(&subscription.types);
        self.changed.notify_waiters();
        Ok(())
    }

    async fn publish(&self, messages: &[Message]) -> Result<(), Failure> {
        for message in messages {
            message.encode()?;
        }
        let mut state = self.state();
        for message in messages {
            if !state.known.insert((message.source.clone(), message.id.clone())) {
                continue;
            }
            let place = state.messages.len();
            state.messages.push(message.clone());
            for of in state.subscriptions.values_mut().filter(|of| of.types.contains(&message.kind)) {
                of.copies.insert(place, Copy::new());
            }
        }
        self.changed.notify_waiters();
        Ok(())
    }

    async fn receive(&self, subscription: &str, max: usize, lease: Duration) -> Result<Vec<Delivery>, Failure> {
        loop {
            let changed = self.changed.notified();
            let next = {
                let mut state = self.state();
                let deliveries = state.take(subscription, max, lease)?;
                if !deliveries.is_empty() {
                    return Ok(deliveries);
                }
                state.copies(subscription)?.copies.values().filter(|copy| !copy.dead).map(|copy| copy.due).min()
            };
            match next {
                Some(due) => tokio::select! { () = changed => {}, () = sleep_until(due) => {} },
                None => changed.await,
            }
        }
    }

    async fn settle(&self, receipt: &Receipt, verdict: Verdict) -> Result<bool, Failure> {
        let mut state = self.state();
        let Some(copy) = state.leased(receipt) else { return Ok(false) };
        copy.leased = false;
        match verdict {
            Verdict::Ack => {
                let of = state.copies(&receipt.subscription)?;
                of.copies.retain(|place, _| *place as i64 != receipt.message);
                of.acked += 1;
            }
            Verdict::Retry { after, reason } => {
                copy.failed(reason);
                copy.due = later(after);
            }
            Verdict::Release => {
                copy.attempts -= 1;
                copy.due = Instant::now();
            }
            Verdict::DeadLetter { reason } => {
                copy.failed(reason);
                copy.dead = true;
            }
        }
        self.changed.notify_waiters();
        Ok(true)
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<bool, Failure> {
        let mut state = self.state();
        let Some(copy) = state.leased(receipt) else { return Ok(false) };
        copy.due = later(lease);
        Ok(true)
    }

    async fn follow(&self, types: &[&str]) -> Result<Stream<Message, Failure>, Failure> {
        let types: Vec<String> = types.iter().map(|&kind| kind.to_owned()).collect();
        let begin = self.state().messages.len();
        Ok(Box::pin(stream::unfold((self.clone(), begin), move |(broker, mut next)| {
            let types = types.clone();
            async move {
                loop {
                    let shared = broker.changed.clone();
                    let changed = shared.notified();
                    let newer = broker.state().messages[next..].to_vec();
                    let found = newer.iter().position(|message| types.contains(&message.kind));
                    if let Some(place) = found {
                        return Some((Ok(newer[place].clone()), (broker, next + place + 1)));
                    }
                    next += newer.len();
                    changed.await;
                }
            }
        })))
    }

    async fn forget(&self, subscription: &str) -> Result<u64, Failure> {
        let copies = self.state().subscriptions.remove(subscription).ok_or_else(|| unknown(subscription))?;
        Ok(copies.copies.len() as u64)
    }

    async fn ping(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn stats(&self) -> Result<Vec<SubscriptionStats>, Failure> {
        let now = Instant::now();
        let stats = |(name, of): (&String, &Copies)| {
            let alive = || of.copies.values().filter(|copy| !copy.dead);
            let in_flight = alive().filter(|copy| copy.leased && copy.due > now).count() as u64;
            let oldest = alive().map(|copy| now - copy.came).max().unwrap_or_default();
            SubscriptionStats {
                subscription: name.clone(),
                pending: alive().count() as u64 - in_flight,
                in_flight,
                dead: (of.copies.len() - alive().count()) as u64,
                oldest_age_ms: oldest.as_millis() as u64,
                delivered: of.delivered,
                acked: of.acked,
            }
        };
        Ok(self.state().subscriptions.iter().map(stats).collect())
    }

    async fn dead_letters(&self, subscription: Option<&str>, limit: usize) -> Result<Vec<DeadLetter>, Failure> {
        let state = self.state();
        let mut letters = Vec::new();
        for (name, of) in
            state.subscriptions.iter().filter(|(name, _)| subscription.is_none_or(|wanted| wanted == *name))
        {
            for (place, copy) in of.copies.iter().filter(|(_, copy)| copy.dead) {
                if let (Some(message), Some((end, history))) = (state.messages.get(*place), copy.history.split_last()) {
                    letters.push(DeadLetter {
                        subscription: name.clone(),
                        message: message.clone(),
                        attempts: copy.attempts,
                        reason: end.reason.clone(),
                        died_at: end.at,
                        history: history.to_vec(),
                    });
                }
            }
        }
        letters.sort_by_key(|letter| letter.died_at);
        letters.truncate(limit);
        Ok(letters)
    }

    async fn replay(&self, subscription: &str, which: Which<'_>) -> Result<u64, Failure> {
        let count = self.state().bury(subscription, which, |copy| {
            (copy.dead, copy.attempts, copy.due) = (false, 0, Instant::now());
            true
        })?;
        self.changed.notify_waiters();
        Ok(count)
    }

    async fn drop_dead(&self, subscription: &str, which: Which<'_>) -> Result<u64, Failure> {
        self.state().bury(subscription, which, |_| false)
    }
}

/// This long from now; a century stands for all that is longer than clocks go.
fn later(span: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    Instant::now() + span.min(CENTURY)
}

pub(crate) fn unknown(subscription: &str) -> Failure {
    Failure::not_found(format_args!("subscription {subscription}"))
}
