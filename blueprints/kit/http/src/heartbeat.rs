//! Signs of life on a connection that is kept open.

use std::{convert::Infallible, time::Duration};

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::resume::Streams;

/// How long a connection is silent at most, so that nobody between the two takes it for dead. Of a request it is what the
/// edge says.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat(pub Duration);

impl Default for Heartbeat {
    fn default() -> Self {
        Self(Duration::from_secs(15))
    }
}

impl<S: Sync> FromRequestParts<S> for Heartbeat {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Streams>().map(|streams| streams.heartbeat).unwrap_or_default())
    }
}
