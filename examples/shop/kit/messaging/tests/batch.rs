//! Messages in batches: taken together, worked on one by one, settled together.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use kit::{Context, Failure, Kind};
use kit_messaging::{Batch, Broker, Consumer, MemoryBroker, Message, Policy, Subscription, SubscriptionStats};
use kit_resilience::Backoff;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

const SECOND: Duration = Duration::from_secs(1);

struct Running {
    broker: Arc<MemoryBroker>,
    /// Numbers in the order in which work on them began, each with the time since the start.
    seen: Arc<Mutex<Vec<(u32, Duration)>>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Five at once, waiting a second. The work on `n` takes `n` seconds; that on 7 fails the first time.
async fn start() -> Running {
    let broker = Arc::new(MemoryBroker::default());
    let subscription = Subscription::new("one", ["a"]);
    broker.declare(&subscription).await.unwrap();
    let policy = Policy {
        batch: Batch { size: 5, within: SECOND },
        concurrency: 2,
        backoff: Backoff { first: 100 * SECOND, most: 100 * SECOND },
        timeout: 200 * SECOND,
        ..Policy::default()
    };
    let consumer = Consumer::new(broker.clone(), subscription, policy);
    let (stop, stopped) = oneshot::channel::<()>();
    let seen: Arc<Mutex<Vec<_>>> = Arc::default();
    let (begun, told) = (Instant::now(), seen.clone());
    let handler = move |cx: Context, message: Message| {
        let told = told.clone();
        async move {
            let number: u32 = message.data()?;
            told.lock().unwrap().push((number, begun.elapsed()));
            sleep(number * SECOND).await;
            if number == 7 && cx.attempt() == 1 { Err(Failure::new(Kind::Unavailable, "as told")) } else { Ok(()) }
        }
    };
    let task = tokio::spawn(async move { consumer.run(async { drop(stopped.await) }, handler).await });
    Running { broker, seen, stop, task }
}

impl Running {
    async fn publish(&self, numbers: impl IntoIterator<Item = u32>) {
        let message = |number| Message::new(&Context::default(), "a", "/x", &number).unwrap();
        self.broker.publish(&numbers.into_iter().map(message).collect::<Vec<_>>()).await.unwrap();
    }

    fn seen(&self) -> Vec<(u32, u64)> {
        self.seen.lock().unwrap().iter().map(|(number, at)| (*number, at.as_secs())).collect()
    }

    async fn stats(&self) -> SubscriptionStats {
        self.broker.stats().await.unwrap().remove(0)
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_full_or_has_waited() {
    let running = start().await;
    running.publish([0; 7]).await;
    sleep(SECOND / 2).await;
    assert_eq!(running.seen(), [(0, 0); 5], "full: at once, though only two are worked on otherwise");
    running.publish([0]).await;
    sleep(SECOND).await;
    assert_eq!(running.seen()[5..], [(0, 1); 3], "what has come within the time");
    assert_eq!(running.stats().await.acked, 8);
}

#[tokio::test(start_paused = true)]
async fn all_are_settled_when_the_last_is_done() {
    let running = start().await;
    running.publish([0, 1, 2, 100, 7]).await;
    sleep(99 * SECOND).await;
    let stats = running.stats().await;
    assert_eq!((stats.acked, stats.in_flight), (0, 5), "nobody else has got any of them meanwhile");
    running.publish([0]).await;
    sleep(SECOND * 3 / 2).await;
    let stats = running.stats().await;
    assert_eq!((stats.acked, stats.pending + stats.in_flight), (4, 2), "but what failed, and what has come since");
    sleep(200 * SECOND).await;
    assert_eq!(running.stats().await.acked, 6);
    assert_eq!(running.seen().iter().filter(|(number, _)| *number == 7).count(), 2, "the failed alone comes again");
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_leave_a_batch_behind() {
    let running = start().await;
    running.publish([1, 1]).await;
    sleep(SECOND / 2).await;
    assert_eq!(running.seen(), [], "waiting for more");
    running.stop.send(()).unwrap();
    timeout(10 * SECOND, running.task).await.unwrap().unwrap();
    assert_eq!(running.broker.stats().await.unwrap()[0].acked, 2);
}
