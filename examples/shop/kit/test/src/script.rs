use std::{
    collections::VecDeque,
    fmt::Debug,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{TryStreamExt, stream};
use kit::{Context, Failure, Kind, Operation, OperationError, Safety, Stream};

/// Where callers are (RFC 5737).
const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// One operation of a scripted service: answers what it was told, in order, and keeps what it was asked.
#[derive(Debug)]
pub struct Script<I, O, E> {
    plays: Mutex<VecDeque<Play<O, E>>>,
    asked: Mutex<Vec<(Context, I)>>,
    always: Mutex<Option<Always<O, E>>>,
    /// It reads a stream, which has no deadline.
    reads: AtomicBool,
}

/// Makes what every call gets.
type Always<O, E> = fn() -> Result<O, E>;

/// What a scripted operation does when it is called.
#[derive(Debug)]
pub enum Play<O, E> {
    Answer(Result<O, E>),
    /// Takes this long, and then fails with `internal`, for nobody should be waiting any more.
    Delay(Duration),
}

impl<I, O, E> Default for Script<I, O, E> {
    fn default() -> Self {
        Self {
            plays: Mutex::default(),
            asked: Mutex::default(),
            always: Mutex::default(),
            reads: AtomicBool::default(),
        }
    }
}

impl<I, O, E: From<Failure>> Script<I, O, E> {
    /// What the next call that has no play yet will get.
    pub fn next(&self, play: Play<O, E>) {
        self.plays.lock().unwrap_or_else(PoisonError::into_inner).push_back(play);
    }

    /// What every call gets that has no play.
    pub fn always(&self, answer: Always<O, E>) {
        *self.always.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    /// Plays. A call that nobody told what to do gets `unsupported`.
    pub async fn play(&self, cx: &Context, input: I) -> Result<O, E> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push((cx.clone(), input));
        let play = self.plays.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match play {
            Some(Play::Answer(answer)) => answer,
            Some(Play::Delay(span)) => {
                tokio::time::sleep(span).await;
                Err(Failure::new(Kind::Internal, "waited to the end").into())
            }
            None => match *self.always.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(answer) => answer(),
                None => Err(Failure::new(Kind::Unsupported, "not in the script").into()),
            },
        }
    }

    /// Takes what it was asked since the last time.
    pub fn asked(&self) -> Vec<(Context, I)> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T, O, E: From<Failure>> Script<(Vec<T>,), O, E> {
    /// Reads a stream to its end, and then [plays](Self::play).
    ///
    /// # Errors
    /// That of the input, or of the play.
    pub async fn read(&self, cx: &Context, input: Stream<T, Failure>) -> Result<O, E> {
        self.reads.store(true, Ordering::Relaxed);
        let items = input.try_collect().await?;
        self.play(cx, (items,)).await
    }
}

impl<I: Debug + PartialEq, O: Debug + PartialEq, E: From<Failure> + Debug + PartialEq> Script<I, O, E> {
    /// Calls once, and checks that the question arrives and the answer comes back as they were given.
    ///
    /// # Panics
    /// If they do not: it is for tests. `what` names operation, transport and rule.
    pub async fn carries<F>(
        &self,
        what: &str,
        input: impl Fn() -> I,
        answer: impl Fn() -> Result<O, E>,
        call: impl FnOnce(Context, I) -> F,
    ) where
        F: Future<Output = Result<O, E>>,
    {
        assert_eq!(self.hears(what, input, answer(), call).await, answer(), "{what}: the answer");
    }

    /// As [`carries`](Self::carries), of a declared error, which has to be of this kind.
    ///
    /// # Panics
    /// If it is not, or does not come back as it was given.
    pub async fn carries_error<F>(
        &self,
        what: &str,
        kind: Kind,
        input: impl Fn() -> I,
        error: impl Fn() -> E,
        call: impl FnOnce(Context, I) -> F,
    ) where
        E: OperationError,
        F: Future<Output = Result<O, E>>,
    {
        assert_eq!(error().kind(), kind, "{what}: its kind");
        self.carries(what, input, || Err(error()), call).await;
    }

    /// Calls once, checks that the question arrives as it was given, and gives what the caller got for `answer`.
    ///
    /// # Panics
    /// If it does not.
    pub async fn hears<T, F>(
        &self,
        what: &str,
        input: impl Fn() -> I,
        answer: Result<O, E>,
        call: impl FnOnce(Context, I) -> F,
    ) -> T
    where
        F: Future<Output = T>,
    {
        let (got, seen) = self.reached(what, input, answer, call).await;
        assert_eq!(seen.idempotency_key(), Some("the-key"), "{what}: the idempotency key");
        assert_eq!(seen.address(), Some(CALLER), "{what}: where the caller is");
        match self.reads.load(Ordering::Relaxed) {
            true => assert_eq!(seen.deadline(), None, "{what}: the deadline"),
            false => {
                assert!(seen.remaining().is_some_and(|left| left <= Duration::from_secs(30)), "{what}: the deadline");
            }
        }
        got
    }

    /// Sends a command and does it, and checks that it arrives as it was given: in the caller's trace, but under a key of
    /// its own and without the caller's deadline, for nobody waits.
    ///
    /// # Panics
    /// If it does not.
    pub async fn arrives<F>(
        &self,
        what: &str,
        input: impl Fn() -> I,
        answer: impl Fn() -> Result<O, E>,
        send_and_take: impl FnOnce(Context, I) -> F,
    ) where
        F: Future<Output = Result<O, E>>,
    {
        let (got, seen) = self.reached(what, input, answer(), send_and_take).await;
        assert_eq!(got, answer(), "{what}: what becomes of it");
        assert!(seen.idempotency_key().is_some_and(|key| key != "the-key"), "{what}: the idempotency key");
        assert_eq!(seen.deadline(), None, "{what}: the deadline");
    }

    /// Checks that a command arrives, and that failures of every kind are what becomes of it.
    ///
    /// # Panics
    /// If one is not.
    pub async fn failures_arrive<F>(&self, what: &str, input: impl Fn() -> I, send_and_take: impl Fn(Context, I) -> F)
    where
        F: Future<Output = Result<O, E>>,
    {
        for kind in Kind::ALL {
            let what = format!("{what}: failure of kind {kind}");
            let failed = || Err(Failure::new(kind, "as the script says").into());
            self.arrives(&what, &input, failed, &send_and_take).await;
        }
    }

    /// Checks that a call is left in the queue where it failed and a repeat is safe, that the answer is marked, and that
    /// the command arrives from there.
    ///
    /// # Panics
    /// If it is not, or if a call is left there that must not be repeated.
    pub async fn stands_in<F, G>(
        &self,
        what: &str,
        operation: &Operation,
        input: impl Fn() -> I,
        call: impl Fn(Context, I) -> F,
        take: impl Fn() -> G,
    ) where
        O: Default,
        F: Future<Output = Result<O, E>>,
        G: Future<Output = Result<O, E>>,
    {
        for unsent in [false, true] {
            let what = format!("{what}, unsent: {unsent}");
            self.next(Play::Answer(Err(Failure { unsent, ..Failure::timeout() }.into())));
            let cx = Context::default();
            let answer = call(cx.clone(), input()).await;
            assert_eq!(self.asked().len(), 1, "{what}: the call");
            let left = unsent || operation.safety != Safety::Unsafe;
            assert_eq!(answer.is_ok(), left, "{what}: the answer");
            let mark = format!("{}.{}=queue", operation.service, operation.name);
            assert_eq!(cx.marks().list(), if left { vec![mark] } else { vec![] }, "{what}: the mark");
            if left {
                self.next(Play::Answer(Ok(O::default())));
                assert_eq!(take().await, Ok(O::default()), "{what}: later");
                assert!(matches!(self.asked().as_slice(), [(_, asked)] if *asked == input()), "{what}: the input");
            }
        }
    }

    /// Calls through a link, fails once on the way, and checks that the same call is made again if a repeat is safe and
    /// never if it is not.
    ///
    /// # Panics
    /// If it is not so.
    pub async fn is_repeated<F>(
        &self,
        what: &str,
        safety: Safety,
        input: impl Fn() -> I,
        answer: impl Fn() -> Result<O, E>,
        call: impl FnOnce(Context, I) -> F,
    ) where
        F: Future<Output = Result<O, E>>,
    {
        let lost = || Err(Failure::timeout().into());
        let (calls, due) = match safety {
            Safety::Unsafe => (1, lost()),
            Safety::Safe | Safety::Keyed => (2, answer()),
        };
        self.next(Play::Answer(lost()));
        self.next(Play::Answer(answer()));
        let got = call(Context::default().within(Duration::from_secs(30)).keyed("the-key"), input()).await;
        let asked = self.asked();
        assert_eq!(asked.len(), calls, "{what}: calls of which the first was lost");
        assert_eq!(got, due, "{what}: the answer");
        for (seen, question) in asked {
            assert_eq!(question, input(), "{what}: the input");
            let key = (safety == Safety::Keyed).then_some("the-key");
            assert_eq!(seen.idempotency_key(), key, "{what}: the idempotency key");
        }
        self.plays.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Calls twice, the second time in vain, and checks that the first answer stands in and is marked, and that it does so only
    /// where the second call says nothing of the request.
    ///
    /// # Panics
    /// If it is not so.
    pub async fn is_remembered<F>(
        &self,
        what: &str,
        operation: &Operation,
        input: impl Fn() -> I,
        answer: impl Fn() -> Result<O, E>,
        call: impl Fn(Context, I) -> F,
    ) where
        F: Future<Output = Result<O, E>>,
    {
        let refused = || Err(Failure::invalid("as the script says").into());
        for (played, due, marked) in [
            (answer(), answer(), false),
            (Err(Failure::timeout().into()), answer(), true),
            (refused(), refused(), false),
        ] {
            self.next(Play::Answer(played));
            let cx = Context::default();
            let got = call(cx.clone(), input()).await;
            assert_eq!(got, due, "{what}: the answer");
            // With its age, which is of the machine.
            let mark = format!("{}.{}=cache;age=", operation.service, operation.name);
            let marks = cx.marks().list();
            let is_marked = matches!(marks.as_slice(), [one] if one.starts_with(&mark));
            assert!(is_marked == marked && marks.len() == usize::from(marked), "{what}: the mark: {marks:?}");
            assert!(matches!(self.asked().as_slice(), [(_, asked)] if *asked == input()), "{what}: the call");
        }
    }

    /// Calls once, with an answer to get, and gives what came of it and the context in which it arrived.
    async fn reached<T, F>(
        &self,
        what: &str,
        input: impl Fn() -> I,
        answer: Result<O, E>,
        call: impl FnOnce(Context, I) -> F,
    ) -> (T, Context)
    where
        F: Future<Output = T>,
    {
        self.next(Play::Answer(answer));
        let cx = Context::default().within(Duration::from_secs(30)).keyed("the-key").from_address(CALLER);
        let trace = cx.trace().id();
        let got = call(cx, input()).await;
        let asked = self.asked();
        let [(seen, question)] = asked.as_slice() else { panic!("{what}: called {} times", asked.len()) };
        assert_eq!(*question, input(), "{what}: the input");
        assert_eq!(seen.trace().id(), trace, "{what}: the trace");
        (got, seen.clone())
    }

    /// Checks that failures of every kind come back as they were given. Only of an item of which GraphQL shows null the caller
    /// learns no more than that it is not there.
    ///
    /// # Panics
    /// If one does not.
    pub async fn carries_failures<F>(&self, what: &str, input: impl Fn() -> I, call: impl Fn(Context, I) -> F)
    where
        E: OperationError,
        F: Future<Output = Result<O, E>>,
    {
        for kind in Kind::ALL {
            let what = format!("{what}: failure of kind {kind}");
            let failed = || Err(Failure::new(kind, "as the script says").into());
            let got = self.hears(&what, &input, failed(), &call).await;
            let null = || Err(Failure::not_found("there is none").into());
            if kind != Kind::NotFound || got != null() {
                assert_eq!(got, failed(), "{what}: the answer");
            }
        }
    }

    /// Checks that a call is given up at its deadline.
    ///
    /// # Panics
    /// If it is not.
    pub async fn times_out<T, F>(&self, what: &str, input: impl Fn() -> I, call: impl FnOnce(Context, I) -> F)
    where
        E: OperationError,
        F: Future<Output = Result<T, E>>,
    {
        self.next(Play::Delay(Duration::from_secs(60)));
        let late = call(Context::default().within(Duration::from_millis(100)), input()).await;
        assert_eq!(late.err().map(|error| error.kind()), Some(Kind::Timeout), "{what}: the deadline");
        self.asked();
    }
}

/// The items of a script as the stream that an operation answers with.
pub fn streamed<T: Send + 'static, E: Send + 'static>(items: Result<Vec<T>, E>) -> Result<Stream<T, E>, E> {
    Ok(Box::pin(stream::iter(items?.into_iter().map(Ok))))
}

/// The items of an input as the stream that an operation reads.
pub fn sent<T: Send + 'static>(items: Vec<T>) -> Stream<T, Failure> {
    Box::pin(stream::iter(items.into_iter().map(Ok)))
}

/// All items of a stream, as a script has them.
pub async fn gathered<T, E>(items: Result<Stream<T, E>, E>) -> Result<Vec<T>, E> {
    items?.try_collect().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn does_as_it_is_told_and_remembers() {
        let script: Script<u32, u32, Failure> = Script::default();
        script.carries("double", || 2, || Ok(4), async |cx, n| script.play(&cx, n).await).await;
        script.carries("double", || 2, || Err(Failure::stale()), async |cx, n| script.play(&cx, n).await).await;
        script.carries_failures("double", || 2, async |cx, n| script.play(&cx, n).await).await;
        script.times_out("double", || 2, async |cx, n| cx.limit(script.play(&cx, n)).await).await;
        assert_eq!(script.play(&Context::default(), 1).await.map_err(|e| e.kind), Err(Kind::Unsupported));
        script.always(|| Ok(7));
        assert_eq!(script.play(&Context::default(), 1).await, Ok(7));
    }

    #[tokio::test]
    async fn what_waits_arrives_under_a_key_of_its_own() {
        let script: Script<u32, (), Failure> = Script::default();
        let later = async |cx: Context, n| script.play(&Context::default().in_trace(cx.trace()).keyed("own"), n).await;
        script.arrives("note", || 2, || Ok(()), later).await;
        script.failures_arrive("note", || 2, later).await;
        for safety in [Safety::Safe, Safety::Unsafe] {
            let operation = Operation { service: "a", name: "note", safety };
            let call = async |cx: Context, n| {
                let Err(error) = script.play(&cx, n).await else { return Ok(()) };
                if safety == Safety::Unsafe && !error.unsent {
                    return Err(error);
                }
                cx.marks().add("a.note=queue");
                Ok(())
            };
            script.stands_in("note", &operation, || 2, call, async || script.play(&Context::default(), 2).await).await;
        }
    }

    #[tokio::test]
    async fn a_repeat_is_due_where_it_is_safe() {
        let script: Script<u32, u32, Failure> = Script::default();
        let once = async |cx: Context, n| script.play(&cx.call(), n).await;
        script.is_repeated("double", Safety::Unsafe, || 2, || Ok(4), once).await;
        let twice = async |cx: Context, n| match script.play(&cx.call(), n).await {
            Err(_) => script.play(&cx.call(), n).await,
            answer => answer,
        };
        script.is_repeated("double", Safety::Safe, || 2, || Ok(4), twice).await;
    }

    #[tokio::test]
    #[should_panic(expected = "double: calls of which the first was lost")]
    async fn a_repeat_that_does_harm_is_noticed() {
        let script: Script<u32, u32, Failure> = Script::default();
        let twice = async |cx: Context, n| match script.play(&cx.call(), n).await {
            Err(_) => script.play(&cx.call(), n).await,
            answer => answer,
        };
        script.is_repeated("double", Safety::Unsafe, || 2, || Ok(4), twice).await;
    }

    #[tokio::test]
    #[should_panic(expected = "note: the idempotency key")]
    async fn a_command_with_the_key_of_its_sender_is_noticed() {
        let script: Script<u32, (), Failure> = Script::default();
        script.arrives("note", || 2, || Ok(()), async |cx, n| script.play(&cx, n).await).await;
    }

    #[tokio::test]
    #[should_panic(expected = "double: the input")]
    async fn a_question_that_changes_on_its_way_is_noticed() {
        let script: Script<u32, u32, Failure> = Script::default();
        script.carries("double", || 2, || Ok(4), async |cx, n| script.play(&cx, n + 1).await).await;
    }
}
