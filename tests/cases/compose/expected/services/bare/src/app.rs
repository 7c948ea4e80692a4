// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_service::{LinkConfig, Service};
use serde::Deserialize;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub graphql: kit_graphql::Config,
    pub links: Links,
}

/// The services that this one calls.
#[derive(Debug, Deserialize)]
pub struct Links {
    pub left: LinkConfig,
    pub order_desk: LinkConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let left = left(&config.links.left, service)?;
    let order_desk = order_desk(&config.links.order_desk, service)?;
    let graphql = config.graphql.settings(service.is_development());
    let documents = graphql.documents.clone();
    service.show(move || documents.state());
    Ok(bare_contract::graphql::router(bare_contract::graphql::Services { order_desk, left }, graphql))
}

/// `left`, behind a link.
///
/// Slow: a try is given up after 1s, and what is safe is tried 3 times.
/// Failing or gone: `unavailable`; at once for 10s when 50 % of the last calls failed (up to 20, within a minute).
/// Busy: more than 64 calls at a time are refused.
fn left(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Arc<dyn left_contract::Left>> {
    let inner = Arc::new(left_contract::rest::Client(kit_http::Client::new(&config.url)?));
    let link = service.link("bare → left", config);
    Ok(Arc::new(left_contract::Linked { inner, link }))
}

/// `order_desk`, behind a link.
///
/// Slow: a try is given up after 1s, and what is safe is tried 3 times.
/// Failing or gone: `unavailable`; at once for 10s when 50 % of the last calls failed (up to 20, within a minute).
/// Busy: more than 64 calls or 640 streams at a time are refused.
fn order_desk(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Arc<dyn order_desk_contract::OrderDesk>> {
    let inner = Arc::new(order_desk_contract::grpc::Client::new(kit_grpc::connect(&config.url)?));
    let link = service.link("bare → order_desk", config);
    Ok(Arc::new(order_desk_contract::Linked { inner, link }))
}
