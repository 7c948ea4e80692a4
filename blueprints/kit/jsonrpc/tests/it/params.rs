//! What is taken as parameters, and what is said of the rest.

use serde_json::{Value, json};

use crate::ask;

async fn call(method: &str, params: &str) -> Value {
    ask(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)).await
}

/// The fields that are wrong and why; or what is wrong with all of it.
async fn wrong(method: &str, params: &str) -> Vec<String> {
    let answer = call(method, params).await;
    let error = &answer["error"];
    assert_eq!((&error["code"], &error["data"]["kind"]), (&json!(-32602), &json!("invalid")), "{params}: {answer}");
    match error["data"]["fields"].as_array() {
        Some(fields) => {
            let line = |of: &Value| format!("{}: {}", of["field"].as_str().unwrap(), of["detail"].as_str().unwrap());
            fields.iter().map(line).collect()
        }
        None => vec![error["message"].as_str().unwrap().to_owned()],
    }
}

#[tokio::test]
async fn values_by_name_and_by_position() {
    for params in ["[1,2]", "[1,2,null]", r#"{"b":2,"a":1}"#, r#"{"b":2,"a":1,"c":null}"#] {
        assert_eq!(call("sum", params).await["result"], 3, "{params}");
    }
    assert_eq!(wrong("sum", "[1]").await, ["b: is missing"]);
    assert_eq!(wrong("sum", "{}").await, ["a: is missing", "b: is missing"]);
    assert_eq!(wrong("sum", "[1,2,3,4]").await, ["4 parameters were given, and 3 at most are taken"]);
    assert_eq!(wrong("sum", r#"{"a":1,"a":2,"b":3,"d":4}"#).await, ["a: is there twice", "d: is not known here"]);
    assert_eq!(
        wrong("sum", r#"["x",2.5]"#).await,
        [r#"a: invalid type: string "x", expected i64"#, "b: invalid type: floating point `2.5`, expected i64"]
    );
}

#[tokio::test]
async fn nothing_in_each_of_its_forms() {
    for params in ["[]", "{}", " [ ] "] {
        assert_eq!(call("get_data", params).await["result"], json!(["hello", 5]), "{params}");
    }
    assert_eq!(wrong("get_data", "[1]").await.len(), 1);
    assert_eq!(wrong("get_data", r#"{"a":1}"#).await, ["a: is not known here"]);
}

#[tokio::test]
async fn the_fields_of_an_input() {
    assert_eq!(call("add", r#"{"sku":"a","quantity":2}"#).await["result"]["quantity"], 2);
    assert_eq!(wrong("add", r#"["a",2]"#).await, ["this method takes its parameters by name"]);
    assert_eq!(wrong("add", "[]").await, ["sku: is missing"]);
    assert_eq!(
        wrong("add", r#"{"sku":"a","quantity":0,"x":1}"#).await,
        ["x: is not known here", "quantity: is 0, not from 1 to 9"]
    );
}

#[tokio::test]
async fn the_fields_of_an_input_beside_an_id() {
    assert_eq!(call("order.add", r#"{"quantity":2,"id":7,"sku":"a","note":null}"#).await["result"], "7: a × 2");
    assert_eq!(wrong("order.add", r#"{"sku":"a","quantity":2}"#).await, ["id: is missing"]);
    assert_eq!(wrong("order.add", r#"{"id":1,"sku":"a","quantity":2,"id":1}"#).await, ["id: is there twice"]);
    assert_eq!(wrong("order.add", r#"{"id":1,"sku":"a","sku":"b"}"#).await, ["sku: is there twice"]);
    assert_eq!(
        wrong("order.add", r#"{"id":"x","sku":"a","quantity":10,"y":0}"#).await,
        [r#"id: invalid type: string "x", expected u32"#, "y: is not known here", "quantity: is 10, not from 1 to 9"]
    );
}

#[tokio::test]
async fn what_is_nested_too_deeply_is_refused() {
    let deep = format!(r#"{{"sku":{}{},"quantity":1}}"#, "[".repeat(9999), "]".repeat(9999));
    assert_eq!(wrong("add", &deep).await.len(), 1);
    let deep = format!(r#"[{}{},1]"#, "[".repeat(9999), "]".repeat(9999));
    assert_eq!(wrong("sum", &deep).await.len(), 1);
}
