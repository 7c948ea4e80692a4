//! What is to be published, in the service's own database and transaction: a message goes out if and only if the state
//! it tells of is committed. The [`Relay`](crate::Relay) takes it from there.

use kit::{Context, Failure};
use kit_store::{Migration, Tx, failure};

use crate::{Event, Message};

/// The outbox's table, for [`Store::open`](kit_store::Store::open).
pub const MIGRATION: Migration = Migration { name: "kit_outbox_1", sql: include_str!("outbox.sql") };

/// Publishes an event once the transaction is committed.
///
/// # Errors
/// `unavailable` or `internal`, from the database.
pub async fn publish<E: Event>(tx: &mut Tx, cx: &Context, event: &E) -> Result<(), Failure> {
    send(tx, &Message::event(cx, event)?).await
}

/// Sends a message, such as a [command](Message::command), once the transaction is committed.
///
/// # Errors
/// `invalid` if it is too big for brokers; `unavailable` or `internal`, from the database.
pub async fn send(tx: &mut Tx, message: &Message) -> Result<(), Failure> {
    let insert = sqlx::query(r#"insert into "kit_outbox" ("event") values (?)"#).bind(message.encode()?);
    insert.execute(&mut **tx).await.map_err(failure)?;
    tx.mark();
    Ok(())
}
