//! What tonic leaves to its user: how large a message may be, and what HTTP/2 says of a body that ends, that this was all or
//! that somebody has given up.

use std::{
    pin::Pin,
    task::{Context as Task, Poll, ready},
};

use axum::body::{Bytes, HttpBody};
use futures_util::{TryFutureExt as _, future::MapOk};
use http::Response;
use http_body::Frame;
use kit::{Failure, input::Limits};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Code, Status, body::Body, server::NamedService};
use tower::Service;

use crate::status;

/// A service whose messages are as large as its edge allows, and whose requests end only where their sender says so
/// (END_STREAM, RFC 9113, 8.1). hyper reads a stream that is reset with `CANCEL` as one that has ended, and then half of an
/// input would pass for all of it.
#[derive(Clone)]
pub(crate) struct Whole<S> {
    pub service: S,
    /// `max_decoding_message_size` of the service.
    pub bound: fn(S, usize) -> S,
}

impl<S: NamedService> NamedService for Whole<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Whole<S>
where
    S: Service<http::Request<Body>, Response = Response<Body>> + Clone,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = MapOk<S::Future, fn(Response<Body>) -> Response<Body>>;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(task)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        if request.version() == http::Version::HTTP_2 && !request.body().is_end_stream() {
            request = request.map(|inner| Body::new(WholeBody(inner)));
        }
        // What tonic makes of a contract is always ready, its clones too.
        let answer = match request.extensions().get() {
            Some(Limits { message, .. }) => (self.bound)(self.service.clone(), *message).call(request),
            None => self.service.call(request),
        };
        answer.map_ok(invalid_if_too_large as fn(_) -> _)
    }
}

/// tonic answers a message over the limit with OUT_OF_RANGE, which is the code of no kind of error. Over every other
/// transport it is `invalid`.
fn invalid_if_too_large(answer: Response<Body>) -> Response<Body> {
    let code = answer.headers().get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()));
    if code == Some(Code::OutOfRange) { status(&too_large()).into_http() } else { answer }
}

/// Not `limited`, though gRPC has RESOURCE_EXHAUSTED for it: that says to come back later, and no later try would do.
pub(crate) fn too_large() -> Failure {
    Failure::invalid("the message is too large")
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
