//! What every broker does, asked of each.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _};
use kit::{Context, Failure, Kind, Stream};
use kit_messaging::{Broker, Delivery, Message, Subscription, SubscriptionStats, Verdict, Which, about};
use serde_json::json;
use tokio::time::timeout;

/// Longer than any test runs.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(80);

type TestBroker = Arc<dyn Broker>;

fn message(kind: &str, number: usize) -> Message {
    Message::new(&Context::default(), kind, "/orders", &json!({ "number": number })).unwrap()
}

fn number(delivery: &Delivery) -> u64 {
    delivery.message.data["number"].as_u64().unwrap()
}

async fn broker_with(broker: TestBroker, names: &[&str]) -> TestBroker {
    for name in names {
        broker.declare(&Subscription::new(*name, ["a"])).await.unwrap();
    }
    broker
}

/// Up to `max`, within reason.
async fn receive(broker: &TestBroker, name: &str, max: usize, lease: Duration) -> Vec<Delivery> {
    timeout(Duration::from_secs(20), broker.receive(name, max, lease)).await.expect("nothing came").unwrap()
}

async fn one(broker: &TestBroker, name: &str, lease: Duration) -> Delivery {
    receive(broker, name, 1, lease).await.remove(0)
}

/// Nothing may be delivered now.
async fn nothing(broker: &TestBroker, name: &str) -> bool {
    timeout(SHORT * 2, broker.receive(name, 1, LONG)).await.is_err()
}

async fn stats(broker: &TestBroker, name: &str) -> SubscriptionStats {
    broker.stats().await.unwrap().into_iter().find(|stats| stats.subscription == name).unwrap()
}

async fn it_answers_whatever_there_is_to_do(broker: TestBroker) {
    broker.ping().await.unwrap();
    let broker = broker_with(broker, &["one"]).await;
    broker.publish(&[message("a", 1)]).await.unwrap();
    let _taken = one(&broker, "one", LONG).await;
    broker.ping().await.unwrap();
}

async fn who_looks_on_sees_everything_from_now_on(broker: TestBroker) {
    broker.publish(&[message("a", 1)]).await.unwrap();
    let (mut first, mut second) = (broker.follow(&["a", "b"]).await.unwrap(), broker.follow(&["b"]).await.unwrap());
    broker.publish(&[message("a", 2), message("c", 3), message("b", 4)]).await.unwrap();
    let next = async |stream: &mut Stream<Message, Failure>| {
        let message = timeout(Duration::from_secs(20), stream.next()).await.expect("nothing came").unwrap().unwrap();
        message.data["number"].as_u64().unwrap()
    };
    assert_eq!((next(&mut first).await, next(&mut first).await, next(&mut second).await), (2, 4, 4));
    assert!(timeout(SHORT, first.next()).await.is_err());
    broker.publish(&[message("b", 5)]).await.unwrap();
    assert_eq!((next(&mut first).await, next(&mut second).await), (5, 5));
    assert_eq!(broker.stats().await.unwrap(), [], "it leaves nothing behind");
}

async fn who_looks_on_one_item_sees_what_is_about_it(broker: TestBroker) {
    let mut seven = about(broker.follow(&["a", "b"]).await.unwrap(), "number", &7).unwrap();
    broker.publish(&[message("a", 1), message("b", 7), message("c", 7), message("a", 7)]).await.unwrap();
    let next = async |stream: &mut Stream<Message, Failure>| {
        let message = timeout(Duration::from_secs(20), stream.next()).await.expect("nothing came").unwrap().unwrap();
        (message.kind.clone(), message.data["number"].as_u64().unwrap())
    };
    assert_eq!((next(&mut seven).await, next(&mut seven).await), (("b".into(), 7), ("a".into(), 7)));
    let none = about(broker.follow(&["a"]).await.unwrap(), "other", &7).unwrap();
    broker.publish(&[message("a", 7)]).await.unwrap();
    assert_eq!(next(&mut seven).await, ("a".into(), 7));
    assert!(timeout(SHORT, none.into_future()).await.is_err(), "what does not say is about none");
}

