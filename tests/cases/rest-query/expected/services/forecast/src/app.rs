// Yours: written once by Linkwright, never overwritten.
//! Puts the service together: its links, its business code, what it is served on.

use std::sync::Arc;

use axum::Router;
use kit_service::Service;
use serde::Deserialize;

use crate::Forecast;

/// What `config.toml` says, besides what every service has.
#[derive(Debug, Deserialize)]
pub struct Config {}

pub async fn start(_config: Config, _service: &mut Service) -> anyhow::Result<Router> {
    let forecast = Arc::new(Forecast);
    Ok(forecast_contract::rest::router(forecast))
}
