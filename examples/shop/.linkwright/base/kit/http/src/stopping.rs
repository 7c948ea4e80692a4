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
    response.map(|inner| Body::new(Ending { inner, stopping: stopping.clone(), stopped: None, last: Some(last) }))
}

fn stopped() -> Failure {
    Failure::new(Kind::Unavailable, "the service is stopping")
}

struct Ending {
    inner: Body,
    stopping: CancellationToken,
    /// Made when the body has to wait for the first time, which most never do.
    stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
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
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(task) {
            return Poll::Ready(frame);
        }
        let stopping = &this.stopping;
        ready!(this.stopped.get_or_insert_with(|| Box::pin(stopping.clone().cancelled_owned())).as_mut().poll(task));
        Poll::Ready(this.last.take().map(|last| Ok(last())))
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none() || self.inner.is_end_stream()
    }
}
