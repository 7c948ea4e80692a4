//! A gateway whose services are slow, failing or gone.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get};
use futures_util::{FutureExt as _, StreamExt as _};
use kit_gateway::{Front, Route};
use kit_resilience::{Backoff, Breaker, BreakerState, Link, Policy, Retry};
use serde_json::Value;
use support::{Server, client, comes, gateway, serve};
use tokio::net::TcpListener;

static SLOW: Front = front("slow", "/slow");
static FAST: Front = front("fast", "/fast");

const fn front(service: &'static str, prefix: &'static str) -> Front {
    let routes = &[
        Route { method: "GET", path: "/v1/items", operation: "list_items" },
        Route { method: "POST", path: "/v1/items", operation: "create_item" },
    ];
    Front { service, prefix, routes }
}

fn policy() -> Policy {
    let backoff = Backoff { first: Duration::from_millis(1), most: Duration::from_millis(2) };
    Policy { retry: Retry { backoff, ..Retry::default() }, timeout: Duration::from_millis(200), ..Policy::default() }
}

/// Status, `Retry-After`, and the problem.
async fn get_of(url: &str) -> (u16, Option<String>, Value) {
    read(client().get(url)).await
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Option<String>, Value) {
    let answer = request.send().await.unwrap();
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    (status, retry_after, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

#[tokio::test]
async fn gone_is_503_and_the_breaker_opens() {
    let nowhere = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let breaker = Breaker { window: 4, ..Breaker::default() };
    let gateway = gateway(&SLOW, &format!("http://{nowhere}"), Policy { breaker: Some(breaker), ..policy() }).await;
    let url = format!("{}/slow/v1/items", gateway.url);
    for _ in 0..3 {
        let (status, retry_after, problem) = get_of(&url).await;
        assert_eq!(
            (status, problem["kind"].as_str(), problem["status"].as_u64()),
            (503, Some("unavailable"), Some(503))
        );
        assert!(retry_after.is_some() && problem["trace_id"].is_string(), "{problem}");
    }
    assert!(matches!(gateway.link.state().breaker, Some(BreakerState::Open { .. })));
}

#[tokio::test]
async fn late_is_504_and_what_is_not_safe_is_asked_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let never = move || {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>()
    };
    let service = Server::start(Router::new().route("/v1/items", get(never.clone()).post(never))).await;
    let gateway = gateway(&SLOW, &service.url, policy()).await;
    let url = format!("{}/slow/v1/items", gateway.url);
    let (status, _, problem) = read(client().post(&url).body("{}")).await;
    assert_eq!((status, problem["kind"].as_str()), (504, Some("timeout")));
    assert_eq!(asked.swap(0, Ordering::Relaxed), 1, "POST");
    assert_eq!(get_of(&url).await.0, 504);
    assert_eq!(asked.swap(0, Ordering::Relaxed), 3, "GET");
    let (status, ..) = read(client().get(&url).header("request-timeout-ms", "50")).await;
    assert_eq!((status, asked.load(Ordering::Relaxed)), (504, 1), "the caller's own deadline");
}

#[tokio::test]
async fn a_safe_request_is_tried_again_and_the_last_answer_is_the_services() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let answer = async move || match count.fetch_add(1, Ordering::Relaxed) {
        0 => (StatusCode::SERVICE_UNAVAILABLE, "not yet"),
        1 => (StatusCode::OK, "now"),
        2 => (StatusCode::INTERNAL_SERVER_ERROR, "{\"own\":1}"),
        _ => (StatusCode::GATEWAY_TIMEOUT, "{\"own\":2}"),
    };
    let service = Server::start(Router::new().route("/v1/items", get(answer.clone()).post(answer))).await;
    let gateway = gateway(&SLOW, &service.url, Policy { breaker: None, ..policy() }).await;
    let url = format!("{}/slow/v1/items", gateway.url);
    assert_eq!((get_of(&url).await.0, asked.load(Ordering::Relaxed)), (200, 2));
    assert_eq!((get_of(&url).await.0, asked.load(Ordering::Relaxed)), (500, 3), "an answer, not repeated");
    assert_eq!((read(client().post(&url).body("x")).await.0, asked.load(Ordering::Relaxed)), (504, 4));
    assert_eq!((get_of(&url).await.0, asked.load(Ordering::Relaxed)), (504, 7));
}

