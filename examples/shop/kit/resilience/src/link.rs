//! A call of one service by another, under a policy.

use std::{pin::pin, sync::Arc, task::Poll, time::Duration};

use futures_util::{FutureExt, StreamExt, stream};
use kit::{Context, Failure, Kind, Operation, OperationError, Safety, Stream};
use serde::Serialize;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use crate::{
    BreakerState, Policy,
    breaker::{Circuit, Refused},
    budget::Balance,
    bulkhead::{Bulkhead, Place},
    keys::with_key,
    source::Source,
};

/// One service's way to another: the policy for its calls, and what they have shown so far.
///
/// Clones are the same link. Every operation that goes this way shares its circuit, its places and its retry budget.
#[derive(Clone, Debug)]
pub struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: &'static str,
    policy: Policy,
    balance: Balance,
    circuit: Option<Circuit>,
    bulkhead: Bulkhead,
    streams: Bulkhead,
}

/// A place of a link, for as long as an answer goes on.
#[derive(Debug)]
pub struct Held {
    link: Link,
    _place: Place,
}

impl Held {
    /// The answer is a stream, and takes the place of one.
    ///
    /// # Errors
    /// `limited` if all of them are taken.
    pub fn streams(self) -> Result<Self, Failure> {
        let place = self.link.0.streams.enter().ok_or_else(|| Refusal::Full.failure(false))?;
        Ok(Self { link: self.link, _place: place })
    }

    /// The call is over, and how long its answer goes on is up to who reads it: it takes the place of a stream. Where all of
    /// them are taken it keeps its own.
    pub fn goes_on(self) -> Self {
        match self.link.0.streams.enter() {
            Some(place) => Self { link: self.link, _place: place },
            None => self,
        }
    }

    /// The answer has ended with a fault of the other side, which counts for the breaker as one of a call does.
    pub fn failed(&self) {
        if let Some(circuit) = &self.link.0.circuit {
            circuit.record_late_fault();
        }
    }
}

/// What a link knows of the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkState {
    pub link: &'static str,
    /// `None`: the link has no breaker.
    pub breaker: Option<BreakerState>,
    /// Tries under way.
    pub under_way: usize,
    /// How many there may be.
    pub bulkhead: usize,
    /// Streams that are open, or about to be.
    pub open: usize,
    /// How many there may be.
    pub streams: usize,
    /// Retries that the budget allows now.
    pub retries_left: u64,
}

impl Link {
    /// `name` is for logs and [`state`](Link::state): `orders → inventory`.
    pub fn new(name: &'static str, policy: Policy) -> Self {
        Self(Arc::new(Inner {
            name,
            balance: Balance::new(&policy.retry.budget),
            circuit: policy.breaker.clone().map(|breaker| Circuit::new(name, breaker)),
            bulkhead: Bulkhead::new(policy.bulkhead),
            streams: Bulkhead::new(policy.streams),
            policy,
        }))
    }

    /// Calls an operation. `attempt` runs once a try, with the context of that try: a call on behalf of `cx`, with the
    /// try's deadline and number. A [`Keyed`](Safety::Keyed) operation gets `cx`'s idempotency key, or one made here if
    /// there is none; any other gets none, for the key of what we were asked ourselves says nothing of this call. A key
    /// is one intent: two different calls need two.
    ///
    /// # Errors
    ///
    /// The last try's; or, made here and `unsent` if no try has left: `unavailable` if the circuit is open, `limited` if
    /// the bulkhead is full, `timeout` if the deadline had passed.
    pub async fn call<T, E, F>(
        &self,
        cx: &Context,
        operation: &Operation,
        attempt: impl Fn(Context) -> F,
    ) -> Result<T, E>
    where
        E: OperationError,
        F: Future<Output = Result<T, E>> + Send,
    {
        self.run(cx, operation, &self.0.bulkhead, attempt).await.map(|(answer, _place)| answer)
    }

