//! What becomes of a message by the answer of its handler.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kit::{Context, Failure, Kind};
use kit_messaging::{Broker, Command, Consumer, ConsumerState, Guarantee, MemoryBroker, Message, Policy, Subscription};
use kit_resilience::Backoff;
use serde_json::json;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep},
};

const LONG: Duration = Duration::from_secs(3600);

fn policy() -> Policy {
    let backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(10) };
    Policy { attempts: 3, backoff, ..Policy::default() }
}

struct Running {
    broker: Arc<MemoryBroker>,
    consumer: Consumer,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn publish(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<Message> {
        let message = |number| Message::new(&Context::default(), "a", "/x", &json!(number)).unwrap();
        let messages: Vec<_> = numbers.into_iter().map(message).collect();
        self.broker.publish(&messages).await.unwrap();
        messages
    }

    async fn stop(self) -> (Arc<MemoryBroker>, ConsumerState) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
        (self.broker, self.consumer.state())
    }
}

async fn start<H, F>(policy: Policy, handler: H) -> Running
where
    H: Fn(Context, Message) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let broker = Arc::new(MemoryBroker::default());
    let subscription = Subscription::new("one", ["a"]);
    broker.declare(&subscription).await.unwrap();
    let consumer = Consumer::new(broker.clone(), subscription, policy);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn({
        let consumer = consumer.clone();
        async move { consumer.run(async { drop(stopped.await) }, handler).await }
    });
    Running { broker, consumer, stop, task }
}

