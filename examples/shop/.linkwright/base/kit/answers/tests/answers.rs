//! Answers and their effects are in one database: both are there, or neither.

use std::sync::Arc;

use futures_util::future::join_all;
use kit::{Context, Failure, Kind, Operation, Safety};
use kit_answers::{self as answers, Answers, MIGRATION};
use kit_gate::Gate;
use kit_store::{Migration, Store, failure};

static PLACE: Operation = Operation { service: "orders", name: "place", safety: Safety::Keyed };

const ORDERS: Migration = Migration { name: "orders", sql: "create table orders (sku text)" };

/// One process with the service.
struct Orders {
    store: Store,
    gate: Gate,
}

impl Orders {
    async fn open(url: &str) -> Self {
        let store = Store::open(url, &[MIGRATION, ORDERS]).await.unwrap();
        Self { gate: Gate::new(Arc::new(Answers(store.clone()))), store }
    }

    async fn place(&self, cx: &Context, sku: &str) -> Result<String, Failure> {
        self.gate.call(cx, &PLACE, &sku)?.once(|cx| async move { self.work(&cx, sku).await }).await
    }

    /// The business code.
    async fn work(&self, cx: &Context, sku: &str) -> Result<String, Failure> {
        let mut tx = self.store.begin().await?;
        sqlx::query("insert into orders values (?)").bind(sku).execute(&mut *tx).await.map_err(failure)?;
        let order = format!("{sku} {}", fastrand::u64(..));
        match sku {
            "forgetful" => {}
            "wrong" => answers::keep(&mut tx, cx, &7).await?,
            "broken" => {
                answers::keep(&mut tx, cx, &order).await?;
                return Err(Failure::new(Kind::Conflict, "not committed"));
            }
            _ => answers::keep(&mut tx, cx, &order).await?,
        }
        tx.commit().await?;
        Ok(order)
    }

    async fn count(&self, table: &'static str) -> i64 {
        let query = if table == "orders" { "select count(*) from orders" } else { "select count(*) from kit_answers" };
        sqlx::query_scalar(query).fetch_one(self.store.read()).await.unwrap()
    }
}

fn keyed(key: impl ToString) -> Context {
    Context::default().keyed(key.to_string())
}

#[tokio::test]
async fn an_answer_is_kept_with_its_effect_or_not_at_all() {
    let orders = Orders::open(":memory:").await;
    let first = orders.place(&keyed("k"), "pen").await.unwrap();
    assert_eq!(orders.place(&keyed("k"), "pen").await, Ok(first));
    assert_eq!(orders.place(&keyed("k"), "ink").await.map_err(|e| e.kind), Err(Kind::Invalid));
    assert_eq!((orders.count("orders").await, orders.count("answers").await), (1, 1));
    for _ in 0..2 {
        let failed = orders.place(&keyed("l"), "broken").await;
        assert_eq!(failed.map_err(|e| e.kind), Err(Kind::Conflict), "undone, so tried again");
    }
    assert_eq!((orders.count("orders").await, orders.count("answers").await), (1, 1));
    orders.place(&Context::default(), "pen").await.unwrap();
    assert_eq!(orders.count("answers").await, 1, "nothing to keep it under");
    let forgetful = orders.place(&keyed("m"), "forgetful").await.unwrap();
    assert_eq!(orders.place(&keyed("m"), "forgetful").await, Ok(forgetful), "the gate keeps what nobody kept");
    let wrong = orders.place(&keyed("n"), "wrong").await.unwrap_err();
    assert!(wrong.kind == Kind::Internal && wrong.source.unwrap().to_string().contains("`place` does not answer"));
    assert_eq!(orders.count("orders").await, 3);
}

#[tokio::test]
async fn processes_that_do_the_same_at_the_same_time_have_one_effect() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("orders.db").display());
    let processes = join_all((0..4).map(|_| Orders::open(&url))).await;
    for key in 0..10 {
        let cx = keyed(key);
        let results = join_all(processes.iter().map(|orders| orders.place(&cx, "pen"))).await;
        let answers: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert!(!answers.is_empty() && answers.windows(2).all(|two| two[0] == two[1]), "{results:?}");
        for late in results.iter().filter_map(|result| result.as_ref().err()) {
            assert!(late.kind == Kind::Conflict && late.retry_after.is_some(), "{late:?}");
        }
        assert_eq!(processes[3].place(&cx, "pen").await.as_ref(), Ok(answers[0]));
        assert_eq!(processes[0].count("orders").await, key + 1);
    }
}

#[tokio::test]
async fn what_is_over_is_forgotten_little_by_little_and_its_keys_are_free() {
    let orders = Orders::open(":memory:").await;
    let old = "with recursive n (x) as (select 1 union all select x + 1 from n where x < 50) \
               insert into kit_answers select 'place', '', x, '', '', '2020-01-01T00:00:00.000000Z' from n";
    let mut tx = orders.store.begin().await.unwrap();
    sqlx::query(old).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let again = orders.place(&keyed(7), "pen").await.unwrap();
    assert_eq!(orders.place(&keyed(7), "pen").await, Ok(again));
    for number in 100..1600 {
        orders.place(&keyed(number), "pen").await.unwrap();
    }
    assert_eq!(orders.count("answers").await, 1501, "the new ones");
    let left = "select julianday(min(until)) - julianday('now') from kit_answers";
    let left: f64 = sqlx::query_scalar(left).fetch_one(orders.store.read()).await.unwrap();
    assert!((0.99..1.01).contains(&left), "a day, not {left}");
}
