//! Input that is a stream: how its items come in, how they are sent, and what a deadline means while they flow.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context as Task, Poll, ready},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future, stream, task::AtomicWaker};
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep},
};

use crate::{Context, Failure, Kind, Stream};

/// What messages are held to, where a connection carries many of them. The edge of a service puts it into the extensions of
/// a request that has no body with an end.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a message at most.
    pub message: usize,
    /// How long the next item of an input may take, once it is asked for.
    pub idle: Duration,
}

/// The items of an input as they come in. The first that is wrong ends them, with `invalid` and its place, counted from 0
/// as in every list: `[3].name`. So does a service that stops, with `unavailable`; and a sender from whom nothing comes
/// for the span of `idle`, though it is asked for, with `timeout`.
pub fn received<T: Send + 'static>(
    items: impl futures_util::Stream<Item = Result<T, Failure>> + Send + 'static,
    idle: Option<Duration>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Stream<T, Failure> {
    let stopped = stopped.map(|()| Failure::new(Kind::Unavailable, "the service is stopping"));
    let mut number = 0_u64;
    let items = items.map(move |item| {
        let item = item.map_err(|failure| match failure.kind {
            Kind::Invalid => failure.within(format_args!("[{number}]")),
            _ => failure,
        });
        number += 1;
        item
    });
    let items = Box::pin(items);
    let items = match idle {
        Some(limit) => Box::pin(Awaited { items, limit, timer: None }),
        None => items as Stream<T, Failure>,
    };
    unless(items, Box::pin(stopped))
}

/// Items that have a time to come.
struct Awaited<S> {
    items: Pin<Box<S>>,
    limit: Duration,
    /// While one is asked for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<T, S: futures_util::Stream<Item = Result<T, Failure>>> futures_util::Stream for Awaited<S> {
    type Item = Result<T, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        let limit = self.limit;
        if let Poll::Ready(item) = self.items.poll_next_unpin(task) {
            self.timer = None;
            return Poll::Ready(item);
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(task));
        Poll::Ready(Some(Err(Failure::new(Kind::Timeout, format!("no item came within {limit:?}")))))
    }
}

/// The items of an input as they go out, and its failure if it has one. A stream that fails does not end: who sends it
/// gives the call up, so that the other side does not take what came for all there is.
pub fn sent<T: Send + 'static>(input: Stream<T, Failure>) -> (Sent<T>, Broken) {
    let (told, failure) = oneshot::channel();
    let broken = async {
        match failure.await {
            Ok(failure) => failure,
            Err(_) => future::pending().await,
        }
    };
    (Sent { input: Some(input), told: Some(told) }, Box::pin(broken))
}

/// What is sent of an input.
pub struct Sent<T> {
    input: Option<Stream<T, Failure>>,
    told: Option<oneshot::Sender<Failure>>,
}

impl<T> futures_util::Stream for Sent<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<T>> {
        // It has failed: whoever waits for it is about to give it up.
        let Some(input) = &mut self.input else { return Poll::Pending };
        match ready!(input.poll_next_unpin(task)) {
            Some(Ok(item)) => Poll::Ready(Some(item)),
            None => Poll::Ready(None),
            Some(Err(failure)) => {
                self.input = None;
                if let Some(told) = self.told.take() {
                    let _ = told.send(failure);
                }
                Poll::Pending
            }
        }
    }
}

/// Resolves only if the input fails.
pub type Broken = Pin<Box<dyn Future<Output = Failure> + Send>>;

/// The items of a stream until they end or fail, or something else fails first.
pub fn unless<T: 'static, E: From<Failure> + 'static>(items: Stream<T, E>, broken: Broken) -> Stream<T, E> {
    let mut open = Some((items, broken));
    Box::pin(stream::poll_fn(move |task| {
        let Some((items, broken)) = &mut open else { return Poll::Ready(None) };
        // What is there comes first.
        let item = match items.poll_next_unpin(task) {
            Poll::Ready(item) => item,
            Poll::Pending => Some(Err(ready!(broken.poll_unpin(task)).into())),
        };
        if !matches!(item, Some(Ok(_))) {
            open = None;
        }
        Poll::Ready(item)
    }))
}

