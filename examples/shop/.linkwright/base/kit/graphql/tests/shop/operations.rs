//! Calls: lists, references, errors, contexts, limits.

use std::sync::Arc;

use async_graphql::{Executor, Request};
use kit::Context;
use kit_graphql::Limits;
use serde_json::json;

use crate::{
    graphql::{load_each_customer, loading},
    store::{FATAL, ID, Store, execute, schema},
};

#[tokio::test]
async fn a_list_is_a_connection() {
    let (schema, store) = schema();
    let query = "{ orders(first: 3, where: { status: [PLACED] }, orderBy: TOTAL_AMOUNT_DESC) {
        nodes { etag } edges { cursor node { etag } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } }";
    let answer = execute(&schema, query).await;
    assert_eq!(
        answer["data"]["orders"],
        json!({
            "nodes": [{ "etag": "3" }, { "etag": "3" }, { "etag": "3" }],
            "edges": [
                { "cursor": null, "node": { "etag": "3" } },
                { "cursor": null, "node": { "etag": "3" } },
                { "cursor": "end", "node": { "etag": "3" } },
            ],
            "pageInfo": { "hasNextPage": true, "hasPreviousPage": false, "startCursor": null, "endCursor": "end" },
        })
    );
    assert_eq!(answer["extensions"], json!({ "fallback": ["stock.list=cache"] }));
    let seen = store.seen.lock().unwrap()[0].clone();
    assert_eq!(seen, "ListOrders { limit: Some(3), cursor: None, status: [Placed], sort: Some(AmountDesc) }");

    let last = execute(&schema, "{ orders(after: \"end\") { edges { cursor } pageInfo { hasNextPage } } }").await;
    assert_eq!(last["data"]["orders"]["pageInfo"], json!({ "hasNextPage": false }));
    for first in [-1, 0, 201] {
        let refused = execute(&schema, &format!("{{ orders(first: {first}) {{ nodes {{ etag }} }} }}")).await;
        assert_eq!(refused["errors"][0]["extensions"]["fields"][0]["field"], "limit", "{refused}");
    }
}

#[tokio::test]
async fn references_are_loaded_once_and_null_if_gone() {
    let (schema, store) = schema();
    let answer = execute(&schema, "{ orders { nodes { customer { name } } } }").await;
    let names = json!([{ "customer": { "name": "Ada" } }, { "customer": { "name": "Ada" } }, { "customer": null }]);
    assert_eq!(answer["data"]["orders"]["nodes"], names);
    assert_eq!(asked(&store), [7, 8]);
    assert_eq!(store.batches.lock().unwrap().len(), 1, "one call for all of them");
}

#[tokio::test]
async fn references_are_loaded_each_where_nothing_gets_several() {
    let store = Arc::new(Store::default());
    let each = load_each_customer(store.clone());
    let schema = loading(store.clone(), Default::default(), each);
    let answer = execute(&schema, "{ orders { nodes { customer { name } } } }").await;
    let names = json!([{ "customer": { "name": "Ada" } }, { "customer": { "name": "Ada" } }, { "customer": null }]);
    assert_eq!((&answer["data"]["orders"]["nodes"], &answer["errors"]), (&names, &json!(null)));
    assert_eq!((asked(&store), store.batches.lock().unwrap().len()), (vec![7, 8], 0));
}

#[tokio::test]
async fn a_batch_that_fails_is_null_and_an_error_for_each() {
    let store = Arc::new(Store { is_gone: true, ..Store::default() });
    let schema = crate::graphql::schema(store.clone(), Default::default());
    let answer = execute(&schema, "{ orders { nodes { etag customer { name } } } }").await;
    let order = json!({ "etag": "3", "customer": null });
    assert_eq!(answer["data"]["orders"]["nodes"], json!([order, order, order]));
    let errors = answer["errors"].as_array().unwrap();
    let codes: Vec<_> = errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["UNAVAILABLE"; 3]);
}

#[tokio::test]
async fn a_panic_is_the_error_of_its_field() {
    let (schema, _) = schema();
    let query = format!("{{ bad: order(id: \"{FATAL}\") {{ etag }} good: order(id: \"{ID}\") {{ etag }} }}");
    let answer = execute(&schema, &query).await;
    assert_eq!(answer["data"], json!({ "bad": null, "good": { "etag": "3" } }));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL");
    assert!(!answer.to_string().contains("secret"), "{answer}");
}

/// The customers that were asked for one by one.
fn asked(store: &Store) -> Vec<u64> {
    let mut asked: Vec<_> = store.asked.lock().unwrap().iter().map(|id| id.0).collect();
    asked.sort_unstable();
    asked
}

#[tokio::test]
async fn errors_have_their_kind_name_data_and_trace() {
    let (schema, _) = schema();
    let cx = Context::default();
    let request = |query: String| Request::new(query).data(cx.clone());
    let error = |response: async_graphql::Response| serde_json::to_value(&response.errors[0]).unwrap();

    let refused = error(schema.execute(request(format!("mutation {{ ship(id: \"{ID}\") {{ id }} }}"))).await);
    assert_eq!((&refused["message"], &refused["path"]), (&json!("out of stock"), &json!(["ship"])));
    assert_eq!(
        refused["extensions"],
        json!({ "code": "CONFLICT", "error": "OutOfStock", "data": { "left": 3 }, "traceId": cx.trace().id() })
    );

    let broken = error(schema.execute(request(format!("mutation {{ deleteOrder(id: \"{ID}\") }}"))).await);
    assert_eq!(broken["extensions"], json!({ "code": "INTERNAL", "traceId": cx.trace().id() }));
    assert!(!broken["message"].to_string().contains("1234"), "{broken}");

    let nobody = "00000000-0000-0000-0000-000000000000";
    let none = schema.execute(request(format!("{{ order(id: \"{nobody}\") {{ id }} }}"))).await;
    assert_eq!(serde_json::to_value(none).unwrap(), json!({ "data": { "order": null } }));
}

