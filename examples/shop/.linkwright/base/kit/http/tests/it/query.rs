use std::time::Duration;

use axum::{Router, routing::get as on_get};
use chrono::{DateTime, Utc};
use kit::{
    Cursor, Validate, Violations,
    json::{As, Base64, Digits, Exact, Iso8601, Micros},
};
use kit_http::{Client, Edge, Json, Query, Request};
use reqwest::Method;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{get, problem, send, start};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Open,
    InTransit,
}

/// Every shape that a filter, a list parameter or a query's input can have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Input {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flag: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
    #[serde(with = "As::<Option<Digits>>", skip_serializing_if = "Option::is_none")]
    signed: Option<i64>,
    #[serde(with = "As::<Option<Exact>>", skip_serializing_if = "Option::is_none")]
    price: Option<Decimal>,
    #[serde(rename = "placed_at.gte", with = "As::<Option<Micros>>", skip_serializing_if = "Option::is_none")]
    placed_at_gte: Option<DateTime<Utc>>,
    #[serde(with = "As::<Option<Iso8601>>", skip_serializing_if = "Option::is_none")]
    span: Option<Duration>,
    #[serde(with = "As::<Option<Base64>>", skip_serializing_if = "Option::is_none")]
    raw: Option<Vec<u8>>,
    status: Vec<Status>,
    #[serde(with = "As::<Vec<Digits>>")]
    sizes: Vec<u64>,
    #[serde(with = "As::<Vec<Micros>>")]
    moments: Vec<DateTime<Utc>>,
    ids: Vec<Uuid>,
}

impl Validate for Input {
    fn validate(&self, v: &mut Violations) {
        v.at("limit", |v| v.some(&self.limit, |v, limit| v.range(limit, 1..=200)));
    }
}

#[derive(Serialize, Deserialize)]
struct Required {
    order_id: Uuid,
    count: u32,
}

impl Validate for Required {
    fn validate(&self, _: &mut Violations) {}
}

async fn base() -> String {
    let router = Router::new()
        .route("/input", on_get(async |Query(input): Query<Input>| Json(input)))
        .route("/required", on_get(async |Query(input): Query<Required>| Json(input)));
    start(router, Edge::default()).await
}

#[tokio::test]
async fn every_kind_of_value_goes_to_a_service_and_back() {
    let client = Client::new(&base().await).unwrap();
    let moment = kit::json::timestamp("2026-01-31T12:00:00.000001Z").unwrap();
    let full = Input {
        text: Some("a b&c=ü+%".into()),
        flag: Some(true),
        limit: Some(200),
        ratio: Some(-0.5),
        id: Some(Uuid::now_v7()),
        cursor: Some(Cursor("eyJ_-".into())),
        signed: Some(i64::MIN),
        price: Some(kit::json::decimal("1.50").unwrap()),
        placed_at_gte: Some(moment),
        span: Some(Duration::from_micros(93_784_500_000)),
        raw: Some(vec![0, 255, 62]),
        status: vec![Status::Open, Status::InTransit],
        sizes: vec![u64::MAX, 0],
        moments: vec![moment, moment],
        ids: vec![Uuid::now_v7()],
    };
    let one = Input { status: vec![Status::Open], sizes: vec![7], moments: vec![moment], ..Input::default() };
    for input in [full, one, Input { text: Some(String::new()), ..Input::default() }, Input::default()] {
        let request = Request::new(Method::GET, &["input"]).query(&input);
        let back: Result<Input, kit::Failure> = client.call(&kit::Context::default(), request).await;
        assert_eq!(back, Ok(input));
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let base = base().await;
    for (target, fields) in [
        ("/input?limt=5", vec!["limt"]),
        ("/input?limit=5&a=1&b=2&b=3", vec!["a", "b"]),
        ("/input?limit=0", vec!["limit"]),
        ("/input?limit=0&x=1", vec!["x", "limit"]),
        ("/input?limit=five", vec!["limit"]),
        ("/input?limit=5&limit=6", vec!["limit"]),
        ("/input?flag=yes", vec!["flag"]),
        ("/input?signed=1.5", vec!["signed"]),
        ("/input?price=1e5", vec!["price"]),
        ("/input?placed_at.gte=today", vec!["placed_at.gte"]),
        ("/input?span=5m", vec!["span"]),
        ("/input?raw=%21", vec!["raw"]),
        // Empty is not absent.
        ("/input?limit=", vec!["limit"]),
        ("/input?signed=", vec!["signed"]),
        ("/input?flag=&ratio=1", vec!["flag"]),
        ("/input?id=7", vec!["id"]),
        ("/input?status=open&status=lost", vec!["status[1]"]),
        ("/input?status=lost", vec!["status[0]"]),
        ("/input?sizes=1&sizes=-1", vec!["sizes[1]"]),
        ("/required", vec!["order_id"]),
        ("/required?order_id=0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77", vec!["count"]),
        ("/required?order_id=0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77&count=-1", vec!["count"]),
    ] {
        let answer = problem(send(get(format!("{base}{target}"))).await).await;
        assert_eq!(answer, (422, "invalid".into(), fields.iter().map(|f| f.to_string()).collect()), "{target}");
    }
}
