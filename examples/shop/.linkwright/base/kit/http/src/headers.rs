//! The headers in which a call's context travels, over REST and gRPC alike.
//!
//! | header | what |
//! |---|---|
//! | `traceparent` | W3C Trace Context |
//! | `idempotency-key` | 1 to 255 visible characters |
//! | `request-timeout-ms` | milliseconds until the caller gives up; no standard has one |
//! | `grpc-timeout` | the same for gRPC: up to eight digits and a unit of `H M S m u n` |
//! | `forwarded` | RFC 7239: where the caller is, if this asks for them |
//! | `fallback` | of an answer: the parts of it that are stand-ins |
//! | `ratelimit`, `ratelimit-policy` | of an answer: where the caller stands with each limit that the call counted in |

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use kit::{Context, Marks, Standing, Trace};

use crate::Problem;

// Not as text, which would be taken apart anew each time.
static TRACE: HeaderName = HeaderName::from_static("traceparent");
static KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(crate) static TIMEOUT: HeaderName = HeaderName::from_static("request-timeout-ms");
static FALLBACK: HeaderName = HeaderName::from_static("fallback");
pub(crate) const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What the edge reads of a request's headers. Most of it is not there, and each look into the map has a price: they are
/// gone through once. Of a header that is there twice the first one counts.
#[derive(Default)]
pub(crate) struct Sent<'a> {
    trace: Option<&'a HeaderValue>,
    timeout: Option<&'a HeaderValue>,
    grpc_timeout: Option<&'a HeaderValue>,
    key: Option<&'a HeaderValue>,
    pub content_type: Option<&'a HeaderValue>,
    pub origin: Option<&'a HeaderValue>,
    pub upgrade: Option<&'a HeaderValue>,
}

