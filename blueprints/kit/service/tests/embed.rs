//! A service inside another program.

use axum::{Router, routing::get};
use kit_service::{Service, embed};
use serde::Deserialize;

#[derive(Deserialize)]
struct Config {
    text: Text,
}

#[derive(Deserialize)]
struct Text {
    greeting: String,
}

const CONFIG: &str = "[text]\ngreeting = \"hello\"\n[server]\nlisten = \"127.0.0.1:1\"";

async fn start(config: Config, _: &mut Service) -> anyhow::Result<Router> {
    anyhow::ensure!(config.text.greeting != "none", "no greeting");
    Ok(Router::new().route("/", get(async move || config.text.greeting)))
}

#[tokio::test]
async fn serves_until_it_is_dropped() -> anyhow::Result<()> {
    let variables = |greeting: &str| {
        [("DOOR__LISTEN", "127.0.0.1:0"), ("DOOR__TEXT__GREETING", greeting)].map(|(n, v)| (n.into(), v.into()))
    };
    let door = embed("door", CONFIG, &variables("good day"), start).await?;
    let url = door.url.clone();
    assert_eq!(text(&url).await?, "good day");
    assert!(text(&format!("{url}/-/ready")).await.is_ok());
    drop(door);
    while text(&url).await.is_ok() {}
    assert!(embed("door", CONFIG, &variables("none"), start).await.is_err());
    assert!(embed("door", "[text]", &[], start).await.is_err());
    Ok(())
}

async fn text(url: &str) -> anyhow::Result<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build()?;
    Ok(client.get(url).send().await?.error_for_status()?.text().await?)
}
