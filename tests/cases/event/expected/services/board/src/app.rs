// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use board_contract::Board as _;
use kit_answers::Answers;
use kit_gate::Gate;
use kit_messaging::{Broker, Consumer, Event as _, Guarantee, Policy, Subscription};
use kit_service::{BrokerConfig, Service, StoreConfig};
use kit_store::Store;
use serde::Deserialize;

use crate::{Board, store};

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {
    pub store: StoreConfig,
    pub broker: BrokerConfig,
}

pub async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let store = store::open(&config.store.url).await?;
    service.line("store", &config.store.url);
    service.check("store", &store, async |store: Store| store.ping().await);
    let broker = kit_messaging::connect(&config.broker.url).await?;
    service.line("broker", &config.broker.url);
    service.check("broker", &broker, async |broker: Arc<dyn Broker>| Ok(broker.ping().await?));
    let board = Arc::new(Board::new(store.clone()));
    let gate = Gate::new(Arc::new(Answers(store)));
    let board = Arc::new(board_contract::Gated { inner: board, gate });
    consume_show(&broker, &board, service);
    Ok(Router::new())
}

/// `show`, on [`desk_contract::Accepted`].
///
/// A message is acknowledged before the work: what fails is lost, and counted.
fn consume_show(broker: &Arc<dyn Broker>, board: &Arc<board_contract::Gated>, service: &mut Service) {
    let subscription = Subscription::new("board.show", [desk_contract::Accepted::TYPE]);
    let consumer = Consumer::new(
        broker.clone(),
        subscription,
        Policy { guarantee: Guarantee::AtMostOnce, dead_letter: false, ..Policy::default() },
    );
    let handle =
        kit_messaging::handler(board, |board, cx, message| async move { board.show(&cx, message.payload()?).await });
    service.show(consumer.states());
    service.task("board.show", async move |stopping| consumer.run(stopping.cancelled(), handle).await);
}
