//! What the breaker learns from calls, and what it does to them.

use std::pin::pin;

use futures_util::future::poll_immediate;
use kit_resilience::{BreakerState, Link};
use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_outage_is_noticed_waited_out_and_over() {
    let link = Link::new("orders → inventory", Policy { breaker: breaker(3), ..once(policy()) });
    let callee = Callee::new(
        [Reply::Answers].into_iter().chain(vec![Reply::Fails(Kind::Unavailable); 4]).chain([Reply::Answers]),
    );
    let cx = Context::default();
    let call = || link.call(&cx, &SAFE, |cx| callee.answer(cx));
    for _ in 0..4 {
        let _ = call().await;
    }
    assert!(matches!(link.state().breaker, Some(BreakerState::Open { .. })));
    let failure = call().await.unwrap_err();
    assert_eq!((failure.kind, failure.unsent, failure.retry_after), (Kind::Unavailable, true, Some(10 * SECOND)));
    assert_eq!(callee.tries().len(), 4);
    sleep(10 * SECOND).await;
    assert_eq!(kind(call().await), Some(Kind::Unavailable));
    assert_eq!(callee.tries().len(), 5, "the probe went through, and failed");
    sleep(9 * SECOND).await;
    assert_eq!(kind(call().await), Some(Kind::Unavailable));
    assert_eq!(callee.tries().len(), 5);
    sleep(SECOND).await;
    assert_eq!([call().await, call().await], [Ok(6), Ok(7)]);
    assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 1, faults: 0 }));
}

#[tokio::test(start_paused = true)]
async fn only_faults_of_the_other_side_count() {
    let kinds = Kind::ALL.map(|kind| (Reply::Fails(kind), None, usize::from(kind.is_fault()), 1));
    let others = [
        (Reply::Answers, None, 0, 1),
        (Reply::Unsent, None, 1, 1),
        (Reply::Takes(3600 * SECOND), None, 1, 1),
        // As above, but the caller had less time than a try has.
        (Reply::Takes(3600 * SECOND), Some(SECOND / 2), 0, 0),
        (Reply::Fails(Kind::Timeout), Some(SECOND / 2), 0, 0),
        (Reply::Fails(Kind::Internal), Some(SECOND / 2), 1, 1),
        (Reply::Takes(3600 * SECOND), Some(SECOND), 1, 1),
        (Reply::Answers, Some(Duration::ZERO), 0, 0),
    ];
    for (reply, limit, faults, calls) in kinds.into_iter().chain(others) {
        let link = Link::new("a → b", Policy { breaker: breaker(9), ..once(policy()) });
        let callee = Callee::new([reply.clone()]);
        let cx = limit.map_or_else(Context::default, |limit| Context::default().within(limit));
        let _ = link.call(&cx, &SAFE, |cx| callee.answer(cx)).await;
        assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls, faults }), "{reply:?} within {limit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_no_outcome_and_gives_the_probe_back() {
    let link = Link::new("a → b", Policy { breaker: breaker(1), ..once(policy()) });
    let callee = Callee::new([Reply::Takes(SECOND / 2), Reply::Fails(Kind::Internal), Reply::Takes(SECOND / 2)]);
    let cx = Context::default();
    let call = || link.call(&cx, &SAFE, |cx| callee.answer(cx));
    let given_up = async || assert!(poll_immediate(pin!(call())).await.is_none());
    given_up().await;
    assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 0, faults: 0 }));
    assert_eq!(kind(call().await), Some(Kind::Internal));
    sleep(10 * SECOND).await;
    given_up().await;
    assert_eq!(link.state().breaker, Some(BreakerState::HalfOpen { probing: false }));
    assert_eq!(call().await, Ok(4));
}

#[tokio::test(start_paused = true)]
async fn half_a_window_of_an_outage_is_enough() {
    let link = Link::new("a → b", Policy { breaker: Some(Breaker::default()), ..once(policy()) });
    let callee = Callee::new([Reply::Fails(Kind::Unavailable)]);
    for _ in 0..30 {
        let _ = link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await;
    }
    assert_eq!(callee.tries().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn its_state_can_be_shown() {
    let show = |link: &Link| serde_json::to_value(link.state()).unwrap();
    let link = Link::new("orders → inventory", Policy { breaker: breaker(1), ..policy() });
    let mut shown = json!({
        "link": "orders → inventory",
        "breaker": { "state": "closed", "calls": 0, "faults": 0 },
        "under_way": 0,
        "bulkhead": 64,
        "open": 0,
        "streams": 640,
        "retries_left": 1000,
    });
    assert_eq!(show(&link), shown);
    let callee = Callee::new([Reply::Fails(Kind::Internal)]);
    let _ = link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await;
    let Some(BreakerState::Open { until }) = link.state().breaker else { panic!("{:?}", link.state()) };
    shown["breaker"] = json!({ "state": "open", "until": kit::json::timestamp_text(&until) });
    assert_eq!(show(&link), shown);
    sleep(10 * SECOND).await;
    let cx = Context::default();
    let mut probe = pin!(link.call(&cx, &SAFE, |_| std::future::pending::<Result<(), Failure>>()));
    assert!(poll_immediate(&mut probe).await.is_none());
    shown["breaker"] = json!({ "state": "half_open", "probing": true });
    shown["under_way"] = json!(1);
    assert_eq!(show(&link), shown);
    assert_eq!(show(&Link::new("a → b", policy()))["breaker"], json!(null));
}

#[tokio::test(start_paused = true)]
async fn a_last_try_that_the_total_deadline_shortens_counts_all_the_same() {
    let mut policy = Policy { breaker: breaker(9), ..policy() };
    policy.retry.attempts = 2;
    // The clock rounds the pause up, so that the second try does not have its whole second.
    policy.retry.backoff = Backoff { first: Duration::from_nanos(2), most: SECOND };
    let link = Link::new("a → b", policy);
    let callee = Callee::new([Reply::Takes(3600 * SECOND)]);
    assert_eq!(kind(link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await), Some(Kind::Timeout));
    assert!(callee.tries()[1].cx.deadline() < Some(callee.tries()[1].at + SECOND));
    assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 2, faults: 2 }));
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_not_waited_for() {
    let breaker = breaker(1).map(|breaker| Breaker { open_for: MS, ..breaker });
    let link = Link::new("a → b", Policy { breaker, ..policy() });
    let callee = Callee::new([Reply::Fails(Kind::Internal), Reply::Takes(SECOND / 2)]);
    let cx = Context::default();
    let call = || link.call(&cx, &SAFE, |cx| callee.answer(cx));
    assert_eq!(kind(call().await), Some(Kind::Internal));
    let start = Instant::now();
    assert_eq!(kind(call().await), Some(Kind::Unavailable));
    assert_eq!(start.elapsed(), Duration::ZERO, "though a millisecond would do");
    sleep(MS).await;
    let refused = async {
        let start = Instant::now();
        (kind(call().await), start.elapsed())
    };
    assert_eq!(tokio::join!(call(), refused), (Ok(2), (Some(Kind::Unavailable), Duration::ZERO)));
}