    /// Calls an operation that answers with a stream. The policy is that of a [`call`](Link::call) up to the opening;
    /// from then on there is no deadline and no retry. The stream has a place among streams until it ends or is dropped, and
    /// an error that ends it counts for the breaker as one of a call does.
    pub async fn open<T, E, F>(
        &self,
        cx: &Context,
        operation: &Operation,
        attempt: impl Fn(Context) -> F,
    ) -> Result<Stream<T, E>, E>
    where
        T: Send + 'static,
        E: OperationError,
        F: Future<Output = Result<Stream<T, E>, E>> + Send,
    {
        let (items, held) = self.hold_open(cx, operation, attempt).await?;
        Ok(watched(items, held, Source::default()))
    }

    /// Calls an operation whose input is a stream. There is one try, for what has been read of the input cannot be sent
    /// again. The policy's timeout is how long the other side may take until it asks for the first item, and from the last
    /// one to the answer ([`Context::reading`]). In between it takes as long as the sender likes, so it has a place among
    /// streams, and a half-open circuit does not wait for it.
    pub async fn send<I, T, E, F>(
        &self,
        cx: &Context,
        operation: &Operation,
        input: Stream<I, Failure>,
        attempt: impl FnOnce(Context, Stream<I, Failure>) -> F,
    ) -> Result<T, E>
    where
        I: 'static,
        E: OperationError,
        F: Future<Output = Result<T, E>> + Send,
    {
        self.once(cx, operation, input, attempt).await.map(|(answer, ..)| answer)
    }

    /// The same, where the answer goes on when the call is over: as [`hold`](Link::hold).
    pub async fn send_and_hold<I, T, E, F>(
        &self,
        cx: &Context,
        operation: &Operation,
        input: Stream<I, Failure>,
        attempt: impl FnOnce(Context, Stream<I, Failure>) -> F,
    ) -> Result<(T, Held), E>
    where
        I: 'static,
        E: OperationError,
        F: Future<Output = Result<T, E>> + Send,
    {
        let (answer, place, _) = self.once(cx, operation, input, attempt).await?;
        Ok((answer, Held { link: self.clone(), _place: place }))
    }

    /// Calls an operation whose input and output are streams: once, as [`send`](Link::send), and from its opening on as
    /// [`open`](Link::open).
    pub async fn exchange<I, T, E, F>(
        &self,
        cx: &Context,
        operation: &Operation,
        input: Stream<I, Failure>,
        attempt: impl FnOnce(Context, Stream<I, Failure>) -> F,
    ) -> Result<Stream<T, E>, E>
    where
        I: 'static,
        T: Send + 'static,
        E: OperationError,
        F: Future<Output = Result<Stream<T, E>, E>> + Send,
    {
        let (items, place, source) = self.once(cx, operation, input, attempt).await?;
        Ok(watched(items, Held { link: self.clone(), _place: place }, source))
    }

    /// Calls an operation whose answer goes on when the call is over, as a body that is passed on. The policy is that of a
    /// [`call`](Link::call) up to then. What is [`Held`] is given back when the answer ends: until then it is the place of the
    /// call, unless it [goes on](Held::goes_on) as a stream.
    pub async fn hold<T, E, F>(
        &self,
        cx: &Context,
        operation: &Operation,
        attempt: impl Fn(Context) -> F,
    ) -> Result<(T, Held), E>
    where
        E: OperationError,
        F: Future<Output = Result<T, E>> + Send,
    {
        let (answer, place) = self.run(cx, operation, &self.0.bulkhead, attempt).await?;
        Ok((answer, Held { link: self.clone(), _place: place }))
    }

    /// The same, where the answer is known to be a stream: it has the place of one from the first try on.
    pub async fn hold_open<T, E, F>(
        &self,
        cx: &Context,
        operation: &Operation,
        attempt: impl Fn(Context) -> F,
    ) -> Result<(T, Held), E>
    where
        E: OperationError,
        F: Future<Output = Result<T, E>> + Send,
    {
        let (answer, place) = self.run(cx, operation, &self.0.streams, attempt).await?;
        Ok((answer, Held { link: self.clone(), _place: place }))
    }

