//! Streams: the policy up to the opening, then only the place they take and the faults they show.

use std::pin::pin;

use futures_util::{StreamExt, TryStreamExt, future::poll_immediate, stream};
use kit::Stream;
use kit_resilience::{BreakerState, Link};

use super::*;

fn link() -> Link {
    Link::new("a → b", Policy { breaker: breaker(9), streams: 1, ..policy() })
}

async fn open(link: &Link, items: Vec<Result<u32, Failure>>) -> Stream<u32, Failure> {
    let attempt = |_| {
        let items: Vec<_> =
            items.iter().map(|item| item.as_ref().map_err(|e| Failure::new(e.kind, "")).copied()).collect();
        async { Ok(Box::pin(stream::iter(items).chain(stream::pending())) as Stream<_, _>) }
    };
    link.open(&Context::default(), &SAFE, attempt).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_stream_keeps_its_place_until_it_is_dropped_and_has_no_deadline() {
    let link = link();
    let mut items = open(&link, vec![Ok(1), Ok(2)]).await;
    assert_eq!(items.next().await, Some(Ok(1)));
    assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 1, faults: 0 }));
    sleep(3600 * SECOND).await;
    assert_eq!((items.next().await, link.state().open), (Some(Ok(2)), 1));
    let full = link.open(&Context::default(), &SAFE, async |_| Ok::<_, Failure>(input([]))).await;
    assert_eq!(full.err().map(|failure| failure.kind), Some(Kind::Limited));
    drop(items);
    assert_eq!(link.state().open, 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_gives_its_place_back() {
    let link = link();
    let attempt = async |_| Ok::<_, Failure>(Box::pin(stream::iter([Ok(1u32)])) as Stream<u32, Failure>);
    let mut items = link.open(&Context::default(), &SAFE, attempt).await.unwrap();
    assert_eq!((items.next().await, link.state().open), (Some(Ok(1)), 1));
    assert_eq!((items.next().await, link.state().open), (None, 0));
    assert_eq!(items.next().await, None, "it stays ended");
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_a_stream_and_counts_if_it_is_a_fault() {
    for kind in Kind::ALL {
        let link = link();
        let mut items = open(&link, vec![Ok(1), Err(Failure::new(kind, "")), Ok(2)]).await;
        assert_eq!(items.next().await, Some(Ok(1)));
        assert_eq!(items.next().await.unwrap().map_err(|failure| failure.kind), Err(kind));
        assert_eq!((items.next().await, link.state().open), (None, 0));
        let faults = usize::from(kind.is_fault());
        assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 1 + faults, faults }), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_break_open_the_circuit() {
    let link = Link::new("a → b", Policy { breaker: breaker(2), ..policy() });
    let mut streams = vec![];
    for _ in 0..2 {
        streams.push(open(&link, vec![Err(Failure::new(Kind::Unavailable, ""))]).await);
    }
    for mut items in streams {
        assert!(matches!(link.state().breaker, Some(BreakerState::Closed { .. })));
        let _ = items.next().await;
    }
    assert!(matches!(link.state().breaker, Some(BreakerState::Open { .. })));
}

#[tokio::test(start_paused = true)]
async fn an_opening_is_tried_again_and_an_open_stream_is_the_probe_s_success() {
    let link = Link::new("a → b", Policy { breaker: breaker(3), ..policy() });
    let callee =
        Callee::new([Reply::Fails(Kind::Unavailable), Reply::Takes(3600 * SECOND), Reply::Unsent, Reply::Answers]);
    let cx = Context::default();
    let watch = || {
        link.open(&cx, &SAFE, |cx| async {
            callee.answer(cx).await.map(|_| Box::pin(stream::pending()) as Stream<u32, Failure>)
        })
    };
    assert_eq!(watch().await.err().map(|failure| failure.kind), Some(Kind::Unavailable));
    assert_eq!((callee.tries().len(), link.state().open), (3, 0));
    sleep(10 * SECOND).await;
    let _items = watch().await.unwrap();
    assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 0, faults: 0 }));
    assert_eq!(link.state().open, 1);
}

fn input(items: impl IntoIterator<Item = Result<u32, Failure>>) -> Stream<u32, Failure> {
    let items: Vec<_> = items.into_iter().collect();
    Box::pin(stream::iter(items))
}

async fn sum(_: Context, input: Stream<u32, Failure>) -> Result<u32, Failure> {
    input.try_fold(0, async |sum, number| Ok(sum + number)).await
}

