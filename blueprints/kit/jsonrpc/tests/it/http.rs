//! What is HTTP's: statuses, headers, limits, contexts; and strictness beyond the specification's examples.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use serde_json::{Value, json};

use crate::{Desk, app, ask, post, send};

async fn refused(request: Request<Body>) -> (u16, Value) {
    let (status, headers, body) = send(app(&Arc::default()), request).await;
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "{status}");
    let problem: Value = serde_json::from_str(&body).unwrap();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        assert_eq!(headers[header::ALLOW], "POST");
    }
    (status.as_u16(), problem["kind"].clone())
}

#[tokio::test]
async fn what_is_no_request_of_http_never_gets_to_be_one() {
    let of = |method: Method| Request::builder().method(method).uri("/v1/rpc").body(Body::empty()).unwrap();
    assert_eq!(refused(of(Method::GET)).await, (405, json!("unsupported")));
    assert_eq!(refused(of(Method::PUT)).await, (405, json!("unsupported")));
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"get_data"}"#;
    let mut text = post(call);
    text.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(refused(text).await, (415, json!("unsupported")));
    let mut image = post(call);
    image.headers_mut().insert(header::ACCEPT, "image/png".parse().unwrap());
    assert_eq!(refused(image).await, (406, json!("unsupported")));
    assert_eq!(refused(post(vec![b' '; (1 << 20) + 1])).await.0, 413);
}

