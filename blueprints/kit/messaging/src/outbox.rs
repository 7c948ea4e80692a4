//! What is to be published, in the service's own database and transaction: a message goes out if and only if the state
//! it tells of is committed. The [`Relay`](crate::Relay) takes it from there.

use std::cell::RefCell;

use kit::{Context, Failure};
use kit_store::{Migration, Tx, failure};

use crate::{Event, Message};

/// The outbox's table, for [`Store::open`](kit_store::Store::open).
pub const MIGRATION: Migration = Migration { name: "kit_outbox_1", sql: include_str!("outbox.sql") };

tokio::task_local! {
    /// What is to be sent with the transaction of [`together`].
    static HELD: RefCell<Vec<Message>>;
}

/// Does `work`, and whatever it sends through a [`Sender`](crate::Sender) goes out once the transaction is committed:
/// `outbox::together(&mut tx, self.inventory.restock(cx, input)).await?`. Of what it does by other ways nothing changes.
///
/// # Errors
/// Those of the work, then as [`send`].
pub async fn together<T, E: From<Failure>>(
    tx: &mut Tx,
    work: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, E> {
    let holding = async {
        let answer = work.await?;
        Ok::<_, E>((answer, HELD.with(RefCell::take)))
    };
    let (answer, messages) = HELD.scope(RefCell::default(), holding).await?;
    for message in &messages {
        send(tx, message).await?;
    }
    Ok(answer)
}

/// Keeps a message for the transaction that we are in, or gives it back if there is none.
pub(crate) fn hold(message: Message) -> Option<Message> {
    let mut message = Some(message);
    let held = HELD.try_with(|held| held.borrow_mut().extend(message.take()));
    held.err().and(message)
}

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
