use axum::{Router, extract::OriginalUri, routing::post};
use kit::{
    Cursor, Etag, Validate, Violations,
    json::{As, Digits, Same},
    patch::Present,
};
use kit_http::{Edge, Json, MergePatch, Path, answer};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::Uuid;

use crate::{get, header, http, problem, send, start};

#[derive(Serialize, Deserialize)]
struct Line {
    sku: String,
    #[serde(with = "As::<Digits>")]
    quantity: i64,
}

#[derive(Serialize, Deserialize)]
struct Order {
    lines: Vec<Line>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    gift: Option<Line>,
}

#[derive(Serialize, Deserialize)]
struct OrderPatch {
    #[serde(default, with = "As::<Present<Option<Same>>>", skip_serializing_if = "Option::is_none")]
    note: Option<Option<String>>,
}

impl Validate for Line {
    fn validate(&self, v: &mut Violations) {
        v.at("sku", |v| v.length(&self.sku, 1..=3));
        v.at("quantity", |v| v.range(&self.quantity, 1..=9));
    }
}

impl Validate for Order {
    fn validate(&self, v: &mut Violations) {
        v.at("lines", |v| v.each(&self.lines, |v, line| line.validate(v)));
    }
}

impl Validate for OrderPatch {
    fn validate(&self, v: &mut Violations) {
        v.at("note", |v| v.some(&self.note, |v, note| v.some(note, |v, note| v.length(note, ..=3))));
    }
}

async fn base() -> String {
    let orders = post(async |Json(order): Json<Order>| answer::created(&["orders", "a/b"], Etag(1), &order))
        .patch(async |MergePatch(patch): MergePatch<OrderPatch>| Json(patch))
        .delete(async || answer::done());
    let router = Router::new()
        .route("/orders", orders)
        .route("/ids/{id}", axum::routing::get(async |Path(id): Path<Uuid>| Json(id)))
        .route("/shelves/{row}/boxes/{box}", axum::routing::get(async |Path(place): Path<(u32, String)>| Json(place)))
        .route(
            "/page",
            axum::routing::get(async |OriginalUri(uri): OriginalUri| {
                answer::page(&uri, Some(&Cursor("c+2".into())), &"page")
            }),
        )
        .route("/last", axum::routing::get(async |OriginalUri(uri): OriginalUri| answer::page(&uri, None, &"page")));
    start(router, Edge::default()).await
}

