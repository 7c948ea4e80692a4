use std::{
    net::IpAddr,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::{Failure, Intent, Standing, Trace};

/// Who calls, by when, under which key, in which trace. The first argument of every operation.
///
/// Cloning is cheap; clones share what is said of the answer: its [`Marks`], and that it is an item that was not there.
#[derive(Clone, Debug)]
pub struct Context {
    caller: Caller,
    address: Option<IpAddr>,
    deadline: Option<Instant>,
    key: Option<Arc<str>>,
    intent: Option<Arc<Intent>>,
    behalf: Option<Arc<Intent>>,
    origin: Origin,
    trace: Trace,
    attempt: u32,
    marks: Marks,
    notes: Arc<Notes>,
}

/// What is said of a call while it runs.
#[derive(Debug, Default)]
struct Notes {
    created: AtomicBool,
    reads: AtomicBool,
    standings: Mutex<Vec<Standing>>,
}

/// Who makes a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caller {
    /// Nobody has proved who they are.
    #[default]
    Anonymous,
}

impl Caller {
    /// What tells callers apart. Those who have not proved who they are count as one.
    pub fn id(&self) -> &str {
        match self {
            Self::Anonymous => "",
        }
    }
}

/// What made the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Somebody who waits for the answer.
    #[default]
    Request,
    /// A message, which may come again for days.
    Message,
    /// A call that somebody waits for, and that needs this one to be answered: what is asked for together counts once.
    Part,
}

impl Default for Context {
    /// A call by nobody, without a deadline, that starts a trace.
    fn default() -> Self {
        Self {
            caller: Caller::default(),
            address: None,
            deadline: None,
            key: None,
            intent: None,
            behalf: None,
            origin: Origin::default(),
            trace: Trace::start(),
            attempt: 1,
            marks: Marks::default(),
            notes: Arc::default(),
        }
    }
}

