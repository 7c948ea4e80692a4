//! What becomes of headers at this hop.

use std::net::SocketAddr;

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Uri, Version, header},
};

use kit::Context;

use crate::references;

/// For one hop only, whether `Connection` names them or not: RFC 9110, 7.6.1, and what RFC 9110, 11.7 says of proxies.
const HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// What callers cannot say, or what is said anew: who they are, how long the body is, whether to wait before it.
const OURS: [HeaderName; 5] =
    [header::FORWARDED, HeaderName::from_static("x-real-ip"), header::HOST, header::CONTENT_LENGTH, header::EXPECT];
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("upgrade");

/// Whether the caller wants to speak WebSocket (RFC 6455, 4.2.1) from here on.
pub(crate) fn wants_websocket(version: Version, headers: &HeaderMap) -> bool {
    let upgrades =
        headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    version == Version::HTTP_11 && upgrades && named(headers).any(|name| name.eq_ignore_ascii_case("upgrade"))
}

/// The headers of a request as they go on.
pub(crate) fn onward(
    mut headers: HeaderMap,
    (gateway, version): (&str, Version),
    forwarded: Option<HeaderValue>,
    websocket: bool,
) -> HeaderMap {
    drop_hop(&mut headers);
    OURS.iter().for_each(|name| drop(headers.remove(name)));
    drop_all(&mut headers, "x-forwarded-");
    if let Some(forwarded) = forwarded {
        headers.insert(header::FORWARDED, forwarded);
    }
    via(&mut headers, gateway, version);
    if websocket {
        speak_websocket(&mut headers);
        // Whether a page may was for the gateway to say: the service knows neither its host nor its `cors`.
        headers.remove(header::ORIGIN);
    }
    headers
}

/// The headers of an answer as they go back. `origin` is the service, `prefix` what stands before its paths here.
pub(crate) fn back(headers: &mut HeaderMap, (gateway, version): (&str, Version), origin: &str, prefix: &str) {
    drop_hop(headers);
    drop_all(headers, "access-control-");
    references::rewrite(headers, origin, prefix);
    via(headers, gateway, version);
}

/// What the answer to an upgrade says, and its request.
pub(crate) fn speak_websocket(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, UPGRADE);
    headers.insert(header::UPGRADE, WEBSOCKET);
}

/// `for=192.0.2.1;host="shop.example:8080";proto=http` (RFC 7239): the one who asked, what for, and how.
///
/// Where a proxy of ours asks for others, it is their words that count, and how they came is known only if it says so: each
/// parameter may be left out (RFC 7239, 4).
pub(crate) fn forwarded(cx: &Context, extensions: &Extensions, uri: &Uri, headers: &HeaderMap) -> Option<HeaderValue> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let caller = cx.forwarded()?;
    let by_proxy = cx.address() != Some(peer.ip().to_canonical());
    let said = |name| kit_http::forwarded(headers, name).filter(|_| by_proxy);
    let own = uri.authority().map(|authority| authority.as_str());
    let own = || own.or_else(|| headers.get(header::HOST)?.to_str().ok());
    // Anything else in a host would have to be escaped, and is none.
    let is_host = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    let host = said("host").filter(is_host).or_else(|| own().filter(is_host));
    let host = host.map(|host| format!(";host=\"{host}\"")).unwrap_or_default();
    // The name of a scheme (RFC 3986, 3.1). This server itself has no TLS.
    let is_scheme = |name: &&str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let proto = if by_proxy { said("proto").filter(is_scheme).filter(|name| !name.is_empty()) } else { Some("http") };
    let proto = proto.map(|proto| format!(";proto={proto}")).unwrap_or_default();
    HeaderValue::try_from(format!("{caller}{host}{proto}")).ok()
}

/// Whether an answer is a stream of events, and so open for as long as its reader likes.
pub(crate) fn are_events(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Adds this hop.
fn via(headers: &mut HeaderMap, gateway: &str, version: Version) {
    let version = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    if let Ok(hop) = HeaderValue::try_from(format!("{version} {gateway}")) {
        headers.append(header::VIA, hop);
    }
}

fn drop_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = named(headers).filter_map(|name| name.parse().ok()).collect();
    named.iter().chain(&HOP).for_each(|name| drop(headers.remove(name)));
}

fn drop_all(headers: &mut HeaderMap, prefix: &str) {
    let found: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with(prefix)).cloned().collect();
    found.iter().for_each(|name| drop(headers.remove(name)));
}

/// What `Connection` lists.
fn named(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|name| !name.is_empty())
}
