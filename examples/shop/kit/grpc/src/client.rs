use std::time::Duration;

use futures_util::StreamExt as _;
use kit::{Context, Failure, OperationError};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap, metadata::MetadataValue};

use crate::{Proto, error};

/// What `grpc-timeout` can say at most is longer; nobody waits three years.
const LONGEST: Duration = Duration::from_secs(99_999_999);

/// A request that carries the input and the context: the deadline, the idempotency key, a child span.
pub fn request<T: Proto<M>, M>(cx: &Context, input: T) -> Request<M> {
    let mut request = Request::new(input.encode());
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
    request
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