impl Context {
    /// The call's place in its trace.
    pub fn in_trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }

    /// Ends at the earlier of `limit` from now and the deadline it has.
    pub fn within(mut self, limit: Duration) -> Self {
        if let Some(end) = Instant::now().checked_add(limit) {
            self.deadline = Some(self.deadline.map_or(end, |deadline| deadline.min(end)));
        }
        self
    }

    /// Ends at the deadline it has, or without one at `limit` from now.
    pub fn or_within(self, limit: Duration) -> Self {
        if self.deadline.is_some() { self } else { self.within(limit) }
    }

    /// One intent: a repeat with the same key has the effect of one call.
    pub fn keyed(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The call by which the first answer under its key is kept: what the gate gives to the business code.
    pub fn meaning(mut self, intent: Arc<Intent>) -> Self {
        self.intent = Some(intent);
        self
    }

    /// Where the caller is.
    pub fn from_address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// What made the call.
    pub fn made_by(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The number of this try, from 1.
    pub fn try_number(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// The context of a call made on behalf of this one: the same caller, deadline and marks, a child span, no key.
    pub fn call(&self) -> Self {
        let (trace, origin, notes) = (self.trace.child(), Origin::Request, Arc::default());
        let behalf = self.intent.as_ref().or(self.behalf.as_ref()).cloned();
        Self { trace, origin, notes, key: None, intent: None, behalf, attempt: 1, ..self.clone() }
    }

    /// The context of what this call needs to be answered, and is not counted besides it.
    pub fn part(&self) -> Self {
        self.clone().made_by(Origin::Part)
    }

    /// The context of the next request on the same connection: the same caller, a child span; no deadline, no key, and
    /// marks of its own.
    pub fn next_request(&self) -> Self {
        Self { deadline: None, behalf: None, marks: Marks::default(), ..self.call() }
    }

    /// The context in which a stream of input is read: without a deadline. A limit around the call is lifted.
    pub(crate) fn open_ended(&self) -> Self {
        self.notes.reads.store(true, Ordering::Relaxed);
        Self { deadline: None, ..self.clone() }
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Where the caller is, as far as that is known: the other end of the connection, or who a trusted proxy says it is.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// What a call tells of the caller in `Forwarded` (RFC 7239), as proxies do: `for=192.0.2.1`. So a limit on the other
    /// side counts for the one who asks, and not for the services in between.
    pub fn forwarded(&self) -> Option<String> {
        self.address.map(|address| match address {
            IpAddr::V4(address) => format!("for={address}"),
            IpAddr::V6(address) => format!("for=\"[{address}]\""),
        })
    }

    /// Work past this moment is of no use to anyone.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// `None`: no deadline. Zero: it has passed.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    pub fn idempotency_key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// What the answer is to be kept for, if it is.
    pub fn intent(&self) -> Option<&Intent> {
        self.intent.as_deref()
    }

    /// What the call is made for, if the answer to that is to be kept: the intent of the call that makes this one.
    pub fn behalf(&self) -> Option<&Intent> {
        self.behalf.as_deref()
    }

    pub fn origin(&self) -> Origin {
        self.origin
    }

    pub fn trace(&self) -> Trace {
        self.trace
    }

    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Says that the item which is answered was not there before, where it might have been: a replace under a natural key.
    /// Over REST this is 201 with `Location` (RFC 9110, 9.3.4); gRPC and GraphQL have no word for it.
    pub fn note_created(&self) {
        self.notes.created.store(true, Ordering::Relaxed);
    }

    /// Whether [`note_created`](Self::note_created) was called, of this call or a clone of its context.
    pub fn is_created(&self) -> bool {
        self.notes.created.load(Ordering::Relaxed)
    }

    /// Says where the caller stands with the limits that this call counted in. What is said later of a limit replaces what
    /// was said of it before.
    pub fn note_standings(&self, standings: impl IntoIterator<Item = Standing>) {
        let mut known = self.notes.standings.lock().unwrap_or_else(PoisonError::into_inner);
        for standing in standings {
            known.retain(|other| other.name != standing.name);
            known.push(standing);
        }
    }

    /// What [`note_standings`](Self::note_standings) said, of this call or a clone of its context.
    pub fn standings(&self) -> Vec<Standing> {
        self.notes.standings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the work up at the deadline, with [`Failure::timeout`]; unless it is a call that [reads](Self::reading) a
    /// stream, which has limits of its own. A panic is an internal failure of this work, and not the end of what else is
    /// done for the caller.
    pub async fn limit<T, E: From<Failure>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        // Work that panics is dropped. What others share with it they can lock all the same.
        let work = AssertUnwindSafe(work).catch_unwind();
        let mut work = pin!(work.map(|done| done.unwrap_or_else(|panic| Err(Failure::panicked(&*panic).into()))));
        match self.deadline {
            // A timer alone lets work of under a millisecond pass.
            Some(deadline) if deadline <= Instant::now() => Err(Failure::timeout().into()),
            Some(deadline) => match tokio::time::timeout_at(deadline, &mut work).await {
                Ok(result) => result,
                Err(_) if self.notes.reads.load(Ordering::Relaxed) => work.await,
                Err(_) => Err(Failure::timeout().into()),
            },
            None => work.await,
        }
    }
}

/// What a caller should know of an answer besides the answer: which parts of it are stand-ins.
///
/// Over HTTP and gRPC they travel as the header `fallback`, in GraphQL as the extension `fallback`.
#[derive(Clone, Debug, Default)]
pub struct Marks(Arc<Mutex<Vec<String>>>);

impl Marks {
    /// Notes that `what` (`inventory.reserve=default`) did not come from where it should.
    pub fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    /// In the order they were added; usually empty.
    pub fn list(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[tokio::test(start_paused = true)]
    async fn the_earlier_deadline_counts_and_work_is_given_up_at_it() {
        let cx = Context::default().within(Duration::from_secs(1)).within(Duration::from_secs(9));
        assert_eq!(cx.remaining(), Some(Duration::from_secs(1)));
        let late = cx
            .limit(async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                Ok::<_, Failure>(())
            })
            .await;
        assert_eq!(late.map_err(|e| e.kind), Err(Kind::Timeout));
        let past = cx.limit(async { Ok::<_, Failure>(()) }).await;
        assert_eq!(past.map_err(|e| e.kind), Err(Kind::Timeout), "not even work that is done at once");
        let late = Duration::from_secs(99);
        assert_eq!(cx.clone().or_within(late).deadline(), cx.deadline());
        assert!(Context::default().or_within(late).remaining().is_some());
        assert!(Context::default().limit(async { Ok::<_, Failure>(()) }).await.is_ok());
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_that_tells_callers_nothing() {
        for cx in [Context::default(), Context::default().within(Duration::from_secs(9))] {
            let failed = cx.limit(async { if cx.is_created() { Ok(()) } else { panic!("secret {}", 1) } }).await;
            let failed: Failure = failed.unwrap_err();
            assert_eq!((failed.kind, failed.detail.contains("secret")), (Kind::Internal, false));
            assert_eq!(failed.source.unwrap().to_string(), "panic: secret 1");
        }
    }

    #[test]
    fn a_call_keeps_the_deadline_and_marks_but_not_the_key() {
        let cx = Context::default().within(Duration::from_secs(1)).keyed("k").try_number(3);
        let call = cx.call();
        call.marks().add("a.b=default");
        assert_eq!((call.deadline(), call.idempotency_key(), call.attempt()), (cx.deadline(), None, 1));
        assert_eq!(call.trace().id(), cx.trace().id());
        assert_eq!(cx.marks().list(), ["a.b=default"]);
        let next = cx.next_request();
        assert_eq!((next.deadline(), next.idempotency_key(), next.marks().list()), (None, None, vec![]));
        assert_eq!(next.trace().id(), cx.trace().id());
    }

    #[test]
    fn what_a_call_creates_is_not_what_its_caller_does() {
        let cx = Context::default();
        cx.call().note_created();
        assert!(!cx.is_created());
        cx.clone().note_created();
        assert!(cx.is_created() && !cx.next_request().is_created());
    }
}
