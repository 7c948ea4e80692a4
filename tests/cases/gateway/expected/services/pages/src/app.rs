// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_service::{LinkConfig, Service};
use serde::Deserialize;

use crate::Pages;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub links: Links,
}

/// The services that this one calls or passes requests on to.
#[derive(Debug, Deserialize)]
pub struct Links {
    pub order_desk: LinkConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let order_desk = order_desk(&config.links.order_desk, service)?;
    let pages = Arc::new(Pages::new(order_desk));
    Ok(pages_contract::rest::router(pages).merge(order_desk_front(&config.links.order_desk, service)?))
}

/// `order_desk`, behind a link.
///
/// Slow: a try is given up after 1s, and what is safe is tried 3 times.
/// Failing or gone: `unavailable`; at once for 10s when 50 % of the last calls failed (up to 20, within a minute).
/// Busy: more than 64 calls at a time are refused.
fn order_desk(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Arc<dyn order_desk_contract::OrderDesk>> {
    let inner = Arc::new(order_desk_contract::grpc::Client::new(kit_grpc::connect(&config.url)?));
    let link = service.link("pages → order_desk", config);
    Ok(Arc::new(order_desk_contract::Linked { inner, link }))
}

/// `order_desk`, of which what it exposes passes.
///
/// Slow: 504 after 1s without the head of an answer; what is safe is tried 3 times.
/// Failing or gone: its own errors, or 503; at once for 10s when 50 % of the last requests failed (up to 20, within a minute).
/// Busy: more than 64 requests or 640 streams at a time are answered 503.
fn order_desk_front(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Router> {
    let link = service.link("pages → order_desk (front)", config);
    kit_gateway::router("pages", &pages_contract::fronts::ORDER_DESK, &config.url, link)
}
