//! fallback → total deadline → retry → breaker → bulkhead → per-try timeout → the call.
//!
//! One test for each arrow; it fails when the two sides of it are swapped.

use std::sync::Arc;

use async_trait::async_trait;
use kit::Stream;
use kit_resilience::{BreakerState, Link};

use super::*;
use crate::contract::{Inventory, Linked, Reserve, ReserveError, Reserved};

/// Takes this long for everything.
struct Slow(Duration);

#[async_trait]
impl Inventory for Slow {
    async fn reserve(&self, _: &Context, _: Reserve) -> Result<Reserved, ReserveError> {
        sleep(self.0).await;
        Ok(Reserved { reservation: Some(1) })
    }

    async fn restock(&self, _: &Context, _: Reserve) -> Result<(), Failure> {
        sleep(self.0).await;
        Ok(())
    }

    async fn watch(&self, _: &Context, _: Reserve) -> Result<Stream<u32, Failure>, Failure> {
        sleep(self.0).await;
        Ok(Box::pin(futures_util::stream::empty()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_has_its_time_when_the_total_deadline_is_over() {
    let link = Link::new("a → b", once(policy()));
    let linked = Linked { inner: Arc::new(Slow(3600 * SECOND)), queue: Arc::new(Slow(5 * SECOND)), link };
    let cx = Context::default();
    assert_eq!(linked.restock(&cx, Reserve::default()).await, Ok(()));
    assert_eq!(cx.marks().list(), ["inventory.restock=queue"]);
}

#[tokio::test(start_paused = true)]
async fn the_total_deadline_is_one_for_all_tries() {
    let link = Link::new("a → b", policy());
    let callee = Callee::new([Reply::Later(2 * SECOND)]);
    let start = Instant::now();
    let failure = link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await.unwrap_err();
    assert_eq!((failure.kind, failure.retry_after), (Kind::Limited, Some(2 * SECOND)));
    assert_eq!(callee.tries().len(), 2, "a second pause of 2 s would not end within 3 s");
    assert!(start.elapsed() < policy().total());
}

#[tokio::test(start_paused = true)]
async fn the_breaker_sees_each_try_and_ends_the_retries() {
    let mut policy = Policy { breaker: breaker(2), ..policy() };
    policy.retry.attempts = 5;
    let link = Link::new("a → b", policy);
    let callee = Callee::new([Reply::Fails(Kind::Unavailable)]);
    assert_eq!(kind(link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await), Some(Kind::Unavailable));
    assert_eq!(callee.tries().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_breaker_is_asked_before_the_bulkhead() {
    let link = Link::new("a → b", Policy { breaker: breaker(1), bulkhead: 1, ..once(policy()) });
    let callee = Callee::new([Reply::Fails(Kind::Internal), Reply::Takes(SECOND / 2)]);
    let cx = Context::default();
    let call = || link.call(&cx, &SAFE, |cx| callee.answer(cx));
    assert_eq!(kind(call().await), Some(Kind::Internal));
    tokio::time::advance(10 * SECOND).await;
    // The probe has the only place.
    let (probe, other) = tokio::join!(call(), call());
    assert_eq!((probe, kind(other)), (Ok(2), Some(Kind::Unavailable)));
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_is_not_part_of_what_a_try_shows() {
    let link = Link::new("a → b", Policy { breaker: breaker(2), bulkhead: 1, ..once(policy()) });
    let callee = Callee::new([Reply::Takes(SECOND / 2)]);
    let cx = Context::default();
    let call = || link.call(&cx, &SAFE, |cx| callee.answer(cx));
    let (first, second, third) = tokio::join!(call(), call(), call());
    assert_eq!((first, kind(second), kind(third)), (Ok(1), Some(Kind::Limited), Some(Kind::Limited)));
    assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 1, faults: 0 }));
}

#[tokio::test(start_paused = true)]
async fn each_try_has_its_time_and_then_the_call_is_dropped() {
    let link = Link::new("a → b", Policy { breaker: breaker(9), ..policy() });
    let callee = Callee::new([Reply::Takes(3600 * SECOND), Reply::Takes(SECOND / 2)]);
    let start = Instant::now();
    assert_eq!(link.call(&Context::default(), &SAFE, |cx| callee.answer(cx)).await, Ok(2));
    assert!(start.elapsed() < SECOND + SECOND / 2 + 3 * MS);
    assert_eq!(link.state().breaker, Some(BreakerState::Closed { calls: 2, faults: 1 }));
}
