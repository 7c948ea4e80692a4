//! What HTTP/2 says of a body that ends: that this was all, or that somebody has given up.

use std::{
    pin::Pin,
    task::{Context as Task, Poll, ready},
};

use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Status, body::Body, server::NamedService};
use tower::Service;

/// A service whose requests end only where their sender says so (END_STREAM, RFC 9113, 8.1). hyper reads a stream that is
/// reset with `CANCEL` as one that has ended, and then half of an input would pass for all of it.
#[derive(Clone)]
pub(crate) struct Whole<S>(pub S);

impl<S: NamedService> NamedService for Whole<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: Service<http::Request<Body>>> Service<http::Request<Body>> for Whole<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(task)
    }

    fn call(&mut self, request: http::Request<Body>) -> S::Future {
        if request.version() != http::Version::HTTP_2 || request.body().is_end_stream() {
            return self.0.call(request);
        }
        self.0.call(request.map(|inner| Body::new(WholeBody(inner))))
    }
}

struct WholeBody(Body);

impl HttpBody for WholeBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.0).poll_frame(task));
        match frame {
            None if !this.0.is_end_stream() => Poll::Ready(Some(Err(Status::cancelled("the caller has gone")))),
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}

/// Among the extensions of a request: cancelled when its caller gives up while its body is still being sent.
#[derive(Clone)]
pub(crate) struct GivenUp(pub CancellationToken);

/// The body of a request, which breaks off when its caller gives up.
pub(crate) struct Breaking {
    inner: Body,
    given_up: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Breaking {
    pub(crate) fn new(inner: Body, GivenUp(token): GivenUp) -> Self {
        Self { inner, given_up: Box::pin(token.cancelled_owned()) }
    }
}

impl HttpBody for Breaking {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.given_up.as_mut().poll(task).is_ready() {
            return Poll::Ready(Some(Err(Status::cancelled("given up"))));
        }
        Pin::new(&mut this.inner).poll_frame(task)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}
