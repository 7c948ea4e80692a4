//! The crate as any HTTP client sees it.

mod client;
mod http;
mod params;
mod specification;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use kit::{Context, Failure, Kind, Validate, Violations};
use kit_http::{Edge, edge};
use kit_jsonrpc::{Asked, Outcome, answer, endpoint};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub sku: String,
    pub quantity: u32,
    #[serde(default)]
    pub note: Option<String>,
}

impl Validate for Line {
    fn validate(&self, v: &mut Violations) {
        v.at("quantity", |v| v.range(&self.quantity, 1..=9));
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Shortage {
    pub left: u32,
}

kit::errors! {
    /// Why `fail` may fail.
    pub FailError {
        OutOfStock(Shortage): Conflict = "out of stock",
    }
}

/// Remembers what it was asked.
#[derive(Default)]
pub struct Desk(Mutex<Vec<String>>);

impl Desk {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    pub fn noted(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

async fn call(desk: Arc<Desk>, cx: Context, asked: Asked) -> Outcome {
    match asked.method() {
        "subtract" => {
            let (minuend, subtrahend): (i64, i64) = asked.params(["minuend", "subtrahend"])?;
            answer(Ok::<_, Failure>(minuend - subtrahend))
        }
        "sum" | "notify_sum" => {
            let (a, b, c): (i64, i64, Option<i64>) = asked.params(["a", "b", "c"])?;
            desk.note(asked.method().to_owned());
            answer(Ok::<_, Failure>(a + b + c.unwrap_or_default()))
        }
        "panic" => panic!("secret words"),
        "notify_hello" => {
            let (whom,): (i64,) = asked.params(["whom"])?;
            desk.note(format!("hello {whom}"));
            answer(Ok::<_, Failure>(()))
        }
        "get_data" => {
            asked.nothing()?;
            answer(Ok::<_, Failure>(json!(["hello", 5])))
        }
        "order.add" => {
            let (id, line): (u32, Line) = asked.on_item()?;
            answer(Ok::<_, Failure>(format!("{id}: {} × {}", line.sku, line.quantity)))
        }
        "add" => {
            let line: Line = asked.input()?;
            answer(Ok::<_, Failure>(line))
        }
        "context" => {
            cx.marks().add(format!("{}=default", cx.idempotency_key().unwrap_or("-")));
            answer(Ok::<_, Failure>(json!({
                "key": cx.idempotency_key(),
                "trace": cx.trace().id(),
                "left": cx.remaining().map(|left| left.as_millis() as u64),
            })))
        }
        "wait" => {
            let (millis,): (u64,) = asked.params(["millis"])?;
            desk.note("begun".into());
            tokio::time::sleep(Duration::from_millis(millis)).await;
            desk.note("ended".into());
            answer(Ok::<_, Failure>(millis))
        }
        "fail" => {
            let (kind,): (String,) = asked.params(["kind"])?;
            let kind: Result<Kind, _> = serde_json::from_value(kind.into());
            answer::<(), FailError>(Err(match kind {
                Ok(Kind::Limited) => {
                    Failure::new(Kind::Limited, "slowly").retry_after(Duration::from_millis(1500)).into()
                }
                Ok(Kind::Internal) => Failure::internal(anyhow::anyhow!("secret")).into(),
                Ok(kind) => Failure::new(kind, "as asked").into(),
                Err(_) => FailError::OutOfStock(Shortage { left: 3 }),
            }))
        }
        _ => asked.unknown(),
    }
}

pub fn app(desk: &Arc<Desk>) -> Router {
    edge(endpoint("/v1/rpc", desk.clone(), call), Edge::default())
}

pub fn post(body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/v1/rpc").header(header::CONTENT_TYPE, "application/json");
    request.body(body.into()).unwrap()
}

pub async fn send(app: Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let response = app.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
    (parts.status, parts.headers, body)
}

/// What is answered to a text with 200.
pub async fn ask(text: &str) -> Value {
    let (status, headers, body) = send(app(&Arc::default()), post(text.to_owned())).await;
    assert_eq!(status, StatusCode::OK, "{text}: {body}");
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    serde_json::from_str(&body).unwrap()
}
