// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use inventory_contract::Inventory as _;
use kit_messaging::{Broker, Consumer, Event as _, Policy, Subscription};
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
    service.check("broker", &broker, async |broker: Arc<dyn Broker>| Ok(broker.ping().await?));
    let inventory = Arc::new(Inventory::new(store));
    consume_release(&broker, &inventory, service);
    consume_dispatch(&broker, &inventory, service);
    let (health, standard) = kit_grpc::standard(&[inventory_contract::grpc::DESCRIPTORS]).await?;
    service.leaving("gRPC health", async move { health.set(false).await });
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
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle = kit_messaging::handler(inventory, |inventory, cx, message| async move {
        inventory.release(&cx, message.payload()?).await
    });
    service.show(consumer.states());
    service.task("inventory.release", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}

/// `dispatch`, on [`shipping_contract::ParcelSent`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_dispatch(broker: &Arc<dyn Broker>, inventory: &Arc<Inventory>, service: &mut Service) {
    let subscription = Subscription::new("inventory.dispatch", [shipping_contract::ParcelSent::TYPE]);
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle = kit_messaging::handler(inventory, |inventory, cx, message| async move {
        inventory.dispatch(&cx, message.payload()?).await
    });
    service.show(consumer.states());
    service.task("inventory.dispatch", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}