    /// For a dashboard, a health report, a test.
    pub fn state(&self) -> LinkState {
        let Inner { name, balance, circuit, bulkhead, streams, .. } = &*self.0;
        LinkState {
            link: name,
            breaker: circuit.as_ref().map(Circuit::state),
            under_way: bulkhead.taken(),
            bulkhead: bulkhead.size(),
            open: streams.taken(),
            streams: streams.size(),
            retries_left: balance.left(),
        }
    }

    /// Total deadline. It cuts nothing off itself: no try outlasts it, no pause that would is begun.
    async fn run<T, E, F>(
        &self,
        cx: &Context,
        operation: &Operation,
        places: &Bulkhead,
        attempt: impl Fn(Context) -> F,
    ) -> Result<(T, Place), E>
    where
        E: OperationError,
        F: Future<Output = Result<T, E>> + Send,
    {
        let total = with_key(cx, operation).within(self.0.policy.total());
        let one = One { operation, number: 1, end: cx.deadline(), places, source: Source::default() };
        self.spanned(cx, operation, self.tries(&total, one, attempt)).await
    }

    /// One try of a call whose input is a stream.
    async fn once<I, T, E, F>(
        &self,
        cx: &Context,
        operation: &Operation,
        input: Stream<I, Failure>,
        attempt: impl FnOnce(Context, Stream<I, Failure>) -> F,
    ) -> Result<(T, Place, Source), E>
    where
        I: 'static,
        E: OperationError,
        F: Future<Output = Result<T, E>> + Send,
    {
        let source = Source::of_input();
        let noting = source.clone();
        let asked = async move {
            noting.asked();
            input.inspect(move |item| noting.note(item))
        };
        let input = Box::pin(asked.flatten_stream());
        let keyed = with_key(cx, operation);
        let call = |cx: Context| async move { cx.reading(input, attempt).await };
        let one = One { operation, number: 1, end: cx.deadline(), places: &self.0.streams, source: source.clone() };
        let work = async {
            match self.one(&keyed, &one, call).await {
                Ok(result) => result,
                Err(refusal) => Err(refusal.failure(true).into()),
            }
        };
        let (answer, place) = self.spanned(cx, operation, work).await?;
        Ok((answer, place, source))
    }

    /// Does the work in a span of its own, if there is time.
    async fn spanned<T, E: OperationError>(
        &self,
        cx: &Context,
        operation: &Operation,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        if cx.remaining() == Some(Duration::ZERO) {
            return Err(Failure::timeout().unsent().into());
        }
        let Operation { service, name, .. } = operation;
        let span = tracing::info_span!("call", link = self.0.name, service, operation = name, outcome = field::Empty);
        async {
            let result = work.await;
            Span::current().record("outcome", result.as_ref().map_or_else(|error| error.kind().as_str(), |_| "ok"));
            result
        }
        .instrument(span)
        .await
    }

