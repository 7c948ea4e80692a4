// Yours: written once by Linkwright, never overwritten.

use anyhow::Result;
use inventory_contract::{Money, Reservation, ReservationId};
use kit_store::{Columns as _, Json, Revision, Scaled, Text, Tx, on_unique};
use sqlx::{
    Sqlite, SqliteExecutor,
    sqlite::{SqliteArguments, SqliteRow},
};

/// The reservation, if there is one.
pub async fn find(db: impl SqliteExecutor<'_>, id: &ReservationId) -> Result<Option<Reservation>> {
    let query = sqlx::query(r#"select * from "reservations" where "order_id" = ?"#).bind(Text(id));
    query.fetch_optional(db).await?.as_ref().map(item).transpose()
}

/// Fails with `exists` if something that must be unique is taken.
pub async fn insert(tx: &mut Tx, reservation: &Reservation) -> Result<()> {
    let query = sqlx::query(
        r#"insert into "reservations" ("lines", "total_amount", "total_currency", "order_id", "revision")
           values (?, ?, ?, ?, 1)"#,
    );
    on_unique(bind(query, reservation).execute(&mut **tx).await, UNIQUE)?;
    Ok(())
}

/// Forgets the reservation.
pub async fn delete(tx: &mut Tx, id: &ReservationId) -> Result<()> {
    sqlx::query(r#"delete from "reservations" where "order_id" = ?"#).bind(Text(id)).execute(&mut **tx).await?;
    Ok(())
}

const UNIQUE: &[(&str, &str)] = &[("reservations.order_id", "order_id")];

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn bind<'q>(query: Query<'q>, reservation: &'q Reservation) -> Query<'q> {
    query
        .bind(Json(&reservation.lines))
        .bind(Scaled::<2>(reservation.total.amount))
        .bind(Text(&reservation.total.currency))
        .bind(Text(&reservation.order_id))
}

fn item(row: &SqliteRow) -> Result<Reservation> {
    Ok(Reservation {
        order_id: row.read::<Text<_>>("order_id")?,
        lines: row.read::<Json<_>>("lines")?,
        total: Money {
            amount: row.read::<Scaled<2>>("total_amount")?,
            currency: row.read::<Text<_>>("total_currency")?,
        },
        etag: row.read::<Revision>("revision")?,
    })
}
