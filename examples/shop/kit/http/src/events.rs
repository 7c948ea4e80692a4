//! Server-sent events: a stream of output as an answer.
//!
//! One `message` event an item; then `end`, or `error` with a problem. A connection that closes without either has been
//! cut, and the client may go on with the header `Last-Event-ID`.

use std::ops::Deref;

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, header, request::Parts},
    response::Response,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use kit::{Context, Failure, OperationError, Stream};
use serde::Serialize;

use crate::{
    Problem, accept, extract,
    resume::{Claim, Event, Streams},
};

/// The media type of server-sent events.
pub(crate) const TYPE: &str = "text/event-stream";
/// The id of the last event that a client has seen.
pub(crate) const LAST: HeaderName = HeaderName::from_static("last-event-id");

/// The context of a call that is answered with events; 406 if the caller cannot take them.
pub struct Events {
    cx: Context,
    claim: Claim,
    last: Option<String>,
    streams: Streams,
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
        let cx = extract::context(parts)?;
        let target = parts.uri.path_and_query().map_or(String::new(), ToString::to_string);
        let last = parts.headers.get(LAST).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let streams = parts.extensions.get::<Streams>().cloned().unwrap_or_default();
        Ok(Self { claim: Claim { caller: cx.caller().clone(), target }, cx, last, streams })
    }
}

impl Events {
    /// Answers with the items of a stream as they come: of the one that `open` opens, within the deadline, or of the one
    /// that the caller was cut off from; then nothing is opened.
    pub async fn answer<T, E>(&self, open: impl Future<Output = Result<Stream<T, E>, E>>) -> Result<Response, Problem>
    where
        T: Serialize + Send + 'static,
        E: OperationError,
    {
        let reading = match &self.last {
            Some(last) => self.streams.resume(&self.claim, last)?,
            None => {
                let items = self.cx.limit(open).await?;
                self.streams.open(self.claim.clone(), events(items, self.cx.trace().id()))
            }
        };
        let mut response = Response::new(Body::from_stream(reading));
        let headers = response.headers_mut();
        if let Some(last) = self.last.as_ref().and_then(|last| HeaderValue::try_from(last).ok()) {
            // So the client knows that it has not got a stream from the start.
            headers.insert(LAST, last);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

fn events<T, E>(items: Stream<T, E>, trace_id: String) -> stream::BoxStream<'static, Event>
where
    T: Serialize + Send + 'static,
    E: OperationError,
{
    let events = stream::unfold(Some((items, trace_id)), async |open| {
        let (mut items, trace_id) = open?;
        let failed = match items.next().await {
            Some(Ok(item)) => match serde_json::to_string(&item) {
                Ok(data) => return Some((Event { name: "", data }, Some((items, trace_id)))),
                Err(cause) => Problem::from(Failure::internal(cause)),
            },
            Some(Err(error)) => Problem::from(error),
            None => return Some((Event { name: "end", data: String::new() }, None)),
        };
        Some((problem(&failed.in_trace(&trace_id)), None))
    });
    events.boxed()
}

fn problem(problem: &Problem) -> Event {
    Event { name: "error", data: serde_json::to_string(problem).unwrap_or_default() }
}

/// The event that ends a stream early.
pub(crate) fn error(failed: &Problem) -> Bytes {
    let mut text = String::new();
    problem(failed).write(&mut text);
    text.into()
}
