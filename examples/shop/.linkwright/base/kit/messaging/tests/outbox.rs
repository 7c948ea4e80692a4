//! State and messages are committed together, go out once the broker is there, and have their effect once.

mod faulty;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use faulty::Faulty;
use kit::{Context, Failure, Kind};
use kit_messaging::{Broker, Consumer, Event, Message, Policy, Relay, RelayState, Subscription, outbox};
use kit_store::Store;
use serde::{Deserialize, Serialize};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

#[derive(Serialize, Deserialize)]
struct Placed {
    number: u32,
}

impl Event for Placed {
    const TYPE: &'static str = "shop.orders.Placed.v1";
    const SOURCE: &'static str = "/orders";

    fn subject(&self) -> Option<String> {
        Some(self.number.to_string())
    }
}

async fn store() -> Store {
    Store::open(":memory:", &[outbox::MIGRATION]).await.unwrap()
}

async fn place(store: &Store, numbers: impl IntoIterator<Item = u32>) {
    let cx = Context::default();
    let mut tx = store.begin().await.unwrap();
    for number in numbers {
        outbox::publish(&mut tx, &cx, &Placed { number }).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn relay(store: &Store, broker: &Arc<Faulty>) -> (Relay, oneshot::Sender<()>, JoinHandle<()>) {
    let relay = Relay::new(store.clone(), broker.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = relay.clone();
    let task = tokio::spawn(async move { running.run(async { drop(stopped.await) }).await });
    (relay, stop, task)
}

fn published(broker: &Faulty) -> Vec<u32> {
    broker.inner.published().iter().map(|message| message.data::<Placed>().unwrap().number).collect()
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..2000 {
        if what() {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to be");
}

async fn left(store: &Store) -> i64 {
    sqlx::query_scalar("select count(*) from kit_outbox").fetch_one(store.read()).await.unwrap()
}

#[tokio::test]
async fn what_is_committed_goes_out_in_order_and_nothing_else() {
    let (store, broker) = (store().await, Arc::new(Faulty::default()));
    place(&store, 0..450).await;
    let (relay, stop, task) = relay(&store, &broker);
    until(|| published(&broker).len() == 450).await;
    let mut tx = store.begin().await.unwrap();
    outbox::publish(&mut tx, &Context::default(), &Placed { number: 9999 }).await.unwrap();
    drop(tx);
    for number in 450..500 {
        place(&store, [number]).await;
    }
    stop.send(()).unwrap();
    task.await.unwrap();
    assert_eq!(published(&broker), (0..500).collect::<Vec<_>>());
    assert_eq!(left(&store).await, 0, "tidied up");
    assert_eq!(relay.state(), RelayState { published: 500, ..RelayState::default() });
    let message = broker.inner.published().remove(7);
    assert_eq!(
        (message.kind.as_str(), message.source.as_str(), message.subject.as_deref()),
        (Placed::TYPE, "/orders", Some("7"))
    );
}

#[tokio::test]
async fn big_messages_go_out_in_small_batches() {
    let (store, broker) = (store().await, kit_messaging::EmbeddedBroker::open(":memory:").await.unwrap());
    broker.declare(&Subscription::new("one", ["big"])).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for _ in 0..5 {
        let big = Message::new(&Context::default(), "big", "/x", &"\"".repeat(1 << 20)).unwrap();
        outbox::send(&mut tx, &big).await.unwrap();
    }
    tx.commit().await.unwrap();
    let relay = Relay::new(store.clone(), Arc::new(broker.clone()));
    relay.run(std::future::ready(())).await;
    assert_eq!((relay.state().published, left(&store).await), (5, 0));
    let delivered = broker.receive("one", 9, Duration::from_secs(60)).await.unwrap();
    assert!(delivered.iter().all(|delivery| delivery.message.data.as_str().is_some_and(|text| text.len() == 1 << 20)));
    assert_eq!(delivered.len(), 5);
}

#[tokio::test]
async fn a_broker_that_is_away_is_waited_for() {
    let (store, broker) = (store().await, Arc::new(Faulty::default()));
    broker.away.store(true, Ordering::SeqCst);
    place(&store, [1]).await;
    sleep(Duration::from_millis(5)).await;
    let (relay, _stop, _task) = relay(&store, &broker);
    until(|| relay.state().oldest_age_ms > 0).await;
    assert!(published(&broker).is_empty());
    broker.away.store(false, Ordering::SeqCst);
    place(&store, [2]).await;
    until(|| published(&broker) == [1, 2]).await;
    until(|| relay.state().oldest_age_ms == 0).await;
}

#[tokio::test]
async fn what_the_broker_refuses_stays_and_does_not_block() {
    let (store, broker) = (store().await, Arc::new(Faulty::default()));
    *broker.refused.lock().unwrap() = Some("2".into());
    place(&store, 1..3).await;
    let mut tx = store.begin().await.unwrap();
    sqlx::query("insert into kit_outbox (event) values ('no message')").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    place(&store, 3..4).await;
    let (relay, stop, task) = relay(&store, &broker);
    until(|| published(&broker) == [1, 3]).await;
    stop.send(()).unwrap();
    task.await.unwrap();
    assert_eq!((relay.state().published, relay.state().refused), (2, 2));
    let reasons: Vec<String> =
        sqlx::query_scalar("select refused from kit_outbox order by seq").fetch_all(store.read()).await.unwrap();
    assert_eq!(reasons[0], "not this one");
    assert!(reasons[1].contains("expected"), "{reasons:?}");
    let mut tx = store.begin().await.unwrap();
    let big = Message::new(&Context::default(), "a", "/x", &"x".repeat(17 << 20)).unwrap();
    assert_eq!(outbox::send(&mut tx, &big).await.unwrap_err().kind, Kind::Invalid, "not even stored");
}

#[tokio::test]
async fn several_relays_and_a_restart_publish_nothing_twice() {
    let (store, broker) = (store().await, Arc::new(Faulty::default()));
    broker.declare(&Subscription::new("one", [Placed::TYPE])).await.unwrap();
    let mut relays: Vec<_> = (0..3).map(|_| relay(&store, &broker)).collect();
    for number in 0..200 {
        place(&store, [number]).await;
        if number % 50 == 25 {
            let (_, _, task) = relays.remove(0);
            task.abort();
            relays.push(relay(&store, &broker));
        }
    }
    until(|| published(&broker).len() == 200).await;
    let delivered = broker.receive("one", 999, Duration::from_secs(60)).await.unwrap();
    assert_eq!(delivered.len(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_outlives_a_broker_that_is_away_and_gives_up_a_lost_lease() {
    let broker = Arc::new(Faulty::default());
    broker.away.store(true, Ordering::SeqCst);
    let consumer = Consumer::new(broker.clone(), Subscription::new("one", [Placed::TYPE]), Policy::default());
    let running = consumer.clone();
    let task = tokio::spawn(async move {
        let handler = |cx: Context, _| async move {
            // Longer than the first lease, which the broker forgets.
            sleep(Duration::from_secs(if cx.attempt() == 1 { 100 } else { 0 })).await;
            Ok::<_, Failure>(())
        };
        running.run(std::future::pending(), handler).await;
    });
    sleep(Duration::from_secs(3)).await;
    broker.forgets_leases.store(true, Ordering::SeqCst);
    broker.away.store(false, Ordering::SeqCst);
    broker.publish(&[Message::event(&Context::default(), &Placed { number: 1 }).unwrap()]).await.unwrap();
    while consumer.state().consumed == 0 {
        sleep(Duration::from_millis(100)).await;
    }
    let stats = broker.stats().await.unwrap().remove(0);
    assert_eq!(
        (stats.delivered, stats.acked, consumer.state().in_flight),
        (2, 1, 0),
        "done by the second attempt alone"
    );
    task.abort();
}
