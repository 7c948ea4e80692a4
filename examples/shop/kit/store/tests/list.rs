//! Lists: filters, and pages that neither skip nor double a row, whatever comes and goes meanwhile.

use std::collections::BTreeSet;

use kit::{Cursor, Failure, Kind};
use kit_store::{List, Migration, Rows, Scaled, Sort, Store, Text};
use proptest::{collection::vec, option, prelude::*};
use sqlx::Row;

const ITEMS: Migration = Migration {
    name: "items_1",
    sql: "create table items (seq integer primary key autoincrement, id text not null unique, \
          kind text not null, size integer, weight real, note text); create index by_size on items (size, id);",
};

#[derive(Clone, Debug)]
struct Item {
    kind: &'static str,
    size: Option<i64>,
    weight: Option<f64>,
    note: Option<String>,
}

fn item() -> impl Strategy<Value = Item> {
    let (size, weight) =
        (option::of(-2..3i64), option::of(prop::sample::select(&[0.1, 0.1 + 0.2, 0.3, -1e300, 0.0][..])));
    let note = option::of("[aäß'%\"]{0,2}");
    (prop::sample::select(&["a", "b", "c"][..]), size, weight, note).prop_map(|(kind, size, weight, note)| Item {
        kind,
        size,
        weight,
        note,
    })
}

fn sort() -> impl Strategy<Value = Vec<Sort>> {
    let columns = &[("kind", false), ("size", true), ("weight", true), ("note", true), ("id", false)][..];
    let one = (prop::sample::select(columns), any::<bool>()).prop_map(|((column, nullable), descending)| Sort {
        column,
        descending,
        nullable,
    });
    vec(one, 0..4)
}

async fn insert(store: &Store, id: String, item: &Item) {
    let mut tx = store.begin().await.unwrap();
    let insert = sqlx::query("insert into items (id, kind, size, weight, note) values (?, ?, ?, ?, ?)").bind(id);
    insert.bind(item.kind).bind(item.size).bind(item.weight).bind(&item.note).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

fn ids(rows: &Rows) -> Vec<String> {
    rows.rows.iter().map(|row| row.try_get("id").unwrap()).collect()
}

async fn page(store: &Store, sort: &[Sort], limit: u32, cursor: Option<&Cursor>) -> Rows {
    List::new("select * from items", "id").sort(sort.to_vec()).page(store.read(), Some(limit), cursor).await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// While rows are inserted and deleted between two pages, every row that is there all the time comes exactly once,
    /// no row comes twice, and what comes is in order.
    #[test]
    fn a_walk_misses_and_doubles_nothing(
        before in vec(item(), 0..20), between in vec((item(), any::<prop::sample::Index>()), 0..10), sort in sort(), limit in 1..5u32,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(":memory:", &[ITEMS]).await.unwrap();
            for (number, item) in before.iter().enumerate() {
                insert(&store, format!("{number:03}"), item).await;
            }
            let mut stay: BTreeSet<_> = (0..before.len()).map(|number| format!("{number:03}")).collect();
            let mut walked: Vec<String> = Vec::new();
            let (mut cursor, mut changes) = (None, between.iter().enumerate());
            loop {
                let rows = page(&store, &sort, limit, cursor.as_ref()).await;
                assert!(rows.rows.len() <= limit as usize);
                walked.extend(ids(&rows));
                if rows.next.is_none() {
                    break;
                }
                cursor = rows.next;
                if let Some((number, (new, gone))) = changes.next() {
                    insert(&store, format!("{:03}", 100 - number), new).await;
                    if !before.is_empty() {
                        let gone = format!("{:03}", gone.index(before.len()));
                        let mut tx = store.begin().await.unwrap();
                        sqlx::query("delete from items where id = ?").bind(&gone).execute(&mut *tx).await.unwrap();
                        tx.commit().await.unwrap();
                        stay.remove(&gone);
                    }
                }
            }
            let unique: BTreeSet<_> = walked.iter().cloned().collect();
            assert_eq!(unique.len(), walked.len(), "doubled: {walked:?}");
            assert!(stay.is_subset(&unique), "missed: {walked:?} of {stay:?}");
            let all = ids(&page(&store, &sort, 200, None).await);
            let in_order: Vec<_> = all.iter().filter(|id| unique.contains(*id)).collect();
            let seen: Vec<_> = walked.iter().filter(|id| all.contains(id)).collect();
            assert_eq!(in_order, seen);
        });
    }
}

