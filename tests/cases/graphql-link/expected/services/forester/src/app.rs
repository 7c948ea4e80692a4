// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_service::{LinkConfig, Service};
use serde::Deserialize;

use crate::Forester;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub links: Links,
}

/// The services that this one calls.
#[derive(Debug, Deserialize)]
pub struct Links {
    pub trees: LinkConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let trees = trees(&config.links.trees, service)?;
    let _forester = Arc::new(Forester::new(trees));
    Ok(Router::new())
}

/// `trees`, behind a link.
///
/// Slow: a try is given up after 300ms, and what is safe is tried 3 times.
/// Failing or gone: `unavailable`; at once for 10s when 50 % of the last calls failed (up to 20, within a minute).
/// Busy: more than 64 calls at a time are refused.
fn trees(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Arc<dyn trees_contract::Trees>> {
    let inner = Arc::new(trees_contract::graphql::Client(kit_graphql::Client::new(&config.url)?));
    let link = service.link("forester → trees", config);
    Ok(Arc::new(trees_contract::Linked { inner, link }))
}