impl Context {
    /// Makes a call that reads a stream. As long as its items flow there is no deadline, for only their sender knows how
    /// many there are: the time that `self` has left is how long the call may take until it asks for the first item, and
    /// how long from the last one to the answer. The call's own context has no deadline.
    pub async fn reading<I, T, E, F>(
        &self,
        input: Stream<I, Failure>,
        call: impl FnOnce(Self, Stream<I, Failure>) -> F,
    ) -> Result<T, E>
    where
        I: 'static,
        E: From<Failure>,
        F: Future<Output = Result<T, E>>,
    {
        let patience = self.remaining();
        if patience.is_some_and(|left| left.is_zero()) {
            return Err(Failure::timeout().into());
        }
        let progress = Arc::new(Progress::default());
        let watched = Watched { input: Some(input), progress: progress.clone() };
        let mut work = pin!(call(self.open_ended(), Box::pin(watched)));
        let mut timer = pin!(sleep(patience.unwrap_or_default()));
        let mut seen = BEFORE;
        future::poll_fn(|task| {
            if let Poll::Ready(result) = work.as_mut().poll(task) {
                return Poll::Ready(result);
            }
            let Some(patience) = patience else { return Poll::Pending };
            progress.task.register(task.waker());
            let phase = progress.phase.load(Ordering::Acquire);
            if std::mem::replace(&mut seen, phase) != phase
                && let Some(end) = Instant::now().checked_add(patience)
            {
                timer.as_mut().reset(end);
            }
            if phase == FLOWING {
                return Poll::Pending;
            }
            ready!(timer.as_mut().poll(task));
            Poll::Ready(Err(Failure::timeout().into()))
        })
        .await
    }
}

/// Nobody has asked for an item yet; items flow; there are no more, or nobody wants them.
const BEFORE: u8 = 0;
const FLOWING: u8 = 1;
const AFTER: u8 = 2;

/// How far an input is, and whom to tell: it may be read in another task than the call waits in.
#[derive(Default)]
struct Progress {
    phase: AtomicU8,
    task: AtomicWaker,
}

/// An input that tells how far it is.
struct Watched<T> {
    input: Option<Stream<T, Failure>>,
    progress: Arc<Progress>,
}

impl<T> Watched<T> {
    fn tell(&self, next: u8) {
        // Almost always it is as far as it was, and to look costs less than to write.
        if self.progress.phase.load(Ordering::Relaxed) != next
            && self.progress.phase.swap(next, Ordering::AcqRel) != next
        {
            self.progress.task.wake();
        }
    }
}

impl<T> futures_util::Stream for Watched<T> {
    type Item = Result<T, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        let Some(input) = &mut self.input else { return Poll::Ready(None) };
        let item = input.poll_next_unpin(task);
        if matches!(item, Poll::Pending | Poll::Ready(Some(Ok(_)))) {
            self.tell(FLOWING);
        } else {
            self.input = None;
            self.tell(AFTER);
        }
        item
    }
}

