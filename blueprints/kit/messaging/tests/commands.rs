//! Commands through the queue: what is sent, by which way, what the other side reads of it.

mod faulty;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use faulty::Faulty;
use kit::{Context, Failure, Kind, Operation, Safety, Validate, Violations};
use kit_messaging::{Broker, Command, MemoryBroker, Message, Relay, Sender, outbox, taken};
use kit_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::json;

const RESTOCK: Command = Command { queue: "inventory.restock", kind: "shop.inventory.restock.v1" };

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Restock {
    count: u32,
}

impl Validate for Restock {
    fn validate(&self, v: &mut Violations) {
        v.at("count", |v| v.range(&self.count, 1..=9));
    }
}

fn restock(cx: &Context, count: u32) -> Result<Message, Failure> {
    Message::command(cx, &RESTOCK, "/orders")?.with("id", &"shelf-1")?.with_input(&Restock { count })
}

#[test]
fn what_is_sent_is_what_is_read() {
    let cx = Context::default().keyed("ours");
    let sent = restock(&cx, 3).unwrap();
    assert_eq!((sent.kind.as_str(), sent.source.as_str(), &sent.idempotencykey), (RESTOCK.kind, "/orders", &None));
    assert_eq!(sent.data, json!({ "id": "shelf-1", "count": 3 }));
    let read: Message = serde_json::from_str(&serde_json::to_string(&sent).unwrap()).unwrap();
    assert_eq!(read.member::<String>("id"), Ok("shelf-1".to_owned()));
    assert_eq!(read.input::<Restock>(&["id"]), Ok(Restock { count: 3 }));
    assert_eq!(read.context(1).trace().id(), cx.trace().id());
    assert_ne!(sent.id, restock(&cx, 3).unwrap().id, "each is an intent of its own");
    assert_eq!(sent.keyed(&cx).context(1).idempotency_key(), Some("ours"));
}

#[test]
fn what_is_out_of_bounds_is_neither_sent_nor_read() {
    assert_eq!(restock(&Context::default(), 10).map_err(|error| error.kind), Err(Kind::Invalid));
    let read = |data| Message { data, ..restock(&Context::default(), 1).unwrap() }.input::<Restock>(&["id"]);
    for (data, wrong) in [
        (json!({ "id": "a", "count": 10 }), "count: is 10, not from 1 to 9"),
        (json!({ "id": "a", "count": 1, "colour": "red" }), "colour: is not known here"),
        (json!({ "id": "a" }), "count: is missing"),
        (json!("poison"), "invalid type"),
        (json!(null), "invalid type"),
    ] {
        let failure = read(data).unwrap_err();
        assert_eq!(failure.kind, Kind::Invalid);
        assert!(failure.detail.contains(wrong), "{failure}");
    }
}

#[test]
fn events_are_read_tolerantly_but_not_out_of_bounds() {
    let read = |data| Message { data, ..restock(&Context::default(), 1).unwrap() }.payload::<Restock>();
    assert_eq!(read(json!({ "count": 9, "colour": "red" })), Ok(Restock { count: 9 }));
    assert_eq!(read(json!({ "count": 10 })).map_err(|error| error.kind), Err(Kind::Invalid));
    assert_eq!(read(json!({})).map_err(|error| error.kind), Err(Kind::Invalid));
}

/// What waits in the queue, and each key under which the other side would work.
async fn waiting(broker: &dyn Broker) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for _ in 0..broker.stats().await.unwrap()[0].pending {
        let handler = async |cx: Context, message: Message| {
            Ok::<_, Failure>((cx.idempotency_key().unwrap_or_default().to_owned(), message.input(&["id"])?))
        };
        let (key, Restock { count }) = taken(broker, RESTOCK.queue, handler).await.unwrap();
        found.insert(key, count);
    }
    found
}

#[tokio::test(start_paused = true)]
async fn a_command_goes_to_the_broker_at_once() {
    let broker = Arc::new(Faulty::default());
    broker.declare(&RESTOCK.subscription()).await.unwrap();
    let sender = Sender::new("/orders", broker.clone());
    let message = restock(&Context::default(), 3).unwrap();
    sender.send(message.clone()).await.unwrap();
    assert_eq!(waiting(&broker.inner).await, BTreeMap::from([(message.id, 3)]));
    broker.away.store(true, Ordering::SeqCst);
    let gone = sender.send(restock(&Context::default(), 4).unwrap()).await;
    assert_eq!(gone.map_err(|error| error.kind), Err(Kind::Unavailable));
}

#[tokio::test]
async fn in_a_transaction_it_is_sent_if_and_only_if_that_is_committed() {
    let broker = Arc::new(Faulty::default());
    broker.inner.declare(&RESTOCK.subscription()).await.unwrap();
    broker.away.store(true, Ordering::SeqCst);
    let store = Store::open(":memory:", &[outbox::MIGRATION]).await.unwrap();
    let sender = Sender::new("/orders", broker.clone());
    let messages: Vec<_> = (1..=4).map(|count| restock(&Context::default(), count).unwrap()).collect();
    for (message, committed) in messages.iter().zip([true, false, true]) {
        let mut tx = store.begin().await.unwrap();
        outbox::together(&mut tx, sender.send(message.clone())).await.unwrap();
        if committed {
            tx.commit().await.unwrap();
        }
    }
    let mut tx = store.begin().await.unwrap();
    let fails = async {
        sender.send(messages[3].clone()).await?;
        Err::<(), _>(Failure::stale())
    };
    assert_eq!(outbox::together(&mut tx, fails).await, Err(Failure::stale()), "nothing is sent of what failed");
    tx.commit().await.unwrap();
    broker.away.store(false, Ordering::SeqCst);
    Relay::new(store, broker.clone()).run(std::future::ready(())).await;
    assert_eq!(waiting(&broker.inner).await.into_values().collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_command_stands_in_for_a_call_that_cannot_have_arrived() {
    let cx = Context::default().keyed("of the call");
    for (safety, unsent, stands_in, key) in [
        (Safety::Unsafe, true, true, None),
        (Safety::Unsafe, false, false, None),
        (Safety::Safe, false, true, None),
        (Safety::Keyed, false, true, Some("of the call")),
    ] {
        let broker = Arc::new(MemoryBroker::default());
        broker.declare(&RESTOCK.subscription()).await.unwrap();
        let sender = Sender::new("/orders", broker.clone());
        let operation = Operation { service: "inventory", name: "restock", safety };
        let result = Err(Failure { unsent, ..Failure::timeout() });
        let cx = cx.next_request().keyed("of the call");
        let done = sender.stand_in(&cx, &operation, result, || restock(&cx, 3)).await;
        assert_eq!((done.is_ok(), cx.marks().list().len()), (stands_in, usize::from(stands_in)), "{safety:?}");
        let keys: Vec<_> = waiting(&*broker).await.into_keys().collect();
        assert_eq!(keys.len(), usize::from(stands_in));
        assert_eq!(keys.iter().any(|found| found == "of the call"), key.is_some());
    }
}
