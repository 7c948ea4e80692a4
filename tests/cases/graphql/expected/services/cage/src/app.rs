// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_service::Service;
use serde::Deserialize;

use crate::Cage;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub graphql: kit_graphql::Config,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let cage = Arc::new(Cage);
    let graphql = config.graphql.settings(service.is_development());
    let documents = graphql.documents.clone();
    service.show(move || documents.state());
    Ok(cage_contract::graphql::router(cage, graphql))
}
