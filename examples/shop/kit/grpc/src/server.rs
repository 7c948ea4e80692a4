use std::{convert::Infallible, error::Error as _, pin::Pin, time::Duration};

use axum::Router;
use futures_util::{Stream, StreamExt as _};
use kit::{Context, Failure, Kind, OperationError, Validate, input::Limits};
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Request, Response, Status, Streaming, body::Body, metadata::MetadataValue, server::NamedService,
    service::Routes,
};
use tower::Service;

use crate::{
    Proto, status,
    whole::{Whole, too_large},
};

/// A gRPC service as axum routes. An unknown path beside it is answered by whatever the router has for that, where
/// tonic's own routes would answer everything.
///
/// `bound` is the service's own `max_decoding_message_size`: a message may have as many bytes as the edge says, or 4 MiB
/// where there is no edge, and is `invalid` if it has more.
pub fn routes<S>(service: S, bound: fn(S, usize) -> S) -> Router
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    Routes::new(Whole { service, bound }).into_axum_router().reset_fallback()
}

/// The context and the input of a call: decoded and valid, or the status that says what is wrong with it.
pub fn received<T: Proto<M> + Validate, M>(request: Request<M>) -> Result<(Context, T), Status> {
    let cx = context(&request);
    let input = T::decode(request.into_inner()).map_err(|failure| status(&failure))?;
    input.check().map_err(|failure| status(&failure))?;
    Ok((cx, input))
}

/// Makes a call whose input is a stream of messages, within the limits of [`Context::reading`]. The items come as they are
/// asked for: what the service does not read, the sender keeps (HTTP/2 flow control, RFC 9113, 5.2). A message that cannot
/// be decoded or is not valid ends them with `invalid` and its place, a sender who is silent for longer than the edge
/// allows with `timeout`; a caller that goes away drops the call.
pub async fn read<T, M, O, E, F>(
    request: Request<Streaming<M>>,
    call: impl FnOnce(Context, kit::Stream<T, Failure>) -> F,
) -> (Context, Result<O, E>)
where
    T: Proto<M> + Validate + Send + 'static,
    M: Send + 'static,
    E: OperationError,
    F: Future<Output = Result<O, E>>,
{
    let idle = request.extensions().get().map(|limits: &Limits| limits.idle);
    reading(request, idle, call).await
}

/// As [`read`], where messages go both ways: then a sender may be silent for as long as it likes.
pub async fn talk<T, M, O, E, F>(
    request: Request<Streaming<M>>,
    call: impl FnOnce(Context, kit::Stream<T, Failure>) -> F,
) -> (Context, Result<O, E>)
where
    T: Proto<M> + Validate + Send + 'static,
    M: Send + 'static,
    E: OperationError,
    F: Future<Output = Result<O, E>>,
{
    reading(request, None, call).await
}

async fn reading<T, M, O, E, F>(
    request: Request<Streaming<M>>,
    idle: Option<Duration>,
    call: impl FnOnce(Context, kit::Stream<T, Failure>) -> F,
) -> (Context, Result<O, E>)
where
    T: Proto<M> + Validate + Send + 'static,
    M: Send + 'static,
    E: OperationError,
    F: Future<Output = Result<O, E>>,
{
    let cx = context(&request);
    let stopping = request.extensions().get::<CancellationToken>().cloned().unwrap_or_default();
    let items = request.into_inner().map(|message| {
        let item = T::decode(message.map_err(|status| unread(&status))?)?;
        item.check()?;
        Ok(item)
    });
    let input = kit::input::received(items, idle, stopping.cancelled_owned());
    let result = cx.reading(input, call).await;
    (cx, result)
}

/// Why the next message of an input cannot be read: it is no message, or too large; or its sender has gone.
fn unread(status: &Status) -> Failure {
    // What tonic finds wrong with a message has no source.
    if status.source().is_some() || matches!(status.code(), Code::Cancelled | Code::Unavailable | Code::Unknown) {
        return Failure::new(Kind::Unavailable, "the input was cut off").caused_by(anyhow::anyhow!("{status}"));
    }
    if status.code() == Code::OutOfRange { too_large() } else { Failure::invalid(status.message()) }
}

/// The context that the edge of the service put into the request's extensions. Without an edge, what the metadata says.
pub fn context<M>(request: &Request<M>) -> Context {
    if let Some(cx) = request.extensions().get::<Context>() {
        return cx.clone();
    }
    let text = |name: &str| request.metadata().get(name).and_then(|value| value.to_str().ok());
    let mut cx = Context::default();
    if let Some(Ok(trace)) = text("traceparent").map(str::parse::<kit::Trace>) {
        cx = cx.in_trace(trace.child());
    }
    if let Some(key) = text("idempotency-key") {
        cx = cx.keyed(key);
    }
    if let Some(limit) = text("grpc-timeout").and_then(kit::grpc::timeout) {
        cx = cx.within(limit);
    }
    cx
}

/// The answer to a call.
pub fn answer<T: Proto<M>, M, E: OperationError>(cx: &Context, result: Result<T, E>) -> Result<Response<M>, Status> {
    let output = result.map_err(|error| status(&error))?;
    Ok(marked(cx, Response::new(output.encode())))
}

/// The messages of a server stream.
pub type Items<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// The answer to a call whose output is a stream.
pub fn stream<T, M, E>(cx: &Context, result: Result<kit::Stream<T, E>, E>) -> Result<Response<Items<M>>, Status>
where
    T: Proto<M> + 'static,
    M: 'static,
    E: OperationError,
{
    let items = result.map_err(|error| status(&error))?;
    let items = items.map(|item| item.map(T::encode).map_err(|error| status(&error)));
    Ok(marked(cx, Response::new(Box::pin(items))))
}

/// Says in the metadata which parts of the answer are stand-ins.
fn marked<M>(cx: &Context, mut response: Response<M>) -> Response<M> {
    let marks = cx.marks().list();
    if !marks.is_empty()
        && let Ok(value) = MetadataValue::try_from(marks.join(", "))
    {
        response.metadata_mut().insert("fallback", value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_knows_better_than_the_metadata() {
        let mut request = Request::new(());
        request.metadata_mut().insert("idempotency-key", "theirs".parse().unwrap());
        assert_eq!(context(&request).idempotency_key(), Some("theirs"));
        request.extensions_mut().insert(Context::default().keyed("ours"));
        assert_eq!(context(&request).idempotency_key(), Some("ours"));
    }
}
