// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_answers::Answers;
use kit_gate::Gate;
use kit_service::{Service, StoreConfig};
use kit_store::Store;
use serde::Deserialize;

use crate::{Shelf, store, v1};

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub store: StoreConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let store = store::open(&config.store.url).await?;
    service.line("store", &config.store.url);
    service.check("store", &store, async |store: Store| store.ping().await);
    let shelf = Arc::new(Shelf::new(store.clone()));
    let gate = Gate::new(Arc::new(Answers(store)));
    let shelf = Arc::new(shelf_contract::Gated { inner: shelf, gate });
    let v1 = Arc::new(shelf_v1_contract::adapter::Adapted { present: shelf.clone(), mapping: Arc::new(v1::V1) });
    Ok(kit_http::version::choose(vec![
        (shelf_contract::rest::VERSION, shelf_contract::rest::router(shelf)),
        (shelf_v1_contract::rest::VERSION, shelf_v1_contract::rest::router(v1)),
    ]))
}
