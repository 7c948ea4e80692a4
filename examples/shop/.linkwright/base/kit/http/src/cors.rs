//! Which pages of other origins may call: CORS of the Fetch standard (<https://fetch.spec.whatwg.org/#http-cors-protocol>), and
//! for WebSockets, which it does not bind, the service's own look at `Origin` (RFC 6455, 10.2).

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// What a page may send besides what any page may.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const SENT: HeaderValue = HeaderValue::from_static(
    "accept, api-version, authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, \
     request-timeout-ms, traceparent, tracestate",
);
/// What a page may read besides what any page may.
const READ: HeaderValue = HeaderValue::from_static(
    "deprecation, etag, fallback, link, location, ratelimit, ratelimit-policy, retry-after, sunset, trace-id",
);
/// Seconds for which a browser may remember the answer to a preflight.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// An origin whose pages may call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Origin {
    /// `*`
    Any,
    /// `https://app.example`, letter by letter as browsers send it.
    One(HeaderValue),
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_host =
            |host: &str| !host.is_empty() && !host.contains(|c: char| "/?#@ ".contains(c) || c.is_uppercase());
        let origin = host.filter(|host| is_host(host)).and_then(|_| HeaderValue::from_str(&text).ok());
        origin.map(Self::One).ok_or_else(|| format!("{text:?} is not an origin as \"https://app.example\" or \"*\""))
    }
}

/// The origins whose pages may call; none: that of the service itself alone, as browsers have it.
///
/// Credentials of the browser (cookies, client certificates) are never asked for: a page sends what it has to prove in
/// `Authorization`. So `*` gives nobody more than any program has.
#[derive(Clone, Debug, Default)]
pub struct Cors(Vec<Origin>);

impl Cors {
    pub fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// What `Access-Control-Allow-Origin` says to who asks.
    pub(crate) fn allowed(&self, asks: Option<&HeaderValue>) -> Option<HeaderValue> {
        if self.0.contains(&Origin::Any) {
            return Some(ANY);
        }
        asks.filter(|asks| self.lists(asks)).cloned()
    }

    fn lists(&self, asks: &HeaderValue) -> bool {
        self.0.iter().any(|origin| match origin {
            Origin::Any => true,
            Origin::One(one) => one == asks,
        })
    }

    /// Whether who wants to upgrade the connection may: a page of this service, one of an origin that may call, and whoever
    /// sends no `Origin`, which is no browser. For any other page a browser would open a WebSocket all the same.
    pub(crate) fn upgrades(&self, request: &Request) -> bool {
        let headers = request.headers();
        let host = request.uri().authority().map(|authority| authority.as_str());
        let host = host.or_else(|| headers.get(header::HOST)?.to_str().ok()).unwrap_or_default();
        headers.get_all(header::ORIGIN).iter().all(|origin| self.lists(origin) || is_of(origin, host))
    }

    /// The answer to a preflight, if the request is one and anybody may call.
    pub(crate) fn preflight(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        let is_one = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if self.0.is_empty() || !is_one {
            return None;
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        let allowed = self.allowed(headers.get(header::ORIGIN));
        let told = response.headers_mut();
        if allowed.is_some() {
            told.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            told.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, SENT);
            told.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
        }
        self.open(allowed, told);
        Some(response)
    }

    /// Tells a browser who may read the answer, and of its headers which.
    pub(crate) fn tell(&self, allowed: Option<HeaderValue>, headers: &mut HeaderMap) {
        if allowed.is_some() {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ);
        }
        self.open(allowed, headers);
    }

    fn open(&self, allowed: Option<HeaderValue>, headers: &mut HeaderMap) {
        // A cache is not to give one origin what another one was told.
        if !self.0.is_empty() && !self.0.contains(&Origin::Any) {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
    }
}

/// Whether an origin is that of the host which was asked. Over what scheme is for a proxy to know that ends TLS.
fn is_of(origin: &HeaderValue, host: &str) -> bool {
    let Some((scheme, own)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else { return false };
    let port = if scheme == "https" { ":443" } else { ":80" };
    let bare = |host: &str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
    bare(own) == bare(host)
}
