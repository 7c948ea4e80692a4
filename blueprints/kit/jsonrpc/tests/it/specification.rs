//! The examples of section 7 of the specification, replayed as they stand there.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;

use crate::{Desk, app, ask, post, send};

/// The specification leaves it open whether errors have `data`.
fn plain(mut answer: Value) -> Value {
    let all = if answer.is_array() { answer.as_array_mut().unwrap().iter_mut().collect() } else { vec![&mut answer] };
    for one in all {
        if let Some(error) = one.get_mut("error").and_then(Value::as_object_mut) {
            assert!(error.remove("data").is_some_and(|data| data["trace_id"].is_string()));
        }
    }
    answer
}

async fn answers(request: &str, response: &str) {
    let expected: Value = serde_json::from_str(response).unwrap();
    assert_eq!(plain(ask(request).await), expected, "{request}");
}

async fn is_not_answered(request: &str) {
    let (status, _, body) = send(app(&Arc::default()), post(request.to_owned())).await;
    assert_eq!((status, body.as_str()), (StatusCode::NO_CONTENT, ""), "{request}");
}

#[tokio::test]
async fn calls_with_positional_parameters() {
    answers(
        r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#,
        r#"{"jsonrpc": "2.0", "result": 19, "id": 1}"#,
    )
    .await;
    answers(
        r#"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#,
        r#"{"jsonrpc": "2.0", "result": -19, "id": 2}"#,
    )
    .await;
}

#[tokio::test]
async fn calls_with_named_parameters() {
    answers(
        r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
        r#"{"jsonrpc": "2.0", "result": 19, "id": 3}"#,
    )
    .await;
    answers(
        r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#,
        r#"{"jsonrpc": "2.0", "result": 19, "id": 4}"#,
    )
    .await;
}

#[tokio::test]
async fn notifications() {
    is_not_answered(r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#).await;
    is_not_answered(r#"{"jsonrpc": "2.0", "method": "foobar"}"#).await;
    let desk = Arc::new(Desk::default());
    let text = r#"{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}"#;
    assert_eq!(send(app(&desk), post(text)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(desk.noted(), ["hello 7"], "it is done all the same");
}

#[tokio::test]
async fn a_method_that_is_not_there() {
    answers(
        r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#,
        r#"{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}"#,
    )
    .await;
}

#[tokio::test]
async fn texts_that_are_no_json() {
    let error = r#"{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}"#;
    answers(r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#, error).await;
    answers(
        r#"[
          {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
          {"jsonrpc": "2.0", "method"
        ]"#,
        error,
    )
    .await;
}

#[tokio::test]
async fn json_that_is_no_request() {
    let error = r#"{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}"#;
    answers(r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#, error).await;
    answers("[]", error).await;
    answers("[1]", &format!("[{error}]")).await;
    answers("[1,2,3]", &format!("[{error},{error},{error}]")).await;
}

#[tokio::test]
async fn batches() {
    answers(
        r#"[
            {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
            {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
            {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
        ]"#,
        r#"[
            {"jsonrpc": "2.0", "result": 7, "id": "1"},
            {"jsonrpc": "2.0", "result": 19, "id": "2"},
            {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
            {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "5"},
            {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}
        ]"#,
    )
    .await;
}

#[tokio::test]
async fn a_panic_is_the_error_of_its_call() {
    let error = r#"{"jsonrpc": "2.0", "error": {"code": -32603, "message": "something went wrong inside the service"}, "id": 1}"#;
    let panic = r#"{"jsonrpc": "2.0", "method": "panic", "id": 1}"#;
    answers(panic, error).await;
    answers(
        &format!(r#"[{panic}, {{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": 2}}]"#),
        &format!(r#"[{error}, {{"jsonrpc": "2.0", "result": 7, "id": 2}}]"#),
    )
    .await;
}

#[tokio::test]
async fn batches_of_notifications() {
    is_not_answered(
        r#"[
            {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
        ]"#,
    )
    .await;
}
