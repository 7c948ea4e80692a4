//! Streams of output have no end of their own, so a service that stops has to end them: with an error that says so.

use std::{
    pin::Pin,
    task::{Context as Task, Poll, ready},
};

use axum::{
    body::{Body, HttpBody},
    http::header,
    response::Response,
};
use bytes::Bytes;
use http_body::Frame;
use kit::{Failure, Kind};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{Problem, events, grpc};

/// Frames that an answer may still have when the service stops, if they are there: a whole one, and the end of a stream. One
/// that always has more has to end too.
const LEFT: usize = 64;

/// The answer, which ends when the service stops if it is a stream.
pub(crate) fn ends(response: Response, stopping: &CancellationToken) -> Response {
    let last: fn() -> Frame<Bytes> = match response.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes()) {
        Some(b"text/event-stream") => || Frame::data(events::error(&Problem::from(stopped()))),
        Some(kind) if kind.starts_with(b"application/grpc") => {
            || Frame::trailers(grpc::status(Kind::Unavailable, &stopped().detail))
        }
        _ => return response,
    };
    if response.body().is_end_stream() {
        return response;
    }
    response.map(|inner| {
        Body::new(Ending { inner, stopping: stopping.clone(), stopped: None, left: LEFT, last: Some(last) })
    })
}

fn stopped() -> Failure {
    Failure::new(Kind::Unavailable, "the service is stopping")
}

struct Ending {
    inner: Body,
    stopping: CancellationToken,
    /// Made when the body has to wait for the first time, which most never do.
    stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// How many more frames it may have without waiting, once the service stops.
    left: usize,
    /// What to say instead of the rest. `None`: it has been said.
    last: Option<fn() -> Frame<Bytes>>,
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if this.last.is_none() {
            return Poll::Ready(None);
        }
        let stopping = &this.stopping;
        if stopping.is_cancelled() {
            let Some(left) = this.left.checked_sub(1) else {
                return Poll::Ready(this.last.take().map(|last| Ok(last())));
            };
            this.left = left;
        }
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(task) {
            return Poll::Ready(frame);
        }
        ready!(this.stopped.get_or_insert_with(|| Box::pin(stopping.clone().cancelled_owned())).as_mut().poll(task));
        Poll::Ready(this.last.take().map(|last| Ok(last())))
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none() || self.inner.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};

    use super::*;

    #[tokio::test]
    async fn what_is_there_goes_out_and_what_never_ends_is_ended() {
        let answer = |items: stream::BoxStream<'static, &'static str>| {
            let stopping = CancellationToken::new();
            let response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream");
            let body = Body::from_stream(items.map(Ok::<_, Infallible>));
            let body = ends(response.body(body).unwrap(), &stopping).into_body();
            stopping.cancel();
            axum::body::to_bytes(body, usize::MAX)
        };
        assert_eq!(answer(stream::iter(["a", "b", "c"]).boxed()).await.unwrap(), "abc");
        let ended = answer(stream::repeat("x").boxed()).await.unwrap();
        let text = String::from_utf8(ended.to_vec()).unwrap();
        assert_eq!(text.split_once("event: error").unwrap().0, "x".repeat(LEFT));
        assert!(text.contains("the service is stopping"));
        let ended = answer(stream::once(async { "x" }).chain(stream::pending()).boxed()).await.unwrap();
        assert!(ended.starts_with(b"xevent: error"));
    }
}
