//! The one layer around every router: context in, problems and marks out, and no request that takes too much or too long.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as Task, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{self, BoxFuture},
};
use http_body_util::{BodyExt, Collected};
use kit::{Context, Failure, Kind, input::Limits};
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service};
use tracing::Instrument;

use crate::{
    Cors, Heartbeat, Network, Problem, grpc,
    headers::{self, Sent},
    peer,
    resume::Streams,
    stopping,
    upload::{self, Inputs},
};

const TRACE_ID: HeaderName = HeaderName::from_static("trace-id");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// Without a word from the server a cache may guess how long an answer is good (RFC 9111 §4.2.2). One with a revision may
/// be kept, for to be asked whether it still holds.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");
/// Bytes at most of a foreign error's text that become the detail of a problem.
const DETAIL: u64 = 1024;
/// Requests below `/-/` at work at a time, besides the others: health is asked for most urgently when there is too much
/// to do, and by few.
const HEALTH: usize = 64;

/// What the edge of a service allows.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Bytes of a body at most, else 413. What reads the body holds to it: every extractor, of axum too, and a route may
    /// set another with axum's `DefaultBodyLimit`. Where a connection carries many messages, over gRPC and WebSockets, it is
    /// that of each.
    pub body_limit: usize,
    /// How long the next item of a streamed input may take. Such an input has no other limit of time, and `body_limit` is
    /// that of each item.
    pub input_idle: Duration,
    /// Bytes of a streamed input at most, if there is a limit.
    pub input_limit: Option<u64>,
    /// How long a stream of events or a WebSocket is silent at most: then a sign of life goes over it. A WebSocket that gives
    /// none back for twice as long is closed.
    pub heartbeat: Duration,
    /// Items of a WebSocket at most that have come and are not read yet. What follows stays with the client.
    pub stream_buffer: usize,
    /// Bytes of a request target at most, else 414.
    pub uri_limit: usize,
    /// How long a request may take that brings no deadline, and at most. A stream has to open in this time.
    pub timeout: Duration,
    /// Requests at work at a time. One more is answered 503 at once, which keeps the others fast.
    pub in_flight: usize,
    /// Which pages of other origins may call, from a browser, and open WebSockets. None, unless they are named.
    pub cors: Cors,
    /// Where proxies are whose `Forwarded` says who calls.
    pub proxies: Vec<Network>,
    /// Cancelled when the service stops: streams of output then end, and those of input, with the error `unavailable`.
    pub stopping: CancellationToken,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            body_limit: 1 << 20,
            input_idle: Duration::from_secs(30),
            input_limit: None,
            heartbeat: Heartbeat::default().0,
            stream_buffer: 16,
            uri_limit: 8 << 10,
            timeout: Duration::from_secs(30),
            in_flight: 1024,
            cors: Cors::default(),
            proxies: Vec::new(),
            stopping: CancellationToken::new(),
        }
    }
}

/// Puts the edge around all routes, whatever they speak.
///
/// * The [`Context`] of each request, made of its headers, goes into the request's extensions.
/// * Every error is problem+json with the trace, for gRPC a status: unknown paths, wrong methods, panics, too much, too
///   long, and what axum's extractors answer as plain text. Errors of another form, as GraphQL's, stay as they are.
/// * An answer carries `trace-id`, and `fallback` if parts of it are stand-ins. What is read says `cache-control: no-cache`
///   if it has an `etag`, else `no-store`, unless its handler knows better.
pub fn edge(router: Router, edge: Edge) -> Router {
    let streams = Streams::new(Heartbeat(edge.heartbeat));
    let shared = Arc::new(Shared { edge, in_flight: AtomicUsize::new(0), streams });
    // As one layer: each has a price for every request.
    let limit = DefaultBodyLimit::max(shared.edge.body_limit);
    router.layer((Around(shared), limit))
}

struct Shared {
    edge: Edge,
    in_flight: AtomicUsize,
    streams: Streams,
}

#[derive(Clone)]
struct Around(Arc<Shared>);

impl<S> Layer<S> for Around {
    type Service = Edged<S>;

