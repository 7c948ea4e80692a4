//! Which requests are passed on, and to whom.

use std::sync::Arc;

use anyhow::Context as _;
use axum::{
    Router,
    extract::Request,
    http::Method,
    routing::{MethodFilter, on},
};
use kit_resilience::Link;

use crate::backend::Backend;

/// A service behind a gateway.
#[derive(Debug)]
pub struct Front {
    /// Its name, for logs and spans.
    pub service: &'static str,
    /// What stands before its paths here: `/orders`.
    pub prefix: &'static str,
    /// What it takes from callers outside.
    pub routes: &'static [Route],
}

/// One operation as a request.
#[derive(Debug)]
pub struct Route {
    pub method: &'static str,
    /// At the service, as axum writes it: `/v1/orders/{id}`.
    pub path: &'static str,
    /// `get_order`
    pub operation: &'static str,
}

/// The routes of a front. `gateway` is the name that `Via` has, `url` is where the service is, `link` the way to it.
///
/// # Errors
/// The URL is none of HTTP, or a route of the table cannot be.
pub fn router(gateway: &'static str, front: &'static Front, url: &str, link: Link) -> anyhow::Result<Router> {
    let backend = Arc::new(Backend::new(gateway, front, url, link)?);
    let mut router = Router::new();
    for Route { method, path, operation } in front.routes {
        let filter = Method::from_bytes(method.as_bytes()).ok().and_then(|method| MethodFilter::try_from(method).ok());
        let filter = filter.with_context(|| format!("{method} {path}: no method that a route can have"))?;
        let backend = backend.clone();
        let pass = async move |request: Request| backend.pass(operation, request).await;
        router = router.route(&format!("{}{path}", front.prefix), on(filter, pass));
    }
    Ok(router)
}
