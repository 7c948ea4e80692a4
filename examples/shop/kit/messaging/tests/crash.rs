//! Processes killed at any moment lose nothing that was acknowledged and do nothing twice.
//!
//! The test binary runs itself again as the processes: the test `child` is what they do.

use std::{
    collections::BTreeSet,
    env,
    future::pending,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use kit::{Context, Failure};
use kit_messaging::{Broker, Consumer, Event, Message, Policy, Relay, Subscription, Verdict, outbox};
use kit_store::{Migration, Store};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
    time::sleep,
};

const ROLE: &str = "CRASH_ROLE";
const FOLDER: &str = "CRASH_FOLDER";
/// A file with this name: no more orders.
const ENOUGH: &str = "enough";
/// Orders that each of two processes places at most.
const ORDERS: i64 = 3000;
/// Processes killed before the others may finish.
const KILLS: usize = 20;
/// Nothing takes as long.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Serialize, Deserialize)]
struct Placed {
    order: String,
}

impl Event for Placed {
    const TYPE: &'static str = "shop.orders.Placed.v1";
    const SOURCE: &'static str = "/orders";
}

const PLACED: Migration = Migration { name: "placed", sql: "create table placed (\"order\" text)" };
/// The bills are not unique: a second effect would be seen. What has been done is known by its key.
const BILLS: Migration =
    Migration { name: "bills", sql: "create table bills (\"order\" text); create table done (key text primary key)" };

struct Process {
    child: Child,
    said: Arc<Mutex<String>>,
    listener: JoinHandle<()>,
}

impl Process {
    fn spawn(role: &str, folder: &Path) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture"]).env(ROLE, role).env(FOLDER, folder);
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let listener = tokio::spawn({
            let (mut lines, said) = (BufReader::new(child.stdout.take().unwrap()).lines(), said.clone());
            async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    *said.lock().unwrap() += &(line + "\n");
                }
            }
        });
        Self { child, said, listener }
    }

    /// What it said between two marks so far.
    fn said(&self, mark: char) -> Vec<String> {
        let said = self.said.lock().unwrap();
        said.lines().filter_map(|line| Some(line.strip_prefix(mark)?.strip_suffix(mark)?.to_owned())).collect()
    }

    /// SIGKILL.
    async fn kill(&mut self) {
        self.child.kill().await.unwrap();
        (&mut self.listener).await.unwrap();
    }
}

fn database(folder: &Path, name: &str) -> String {
    format!("sqlite:{}", folder.join(name).display())
}

async fn broker(folder: &Path) -> Arc<dyn Broker> {
    let broker = kit_messaging::connect(&database(folder, "messages.db")).await.unwrap();
    broker.declare(&subscription()).await.unwrap();
    broker
}

fn subscription() -> Subscription {
    Subscription::new("billing.bill", [Placed::TYPE])
}

#[tokio::test]
async fn child() {
    let (Ok(role), Ok(folder)) = (env::var(ROLE), env::var(FOLDER)) else { return };
    let folder = PathBuf::from(folder);
    match role.as_str() {
        "publish" => publish(&folder).await,
        "acknowledge" => acknowledge(&folder).await,
        "bill" => bill(&folder).await,
        orders => place(orders, &folder).await,
    }
}

/// Publishes without end and says which it was promised to keep.
async fn publish(folder: &Path) {
    let broker = broker(folder).await;
    let publish = || async {
        loop {
            let order = fastrand::u64(..).to_string();
            broker
                .publish(&[Message::event(&Context::default(), &Placed { order: order.clone() }).unwrap()])
                .await
                .unwrap();
            println!("={order}=");
        }
    };
    futures_util::future::join_all((0..16).map(|_| publish())).await;
}

/// Acknowledges without end and says which it was promised never to see again.
async fn acknowledge(folder: &Path) {
    let broker = broker(folder).await;
    loop {
        for delivery in broker.receive("billing.bill", 8, Duration::from_millis(300)).await.unwrap() {
            let order = delivery.message.data::<Placed>().unwrap().order;
            println!("?{order}?");
            if broker.settle(&delivery.receipt, Verdict::Ack).await.unwrap() {
                println!("={order}=");
            }
        }
    }
}