async fn some() -> Store {
    let store = Store::open(":memory:", &[ITEMS]).await.unwrap();
    for (id, kind, size) in [("1", "a", Some(1)), ("2", "b", Some(2)), ("3", "b", None), ("4", "c", Some(4))] {
        insert(&store, id.into(), &Item { kind, size, weight: None, note: None }).await;
    }
    store
}

#[tokio::test]
async fn filters_and_order() {
    let store = some().await;
    let list = || List::new("select * from items", "id");
    for (list, wanted) in [
        (list(), "4321"),
        (list().newest_by("seq"), "4321"),
        (list().sort([Sort::by("id", false)]), "1234"),
        (list().sort([Sort::by("size", false).nullable()]), "3124"),
        (list().sort([Sort::by("size", true).nullable()]), "4213"),
        (list().sort([Sort::by("kind", true), Sort::by("id", false)]), "4231"),
        (list().any_of("kind", ["a", "c"].map(Text)), "41"),
        (list().any_of("kind", Vec::<&str>::new()), "4321"),
        (list().gte("kind", Some("b")).gt("size", None::<i64>), "432"),
        (list().gte("size", Some(2)), "42"),
        (list().gt("size", Some(2)), "4"),
        (list().lte("size", Some(2)), "21"),
        (list().lt("size", Some(2)), "1"),
        (list().any_of("kind", ["b"]).gte("size", Some(1)).lt("size", Some(9)), "2"),
        (list().any_of("kind", ["x' or 1=1 --"]), ""),
        (list().sort((0..5000).map(|n| Sort::by(["kind", "id"][n % 2], n == 0))), "4231"),
    ] {
        let text = format!("{list:?}");
        let rows = list.page(store.read(), None, None).await.unwrap();
        assert_eq!((ids(&rows).concat().as_str(), rows.next), (wanted, None), "{text}");
    }
}

#[tokio::test]
async fn a_cursor_is_of_its_list_filter_and_sort() {
    let store = some().await;
    let list = |kind: &str| List::new("select * from items", "id").any_of("kind", [kind.to_owned(), "c".into()]);
    let kind = |result: anyhow::Result<Rows>| Failure::from(result.unwrap_err()).kind;
    let next = list("b").page(store.read(), Some(1), None).await.unwrap().next.unwrap();
    assert_eq!(ids(&list("b").page(store.read(), Some(9), Some(&next)).await.unwrap()), ["3", "2"]);
    assert_eq!(kind(list("a").page(store.read(), Some(1), Some(&next)).await), Kind::Invalid);
    assert_eq!(
        kind(list("b").sort([Sort::by("kind", true)]).page(store.read(), Some(1), Some(&next)).await),
        Kind::Invalid
    );
    assert_eq!(kind(list("b").page(store.read(), Some(1), Some(&Cursor("x".into()))).await), Kind::Invalid);
    assert_eq!(kind(list("b").page(store.read(), Some(0), None).await), Kind::Invalid);
    assert_eq!(kind(list("b").page(store.read(), Some(201), None).await), Kind::Invalid);
    let too_fine = Some(Scaled::<2>(kit::json::decimal("0.001").unwrap()));
    assert_eq!(kind(list("b").gte("size", too_fine).page(store.read(), None, None).await), Kind::Invalid);
}

#[tokio::test]
async fn several_are_read_at_once() {
    let store = Store::open(":memory:", &[ITEMS]).await.unwrap();
    for id in ["a", "b'\"", "c"] {
        insert(&store, id.into(), &Item { kind: "a", size: None, weight: None, note: None }).await;
    }
    for (asked, there) in
        [(vec!["c", "b'\"", "c", "gone"], vec!["b'\"", "c"]), (vec![], vec![]), (vec!["gone"], vec![])]
    {
        let rows = kit_store::any_of(store.read(), "select * from items", "id", asked.iter().copied()).await.unwrap();
        let mut found: Vec<String> = rows.iter().map(|row| row.try_get("id").unwrap()).collect();
        found.sort();
        assert_eq!(found, there);
    }
}
