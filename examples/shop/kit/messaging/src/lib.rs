//! Messages between services. Each is a CloudEvent ([`Message`]); a [`Broker`] carries it to the subscriptions of its
//! type; a [`Consumer`] hands it to the service and acknowledges, retries or sets it aside. What a service publishes is
//! stored in its own transaction first ([`outbox`]), so that state and messages never disagree. A message that comes again
//! has the same idempotency key, by which the service behind it knows it. A [`Command`] travels the same way to the one service that does it; a [`Sender`] sends it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use kit::{Context, Failure};
//! use kit_messaging::{Broker, Consumer, Event, Message, Policy, Relay, Subscription, outbox};
//! use kit_store::Store;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct OrderPlaced {
//!     order_id: String,
//! }
//!
//! impl Event for OrderPlaced {
//!     const TYPE: &'static str = "shop.orders.OrderPlaced.v1";
//!     const SOURCE: &'static str = "/orders";
//!
//!     fn subject(&self) -> Option<String> {
//!         Some(self.order_id.clone())
//!     }
//! }
//!
//! // Publishing: stored with the order, or not at all.
//! async fn place(store: &Store, cx: &Context, order_id: String) -> Result<(), Failure> {
//!     let mut tx = store.begin().await?;
//!     // … the order …
//!     outbox::publish(&mut tx, cx, &OrderPlaced { order_id }).await?;
//!     tx.commit().await
//! }
//!
//! // Receiving: every delivery of a message has the same key.
//! async fn bill(store: &Store, cx: &Context, placed: OrderPlaced) -> Result<(), Failure> {
//!     let mut tx = store.begin().await?;
//!     // … the bill for placed.order_id, if there is none of cx.idempotency_key() …
//!     tx.commit().await
//! }
//!
//! # async fn wiring(stop: impl Future<Output = ()> + Clone + Send + 'static) -> anyhow::Result<()> {
//! let store = Store::open("sqlite:data/billing.db", &[outbox::MIGRATION]).await?;
//! let broker = kit_messaging::connect("sqlite:data/messages.db").await?;
//! let relay = Relay::new(store.clone(), broker.clone());
//! let consumer = Consumer::new(broker, Subscription::new("billing.bill", [OrderPlaced::TYPE]), Policy::default());
//! tokio::join!(
//!     relay.run(stop.clone()),
//!     consumer.run(stop, move |cx, message| {
//!         let store = store.clone();
//!         async move { bill(&store, &cx, message.data()?).await }
//!     }),
//! );
//! # Ok(())
//! # }
//! ```

mod arrival;
mod batch;
mod broker;
mod command;
mod consumer;
pub mod desk;
mod embedded;
mod memory;
mod message;
pub mod outbox;
mod policy;
mod relay;

pub use arrival::{acknowledged, delivered, taken};
pub use broker::{
    Broker, DeadLetter, Delivery, Mishap, Receipt, Subscription, SubscriptionStats, Verdict, Which, connect,
};
pub use command::{Command, Sender};
pub use consumer::{Consumer, ConsumerState, handler};
pub use embedded::EmbeddedBroker;
pub use memory::MemoryBroker;
pub use message::{Event, Message, SpecVersion, about};
pub use policy::{Batch, Guarantee, Policy};
pub use relay::{Relay, RelayState};