async fn who_stops_looking_on_holds_nothing(broker: TestBroker) {
    let mut stopped = Vec::new();
    for _ in 0..20 {
        let mut stream = broker.follow(&["a"]).await.unwrap();
        assert!(stream.next().now_or_never().is_none());
        stopped.push(stream);
    }
    let mut stream = timeout(SHORT, broker.follow(&["a"])).await.expect("nobody is in the way").unwrap();
    broker.publish(&[message("a", 1)]).await.unwrap();
    assert!(timeout(Duration::from_secs(20), stream.next()).await.unwrap().unwrap().is_ok());
}

async fn acknowledged_is_gone(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    let sent = message("a", 1);
    broker.publish(std::slice::from_ref(&sent)).await.unwrap();
    let delivery = one(&broker, "one", LONG).await;
    assert_eq!((&delivery.message, delivery.attempt), (&sent, 1));
    assert_eq!(stats(&broker, "one").await.in_flight, 1);
    assert!(broker.settle(&delivery.receipt, Verdict::Ack).await.unwrap());
    assert!(!broker.settle(&delivery.receipt, Verdict::Ack).await.unwrap(), "only once");
    assert!(nothing(&broker, "one").await);
    let wanted =
        SubscriptionStats { subscription: "one".into(), delivered: 1, acked: 1, ..SubscriptionStats::default() };
    assert_eq!(stats(&broker, "one").await, wanted);
}

async fn each_subscription_gets_a_copy_of_its_types(broker: TestBroker) {
    let broker = broker_with(broker, &["one", "two"]).await;
    broker.declare(&Subscription::new("both", ["a", "b"])).await.unwrap();
    broker.publish(&[message("a", 1), message("b", 2), message("c", 3)]).await.unwrap();
    for (name, wanted) in [("one", vec![1]), ("two", vec![1]), ("both", vec![1, 2])] {
        let deliveries = receive(&broker, name, 9, LONG).await;
        assert_eq!(deliveries.iter().map(number).collect::<Vec<_>>(), wanted, "{name}");
        for delivery in deliveries {
            assert!(broker.settle(&delivery.receipt, Verdict::Ack).await.unwrap());
        }
        assert!(nothing(&broker, name).await, "{name}");
    }
}

async fn consumers_compete(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    let messages: Vec<_> = (0..100).map(|number| message("a", number)).collect();
    broker.publish(&messages).await.unwrap();
    let consume = |broker: TestBroker| async move {
        let mut taken = Vec::new();
        while let Ok(deliveries) = timeout(SHORT * 3, broker.receive("one", 7, LONG)).await {
            for delivery in deliveries.unwrap() {
                taken.push(number(&delivery));
                assert!(broker.settle(&delivery.receipt, Verdict::Ack).await.unwrap());
            }
        }
        taken
    };
    let consumers = (0..4).map(|_| tokio::spawn(consume(broker.clone())));
    let taken: Vec<_> = futures_util::future::join_all(consumers).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(taken.len(), 100, "none twice");
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), (0..100).collect(), "none lost");
}

async fn an_expired_lease_brings_it_again_and_settles_nothing(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    broker.publish(&[message("a", 1)]).await.unwrap();
    let first = one(&broker, "one", SHORT).await;
    let second = one(&broker, "one", LONG).await;
    assert_eq!((second.attempt, &second.message), (2, &first.message));
    for verdict in [Verdict::Ack, Verdict::Release, Verdict::DeadLetter { reason: "late".into() }] {
        assert!(!broker.settle(&first.receipt, verdict).await.unwrap());
    }
    assert!(!broker.extend(&first.receipt, LONG).await.unwrap());
    assert!(broker.settle(&second.receipt, Verdict::Ack).await.unwrap());
}

async fn an_extended_lease_holds(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    broker.publish(&[message("a", 1)]).await.unwrap();
    let delivery = one(&broker, "one", SHORT).await;
    assert!(broker.extend(&delivery.receipt, LONG).await.unwrap());
    assert!(nothing(&broker, "one").await);
    assert!(broker.settle(&delivery.receipt, Verdict::Ack).await.unwrap());
}

async fn a_retry_comes_later_and_lets_others_pass(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    broker.publish(&[message("a", 1), message("a", 2)]).await.unwrap();
    let poison = one(&broker, "one", LONG).await;
    broker.settle(&poison.receipt, Verdict::Retry { after: SHORT, reason: "not yet".into() }).await.unwrap();
    let other = one(&broker, "one", LONG).await;
    assert_eq!((number(&poison), number(&other)), (1, 2));
    let again = one(&broker, "one", LONG).await;
    assert_eq!((number(&again), again.attempt), (1, 2));
}

