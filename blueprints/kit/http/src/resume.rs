//! Streams of events that outlive their connection: a client that was cut off comes back with the id of the last event
//! it has seen, and goes on from there. The operation is not called again.
//!
//! An id is `<stream>-<number>`. A stream waits [`KEPT`] for its client, paused in whatever it does, with the last events
//! it has sent; this process must be the one that is asked again. Whatever cannot be gone on with is refused, so nothing
//! is lost unseen.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    fmt::Write as _,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as Task, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use kit::{Caller, Failure, Kind};
use tokio::{
    runtime::Handle,
    time::{Instant, Sleep, sleep},
};
use uuid::Uuid;

use crate::Heartbeat;

/// How long a stream waits for its client to come back.
const KEPT: Duration = Duration::from_secs(30);
/// Streams at most that are open or wait; beyond that, a cut one is not kept.
const STREAMS: usize = 10_000;
/// Sent events that are remembered of a stream: so many, and so many bytes.
const EVENTS: usize = 256;
const BYTES: usize = 256 << 10;
/// Bytes that are remembered of all streams; beyond that, each keeps its last event only.
const TOTAL: usize = 64 << 20;
/// Bytes of an event besides its data and the stream's id: enough for most, so that its text is not moved.
const BESIDES: usize = 48;

/// One event, as yet without its id.
#[derive(Debug)]
pub(crate) struct Event {
    /// Empty: a `message`.
    pub name: &'static str,
    /// One line.
    pub data: String,
}

impl Event {
    /// Writes its lines, and the empty one that ends it.
    pub(crate) fn write(&self, text: &mut String) {
        if !self.name.is_empty() {
            text.extend(["event: ", self.name, "\n"]);
        }
        let space = if self.data.is_empty() { "" } else { " " };
        text.extend(["data:", space, &self.data, "\n\n"]);
    }
}

pub(crate) type Events = BoxStream<'static, Event>;

/// The streams of a server that clients may come back to.
#[derive(Clone, Default)]
pub(crate) struct Streams {
    slots: Arc<Mutex<HashMap<u128, Arc<Slot>>>>,
    /// Remembered of all of them.
    total: Arc<AtomicUsize>,
    pub(crate) heartbeat: Heartbeat,
}

/// Who may come back, and for what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    pub caller: Caller,
    /// Path and query.
    pub target: String,
}

struct Slot {
    /// Not to be guessed: who knows it may go on with the stream.
    id: u128,
    /// The id as its events have it.
    text: String,
    claim: Claim,
    state: Mutex<State>,
}

struct State {
    /// `None`: it has ended.
    events: Option<Events>,
    /// The events before number `next`, as they were sent.
    sent: VecDeque<Bytes>,
    /// Theirs, and those of all streams.
    bytes: usize,
    total: Arc<AtomicUsize>,
    next: u64,
    /// Which connection it is that reads: a client that comes back takes over from one that nobody has seen dying.
    reader: u64,
}

impl Streams {
    pub(crate) fn new(heartbeat: Heartbeat) -> Self {
        Self { heartbeat, ..Self::default() }
    }

    /// A new stream, from its first event.
    pub(crate) fn open(&self, claim: Claim, events: Events) -> Reading {
        let state = Mutex::new(State::new(Some(events), self.total.clone()));
        let id = Uuid::new_v4().as_u128();
        let slot = Arc::new(Slot { id, text: format!("{id:032x}"), claim, state });
        lock(&self.slots).insert(slot.id, slot.clone());
        Reading::new(self.clone(), slot, 0, 1)
    }

    /// The stream that an event was of, from the next event on.
    pub(crate) fn resume(&self, claim: &Claim, last: &str) -> Result<Reading, Failure> {
        let refused = || Failure::new(Kind::Stale, "the stream cannot be gone on with from this event: open a new one");
        let (id, number) = last.split_once('-').ok_or_else(refused)?;
        let id = u128::from_str_radix(id, 16).map_err(|_| refused())?;
        let next = number.parse::<u64>().ok().and_then(|number| number.checked_add(1)).ok_or_else(refused)?;
        let slot = lock(&self.slots).get(&id).filter(|slot| slot.claim == *claim).cloned().ok_or_else(refused)?;
        let mut state = lock(&slot.state);
        if !(state.first()..=state.next).contains(&next) {
            return Err(refused());
        }
        state.reader += 1;
        let reader = state.reader;
        drop(state);
        Ok(Reading::new(self.clone(), slot, reader, next))
    }

    fn forget(&self, slot: &Slot) {
        lock(&self.slots).remove(&slot.id);
    }
}

impl State {
    fn new(events: Option<Events>, total: Arc<AtomicUsize>) -> Self {
        Self { events, sent: VecDeque::new(), bytes: 0, total, next: 1, reader: 0 }
    }

    /// The number of the first event that is remembered.
    fn first(&self) -> u64 {
        self.next - self.sent.len() as u64
    }

