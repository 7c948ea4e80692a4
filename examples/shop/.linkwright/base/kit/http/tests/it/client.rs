use std::{collections::HashMap, time::Duration};

use axum::{
    Router,
    extract::{OriginalUri, Query},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{any, get as on_get},
};
use kit::{Context, Etag, Failure, Kind};
use kit_http::{Client, Cx, Edge, Json, Problem, Request, answer};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::start;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Shortage {
    left: u32,
}

kit::errors! {
    /// Why `reserve` may fail.
    pub ReserveError {
        OutOfStock(Shortage): Conflict = "out of stock",
        Closed: Conflict = "closed",
    }
}

type Answer<T> = Result<T, Failure>;

fn ask(segments: &[&str]) -> Request {
    Request::new(Method::GET, segments)
}

async fn client(router: Router) -> Client {
    Client::new(&start(router, Edge::default()).await).unwrap()
}

#[tokio::test]
async fn an_error_comes_back_as_what_it_was() {
    async fn refuse(Query(which): Query<HashMap<String, String>>) -> Result<(), Problem> {
        let field = kit::FieldError { field: "lines[0].sku".into(), detail: "is missing".into() };
        Err(match which["e"].as_str() {
            "stock" => Problem::from(ReserveError::OutOfStock(Shortage { left: 3 })),
            "closed" => ReserveError::Closed.into(),
            "fields" => Failure::fields(vec![field]).into(),
            "later" => Failure::new(Kind::Limited, "slowly").retry_after(Duration::from_millis(1500)).into(),
            "bug" => Failure::internal(anyhow::anyhow!("secret")).into(),
            kind => Failure::new(serde_json::from_value(kind.into()).unwrap(), "as asked").into(),
        })
    }
    let client = client(Router::new().route("/refuse", on_get(refuse))).await;
    let call = async |e: &str| {
        let request = ask(&["refuse"]).query(&[("e", e)]);
        client.call::<(), ReserveError>(&Context::default(), request).await.unwrap_err()
    };
    assert_eq!(call("stock").await, ReserveError::OutOfStock(Shortage { left: 3 }));
    assert_eq!(call("closed").await, ReserveError::Closed);
    let ReserveError::Failure(fields) = call("fields").await else { panic!() };
    assert_eq!((fields.kind, fields.fields.len()), (Kind::Invalid, 1));
    let ReserveError::Failure(later) = call("later").await else { panic!() };
    assert_eq!((later.kind, later.retry_after), (Kind::Limited, Some(Duration::from_secs(2))));
    let ReserveError::Failure(bug) = call("bug").await else { panic!() };
    assert_eq!(bug, Failure::internal(anyhow::anyhow!("another cause")));
    for kind in Kind::ALL {
        let ReserveError::Failure(failure) = call(kind.as_str()).await else { panic!() };
        assert_eq!(failure, Failure::new(kind, "as asked"));
    }
    let stranger: Answer<()> = client.call(&Context::default(), ask(&["refuse"]).query(&[("e", "stock")])).await;
    let stranger = stranger.unwrap_err();
    assert_eq!((stranger.kind, stranger.code.as_deref()), (Kind::Conflict, Some("OutOfStock")));
}

#[tokio::test]
async fn answers_of_proxies_and_strangers_have_a_kind() {
    async fn plain(Query(which): Query<HashMap<String, String>>) -> Response {
        let status = StatusCode::from_u16(which["s"].parse().unwrap()).unwrap();
        let headers = [("content-type", "text/html"), ("retry-after", "3"), ("location", "/elsewhere")];
        (status, headers, "<h1>{\"kind\":\"denied\"}</h1>").into_response()
    }
    let client = client(Router::new().route("/plain", on_get(plain)).route("/elsewhere", on_get(async || "1"))).await;
    for (status, kind) in [
        ("301", Kind::Internal),
        ("400", Kind::Invalid),
        ("401", Kind::Unauthenticated),
        ("403", Kind::Denied),
        ("404", Kind::NotFound),
        ("405", Kind::Unsupported),
        ("408", Kind::Timeout),
        ("409", Kind::Conflict),
        ("412", Kind::Stale),
        ("413", Kind::Invalid),
        ("429", Kind::Limited),
        ("500", Kind::Internal),
        ("502", Kind::Unavailable),
        ("503", Kind::Unavailable),
        ("504", Kind::Timeout),
    ] {
        let answer: Answer<()> = client.call(&Context::default(), ask(&["plain"]).query(&[("s", status)])).await;
        let failure = answer.unwrap_err();
        assert_eq!(
            (failure.kind, failure.retry_after, failure.unsent),
            (kind, Some(Duration::from_secs(3)), false),
            "{status}"
        );
    }
    // Success, but not what was asked for.
    let odd: Answer<u32> = client.call(&Context::default(), ask(&["plain"]).query(&[("s", "200")])).await;
    assert_eq!(odd.unwrap_err().kind, Kind::Internal);
}