/// Ends when the subscription has nothing left to do.
async fn settled(running: &Running) {
    while running.broker.stats().await.unwrap().iter().any(|stats| stats.pending + stats.in_flight > 0) {
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_error_has_its_end() {
    for kind in Kind::ALL {
        let (tell, mut tries) = mpsc::unbounded_channel();
        let running = start(policy(), move |cx, _| {
            tell.send((cx.attempt(), Instant::now())).unwrap();
            async move { Err(Failure::new(kind, "x")) }
        })
        .await;
        running.publish([1]).await;
        settled(&running).await;
        let (broker, state) = running.stop().await;
        let letters = broker.dead_letters(None, 9).await.unwrap();
        let mut seen = Vec::new();
        while let Ok(seen_now) = tries.try_recv() {
            seen.push(seen_now);
        }
        let retried = matches!(kind, Kind::Stale | Kind::Limited | Kind::Unavailable | Kind::Timeout | Kind::Internal);
        assert_eq!(
            seen.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(),
            if retried { vec![1, 2, 3] } else { vec![1] },
            "{kind}"
        );
        assert_eq!((letters.len(), state.dead_lettered, state.retried), (1, 1, if retried { 2 } else { 0 }), "{kind}");
        assert!(letters[0].reason.contains(kind.as_str()), "{}", letters[0].reason);
        if let [(_, first), (_, second), (_, third)] = seen[..] {
            let pauses = [second - first, third - second].map(|pause| pause.as_secs_f32());
            assert!((0.5..=1.1).contains(&pauses[0]) && (1.0..=2.1).contains(&pauses[1]), "{pauses:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_handler_is_told_who_asks() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let running = start(policy(), move |cx, message| {
        tell.send((cx, message)).unwrap();
        async { Ok(()) }
    })
    .await;
    let caller = Context::default().keyed("intent");
    let restock = Command { queue: "x.restock", kind: "a" };
    let command = Message::command(&caller, &restock, "/x").unwrap();
    assert_eq!(command.context(1).idempotency_key(), Some(command.id.as_str()), "an intent of its own");
    let command = command.keyed(&caller).within(Duration::from_secs(7));
    let event = running.publish([2]).await.remove(0);
    running.broker.publish(std::slice::from_ref(&command)).await.unwrap();
    let (cx, message) = told.recv().await.unwrap();
    assert_eq!((cx.idempotency_key(), cx.attempt()), (Some(event.id.as_str()), 1));
    assert_eq!(cx.remaining(), Some(policy().timeout));
    assert_eq!(message, event);
    let (cx, _) = told.recv().await.unwrap();
    assert_eq!((cx.idempotency_key(), cx.trace().id()), (Some("intent"), caller.trace().id()));
    assert_ne!(cx.trace(), caller.trace(), "a span of its own");
    assert!(cx.remaining().unwrap() <= Duration::from_secs(7));
    let (_, state) = running.stop().await;
    assert_eq!(state.consumed, 2);
}

#[tokio::test(start_paused = true)]
async fn poison_does_not_block_the_others() {
    let running = start(Policy { concurrency: 2, ..policy() }, |_, message| async move {
        match message.data::<usize>()? {
            0 => panic!("poison"),
            1 => Err(Failure::new(Kind::Unavailable, "never")),
            _ => Ok(()),
        }
    })
    .await;
    let begun = Instant::now();
    running.publish(0..100).await;
    while running.consumer.state().consumed < 98 {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(begun.elapsed() < Duration::from_millis(400), "before the first retry");
    settled(&running).await;
    let (broker, state) = running.stop().await;
    let reasons: Vec<_> = broker.dead_letters(None, 9).await.unwrap().into_iter().map(|letter| letter.reason).collect();
    assert_eq!((reasons.len(), state.consumed, state.dead_lettered), (2, 98, 2));
    assert!(
        reasons.iter().any(|reason| reason.starts_with("internal"))
            && reasons.iter().any(|reason| reason.contains("never"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_a_dead_letter() {
    let running = start(policy(), |_, message| async move { message.data::<BTreeMap<String, u8>>().map(drop) }).await;
    running.publish([1]).await;
    settled(&running).await;
    let letters = running.stop().await.0.dead_letters(None, 9).await.unwrap();
    assert!(letters[0].reason.contains("of type a: invalid type"), "{}", letters[0].reason);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_kills_its_consumers_is_set_aside() {
    let running = start(policy(), |_, _| async { Ok(()) }).await;
    let _ = running.broker.declare(&Subscription::new("killed", ["a"])).await;
    running.publish([1]).await;
    for _ in 0..3 {
        // Taken, and never heard of again.
        running.broker.receive("killed", 1, Duration::from_secs(1)).await.unwrap();
    }
    let killed = Consumer::new(running.broker.clone(), Subscription::new("killed", ["a"]), policy());
    let task = tokio::spawn({
        let killed = killed.clone();
        async move { killed.run(pending(), |_, _| async { Ok::<(), Failure>(()) }).await }
    });
    settled(&running).await;
    task.abort();
    assert_eq!((killed.state().consumed, killed.state().dead_lettered), (0, 1));
    assert_eq!(running.broker.dead_letters(None, 9).await.unwrap()[0].reason, "no answer in 3 attempts");
}

#[tokio::test(start_paused = true)]
async fn at_most_once_and_no_dead_letters_lose_and_count() {
    for (changed, tries) in
        [(Policy { guarantee: Guarantee::AtMostOnce, ..policy() }, 1), (Policy { dead_letter: false, ..policy() }, 3)]
    {
        let handled = Arc::new(AtomicUsize::new(0));
        let counter = handled.clone();
        let running = start(changed, move |_, message| {
            counter.fetch_add(1, Ordering::SeqCst);
            async move { if message.data::<usize>()? == 0 { Err(Failure::new(Kind::Internal, "x")) } else { Ok(()) } }
        })
        .await;
        running.publish([0, 1]).await;
        settled(&running).await;
        while running.consumer.state().in_flight > 0 {
            tokio::task::yield_now().await;
        }
        let (broker, state) = running.stop().await;
        assert_eq!(handled.load(Ordering::SeqCst), tries + 1);
        assert_eq!((state.consumed, state.lost, state.dead_lettered), (1, 1, 0));
        assert_eq!(broker.dead_letters(None, 9).await.unwrap(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_once_is_acknowledged_before_the_work() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let running = start(Policy { guarantee: Guarantee::AtMostOnce, ..policy() }, move |_, _| {
        tell.send(()).unwrap();
        async {
            sleep(LONG).await;
            Ok(())
        }
    })
    .await;
    running.publish([1]).await;
    told.recv().await.unwrap();
    assert_eq!(running.broker.stats().await.unwrap()[0].acked, 1);
    assert_eq!(running.consumer.state().in_flight, 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_the_work_and_then_the_message() {
    let running = start(policy(), |_, _| async {
        sleep(LONG).await;
        Ok(())
    })
    .await;
    let cx = Context::default();
    let late = Message { deadline: Some(kit::json::now()), ..Message::new(&cx, "a", "/x", &1).unwrap() };
    // Wall time decides whether a deadline has passed; the work itself follows the paused clock.
    let soon = Message::new(&cx, "a", "/x", &2).unwrap().within(Duration::from_secs(5));
    let begun = Instant::now();
    running.broker.publish(&[late, soon]).await.unwrap();
    settled(&running).await;
    assert!(begun.elapsed() < Duration::from_secs(60));
    let reasons: Vec<_> =
        running.stop().await.0.dead_letters(None, 9).await.unwrap().into_iter().map(|letter| letter.reason).collect();
    assert!(reasons[0].contains("deadline has passed"), "{reasons:?}");
    assert!(reasons[1].starts_with("timeout"), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn work_that_takes_too_long_is_a_failed_attempt() {
    let handled = Arc::new(AtomicUsize::new(0));
    let counter = handled.clone();
    let running = start(Policy { timeout: Duration::from_secs(7), ..policy() }, move |cx, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            assert_eq!(cx.remaining(), Some(Duration::from_secs(7)));
            sleep(LONG).await;
            Ok(())
        }
    })
    .await;
    running.publish([1]).await;
    settled(&running).await;
    let reason = running.stop().await.0.dead_letters(None, 9).await.unwrap().remove(0).reason;
    assert!(reason.starts_with("timeout") && reason.contains("attempt 3 of 3"), "{reason}");
    assert_eq!(handled.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn at_most_once_ends_with_its_deadline_too() {
    let running = start(Policy { guarantee: Guarantee::AtMostOnce, ..policy() }, |_, _| async { Ok(()) }).await;
    let late = Message::new(&Context::default(), "a", "/x", &1).unwrap().within(Duration::ZERO);
    running.broker.publish(&[late]).await.unwrap();
    settled(&running).await;
    let (broker, state) = running.stop().await;
    assert_eq!((state.lost, state.consumed, broker.stats().await.unwrap()[0].acked), (1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn long_work_keeps_its_lease() {
    let handled = Arc::new(AtomicUsize::new(0));
    let counter = handled.clone();
    let running = start(Policy { lease: Duration::from_secs(30), timeout: 2 * LONG, ..policy() }, move |_, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {
            sleep(LONG).await;
            Ok(())
        }
    })
    .await;
    running.publish([1]).await;
    settled(&running).await;
    assert_eq!(running.stop().await.1.consumed, 1);
    assert_eq!(handled.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn stopping_finishes_what_was_begun_and_leaves_the_rest() {
    let running = start(Policy { concurrency: 3, ..policy() }, |_, _| async {
        sleep(Duration::from_secs(5)).await;
        Ok(())
    })
    .await;
    running.publish(0..10).await;
    while running.consumer.state().in_flight < 3 {
        sleep(Duration::from_millis(1)).await;
    }
    let (broker, state) = running.stop().await;
    assert_eq!((state.consumed, state.in_flight), (3, 0));
    let left = broker.stats().await.unwrap().remove(0);
    assert_eq!((left.pending, left.in_flight, left.acked), (7, 0, 3));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_its_concurrency() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (now, most.clone());
    let running = start(Policy { concurrency: 4, ..policy() }, move |_, _| {
        let (now, most) = counters.clone();
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            sleep(Duration::from_millis(fastrand::u64(1..50))).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    })
    .await;
    running.publish(0..200).await;
    settled(&running).await;
    assert_eq!((running.stop().await.1.consumed, most.load(Ordering::SeqCst)), (200, 4));
}