    fn add(&mut self, id: &str, event: &Event) {
        let mut text = String::with_capacity(id.len() + event.data.len() + BESIDES);
        let _ = writeln!(text, "id: {id}-{}", self.next);
        event.write(&mut text);
        let event = Bytes::from(text);
        self.next += 1;
        self.bytes += event.len();
        self.total.fetch_add(event.len(), Ordering::Relaxed);
        self.sent.push_back(event);
        while self.sent.len() > 1 && self.is_too_much() {
            let gone = self.sent.pop_front().map_or(0, |event| event.len());
            self.bytes -= gone;
            self.total.fetch_sub(gone, Ordering::Relaxed);
        }
    }

    fn is_too_much(&self) -> bool {
        self.sent.len() > EVENTS || self.bytes > BYTES || self.total.load(Ordering::Relaxed) > TOTAL
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A stream as one connection reads it.
pub(crate) struct Reading {
    streams: Streams,
    slot: Arc<Slot>,
    reader: u64,
    /// The number of the event that this connection gets next.
    next: u64,
    /// The connection has got all there is.
    complete: bool,
    beat: Pin<Box<Sleep>>,
    /// When something was last sent. The timer is not touched for every event: that would cost more than most events.
    spoke: Instant,
}

impl Reading {
    fn new(streams: Streams, slot: Arc<Slot>, reader: u64, next: u64) -> Self {
        let beat = Box::pin(sleep(streams.heartbeat.0));
        Self { streams, slot, reader, next, complete: false, beat, spoke: Instant::now() }
    }
}

impl Stream for Reading {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut state = lock(&this.slot.state);
        if state.reader != this.reader {
            return Poll::Ready(None);
        }
        if this.next == state.next
            && let Some(events) = &mut state.events
        {
            match events.poll_next_unpin(task) {
                Poll::Ready(Some(event)) => state.add(&this.slot.text, &event),
                Poll::Ready(None) => state.events = None,
                Poll::Pending => loop {
                    ready!(this.beat.as_mut().poll(task));
                    let now = Instant::now();
                    let Heartbeat(most) = this.streams.heartbeat;
                    let is_silent = this.spoke + most <= now;
                    if is_silent {
                        this.spoke = now;
                    }
                    this.beat.as_mut().reset(this.spoke + most);
                    if is_silent {
                        return Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))));
                    }
                },
            }
        }
        let index = this.next - state.first();
        match state.sent.get(usize::try_from(index).unwrap_or(usize::MAX)) {
            Some(event) => {
                this.next += 1;
                this.spoke = Instant::now();
                Poll::Ready(Some(Ok(event.clone())))
            }
            None => {
                this.complete = true;
                Poll::Ready(None)
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let (streams, slot, reader) = (self.streams.clone(), self.slot.clone(), self.reader);
        let state = lock(&slot.state);
        if state.reader != reader {
            return;
        }
        // Who has seen no event knows no id to come back with.
        let may_come_back = !self.complete && !state.sent.is_empty();
        drop(state);
        match Handle::try_current() {
            Ok(runtime) if may_come_back && lock(&streams.slots).len() <= STREAMS => drop(runtime.spawn(async move {
                sleep(KEPT).await;
                if lock(&slot.state).reader == reader {
                    streams.forget(&slot);
                }
            })),
            _ => streams.forget(&slot),
        }
    }
}

