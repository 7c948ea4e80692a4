// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_service::{LinkConfig, Service};
use serde::Deserialize;

use crate::Front;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub graphql: kit_graphql::Config,
    pub links: Links,
}

/// The services that this one calls.
#[derive(Debug, Deserialize)]
pub struct Links {
    pub inventory: LinkConfig,
    pub orders: LinkConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let inventory = inventory(&config.links.inventory, service)?;
    let orders = orders(&config.links.orders, service)?;
    let front = Arc::new(Front::new(inventory, orders));
    let graphql = config.graphql.settings(service.is_development());
    let documents = graphql.documents.clone();
    service.show(move || documents.state());
    Ok(front_contract::graphql::router(front, graphql))
}

/// `inventory`, behind a link.
///
/// Slow: a try is given up after 200ms, and what is safe is tried 3 times.
/// Failing or gone: `unavailable`; at once for 5s when 50 % of the last calls failed (up to 20, within a minute).
/// Busy: more than 64 calls at a time are refused.
fn inventory(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Arc<dyn inventory_contract::Inventory>> {
    let inner = Arc::new(inventory_contract::grpc::Client::new(kit_grpc::connect(&config.url)?));
    let link = service.link("front → inventory", config);
    Ok(Arc::new(inventory_contract::Linked { inner, link }))
}

/// `orders`, behind a link.
///
/// Slow: a try is given up after 500ms, and what is safe is tried 3 times.
/// Failing or gone: `unavailable`; at once for 5s when 50 % of the last calls failed (up to 20, within a minute).
/// Busy: more than 64 calls at a time are refused.
fn orders(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Arc<dyn orders_contract::Orders>> {
    let inner = Arc::new(orders_contract::rest::Client(kit_http::Client::new(&config.url)?));
    let link = service.link("front → orders", config);
    Ok(Arc::new(orders_contract::Linked { inner, link }))
}
