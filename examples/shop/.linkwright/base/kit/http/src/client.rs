//! Operations called over REST: one request, one answer, errors turned back into the operation's own.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use kit::{Context, Etag, Failure, OperationError, Stream};
use reqwest::{Response, Url, redirect::Policy};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Heartbeat, Problem, conditional, escape, events, exchange, headers, reader, upload, version::Version};

/// Bytes of an answer at most, and of one event of a stream.
pub(crate) const MAX_ANSWER: usize = 16 << 20;
/// How long a connection may take to open, where the deadline does not say less.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept: less than servers keep it, or a request may meet its end.
const IDLE: Duration = Duration::from_secs(20);

/// A service that is called over REST. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    /// Without a slash at its end.
    base: String,
    http: reqwest::Client,
}

impl Client {
    /// `base` is what stands before every path: `http://inventory:8080`, `https://example.org/inventory`.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        // An error says that the process has chosen a provider of its own, which will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url: Url = base.parse().map_err(|error| anyhow::anyhow!("{base:?} is not a URL: {error}"))?;
        anyhow::ensure!(matches!(url.scheme(), "http" | "https"), "{base:?} is not a URL of HTTP");
        anyhow::ensure!(url.query().is_none() && url.fragment().is_none(), "{base:?}: a path cannot follow a query");
        // Who is sent elsewhere would carry the caller's headers along.
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .build()?;
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), http })
    }

    /// Calls, and reads the answer: JSON, or nothing where `T` is `()`.
    pub async fn call<T: DeserializeOwned, E: OperationError>(&self, cx: &Context, request: Request) -> Result<T, E> {
        let request = self.request(cx, request, "application/json")?;
        let answer = async { Ok(read(send::<E>(&self.http, cx, request).await?).await?) };
        let body = cx.limit::<_, E>(answer).await?;
        answered(&body)
    }

    /// Sends a stream of input as NDJSON, and reads the answer, within the limits of [`Context::reading`].
    pub async fn send<I, T, E>(&self, cx: &Context, request: Request, input: Stream<I, Failure>) -> Result<T, E>
    where
        I: Serialize + Send + 'static,
        T: DeserializeOwned,
        E: OperationError,
    {
        let sent = |cx: Context, input| async move {
            let (items, broken) = kit::input::sent(input);
            let mut request = self.request(&cx, request, "application/json")?;
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(upload::TYPE));
            let line = |item: I| {
                serde_json::to_vec(&item).map(|mut line| {
                    line.push(b'\n');
                    line
                })
            };
            *request.body_mut() = Some(reqwest::Body::wrap_stream(items.map(line)));
            let answer = async { Ok(read(send::<E>(&self.http, &cx, request).await?).await?) };
            tokio::select! {
                biased;
                // Dropped, the request breaks off: half of an input is not to be taken for all of it.
                failure = broken => Err(failure.into()),
                answer = answer => answer,
            }
        };
        answered(&cx.reading::<_, Bytes, E, _>(input, sent).await?)
    }

    /// Opens a WebSocket, over which streams go both ways. The deadline is for the opening.
    pub async fn exchange<I, T, E>(
        &self,
        cx: &Context,
        request: Request,
        input: Stream<I, Failure>,
    ) -> Result<Stream<T, E>, E>
    where
        I: Serialize + Send + 'static,
        T: DeserializeOwned + Send + 'static,
        E: OperationError,
    {
        // The connection stands before the operation has begun: by the header the service knows how long that may take.
        let request = self.request(cx, request, "application/json")?;
        let socket = cx.limit(exchange::open::<E>(request.url().as_str(), request.headers().clone())).await?;
        let (items, broken) = kit::input::sent(input);
        Ok(exchange::items(socket, Heartbeat::default(), items, broken))
    }

    /// Opens a stream of events. The deadline is for the opening, not for what follows. A stream that is cut off is gone
    /// on with, if the other side has kept it.
    pub async fn stream<T, E>(&self, cx: &Context, request: Request) -> Result<Stream<T, E>, E>
    where
        T: DeserializeOwned + Send + 'static,
        E: OperationError,
    {
        let request = self.request(cx, request, events::TYPE)?;
        let again = request.try_clone();
        let response = cx.limit::<_, E>(send(&self.http, cx, request)).await?;
        if !reader::is_stream(&response) {
            return Err(Failure::internal(anyhow::anyhow!("the answer is not a stream")).into());
        }
        Ok(reader::items(self.http.clone(), again, response))
    }

    /// Calls, and hands over an answer that is neither of these as it comes in.
    pub async fn open<E: OperationError>(
        &self,
        cx: &Context,
        request: Request,
        accept: &'static str,
    ) -> Result<Response, E> {
        let request = self.request(cx, request, accept)?;
        cx.limit(send(&self.http, cx, request)).await
    }

    fn request(&self, cx: &Context, request: Request, accept: &'static str) -> Result<reqwest::Request, Failure> {
        let Request { method, path, mut query, mut headers, body, version, failure } = request;
        if let Some(failure) = failure {
            return Err(failure);
        }
        headers::send(cx, &mut headers);
        let kind = version.and_then(Version::media_type).map(|kind| HeaderValue::try_from(format!("{kind}, {accept}")));
        headers.insert(header::ACCEPT, kind.and_then(Result::ok).unwrap_or(HeaderValue::from_static(accept)));
        if let Some(version) = version {
            version.ask(&mut headers, &mut query);
        }
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let request = self.http.request(method, format!("{}{path}{query}", self.base)).headers(headers).body(body);
        request.build().map_err(Failure::internal)
    }
}

