// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use billing_contract::Billing as _;
use kit_answers::Answers;
use kit_gate::Gate;
use kit_messaging::{Broker, Consumer, Event as _, Policy, Relay, Subscription};
use kit_service::{BrokerConfig, Service, StoreConfig};
use kit_store::Store;
use serde::Deserialize;

use crate::{Billing, store};

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
    for subscription in billing_contract::subscriptions() {
        broker.declare(&subscription).await?;
    }
    let relay = Relay::new(store.clone(), broker.clone());
    service.last("outbox", async move |stopping| relay.run(stopping.cancelled()).await);
    let billing = Arc::new(Billing::new(store.clone()));
    let gate = Gate::new(Arc::new(Answers(store)));
    let billing = Arc::new(billing_contract::Gated { inner: billing, gate });
    consume_charge(&broker, &billing, service);
    consume_refund(&broker, &billing, service);
    Ok(Router::new())
}

/// `charge`, on [`orders_contract::OrderPlaced`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_charge(broker: &Arc<dyn Broker>, billing: &Arc<billing_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new("billing.charge", [orders_contract::OrderPlaced::TYPE]);
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle =
        kit_messaging::handler(
            billing,
            |billing, cx, message| async move { billing.charge(&cx, message.payload()?).await },
        );
    service.show(consumer.states());
    service.task("billing.charge", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}

/// `refund`, on [`orders_contract::OrderCancelled`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_refund(broker: &Arc<dyn Broker>, billing: &Arc<billing_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new("billing.refund", [orders_contract::OrderCancelled::TYPE]);
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle =
        kit_messaging::handler(
            billing,
            |billing, cx, message| async move { billing.refund(&cx, message.payload()?).await },
        );
    service.show(consumer.states());
    service.task("billing.refund", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}
