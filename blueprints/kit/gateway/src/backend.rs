//! One service behind the gateway, and a request on its way to it and back.

use std::{error::Error, time::Duration};

use anyhow::Context as _;
use axum::{
    RequestExt,
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, Uri, Version, uri::PathAndQuery},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::LengthLimitError;
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use kit::{Context, Failure, Kind, Operation, Safety, Stream};
use kit_http::{Heartbeat, Problem};
use kit_resilience::{Held, Link};
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use crate::{
    Front,
    body::{Answer, Lent, Unsent},
    headers,
    refused::{Instead, Refused},
    tunnel::{self, Open},
};

/// How long a connection may take to open, where the deadline does not say less.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept: less than services keep it, or a request may meet its end.
const IDLE: Duration = Duration::from_secs(20);
const TOO_LARGE: &str = "the body is too large";
const TOO_SLOW: &str = "the body takes too long";
/// When to come back, where nobody knows better.
const LATER: Duration = Duration::from_secs(1);

/// A service, and the way to it.
pub(crate) struct Backend {
    gateway: &'static str,
    front: &'static Front,
    base: Uri,
    /// The same, as references begin that lead there.
    origin: String,
    http: Client<HttpsConnector<HttpConnector>, Lent>,
    link: Link,
}

/// A request that can be sent as often as it takes.
struct Onward {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Unsent,
    /// The body is a stream of input (NDJSON).
    streams: bool,
}

/// What a caller who wants a WebSocket came with.
struct Upgrade {
    caller: OnUpgrade,
    heartbeat: Heartbeat,
    stopping: CancellationToken,
    token: Option<TaskTrackerToken>,
}

impl Backend {
    pub(crate) fn new(gateway: &'static str, front: &'static Front, url: &str, link: Link) -> anyhow::Result<Self> {
        // An error says that the process has chosen a provider of its own, which will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base: Uri = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
        anyhow::ensure!(matches!(base.scheme_str(), Some("http" | "https")), "{url:?} is not a URL of HTTP");
        anyhow::ensure!(base.query().is_none(), "{url:?}: a path cannot follow a query");
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .try_with_platform_verifier()?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let origin = url.trim_end_matches('/').to_owned();
        Ok(Self { gateway, front, base, origin, http, link })
    }

    /// Passes a request on, and its answer back.
    pub(crate) async fn pass(&self, operation: &'static str, request: Request) -> Response {
        let cx = request.extensions().get::<Context>().cloned().unwrap_or_default();
        let asked = request.version();
        let (onward, upgrade) = match self.onward(&cx, request) {
            Ok(onward) => onward,
            Err(problem) => return problem.into_response(),
        };
        let safety = if onward.method.is_safe() && onward.body.is_empty() { Safety::Safe } else { Safety::Unsafe };
        let operation = Operation { service: self.front.service, name: operation, safety };
        let answer = match onward.streams {
            true => self.upload(&cx, &operation, &onward).await,
            false => self.ask(&cx, &operation, &onward, upgrade.is_some()).await,
        };
        match answer {
            Ok((answer, held)) => self.back(asked, answer, Some(held), upgrade),
            Err(Refused { instead: Some(Instead::Answer(answer)), .. }) => self.back(asked, *answer, None, None),
            Err(Refused { instead: Some(Instead::Problem(problem)), .. }) => problem.into_response(),
            Err(Refused { failure, instead: None }) => trouble(failure).into_response(),
        }
    }

    /// Anything else. Who reads an answer may take as long as they like, so it keeps no place of calls.
    async fn ask(
        &self,
        cx: &Context,
        operation: &Operation,
        onward: &Onward,
        upgrades: bool,
    ) -> Result<(Response<Incoming>, Held), Refused> {
        let send = |cx| self.send(cx, onward, onward.body.lend());
        if upgrades {
            return self.link.hold_open(cx, operation, send).await;
        }
        let (answer, held) = self.link.hold(cx, operation, send).await?;
        let held = if headers::are_events(answer.headers()) { held.streams()? } else { held.goes_on() };
        Ok((answer, held))
    }