/// Places orders until there are enough, and ends when all have been published.
async fn place(name: &str, folder: &Path) {
    let store = Store::open(&database(folder, name), &[outbox::MIGRATION, PLACED]).await.unwrap();
    let relay = Relay::new(store.clone(), broker(folder).await);
    tokio::spawn(async move { relay.run(pending()).await });
    let count = |table| sqlx::query_scalar::<_, i64>(table);
    let mut placed = count("select count(*) from placed").fetch_one(store.read()).await.unwrap();
    while placed < ORDERS && !(placed >= 100 && folder.join(ENOUGH).exists()) {
        let order = format!("{name}-{placed}");
        let mut tx = store.begin().await.unwrap();
        sqlx::query("insert into placed values (?)").bind(&order).execute(&mut *tx).await.unwrap();
        outbox::publish(&mut tx, &Context::default(), &Placed { order }).await.unwrap();
        tx.commit().await.unwrap();
        placed += 1;
    }
    while count("select count(*) from kit_outbox").fetch_one(store.read()).await.unwrap() > 0 {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Bills what comes, until it is killed.
async fn bill(folder: &Path) {
    let store = Store::open(&database(folder, "bills.db"), &[BILLS]).await.unwrap();
    let policy = Policy { attempts: 1000, lease: Duration::from_millis(500), ..Policy::default() };
    let handler = move |cx: Context, message: Message| {
        let store = store.clone();
        async move {
            let placed: Placed = message.data()?;
            let mut tx = store.begin().await?;
            let done = sqlx::query("insert into done values (?) on conflict do nothing").bind(cx.idempotency_key());
            if done.execute(&mut *tx).await.map_err(kit_store::failure)?.rows_affected() == 0 {
                return Ok(());
            }
            let insert = sqlx::query("insert into bills values (?)").bind(placed.order);
            insert.execute(&mut *tx).await.map_err(kit_store::failure)?;
            tx.commit().await
        }
    };
    Consumer::new(broker(folder).await, subscription(), policy).run::<_, _, (), Failure>(pending(), handler).await;
}

#[tokio::test]
async fn what_was_acknowledged_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (mut promised, mut tried, mut done) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let begun = Instant::now();
    for _ in 0..6 {
        let mut publisher = Process::spawn("publish", folder.path());
        let mut consumer = Process::spawn("acknowledge", folder.path());
        while publisher.said('=').len() < 100 || consumer.said('=').len() < 20 {
            assert!(begun.elapsed() < PATIENCE);
            sleep(Duration::from_millis(fastrand::u64(5..30))).await;
        }
        publisher.kill().await;
        promised.extend(publisher.said('='));
        consumer.kill().await;
        tried.extend(consumer.said('?'));
        for order in consumer.said('=') {
            assert!(done.insert(order), "acknowledged, and delivered again");
        }
    }
    let broker = broker(folder.path()).await;
    let mut left = BTreeSet::new();
    while broker.stats().await.unwrap().iter().any(|stats| stats.pending + stats.in_flight > left.len() as u64) {
        for delivery in broker.receive("billing.bill", 1000, Duration::from_secs(60)).await.unwrap() {
            left.insert(delivery.message.data::<Placed>().unwrap().order);
        }
    }
    let lost: Vec<_> = promised.iter().filter(|order| !left.contains(*order) && !tried.contains(*order)).collect();
    assert!(lost.is_empty(), "lost {} of {}: {lost:?}", lost.len(), promised.len());
    assert!(done.is_disjoint(&left), "acknowledged, and delivered again");
}

#[tokio::test]
async fn each_order_is_billed_once_whoever_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let roles = ["orders-1", "orders-2", "bill", "bill"];
    let mut processes: Vec<_> = roles.iter().map(|role| Process::spawn(role, folder.path())).collect();
    let begun = Instant::now();
    for _ in 0..KILLS {
        sleep(Duration::from_millis(fastrand::u64(50..200))).await;
        let victim = fastrand::usize(..roles.len());
        processes[victim].kill().await;
        processes[victim] = Process::spawn(roles[victim], folder.path());
    }
    std::fs::write(folder.path().join(ENOUGH), "").unwrap();
    for publisher in &mut processes[..2] {
        assert!(publisher.child.wait().await.unwrap().success());
    }
    let mut placed = BTreeSet::new();
    for name in &roles[..2] {
        let store = Store::open(&database(folder.path(), name), &[outbox::MIGRATION, PLACED]).await.unwrap();
        let orders: Vec<String> =
            sqlx::query_scalar("select \"order\" from placed").fetch_all(store.read()).await.unwrap();
        placed.extend(orders);
    }
    assert!(placed.len() >= 200, "{}", placed.len());
    let broker = broker(folder.path()).await;
    while broker.stats().await.unwrap().iter().any(|stats| stats.pending + stats.in_flight > 0) {
        assert!(begun.elapsed() < PATIENCE, "not done: {:?}", broker.stats().await.unwrap());
        sleep(Duration::from_millis(50)).await;
    }
    for consumer in &mut processes[2..] {
        consumer.kill().await;
    }
    let store = Store::open(&database(folder.path(), "bills.db"), &[BILLS]).await.unwrap();
    let mut bills: Vec<String> =
        sqlx::query_scalar("select \"order\" from bills").fetch_all(store.read()).await.unwrap();
    bills.sort();
    assert!(bills.iter().eq(&placed), "{} bills for {} orders", bills.len(), placed.len());
}
