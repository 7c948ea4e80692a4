// Yours: written once by Linkwright, never overwritten.

use anyhow::Result;
use kit::Failure;
use kit_store::{Columns as _, Json, List, Revision, Text, Tx, changed, found, on_unique};
use shipping_contract::{ListParcels, Parcel, ParcelId, ParcelPage};
use sqlx::{
    Sqlite, SqliteExecutor, SqlitePool,
    sqlite::{SqliteArguments, SqliteRow},
};

/// The parcel, or `not_found`.
pub async fn get(db: impl SqliteExecutor<'_>, id: &ParcelId) -> Result<Parcel> {
    let query = sqlx::query(r#"select * from "parcels" where "order_id" = ?"#).bind(Text(&id));
    item(&found(query.fetch_optional(db).await?, format_args!("parcel {id}"))?)
}

pub async fn list(db: &SqlitePool, query: &ListParcels) -> Result<ParcelPage> {
    let page = List::new("select rowid, * from \"parcels\"", "order_id")
        .newest_by("rowid")
        .any_of("status", query.status.iter().map(Text))
        .page(db, query.limit, query.cursor.as_ref())
        .await?;
    Ok(ParcelPage { items: page.rows.iter().map(item).collect::<Result<_>>()?, next: page.next })
}

/// Fails with `exists` if something that must be unique is taken.
pub async fn insert(tx: &mut Tx, parcel: &Parcel) -> Result<()> {
    let query = sqlx::query(r#"insert into "parcels" ("lines", "status", "order_id", "revision") values (?, ?, ?, 1)"#);
    on_unique(bind(query, parcel).execute(&mut **tx).await, UNIQUE)?;
    Ok(())
}

/// Writes the parcel, which gets its next revision; `stale` if it has changed since it was read.
pub async fn update(tx: &mut Tx, parcel: &mut Parcel) -> Result<()> {
    let query = sqlx::query(
        r#"update "parcels" set "lines" = ?, "status" = ?, "revision" = "revision" + 1
           where "order_id" = ? and "revision" = ?"#,
    );
    let query = bind(query, parcel).bind(Revision(parcel.etag));
    let done = on_unique(query.execute(&mut **tx).await, UNIQUE)?;
    changed(&done, "parcel").map_err(|_| Failure::stale())?;
    parcel.etag = parcel.etag.next();
    Ok(())
}

const UNIQUE: &[(&str, &str)] = &[("parcels.order_id", "order_id")];

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn bind<'q>(query: Query<'q>, parcel: &'q Parcel) -> Query<'q> {
    query.bind(Json(&parcel.lines)).bind(Text(&parcel.status)).bind(Text(&parcel.order_id))
}

fn item(row: &SqliteRow) -> Result<Parcel> {
    Ok(Parcel {
        order_id: row.read::<Text<_>>("order_id")?,
        lines: row.read::<Json<_>>("lines")?,
        status: row.read::<Text<_>>("status")?,
        etag: row.read::<Revision>("revision")?,
    })
}
