// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_answers::Answers;
use kit_gate::Gate;
use kit_messaging::{Broker, Consumer, Event as _, Policy, Relay, Subscription};
use kit_service::{BrokerConfig, Service, StoreConfig};
use kit_store::Store;
use serde::Deserialize;
use shipping_contract::Shipping as _;

use crate::{Shipping, store};

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub store: StoreConfig,
    pub broker: BrokerConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let store = store::open(&config.store.url).await?;
    service.line("store", &config.store.url);
    service.check("store", &store, async |store: Store| store.ping().await);
    let broker = kit_messaging::connect(&config.broker.url).await?;
    service.line("broker", &config.broker.url);
    service.check("broker", &broker, async |broker: Arc<dyn Broker>| Ok(broker.ping().await?));
    for subscription in shipping_contract::subscriptions() {
        broker.declare(&subscription).await?;
    }
    let relay = Relay::new(store.clone(), broker.clone());
    service.last("outbox", async move |stopping| relay.run(stopping.cancelled()).await);
    let shipping = Arc::new(Shipping::new(store.clone()));
    let gate = Gate::new(Arc::new(Answers(store)));
    let shipping = Arc::new(shipping_contract::Gated { inner: shipping, gate });
    consume_pack(&broker, &shipping, service);
    consume_send(&broker, &shipping, service);
    consume_unpack(&broker, &shipping, service);
    Ok(shipping_contract::rest::router(shipping))
}

/// `pack`, on [`orders_contract::OrderPlaced`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_pack(broker: &Arc<dyn Broker>, shipping: &Arc<shipping_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new("shipping.pack", [orders_contract::OrderPlaced::TYPE]);
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle = kit_messaging::handler(shipping, |shipping, cx, message| async move {
        shipping.pack(&cx, message.payload()?).await
    });
    service.show(consumer.states());
    service.task("shipping.pack", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}

/// `send`, on [`billing_contract::CardCharged`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_send(broker: &Arc<dyn Broker>, shipping: &Arc<shipping_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new("shipping.send", [billing_contract::CardCharged::TYPE]);
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle = kit_messaging::handler(shipping, |shipping, cx, message| async move {
        shipping.send(&cx, message.payload()?).await
    });
    service.show(consumer.states());
    service.task("shipping.send", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}

/// `unpack`, on [`orders_contract::OrderCancelled`], [`billing_contract::ChargeRefused`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_unpack(broker: &Arc<dyn Broker>, shipping: &Arc<shipping_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new(
        "shipping.unpack",
        [orders_contract::OrderCancelled::TYPE, billing_contract::ChargeRefused::TYPE],
    );
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle = kit_messaging::handler(shipping, |shipping, cx, message| async move {
        shipping.unpack(&cx, message.payload()?).await
    });
    service.show(consumer.states());
    service.task("shipping.unpack", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}