#[tokio::test]
async fn bodies() {
    let base = base().await;
    let line = r#"{"sku":"a","quantity":"1"}"#;
    let deep = format!(r#"{{"lines":[],"more":{}"#, "[".repeat(1000));
    for (body, status, fields) in [
        (format!(r#"{{"lines":[{line}],"note":null}}"#), 201, vec![]),
        (format!(r#"{{"lines":[{line}],"gift":{line}}}"#), 201, vec![]),
        ("{".into(), 400, vec![]),
        ("".into(), 400, vec![]),
        (r#"{"lines":[]} x"#.into(), 400, vec![]),
        (deep, 400, vec![]),
        ("\u{7f}\u{80}".into(), 400, vec![]),
        ("7".into(), 422, vec![""]),
        // Not even where the values would fit, if in a list.
        ("[[]]".into(), 422, vec![""]),
        (r#"{"lines":[["a","1"]]}"#.into(), 422, vec!["lines[0]"]),
        ("{}".into(), 422, vec!["lines"]),
        (r#"{"lines":7}"#.into(), 422, vec!["lines"]),
        (r#"{"lines":[],"lines":[]}"#.into(), 422, vec!["lines"]),
        (format!(r#"{{"lines":[{line},{{"sku":"a"}}]}}"#), 422, vec!["lines[1].quantity"]),
        (format!(r#"{{"lines":[{line},{{"sku":"a","quantity":"x"}}]}}"#), 422, vec!["lines[1].quantity"]),
        (format!(r#"{{"lines":[{line}],"gift":{{"sku":7,"quantity":1}}}}"#), 422, vec!["gift.sku"]),
        (
            r#"{"lines":[{"sku":"","quantity":0},{"sku":"abcd","quantity":1}]}"#.into(),
            422,
            vec!["lines[0].sku", "lines[0].quantity", "lines[1].sku"],
        ),
        (
            r#"{"lines":[{"sku":"","quantity":1,"price":2}],"gift":{"sku":"a","quantity":1,"x":[1]},"more":{}}"#.into(),
            422,
            vec!["lines[0].price", "gift.x", "more", "lines[0].sku"],
        ),
        (r#"{"more":1,"lines":[{"sku":"a"}]}"#.into(), 422, vec!["more", "lines[0].quantity"]),
    ] {
        let asked = body.clone();
        let answer =
            send(http(Method::POST, format!("{base}/orders")).header("content-type", "application/json").body(body))
                .await;
        assert_eq!(answer.status().as_u16(), status, "{asked}");
        match status {
            201 => {
                assert_eq!((header(&answer, "location"), header(&answer, "etag")), ("/orders/a%2Fb", "\"1\""));
                assert_eq!(header(&answer, "content-type"), "application/json");
            }
            _ => assert_eq!(
                problem(answer).await,
                (status, "invalid".into(), fields.iter().map(|f| f.to_string()).collect()),
                "{asked}"
            ),
        }
    }
}

#[tokio::test]
async fn a_body_that_is_said_to_be_too_long_is_not_waited_for() {
    let base = base().await;
    let mut caller = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    let head =
        "POST /orders HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1099511627776\r\n\r\n";
    caller.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    caller.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn types_of_bodies() {
    let base = base().await;
    let order = r#"{"lines":[]}"#;
    for (method, kind, body, status) in [
        (Method::POST, "application/json", order, 201),
        (Method::POST, "Application/JSON; charset=\"UTF-8\"", order, 201),
        (Method::POST, "application/vnd.shop.orders+json;version=1", order, 201),
        (Method::POST, "application/json; charset=latin1", order, 415),
        (Method::POST, "application/merge-patch+json", order, 415),
        (Method::POST, "text/json", order, 415),
        (Method::POST, "", order, 415),
        (Method::PATCH, "application/merge-patch+json", r#"{"note":null}"#, 200),
        (Method::PATCH, "application/merge-patch+json", r#"{"note":"long"}"#, 422),
        (Method::PATCH, "application/merge-patch+json", r#"{"other":1}"#, 422),
        (Method::PATCH, "application/json", r#"{"note":null}"#, 415),
        (Method::DELETE, "", "", 204),
    ] {
        let request = http(method.clone(), format!("{base}/orders")).body(body);
        let answer = send(if kind.is_empty() { request } else { request.header("content-type", kind) }).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {kind}");
        match status {
            200 => assert_eq!(answer.text().await.unwrap(), body),
            400.. => assert_eq!(problem(answer).await.0, status),
            _ => {}
        }
    }
}

#[tokio::test]
async fn paths() {
    let base = base().await;
    let id = Uuid::now_v7().to_string();
    assert_eq!(send(get(format!("{base}/ids/{id}"))).await.json::<String>().await.unwrap(), id);
    let place = send(get(format!("{base}/shelves/7/boxes/a%2Fb%20%C3%BC"))).await;
    assert_eq!(place.json::<(u32, String)>().await.unwrap(), (7, "a/b ü".into()));
    for (path, field) in [("/ids/7", "id"), ("/shelves/-3/boxes/a", "row"), ("/shelves/1/boxes/%ff", "box")] {
        let answer = problem(send(get(format!("{base}{path}"))).await).await;
        assert_eq!(answer, (422, "invalid".into(), vec![field.to_owned()]), "{path}");
    }
}

#[tokio::test]
async fn a_page_links_to_the_next() {
    let base = base().await;
    let answer = send(get(format!("{base}/page?sku=a%26b&cursor=c1&sku=%C3%BC&limit=5"))).await;
    assert_eq!(header(&answer, "link"), "</page?sku=a%26b&sku=%C3%BC&limit=5&cursor=c%2B2>; rel=\"next\"");
    assert_eq!(header(&send(get(format!("{base}/page"))).await, "link"), "</page?cursor=c%2B2>; rel=\"next\"");
    assert_eq!(header(&send(get(format!("{base}/last"))).await, "link"), "");
}
