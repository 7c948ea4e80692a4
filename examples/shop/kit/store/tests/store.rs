//! Opening, migrating, writing, and what errors of the database become.

use std::time::Duration;

use kit::{Failure, Kind};
use kit_store::{Migration, Store, Text, changed, found, on_reference, on_referred, on_unique};

const ITEMS: Migration = Migration {
    name: "items_1",
    sql: "create table items (id text primary key, sku text unique, a text, b text, unique (a, b));\n\
          create table parts (item text not null references items (id));",
};
const COLOURS: Migration = Migration { name: "colours_1", sql: "alter table items add column colour text" };

fn file(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("deep/down/items.db").display())
}

async fn insert(store: &Store, id: &str, sku: &str) -> anyhow::Result<()> {
    let mut tx = store.begin().await?;
    let insert = sqlx::query("insert into items (id, sku) values (?, ?)").bind(id).bind(sku);
    on_unique(insert.execute(&mut *tx).await, &[("items.sku", "sku"), ("items.id", "id")])?;
    Ok(tx.commit().await?)
}

async fn count(store: &Store) -> i64 {
    sqlx::query_scalar("select count(*) from items").fetch_one(store.read()).await.unwrap()
}

#[tokio::test]
async fn migrations_are_applied_once_and_in_order_and_the_data_stays() {
    let folder = tempfile::tempdir().unwrap();
    let url = file(&folder);
    let store = Store::open(&url, &[ITEMS]).await.unwrap();
    insert(&store, "1", "a").await.unwrap();
    store.close().await;
    for _ in 0..2 {
        let store = Store::open(&url, &[ITEMS, COLOURS]).await.unwrap();
        sqlx::query("select colour from items").fetch_one(store.read()).await.unwrap();
        store.close().await;
    }
    let error = |migrations: &'static [Migration]| {
        let url = url.clone();
        async move { format!("{:#}", Store::open(&url, migrations).await.unwrap_err()) }
    };
    const CHANGED: Migration = Migration { name: "colours_1", sql: "alter table items add column color text" };
    assert!(error(&[ITEMS, CHANGED]).await.contains("colours_1 was changed after it was applied"));
    assert!(error(&[ITEMS]).await.contains("colours_1 was applied by another version"));
    const WRONG: Migration = Migration { name: "wrong_1", sql: "create table good (x); create tabel bad (x)" };
    assert!(error(&[ITEMS, COLOURS, WRONG]).await.contains("wrong_1"));
    const ORPHAN: Migration = Migration { name: "orphan_1", sql: "insert into parts values ('nobody')" };
    assert!(error(&[ITEMS, COLOURS, ORPHAN]).await.contains("table parts"));
    let again = Migration { name: COLOURS.name, sql: "alter table items add column colour text\r\n" };
    let store = Store::open(&url, &[ITEMS, again]).await.expect("other line ends are no change");
    assert_eq!(count(&store).await, 1, "and nothing of the failed ones stayed");
    assert!(sqlx::query("select * from good").fetch_optional(store.read()).await.is_err());
}

#[tokio::test]
async fn many_processes_may_migrate_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = file(&folder);
    let opened = futures_util::future::join_all((0..8).map(|_| Store::open(&url, &[ITEMS, COLOURS]))).await;
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
}

