// Yours: written once by Linkwright, never overwritten.

use anyhow::Result;
use inventory_contract::{Money, Reservation, ReservationId};
use kit::Failure;
use kit_store::{Columns as _, Json, Revision, Scaled, Text, Tx, changed, found, on_unique};
use sqlx::{
    Sqlite, SqliteExecutor,
    sqlite::{SqliteArguments, SqliteRow},
};

/// The reservation, or `not_found`.
pub async fn get(db: impl SqliteExecutor<'_>, id: &ReservationId) -> Result<Reservation> {
    let query = sqlx::query(r#"select * from "reservations" where "order_id" = ?"#).bind(Text(&id));
    item(&found(query.fetch_optional(db).await?, format_args!("reservation {id}"))?)
}

/// Fails with `exists` if something that must be unique is taken.
pub async fn insert(tx: &mut Tx, reservation: &Reservation) -> Result<()> {
    on_unique(bind(sqlx::query(r#"insert into "reservations" ("lines", "total_amount", "total_currency", "order_id", "revision") values (?, ?, ?, ?, 1)"#), reservation).execute(&mut **tx).await, UNIQUE)?;
    Ok(())
}

/// Writes the reservation, which gets its next revision; `stale` if it has changed since it was read.
pub async fn update(tx: &mut Tx, reservation: &mut Reservation) -> Result<()> {
    let query = bind(sqlx::query(r#"update "reservations" set "lines" = ?, "total_amount" = ?, "total_currency" = ?, "revision" = "revision" + 1 where "order_id" = ? and "revision" = ?"#), reservation).bind(Revision(reservation.etag));
    let done = on_unique(query.execute(&mut **tx).await, UNIQUE)?;
    changed(&done, "reservation").map_err(|_| Failure::stale())?;
    reservation.etag = reservation.etag.next();
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
