use std::time::Duration;

use futures_util::{StreamExt as _, stream::Map};
use kit::{Context, Failure, OperationError, input::Sent};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap, metadata::MetadataValue};

use crate::{Proto, error, whole::GivenUp};

/// What `grpc-timeout` can say at most is longer; nobody waits three years.
const LONGEST: Duration = Duration::from_secs(99_999_999);

/// A request that carries the input and the context: the deadline, the idempotency key, a child span, for whom it is.
pub fn request<T: Proto<M>, M>(cx: &Context, input: T) -> Request<M> {
    carried(cx, input.encode())
}

fn carried<B>(cx: &Context, body: B) -> Request<B> {
    let mut request = Request::new(body);
    if let Some(left) = cx.remaining() {
        request.set_timeout(left.min(LONGEST));
    }
    let metadata = request.metadata_mut();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = MetadataValue::try_from(value) {
            metadata.insert(name, value);
        }
    };
    put("traceparent", &cx.trace().child().to_string());
    if let Some(key) = cx.idempotency_key() {
        put("idempotency-key", key);
    }
    if let Some(forwarded) = cx.forwarded() {
        put("forwarded", &forwarded);
    }
    request
}

/// The messages of a stream of input.
pub type Messages<T, M> = Map<Sent<T>, fn(T) -> M>;

/// Calls with a stream of input, and waits for the answer. No deadline goes along: what `grpc-timeout` says would bound the
/// whole input ([`Context::reading`]).
pub async fn send<T, M, O, N, E, F>(
    cx: &Context,
    input: kit::Stream<T, Failure>,
    call: impl FnOnce(Request<Messages<T, M>>) -> F,
) -> Result<O, E>
where
    T: Proto<M> + Send + 'static,
    M: 'static,
    O: Proto<N>,
    E: OperationError,
    F: Future<Output = Result<Response<N>, Status>>,
{
    let sent = |cx: Context, input| async move {
        let (items, broken) = kit::input::sent(input);
        let (request, _unless_dropped) = streaming(&cx, items);
        tokio::select! {
            biased;
            failure = broken => Err(failure.into()),
            result = call(request) => output(&cx, result),
        }
    };
    cx.reading(input, sent).await
}

/// Calls with a stream of input, and opens the stream that is the answer. Who drops it gives the call up.
pub async fn exchange<T, M, O, N, E, F>(
    cx: &Context,
    input: kit::Stream<T, Failure>,
    call: impl FnOnce(Request<Messages<T, M>>) -> F,
) -> Result<kit::Stream<O, E>, E>
where
    T: Proto<M> + Send + 'static,
    M: 'static,
    O: Proto<N> + 'static,
    N: Send + 'static,
    E: OperationError,
    F: Future<Output = Result<Response<Streaming<N>>, Status>>,
{
    let sent = |cx: Context, input| async move {
        let (items, mut broken) = kit::input::sent(input);
        let (request, unless_dropped) = streaming(&cx, items);
        let items = tokio::select! {
            biased;
            failure = &mut broken => return Err(failure.into()),
            result = call(request) => kit::input::unless(outputs::<O, N, E>(&cx, result)?, broken),
        };
        Ok(Box::pin(items.inspect(move |_| {
            let _ = &unless_dropped;
        })) as kit::Stream<O, E>)
    };
    cx.reading(input, sent).await
}

/// A request that breaks off, where it would go on as it was, when the guard is dropped.
fn streaming<T: Proto<M>, M>(cx: &Context, items: Sent<T>) -> (Request<Messages<T, M>>, DropGuard) {
    let mut request = carried(cx, items.map(T::encode as _));
    let given_up = CancellationToken::new();
    request.extensions_mut().insert(GivenUp(given_up.clone()));
    (request, given_up.drop_guard())
}

/// What the other side answered; its marks are ours from now on.
pub fn output<T: Proto<M>, M, E: OperationError>(cx: &Context, result: Result<Response<M>, Status>) -> Result<T, E> {
    let response = result.map_err(error::<E>)?;
    take_marks(cx, response.metadata());
    decoded(response.into_inner())
}

/// The stream that the other side opened. It ends with an error if the connection breaks.
pub fn outputs<T, M, E>(cx: &Context, result: Result<Response<Streaming<M>>, Status>) -> Result<kit::Stream<T, E>, E>
where
    T: Proto<M> + 'static,
    M: Send + 'static,
    E: OperationError,
{
    let response = result.map_err(error::<E>)?;
    take_marks(cx, response.metadata());
    Ok(Box::pin(response.into_inner().map(|item| decoded(item.map_err(error::<E>)?))))
}

fn decoded<T: Proto<M>, M, E: OperationError>(message: M) -> Result<T, E> {
    T::decode(message).map_err(|failure| Failure::internal(failure).into())
}

fn take_marks(cx: &Context, metadata: &MetadataMap) {
    let values = metadata.get_all("fallback").iter().filter_map(|value| value.to_str().ok());
    for mark in values.flat_map(|value| value.split(',')).map(str::trim).filter(|mark| !mark.is_empty()) {
        cx.marks().add(mark);
    }
}
