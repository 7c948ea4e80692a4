//! A process killed between the effect and the answer, or before either, leaves one effect.
//!
//! The test binary runs itself again as the process: the test `child` is what it does.

use std::{env, process::Stdio, sync::Arc};

use kit::{Context, Failure, Operation, Safety};
use kit_answers::{self as answers, Answers, MIGRATION};
use kit_gate::Gate;
use kit_store::{Migration, Store, failure};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

static PLACE: Operation = Operation { service: "orders", name: "place", safety: Safety::Keyed };

const ORDERS: Migration = Migration { name: "orders", sql: "create table orders (number integer primary key)" };
const URL: &str = "CRASH_URL";
const STEP: &str = "CRASH_STEP";

async fn place(store: &Store, waits: Option<&str>) -> Result<i64, Failure> {
    let gate = Gate::new(Arc::new(Answers(store.clone())));
    let cx = Context::default().keyed("k");
    let stay = async |step| {
        if waits == Some(step) {
            println!("={step}=");
            std::future::pending::<()>().await;
        }
    };
    let work = async |cx: Context| {
        let mut tx = store.begin().await?;
        let insert = sqlx::query_scalar("insert into orders values (null) returning number");
        let number: i64 = insert.fetch_one(&mut *tx).await.map_err(failure)?;
        answers::keep(&mut tx, &cx, &number).await?;
        stay("kept").await;
        tx.commit().await?;
        stay("committed").await;
        Ok(number)
    };
    gate.call(&cx, &PLACE, &"pen")?.once(work).await
}

async fn open(url: &str) -> Store {
    Store::open(url, &[MIGRATION, ORDERS]).await.unwrap()
}

#[tokio::test]
async fn child() {
    let (Ok(url), Ok(step)) = (env::var(URL), env::var(STEP)) else { return };
    place(&open(&url).await, Some(&step)).await.unwrap();
}

#[tokio::test]
async fn a_killed_process_leaves_one_effect() {
    for step in ["kept", "committed"] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("orders.db").display());
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture"]).env(URL, &url).env(STEP, step);
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !lines.next_line().await.unwrap().expect("it stays there").contains(&format!("={step}=")) {}
        child.kill().await.unwrap();
        let store = open(&url).await;
        for _ in 0..2 {
            assert_eq!(place(&store, None).await, Ok(1), "killed when {step}");
        }
        let orders: i64 = sqlx::query_scalar("select count(*) from orders").fetch_one(store.read()).await.unwrap();
        assert_eq!(orders, 1, "killed when {step}");
    }
}