#[tokio::test]
async fn other_urls_are_refused() {
    for url in ["postgres://localhost/x", "orders.db", "", "sqlite:x.db?mode=ro", "sqlite:x.db?durability=maybe"] {
        assert!(Store::open(url, &[]).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_commit_is_seen_a_dropped_transaction_is_not() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        file(&folder),
        ":memory:".into(),
        "sqlite::memory:".into(),
        file(&folder).replace("items", "x") + "?durability=process",
    ] {
        let store = Store::open(&url, &[ITEMS]).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        sqlx::query("insert into items (id) values ('1')").execute(&mut *tx).await.unwrap();
        assert_eq!(count(&store).await, 0, "not before the commit: {url}");
        drop(tx);
        insert(&store, "2", "a").await.unwrap();
        assert_eq!(count(&store).await, 1, "{url}");
        let other = Store::open(":memory:", &[ITEMS]).await.unwrap();
        assert_eq!(count(&other).await, 0, "each in-memory database is its own");
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let store = Store::open(":memory:", &[ITEMS]).await.unwrap();
    assert!(sqlx::query("insert into items (id) values ('1')").execute(store.read()).await.is_err());
}

#[tokio::test]
async fn references_are_checked() {
    let store = Store::open(":memory:", &[ITEMS]).await.unwrap();
    insert(&store, "1", "a").await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let nobody = sqlx::query("insert into parts values ('nobody')").execute(&mut *tx).await;
    let failure = on_reference(nobody, &["item"]).unwrap_err();
    assert_eq!((failure.kind, failure.detail.as_str()), (Kind::Invalid, "item refers to nothing"));
    assert_eq!(failure.fields[0].field, "item");
    let nobody = sqlx::query("insert into parts values ('nobody')").execute(&mut *tx).await;
    let failure = on_reference(nobody, &["item", "other"]).unwrap_err();
    assert_eq!((failure.detail.as_str(), failure.fields.len()), ("item or other refers to nothing", 0));

    let known = sqlx::query("insert into parts values ('1')").execute(&mut *tx).await;
    assert!(on_reference(known, &["item"]).unwrap().is_ok());
    let referred = sqlx::query("delete from items").execute(&mut *tx).await;
    let failure = on_referred(referred, "item 1").unwrap_err();
    assert_eq!((failure.kind, failure.detail.as_str()), (Kind::Conflict, "others refer to item 1"));

    let other = sqlx::query("insert into items (id) values ('1')").execute(&mut *tx).await;
    assert!(on_reference(other, &["item"]).unwrap().is_err(), "what is none of its business stays");
    let other = sqlx::query("delete from nothing").execute(&mut *tx).await;
    assert_eq!(on_referred(other, "item 1").unwrap_err().kind, Kind::Internal);
}

#[tokio::test]
async fn errors_have_their_kinds() {
    let store = Store::open(":memory:", &[ITEMS]).await.unwrap();
    insert(&store, "1", "a").await.unwrap();
    let kind = |error: anyhow::Error| {
        let failure = Failure::from(error);
        (failure.kind, failure.fields.first().map(|field| field.field.clone()))
    };
    assert_eq!(kind(insert(&store, "2", "a").await.unwrap_err()), (Kind::Exists, Some("sku".into())));
    assert_eq!(kind(insert(&store, "1", "b").await.unwrap_err()), (Kind::Exists, Some("id".into())));

    let mut tx = store.begin().await.unwrap();
    let pair = || sqlx::query("insert into items (id, a, b) values (random(), 'a', 'b')");
    pair().execute(&mut *tx).await.unwrap();
    let pair = pair().execute(&mut *tx).await;
    assert_eq!(kind(on_unique(pair, &[("items.a, items.b", "a")]).unwrap_err()), (Kind::Exists, Some("a".into())));
    let unknown = sqlx::query("insert into items (id, sku) values ('3', 'a')").execute(&mut *tx).await;
    assert_eq!(kind(on_unique(unknown, &[]).unwrap_err()), (Kind::Exists, None));
    let none = sqlx::query("delete from items where id = 'x'").execute(&mut *tx).await.unwrap();
    assert_eq!(changed(&none, "item x").map_err(|failure| failure.kind), Err(Kind::NotFound));
    assert_eq!(found(None::<()>, format_args!("item {}", 7)).unwrap_err().detail, "there is no item 7");
    assert_eq!(found(Some(7), "item"), Ok(7));
    assert_eq!(kit_store::failure(sqlx::Error::PoolTimedOut).kind, Kind::Unavailable);
}

#[tokio::test]
async fn a_locked_file_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) =
        (Store::open(&file(&folder), &[ITEMS]).await.unwrap(), Store::open(&file(&folder), &[ITEMS]).await.unwrap());
    let _tx = one.begin().await.unwrap();
    assert_eq!(two.begin().await.unwrap_err().kind, Kind::Unavailable, "another process holds it");
    tokio::time::pause();
    assert_eq!(one.begin().await.unwrap_err().kind, Kind::Unavailable, "we hold it ourselves");
}

#[tokio::test]
async fn after_a_full_disk_the_store_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&file(&folder), &[ITEMS]).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    // For this connection the disk ends where the file does: it cannot be less.
    sqlx::query("pragma max_page_count = 1").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let error = insert(&store, "1", &"a".repeat(100_000)).await.unwrap_err();
    assert_eq!(Failure::from(error).kind, Kind::Unavailable);
    assert_eq!(count(&store).await, 0);
    insert(&store, "2", &"a".repeat(100_000)).await.unwrap();
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn marks_change_with_a_marked_commit_only() {
    let store = Store::open(":memory:", &[ITEMS]).await.unwrap();
    let marks = store.marks();
    let mut tx = store.begin().await.unwrap();
    tx.mark();
    drop(tx);
    insert(&store, "1", "a").await.unwrap();
    assert!(!marks.has_changed().unwrap());
    let mut tx = store.begin().await.unwrap();
    tx.mark();
    tx.commit().await.unwrap();
    assert!(marks.has_changed().unwrap());
}

#[tokio::test]
async fn a_hundred_writers_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&file(&folder), &[ITEMS]).await.unwrap();
    let ids: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    let inserted = futures_util::future::join_all(ids.iter().map(|id| insert(&store, id, id))).await;
    assert!(inserted.iter().all(Result::is_ok), "{inserted:?}");
    assert_eq!(count(&store).await, 100);
    let row = sqlx::query("select * from items where id = ?").bind(Text("7")).fetch_optional(store.read());
    assert!(tokio::time::timeout(Duration::from_secs(5), row).await.unwrap().unwrap().is_some());
}

#[tokio::test]
async fn the_file_is_as_safe_as_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let sure = file(&folder);
    for (url, wanted) in
        [(sure.clone(), [2, 1]), (sure.clone() + "?durability=power", [2, 1]), (sure + "?durability=process", [1, 1])]
    {
        let store = Store::open(&url, &[ITEMS]).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let journal: String = sqlx::query_scalar("pragma journal_mode").fetch_one(&mut *tx).await.unwrap();
        let mut pragmas = Vec::new();
        for pragma in ["pragma synchronous", "pragma foreign_keys"] {
            pragmas.push(sqlx::query_scalar::<_, i32>(pragma).fetch_one(&mut *tx).await.unwrap());
        }
        assert_eq!((journal.as_str(), pragmas), ("wal", wanted.to_vec()), "{url}");
    }
}
