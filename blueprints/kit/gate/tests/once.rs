//! One effect under one key, whoever asks and however often.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use kit::{Context, Failure, Intent, Kind, Operation, Origin, Safety};
use kit_gate::{Gate, Kept, Ledger};
use tokio::sync::Notify;

static PLACE: Operation = Operation { service: "orders", name: "place", safety: Safety::Keyed };
static CANCEL: Operation = Operation { service: "orders", name: "cancel", safety: Safety::Keyed };

type Rows = HashMap<(&'static str, Arc<str>), (Kept, Duration)>;

#[derive(Default)]
struct Memory(Mutex<Rows>);

#[async_trait]
impl Ledger for Memory {
    async fn find(&self, intent: &Intent) -> Result<Option<Kept>, Failure> {
        let rows = self.0.lock().unwrap();
        Ok(rows.get(&(intent.operation.name, intent.key.clone())).map(|(kept, _)| kept.clone()))
    }

    async fn keep(&self, intent: &Intent, answer: String) -> Result<(), Failure> {
        let kept = Kept { fingerprint: intent.fingerprint.clone(), answer };
        self.0.lock().unwrap().insert((intent.operation.name, intent.key.clone()), (kept, intent.window));
        Ok(())
    }
}

/// A service that counts what it does.
#[derive(Clone)]
struct Orders {
    gate: Gate,
    memory: Arc<Memory>,
    done: Arc<AtomicU32>,
}

impl Orders {
    fn new() -> Self {
        let memory = Arc::new(Memory::default());
        Self { gate: Gate::new(memory.clone()), memory, done: Arc::default() }
    }

    async fn ask(&self, cx: &Context, operation: &'static Operation, input: &str) -> Result<u32, Failure> {
        let call = self.gate.call(cx, operation, &input)?;
        call.once(|cx| async move {
            let number = self.done.fetch_add(1, Ordering::SeqCst) + 1;
            cx.note_created();
            cx.marks().add("stock.reserve=default");
            match input {
                "bad" => Err(Failure::new(Kind::Conflict, "no")),
                _ => Ok(number),
            }
        })
        .await
    }

    async fn place(&self, cx: &Context, input: &str) -> Result<u32, Failure> {
        self.ask(cx, &PLACE, input).await
    }
}

fn keyed(key: &str) -> Context {
    Context::default().keyed(key)
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_call() {
    let orders = Orders::new();
    for _ in 0..3 {
        let cx = keyed("k");
        assert_eq!(orders.place(&cx, "a").await, Ok(1));
        assert!(cx.is_created(), "what was said of the answer is said again");
        assert_eq!(cx.marks().list(), ["stock.reserve=default"]);
    }
    assert_eq!(orders.place(&keyed("l"), "a").await, Ok(2), "another key is another intent");
    assert_eq!(orders.ask(&keyed("k"), &CANCEL, "a").await, Ok(3), "so is another operation");
    for number in 4..6 {
        assert_eq!(orders.place(&Context::default(), "a").await, Ok(number), "without a key, each call is one");
    }
}

#[tokio::test]
async fn a_key_stands_for_one_input_and_an_error_for_nothing() {
    let orders = Orders::new();
    assert_eq!(orders.place(&keyed("k"), "bad").await.map_err(|e| e.kind), Err(Kind::Conflict));
    assert_eq!(orders.place(&keyed("k"), "good").await, Ok(2), "what failed may be tried again, and put right");
    for input in ["other", "bad"] {
        assert_eq!(orders.place(&keyed("k"), input).await.map_err(|e| e.kind), Err(Kind::Invalid));
    }
    assert_eq!(orders.done.load(Ordering::SeqCst), 2);
    let long = orders.place(&keyed(&"k".repeat(513)), "good").await;
    assert_eq!(long.map_err(|e| e.kind), Err(Kind::Invalid));
}

#[tokio::test]
async fn while_the_first_call_is_at_work_a_repeat_is_told_to_come_again() {
    let orders = Orders::new();
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = tokio::spawn({
        let (orders, begun, go_on) = (orders.clone(), begun.clone(), go_on.clone());
        async move {
            let cx = keyed("k");
            let call = orders.gate.call(&cx, &PLACE, &"a")?;
            let work = async |_| {
                begun.notify_one();
                go_on.notified().await;
                Ok::<_, Failure>(orders.done.fetch_add(1, Ordering::SeqCst) + 1)
            };
            call.once(work).await
        }
    });
    begun.notified().await;
    for _ in 0..5 {
        let repeat = orders.place(&keyed("k"), "a").await.unwrap_err();
        assert!(repeat.kind == Kind::Conflict && repeat.retry_after.is_some(), "{repeat:?}");
        assert_eq!(orders.place(&keyed("k"), "b").await.map_err(|e| e.kind), Err(Kind::Invalid));
    }
    assert_eq!(orders.place(&keyed("l"), "a").await, Ok(1), "others are not kept waiting");
    go_on.notify_one();
    assert_eq!(first.await.unwrap(), Ok(2));
    assert_eq!(orders.place(&keyed("k"), "a").await, Ok(2));
    assert_eq!(orders.done.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn work_that_is_given_up_leaves_its_key_free() {
    let orders = Orders::new();
    let cx = keyed("k").within(Duration::from_millis(5));
    let given_up = async {
        let call = orders.gate.call(&cx, &PLACE, &"a")?;
        call.once(|_| std::future::pending::<Result<u32, Failure>>()).await
    };
    assert_eq!(cx.limit(given_up).await.map_err(|e: Failure| e.kind), Err(Kind::Timeout));
    assert_eq!(orders.place(&keyed("k"), "a").await, Ok(1));
}

#[tokio::test]
async fn messages_are_remembered_for_longer() {
    let orders = Orders::new();
    orders.place(&keyed("call"), "a").await.unwrap();
    orders.place(&keyed("message").made_by(Origin::Message), "a").await.unwrap();
    let rows = orders.memory.0.lock().unwrap();
    let window = |key: &str| rows[&("place", Arc::from(key))].1;
    assert_eq!(window("call"), Duration::from_secs(24 * 60 * 60));
    assert_eq!(window("message"), Duration::from_secs(7 * 24 * 60 * 60));
}

#[tokio::test]
async fn work_that_failed_calls_others_under_the_same_keys_when_it_is_done_again() {
    static PAY: Operation = Operation { service: "bank", name: "pay", safety: Safety::Keyed };
    let gate = Gate::new(Arc::new(Memory::default()));
    let work = async |key: &str| {
        let mut paid = None;
        let cx = Context::default().keyed(key).made_by(Origin::Message);
        let call = gate.call(&cx, &PLACE, &"input").unwrap();
        let failed = call.once(|cx| {
            paid = cx.call().behalf().map(|intent| intent.next_key(&PAY, &7).unwrap());
            async { Err::<u32, _>(Failure::new(Kind::Unavailable, "later")) }
        });
        assert!(failed.await.is_err());
        paid.unwrap()
    };
    let first = work("a").await;
    assert_eq!(work("a").await, first);
    assert_ne!(work("b").await, first);
}
