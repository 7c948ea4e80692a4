//! What pages of other origins get (Fetch standard, CORS protocol; RFC 6455, 10.2).

use axum::{Router, extract::WebSocketUpgrade, http::StatusCode, routing::get};
use kit_http::{Cors, Edge, Origin};
use reqwest::{Method, Response};

use super::{header, http, send, start};

const APP: &str = "https://app.example";

async fn edge(origins: &[&str]) -> String {
    let origins = origins.iter().map(|origin| Origin::try_from((*origin).to_owned()).unwrap()).collect();
    let answer = async || ([("etag", "\"1\""), ("vary", "accept")], "here");
    let routes = Router::new()
        .route("/v1/items", get(answer))
        .route("/v1/socket", get(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(async |_| {})))
        .route("/v1/late", get(std::future::pending::<()>))
        .route("/v1/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR));
    let timeout = std::time::Duration::from_millis(100);
    start(routes, Edge { cors: Cors::new(origins), timeout, ..Edge::default() }).await
}

async fn ask(base: &str, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = http(method, format!("{base}{path}"));
    send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

async fn preflight(base: &str, origin: &str) -> Response {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "if-match"),
    ];
    ask(base, Method::OPTIONS, "/v1/items", &headers).await
}

fn told(response: &Response) -> Vec<&str> {
    response.headers().keys().map(|name| name.as_str()).filter(|name| name.starts_with("access-control-")).collect()
}

#[tokio::test]
async fn off_unless_asked() {
    let base = edge(&[]).await;
    for response in [preflight(&base, APP).await, ask(&base, Method::GET, "/v1/items", &[("origin", APP)]).await] {
        assert_eq!((told(&response), header(&response, "vary").contains("origin")), (vec![], false));
    }
}

#[tokio::test]
async fn a_named_origin_may_call_and_read_and_no_other() {
    let base = edge(&[APP, "http://localhost:5173"]).await;
    let response = preflight(&base, APP).await;
    assert_eq!((response.status(), header(&response, "access-control-allow-origin")), (StatusCode::NO_CONTENT, APP));
    assert!(header(&response, "access-control-allow-methods").contains("PATCH"));
    assert!(header(&response, "access-control-allow-headers").contains("if-match"));
    assert_eq!(header(&response, "vary"), "origin");
    for (path, status) in [("/v1/items", 200), ("/v1/late", 504), ("/v1/broken", 500), ("/v1/nothing", 404)] {
        let response = ask(&base, Method::GET, path, &[("origin", APP)]).await;
        assert_eq!((response.status().as_u16(), header(&response, "access-control-allow-origin")), (status, APP));
        let read = header(&response, "access-control-expose-headers");
        for name in ["etag", "location", "link", "trace-id", "ratelimit", "retry-after", "fallback"] {
            assert!(read.split(", ").any(|other| other == name), "{name}");
        }
        assert_eq!(header(&response, "access-control-allow-credentials"), "");
        assert!(response.headers().get_all("vary").iter().any(|value| value == "origin"), "{path}");
    }
    for other in
        ["https://app.example.evil", "https://app.example:8443", "http://app.example", "null", "https://APP.example"]
    {
        assert_eq!(told(&preflight(&base, other).await), Vec::<&str>::new(), "{other}");
        let response = ask(&base, Method::GET, "/v1/items", &[("origin", other)]).await;
        assert_eq!((told(&response), response.status().as_u16()), (vec![], 200), "{other}");
        assert!(response.headers().get_all("vary").iter().any(|value| value == "origin"));
    }
}

#[tokio::test]
async fn any_origin_never_has_credentials() {
    let base = edge(&["*"]).await;
    for response in [preflight(&base, APP).await, ask(&base, Method::GET, "/v1/items", &[("origin", APP)]).await] {
        assert_eq!(header(&response, "access-control-allow-origin"), "*");
        assert_eq!(header(&response, "access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn options_that_are_no_preflight_are_as_ever() {
    let base = edge(&[APP]).await;
    let response = ask(&base, Method::OPTIONS, "/v1/items", &[]).await;
    assert_eq!((response.status(), header(&response, "allow")), (StatusCode::NO_CONTENT, "GET,HEAD"));
}

/// The status of a request for a WebSocket, by the problem if it is refused.
async fn upgrade(base: &str, headers: &[(&str, &str)]) -> u16 {
    let handshake = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let response = ask(base, Method::GET, "/v1/socket", &[&handshake, headers].concat()).await;
    match response.status().as_u16() {
        101 => 101,
        status => {
            assert_eq!(super::problem(response).await, (status, "denied".into(), vec![]));
            status
        }
    }
}

#[tokio::test]
async fn a_page_of_another_origin_opens_no_websocket_unless_it_may_call() {
    for listed in [&[][..], &[APP], &["*"]] {
        let base = edge(listed).await;
        assert_eq!(upgrade(&base, &[]).await, 101, "who is no browser");
        assert_eq!(upgrade(&base, &[("origin", &base)]).await, 101, "a page of the service");
        for other in [APP, "https://app.example.evil", "http://127.0.0.1", "http://127.0.0.1:1", "null", "file://", ""]
        {
            let due = if listed == ["*"] || listed == [other] { 101 } else { 403 };
            assert_eq!(upgrade(&base, &[("origin", other)]).await, due, "{other:?} of {listed:?}");
        }
    }
}

#[tokio::test]
async fn the_own_host_is_the_one_that_was_asked_for() {
    let base = edge(&[]).await;
    for (host, origin, due) in [
        ("shop.example", "https://shop.example", 101),
        ("shop.example", "http://shop.example", 101),
        ("shop.example:443", "https://shop.example", 101),
        ("shop.example:80", "http://shop.example", 101),
        ("Shop.example:8443", "https://shop.example:8443", 101),
        ("[::1]:7101", "http://[::1]:7101", 101),
        ("shop.example", "https://shop.example:8443", 403),
        ("shop.example:8443", "https://shop.example", 403),
        ("shop.example:443", "http://shop.example", 403),
        ("shop.example", "https://evil.example", 403),
        ("shop.example", "https://shop.example.evil.example", 403),
        ("shop.example", "shop.example", 403),
    ] {
        assert_eq!(upgrade(&base, &[("host", host), ("origin", origin)]).await, due, "{origin} at {host}");
    }
    // Whoever says two things of where it comes from has one of them checked by nobody.
    assert_eq!(upgrade(&base, &[("host", "a.example"), ("origin", "http://a.example"), ("origin", APP)]).await, 403);
}

#[test]
fn origins() {
    for bad in ["app.example", "https://", "https://app.example/", "https://App.example", "ftp://x", "", "https://a b"]
    {
        assert!(Origin::try_from(bad.to_owned()).is_err(), "{bad}");
    }
    assert_eq!(Origin::try_from("*".to_owned()), Ok(Origin::Any));
}
