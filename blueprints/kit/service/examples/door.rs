//! A service with a link, work beside the requests, and whatever trouble its configuration asks for.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::bail;
use axum::{Router, extract::State, routing::get};
use kit::Span;
use kit_service::{LinkConfig, Service};
use serde::Deserialize;
use tokio::{sync::Notify, time::sleep};

/// What `config.toml` would say.
const CONFIG: &str = r#"
[server]
# Where the service listens.
listen = "127.0.0.1:0"
log = "info"

[links.bell]
url = "http://127.0.0.1:7102"

[door]
# What goes wrong: `nothing`, `start`, `task`, `panic`, `deaf`, `slow start`.
trouble = "nothing"
# How long a knock is answered.
takes = "10s"
"#;

#[derive(Debug, Deserialize)]
struct Config {
    links: Links,
    door: Door,
}

#[derive(Debug, Deserialize)]
struct Links {
    bell: LinkConfig,
}

#[derive(Debug, Deserialize)]
struct Door {
    trouble: String,
    takes: Span,
}

/// Someone has knocked, and so many have been let in.
#[derive(Default)]
struct Knocks {
    heard: Notify,
    let_in: AtomicUsize,
}

async fn start(config: Config, service: &mut Service) -> anyhow::Result<Router> {
    let Door { trouble, takes } = config.door;
    match trouble.as_str() {
        "start" => bail!("there is no door"),
        "slow start" => std::future::pending().await,
        _ => {}
    }
    service.link("door → bell", &config.links.bell);
    service.line("store", "postgres://door:secret@db/door");
    let knocks = Arc::new(Knocks::default());
    service.check("hinges", &knocks, async |_| Ok(()));
    let heard = knocks.clone();
    service.task("watch", async move |stop| match trouble.as_str() {
        "deaf" => std::future::pending().await,
        "task" => heard.heard.notified().await,
        "panic" => {
            heard.heard.notified().await;
            panic!("nobody is at the door");
        }
        _ => stop.cancelled().await,
    });
    service.leaving("sign", async { tracing::info!("the sign says closed") });
    let counted = knocks.clone();
    service.last("book", async move |stop| {
        stop.cancelled().await;
        tracing::info!(let_in = counted.let_in.load(Ordering::Relaxed), "the book is closed");
    });
    let knock = async move |State(knocks): State<Arc<Knocks>>| {
        knocks.heard.notify_one();
        tracing::info!("knock");
        sleep(takes.0).await;
        knocks.let_in.fetch_add(1, Ordering::Relaxed);
        "come in"
    };
    Ok(Router::new()
        .route("/knock", get(knock))
        .route("/fall", get(async || -> &str { panic!("secret") }))
        .with_state(knocks))
}

#[tokio::main]
async fn main() -> ExitCode {
    kit_service::run("door", CONFIG, start).await
}
