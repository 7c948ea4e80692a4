//! What pages of other origins get (Fetch standard, CORS protocol).

use axum::{Router, http::StatusCode, routing::get};
use kit_http::{Cors, Edge, Origin};
use reqwest::{Method, Response};

use super::{header, http, send, start};

const APP: &str = "https://app.example";

async fn edge(origins: &[&str]) -> String {
    let origins = origins.iter().map(|origin| Origin::try_from((*origin).to_owned()).unwrap()).collect();
    let answer = async || ([("etag", "\"1\""), ("vary", "accept")], "here");
    let routes = Router::new()
        .route("/v1/items", get(answer))
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

#[test]
fn origins() {
    for bad in ["app.example", "https://", "https://app.example/", "https://App.example", "ftp://x", "", "https://a b"]
    {
        assert!(Origin::try_from(bad.to_owned()).is_err(), "{bad}");
    }
    assert_eq!(Origin::try_from("*".to_owned()), Ok(Origin::Any));
}