#[tokio::test]
async fn each_call_of_a_request_has_its_own_key() {
    let (schema, store) = schema();
    let query = format!("mutation {{ ship(id: \"{ID}\") {{ id }} }}");
    schema.execute(Request::new(query).data(Context::default().keyed("k"))).await;
    let query = format!("mutation {{ a: deleteOrder(id: \"{ID}\") }}");
    schema.execute(Request::new(query).data(Context::default().keyed("k"))).await;
    let keys: Vec<_> =
        store.contexts.lock().unwrap().iter().map(|cx| cx.idempotency_key().map(str::to_owned)).collect();
    assert_eq!(keys, [Some("k".into()), Some("k/a".into())]);
}

#[tokio::test]
async fn a_call_past_the_deadline_is_not_made() {
    let (schema, store) = schema();
    let late = Context::default().within(std::time::Duration::ZERO);
    let query = format!("mutation {{ ship(id: \"{ID}\") {{ id }} }}");
    let response = schema.execute(Request::new(query).data(late)).await;
    assert_eq!(serde_json::to_value(&response.errors[0]).unwrap()["extensions"]["code"], "TIMEOUT");
    assert!(store.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn requests_that_ask_for_too_much_are_refused_but_the_schema_may_be_asked_for() {
    let limits = Limits { depth: 3, complexity: 6, aliases: 1, ..Limits::default() };
    let schema = |limits: Limits| crate::graphql::schema(std::sync::Arc::new(Store::default()), limits.into());
    let few = schema(limits);
    for (query, refusal) in [
        ("{ orders { nodes { etag } } }", None),
        ("{ orders { nodes { customer { name } } } }", Some("4 levels, at most 3")),
        ("{ orders { nodes { id etag note weight serial } } }", Some("7 fields, at most 6")),
        ("{ orders { nodes { a: id ...F } } } fragment F on Order { b: id }", Some("2 aliases, at most 1")),
        ("{ __schema { types { fields { type { ofType { ofType { ofType { name } } } } } } } }", None),
        ("{ __typename orders { nodes { customer { name } } } }", Some("4 levels, at most 3")),
        ("{ ...R } fragment R on Query { orders { nodes { customer { name } } } }", Some("4 levels, at most 3")),
        ("{ ... { ... { ... { ... { orders { nodes { customer { name } } } } } } } }", Some("4 levels, at most 3")),
    ] {
        let answer = execute(&few, query).await;
        let message = answer["errors"][0]["message"].as_str();
        match refusal {
            Some(refusal) => assert!(message.is_some_and(|message| message.contains(refusal)), "{query}: {answer}"),
            None => assert_eq!(message, None, "{query}"),
        }
    }
    let doubling = (0..28).map(|n| format!("fragment F{n} on Query {{ ...F{0} ...F{0} }} ", n + 1)).collect::<String>();
    let round = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    for (query, refusal) in [
        (INTROSPECTION, None),
        (round, Some("3 levels of members of the schema's types, at most 2")),
        (&format!("{{ ...F0 }} {doubling} fragment F28 on Query {{ __typename }}"), Some("fields, at most 6")),
    ] {
        let answer = execute(&few, query).await;
        let message = answer["errors"][0]["message"].as_str();
        assert_eq!(message.is_some(), refusal.is_some(), "{query}: {answer}");
        assert!(message.unwrap_or_default().contains(refusal.unwrap_or_default()), "{answer}");
    }
    for nested in
        [format!("{{ orders(first: {}1{}) }}", "[".repeat(100_000), "]".repeat(100_000)), "{a".repeat(100_000)]
    {
        assert!(execute(&few, &nested).await["errors"][0].is_object());
    }
    let silent = schema(Limits { introspection: false, ..Limits::default() });
    let answer = execute(&silent, "{ __schema { types { name } } }").await;
    assert!(answer["data"]["__schema"]["types"].is_null(), "{answer}");
    assert_eq!(execute(&silent, "{ __typename }").await["data"]["__typename"], "Query");
}

/// What tools ask, with all they may want to know and the deepest types they know.
const INTROSPECTION: &str = "
    query IntrospectionQuery {
      __schema {
        description
        queryType { name kind } mutationType { name kind } subscriptionType { name kind }
        types { ...FullType }
        directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
      }
    }
    fragment FullType on __Type {
      kind name description specifiedByURL isOneOf
      fields(includeDeprecated: true) {
        name description
        args(includeDeprecated: true) { ...InputValue }
        type { ...TypeRef }
        isDeprecated deprecationReason
      }
      inputFields(includeDeprecated: true) { ...InputValue }
      interfaces { ...TypeRef }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      possibleTypes { ...TypeRef }
    }
    fragment InputValue on __InputValue {
      name description type { ...TypeRef } defaultValue isDeprecated deprecationReason
    }
    fragment TypeRef on __Type {
      kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
    }";
