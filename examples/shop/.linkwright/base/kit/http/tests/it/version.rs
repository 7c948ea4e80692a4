//! Two versions on one port: which one a request means, and what each answer says of it.

use axum::{Router, routing};
use kit_http::{
    Edge, Json, Problem, Query, answer,
    version::{By, Old, Version, choose, old},
};
use reqwest::{Method, header::HeaderMap};
use serde::Deserialize;

use crate::{get, header, http, problem, send, start};

const KIND: &str = "application/vnd.shop.orders+json";

#[derive(Debug, Deserialize)]
struct Wanted {
    text: String,
}

impl kit::Validate for Wanted {}

/// Each version answers which it is, and what it was asked.
fn routes(number: u32) -> Router {
    let said = move |text: &str| answer::ok(&format!("{number} {text}"));
    Router::new()
        .route("/things", routing::get(async move |Query(wanted): Query<Wanted>| said(&wanted.text)))
        .route(
            "/made",
            routing::post(async move |Json(wanted): Json<Wanted>| {
                answer::created(&["made", &wanted.text], kit::Etag(1), &number)
            }),
        )
        .route("/fails", routing::get(async || Err::<(), _>(Problem::from(kit::Failure::not_found("a book")))))
}

async fn both(by: By) -> String {
    let end = Old { deprecated: Some("@1767225600"), sunset: Some("Wed, 30 Jun 2027 00:00:00 GMT") };
    let (now, then) = (Version { number: 2, by }, Version { number: 1, by });
    start(choose(vec![(now, routes(2)), (then, old(routes(1), end))]), Edge::default()).await
}

async fn text(response: reqwest::Response) -> (String, HeaderMap, String) {
    let (version, headers) = (header(&response, "api-version").to_owned(), response.headers().clone());
    (version, headers, response.json().await.unwrap())
}

#[tokio::test]
async fn a_header_says_it() {
    let base = both(By::Header).await;
    let url = format!("{base}/things?text=a");
    let (version, headers, said) = text(send(get(url.clone())).await).await;
    assert_eq!((version.as_str(), said.as_str()), ("2", "2 a"));
    assert!(!headers.contains_key("deprecation"));
    assert_eq!(headers["vary"], "api-version");
    let (version, headers, said) = text(send(get(url.clone()).header("api-version", "1")).await).await;
    assert_eq!((version.as_str(), said.as_str()), ("1", "1 a"));
    assert_eq!(headers["deprecation"], "@1767225600");
    assert_eq!(headers["sunset"], "Wed, 30 Jun 2027 00:00:00 GMT");
    for wrong in ["3", "", "x", "01"] {
        let (status, kind, _) = problem(send(get(url.clone()).header("api-version", wrong)).await).await;
        assert_eq!((status, kind.as_str()), (400, "invalid"), "{wrong:?}");
    }
    let twice = send(get(url).header("api-version", "1").header("api-version", "2")).await;
    assert_eq!(problem(twice).await.0, 400);
}

#[tokio::test]
async fn errors_say_which_version_they_are_of() {
    let base = both(By::Header).await;
    let failed = send(get(format!("{base}/fails")).header("api-version", "1")).await;
    assert_eq!(header(&failed, "deprecation"), "@1767225600");
    assert_eq!(header(&failed, "api-version"), "1");
    assert_eq!(problem(failed).await.0, 404);
    let wrong = send(http(Method::DELETE, format!("{base}/things"))).await;
    assert_eq!(header(&wrong, "allow"), "GET,HEAD");
    assert_eq!(problem(wrong).await.0, 405);
}

#[tokio::test]
async fn the_query_says_it_and_is_no_parameter() {
    let base = both(By::Query).await;
    for (query, said) in [("text=a", "2 a"), ("text=a&version=1", "1 a"), ("version=2&text=b", "2 b")] {
        assert_eq!(text(send(get(format!("{base}/things?{query}"))).await).await.2, said);
    }
    for query in ["text=a&version=3", "text=a&version=", "text=a&version", "version=1&text=a&version=1"] {
        assert_eq!(problem(send(get(format!("{base}/things?{query}"))).await).await.0, 400, "{query}");
    }
    // Still strict about what is none of both.
    let unknown = problem(send(get(format!("{base}/things?text=a&versions=1&version=1"))).await).await;
    assert_eq!(unknown, (422, "invalid".into(), vec!["versions".into()]));
    let made = http(Method::POST, format!("{base}/made?version=1")).json(&serde_json::json!({ "text": "x" }));
    assert_eq!(header(&send(made).await, "location"), "/made/x?version=1");
}

#[tokio::test]
async fn a_media_type_says_it() {
    let base = both(By::MediaType(KIND)).await;
    let asked = async |accept: &str| send(get(format!("{base}/things?text=a")).header("accept", accept)).await;
    for (accept, version, kind) in [
        ("*/*", "2", "application/json".to_owned()),
        ("application/json", "2", "application/json".to_owned()),
        (KIND, "2", "application/json".to_owned()),
        (&format!("{KIND};version=1"), "1", format!("{KIND};version=1")),
        (&format!("text/html, {KIND}; Version=\"2\""), "2", format!("{KIND};version=2")),
        (&format!("{KIND};version=2;q=0.1, {KIND};version=1;q=0.5"), "1", format!("{KIND};version=1")),
        (&format!("{KIND};version=9, {KIND};version=1;q=0.5"), "1", format!("{KIND};version=1")),
    ] {
        let response = asked(accept).await;
        assert_eq!(header(&response, "api-version"), version, "{accept}");
        assert_eq!(header(&response, "content-type"), kind, "{accept}");
        assert_eq!(header(&response, "vary"), "accept");
    }
    assert_eq!(problem(asked(&format!("{KIND};version=3")).await).await.0, 406);
    let sent = async |kind: &str, accept: &str| {
        let request = http(Method::POST, format!("{base}/made")).body(r#"{"text":"x"}"#);
        send(request.header("content-type", kind).header("accept", accept)).await
    };
    let made = sent(&format!("{KIND};version=1"), "*/*").await;
    assert_eq!((made.status().as_u16(), header(&made, "api-version")), (201, "1"));
    assert_eq!(problem(sent(&format!("{KIND};version=3"), "*/*").await).await.0, 415);
    let torn = sent(&format!("{KIND};version=1"), &format!("{KIND};version=2")).await;
    assert_eq!(problem(torn).await.0, 415);
}

#[tokio::test]
async fn the_client_says_it() {
    for by in [By::Header, By::Query, By::MediaType(KIND)] {
        let client = kit_http::Client::new(&both(by).await).unwrap();
        for number in [1, 2] {
            let request = kit_http::Request::new(Method::GET, &["things"]).query(&[("text", "a")]);
            let said: Result<String, kit::Failure> =
                client.call(&kit::Context::default(), request.of(Version { number, by })).await;
            assert_eq!(said.unwrap(), format!("{number} a"));
            let request = kit_http::Request::new(Method::POST, &["made"]).json(&serde_json::json!({ "text": "x" }));
            let made: Result<u32, kit::Failure> =
                client.call(&kit::Context::default(), request.of(Version { number, by })).await;
            assert_eq!(made.unwrap(), number);
        }
    }
}
