// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::{sync::Arc, time::Duration};

use axum::Router;
use kit::Context;
use kit_messaging::{Broker, Consumer, Event as _, Guarantee, Message, Policy, Relay, Subscription};
use kit_resilience::Backoff;
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
    service.check("broker", &broker, async |broker: Arc<dyn Broker>| Ok(broker.stats().await.map(drop)?));
    for subscription in shipping_contract::subscriptions() {
        broker.declare(&subscription).await?;
    }
    let relay = Relay::new(store.clone(), broker.clone());
    service.task("outbox", async move |stopping| relay.run(stopping.cancelled()).await);
    let shipping = Arc::new(Shipping::new(store));
    consume_pack(&broker, &shipping, service);
    consume_send(&broker, &shipping, service);
    consume_unpack(&broker, &shipping, service);
    Ok(shipping_contract::rest::router(shipping))
}

/// `pack`, on [`orders_contract::OrderPlaced`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_pack(broker: &Arc<dyn Broker>, shipping: &Arc<Shipping>, service: &mut Service) {
    let subscription = Subscription::new("shipping.pack", [orders_contract::OrderPlaced::TYPE]);
    let backoff = Backoff { first: Duration::from_millis(100), most: Duration::from_secs(60) };
    let guarantee = Guarantee::AtLeastOnce;
    let policy = Policy { attempts: 5, backoff, guarantee, dead_letter: true, ..Policy::default() };
    let consumer = Consumer::new(broker.clone(), subscription, policy);
    let state = consumer.clone();
    service.show(move || state.state());
    let shipping = shipping.clone();
    let handle = move |cx: Context, message: Message| {
        let (cx, shipping) = (cx.within(Duration::from_secs(30)), shipping.clone());
        async move { cx.limit(shipping.pack(&cx, message.data()?)).await }
    };
    service.task("shipping.pack", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}

/// `send`, on [`billing_contract::CardCharged`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_send(broker: &Arc<dyn Broker>, shipping: &Arc<Shipping>, service: &mut Service) {
    let subscription = Subscription::new("shipping.send", [billing_contract::CardCharged::TYPE]);
    let backoff = Backoff { first: Duration::from_millis(100), most: Duration::from_secs(60) };
    let guarantee = Guarantee::AtLeastOnce;
    let policy = Policy { attempts: 5, backoff, guarantee, dead_letter: true, ..Policy::default() };
    let consumer = Consumer::new(broker.clone(), subscription, policy);
    let state = consumer.clone();
    service.show(move || state.state());
    let shipping = shipping.clone();
    let handle = move |cx: Context, message: Message| {
        let (cx, shipping) = (cx.within(Duration::from_secs(30)), shipping.clone());
        async move { cx.limit(shipping.send(&cx, message.data()?)).await }
    };
    service.task("shipping.send", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}

/// `unpack`, on [`orders_contract::OrderCancelled`], [`billing_contract::ChargeRefused`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_unpack(broker: &Arc<dyn Broker>, shipping: &Arc<Shipping>, service: &mut Service) {
    let subscription = Subscription::new(
        "shipping.unpack",
        [orders_contract::OrderCancelled::TYPE, billing_contract::ChargeRefused::TYPE],
    );
    let backoff = Backoff { first: Duration::from_millis(100), most: Duration::from_secs(60) };
    let guarantee = Guarantee::AtLeastOnce;
    let policy = Policy { attempts: 5, backoff, guarantee, dead_letter: true, ..Policy::default() };
    let consumer = Consumer::new(broker.clone(), subscription, policy);
    let state = consumer.clone();
    service.show(move || state.state());
    let shipping = shipping.clone();
    let handle = move |cx: Context, message: Message| {
        let (cx, shipping) = (cx.within(Duration::from_secs(30)), shipping.clone());
        async move { cx.limit(shipping.unpack(&cx, message.data()?)).await }
    };
    service.task("shipping.unpack", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}
