//! GraphQL over HTTP.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use http_body_util::BodyExt;
use kit::Context;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::store::{ID, schema};

const GRAPHQL: &str = "application/graphql-response+json";

fn router() -> Router {
    kit_graphql::endpoint(schema().0)
}

async fn ask(request: Request<Body>) -> (StatusCode, String, Value) {
    let response = router().oneshot(request).await.unwrap();
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status, kind, serde_json::from_slice(&bytes).unwrap())
}

fn post(accept: &str, body: &Value) -> Request<Body> {
    let request =
        Request::post("/graphql").header(header::CONTENT_TYPE, "application/json").header(header::ACCEPT, accept);
    request.body(body.to_string().into()).unwrap()
}

fn get(query: &str) -> Request<Body> {
    Request::get(format!("/graphql?{query}")).header(header::ACCEPT, GRAPHQL).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_status_is_that_of_the_form() {
    let partial = format!("{{ order(id: \"{ID}\") {{ etag }} }} ");
    let refused = format!("mutation {{ ship(id: \"{ID}\") {{ id }} }}");
    for (query, variables, as_graphql, has_data) in [
        (partial.as_str(), json!({}), 200, true),
        (refused.as_str(), json!({}), 200, true),
        ("{", json!({}), 400, false),
        ("{ nothing }", json!({}), 400, false),
        ("query($id: ID!) { order(id: $id) { id } }", json!({}), 400, false),
        ("query($n: Int) { orders(first: $n) { nodes { id } } }", json!({ "n": "x" }), 400, false),
        ("query($id: ID!) { order(id: $id) { etag } }", json!({ "id": ID }), 200, true),
        ("subscription { watch(id: 1) { left } }", json!({}), 400, false),
    ] {
        let body = json!({ "query": query, "variables": variables });
        let (status, kind, answer) = ask(post(GRAPHQL, &body)).await;
        assert_eq!(
            (status.as_u16(), kind.as_str()),
            (as_graphql, "application/graphql-response+json; charset=utf-8"),
            "{query}"
        );
        assert_eq!(answer.get("data").is_some(), has_data, "{answer}");
        let (status, kind, same) = ask(post("application/json", &body)).await;
        assert_eq!((status.as_u16(), kind.as_str()), (200, "application/json; charset=utf-8"), "{query}");
        assert_eq!(same["data"], answer["data"]);
    }
    assert_eq!(ask(post("text/html", &json!({ "query": "{ __typename }" }))).await.0, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn requests_that_cannot_be_read_say_so_in_the_form_of_answers() {
    let (status, _, answer) = ask(post("application/json", &json!({ "quer": "x" }))).await;
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (StatusCode::BAD_REQUEST, &json!("INVALID")));
    let text = Request::post("/graphql").body(Body::from("{ __typename }")).unwrap();
    assert_eq!(ask(text).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn get_is_for_queries() {
    for (query, status) in [
        ("query=%7B__typename%7D", 200),
        ("query=query($id:ID!)%7Border(id:$id)%7Betag%7D%7D&variables=%7B%22id%22:%22ID%22%7D", 200),
        ("query=query+A%7B__typename%7D+mutation+B%7BdeleteOrder(id:1)%7D&operationName=A", 200),
        ("query=query+A%7B__typename%7D+mutation+B%7BdeleteOrder(id:1)%7D&operationName=B", 405),
        ("query=mutation%7BdeleteOrder(id:1)%7D", 405),
        ("query=mutation+M%7BdeleteOrder(id:1)%7D", 405),
        ("query=subscription%7Bwatch(id:1)%7Bleft%7D%7D", 405),
        ("query=%7B", 400),
        ("query=%7B__typename%7D&variables=7", 400),
        ("query=%7B__typename%7D&variables=&operationName=&extensions=", 200),
        ("", 400),
    ] {
        let (found, _, answer) = ask(get(&query.replace("ID%22%7D", &format!("{ID}%22%7D")))).await;
        assert_eq!(found.as_u16(), status, "{query}: {answer}");
    }
}

#[tokio::test]
async fn several_requests_are_answered_in_their_order() {
    let query = |query: &str| json!({ "query": query });
    let (status, _, answers) =
        ask(post("*/*", &json!([query("{ a: __typename }"), query("{"), query("{ b: __typename }")]))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&answers[0]["data"]["a"], &answers[2]["data"]["b"]), (&json!("Query"), &json!("Query")));
    assert!(answers[1].get("data").is_none());
    let many = Value::Array(vec![query("{ __typename }"); 11]);
    assert_eq!(ask(post("*/*", &many)).await.0, StatusCode::BAD_REQUEST);

    let (schema, store) = schema();
    let ship = query(&format!("mutation {{ ship(id: \"{ID}\") {{ id }} }}"));
    let mut request = post("*/*", &json!([ship, ship]));
    request.extensions_mut().insert(Context::default().keyed("k"));
    kit_graphql::endpoint(schema).oneshot(request).await.unwrap();
    let mut keys: Vec<_> =
        store.contexts.lock().unwrap().iter().map(|cx| cx.idempotency_key().map(str::to_owned)).collect();
    keys.sort();
    assert_eq!(keys, [Some("k/0".into()), Some("k/1".into())]);
}

#[tokio::test]
async fn the_context_of_the_edge_is_that_of_the_calls() {
    let (schema, store) = schema();
    let cx = Context::default().keyed("k");
    let mut request = post("*/*", &json!({ "query": format!("mutation {{ ship(id: \"{ID}\") {{ id }} }}") }));
    request.extensions_mut().insert(cx.clone());
    kit_graphql::endpoint(schema).oneshot(request).await.unwrap();
    let seen = store.contexts.lock().unwrap();
    assert_eq!((seen[0].idempotency_key(), seen[0].trace()), (Some("k"), cx.trace()));
}

#[tokio::test]
async fn a_document_is_left_once_and_then_asked_for_by_its_hash() {
    let (schema, _) = schema();
    let documents = schema.documents().clone();
    let router = kit_graphql::endpoint(schema);
    let ask = async |request: Request<Body>| {
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let answer: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
        (parts.status.as_u16(), answer)
    };
    // sha256("{__typename}")
    let hash = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
    let persisted = |hash: &str| json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let by_hash = || post("application/json", &json!({ "extensions": persisted(hash) }));
    let code = |answer: &Value| answer["errors"][0]["extensions"]["code"].clone();
    let (status, answer) = ask(by_hash()).await;
    assert_eq!((status, code(&answer)), (200, json!("PERSISTED_QUERY_NOT_FOUND")));
    assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotFound");
    let extensions = persisted(hash).to_string().replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
    let (status, answer) = ask(get(&format!("extensions={extensions}"))).await;
    assert_eq!((status, code(&answer)), (400, json!("PERSISTED_QUERY_NOT_FOUND")), "the form tells them apart");
    let wrong = json!({ "query": "{ __typename }", "extensions": persisted(hash) });
    assert_eq!(code(&ask(post("application/json", &wrong)).await.1), "INVALID");
    let both = json!({ "query": "{__typename}", "extensions": persisted(hash) });
    assert_eq!(ask(post("application/json", &both)).await.1["data"]["__typename"], "Query");
    assert_eq!(ask(by_hash()).await.1["data"]["__typename"], "Query");
    assert_eq!(ask(get(&format!("extensions={extensions}"))).await.1["data"]["__typename"], "Query");
    let state = documents.state();
    assert_eq!((state.graphql_documents, state.hits, state.misses), (1, 2, 2));
    // sha256("mutation{deleteOrder(id:1)}")
    let hash = "aa909f36c50d6f7a9df7b6db251837c0421739bdae43b30f3a1dbadac71a1219";
    let both = json!({ "query": "mutation{deleteOrder(id:1)}", "extensions": persisted(hash) });
    ask(post("application/json", &both)).await;
    let extensions = persisted(hash).to_string().replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
    assert_eq!(ask(get(&format!("extensions={extensions}"))).await.0, 405, "a mutation, by its hash too");
}

#[tokio::test]
async fn an_answer_holds_as_long_as_what_holds_shortest_in_it() {
    let (schema, _) = schema();
    let router = kit_graphql::endpoint(schema);
    let header = async |request: Request<Body>| {
        let response = router.clone().oneshot(request).await.unwrap();
        response.headers().get(header::CACHE_CONTROL).map(|value| value.to_str().unwrap().to_owned())
    };
    let other = "00000000-0000-0000-0000-000000000000";
    for (query, by_get) in [
        (format!("{{ order(id: \"{ID}\") {{ id }} }}"), "max-age=30"),
        (format!("{{ a: order(id: \"{ID}\") {{ id }} b: order(id: \"{other}\") {{ id }} }}"), "max-age=30"),
        (format!("{{ order(id: \"{ID}\") {{ customer {{ name }} }} }}"), "no-store"),
        // Parts of it are stand-ins.
        ("{ orders { nodes { id } } }".to_owned(), "no-store"),
        ("{ __typename }".to_owned(), "no-store"),
        ("{ order(id: \"x\") { id } }".to_owned(), "no-store"),
    ] {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(header(get(&format!("query={escaped}"))).await.as_deref(), Some(by_get), "{query}");
        let by_post = header(post("application/json", &json!({ "query": query }))).await;
        assert_eq!(by_post, Some(by_get.to_owned()).filter(|value| value != "no-store"), "{query}");
    }
}