    /// Retry.
    async fn tries<T, E, F>(
        &self,
        cx: &Context,
        mut one: One<'_>,
        attempt: impl Fn(Context) -> F,
    ) -> Result<(T, Place), E>
    where
        E: OperationError,
        F: Future<Output = Result<T, E>> + Send,
    {
        self.0.balance.pay_in();
        let mut unsent = true;
        loop {
            let limited = async |cx: Context| cx.limit(attempt(cx.clone())).await;
            let error: E = match self.one(cx, &one, limited).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => {
                    unsent &= is_unsent(&error);
                    error
                }
                Err(refusal @ Refusal::Open(_)) => return Err(refusal.failure(unsent).into()),
                Err(refusal @ Refusal::Full) => refusal.failure(unsent).into(),
            };
            let retry_after = error.failure().and_then(|failure| failure.retry_after);
            // A first try that is still at work is a conflict, which says when to ask again.
            let may_pass = error.kind().is_transient() || retry_after.is_some();
            let (number, may_repeat) = (one.number, may_pass && may_repeat(one.operation, &error));
            let Some(pause) = may_repeat.then(|| self.pause(cx, number, retry_after)).flatten() else {
                tracing::debug!(number, %error, "try failed");
                return Err(error);
            };
            tracing::debug!(number, %error, ?pause, "try failed, trying again");
            tokio::time::sleep(pause).await;
            one.number += 1;
        }
    }

    /// How long to wait before another try, if there is one.
    fn pause(&self, cx: &Context, number: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let Inner { policy, balance, .. } = &*self.0;
        if number >= policy.retry.attempts {
            return None;
        }
        let pause = retry_after.unwrap_or_default().saturating_add(policy.retry.backoff.pause(number));
        let in_time = cx.remaining().is_none_or(|left| pause < left);
        (in_time && balance.take_out()).then_some(pause)
    }

    /// Breaker, bulkhead, per-try timeout, the call. If its own source fails, that says nothing of the other side.
    async fn one<T, E, F>(
        &self,
        cx: &Context,
        one: &One<'_>,
        attempt: impl FnOnce(Context) -> F,
    ) -> Result<Result<(T, Place), E>, Refusal>
    where
        E: OperationError,
        F: Future<Output = Result<T, E>>,
    {
        let Inner { policy, circuit, .. } = &*self.0;
        let One { operation, number, end, places, source } = one;
        let mut permit = circuit.as_ref().map(Circuit::admit).transpose().map_err(Refusal::Open)?;
        let place = places.enter().ok_or(Refusal::Full)?;
        let cut_short = end.is_some_and(|end| end.saturating_duration_since(Instant::now()) < policy.timeout);
        let cx = one_try(cx, operation, *number).within(policy.timeout);
        let mut work = pin!(attempt(cx));
        let result = tokio::select! {
            biased;
            result = &mut work => result,
            () = source.is_asked() => {
                if let Some(permit) = &mut permit {
                    permit.give_way();
                }
                work.await
            }
        };
        let fault = match &result {
            Err(_) if source.has_failed() => None,
            // The caller had no more time: that says nothing of the service.
            Err(error) if cut_short && error.kind() == Kind::Timeout => None,
            result => Some(result.as_ref().is_err_and(|error| error.kind().is_fault())),
        };
        if let (Some(permit), Some(fault)) = (permit, fault) {
            permit.record(fault);
        }
        Ok(result.map(|answer| (answer, place)))
    }
}

/// A stream that is open: it keeps its place, and its error counts, unless its own input has failed.
fn watched<T, E>(items: Stream<T, E>, held: Held, source: Source) -> Stream<T, E>
where
    T: Send + 'static,
    E: OperationError,
{
    let mut open = Some((items, held));
    Box::pin(stream::poll_fn(move |task| {
        let Some((items, held)) = &mut open else { return Poll::Ready(None) };
        let item = std::task::ready!(items.poll_next_unpin(task));
        if let Some(Err(error)) = &item
            && error.kind().is_fault()
            && !source.has_failed()
        {
            held.failed();
        }
        if !matches!(item, Some(Ok(_))) {
            open = None;
        }
        Poll::Ready(item)
    }))
}

/// A try.
struct One<'a> {
    operation: &'a Operation,
    number: u32,
    /// The caller's own deadline.
    end: Option<Instant>,
    /// Of which it takes one.
    places: &'a Bulkhead,
    source: Source,
}

/// Why the other side was not called.
enum Refusal {
    Open(Refused),
    Full,
}

impl Refusal {
    fn failure(self, unsent: bool) -> Failure {
        match self {
            Self::Open(Refused { retry_after }) => {
                let failure = Failure::new(Kind::Unavailable, "it has failed too often and is not called for now");
                Failure { unsent, retry_after, ..failure }
            }
            Self::Full => Failure { unsent, ..Failure::new(Kind::Limited, "too many calls are under way") },
        }
    }
}

fn one_try(cx: &Context, operation: &Operation, number: u32) -> Context {
    let call = cx.call().try_number(number);
    match cx.idempotency_key().filter(|_| operation.safety == Safety::Keyed) {
        Some(key) => call.keyed(key),
        None => call,
    }
}

/// Whether doing it again, after this error, does no harm.
pub(crate) fn may_repeat(operation: &Operation, error: &impl OperationError) -> bool {
    operation.safety != Safety::Unsafe || is_unsent(error)
}

fn is_unsent(error: &impl OperationError) -> bool {
    error.failure().is_some_and(|failure| failure.unsent)
}