async fn released_comes_at_once_and_counts_no_attempt(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    broker.publish(&[message("a", 1)]).await.unwrap();
    let first = one(&broker, "one", LONG).await;
    assert!(broker.settle(&first.receipt, Verdict::Release).await.unwrap());
    let second = one(&broker, "one", LONG).await;
    assert_eq!(second.attempt, 1);
    assert!(!broker.settle(&first.receipt, Verdict::Ack).await.unwrap(), "the first lease is over");
    assert!(broker.settle(&second.receipt, Verdict::Ack).await.unwrap());
}

async fn dead_letters_are_kept_replayed_and_dropped(broker: TestBroker) {
    let broker = broker_with(broker, &["one", "two"]).await;
    let sent = [message("a", 1), message("a", 2), message("a", 3)];
    broker.publish(&sent).await.unwrap();
    let first = one(&broker, "one", LONG).await;
    broker.settle(&first.receipt, Verdict::Retry { after: Duration::ZERO, reason: "busy".into() }).await.unwrap();
    for delivery in receive(&broker, "one", 9, LONG).await {
        let reason = format!("poison {}", number(&delivery));
        broker.settle(&delivery.receipt, Verdict::DeadLetter { reason }).await.unwrap();
    }
    assert!(nothing(&broker, "one").await);
    assert_eq!((stats(&broker, "one").await.dead, stats(&broker, "one").await.pending), (3, 0));
    assert_eq!((stats(&broker, "two").await.dead, stats(&broker, "two").await.pending), (0, 3));
    let letters = broker.dead_letters(None, 9).await.unwrap();
    assert_eq!(letters, broker.dead_letters(Some("one"), 9).await.unwrap());
    assert_eq!(broker.dead_letters(Some("two"), 9).await.unwrap(), []);
    assert_eq!(broker.dead_letters(None, 2).await.unwrap().len(), 2);
    let letter = letters.iter().find(|letter| letter.message == sent[0]).unwrap();
    assert_eq!((letter.subscription.as_str(), letter.attempts, letter.reason.as_str()), ("one", 2, "poison 1"));
    assert_eq!(
        letter.history.iter().map(|past| (past.attempt, past.reason.as_str())).collect::<Vec<_>>(),
        [(1, "busy")]
    );

    assert_eq!(broker.replay("one", Which::Ids(&[sent[0].id.clone(), "no such".into()])).await.unwrap(), 1);
    let again = one(&broker, "one", LONG).await;
    assert_eq!((number(&again), again.attempt), (1, 1), "as if for the first time");
    broker.settle(&again.receipt, Verdict::DeadLetter { reason: "still".into() }).await.unwrap();
    let letter = broker
        .dead_letters(Some("one"), 9)
        .await
        .unwrap()
        .into_iter()
        .find(|letter| letter.message == sent[0])
        .unwrap();
    let past: Vec<_> = letter.history.iter().map(|past| past.reason.as_str()).collect();
    assert_eq!((letter.reason.as_str(), past), ("still", vec!["busy", "poison 1"]), "the history goes on");

    assert_eq!(broker.drop_dead("one", Which::Ids(&[sent[1].id.clone()])).await.unwrap(), 1);
    assert_eq!(broker.replay("one", Which::All).await.unwrap(), 2);
    let left: BTreeSet<_> = receive(&broker, "one", 9, LONG).await.iter().map(number).collect();
    assert_eq!(left, [1, 3].into());
    assert_eq!(broker.drop_dead("one", Which::All).await.unwrap(), 0);
    assert_eq!(receive(&broker, "two", 9, LONG).await.len(), 3, "nobody else noticed");
    for result in [broker.replay("three", Which::All).await, broker.drop_dead("three", Which::All).await] {
        assert_eq!(result.unwrap_err().kind, Kind::NotFound);
    }
}

