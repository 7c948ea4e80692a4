//! Bodies on their way through.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context as Task, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use kit_resilience::Held;

/// The body of a request until a connection begins to read it: a try that finds no connection leaves it for the next.
#[derive(Clone)]
pub(crate) struct Unsent {
    body: Arc<Mutex<Option<Body>>>,
    /// What comes next has been asked for, and has not come yet.
    waits: Arc<AtomicBool>,
    size: SizeHint,
    empty: bool,
}

impl Unsent {
    pub(crate) fn new(body: Body) -> Self {
        let (size, empty) = (body.size_hint(), body.is_end_stream());
        Self { body: Arc::new(Mutex::new(Some(body))), waits: Arc::default(), size, empty }
    }

    /// Whether it is the caller who keeps everybody waiting.
    pub(crate) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// The body for one try.
    pub(crate) fn lend(&self) -> Lent {
        Lent { from: self.clone(), reading: None }
    }

    fn take(&self) -> Option<Body> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

pub(crate) struct Lent {
    from: Unsent,
    reading: Option<Body>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if this.reading.is_none() {
            this.reading = this.from.take();
        }
        match &mut this.reading {
            Some(body) => {
                let frame = Pin::new(body).poll_frame(task);
                this.from.waits.store(frame.is_pending(), Ordering::Relaxed);
                frame
            }
            // An empty one is not repeated by anybody who could tell; what was read once is not sent as if it were whole.
            None if this.from.empty => Poll::Ready(None),
            None => Poll::Ready(Some(Err(axum::Error::new("the body is gone")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.reading.as_ref().map_or(self.from.empty, HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.reading.as_ref().map_or_else(|| self.from.size, HttpBody::size_hint)
    }
}

/// The body of an answer, which keeps its place at the link until it is over.
pub(crate) struct Answer {
    pub inner: Incoming,
    pub held: Option<Held>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = std::task::ready!(Pin::new(&mut this.inner).poll_frame(task));
        match &frame {
            Some(Ok(_)) => {}
            Some(Err(_)) => drop(this.held.take().inspect(Held::failed)),
            None => drop(this.held.take()),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
