// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_answers::Answers;
use kit_gate::Gate;
use kit_messaging::{Broker, Consumer, Event as _, Policy, Subscription};
use kit_service::{BrokerConfig, Service, StoreConfig};
use kit_store::Store;
use route_contract::Route as _;
use serde::Deserialize;

use crate::{Route, store};

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
    let route = Arc::new(Route::new(store.clone()));
    let gate = Gate::new(Arc::new(Answers(store)));
    let route = Arc::new(route_contract::Gated { inner: route, gate });
    consume_load(&broker, &route, service);
    Ok(Router::new())
}

/// `load`, on [`desk_contract::Accepted`].
///
/// A message may come again and is tried 5 times, others are not kept waiting.
/// What fails for good is kept as a dead letter: `cargo xtask messages list`.
fn consume_load(broker: &Arc<dyn Broker>, route: &Arc<route_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new("route.load", [desk_contract::Accepted::TYPE]);
    let consumer = Consumer::new(broker.clone(), subscription, Policy::default());
    let handle =
        kit_messaging::handler(route, |route, cx, message| async move { route.load(&cx, message.payload()?).await });
    service.show(consumer.states());
    service.task("route.load", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}