#[tokio::test(start_paused = true)]
async fn an_input_is_sent_once_and_counts_as_a_call() {
    let link = link();
    assert_eq!(link.send(&Context::default(), &SAFE, input([Ok(1), Ok(2)]), sum).await, Ok(3));
    assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 1, faults: 0 }));
    let mut tries = 0;
    let lost = |_, _: Stream<u32, Failure>| {
        tries += 1;
        async { Err::<u32, _>(Failure::new(Kind::Unavailable, "gone").unsent()) }
    };
    assert_eq!(kind(link.send(&Context::default(), &SAFE, input([]), lost).await), Some(Kind::Unavailable));
    assert_eq!((tries, link.state().open), (1, 0));
    assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 2, faults: 1 }));
}

#[tokio::test(start_paused = true)]
async fn an_input_that_fails_by_itself_says_nothing_of_the_other_side() {
    let link = Link::new("a → b", Policy { breaker: breaker(1), ..policy() });
    for _ in 0..3 {
        let broken = input([Ok(1), Err(Failure::new(Kind::Internal, "ours"))]);
        assert_eq!(kind(link.send(&Context::default(), &SAFE, broken, sum).await), Some(Kind::Internal));
        let broken = input([Ok(1), Err(Failure::new(Kind::Internal, "ours"))]);
        let echo = |_: Context, input| async move { Ok::<Stream<u32, Failure>, Failure>(input) };
        let items = link.exchange(&Context::default(), &SAFE, broken, echo).await.unwrap();
        assert_eq!(items.map(|item| item.is_ok()).collect::<Vec<_>>().await, [true, false]);
    }
    assert!(matches!(link.state().breaker, Some(BreakerState::Closed { faults: 0, .. })));
}

#[tokio::test(start_paused = true)]
async fn items_may_take_longer_than_a_try_and_the_answer_may_not() {
    let link = link();
    let slow = || -> Stream<u32, Failure> {
        Box::pin(input([Ok(1), Ok(2)]).then(async |item| {
            sleep(3600 * SECOND).await;
            item
        }))
    };
    assert_eq!(link.send(&Context::default(), &SAFE, slow(), sum).await, Ok(3));
    let late = |cx, input| async {
        let sum = sum(cx, input).await;
        sleep(3600 * SECOND).await;
        sum
    };
    assert_eq!(kind(link.send(&Context::default(), &SAFE, slow(), late).await), Some(Kind::Timeout));
}

#[tokio::test(start_paused = true)]
async fn an_exchange_keeps_its_place_and_an_open_circuit_refuses_it() {
    let link = Link::new("a → b", Policy { breaker: breaker(1), streams: 1, ..policy() });
    let echo = |_: Context, input| async move { Ok::<Stream<u32, Failure>, Failure>(input) };
    let mut items = link.exchange(&Context::default(), &SAFE, input([Ok(7)]), echo).await.unwrap();
    assert_eq!((items.next().await, link.state().open), (Some(Ok(7)), 1));
    assert_eq!(kind(link.send(&Context::default(), &SAFE, input([]), sum).await), Some(Kind::Limited));
    drop(items);
    let lost = |_, _: Stream<u32, Failure>| async { Err::<u32, _>(Failure::timeout()) };
    assert_eq!(kind(link.send(&Context::default(), &SAFE, input([]), lost).await), Some(Kind::Timeout));
    let refused = link.send(&Context::default(), &SAFE, input([]), sum).await.unwrap_err();
    assert_eq!((refused.kind, refused.unsent), (Kind::Unavailable, true));
}

