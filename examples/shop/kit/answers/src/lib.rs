//! First answers, in the service's own database. A call that comes again under its key, be it a caller's repeat or a
//! message that is delivered twice, is given the answer of the first and has no second effect.
//!
//! ```
//! use kit::{Context, Failure};
//! use kit_answers as answers;
//! use kit_store::Store;
//!
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Order;
//! async fn place(store: &Store, cx: &Context, order: Order) -> Result<Order, Failure> {
//!     let mut tx = store.begin().await?;
//!     // … the order …
//!     answers::keep(&mut tx, cx, &order).await?;
//!     tx.commit().await?;
//!     Ok(order)
//! }
//! ```

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use kit::{Context, Failure, Intent};
use kit_gate::{Kept, Ledger, encode, still_at_work};
use kit_store::{Columns, Micros, Migration, Store, Tx, failure};
use serde::Serialize;

/// The table, for [`Store::open`].
pub const MIGRATION: Migration = Migration { name: "kit_answers_1", sql: include_str!("answers.sql") };

/// One in so many answers forgets those whose time is over, a limited number of them.
const SWEEP: u32 = 100;

/// Keeps the answer under the key of the call, once the transaction is committed: with its effect, or neither. Without a
/// key there is nothing to keep.
///
/// # Errors
/// `conflict`, with the time to ask again: another process has done the same since this one began, so this transaction
/// must not be committed. `internal`: the operation answers with something else. `unavailable` or `internal`, from the
/// database.
pub async fn keep<T: Serialize + 'static>(tx: &mut Tx, cx: &Context, answer: &T) -> Result<(), Failure> {
    let Some(intent) = cx.intent() else { return Ok(()) };
    insert(tx, intent, encode(cx, answer)?).await?;
    intent.note_kept();
    Ok(())
}

/// The answers that a database holds, for the gate.
#[derive(Clone, Debug)]
pub struct Answers(pub Store);

#[async_trait]
impl Ledger for Answers {
    async fn find(&self, intent: &Intent) -> Result<Option<Kept>, Failure> {
        let query = r#"select "fingerprint", "answer" from "kit_answers"
            where "operation" = ? and "caller" = ? and "key" = ? and "until" > ?"#;
        let query = sqlx::query(query).bind(intent.operation.name).bind(&intent.caller).bind(&*intent.key);
        let row = query.bind(Micros(Utc::now())).fetch_optional(self.0.read()).await.map_err(failure)?;
        let kept = |row: sqlx::sqlite::SqliteRow| {
            let (fingerprint, answer) = (row.read::<String>("fingerprint")?, row.read::<String>("answer")?);
            Ok(Kept { fingerprint, answer })
        };
        row.map(kept).transpose().map_err(failure)
    }

    async fn keep(&self, intent: &Intent, answer: String) -> Result<(), Failure> {
        let mut tx = self.0.begin().await?;
        insert(&mut tx, intent, answer).await?;
        tx.commit().await
    }
}

async fn insert(tx: &mut Tx, intent: &Intent, answer: String) -> Result<(), Failure> {
    let now = Utc::now();
    if fastrand::u32(..SWEEP) == 0 {
        let sweep = r#"delete from "kit_answers" where rowid in
            (select rowid from "kit_answers" where "until" <= ? order by "until" limit 1000)"#;
        sqlx::query(sweep).bind(Micros(now)).execute(&mut **tx).await.map_err(failure)?;
    }
    let window = TimeDelta::from_std(intent.window).unwrap_or(TimeDelta::MAX);
    let insert = r#"insert into "kit_answers" ("operation", "caller", "key", "fingerprint", "answer", "until")
        values (?, ?, ?, ?, ?, ?) on conflict do update
        set "fingerprint" = excluded."fingerprint", "answer" = excluded."answer", "until" = excluded."until"
        where "until" <= ?"#;
    let insert = sqlx::query(insert).bind(intent.operation.name).bind(&intent.caller).bind(&*intent.key);
    let insert = insert.bind(&intent.fingerprint).bind(answer);
    let done = insert.bind(Micros(now + window)).bind(Micros(now)).execute(&mut **tx).await.map_err(failure)?;
    if done.rows_affected() == 0 { Err(still_at_work()) } else { Ok(()) }
}
