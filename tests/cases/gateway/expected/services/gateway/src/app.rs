// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use axum::Router;
use kit_service::{LinkConfig, Service};
use serde::Deserialize;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub links: Links,
}

/// The services that this one calls or passes requests on to.
#[derive(Debug, Deserialize)]
pub struct Links {
    pub left: LinkConfig,
    pub order_desk: LinkConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    Ok(gateway_contract::fronts::router()
        .merge(left_front(&config.links.left, service)?)
        .merge(order_desk_front(&config.links.order_desk, service)?))
}

/// `left`, of which what it exposes passes.
///
/// Slow: 504 after 1s without the head of an answer; what is safe is tried 3 times.
/// Failing or gone: its own errors, or 503; at once for 10s when 50 % of the last requests failed (up to 20, within a minute).
/// Busy: more than 64 requests or 640 streams at a time are answered 503.
fn left_front(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Router> {
    let link = service.link("gateway → left (front)", config);
    kit_gateway::router("gateway", &gateway_contract::fronts::LEFT, &config.url, link)
}

/// `order_desk`, of which what it exposes passes.
///
/// Slow: 504 after 300ms without the head of an answer.
/// Failing or gone: its own errors, or 503.
/// Busy: more than 64 requests or 640 streams at a time are answered 503.
fn order_desk_front(config: &LinkConfig, service: &mut Service) -> anyhow::Result<Router> {
    let link = service.link("gateway → order_desk (front)", config);
    kit_gateway::router("gateway", &gateway_contract::fronts::ORDER_DESK, &config.url, link)
}
