//! Which tries are made, when, and with what.

use std::{pin::pin, sync::Arc};

use futures_util::{FutureExt, future::poll_immediate};
use kit::Intent;
use kit_resilience::{Link, keyed};

use super::*;

#[tokio::test(start_paused = true)]
async fn only_what_is_safe_and_worth_it_is_tried_again() {
    let kinds = Kind::ALL.map(|kind| (Reply::Fails(kind), [if kind.is_transient() { 3 } else { 1 }; 2], 1));
    let others = [
        (Reply::Answers, [1, 1], 1),
        (Reply::Unsent, [3, 3], 3),
        (Reply::Takes(3600 * SECOND), [3, 3], 1),
        (Reply::Later(MS), [3, 3], 1),
        (Reply::AtWork, [3, 3], 1),
    ];
    for (reply, [safe, keyed], not_safe) in kinds.into_iter().chain(others) {
        for (operation, tries) in [(SAFE, safe), (KEYED, keyed), (UNSAFE, not_safe)] {
            let callee = Callee::new([reply.clone()]);
            let link = Link::new("a → b", policy());
            let _ = link.call(&Context::default(), &operation, |cx| callee.answer(cx)).await;
            assert_eq!(callee.tries().len(), tries, "{reply:?} {operation:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_try_is_a_call_of_its_own_with_the_key_of_all() {
    let link = Link::new("a → b", policy());
    let keys = async |cx: &Context, operation: &Operation| {
        let callee = Callee::new([Reply::Fails(Kind::Unavailable)]);
        let _ = link.call(cx, operation, |cx| callee.answer(cx)).await;
        let tries = callee.tries();
        for (seen, number) in tries.iter().zip(1..) {
            assert_eq!(seen.cx.attempt(), number);
            assert_eq!(seen.cx.trace().id(), cx.trace().id());
            assert_ne!(seen.cx.trace(), cx.trace());
            assert_eq!(seen.cx.deadline(), Some(seen.at + SECOND));
        }
        assert_eq!(tries.len(), 3);
        tries.iter().map(|seen| seen.cx.idempotency_key().map(str::to_owned)).collect::<Vec<_>>()
    };
    let cx = Context::default();
    let (one, other) = (keys(&cx, &KEYED).await, keys(&cx, &KEYED).await);
    assert!(one[0].is_some() && one.iter().all(|key| *key == one[0]), "{one:?}");
    assert_ne!(one, other, "another call, another key");
    assert_eq!(keys(&cx.clone().keyed("k"), &KEYED).await, [Some("k".into()), Some("k".into()), Some("k".into())]);
    assert_eq!(keys(&cx, &SAFE).await, [None, None, None]);
    assert_eq!(keys(&cx.keyed("k"), &SAFE).await, [None, None, None], "the key of another intent");
}

#[tokio::test(start_paused = true)]
async fn pauses_double_by_chance_and_come_on_top_of_retry_after() {
    let pauses = async |replies: [Reply; 2]| {
        let mut policy = policy();
        policy.retry.backoff = Backoff { first: 100 * MS, most: SECOND };
        let callee = Callee::new(replies.into_iter().chain([Reply::Answers]));
        let link = Link::new("a → b", policy);
        assert_eq!(link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await, Ok(3));
        let at: Vec<_> = callee.tries().iter().map(|seen| seen.at).collect();
        [at[1] - at[0], at[2] - at[1]]
    };
    for _ in 0..100 {
        let [first, second] = pauses([Reply::Fails(Kind::Unavailable), Reply::Fails(Kind::Limited)]).await;
        // The clock of the tests ticks in milliseconds.
        assert!(
            (50 * MS..=101 * MS).contains(&first) && (100 * MS..=201 * MS).contains(&second),
            "{first:?} {second:?}"
        );
        let [first, second] = pauses([Reply::Later(SECOND), Reply::Fails(Kind::Limited)]).await;
        assert!(
            (1050 * MS..=1101 * MS).contains(&first) && (100 * MS..=201 * MS).contains(&second),
            "{first:?} {second:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_would_outlast_the_deadline_is_not_begun() {
    let link = Link::new("a → b", policy());
    let start = Instant::now();
    for (cx, reply) in [
        (Context::default(), Reply::Later(4 * SECOND)),
        (Context::default().within(SECOND), Reply::Later(SECOND)),
        (Context::default().within(MS / 2), Reply::Fails(Kind::Unavailable)),
        (Context::default(), Reply::Later(Duration::MAX)),
    ] {
        let callee = Callee::new([reply]);
        let failure = link.call(&cx, &SAFE, |cx| callee.answer(cx)).await.unwrap_err();
        assert_ne!(failure.kind, Kind::Timeout, "the caller has the error itself");
        assert_eq!(callee.tries().len(), 1);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_past_the_total_or_their_own_deadline() {
    let link = Link::new("a → b", policy());
    let total = policy().total();
    for (limit, most, tries) in [
        (None, total, 3),
        (Some(3600 * SECOND), total, 3),
        (Some(SECOND / 2), SECOND / 2, 1),
        (Some(SECOND + SECOND / 2), SECOND + SECOND / 2, 2),
    ] {
        let cx = limit.map_or_else(Context::default, |limit| Context::default().within(limit));
        let callee = Callee::new([Reply::Takes(3600 * SECOND)]);
        let start = Instant::now();
        assert_eq!(kind(link.call(&cx, &SAFE, |cx| callee.answer(cx)).await), Some(Kind::Timeout));
        assert!(start.elapsed() <= most + MS && start.elapsed() + 6 * MS > most, "{:?} of {most:?}", start.elapsed());
        assert_eq!(callee.tries().len(), tries);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_too_late_is_not_made() {
    let link = Link::new("a → b", policy());
    let callee = Callee::new([Reply::Answers]);
    let failure =
        link.call(&Context::default().within(Duration::ZERO), &SAFE, |cx| callee.answer(cx)).await.unwrap_err();
    assert_eq!((failure.kind, failure.unsent, callee.tries().len()), (Kind::Timeout, true, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dead_service_sees_a_fifth_more_calls_not_three_times_as_many() {
    let mut policy = policy();
    policy.retry.budget = Budget::default();
    let link = Link::new("a → b", policy);
    let callee = Callee::new([Reply::Fails(Kind::Unavailable)]);
    for calls in 1..=1000 {
        let _ = link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await;
        assert!(callee.tries().len() <= calls + calls / 5 + 10);
    }
    assert!(callee.tries().len() >= 1200, "it is used, too");
    assert_eq!(link.state().retries_left, 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_held_during_a_pause_and_a_dropped_call_ends() {
    let mut policy = Policy { bulkhead: 1, ..policy() };
    policy.retry.backoff = Backoff { first: SECOND, most: SECOND };
    let link = Link::new("a → b", policy);
    let callee =
        Callee::new([Reply::Fails(Kind::Unavailable), Reply::Answers, Reply::Takes(SECOND / 2), Reply::Answers]);
    let cx = Context::default();
    let call = || link.call(&cx, &SAFE, |cx| callee.answer(cx));
    {
        let mut pausing = pin!(call());
        assert!(poll_immediate(&mut pausing).await.is_none());
        assert_eq!((callee.tries().len(), link.state().under_way), (1, 0));
        assert_eq!(call().await, Ok(2), "the only place is free");
        let mut trying = pin!(call());
        assert!(poll_immediate(&mut trying).await.is_none());
        assert_eq!(link.state().under_way, 1);
    }
    assert_eq!(link.state().under_way, 0);
    sleep(10 * SECOND).await;
    assert_eq!(callee.tries().len(), 3, "the dropped calls do not go on");
    assert_eq!(call().now_or_never(), Some(Ok(4)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_finds_no_place_may_come_again() {
    let mut policy = Policy { bulkhead: 1, ..policy() };
    policy.retry.backoff = Backoff { first: SECOND, most: SECOND };
    let link = Link::new("a → b", policy);
    let callee = Callee::new([Reply::Takes(SECOND / 4), Reply::Answers]);
    let cx = Context::default();
    let call = || link.call(&cx, &UNSAFE, |cx| callee.answer(cx));
    assert_eq!(tokio::join!(call(), call()), (Ok(1), Ok(2)));
    assert_eq!(callee.tries()[1].cx.attempt(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_try_that_was_sent_is_not_unsent() {
    for (reply, unsent) in [(Reply::Fails(Kind::Unavailable), false), (Reply::Unsent, true)] {
        let link = Link::new("a → b", Policy { breaker: breaker(1), ..policy() });
        let callee = Callee::new([reply]);
        let failure = link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await.unwrap_err();
        assert_eq!((failure.unsent, callee.tries().len()), (unsent, 1));
        assert!(failure.retry_after.is_some_and(|pause| pause > 9 * SECOND), "the circuit's: {failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_is_done_again_asks_under_the_keys_it_had() {
    static PLACE: Operation = Operation { service: "a", name: "place", safety: Safety::Keyed };
    let link = Link::new("a → b", policy());
    let work = async |key: &str, inputs: &[u32]| {
        let asked = Context::default().keyed(key);
        let intent = Intent::of::<()>(&asked, &PLACE, String::new, SECOND).unwrap();
        let cx = asked.meaning(Arc::new(intent));
        let callee = Callee::new([Reply::Answers]);
        for input in inputs {
            let cx = keyed(&cx.call(), &KEYED, input).unwrap();
            let _ = link.call(&cx, &KEYED, |cx| callee.answer(cx)).await;
        }
        callee.tries().iter().map(|seen| seen.cx.idempotency_key().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = work("k", &[1, 2, 2]).await;
    assert!(first[0] != first[1] && first[1] != first[2], "each call has its own: {first:?}");
    assert_eq!(work("k", &[2, 2, 1]).await, [&*first[1], &first[2], &first[0]]);
    assert!(work("l", &[1, 2, 2]).await.iter().all(|key| !first.contains(key)), "another intent");
    let own = keyed(&Context::default().keyed("own"), &KEYED, &1).unwrap();
    assert_eq!(own.idempotency_key(), Some("own"));
    assert_eq!(keyed(&Context::default(), &SAFE, &1).unwrap().idempotency_key(), None);
}