#[tokio::test]
async fn an_id_is_given_back_as_it_was_written() {
    for id in ["1", "-7", "1.50", "1e3", "123456789012345678901234567890", r#""""#, r#""\u00e9 é""#, "null"] {
        let text = format!(r#"{{"jsonrpc":"2.0","method":"get_data","id": {id} }}"#);
        let (_, _, body) = send(app(&Arc::default()), post(text)).await;
        assert!(body.ends_with(&format!(r#","id":{id}}}"#)), "{body}");
    }
    for id in ["true", "[1]", "{}"] {
        let answer = ask(&format!(r#"{{"jsonrpc":"2.0","method":"get_data","id":{id}}}"#)).await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &Value::Null));
    }
}

#[tokio::test]
async fn requests_are_read_strictly() {
    for (text, id, why) in [
        (r#"{"jsonrpc":"2.0","method":"get_data","id":1,"x":2}"#, json!(1), "`x` is not known here"),
        (r#"{"jsonrpc":"2.0","method":"get_data","id":1,"id":2}"#, json!(null), "`id` is there twice"),
        (r#"{"jsonrpc":"1.0","method":"get_data","id":1}"#, json!(1), "`jsonrpc` is \"2.0\""),
        (r#"{"jsonrpc":2.0,"method":"get_data","id":1}"#, json!(1), "`jsonrpc` is \"2.0\""),
        (r#"{"method":"get_data","id":1}"#, json!(1), "`jsonrpc` is \"2.0\""),
        (r#"{"jsonrpc":"2.0","id":1}"#, json!(1), "`method` is text"),
        (r#"{"jsonrpc":"2.0","method":"get_data","params":null,"id":1}"#, json!(1), "`params` is an object or a list"),
        (r#"{"jsonrpc":"2.0","method":"get_data","params":7}"#, json!(null), "`params` is an object or a list"),
        ("7", json!(null), "a request is an object"),
    ] {
        let answer = ask(text).await;
        let error = &answer["error"];
        assert_eq!((&error["code"], &answer["id"]), (&json!(-32600), &id), "{text}: {answer}");
        assert_eq!(error["data"]["detail"], why, "{text}");
    }
    assert_eq!(ask("").await["error"]["code"], -32700);
    assert_eq!(ask("\u{feff}{}").await["error"]["code"], -32700);
    assert_eq!(ask("{} {}").await["error"]["code"], -32700);
}

#[tokio::test]
async fn batches_are_bounded() {
    let batch = |calls: usize| {
        let calls = vec![r#"{"jsonrpc":"2.0","method":"get_data","id":1}"#; calls];
        format!("[{}]", calls.join(","))
    };
    assert_eq!(ask(&batch(kit_jsonrpc::BATCH)).await.as_array().map(Vec::len), Some(kit_jsonrpc::BATCH));
    assert_eq!(ask(&batch(kit_jsonrpc::BATCH + 1)).await["error"]["code"], -32600);
}

/// A wait by each of so many calls.
fn waits(calls: usize, millis: u64) -> String {
    let call = |id| json!({ "jsonrpc": "2.0", "method": "wait", "params": [millis], "id": id });
    Value::from((0..calls).map(call).collect::<Vec<_>>()).to_string()
}

#[tokio::test(start_paused = true)]
async fn some_calls_of_a_batch_are_at_work_at_a_time_and_answered_in_their_order() {
    let desk = Arc::new(Desk::default());
    let (_, _, body) = send(app(&desk), post(waits(20, 100))).await;
    let answers: Vec<Value> = serde_json::from_str(&body).unwrap();
    assert!(answers.iter().enumerate().all(|(id, answer)| answer["id"] == id && answer["result"] == 100));
    let noted = desk.noted();
    let mut at_work = 0;
    let most = noted
        .iter()
        .map(|what| {
            at_work += if what == "begun" { 1 } else { -1 };
            at_work
        })
        .max();
    assert_eq!(most, Some(i32::try_from(kit_jsonrpc::AT_ONCE).unwrap()), "{noted:?}");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_one_call_and_the_others_are_answered() {
    let quick = json!({ "jsonrpc": "2.0", "method": "get_data", "id": "quick" });
    let slow = json!({ "jsonrpc": "2.0", "method": "wait", "params": [5000], "id": "slow" });
    let mut request = post(json!([quick, slow]).to_string());
    request.headers_mut().insert("request-timeout-ms", "50".parse().unwrap());
    let (status, _, body) = send(app(&Arc::default()), request).await;
    let answers: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &answers[0]["result"][0]), (StatusCode::OK, &json!("hello")));
    let error = &answers[1]["error"];
    assert_eq!((&error["code"], &error["data"]["kind"]), (&json!(-32054), &json!("timeout")));
}

#[tokio::test]
async fn each_call_has_the_context_of_the_request() {
    let call = r#"{"jsonrpc":"2.0","method":"context","id":1}"#;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let ask = async |text: String| {
        let mut request = post(text);
        let headers = request.headers_mut();
        headers.insert("traceparent", format!("00-{trace}-b7ad6b7169203331-01").parse().unwrap());
        headers.insert("idempotency-key", "k".parse().unwrap());
        headers.insert("request-timeout-ms", "5000".parse().unwrap());
        let (_, headers, body) = send(app(&Arc::default()), request).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        (answer, headers["fallback"].to_str().unwrap().to_owned())
    };
    let (one, marks) = ask(call.to_owned()).await;
    assert_eq!(
        (&one["result"]["key"], &one["result"]["trace"], marks.as_str()),
        (&json!("k"), &json!(trace), "k=default")
    );
    let (many, marks) = ask(format!("[{call},{call}]")).await;
    assert_eq!(marks, "k/0=default, k/1=default");
    for (index, one) in many.as_array().unwrap().iter().enumerate() {
        assert_eq!((&one["result"]["key"], &one["result"]["trace"]), (&json!(format!("k/{index}")), &json!(trace)));
        assert!(one["result"]["left"].as_u64().is_some_and(|left| left <= 5000));
    }
}

#[tokio::test]
async fn errors_say_what_every_transport_says() {
    let fail =
        async |kind: &str| ask(&format!(r#"{{"jsonrpc":"2.0","method":"fail","params":["{kind}"],"id":1}}"#)).await;
    let error = fail("out of stock").await["error"].clone();
    assert_eq!((&error["code"], &error["message"]), (&json!(-32009), &json!("out of stock")));
    assert_eq!((&error["data"]["error"], &error["data"]["data"]), (&json!("OutOfStock"), &json!({ "left": 3 })));
    let error = fail("limited").await["error"].clone();
    assert_eq!((&error["code"], &error["data"]["retry_after"]), (&json!(-32029), &json!(1.5)));
    let error = fail("internal").await["error"].clone();
    assert_eq!(error["code"], -32603);
    assert!(!error.to_string().contains("secret"));
}