    fn layer(&self, inner: S) -> Edged<S> {
        Edged { inner, shared: self.0.clone() }
    }
}

#[derive(Clone)]
struct Edged<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request> for Edged<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.shared.clone().answer(request, &mut self.inner)
    }
}

impl Shared {
    /// What can be done at once is done before the future is made, which need not carry the request along then.
    fn answer<S>(
        self: Arc<Self>,
        mut request: Request,
        inner: &mut S,
    ) -> BoxFuture<'static, Result<Response, Infallible>>
    where
        S: Service<Request, Response = Response, Error = Infallible> + 'static,
        S::Future: Send + 'static,
    {
        if let Some(answer) = self.edge.cors.preflight(&request) {
            return Box::pin(future::ok(answer));
        }
        let sent = Sent::with(request.headers());
        let allowed = self.edge.cors.allowed(sent.origin);
        let trace = sent.trace();
        let grpc = sent.content_type.is_some_and(grpc::is);
        let means = Means {
            cx: sent.context(trace, grpc),
            grpc,
            upgrades: sent.upgrade.is_some(),
            uploads: sent.content_type.is_some_and(upload::is),
        };
        let asked = Asked { method: request.method().clone(), grpc, trace_id: trace.id() };
        let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let span = tracing::info_span!("request", method = asked.method.as_str(), route, trace_id = asked.trace_id);
        // Health is asked for all the time.
        let notable = !request.uri().path().starts_with("/-/");
        let begun = span.in_scope(|| {
            if notable {
                tracing::debug!(path = request.uri().path(), "asked");
            }
            let (cx, at_work) = self.admit(&mut request, means)?;
            Ok::<_, Problem>((cx, at_work, work(inner, request)))
        });
        let answer = async move {
            let response = match begun {
                Ok((cx, _at_work, work)) => run(&cx, work).await,
                Err(problem) => problem.into_response(),
            };
            let mut response = self.finish(response, asked).await;
            self.edge.cors.tell(allowed, response.headers_mut());
            if notable {
                tracing::debug!(status = response.status().as_u16(), "answered");
            }
            Ok(response)
        };
        Box::pin(answer.instrument(span))
    }

    /// The context of a request that may go on. Its slot is given back when the guard is dropped.
    fn admit(self: &Arc<Self>, request: &mut Request, means: Means) -> Result<(Context, AtWork), Problem> {
        let at_work = AtWork(self.clone());
        let others = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let extra = if request.uri().path().starts_with("/-/") { HEALTH } else { 0 };
        if others >= self.edge.in_flight.saturating_add(extra) {
            let full = Failure::new(Kind::Unavailable, "too many requests at work").retry_after(Duration::from_secs(1));
            return Err(full.into());
        }
        let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
        if target > self.edge.uri_limit {
            return Err(Problem::new(
                StatusCode::URI_TOO_LONG,
                format!("path and query have {target} bytes, and at most {} are read", self.edge.uri_limit),
            ));
        }
        let Means { cx, grpc, upgrades, uploads } = means;
        if upgrades && !self.edge.cors.upgrades(request) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "pages of this origin may not open a WebSocket here"));
        }
        let cx = cx?.within(self.edge.timeout);
        let cx = peer::address(request, &self.edge.proxies).into_iter().fold(cx, Context::from_address);
        let limits = Limits { message: self.edge.body_limit, idle: self.edge.input_idle };
        let told = request.extensions_mut();
        told.insert(cx.clone());
        told.insert(self.streams.clone());
        if grpc {
            told.insert(limits);
            // Who reads a stream of input ends it when the service stops.
            told.insert(self.edge.stopping.clone());
        } else if uploads || upgrades {
            told.insert(limits);
            told.insert(Inputs {
                item: self.edge.body_limit,
                idle: self.edge.input_idle,
                total: self.edge.input_limit,
                waiting: self.edge.stream_buffer,
                stopping: self.edge.stopping.clone(),
            });
        }
        Ok((cx, at_work))
    }

    /// Every answer in the form in which callers know it.
    async fn finish(&self, mut response: Response, asked: Asked) -> Response {
        let status = response.status();
        if asked.method == Method::OPTIONS && status == StatusCode::METHOD_NOT_ALLOWED {
            // The router adds `Allow`.
            response = StatusCode::NO_CONTENT.into_response();
        } else if (status.is_client_error() || status.is_server_error()) && is_bare(response.headers()) {
            // Other answers need no room for that.
            response = Box::pin(formed(response, asked.grpc)).await;
        }
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            let problem = problem.in_trace(&asked.trace_id);
            if asked.grpc {
                response = grpc::answer(&problem);
            } else {
                *response.body_mut() = problem.body();
            }
        }
        let headers = response.headers_mut();
        if !asked.grpc {
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        }
        if matches!(asked.method, Method::GET | Method::HEAD) && !headers.contains_key(header::CACHE_CONTROL) {
            let keep = if headers.contains_key(header::ETAG) { ASK_AGAIN } else { NOT_KEPT };
            headers.insert(header::CACHE_CONTROL, keep);
        }
        if let Ok(mut id) = HeaderValue::try_from(asked.trace_id) {
            // Not a secret, but different each time: HPACK is not to remember it for a next answer.
            id.set_sensitive(true);
            headers.insert(TRACE_ID, id);
        }
        stopping::ends(response, &self.edge.stopping)
    }
}

