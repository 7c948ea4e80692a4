//! A service with a link, work beside the requests, and whatever trouble its configuration asks for.

use std::{process::ExitCode, sync::Arc};

use anyhow::bail;
use axum::{Router, extract::State, routing::get};
use kit_service::{LinkConfig, Service, Span};
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

/// Someone has knocked.
#[derive(Default)]
struct Knocks(Notify);

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
        "task" => heard.0.notified().await,
        "panic" => {
            heard.0.notified().await;
            panic!("nobody is at the door");
        }
        _ => stop.cancelled().await,
    });
    let knock = async move |State(knocks): State<Arc<Knocks>>| {
        knocks.0.notify_one();
        tracing::info!("knock");
        sleep(takes.0).await;
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
