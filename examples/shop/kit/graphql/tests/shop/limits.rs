//! Requests that ask for too much are refused, and cost no more than a small one that is answered.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt;
use kit_graphql::Limits;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::store::{ID, Store};

/// What it may cost to refuse a bomb, in small requests that are answered. Each bomb has some hundred kilobytes, which
/// have to be read; a small request has a hundred bytes and one call of the service.
const WORTH: u32 = 150;

fn router() -> axum::Router {
    kit_graphql::endpoint(crate::graphql::schema(std::sync::Arc::new(Store::default()), Default::default()))
}

async fn ask(router: &axum::Router, body: String) -> Value {
    let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    let response = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

fn query(text: &str) -> String {
    json!({ "query": text }).to_string()
}

/// The least of several: what else the machine does only adds.
async fn cost(router: &axum::Router, body: &str) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..20 {
        let body = body.to_owned();
        let begun = Instant::now();
        ask(router, body).await;
        least = least.min(begun.elapsed());
    }
    least
}

#[tokio::test]
async fn bombs_are_refused_by_name_and_cheaply() {
    let router = router();
    let small = query(&format!("{{ order(id: \"{ID}\") {{ id etag lines {{ sku }} }} }}"));
    assert!(ask(&router, small.clone()).await.get("errors").is_none());
    let usual = cost(&router, &small).await;
    let each = |count: usize, text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<String>();
    let doubling = each(28, &|n| format!("fragment F{n} on Query {{ ...F{0} ...F{0} }} ", n + 1));
    for (what, body, refusal) in [
        ("depth", query(&("{ a".repeat(60) + &" }".repeat(60))), "60 levels, at most 10 are allowed"),
        ("much depth", query(&"{a".repeat(100_000)), "more than 15000 tokens"),
        (
            "aliases",
            query(&format!("{{ {} }}", each(400, &|n| format!("a{n}: __typename ")))),
            "400 aliases, at most 30",
        ),
        (
            "many aliases",
            query(&format!("{{ {} }}", each(30_000, &|n| format!("a{n}: __typename ")))),
            "more than 15000",
        ),
        (
            "directives",
            query(&format!("{{ __typename {} }}", "@skip(if: false) ".repeat(500))),
            "500 directives, at most 30",
        ),
        ("unknown directives", query(&format!("{{ __typename {} }}", "@a".repeat(30_000))), "more than 15000 tokens"),
        ("fields", query(&format!("{{ {} }}", "__typename ".repeat(2000))), "2000 fields, at most 1000"),
        (
            "fragments",
            query(&format!("{{ ...F0 }} {doubling} fragment F28 on Query {{ __typename }}")),
            "fields, at most",
        ),
        ("batch", format!("[{}]", vec![query("{ __typename }"); 10_000].join(",")), "at most 10 requests"),
    ] {
        let answer = ask(&router, body.clone()).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(refusal), "{what}: {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INVALID", "{what}");
        assert!(answer.get("data").is_none_or(Value::is_null), "{what}: {answer}");
        let spent = cost(&router, &body).await;
        assert!(spent < usual * WORTH, "{what}: {spent:?}, a small request {usual:?}");
    }
}

#[tokio::test]
async fn directives_count_wherever_they_stand() {
    let limits = Limits { directives: 3, ..Limits::default() }.into();
    let router = kit_graphql::endpoint(crate::graphql::schema(std::sync::Arc::new(Store::default()), limits));
    let one = "@include(if: true)";
    for (text, refused) in [
        (format!("{{ __typename {one} {one} {one} }}"), false),
        (format!("query @a {{ __typename {one} ...F @c }} fragment F on Query @d {{ __typename }}"), true),
        (format!("query($x: Int @a) {{ ... {one} {{ order(id: $x) {{ id {one} etag {one} }} }} }}"), true),
    ] {
        let answer = ask(&router, query(&text)).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert_eq!(message.contains("4 directives, at most 3 are allowed"), refused, "{text}: {answer}");
    }
}
