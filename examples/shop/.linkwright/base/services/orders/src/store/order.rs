// Yours: written once by Linkwright, never overwritten.

use anyhow::Result;
use kit::Failure;
use kit_store::{Columns as _, Json, List, Micros, Revision, Scaled, Sort, Text, Tx, changed, found, on_unique};
use orders_contract::{ListOrders, Money, Order, OrderId, OrderPage, OrderSort};
use sqlx::{
    Sqlite, SqliteExecutor, SqlitePool,
    sqlite::{SqliteArguments, SqliteRow},
};

/// The order, or `not_found`.
pub async fn get(db: impl SqliteExecutor<'_>, id: &OrderId) -> Result<Order> {
    let query = sqlx::query(r#"select * from "orders" where "id" = ?"#).bind(Text(&id));
    item(&found(query.fetch_optional(db).await?, format_args!("order {id}"))?)
}

pub async fn list(db: &SqlitePool, query: &ListOrders) -> Result<OrderPage> {
    let page = List::new("select * from \"orders\"", "id")
        .any_of("status", query.status.iter().map(Text))
        .any_of("customer", query.customer.iter())
        .sort(query.sort.iter().filter_map(|by| match by {
            OrderSort::PlacedAt => Some(Sort::by("placed_at", false)),
            OrderSort::PlacedAtDescending => Some(Sort::by("placed_at", true)),
            OrderSort::TotalAmount => Some(Sort::by("total_amount", false)),
            OrderSort::TotalAmountDescending => Some(Sort::by("total_amount", true)),
            OrderSort::Unrecognised(_) => None,
        }))
        .page(db, query.limit, query.cursor.as_ref())
        .await?;
    Ok(OrderPage { items: page.rows.iter().map(item).collect::<Result<_>>()?, next: page.next })
}

/// Fails with `exists` if something that must be unique is taken.
pub async fn insert(tx: &mut Tx, order: &Order) -> Result<()> {
    let query = sqlx::query(
        r#"insert into "orders" ("customer", "lines", "payment", "total_amount", "total_currency", "status",
             "placed_at", "id", "revision")
           values (?, ?, ?, ?, ?, ?, ?, ?, 1)"#,
    );
    on_unique(bind(query, order).execute(&mut **tx).await, UNIQUE)?;
    Ok(())
}

/// Writes the order, which gets its next revision; `stale` if it has changed since it was read.
pub async fn update(tx: &mut Tx, order: &mut Order) -> Result<()> {
    let query = sqlx::query(
        r#"update "orders" set "customer" = ?, "lines" = ?, "payment" = ?, "total_amount" = ?, "total_currency" = ?,
             "status" = ?, "placed_at" = ?, "revision" = "revision" + 1
           where "id" = ? and "revision" = ?"#,
    );
    let query = bind(query, order).bind(Revision(order.etag));
    let done = on_unique(query.execute(&mut **tx).await, UNIQUE)?;
    changed(&done, "order").map_err(|_| Failure::stale())?;
    order.etag = order.etag.next();
    Ok(())
}

const UNIQUE: &[(&str, &str)] = &[("orders.id", "id")];

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn bind<'q>(query: Query<'q>, order: &'q Order) -> Query<'q> {
    query
        .bind(&order.customer)
        .bind(Json(&order.lines))
        .bind(Json(&order.payment))
        .bind(Scaled::<2>(order.total.amount))
        .bind(Text(&order.total.currency))
        .bind(Text(&order.status))
        .bind(Micros(order.placed_at))
        .bind(Text(&order.id))
}

fn item(row: &SqliteRow) -> Result<Order> {
    Ok(Order {
        id: row.read::<Text<_>>("id")?,
        customer: row.read::<String>("customer")?,
        lines: row.read::<Json<_>>("lines")?,
        payment: row.read::<Json<_>>("payment")?,
        total: Money {
            amount: row.read::<Scaled<2>>("total_amount")?,
            currency: row.read::<Text<_>>("total_currency")?,
        },
        status: row.read::<Text<_>>("status")?,
        placed_at: row.read::<Micros>("placed_at")?,
        etag: row.read::<Revision>("revision")?,
    })
}
