// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_service::Service;
use serde::Deserialize;

use crate::Stock;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {}

pub async fn start(_config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let stock = Arc::new(Stock);
    let (health, standard) = kit_grpc::standard(&[stock_contract::grpc::DESCRIPTORS]).await?;
    service.leaving("gRPC health", async move { health.set(false).await });
    Ok(stock_contract::grpc::router(stock).merge(standard))
}