/// Who drops its input wants no more of it.
impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        self.tell(AFTER);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn every(pause: Duration, count: u32) -> Stream<u32, Failure> {
        Box::pin(stream::iter(0..count).then(move |number| async move {
            tokio::time::sleep(pause).await;
            Ok(number)
        }))
    }

    async fn sum(cx: &Context, input: Stream<u32, Failure>, late: Duration) -> Result<u32, Failure> {
        let read = |cx: Context, input: Stream<u32, Failure>| async move {
            assert_eq!(cx.deadline(), None);
            let sum = input.try_fold(0, async |sum, number| Ok(sum + number)).await?;
            tokio::time::sleep(late).await;
            Ok(sum)
        };
        cx.reading(input, read).await
    }

    #[tokio::test]
    async fn the_first_wrong_item_ends_the_input_and_is_named() {
        let rows = stream::iter([Ok(1), Err(Failure::invalid("missing").within("size")), Ok(2)]);
        let mut rows = received(rows, None, future::pending());
        assert_eq!(rows.next().await, Some(Ok(1)));
        let failure = rows.next().await.and_then(Result::err).unwrap();
        assert_eq!((failure.kind, failure.fields[0].field.as_str()), (Kind::Invalid, "[1].size"));
        assert!(rows.next().await.is_none());

        let unreadable = stream::iter([Err::<u32, _>(Failure::invalid("no JSON"))]);
        let failure = received(unreadable, None, future::pending()).next().await.and_then(Result::err).unwrap();
        assert_eq!(failure.fields[0].field, "[0]");
        let cut = stream::iter([Err::<u32, _>(Failure::new(Kind::Unavailable, "cut"))]);
        let failure = received(cut, None, future::pending()).next().await.and_then(Result::err).unwrap();
        assert_eq!((failure.kind, failure.fields.len()), (Kind::Unavailable, 0));
    }

    #[tokio::test]
    async fn a_service_that_stops_ends_what_it_waits_for() {
        let rows = stream::iter([Ok(1)]).chain(stream::pending());
        let mut rows = received(rows, None, future::ready(()));
        assert_eq!(rows.next().await, Some(Ok(1)), "what is there is read");
        assert_eq!(rows.next().await.and_then(Result::err).map(|e| e.kind), Some(Kind::Unavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_does_not_wait_for_ever() {
        let mut rows = received(every(9 * SECOND, 3), Some(10 * SECOND), future::pending());
        assert_eq!(rows.next().await, Some(Ok(0)));
        tokio::time::sleep(60 * SECOND).await;
        assert_eq!(rows.next().await, Some(Ok(1)), "as long as nothing is asked for no time passes");
        assert_eq!(rows.next().await, Some(Ok(2)));
        assert_eq!(rows.next().await, None);
        let mut rows = received(every(11 * SECOND, 3), Some(10 * SECOND), future::pending());
        assert_eq!(rows.next().await.and_then(Result::err).map(|e| e.kind), Some(Kind::Timeout));
        assert_eq!(rows.next().await, None);
    }

    #[tokio::test]
    async fn an_input_that_fails_never_ends_where_it_is_sent() {
        let (items, broken) = sent(Box::pin(stream::iter([Ok(1), Err(Failure::stale()), Ok(2)])));
        let mut items = items;
        assert_eq!(items.next().await, Some(1));
        assert!(items.next().now_or_never().is_none());
        assert_eq!(broken.await, Failure::stale());
        let (items, broken) = sent(every(Duration::ZERO, 3));
        assert_eq!(items.collect::<Vec<_>>().await, [0, 1, 2]);
        assert!(broken.now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn items_have_time_and_the_answer_has_not() {
        let cx = Context::default().within(SECOND);
        assert_eq!(sum(&cx, every(60 * SECOND, 4), SECOND / 2).await, Ok(6));
        assert_eq!(
            sum(&Context::default().within(SECOND), every(SECOND, 4), 2 * SECOND).await,
            Err(Failure::timeout())
        );
        let idle = |_: Context, input: Stream<u32, Failure>| async move {
            tokio::time::sleep(2 * SECOND).await;
            drop(input);
            Ok::<_, Failure>(())
        };
        let cx = Context::default().within(SECOND);
        assert_eq!(cx.reading(every(SECOND, 1), idle).await, Err(Failure::timeout()), "who never begins");
        let drops = |_: Context, mut input: Stream<u32, Failure>| async move {
            let _ = input.next().await;
            drop(input);
            tokio::time::sleep(2 * SECOND).await;
            Ok::<_, Failure>(())
        };
        let cx = Context::default().within(SECOND);
        assert_eq!(cx.reading(every(SECOND, 9), drops).await, Err(Failure::timeout()), "who wants no more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_around_a_call_that_reads_is_lifted() {
        let cx = Context::default().within(SECOND);
        assert_eq!(cx.limit(sum(&cx, every(SECOND, 4), Duration::ZERO)).await, Ok(6));
        let cx = Context::default().within(SECOND);
        let other = cx.call();
        let both = cx.limit(async {
            sum(&other, every(SECOND, 4), Duration::ZERO).await?;
            Ok::<_, Failure>(())
        });
        assert_eq!(both.await, Err(Failure::timeout()), "but not by one that it makes of others");
    }
}
