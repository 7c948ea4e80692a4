//! The client against the endpoint, over a real socket.

use std::time::Duration;

use futures_util::StreamExt;
use kit::{Context, Failure, Kind, OperationError};
use kit_graphql::{Client, Request, Shape};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    contract::{ShipError, Shortage},
    store::{ENDLESS, ID, Store},
};

static CURRENCY: Shape = Shape::Choice(&[("eur", "EUR"), ("usd", "USD")]);
static MONEY: Shape =
    Shape::Object(&[("amount", "amount", Shape::Same), ("currency", "currency", Shape::Of(&CURRENCY))]);
static ORDER: Shape = Shape::Object(&[
    ("id", "id", Shape::Same),
    ("customer_id", "customerId", Shape::Same),
    ("total", "total", Shape::Of(&MONEY)),
    ("counts", "counts", Shape::Entries(&Shape::Same, &Shape::Same)),
    ("part", "part", Shape::Of(&PART)),
]);
static PART: Shape = Shape::Object(&[("name", "name", Shape::Same), ("inner", "inner", Shape::Of(&PART))]);
static LEVEL: Shape = Shape::Object(&[("left", "left", Shape::Same)]);
static FILTER: Shape = Shape::Object(&[("status", "status", Shape::Each(&STATUS))]);
static STATUS: Shape = Shape::Choice(&[("placed", "PLACED"), ("in_transit", "IN_TRANSIT")]);

const FIELDS: &str = "{ id customerId total { amount currency } counts { key value } part { name inner { name inner { _deeper: __typename } } } }";

/// A document lives as long as the program.
fn document(head: &str, fields: &str) -> Request {
    Request::new(Box::leak(format!("{head} {fields} }}").into_boxed_str()))
}

async fn client() -> (Client, std::sync::Arc<Store>) {
    let store = std::sync::Arc::new(Store::default());
    let router = kit_graphql::endpoint(crate::graphql::schema(store.clone(), Default::default()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let router = kit_http::edge(router, kit_http::Edge::default());
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    (client, store)
}

#[tokio::test]
async fn answers_are_values_of_the_contract_and_null_is_not_found() {
    let (client, _) = client().await;
    let get = |id| document("query($id: ID!) { order(id: $id)", FIELDS).with("id", &Shape::Same, &id);
    let cx = Context::default();
    let order: Value = client.find::<_, Failure>(&cx, get(ID), &ORDER).await.unwrap();
    assert_eq!((&order["id"], &order["total"]["currency"]), (&json!(ID), &json!("eur")), "{order}");
    assert!(order["counts"].is_object() && order["customer_id"].is_string(), "{order}");
    let none = client.find::<Value, Failure>(&cx, get(ENDLESS), &ORDER).await;
    assert_eq!(none.map_err(|failure| failure.kind), Err(Kind::NotFound));
    let wrong = client.find::<Value, Failure>(&cx, get("no id"), &ORDER).await;
    assert_eq!(wrong.map_err(|failure| failure.kind), Err(Kind::Invalid));
}

#[tokio::test]
async fn what_is_asked_arrives_with_its_key_and_marks_come_back() {
    let (client, store) = client().await;
    let cx = Context::default().keyed("k").within(Duration::from_secs(5));
    let list = document(
        "query($first: Int, $after: String, $where: OrderFilter) { orders(first: $first, after: $after, where: $where)",
        "{ nodes { id } pageInfo { hasNextPage endCursor } }",
    );
    let query = json!({ "limit": 7, "status": ["in_transit"] });
    let page: Value =
        client.call::<_, Failure>(&cx, list.list(&FILTER, &Shape::Same, &query), &Shape::Page(&ORDER)).await.unwrap();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (3, &json!("end")));
    assert_eq!(cx.marks().list(), ["stock.list=cache"]);
    let seen = store.seen.lock().unwrap().concat();
    assert!(seen.contains("Some(7)") && seen.contains("InTransit"), "{seen}");
    let contexts = store.contexts.lock().unwrap();
    assert_eq!((contexts[0].idempotency_key(), contexts[0].trace().id()), (Some("k"), cx.trace().id()));
    assert!(contexts[0].remaining().unwrap() <= Duration::from_secs(5));
}

#[tokio::test]
async fn errors_come_back_as_what_they_are() {
    let (client, _) = client().await;
    let ship = document("mutation($id: ID!) { ship(id: $id)", "{ id }").with("id", &Shape::Same, &ID);
    let refused = client.call::<Value, ShipError>(&Context::default(), ship, &ORDER).await;
    assert_eq!(refused, Err(ShipError::OutOfStock(Shortage { left: 3 })));
    let late = Context::default().within(Duration::ZERO);
    let ship = document("mutation($id: ID!) { ship(id: $id)", "{ id }").with("id", &Shape::Same, &ID);
    assert_eq!(client.call::<Value, ShipError>(&late, ship, &ORDER).await.unwrap_err().kind(), Kind::Timeout);
    let gone = Client::new("http://127.0.0.1:1").unwrap();
    let ship = document("mutation($id: ID!) { ship(id: $id)", "{ id }").with("id", &Shape::Same, &ID);
    let failed = gone.call::<Value, Failure>(&Context::default(), ship, &ORDER).await.unwrap_err();
    assert!(failed.unsent && failed.kind == Kind::Unavailable);
}

#[tokio::test]
async fn a_subscription_ends_with_its_error_and_a_late_opening_is_given_up() {
    let (client, _) = client().await;
    let watch = |id| document("subscription($id: ID!) { watch(id: $id)", "{ left }").with("id", &Shape::Same, &id);
    let items = client.watch::<Value, ShipError>(&Context::default(), watch(ID), &LEVEL).await.unwrap();
    let items: Vec<_> = items.collect().await;
    assert_eq!(items, [Ok(json!({ "left": 2 })), Ok(json!({ "left": 1 })), Err(ShipError::Closed)]);
    let nobody = "00000000-0000-0000-0000-000000000000";
    let mut items = client.watch::<Value, ShipError>(&Context::default(), watch(nobody), &LEVEL).await.unwrap();
    let refused = items.next().await.unwrap().unwrap_err();
    let failure = refused.failure().unwrap();
    assert_eq!((failure.kind, failure.retry_after), (Kind::Limited, Some(Duration::from_millis(1500))));
    assert!(items.next().await.is_none());
}
