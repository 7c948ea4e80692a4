//! The runtime of every service: configuration, start, health, orderly stop.
//!
//! ```no_run
//! #[derive(serde::Deserialize)]
//! struct Config {
//!     links: Links,
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct Links {
//!     greeter: kit_service::LinkConfig,
//! }
//!
//! async fn start(config: Config, service: &mut kit_service::Service) -> anyhow::Result<axum::Router> {
//!     let link = service.link("door → greeter", &config.links.greeter);
//!     Ok(axum::Router::new())
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     kit_service::run("door", "[links.greeter]\nurl = \"http://127.0.0.1:7101\"", start).await
//! }
//! ```

mod arguments;
mod config;
mod embed;
mod health;
mod log;
mod overlay;
mod run;
mod service;
mod signal;

pub use config::{BreakerConfig, BrokerConfig, LinkConfig, LogFormat, PolicyConfig, ServerConfig, StoreConfig};
pub use embed::{Embedded, embed};
pub use run::run;
pub use service::Service;
