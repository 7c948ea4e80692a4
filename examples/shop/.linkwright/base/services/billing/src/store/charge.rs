// Yours: written once by Linkwright, never overwritten.

use anyhow::Result;
use billing_contract::{Charge, ChargeId, Money};
use kit::Failure;
use kit_store::{Columns as _, Micros, Revision, Scaled, Text, Tx, changed, found, on_unique};
use sqlx::{
    Sqlite, SqliteExecutor,
    sqlite::{SqliteArguments, SqliteRow},
};

/// The charge, or `not_found`.
pub async fn get(db: impl SqliteExecutor<'_>, id: &ChargeId) -> Result<Charge> {
    let query = sqlx::query(r#"select * from "charges" where "order_id" = ?"#).bind(Text(&id));
    item(&found(query.fetch_optional(db).await?, format_args!("charge {id}"))?)
}

/// Fails with `exists` if something that must be unique is taken.
pub async fn insert(tx: &mut Tx, charge: &Charge) -> Result<()> {
    let query = sqlx::query(
        r#"insert into "charges" ("amount_amount", "amount_currency", "charged_at", "refunded", "order_id",
             "revision")
           values (?, ?, ?, ?, ?, 1)"#,
    );
    on_unique(bind(query, charge).execute(&mut **tx).await, UNIQUE)?;
    Ok(())
}

/// Writes the charge, which gets its next revision; `stale` if it has changed since it was read.
pub async fn update(tx: &mut Tx, charge: &mut Charge) -> Result<()> {
    let query = sqlx::query(
        r#"update "charges" set "amount_amount" = ?, "amount_currency" = ?, "charged_at" = ?, "refunded" = ?,
             "revision" = "revision" + 1
           where "order_id" = ? and "revision" = ?"#,
    );
    let query = bind(query, charge).bind(Revision(charge.etag));
    let done = on_unique(query.execute(&mut **tx).await, UNIQUE)?;
    changed(&done, "charge").map_err(|_| Failure::stale())?;
    charge.etag = charge.etag.next();
    Ok(())
}

const UNIQUE: &[(&str, &str)] = &[("charges.order_id", "order_id")];

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn bind<'q>(query: Query<'q>, charge: &'q Charge) -> Query<'q> {
    query
        .bind(Scaled::<2>(charge.amount.amount))
        .bind(Text(&charge.amount.currency))
        .bind(Micros(charge.charged_at))
        .bind(charge.refunded)
        .bind(Text(&charge.order_id))
}

fn item(row: &SqliteRow) -> Result<Charge> {
    Ok(Charge {
        order_id: row.read::<Text<_>>("order_id")?,
        amount: Money {
            amount: row.read::<Scaled<2>>("amount_amount")?,
            currency: row.read::<Text<_>>("amount_currency")?,
        },
        charged_at: row.read::<Micros>("charged_at")?,
        refunded: row.read::<bool>("refunded")?,
        etag: row.read::<Revision>("revision")?,
    })
}
