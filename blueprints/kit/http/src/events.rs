//! Server-sent events: a stream of output as an answer.
//!
//! One `message` event an item, numbered; then `end`, or `error` with a problem. A connection that closes without
//! either has been cut.

use std::{convert::Infallible, ops::Deref, time::Duration};

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
    response::Response,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use kit::{Context, Failure, OperationError, Stream};
use serde::Serialize;
use tokio::time::timeout;

use crate::{Problem, accept, extract};

/// The media type of server-sent events.
pub(crate) const TYPE: &str = "text/event-stream";
/// How long a connection is silent at most, so that nobody between the two takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The context of a call that is answered with events; 406 if the caller cannot take them.
#[derive(Clone, Debug)]
pub struct Events {
    cx: Context,
}

impl Deref for Events {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.cx
    }
}

impl<S: Sync> FromRequestParts<S> for Events {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        accept::check(&parts.headers, TYPE)?;
        Ok(Self { cx: extract::context(parts)? })
    }
}

impl Events {
    /// Opens the stream, within the deadline, and answers with its items as they come.
    pub async fn answer<T, E>(&self, open: impl Future<Output = Result<Stream<T, E>, E>>) -> Result<Response, Problem>
    where
        T: Serialize + Send + 'static,
        E: OperationError,
    {
        let items = self.cx.limit(open).await?;
        let trace_id = self.cx.trace().id();
        let events = stream::unfold((Some(items), 0u64), move |(items, sent)| {
            let trace_id = trace_id.clone();
            async move {
                let mut items = items?;
                Some(match timeout(HEARTBEAT, items.next()).await {
                    Err(_) => (Bytes::from_static(b":\n\n"), (Some(items), sent)),
                    Ok(Some(Ok(item))) => (message(sent + 1, &item), (Some(items), sent + 1)),
                    Ok(Some(Err(failed))) => (error(&Problem::from(failed).in_trace(&trace_id)), (None, sent)),
                    Ok(None) => (Bytes::from_static(b"event: end\ndata:\n\n"), (None, sent)),
                })
            }
        });
        let mut response = Response::new(Body::from_stream(events.map(Ok::<_, Infallible>)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response)
    }
}

fn message(id: u64, item: &impl Serialize) -> Bytes {
    match serde_json::to_string(item) {
        Ok(data) => format!("id: {id}\ndata: {data}\n\n").into(),
        Err(cause) => error(&Failure::internal(cause).into()),
    }
}

/// The event that ends a stream early.
pub(crate) fn error(problem: &Problem) -> Bytes {
    format!("event: error\ndata: {}\n\n", serde_json::to_string(problem).unwrap_or_default()).into()
}
