//! Stand-ins, through the generated `Linked`, and what is logged of it all.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use kit::{OperationError, Stream};
use kit_resilience::{Link, fallback};

use super::*;
use crate::contract::{Inventory, Linked, Reserve, ReserveError, Reserved};

/// Does as told, and notes the keys it sees.
struct Scripted {
    error: fn() -> ReserveError,
    keys: Mutex<Vec<Option<String>>>,
}

impl Scripted {
    fn new(error: fn() -> ReserveError) -> Arc<Self> {
        Arc::new(Self { error, keys: Mutex::default() })
    }

    fn seen(&self) -> Vec<Option<String>> {
        self.keys.lock().unwrap().clone()
    }
}

#[async_trait]
impl Inventory for Scripted {
    async fn reserve(&self, _: &Context, _: Reserve) -> Result<Reserved, ReserveError> {
        Err((self.error)())
    }

    async fn restock(&self, cx: &Context, _: Reserve) -> Result<(), Failure> {
        self.keys.lock().unwrap().push(cx.idempotency_key().map(str::to_owned));
        Err(Failure::new((self.error)().kind(), "as told"))
    }

    async fn watch(&self, _: &Context, _: Reserve) -> Result<Stream<u32, Failure>, Failure> {
        Ok(Box::pin(futures_util::stream::iter([Ok(1), Err(Failure::new((self.error)().kind(), "as told"))])))
    }
}

/// A queue that notes the keys it sees.
#[derive(Default)]
struct Queue(Mutex<Vec<Option<String>>>);

#[async_trait]
impl Inventory for Queue {
    async fn reserve(&self, _: &Context, _: Reserve) -> Result<Reserved, ReserveError> {
        Err(Failure::new(Kind::Unsupported, "").into())
    }

    async fn restock(&self, cx: &Context, _: Reserve) -> Result<(), Failure> {
        self.0.lock().unwrap().push(cx.idempotency_key().map(str::to_owned));
        Ok(())
    }

    async fn watch(&self, _: &Context, _: Reserve) -> Result<Stream<u32, Failure>, Failure> {
        Err(Failure::new(Kind::Unsupported, ""))
    }
}

fn linked(inner: Arc<Scripted>, queue: Arc<Queue>) -> Linked {
    Linked { inner, queue, link: Link::new("orders → inventory", Policy { breaker: breaker(2), ..policy() }) }
}

#[tokio::test(start_paused = true)]
async fn a_default_stands_in_for_a_service_that_is_gone_and_says_so() {
    let linked = linked(Scripted::new(|| Failure::new(Kind::Unavailable, "gone").into()), Arc::default());
    for _ in 0..2 {
        let cx = Context::default();
        let answer = linked.reserve(&cx, Reserve::default()).await;
        assert_eq!(
            (answer, cx.marks().list()),
            (Ok(Reserved { reservation: None }), vec!["inventory.reserve=default".into()])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_is_no() {
    let linked = linked(Scripted::new(|| ReserveError::OutOfStock), Arc::default());
    let cx = Context::default();
    assert_eq!(linked.reserve(&cx, Reserve::default()).await, Err(ReserveError::OutOfStock));
    assert!(linked.restock(&cx, Reserve::default()).await.is_err());
    assert!(cx.marks().list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_has_the_key_of_the_tries() {
    let (inner, queue) = (Scripted::new(|| Failure::timeout().into()), Arc::new(Queue::default()));
    let linked = linked(inner.clone(), queue.clone());
    let cx = Context::default();
    assert_eq!(linked.restock(&cx, Reserve::default()).await, Ok(()));
    assert_eq!(cx.marks().list(), ["inventory.restock=queue"]);
    let (tries, queued) = (inner.seen(), queue.0.lock().unwrap().clone());
    assert!(tries[0].is_some());
    assert_eq!((&tries, &queued), (&vec![tries[0].clone(); 2], &vec![tries[0].clone()]));
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_through_as_it_is() {
    let linked = linked(Scripted::new(|| Failure::new(Kind::Internal, "").into()), Arc::default());
    let items = linked.watch(&Context::default(), Reserve::default()).await.unwrap();
    let items: Vec<_> = items.map(kind).collect().await;
    assert_eq!(items, [None, Some(Kind::Internal)]);
}

#[tokio::test]
async fn which_errors_a_fallback_steps_in_for() {
    for error in Kind::ALL {
        for (operation, unsent) in [(SAFE, false), (KEYED, false), (UNSAFE, false), (UNSAFE, true)] {
            let failed = || Err(Failure { unsent, ..Failure::new(error, "as told") });
            let cx = Context::default();
            assert_eq!(fallback::default(&cx, &operation, failed(), || ()).is_ok(), error.is_transient());
            assert_eq!(cx.marks().list().len(), usize::from(error.is_transient()));
            let cx = Context::default();
            let queued = fallback::queue(&cx, &operation, failed(), || async { Ok::<_, Failure>(()) }).await;
            let steps_in = error.is_transient() && (operation != UNSAFE || unsent);
            assert_eq!(
                (queued.is_ok(), cx.marks().list().len()),
                (steps_in, usize::from(steps_in)),
                "{error} {operation:?}"
            );
        }
    }
}

#[tokio::test]
async fn where_the_queue_fails_too_the_error_is_that_of_the_call_and_the_next_may_step_in() {
    let cx = Context::default();
    let gone = || async { Err("the queue is gone, too") };
    let queued = fallback::queue(&cx, &SAFE, Err(Failure::timeout()), gone).await;
    assert_eq!(queued, Err(Failure::timeout()));
    assert!(cx.marks().list().is_empty());
    assert_eq!(fallback::default(&cx, &SAFE, queued, || ()), Ok(()));
    assert_eq!(fallback::default(&cx, &SAFE, Ok::<_, Failure>(7), || 0), Ok(7));
    assert_eq!(cx.marks().list(), ["b.look=default"]);
}
