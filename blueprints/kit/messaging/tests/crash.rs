//! Processes killed at any moment lose nothing that was acknowledged and do nothing twice.
//!
//! The test binary runs itself again as the processes: the test `child` is what they do.

use std::{
    collections::BTreeSet,
    env,
    future::pending,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use kit::{Context, Failure};
use kit_messaging::{Broker, Consumer, Event, Message, Policy, Relay, Subscription, Verdict, inbox, outbox};
use kit_store::{Migration, Store};
use serde::{Deserialize, Serialize};
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    time::sleep,
};

const ROLE: &str = "CRASH_ROLE";
const FOLDER: &str = "CRASH_FOLDER";
/// Orders that each of two processes places.
const ORDERS: i64 = 1500;
/// Processes are killed for so long at most; then they may finish.
const CHAOS: Duration = Duration::from_secs(10);

#[derive(Serialize, Deserialize)]
struct Placed {
    order: String,
}

impl Event for Placed {
    const TYPE: &'static str = "shop.orders.Placed.v1";
    const SOURCE: &'static str = "/orders";
}

const PLACED: Migration = Migration { name: "placed", sql: "create table placed (\"order\" text)" };
/// Not unique: a second effect would be seen.
const BILLS: Migration = Migration { name: "bills", sql: "create table bills (\"order\" text)" };

fn spawn(role: &str, folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).env(ROLE, role).env(FOLDER, folder);
    command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
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

/// Places orders up to a number, and ends when all have been published.
async fn place(name: &str, folder: &Path) {
    let store = Store::open(&database(folder, name), &[outbox::MIGRATION, PLACED]).await.unwrap();
    let relay = Relay::new(store.clone(), broker(folder).await);
    tokio::spawn(async move { relay.run(pending()).await });
    let count = |table| sqlx::query_scalar::<_, i64>(table);
    let mut placed = count("select count(*) from placed").fetch_one(store.read()).await.unwrap();
    while placed < ORDERS {
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
    let store = Store::open(&database(folder, "bills.db"), &[inbox::MIGRATION, BILLS]).await.unwrap();
    let policy = Policy { attempts: 1000, lease: Duration::from_millis(500), ..Policy::default() };
    let handler = move |cx: Context, message: Message| {
        let store = store.clone();
        async move {
            let placed: Placed = message.data()?;
            let mut tx = store.begin().await?;
            if !inbox::first_time(&mut tx, &cx, "bill").await? {
                return Ok(());
            }
            let insert = sqlx::query("insert into bills values (?)").bind(placed.order);
            insert.execute(&mut *tx).await.map_err(kit_store::failure)?;
            tx.commit().await
        }
    };
    Consumer::new(broker(folder).await, subscription(), policy).run::<_, _, (), Failure>(pending(), handler).await;
}

async fn kill(mut child: Child) -> String {
    child.start_kill().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).await.unwrap();
    child.wait().await.unwrap();
    said
}

/// What was said between two marks.
fn lines(said: &str, mark: char) -> impl Iterator<Item = String> + '_ {
    said.lines().filter_map(move |line| Some(line.strip_prefix(mark)?.strip_suffix(mark)?.to_owned()))
}

#[tokio::test]
async fn what_was_acknowledged_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (mut promised, mut tried, mut done) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for round in 0..6 {
        let (publisher, consumer) = (spawn("publish", folder.path()), spawn("acknowledge", folder.path()));
        sleep(Duration::from_millis(300 + 70 * round)).await;
        promised.extend(lines(&kill(publisher).await, '='));
        let said = kill(consumer).await;
        tried.extend(lines(&said, '?'));
        for order in lines(&said, '=') {
            assert!(done.insert(order), "acknowledged, and delivered again");
        }
    }
    assert!(promised.len() > 300 && done.len() > 50, "{} published, {} acknowledged", promised.len(), done.len());
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
    let mut children: Vec<_> = roles.iter().map(|role| spawn(role, folder.path())).collect();
    let (begun, mut kills) = (Instant::now(), 0);
    while begun.elapsed() < CHAOS {
        sleep(Duration::from_millis(fastrand::u64(50..250))).await;
        let victim = fastrand::usize(..roles.len());
        if children[victim].try_wait().unwrap().is_none() {
            let next = spawn(roles[victim], folder.path());
            kill(std::mem::replace(&mut children[victim], next)).await;
            kills += 1;
        } else if children[..2].iter_mut().all(|child| child.try_wait().unwrap().is_some()) {
            break;
        }
    }
    assert!(kills >= 5, "{kills} kills");
    let consumers = children.split_off(2);
    for mut publisher in children {
        assert!(publisher.wait().await.unwrap().success());
    }
    let mut placed = BTreeSet::new();
    for name in &roles[..2] {
        let store = Store::open(&database(folder.path(), name), &[outbox::MIGRATION, PLACED]).await.unwrap();
        let orders: Vec<String> =
            sqlx::query_scalar("select \"order\" from placed").fetch_all(store.read()).await.unwrap();
        placed.extend(orders);
    }
    assert_eq!(placed.len() as i64, 2 * ORDERS);
    let broker = broker(folder.path()).await;
    while broker.stats().await.unwrap().iter().any(|stats| stats.pending + stats.in_flight > 0) {
        assert!(begun.elapsed() < 6 * CHAOS, "not done: {:?}", broker.stats().await.unwrap());
        sleep(Duration::from_millis(50)).await;
    }
    for consumer in consumers {
        kill(consumer).await;
    }
    let store = Store::open(&database(folder.path(), "bills.db"), &[inbox::MIGRATION, BILLS]).await.unwrap();
    let mut bills: Vec<String> =
        sqlx::query_scalar("select \"order\" from bills").fetch_all(store.read()).await.unwrap();
    bills.sort();
    assert!(bills.iter().eq(&placed), "{} bills for {} orders", bills.len(), placed.len());
    eprintln!("{} orders, {kills} kills, {:?}", placed.len(), begun.elapsed());
}