    fn onward(&self, cx: &Context, mut request: Request) -> Result<(Onward, Option<Upgrade>), Problem> {
        let uri = self.target(request.uri()).ok_or_else(|| Problem::unreadable("there is no such path"))?;
        let websocket = headers::wants_websocket(request.version(), request.headers());
        let extensions = request.extensions_mut();
        let upgrade = extensions.remove::<OnUpgrade>().filter(|_| websocket).map(|caller| Upgrade {
            caller,
            heartbeat: Heartbeat::of(extensions),
            stopping: extensions.remove().unwrap_or_default(),
            token: extensions.remove(),
        });
        let streams = kit_http::brings_stream(request.headers());
        let length = request.body().size_hint().lower();
        // The limit of a stream is that of each item, which the service holds to.
        let (parts, body) = if streams { request } else { request.with_limited_body() }.into_parts();
        if body.size_hint().lower() < length {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE));
        }
        let forwarded = headers::forwarded(cx, &parts.extensions, &parts.uri, &parts.headers);
        let hop = (self.gateway, parts.version);
        let headers = headers::onward(parts.headers, hop, forwarded, upgrade.is_some());
        Ok((Onward { method: parts.method, uri, headers, body: Unsent::new(body), streams }, upgrade))
    }

    /// The same path and query without the prefix, at the service.
    fn target(&self, uri: &Uri) -> Option<Uri> {
        let rest = uri.path_and_query()?.as_str().strip_prefix(self.front.prefix)?;
        let path = format!("{}{rest}", self.base.path().trim_end_matches('/'));
        let mut parts = self.base.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
        Uri::from_parts(parts).ok()
    }

    /// A stream of input: one try, without a deadline for as long as it flows ([`Link::send_and_hold`]).
    async fn upload(
        &self,
        cx: &Context,
        operation: &Operation,
        onward: &Onward,
    ) -> Result<(Response<Incoming>, Held), Refused> {
        let broken = |error| Failure::new(Kind::Invalid, "the body ended early").caused_by(anyhow::Error::from(error));
        let chunks = Body::new(onward.body.lend()).into_data_stream().map(move |chunk| chunk.map_err(broken));
        let send = async |cx: Context, chunks: Stream<Bytes, Failure>| {
            let attempt = |cx: Context, chunks: Stream<Bytes, Failure>| {
                let body = Unsent::new(Body::from_stream(chunks));
                self.send(cx, onward, body.lend())
            };
            self.link.send_and_hold(&cx, operation, chunks, attempt).await
        };
        cx.reading(Box::pin(chunks), send).await
    }

    /// One try.
    async fn send(&self, cx: Context, onward: &Onward, body: Lent) -> Result<Response<Incoming>, Refused> {
        let mut request = Request::new(body);
        *request.method_mut() = onward.method.clone();
        *request.uri_mut() = onward.uri.clone();
        *request.headers_mut() = onward.headers.clone();
        kit_http::send_context(&cx, request.headers_mut());
        let answer = match self.answer(&cx, request).await {
            Some(answer) => answer.map_err(lost)?,
            None if onward.body.waits() => {
                return Err(Refused::callers(Problem::new(StatusCode::REQUEST_TIMEOUT, TOO_SLOW)));
            }
            None => return Err(Failure::timeout().into()),
        };
        let status = answer.status();
        match kit_http::kind(status) {
            kind if status.is_server_error() && kind.is_fault() => Err(Refused::by(kind, answer)),
            _ => Ok(answer),
        }
    }

    /// `None`: the time for this try is over.
    async fn answer(&self, cx: &Context, request: Request<Lent>) -> Option<Result<Response<Incoming>, legacy::Error>> {
        let answer = self.http.request(request);
        match cx.deadline() {
            Some(end) => tokio::time::timeout_at(end, answer).await.ok(),
            None => Some(answer.await),
        }
    }

    fn back(
        &self,
        asked: Version,
        mut answer: Response<Incoming>,
        held: Option<Held>,
        upgrade: Option<Upgrade>,
    ) -> Response {
        let switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        let service = hyper::upgrade::on(&mut answer);
        let (mut parts, inner) = answer.into_parts();
        headers::back(&mut parts.headers, (self.gateway, parts.version), &self.origin, self.front.prefix);
        // The answer is in the version of the one who asked.
        parts.version = asked;
        if !switched {
            return Response::from_parts(parts, Body::new(Answer { inner, held }));
        }
        let (Some(held), Some(Upgrade { caller, heartbeat, stopping, token })) = (held, upgrade) else {
            let wrong = anyhow::anyhow!("{} switches protocols and was not asked to", self.front.service);
            return trouble(Failure::unavailable(wrong)).into_response();
        };
        headers::speak_websocket(&mut parts.headers);
        tokio::spawn(tunnel::join(caller, service, Open { held, patience: heartbeat.silence(), stopping, token }));
        Response::from_parts(parts, Body::empty())
    }
}

/// What a try that brought no answer means.
fn lost(error: legacy::Error) -> Refused {
    if causes(&error).any(|cause| cause.is::<LengthLimitError>()) {
        return Refused::callers(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE));
    }
    if causes(&error).any(|cause| cause.is::<axum::Error>()) {
        return Refused::callers(Problem::unreadable("the body ended early"));
    }
    let unsent = error.is_connect();
    let failure = Failure::unavailable(error);
    if unsent { failure.unsent().into() } else { failure.into() }
}

/// What the gateway answers where the service does not.
fn trouble(failure: Failure) -> Problem {
    let failure = Failure::upstream(failure);
    let retry_after = failure.retry_after.or((failure.kind == Kind::Unavailable).then_some(LATER));
    Failure { retry_after, ..failure }.into()
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}
