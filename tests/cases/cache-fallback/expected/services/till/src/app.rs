// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_messaging::{Broker, Sender};
use kit_service::{BrokerConfig, LinkConfig, Service};
use serde::Deserialize;

use crate::Till;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub broker: BrokerConfig,
    pub links: Links,
}

/// The services that this one calls.
#[derive(Debug, Deserialize)]
pub struct Links {
    pub stock: LinkConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let broker = kit_messaging::connect(&config.broker.url).await?;
    service.line("broker", &config.broker.url);
    service.check("broker", &broker, async |broker: Arc<dyn Broker>| Ok(broker.ping().await?));
    for subscription in stock_contract::queue::subscriptions() {
        broker.declare(&subscription).await?;
    }
    let sender = Sender::new("/till", broker.clone());
    let stock = stock(&config.links.stock, sender.clone(), service)?;
    let till = Arc::new(Till::new(stock));
    Ok(till_contract::rest::router(till))
}

/// `stock`, behind a link.
///
/// Slow: a try is given up after 1s, and what is safe is tried 3 times.
/// Failing or gone: `unavailable`; at once for 10s when 50 % of the last calls failed (up to 20, within a minute).
/// Busy: more than 64 calls at a time are refused.
/// Away: a command that cannot have arrived, or may be repeated, is left in the queue; the answer is marked.
/// Away: a query is answered as the last time, within `stale` of the configuration; the answer is marked.
fn stock(config: &LinkConfig, sender: Sender, service: &mut Service) -> anyhow::Result<Arc<dyn stock_contract::Stock>> {
    let inner = Arc::new(stock_contract::rest::Client(kit_http::Client::new(&config.url)?));
    let link = service.link("till → stock", config);
    let inner = Arc::new(stock_contract::Linked { inner, link });
    let inner = Arc::new(stock_contract::queue::Fallback { inner, sender });
    let answers = config.answers("till → stock");
    let kept = answers.clone();
    service.show(move || kept.state());
    Ok(Arc::new(stock_contract::Cached { inner, answers }))
}
