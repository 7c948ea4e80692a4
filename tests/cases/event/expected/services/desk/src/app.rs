// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_answers::Answers;
use kit_gate::Gate;
use kit_messaging::{Broker, Relay};
use kit_service::{BrokerConfig, Service, StoreConfig};
use kit_store::Store;
use serde::Deserialize;

use crate::{Desk, store};

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
    for subscription in desk_contract::subscriptions() {
        broker.declare(&subscription).await?;
    }
    let relay = Relay::new(store.clone(), broker.clone());
    service.last("outbox", async move |stopping| relay.run(stopping.cancelled()).await);
    let desk = Arc::new(Desk::new(store.clone()));
    let gate = Gate::new(Arc::new(Answers(store)));
    let desk = Arc::new(desk_contract::Gated { inner: desk, gate });
    Ok(desk_contract::rest::router(desk))
}
