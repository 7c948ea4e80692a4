// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::{sync::Arc, time::Duration};

use axum::Router;
use inventory_contract::Inventory as _;
use kit::Context;
use kit_messaging::{Broker, Consumer, Event as _, Guarantee, Message, Policy, Subscription};
use kit_resilience::Backoff;
use kit_service::{BrokerConfig, Service, StoreConfig};
use kit_store::Store;
use serde::Deserialize;

use crate::{Inventory, store};

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
    let inventory = Arc::new(Inventory::new(store));
    consume_release(&broker, &inventory, service);
    consume_dispatch(&broker, &inventory, service);
    let (health, standard) = kit_grpc::standard(inventory_contract::grpc::DESCRIPTORS).await?;
    service.task("gRPC health", async move |stopping| {
        stopping.cancelled().await;
        health.set(false).await;
    });
    Ok(inventory_contract::grpc::router(inventory).merge(standard))
}

/// `release`, on [`orders_contract::OrderCancelled`], [`billing_contract::ChargeRefused`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_release(broker: &Arc<dyn Broker>, inventory: &Arc<Inventory>, service: &mut Service) {
    let subscription = Subscription::new(
        "inventory.release",
        [orders_contract::OrderCancelled::TYPE, billing_contract::ChargeRefused::TYPE],
    );
    let backoff = Backoff { first: Duration::from_millis(100), most: Duration::from_secs(60) };
    let guarantee = Guarantee::AtLeastOnce;
    let policy = Policy { attempts: 5, backoff, guarantee, dead_letter: true, ..Policy::default() };
    let consumer = Consumer::new(broker.clone(), subscription, policy);
    let state = consumer.clone();
    service.show(move || state.state());
    let inventory = inventory.clone();
    let handle = move |cx: Context, message: Message| {
        let (cx, inventory) = (cx.within(Duration::from_secs(30)), inventory.clone());
        async move { cx.limit(inventory.release(&cx, message.data()?)).await }
    };
    service.task("inventory.release", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}

/// `dispatch`, on [`shipping_contract::ParcelSent`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_dispatch(broker: &Arc<dyn Broker>, inventory: &Arc<Inventory>, service: &mut Service) {
    let subscription = Subscription::new("inventory.dispatch", [shipping_contract::ParcelSent::TYPE]);
    let backoff = Backoff { first: Duration::from_millis(100), most: Duration::from_secs(60) };
    let guarantee = Guarantee::AtLeastOnce;
    let policy = Policy { attempts: 5, backoff, guarantee, dead_letter: true, ..Policy::default() };
    let consumer = Consumer::new(broker.clone(), subscription, policy);
    let state = consumer.clone();
    service.show(move || state.state());
    let inventory = inventory.clone();
    let handle = move |cx: Context, message: Message| {
        let (cx, inventory) = (cx.within(Duration::from_secs(30)), inventory.clone());
        async move { cx.limit(inventory.dispatch(&cx, message.data()?)).await }
    };
    service.task("inventory.dispatch", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}