/// JSON, or nothing where `T` is `()`.
fn answered<T: DeserializeOwned, E: OperationError>(body: &[u8]) -> Result<T, E> {
    let body = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(body)
        .map_err(|error| Failure::internal(anyhow::anyhow!("the answer is not what was asked for: {error}")).into())
}

async fn send<E: OperationError>(
    http: &reqwest::Client,
    cx: &Context,
    request: reqwest::Request,
) -> Result<Response, E> {
    let response = http.execute(request).await.map_err(lost)?;
    headers::marked(response.headers(), cx.marks());
    if response.status().is_success() {
        return Ok(response);
    }
    let (status, headers) = (response.status(), response.headers().clone());
    let body = read(response).await?;
    Err(E::from_wire(Problem::read(status, &headers, &body).into_wire()))
}

/// One request, as yet without its context.
#[derive(Debug)]
pub struct Request {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
    version: Option<Version>,
    /// Why it cannot be sent.
    failure: Option<Failure>,
}

impl Request {
    /// The path is made of `segments`, which are escaped.
    pub fn new(method: Method, segments: &[&str]) -> Self {
        // Both ends would read these as another path.
        let lost = segments.iter().find(|segment| matches!(**segment, "" | "." | ".."));
        let failure = lost.map(|segment| Failure::invalid(format!("{segment:?} cannot be part of a path")));
        let path = escape::path(segments);
        Self {
            method,
            path,
            query: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            version: None,
            failure,
        }
    }

    /// The fields of a record as parameters; those of a list repeat.
    pub fn query(mut self, input: &impl Serialize) -> Self {
        match serde_html_form::to_string(input) {
            Ok(query) => self.query = query,
            Err(error) => self.failure = Some(Failure::internal(error)),
        }
        self
    }

    pub fn json(self, input: &impl Serialize) -> Self {
        self.body("application/json", input)
    }

    /// RFC 7396.
    pub fn merge_patch(self, patch: &impl Serialize) -> Self {
        self.body("application/merge-patch+json", patch)
    }

    /// Only if the resource still has this revision.
    pub fn if_match(mut self, etag: Option<Etag>) -> Self {
        if let Some(etag) = etag {
            self.headers.insert(header::IF_MATCH, conditional::tag(etag));
        }
        self
    }

    /// Of this version of the service.
    pub fn of(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    fn body(mut self, kind: &'static str, input: &impl Serialize) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        match serde_json::to_vec(input) {
            Ok(body) => self.body = body.into(),
            Err(error) => self.failure = Some(Failure::internal(error)),
        }
        self
    }
}

/// The whole body, if it is not larger than anything we would ask for.
async fn read(mut response: Response) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::internal(anyhow::anyhow!("the answer is larger than {MAX_ANSWER} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The request or its answer got lost on the way.
pub(crate) fn lost(error: reqwest::Error) -> Failure {
    let unsent = error.is_connect();
    let failure =
        if error.is_timeout() && !unsent { Failure::timeout().caused_by(error) } else { Failure::unavailable(error) };
    if unsent { failure.unsent() } else { failure }
}