#[tokio::test(start_paused = true)]
async fn streams_take_no_places_of_calls_nor_calls_those_of_streams() {
    let link = Link::new("a → b", Policy { bulkhead: 1, streams: 2, ..once(policy()) });
    let (cx, callee) = (Context::default(), Callee::new([Reply::Takes(SECOND / 2)]));
    let call = || link.call(&cx, &SAFE, |cx| callee.answer(cx));
    let items = [open(&link, vec![]).await, open(&link, vec![]).await];
    assert_eq!((link.state().under_way, link.state().open), (0, 2));
    assert_eq!(kind(link.send(&cx, &SAFE, input([]), sum).await), Some(Kind::Limited));
    assert_eq!(call().await, Ok(1), "though no stream has a place");
    drop(items);
    let sent = async {
        sleep(MS).await;
        assert_eq!((link.state().under_way, link.state().open), (1, 0));
        link.send(&cx, &SAFE, input([Ok(1)]), sum).await
    };
    assert_eq!(tokio::join!(call(), sent), (Ok(2), Ok(1)), "though no call has a place");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_goes_on_takes_the_place_of_a_stream() {
    let link = Link::new("a → b", Policy { bulkhead: 2, streams: 1, ..once(policy()) });
    let cx = Context::default();
    let hold = async || link.hold(&cx, &SAFE, async |_| Ok::<_, Failure>(())).await.unwrap().1;
    let places = || (link.state().under_way, link.state().open);
    let first = hold().await;
    assert_eq!(places(), (1, 0));
    let first = first.goes_on();
    assert_eq!(places(), (0, 1));
    let second = hold().await.goes_on();
    assert_eq!(places(), (1, 1), "none is left, so it keeps its own");
    let refused = hold().await.streams().unwrap_err();
    assert_eq!((refused.kind, refused.unsent, places()), (Kind::Limited, false, (1, 1)));
    drop((first, second));
    let stream = hold().await.streams().unwrap();
    assert_eq!(places(), (0, 1));
    let full = link.hold_open(&cx, &SAFE, async |_| Ok::<_, Failure>(())).await;
    assert_eq!(kind(full.map(drop)), Some(Kind::Limited));
    drop(stream);
    let (_, stream) = link.hold_open(&cx, &SAFE, async |_| Ok::<_, Failure>(())).await.unwrap();
    assert_eq!(places(), (0, 1));
    drop(stream);
    assert_eq!(places(), (0, 0));
}

/// Half-open: one fault has opened the circuit, and its time is over.
async fn half_open() -> Link {
    let link = Link::new("a → b", Policy { breaker: breaker(1), ..once(policy()) });
    let lost = async |_: Context| Err::<(), _>(Failure::new(Kind::Internal, ""));
    assert_eq!(kind(link.call(&Context::default(), &SAFE, lost).await), Some(Kind::Internal));
    sleep(10 * SECOND).await;
    link
}

#[tokio::test(start_paused = true)]
async fn an_input_that_is_taken_holds_no_probe_and_its_outcome_counts() {
    let cx = Context::default();
    let answer = async |_: Context| Ok::<_, Failure>(());
    let endless = || Box::pin(stream::iter([Ok(1_u32)]).chain(stream::pending())) as Stream<u32, Failure>;
    let link = half_open().await;
    let mut upload = pin!(link.send(&cx, &SAFE, endless(), sum));
    assert!(poll_immediate(&mut upload).await.is_none());
    assert_eq!(link.state().breaker, Some(BreakerState::HalfOpen { probing: false }));
    assert_eq!(link.call(&cx, &SAFE, answer).await, Ok(()));
    assert!(matches!(link.state().breaker, Some(BreakerState::Closed { .. })));

    for failed in [false, true] {
        let link = half_open().await;
        let read = async |cx, input| if failed { Err(Failure::new(Kind::Internal, "")) } else { sum(cx, input).await };
        let ask = async |cx, mut input: Stream<u32, Failure>| {
            let _ = input.next().await;
            sleep(SECOND / 2).await;
            read(cx, input).await
        };
        let mut upload = pin!(link.send(&cx, &SAFE, input([Ok(1), Ok(2)]), ask));
        assert!(poll_immediate(&mut upload).await.is_none());
        let mut probe = pin!(link.call(&cx, &SAFE, async |_| std::future::pending::<Result<(), Failure>>().await));
        assert!(poll_immediate(&mut probe).await.is_none());
        assert_eq!(upload.await.is_err(), failed, "the first outcome decides");
        let Some(state) = link.state().breaker else { panic!() };
        assert_eq!(matches!(state, BreakerState::Open { .. }), failed, "{state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_input_that_nobody_takes_or_that_is_dropped_is_a_probe_like_any_other() {
    let cx = Context::default();
    let never = async |_: Context, _: Stream<u32, Failure>| std::future::pending::<Result<u32, Failure>>().await;
    let link = half_open().await;
    {
        let mut upload = pin!(link.send(&cx, &SAFE, input([Ok(1)]), never));
        assert!(poll_immediate(&mut upload).await.is_none());
        assert_eq!(link.state().breaker, Some(BreakerState::HalfOpen { probing: true }));
    }
    assert_eq!(link.state().breaker, Some(BreakerState::HalfOpen { probing: false }));
    assert_eq!(kind(link.send(&cx, &SAFE, input([Ok(1)]), never).await), Some(Kind::Timeout));
    assert!(matches!(link.state().breaker, Some(BreakerState::Open { .. })));
    sleep(10 * SECOND).await;
    // Given up while it flows, it does not take the place of another that is the probe.
    let mut upload = Box::pin(link.send(&cx, &SAFE, Box::pin(stream::pending()), sum));
    assert!(poll_immediate(&mut upload).await.is_none());
    let mut probe = pin!(link.call(&cx, &SAFE, async |_| std::future::pending::<Result<(), Failure>>().await));
    assert!(poll_immediate(&mut probe).await.is_none());
    drop(upload);
    assert_eq!(link.state().breaker, Some(BreakerState::HalfOpen { probing: true }));
}
