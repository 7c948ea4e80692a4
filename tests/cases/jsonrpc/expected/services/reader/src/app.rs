// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_service::{LinkConfig, Service};
use serde::Deserialize;

use crate::Reader;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub links: Links,
}

/// The services that this one calls.
#[derive(Debug, Deserialize)]
pub struct Links {
    pub shelf: LinkConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let shelf = shelf(&config.links.shelf, service)?;
    let _reader = Arc::new(Reader::new(shelf));
    Ok(Router::new())
}

/// `shelf`, behind a link.
///
/// Slow: a try is given up after 1s, and what is safe is tried 3 times.
/// Failing or gone: `unavailable`; at once for 10s when 50 % of the last calls failed (up to 20, within a minute).
/// Busy: more than 64 calls at a time are refused.
fn shelf(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Arc<dyn shelf_contract::Shelf>> {
    let inner = Arc::new(shelf_contract::jsonrpc::Client::new(&config.url)?);
    let link = service.link("reader → shelf", config);
    Ok(Arc::new(shelf_contract::Linked { inner, link }))
}