/// What is inside is whole at every moment, so a panic of somebody else's stream does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::{sync::mpsc, task::unconstrained, time::advance};

    use super::*;

    fn event(data: String) -> Event {
        Event { name: "", data }
    }

    fn claim(target: &str) -> Claim {
        Claim { caller: Caller::Anonymous, target: target.into() }
    }

    /// A stream of what the test sends.
    fn live(streams: &Streams) -> (mpsc::UnboundedSender<u32>, Reading) {
        let (tell, items) = mpsc::unbounded_channel::<u32>();
        let events = futures_util::stream::unfold(items, |mut items| async {
            Some((event(items.recv().await?.to_string()), items))
        });
        (tell, streams.open(claim("/a"), events.boxed()))
    }

    /// The events that are there, each as `id` and data.
    fn now(reading: &mut Reading) -> Vec<(String, String)> {
        let frames = std::iter::from_fn(|| unconstrained(reading.next()).now_or_never().flatten());
        let frames = frames.map(|frame| String::from_utf8(frame.unwrap().to_vec()).unwrap());
        let events = frames.filter(|frame| frame != ":\n\n").map(|frame| {
            let (id, data) = frame.trim_end().split_once("\ndata: ").unwrap();
            (id.strip_prefix("id: ").unwrap().to_owned(), data.to_owned())
        });
        events.collect()
    }

    fn data(events: Vec<(String, String)>) -> Vec<String> {
        events.into_iter().map(|(_, data)| data).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_cut_off_goes_on_where_it_was() {
        let streams = Streams::default();
        let (tell, mut first) = live(&streams);
        (1..=4).for_each(|n| tell.send(n).unwrap());
        let seen = now(&mut first);
        // The connection dies with two events in it that nobody has seen, and more come while nobody is there.
        drop(first);
        (5..=6).for_each(|n| tell.send(n).unwrap());
        advance(KEPT - Duration::from_secs(1)).await;
        let mut second = streams.resume(&claim("/a"), &seen[1].0).unwrap();
        let rest = now(&mut second);
        assert_eq!(data(rest.clone()), ["3", "4", "5", "6"]);
        // The time to wait begins anew with each cut.
        drop(second);
        advance(KEPT - Duration::from_secs(1)).await;
        let mut third = streams.resume(&claim("/a"), &rest[3].0).unwrap();
        tell.send(7).unwrap();
        assert_eq!(data(now(&mut third)), ["7"]);
        drop(tell);
        assert_eq!(third.next().await, None);
        drop(third);
        assert!(lock(&streams.slots).is_empty(), "what has ended is not kept");
    }

    #[tokio::test]
    async fn nothing_is_kept_for_who_has_seen_nothing() {
        let streams = Streams::default();
        let (tell, mut reading) = live(&streams);
        assert!(now(&mut reading).is_empty());
        drop(reading);
        assert!(tell.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_before_its_old_connection_is_seen_dying_takes_over() {
        let streams = Streams::default();
        let (tell, mut first) = live(&streams);
        tell.send(1).unwrap();
        let seen = now(&mut first);
        let mut second = streams.resume(&claim("/a"), &seen[0].0).unwrap();
        tell.send(2).unwrap();
        assert_eq!(first.next().await, None);
        drop(first);
        advance(KEPT * 2).await;
        assert_eq!(data(now(&mut second)), ["2"], "the end of the old one ends nothing");
        assert!(!tell.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_gone_on_with_is_refused() {
        let streams = Streams::default();
        let (tell, mut first) = live(&streams);
        (0..=EVENTS).for_each(|n| tell.send(n as u32).unwrap());
        let seen = now(&mut first);
        let id = |n: usize| seen[n].0.clone();
        let name = seen[0].0.split_once('-').unwrap().0.to_owned();
        for (target, last) in [
            ("/b", id(1)),
            ("/a", String::new()),
            ("/a", "7".into()),
            ("/a", "7-1".into()),
            ("/a", format!("{name}-")),
            ("/a", format!("{name}-{}", EVENTS + 2)),
            ("/a", format!("{name}-{}", u64::MAX)),
            ("/a", format!("{name}-0")),
        ] {
            assert_eq!(
                streams.resume(&claim(target), &last).err().map(|e| e.kind),
                Some(Kind::Stale),
                "{target} {last}"
            );
        }
        assert!(streams.resume(&claim("/a"), &id(0)).is_ok(), "the second is still remembered");
        let (tell, mut left) = live(&streams);
        tell.send(1).unwrap();
        let seen = now(&mut left);
        drop(left);
        tokio::task::yield_now().await;
        advance(KEPT + Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
        assert!(streams.resume(&claim("/a"), &seen[0].0).is_err(), "too late");
        assert!(tell.is_closed(), "nobody works for a client that does not come back");
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let total = Arc::new(AtomicUsize::new(0));
        let mut state = State::new(None, total.clone());
        state.add("1", &event("x".repeat(BYTES * 2)));
        assert_eq!((state.sent.len(), state.first()), (1, 1), "the last one always is");
        (0..1000).for_each(|_| state.add("1", &event("x".repeat(100))));
        assert_eq!((state.sent.len(), state.next), (EVENTS, 1002));
        (0..10).for_each(|_| state.add("1", &event("x".repeat(BYTES / 4))));
        assert!(state.sent.len() == 3 && state.bytes <= BYTES);
        total.fetch_add(TOTAL, Ordering::Relaxed);
        state.add("1", &event("x".repeat(100)));
        assert_eq!(state.sent.len(), 1, "all of them together have a bound too");
        drop(state);
        assert_eq!(total.load(Ordering::Relaxed), TOTAL, "what is gone does not count");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_beats_as_often_as_it_was_told_to() {
        for most in [Heartbeat::default().0, Duration::from_secs(1), Duration::from_secs(60)] {
            beats(most).await;
        }
    }

    async fn beats(most: Duration) {
        let (tell, mut reading) = live(&Streams::new(Heartbeat(most)));
        for _ in 0..3 {
            let before = Instant::now();
            assert_eq!(reading.next().await, Some(Ok(Bytes::from_static(b":\n\n"))));
            assert_eq!(before.elapsed(), most);
            // What is said counts: the next beat is as long after it.
            advance(most / 2).await;
            tell.send(1).unwrap();
            assert_eq!(now(&mut reading).len(), 1);
        }
    }
}
