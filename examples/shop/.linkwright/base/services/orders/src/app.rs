// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_answers::Answers;
use kit_gate::Gate;
use kit_messaging::{Broker, Consumer, Event as _, Policy, Relay, Subscription};
use kit_service::{BrokerConfig, LinkConfig, Service, StoreConfig};
use kit_store::Store;
use orders_contract::Orders as _;
use serde::Deserialize;

use crate::{Orders, store};

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub store: StoreConfig,
    pub broker: BrokerConfig,
    pub links: Links,
}

/// The services that this one calls.
#[derive(Debug, Deserialize)]
pub struct Links {
    pub inventory: LinkConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let store = store::open(&config.store.url).await?;
    service.line("store", &config.store.url);
    service.check("store", &store, async |store: Store| store.ping().await);
    let broker = kit_messaging::connect(&config.broker.url).await?;
    service.line("broker", &config.broker.url);
    service.check("broker", &broker, async |broker: Arc<dyn Broker>| Ok(broker.ping().await?));
    for subscription in orders_contract::subscriptions() {
        broker.declare(&subscription).await?;
    }
    let relay = Relay::new(store.clone(), broker.clone());
    service.last("outbox", async move |stopping| relay.run(stopping.cancelled()).await);
    let inventory = inventory(&config.links.inventory, service)?;
    let orders = Arc::new(Orders::new(store.clone(), inventory));
    let gate = Gate::new(Arc::new(Answers(store)));
    let orders = Arc::new(orders_contract::Gated { inner: orders, gate });
    consume_mark_paid(&broker, &orders, service);
    consume_mark_refused(&broker, &orders, service);
    consume_mark_sent(&broker, &orders, service);
    Ok(orders_contract::rest::router(orders))
}

/// `inventory`, behind a link.
///
/// Slow: a try is given up after 300ms, and what is safe is tried 3 times.
/// Failing or gone: `unavailable`; at once for 5s when 50 % of the last calls failed (up to 20, within a minute).
/// Busy: more than 64 calls at a time are refused.
fn inventory(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Arc<dyn inventory_contract::Inventory>> {
    let inner = Arc::new(inventory_contract::grpc::Client::new(kit_grpc::connect(&config.url)?));
    let link = service.link("orders → inventory", config);
    Ok(Arc::new(inventory_contract::Linked { inner, link }))
}

/// `mark_paid`, on [`billing_contract::CardCharged`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_mark_paid(broker: &Arc<dyn Broker>, orders: &Arc<orders_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new("orders.mark_paid", [billing_contract::CardCharged::TYPE]);
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle = kit_messaging::handler(orders, |orders, cx, message| async move {
        orders.mark_paid(&cx, message.member("order_id")?, message.payload()?).await
    });
    service.show(consumer.states());
    service.task("orders.mark_paid", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}

/// `mark_refused`, on [`billing_contract::ChargeRefused`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_mark_refused(broker: &Arc<dyn Broker>, orders: &Arc<orders_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new("orders.mark_refused", [billing_contract::ChargeRefused::TYPE]);
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle = kit_messaging::handler(orders, |orders, cx, message| async move {
        orders.mark_refused(&cx, message.member("order_id")?, message.payload()?).await
    });
    service.show(consumer.states());
    service.task("orders.mark_refused", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}

/// `mark_sent`, on [`shipping_contract::ParcelSent`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_mark_sent(broker: &Arc<dyn Broker>, orders: &Arc<orders_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new("orders.mark_sent", [shipping_contract::ParcelSent::TYPE]);
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle = kit_messaging::handler(orders, |orders, cx, message| async move {
        orders.mark_sent(&cx, message.member("order_id")?, message.payload()?).await
    });
    service.show(consumer.states());
    service.task("orders.mark_sent", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}