async fn a_forgotten_subscription_keeps_nothing(broker: TestBroker) {
    let broker = broker_with(broker, &["one", "two"]).await;
    broker.publish(&[message("a", 1), message("a", 2), message("a", 3)]).await.unwrap();
    broker.settle(&one(&broker, "one", LONG).await.receipt, Verdict::Ack).await.unwrap();
    let dead = one(&broker, "one", LONG).await;
    broker.settle(&dead.receipt, Verdict::DeadLetter { reason: "poison".into() }).await.unwrap();
    assert_eq!(broker.forget("one").await.unwrap(), 2);
    assert_eq!(broker.forget("one").await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(broker.receive("one", 1, LONG).await.unwrap_err().kind, Kind::NotFound);
    let stats = broker.stats().await.unwrap();
    assert_eq!(stats.iter().map(|stats| stats.subscription.as_str()).collect::<Vec<_>>(), ["two"]);
    assert_eq!(receive(&broker, "two", 9, LONG).await.len(), 3, "nobody else noticed");
    broker.publish(&[message("a", 4)]).await.unwrap();
}

async fn a_message_is_published_once(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    let first = message("a", 1);
    let elsewhere = Message { source: "/elsewhere".into(), ..first.clone() };
    broker.publish(&[first.clone(), first.clone()]).await.unwrap();
    let taken = one(&broker, "one", LONG).await;
    broker.settle(&taken.receipt, Verdict::Ack).await.unwrap();
    broker.publish(&[first, elsewhere.clone()]).await.unwrap();
    let deliveries = receive(&broker, "one", 9, LONG).await;
    assert_eq!(deliveries.into_iter().map(|delivery| delivery.message).collect::<Vec<_>>(), [elsewhere]);
}

async fn every_text_and_size_arrives_as_it_was(broker: TestBroker) {
    let broker = broker_with(broker, &["größe 'x' \" 邮"]).await;
    let mut strange = message("a", 1);
    strange.subject = Some("\u{202e}\u{0}\n'\"{{x}} ü 🦀".into());
    strange.data = json!({"number": 1, "": [null, -0.5, u64::MAX, "\u{0}\\u0000"], "ключ": {"$(id)": "</script>"}});
    strange.extensions.insert("comexampleother".into(), json!("kept"));
    let big = Message { data: json!({ "number": 2, "text": "ß".repeat(2_500_000) }), ..message("a", 2) };
    let too_big = Message { data: json!("x".repeat(17 << 20)), ..message("a", 3) };
    assert_eq!(broker.publish(&[message("a", 4), too_big]).await.unwrap_err().kind, Kind::Invalid);
    broker.publish(&[strange.clone(), big.clone()]).await.unwrap();
    let deliveries = receive(&broker, "größe 'x' \" 邮", 9, LONG).await;
    assert!(
        deliveries.into_iter().map(|delivery| delivery.message).eq([strange, big]),
        "all of it, and nothing of the refused"
    );
}

async fn a_new_subscription_begins_with_what_is_there(broker: TestBroker) {
    broker.publish(&[message("a", 1), message("b", 2)]).await.unwrap();
    for _ in 0..2 {
        broker.declare(&Subscription::new("first", ["a"])).await.unwrap();
    }
    broker.publish(&[message("a", 3)]).await.unwrap();
    broker.declare(&Subscription::new("first", ["a", "b"])).await.unwrap();
    let numbers = |deliveries: Vec<Delivery>| deliveries.iter().map(number).collect::<BTreeSet<_>>();
    assert_eq!(numbers(receive(&broker, "first", 9, LONG).await), [1, 2, 3].into());
    broker.declare(&Subscription::new("first", ["b"])).await.unwrap();
    broker.publish(&[message("a", 4), message("b", 5)]).await.unwrap();
    assert_eq!(numbers(receive(&broker, "first", 9, LONG).await), [5].into(), "a type is given up");
}

async fn a_waiting_consumer_wakes(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    let waiting = tokio::spawn({
        let broker = broker.clone();
        async move { one(&broker, "one", LONG).await }
    });
    tokio::task::yield_now().await;
    broker.publish(&[message("a", 1)]).await.unwrap();
    assert_eq!(number(&waiting.await.unwrap()), 1);
    assert_eq!(broker.receive("nobody", 1, LONG).await.map_err(|failure| failure.kind).unwrap_err(), Kind::NotFound);
}

async fn who_stops_waiting_takes_nothing_along(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    for number in 0..100 {
        broker.publish(&[message("a", number)]).await.unwrap();
        let mut impatient = Box::pin(broker.receive("one", 1, LONG));
        for _ in 0..number % 10 {
            // Polled, but not to the end.
            if let Some(Ok(deliveries)) = futures_util::FutureExt::now_or_never(&mut impatient) {
                broker.settle(&deliveries[0].receipt, Verdict::Release).await.unwrap();
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(impatient);
        let delivery = one(&broker, "one", LONG).await;
        broker.settle(&delivery.receipt, Verdict::Ack).await.unwrap();
    }
}

async fn many_publishers_at_once(broker: TestBroker) {
    let broker = broker_with(broker, &["one"]).await;
    let publish = |number| {
        let broker = broker.clone();
        async move { broker.publish(&[message("a", number), message("a", number + 500)]).await }
    };
    let published: Vec<Result<(), Failure>> = futures_util::future::join_all((0..500).map(publish)).await;
    assert!(published.iter().all(Result::is_ok));
    let deliveries = receive(&broker, "one", 2000, LONG).await;
    assert_eq!(deliveries.iter().map(number).collect::<BTreeSet<_>>(), (0..1000).collect());
    let acks = deliveries.iter().map(|delivery| broker.settle(&delivery.receipt, Verdict::Ack));
    assert!(futures_util::future::join_all(acks).await.into_iter().all(Result::unwrap));
    assert_eq!(stats(&broker, "one").await.acked, 1000);
}

macro_rules! suite {
    ($($adapter:ident: $url:expr),+ ; $($case:ident),+ $(,)?) => { suite!(@ [$($adapter: $url),+] [$($case),+]); };
    (@ [$($adapter:ident: $url:expr),+] $cases:tt) => { $( suite!(@one $adapter, $url, $cases); )+ };
    (@one $adapter:ident, $url:expr, [$($case:ident),+]) => {
        mod $adapter {
            $(
                #[tokio::test]
                async fn $case() {
                    let folder = tempfile::tempdir().unwrap();
                    let url: String = $url.replace("FOLDER", folder.path().to_str().unwrap());
                    super::$case(kit_messaging::connect(&url).await.unwrap()).await;
                }
            )+
        }
    };
}

suite! {
    memory: "memory:", embedded: "sqlite:FOLDER/messages.db", embedded_process: "sqlite:FOLDER/m.db?durability=process";
    acknowledged_is_gone,
    it_answers_whatever_there_is_to_do,
    who_looks_on_sees_everything_from_now_on,
    who_looks_on_one_item_sees_what_is_about_it,
    who_stops_looking_on_holds_nothing,
    each_subscription_gets_a_copy_of_its_types,
    consumers_compete,
    an_expired_lease_brings_it_again_and_settles_nothing,
    an_extended_lease_holds,
    a_retry_comes_later_and_lets_others_pass,
    released_comes_at_once_and_counts_no_attempt,
    dead_letters_are_kept_replayed_and_dropped,
    a_forgotten_subscription_keeps_nothing,
    a_message_is_published_once,
    every_text_and_size_arrives_as_it_was,
    a_new_subscription_begins_with_what_is_there,
    a_waiting_consumer_wakes,
    who_stops_waiting_takes_nothing_along,
    many_publishers_at_once,
}

#[tokio::test]
async fn other_brokers_are_refused() {
    for url in ["amqp://localhost", "kafka:x", "messages.db", ""] {
        assert!(kit_messaging::connect(url).await.is_err(), "{url}");
    }
}

/// Two brokers on one file are two processes as far as they can tell.
#[tokio::test]
async fn another_process_is_noticed_and_competes() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("messages.db").display());
    let here = broker_with(kit_messaging::connect(&url).await.unwrap(), &["one"]).await;
    let there = kit_messaging::connect(&url).await.unwrap();
    let waiting = tokio::spawn({
        let there = there.clone();
        async move { one(&there, "one", SHORT).await }
    });
    tokio::time::sleep(SHORT).await;
    here.publish(&[message("a", 1)]).await.unwrap();
    assert_eq!(number(&waiting.await.unwrap()), 1);
    let again = one(&here, "one", LONG).await;
    assert_eq!(again.attempt, 2, "the other has not acknowledged it");
    drop((here, there));
    let reopened = kit_messaging::connect(&url).await.unwrap();
    assert!(reopened.settle(&again.receipt, Verdict::Ack).await.unwrap(), "a lease outlives the process");
}
