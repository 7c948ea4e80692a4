//! `/-/live`: the process answers. `/-/ready`: it can do its work. `/-/links`: what its links have seen.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, http::StatusCode, routing::get};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::{Service, service::Check};

/// A check that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(2);

pub fn routes(service: &Service) -> Router {
    let checks: Arc<[(&'static str, Check)]> = service.checks.clone().into();
    let stopping = service.stopping();
    let links = service.link_states();
    let ready = async move || {
        let mut report = Map::new();
        let mut fine = !stopping.is_cancelled();
        if !fine {
            report.insert("service".into(), "is stopping".into());
        }
        for (name, check) in checks.iter() {
            let outcome = match timeout(LIMIT, check()).await {
                Ok(Ok(())) => Value::from("ok"),
                Ok(Err(error)) => {
                    tracing::warn!(check = name, error = format!("{error:#}"), "not ready");
                    Value::from("failed")
                }
                Err(_) => Value::from("no answer"),
            };
            fine &= outcome == "ok";
            report.insert((*name).into(), outcome);
        }
        let status = if fine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(json!({ "ready": fine, "checks": report })))
    };
    Router::new()
        .route("/-/live", get(async || Json(json!({ "live": true }))))
        .route("/-/ready", get(ready))
        .route("/-/links", get(async move || Json(links())))
}
