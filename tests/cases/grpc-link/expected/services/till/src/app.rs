// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_service::{LinkConfig, Service};
use serde::Deserialize;

use crate::Till;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub links: Links,
}

/// The services that this one calls.
#[derive(Debug, Deserialize)]
pub struct Links {
    pub stock: LinkConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let stock = stock(&config.links.stock, service)?;
    let till = Arc::new(Till::new(stock));
    Ok(till_contract::rest::router(till))
}

/// `stock`, behind a link.
///
/// Slow: a try is given up after 300ms, and what is safe is tried 4 times.
/// Failing or gone: `unavailable`; at once for 2s when 25 % of the last calls failed (up to 10, within a minute).
/// Busy: more than 16 calls at a time are refused.
fn stock(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Arc<dyn stock_contract::Stock>> {
    let inner = Arc::new(stock_contract::grpc::Client::new(kit_grpc::connect(&config.url)?));
    let link = service.link("till → stock", config);
    Ok(Arc::new(stock_contract::Linked { inner, link }))
}
