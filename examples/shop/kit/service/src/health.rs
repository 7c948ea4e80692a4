//! `/-/live`: the process answers. `/-/ready`: it can do its work. `/-/links`: what its links have seen.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, http::StatusCode, routing::get};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::service::{Check, State};

/// A check that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(2);

/// `leaving`: nothing new is to come here, though what comes is still served.
pub(crate) fn routes(checks: Vec<(&'static str, Check)>, links: Vec<State>, leaving: CancellationToken) -> Router {
    let checks = Arc::new(checks);
    let links = Arc::new(links);
    let ready = async move || {
        let answers =
            join_all(checks.iter().map(|(name, check)| async move { (*name, passes(name, check).await) })).await;
        let left = leaving.is_cancelled();
        let ready = !left && answers.iter().all(|(_, passed)| passed.is_ok());
        let words = answers.into_iter().map(|(name, passed)| (name.to_owned(), passed.err().unwrap_or("ok").into()));
        let mut report: Map<String, Value> = words.collect();
        if left {
            report.insert("service".into(), "is stopping".into());
        }
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(json!({ "ready": ready, "checks": report })))
    };
    Router::new()
        .route("/-/live", get(async || Json(json!({ "live": true }))))
        .route("/-/ready", get(ready))
        .route("/-/links", get(async move || Json(links.iter().map(|state| state()).collect::<Vec<_>>())))
}

/// Why it does not pass is for the log: the answer is there for everyone.
async fn passes(name: &str, check: &Check) -> Result<(), &'static str> {
    match timeout(LIMIT, check()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(check = name, error = format!("{error:#}"), "not ready");
            Err("failed")
        }
        Err(_) => Err("no answer"),
    }
}
