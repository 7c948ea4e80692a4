//! A service's `store.rs` as it is written against this crate, at work.

use chrono::{DateTime, Utc};
use kit::{Cursor, Etag, Failure, Kind, json};
use kit_store::{Migration, Store};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

kit::id! {
    pub OrderId(Uuid)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    sku: String,
    quantity: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    Placed,
    Paid,
    #[serde(untagged)]
    Unrecognised(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    id: OrderId,
    reference: String,
    lines: Vec<Line>,
    status: OrderStatus,
    total: Decimal,
    note: Option<String>,
    placed_at: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
}

#[derive(Default)]
pub struct ListOrders {
    limit: Option<u32>,
    cursor: Option<Cursor>,
    sort: Vec<OrderSort>,
    status: Vec<OrderStatus>,
    placed_at_gte: Option<DateTime<Utc>>,
    total_lt: Option<Decimal>,
}

#[derive(Clone, Copy)]
pub enum OrderSort {
    PlacedAt,
    PlacedAtDescending,
    PaidAt,
    PaidAtDescending,
}

pub struct OrderPage {
    items: Vec<Order>,
    next: Option<Cursor>,
}

mod store {
    use anyhow::Result;
    use kit::{Etag, Failure};
    use kit_store::{Columns, Json, List, Micros, Revision, Scaled, Sort, Text, Tx, changed, found, on_unique};
    use sqlx::{SqliteExecutor, SqlitePool, sqlite::SqliteRow};

    use super::{ListOrders, Order, OrderId, OrderPage, OrderSort};

    pub async fn get(db: impl SqliteExecutor<'_>, id: &OrderId) -> Result<(Order, Etag)> {
        let query = sqlx::query(r#"select * from "orders" where "id" = ?"#).bind(Text(id));
        let row = found(query.fetch_optional(db).await?, format_args!("order {id}"))?;
        Ok((order(&row)?, row.read::<Revision>("revision")?))
    }

    pub async fn list(db: &SqlitePool, input: &ListOrders) -> Result<OrderPage> {
        let page = List::new(r#"select * from "orders""#, "id")
            .any_of("status", input.status.iter().map(Text))
            .gte("placed_at", input.placed_at_gte.map(Micros))
            .lt("total", input.total_lt.map(Scaled::<2>))
            .sort(input.sort.iter().map(|by| match by {
                OrderSort::PlacedAt => Sort::by("placed_at", false),
                OrderSort::PlacedAtDescending => Sort::by("placed_at", true),
                OrderSort::PaidAt => Sort::by("paid_at", false).nullable(),
                OrderSort::PaidAtDescending => Sort::by("paid_at", true).nullable(),
            }))
            .page(db, input.limit, input.cursor.as_ref())
            .await?;
        Ok(OrderPage { items: page.rows.iter().map(order).collect::<Result<_>>()?, next: page.next })
    }

    pub async fn insert(tx: &mut Tx, order: &Order) -> Result<Etag> {
        let query = sqlx::query(
            r#"insert into "orders" ("reference", "lines", "status", "total", "note", "placed_at", "paid_at", "revision", "id")
               values (?, ?, ?, ?, ?, ?, ?, 1, ?)"#,
        );
        on_unique(bind(query, order).execute(&mut **tx).await, UNIQUE)?;
        Ok(Etag(1))
    }

    pub async fn update(tx: &mut Tx, order: &Order, etag: Etag) -> Result<Etag> {
        let query = sqlx::query(
            r#"update "orders" set "reference" = ?, "lines" = ?, "status" = ?, "total" = ?, "note" = ?, "placed_at" = ?,
               "paid_at" = ?, "revision" = "revision" + 1 where "id" = ? and "revision" = ?"#,
        );
        let done = on_unique(bind(query, order).bind(Revision(etag)).execute(&mut **tx).await, UNIQUE)?;
        changed(&done, "").map_err(|_| Failure::stale())?;
        Ok(etag.next())
    }

    pub async fn delete(tx: &mut Tx, id: &OrderId) -> Result<()> {
        let done = sqlx::query(r#"delete from "orders" where "id" = ?"#).bind(Text(id)).execute(&mut **tx).await?;
        Ok(changed(&done, format_args!("order {id}"))?)
    }

    const UNIQUE: &[(&str, &str)] = &[("orders.reference", "reference")];

    type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

    fn bind<'q>(query: Query<'q>, order: &'q Order) -> Query<'q> {
        query
            .bind(&order.reference)
            .bind(Json(&order.lines))
            .bind(Text(&order.status))
            .bind(Scaled::<2>(order.total))
            .bind(&order.note)
            .bind(Micros(order.placed_at))
            .bind(order.paid_at.map(Micros))
            .bind(Text(&order.id))
    }

    fn order(row: &SqliteRow) -> Result<Order> {
        Ok(Order {
            id: row.read::<Text<_>>("id")?,
            reference: row.read::<String>("reference")?,
            lines: row.read::<Json<_>>("lines")?,
            status: row.read::<Text<_>>("status")?,
            total: row.read::<Scaled<2>>("total")?,
            note: row.read::<Option<String>>("note")?,
            placed_at: row.read::<Micros>("placed_at")?,
            paid_at: row.read::<Option<Micros>>("paid_at")?,
        })
    }
}

const ORDERS: Migration = Migration {
    name: "orders_1",
    sql: r#"create table "orders" (
                "id" text not null primary key,
                "revision" integer not null,
                "reference" text not null unique,
                "lines" text not null,
                "status" text not null,
                "total" integer not null, -- hundredths
                "note" text,
                "placed_at" text not null,
                "paid_at" text
            );
            create index "orders_placed_at" on "orders" ("placed_at", "id");"#,
};

fn order(number: u32) -> Order {
    Order {
        id: OrderId(Uuid::now_v7()),
        reference: format!("ref-{number}"),
        lines: vec![Line { sku: "a'b".into(), quantity: number }],
        status: if number.is_multiple_of(2) { OrderStatus::Paid } else { OrderStatus::Placed },
        total: json::decimal(&format!("{number}.50")).unwrap(),
        note: number.is_multiple_of(2).then(|| "ü".into()),
        placed_at: json::now(),
        paid_at: number.is_multiple_of(2).then(json::now),
    }
}

async fn some() -> (Store, Vec<Order>) {
    let store = Store::open(":memory:", &[ORDERS]).await.unwrap();
    let orders: Vec<_> = (1..=5).map(order).collect();
    let mut tx = store.begin().await.unwrap();
    for order in &orders {
        store::insert(&mut tx, order).await.unwrap();
    }
    tx.commit().await.unwrap();
    (store, orders)
}

fn kind<T: std::fmt::Debug>(result: anyhow::Result<T>) -> Kind {
    Failure::from(result.unwrap_err()).kind
}

#[tokio::test]
async fn a_resource_is_stored_changed_and_deleted() {
    let (store, orders) = some().await;
    assert_eq!(store::get(store.read(), &orders[0].id).await.unwrap(), (orders[0].clone(), Etag(1)));
    assert_eq!(store::get(store.read(), &orders[1].id).await.unwrap().0, orders[1]);

    let mut tx = store.begin().await.unwrap();
    let paid = Order { status: OrderStatus::Unrecognised("shipped".into()), ..orders[0].clone() };
    assert_eq!(store::update(&mut tx, &paid, Etag(1)).await.unwrap(), Etag(2));
    assert_eq!(kind(store::update(&mut tx, &paid, Etag(1)).await), Kind::Stale);
    let taken = Order { reference: "ref-2".into(), ..paid.clone() };
    assert_eq!(kind(store::update(&mut tx, &taken, Etag(2)).await), Kind::Exists);
    assert_eq!(store::get(&mut *tx, &paid.id).await.unwrap(), (paid.clone(), Etag(2)), "the transaction sees it");
    store::delete(&mut tx, &orders[4].id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(kind(store::get(store.read(), &orders[4].id).await), Kind::NotFound);
}

#[tokio::test]
async fn a_list_is_filtered_sorted_and_walked() {
    let (store, orders) = some().await;
    let numbers = |page: &OrderPage| page.items.iter().map(|order| order.lines[0].quantity).collect::<Vec<_>>();
    let list = async |input: ListOrders| store::list(store.read(), &input).await.unwrap();
    assert_eq!(numbers(&list(ListOrders::default()).await), [5, 4, 3, 2, 1], "newest first");
    let paid = ListOrders { status: vec![OrderStatus::Paid], sort: vec![OrderSort::PlacedAt], ..ListOrders::default() };
    assert_eq!(numbers(&list(paid).await), [2, 4]);
    let late = ListOrders { placed_at_gte: Some(orders[3].placed_at), ..ListOrders::default() };
    assert_eq!(numbers(&list(late).await), [5, 4]);
    let cheap = ListOrders { total_lt: Some(json::decimal("3.5").unwrap()), ..ListOrders::default() };
    assert_eq!(numbers(&list(cheap).await), [2, 1]);
    let (mut cursor, mut walked) = (None, Vec::new());
    loop {
        let sort = vec![OrderSort::PaidAt, OrderSort::PlacedAtDescending];
        let page = list(ListOrders { limit: Some(2), cursor, sort, ..ListOrders::default() }).await;
        walked.extend(numbers(&page));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(walked, [5, 3, 1, 2, 4], "not paid comes first");
    assert!(
        list(ListOrders { sort: vec![OrderSort::PaidAtDescending], ..ListOrders::default() }).await.items[0]
            .paid_at
            .is_some()
    );
}