#[tokio::test]
async fn what_was_not_sent_is_tried_again_whatever_it_is() {
    // A port that nobody listens at yet.
    let place = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let backoff = Backoff { first: Duration::from_millis(300), most: Duration::from_millis(600) };
    let retry = Retry { backoff, attempts: 8, ..Retry::default() };
    let gateway = gateway(&SLOW, &format!("http://{place}"), Policy { retry, breaker: None, ..policy() }).await;
    let asked = tokio::spawn(read(client().post(format!("{}/slow/v1/items", gateway.url)).body("\"whole\"")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let listener = TcpListener::bind(place).await.unwrap();
    let echo = axum::routing::post(async |body: String| body);
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/items", echo)).await });
    assert_eq!(asked.await.unwrap(), (200, None, Value::from("whole")));
}

#[tokio::test]
async fn a_slow_service_takes_its_own_places_and_no_others() {
    let slow = Server::start(Router::new().route("/v1/items", get(std::future::pending::<()>))).await;
    let fast = Server::start(Router::new().route("/v1/items", get(async || "\"here\""))).await;
    let policy = Policy { bulkhead: 2, timeout: Duration::from_secs(20), breaker: None, ..policy() };
    let link = |name| Link::new(name, policy.clone());
    let (to_slow, to_fast) = (link("gateway → slow"), link("gateway → fast"));
    let router = kit_gateway::router("gateway", &SLOW, &slow.url, to_slow.clone()).unwrap();
    let router = router.merge(kit_gateway::router("gateway", &FAST, &fast.url, to_fast).unwrap());
    let gateway = serve(router, to_slow.clone()).await;
    let slow = format!("{}/slow/v1/items", gateway.url);
    let waiting = [tokio::spawn(client().get(&slow).send()), tokio::spawn(client().get(&slow).send())];
    while to_slow.state().under_way < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (status, retry_after, problem) = get_of(&slow).await;
    assert_eq!((status, problem["kind"].as_str(), retry_after.is_some()), (503, Some("unavailable"), true));
    // The slow ones are given up only after 20 seconds.
    let fast = format!("{}/fast/v1/items", gateway.url);
    for _ in 0..10 {
        let answer = tokio::time::timeout(Duration::from_secs(10), get_of(&fast)).await.expect("it is not slow");
        assert_eq!(answer, (200, None, Value::from("here")));
    }
    assert_eq!(to_slow.state().under_way, 2, "they still wait");
    waiting.iter().for_each(|waiting| waiting.abort());
    // Who no longer waits gives the place back.
    while to_slow.state().under_way > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stream_of_input_may_take_its_time_and_be_long() {
    let count = async |request: axum::extract::Request| {
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        body.len().to_string()
    };
    let service = Server::start(Router::new().route("/v1/items", axum::routing::post(count))).await;
    let gateway = gateway(&SLOW, &service.url, policy()).await;
    let upload = |kind: &'static str| {
        let lines = futures_util::stream::iter(0..4).then(|_| async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            Ok::<_, std::io::Error>(vec![b'\n'; 600_000])
        });
        let request = client().post(format!("{}/slow/v1/items", gateway.url)).header("content-type", kind);
        request.body(reqwest::Body::wrap_stream(lines)).send()
    };
    let answer = upload("application/x-ndjson").await.unwrap();
    assert_eq!((answer.status(), answer.text().await.unwrap().as_str()), (StatusCode::OK, "2400000"));
    let late = upload("application/json").await;
    assert!(late.is_err() || late.is_ok_and(|answer| answer.status() == StatusCode::REQUEST_TIMEOUT));
    let Some(BreakerState::Closed { faults, .. }) = gateway.link.state().breaker else { panic!() };
    assert_eq!(faults, 0, "who sends slowly says nothing of the service");
}

#[tokio::test]
async fn who_sends_slowly_keeps_nobody_out_while_the_service_is_tried_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let answer = async move || match asked.fetch_add(1, Ordering::Relaxed) {
        0 => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::OK,
    };
    let take = async |request: axum::extract::Request| {
        let _ = axum::body::to_bytes(request.into_body(), usize::MAX).await;
    };
    let service = Server::start(Router::new().route("/v1/items", get(answer).post(take))).await;
    let breaker = Some(Breaker { window: 1, open_for: Duration::from_millis(100), ..Breaker::default() });
    let gateway = gateway(&SLOW, &service.url, Policy { breaker, ..policy() }).await;
    let url = format!("{}/slow/v1/items", gateway.url);
    assert_eq!(get_of(&url).await.0, 500);
    assert_eq!(get_of(&url).await.0, 503, "it is open");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let drip = futures_util::stream::iter([Ok::<_, std::io::Error>("{}\n")]).chain(futures_util::stream::pending());
    let upload = client().post(&url).header("content-type", "application/x-ndjson");
    let upload = tokio::spawn(upload.body(reqwest::Body::wrap_stream(drip)).send());
    comes("the upload", || gateway.link.state().breaker == Some(BreakerState::HalfOpen { probing: false })).await;
    assert_eq!(get_of(&url).await.0, 200);
    upload.abort();
}

#[tokio::test]
async fn an_answer_that_breaks_off_counts() {
    let broken = async || {
        let end = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Err(std::io::Error::other("gone"))
        };
        let begin = std::future::ready(Ok("begin"));
        axum::body::Body::from_stream(begin.into_stream().chain(end.into_stream()))
    };
    let service = Server::start(Router::new().route("/v1/items", get(broken))).await;
    let gateway = gateway(&SLOW, &service.url, policy()).await;
    let answer = client().get(format!("{}/slow/v1/items", gateway.url)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.is_err(), "it is not whole");
    let Some(BreakerState::Closed { faults, .. }) = gateway.link.state().breaker else { panic!() };
    assert_eq!(faults, 1);
}