impl<'a> Sent<'a> {
    pub fn with(headers: &'a HeaderMap) -> Self {
        let mut sent = Self::default();
        for (name, value) in headers {
            let place = match name.as_str() {
                "traceparent" => &mut sent.trace,
                "request-timeout-ms" => &mut sent.timeout,
                "grpc-timeout" => &mut sent.grpc_timeout,
                "idempotency-key" => &mut sent.key,
                "content-type" => &mut sent.content_type,
                "origin" => &mut sent.origin,
                "upgrade" => &mut sent.upgrade,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        sent
    }

    /// The trace that the caller is in, or a new one.
    pub fn trace(&self) -> Trace {
        self.trace.and_then(text).and_then(|text| text.parse().ok()).unwrap_or_else(Trace::start)
    }

    /// The call as the caller means it.
    pub fn context(&self, trace: Trace, grpc: bool) -> Result<Context, Problem> {
        let mut cx = Context::default().in_trace(trace);
        let (name, timeout, parse) = match grpc {
            true => ("grpc-timeout", self.grpc_timeout, kit::grpc::timeout as fn(&str) -> _),
            false => (TIMEOUT.as_str(), self.timeout, millis as fn(&str) -> _),
        };
        if let Some(value) = timeout {
            let left = text(value).and_then(parse);
            cx = cx.within(left.ok_or_else(|| Problem::unreadable(format!("{name}: not a span of time")))?);
        }
        if let Some(value) = self.key {
            let fits = |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
            let key = text(value).filter(fits);
            let wrong = || Problem::unreadable(format!("{KEY}: expected 1 to 255 visible characters"));
            cx = cx.keyed(key.ok_or_else(wrong)?);
        }
        Ok(cx)
    }
}

/// What a request takes along: a new span of the trace, the time left, the key, for whom it is.
pub fn send(cx: &Context, headers: &mut HeaderMap) {
    // A gateway has said by then for what host it asks, and how.
    let knows_more = headers.contains_key(header::FORWARDED);
    let mut set = |name: &HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    set(&TRACE, cx.trace().child().to_string());
    if let Some(left) = cx.remaining() {
        set(&TIMEOUT, left.as_millis().max(1).to_string());
    }
    if let Some(key) = cx.idempotency_key() {
        set(&KEY, key.to_owned());
    }
    if let Some(forwarded) = cx.forwarded().filter(|_| !knows_more) {
        set(&header::FORWARDED, forwarded);
    }
}

/// Tells which parts of the answer are stand-ins.
pub(crate) fn mark(marks: &Marks, headers: &mut HeaderMap) {
    let marks = marks.list();
    if let (false, Ok(value)) = (marks.is_empty(), HeaderValue::try_from(marks.join(", "))) {
        headers.insert(&FALLBACK, value);
    }
}

/// Tells where the caller stands with limits, in the fields of draft-ietf-httpapi-ratelimit-headers-11: `"orders.place";r=3;t=12`
/// for three calls left and twelve seconds until there are all again, by the policy `"orders.place";q=5;w=60`, five in a minute.
pub(crate) fn stand(standings: &[Standing], headers: &mut HeaderMap) {
    let mut say = |name, item: fn(&Standing) -> String| {
        let items: Vec<String> = standings.iter().map(item).collect();
        if let (false, Ok(value)) = (items.is_empty(), HeaderValue::try_from(items.join(", "))) {
            // What passes through a gateway has said already where its caller stands with the service behind.
            headers.append(name, value);
        }
    };
    say(LIMIT, |it| format!("\"{}\";r={};t={}", it.name, it.remaining, seconds(it.restored)));
    say(POLICY, |it| format!("\"{}\";q={};w={}", it.name, it.calls, seconds(it.window)));
}

/// Whole seconds, not fewer.
fn seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// Takes over what an answer says of its stand-ins.
pub(crate) fn marked(headers: &HeaderMap, marks: &Marks) {
    for value in headers.get_all(&FALLBACK).iter().filter_map(|value| value.to_str().ok()) {
        value.split(',').map(str::trim).filter(|mark| !mark.is_empty()).for_each(|mark| marks.add(mark));
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn millis(text: &str) -> Option<Duration> {
    digits(text).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn deadlines_of_both_transports() {
        let left = |name: &'static str, value: &str, grpc| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            Sent::with(&headers).context(Trace::start(), grpc).map(|cx| cx.remaining())
        };
        assert_eq!(left("grpc-timeout", "5m", true), Ok(Some(Duration::from_millis(5))));
        assert!(left("grpc-timeout", "5", true).is_err());
        assert_eq!(left("request-timeout-ms", "250", false), Ok(Some(Duration::from_millis(250))));
        assert_eq!(left("request-timeout-ms", "junk", true), Ok(None), "another transport's header");
        for bad in ["", "-1", "1.5", "5s", "99999999999999999999999"] {
            assert!(left("request-timeout-ms", bad, false).is_err(), "{bad}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_context_goes_out_and_comes_back() {
        let cx = Context::default().within(Duration::from_millis(1500)).keyed("k-1");
        let mut headers = HeaderMap::new();
        send(&cx, &mut headers);
        let sent = Sent::with(&headers);
        let back = sent.context(sent.trace(), false).unwrap();
        assert_eq!((back.remaining(), back.idempotency_key()), (cx.remaining(), Some("k-1")));
        assert_eq!(back.trace().id(), cx.trace().id());
        assert_ne!(back.trace(), cx.trace());
        assert!(!headers.contains_key(header::FORWARDED));
        for bad in ["", &"k".repeat(256)] {
            headers.insert(&KEY, bad.parse().unwrap());
            assert!(Sent::with(&headers).context(Trace::start(), false).is_err());
        }
    }

    #[test]
    fn a_call_says_for_whom_it_is_made() {
        for (address, forwarded) in [("192.0.2.7", "for=192.0.2.7"), ("2001:db8::7", "for=\"[2001:db8::7]\"")] {
            let cx = Context::default().from_address(address.parse().unwrap());
            let mut headers = HeaderMap::new();
            send(&cx.call(), &mut headers);
            assert_eq!(headers[header::FORWARDED], forwarded);
        }
    }
}