/// What the headers of a request say of how it is to be treated.
struct Means {
    /// The call as the caller means it.
    cx: Result<Context, Problem>,
    grpc: bool,
    upgrades: bool,
    uploads: bool,
}

struct Asked {
    method: Method,
    grpc: bool,
    trace_id: String,
}

struct AtWork(Arc<Shared>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The work on a request.
fn work<S>(inner: &mut S, request: Request) -> impl Future<Output = Result<Response, Failure>> + use<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let begun = catch_unwind(AssertUnwindSafe(|| inner.call(request)));
    let begun = begun.map(|call| call.map(|answer| Ok(answer.unwrap_or_else(|never| match never {}))));
    match begun {
        Ok(call) => call.left_future(),
        Err(panic) => future::err(Failure::panicked(&*panic)).right_future(),
    }
}

async fn run(cx: &Context, work: impl Future<Output = Result<Response, Failure>>) -> Response {
    match cx.limit(work).await {
        Ok(mut response) => {
            headers::mark(cx.marks(), response.headers_mut());
            headers::stand(&cx.standings(), response.headers_mut());
            response
        }
        Err(failure) => Problem::from(failure).into_response(),
    }
}

/// Whether an error has no form of its own: it has no body, or one of plain text, as axum's own extractors answer.
fn is_bare(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}

/// The text of an answer that is there already and short.
async fn said(body: Body) -> String {
    let short = body.size_hint().exact().is_some_and(|length| length <= DETAIL);
    let bytes = if short { body.collect().await.map(Collected::to_bytes).unwrap_or_default() } else { Bytes::new() };
    String::from_utf8(bytes.into()).unwrap_or_default()
}

/// A bare error in our form, with the headers that it has.
async fn formed(response: Response, grpc: bool) -> Response {
    let status = response.status();
    let (mut parts, body) = response.into_parts();
    let mut response = bare(status, &said(body).await, grpc).into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    response.headers_mut().extend(parts.headers);
    response
}

/// What the router, a foreign handler or a limit of theirs answers, with what it `said` unless it tells of the inside.
fn bare(status: StatusCode, said: &str, grpc: bool) -> Problem {
    let detail = match status {
        StatusCode::NOT_FOUND if said.is_empty() => "there is nothing at this path",
        StatusCode::METHOD_NOT_ALLOWED => "the path is right, the method is not",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
        _ if said.is_empty() || status.is_server_error() => status.canonical_reason().unwrap_or("the request failed"),
        _ => said,
    };
    let mut problem = Problem::new(status, detail);
    if grpc && status == StatusCode::NOT_FOUND {
        // The path is the name of a method, which we do not have.
        problem.kind = Some(Kind::Unsupported);
    }
    problem
}
