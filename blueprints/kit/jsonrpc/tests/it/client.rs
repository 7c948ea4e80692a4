//! The client against the server, over a real socket.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::post};
use kit::{Context, Failure, Kind};
use kit_http::{Edge, Server};
use kit_jsonrpc::{Client, named, on_item};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{Desk, FailError, Line, Shortage, call};

async fn start(router: Router) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let app = kit_http::edge(router, Edge::default());
    tokio::spawn(kit_http::serve(listener, app, Server::default(), Default::default()));
    Client::new(&base, &["v1", "rpc"]).unwrap()
}

async fn desk() -> Client {
    start(kit_jsonrpc::endpoint("/v1/rpc", Arc::new(Desk::default()), call)).await
}

/// A server of somebody else, who always says this.
async fn stranger(text: &'static str) -> Client {
    start(Router::new().route("/v1/rpc", post(async move || text))).await
}

#[tokio::test]
async fn values_go_there_and_back() {
    let client = desk().await;
    let line = Line { sku: "é".into(), quantity: 2, note: None };
    assert_eq!(client.call::<Line, Failure>(&Context::default(), "add", &line).await, Ok(line));
    let sum =
        client.call::<i64, Failure>(&Context::default(), "sum", named(["a", "b", "c"], (1, 2, None::<i64>))).await;
    assert_eq!(sum, Ok(3));
    let data = client.call::<(String, u32), Failure>(&Context::default(), "get_data", named([], ())).await;
    assert_eq!(data, Ok(("hello".into(), 5)));
    let line = Line { sku: "a".into(), quantity: 2, note: None };
    let added = client.call::<String, Failure>(&Context::default(), "order.add", on_item(7, &line)).await;
    assert_eq!(added.as_deref(), Ok("7: a × 2"));
    let done = client.call::<(), Failure>(&Context::default(), "notify_hello", json!({ "whom": 1 })).await;
    assert_eq!(done, Ok(()));
}

#[tokio::test]
async fn an_error_comes_back_as_what_it_was() {
    let client = desk().await;
    let fail = async |kind: &str| {
        client.call::<(), FailError>(&Context::default(), "fail", json!({ "kind": kind })).await.unwrap_err()
    };
    assert_eq!(fail("out of stock").await, FailError::OutOfStock(Shortage { left: 3 }));
    for kind in Kind::ALL {
        let FailError::Failure(failure) = fail(kind.as_str()).await else { panic!("{kind}") };
        assert_eq!(failure.kind, kind);
        assert!(!failure.unsent);
        assert_eq!(failure.retry_after.is_some(), kind == Kind::Limited);
    }
    let failed = client.call::<(), Failure>(&Context::default(), "fail", json!({ "kind": "?" })).await.unwrap_err();
    assert_eq!((failed.kind, failed.code.as_deref()), (Kind::Conflict, Some("OutOfStock")), "unknown to this side");
    let failed = client.call::<(), Failure>(&Context::default(), "nothing", json!({})).await.unwrap_err();
    assert_eq!((failed.kind, failed.detail.as_str()), (Kind::Unsupported, "there is no method \"nothing\""));
}

#[tokio::test]
async fn marks_and_keys_travel() {
    let client = desk().await;
    let cx = Context::default().keyed("k-1");
    let told: serde_json::Value = client.call::<_, Failure>(&cx, "context", json!({})).await.unwrap();
    assert_eq!((&told["key"], cx.marks().list()), (&json!("k-1"), vec!["k-1=default".to_owned()]));
}

#[tokio::test]
async fn who_does_not_answer_is_given_up() {
    let cx = Context::default().within(Duration::from_millis(50));
    let failed = desk().await.call::<u64, Failure>(&cx, "wait", json!({ "millis": 5000 })).await.unwrap_err();
    assert_eq!(failed.kind, Kind::Timeout);
    let nobody = Client::new("http://127.0.0.1:1", &["v1", "rpc"]).unwrap();
    let failed = nobody.call::<(), Failure>(&Context::default(), "add", json!({})).await.unwrap_err();
    assert_eq!((failed.kind, failed.unsent), (Kind::Unavailable, true));
}

#[tokio::test]
async fn what_strangers_answer_is_a_failure_and_no_panic() {
    for (text, kind) in [
        (r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}"#, Kind::Unsupported),
        (r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request","data":7},"id":null}"#, Kind::Invalid),
        (r#"{"jsonrpc":"2.0","result":"text","id":1}"#, Kind::Internal),
        (r#"{"jsonrpc":"2.0","id":1}"#, Kind::Internal),
        ("[]", Kind::Internal),
        ("oops", Kind::Internal),
    ] {
        let failed = stranger(text).await.call::<u64, Failure>(&Context::default(), "add", json!({})).await;
        assert_eq!(failed.unwrap_err().kind, kind, "{text}");
    }
    let nobody = start(Router::new()).await.call::<u64, Failure>(&Context::default(), "add", json!({})).await;
    assert_eq!(nobody.unwrap_err().kind, Kind::Unsupported, "it has no JSON-RPC at all");
}