#[tokio::test]
async fn the_context_goes_along_and_the_marks_come_back() {
    let echo = async |cx: Cx, OriginalUri(uri): OriginalUri, headers: HeaderMap, body: String| {
        cx.marks().add("c.d=cache");
        cx.marks().add("e.f=default");
        let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let headers = ["idempotency-key", "if-match", "content-type", "accept"].map(header);
        Json((uri.to_string(), cx.trace().id(), headers, cx.remaining().is_some(), body))
    };
    let base = start(Router::new().route("/api/{*rest}", any(echo)), Edge::default()).await;
    let client = Client::new(&format!("{base}/api/")).unwrap();
    let cx = Context::default().within(Duration::from_secs(5)).keyed("k");
    cx.marks().add("a.b=queue");
    let request = Request::new(Method::PATCH, &["v1", "a/../ü?"]).query(&[("q", "1 2"), ("q", "&")]);
    let request = request.merge_patch(&Shortage { left: 1 }).if_match(Some(Etag(7)));
    let (uri, trace, headers, limited, body): (String, String, [String; 4], bool, String) =
        client.call::<_, Failure>(&cx, request).await.unwrap();
    assert_eq!(uri, "/api/v1/a%2F..%2F%C3%BC%3F?q=1+2&q=%26");
    assert_eq!((trace, limited, body.as_str()), (cx.trace().id(), true, "{\"left\":1}"));
    assert_eq!(headers, ["k", "\"7\"", "application/merge-patch+json", "application/json"]);
    assert_eq!(cx.marks().list(), ["a.b=queue", "c.d=cache", "e.f=default"]);
    for lost in ["", ".", ".."] {
        let answer: Answer<()> = client.call(&cx, ask(&["v1", lost])).await;
        assert_eq!(answer.unwrap_err().kind, Kind::Invalid, "another path than was meant: {lost:?}");
    }
}

#[tokio::test]
async fn a_dead_service_has_not_seen_the_request_and_a_slow_one_may_have() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let failure = dead.call::<(), Failure>(&Context::default(), ask(&["x"])).await.unwrap_err();
    assert_eq!((failure.kind, failure.unsent), (Kind::Unavailable, true));
    let slow = client(Router::new().route("/slow", on_get(async || std::future::pending::<Response>().await))).await;
    let cx = Context::default().within(Duration::from_millis(100));
    let failure = slow.call::<(), Failure>(&cx, ask(&["slow"])).await.unwrap_err();
    assert_eq!((failure.kind, failure.unsent), (Kind::Timeout, false));
    // A server that closes the connection instead of answering.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rude = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.readable().await.unwrap();
        }
    });
    let failure = rude.call::<(), Failure>(&Context::default(), ask(&["x"])).await.unwrap_err();
    assert_eq!((failure.kind, failure.unsent), (Kind::Unavailable, false));
}

#[tokio::test]
async fn an_answer_has_a_bound_and_nothing_is_an_answer_too() {
    let router = Router::new()
        .route("/huge", on_get(async || "1".repeat((16 << 20) + 1)))
        .route("/done", on_get(async || answer::done()));
    let client = client(router).await;
    let huge = client.call::<serde_json::Value, Failure>(&Context::default(), ask(&["huge"])).await.unwrap_err();
    assert_eq!(huge.kind, Kind::Internal);
    assert_eq!(client.call::<(), Failure>(&Context::default(), ask(&["done"])).await, Ok(()));
}

#[test]
fn urls() {
    for bad in ["", "inventory:8080", "ftp://a", "http://a?x=1", "http://a#x", "http://"] {
        assert!(Client::new(bad).is_err(), "{bad}");
    }
    assert!(Client::new("https://example.org/inventory/").is_ok());
}
