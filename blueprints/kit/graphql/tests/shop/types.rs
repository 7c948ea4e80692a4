//! Types in the schema, and values through it.

use async_graphql::{Executor, Request, Variables};
use serde_json::json;

use crate::store::{ID, execute, schema};

#[test]
fn the_schema_is_the_one_of_the_design() {
    let (schema, _) = schema();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shop/schema.graphql");
    let sdl = schema.sdl();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &sdl).unwrap();
    }
    assert_eq!(sdl, std::fs::read_to_string(path).unwrap(), "UPDATE=1 takes the new one over");
}

#[tokio::test]
async fn every_type_is_shown_as_json_has_it() {
    let (schema, _) = schema();
    let query = format!(
        "{{ order(id: \"{ID}\") {{
            id etag customerId total {{ amount currency }} lines {{ sku quantity }} status note counts {{ key value }}
            payment {{ __typename ... on Invoice {{ due }} ... on CardPayment {{ lastDigits }} }}
            weight serial placedAt lead picture extra part {{ name inner {{ name inner {{ name }} }} }} type
        }} }}"
    );
    assert_eq!(
        execute(&schema, &query).await,
        json!({ "data": { "order": {
            "id": ID,
            "etag": "3",
            "customerId": "7",
            "total": { "amount": "1.50", "currency": "EUR" },
            "lines": [{ "sku": "a", "quantity": 4_294_967_295_u32 }],
            "status": "IN_TRANSIT",
            "note": null,
            "counts": [{ "key": "x", "value": 1 }, { "key": "y", "value": 2 }],
            "payment": { "__typename": "Invoice", "due": "2026-02-28" },
            "weight": "-9223372036854775808",
            "serial": "18446744073709551615",
            "placedAt": "2026-01-31T12:00:00.000000Z",
            "lead": "PT1M30S",
            "picture": "AP8=",
            "extra": { "a": [1, null] },
            "part": { "name": "a", "inner": { "name": "b", "inner": null } },
            "type": -1,
        } } })
    );
}

const NEW: &str = r#"customerId: 7, total: { amount: "1.10", currency: USD }, lines: [{ sku: "a" }], counts: [{ key: "x", value: 1 }],
    payment: { cardPayment: { lastDigits: "1234" } }, weight: "9007199254740993", extra: { a: [1, X] }"#;

#[tokio::test]
async fn input_becomes_what_the_contract_has() {
    let (schema, store) = schema();
    let query =
        format!("mutation {{ createOrder(input: {{ {} }}) {{ total {{ amount }} weight }} }}", NEW.replace('X', "2"));
    let answer = execute(&schema, &query).await;
    assert_eq!(answer["data"]["createOrder"], json!({ "total": { "amount": "1.10" }, "weight": "9007199254740993" }));
    let seen = store.seen.lock().unwrap()[0].clone();
    for part in [
        "CustomerId(7)",
        "amount: 1.10, currency: Usd",
        "quantity: 1",
        "{\"x\": 1}",
        "CardPayment { last_digits: \"1234\" }",
        "Number(2)",
    ] {
        assert!(seen.contains(part), "{part} is not in {seen}");
    }
}

#[tokio::test]
async fn input_that_is_wrong_never_reaches_the_service() {
    let (schema, store) = schema();
    for (right, wrong) in [
        ("\"1.10\"", "1.10"),
        ("\"1.10\"", "\"1e3\""),
        ("USD", "CHF"),
        ("USD", "UNRECOGNISED"),
        ("customerId: 7", "customerId: \"x\""),
        ("customerId: 7", "customer: 7"),
        ("customerId: 7,", ""),
        ("sku: \"a\"", "sku: \"a\", quantity: -1"),
        ("sku: \"a\"", "sku: \"a\", quantity: 4294967296"),
        ("sku: \"a\"", "sku: \"a\", quantity: 10"),
        ("{ key: \"x\", value: 1 }", "{ key: \"x\", value: 1 }, { key: \"x\", value: 2 }"),
        ("cardPayment: { lastDigits: \"1234\" }", ""),
        ("lastDigits: \"1234\" }", "lastDigits: \"1234\" }, invoice: { due: \"2026-01-31\" }"),
        ("\"9007199254740993\"", "\"9223372036854775808\""),
    ] {
        assert!(NEW.contains(right));
        let query = format!("mutation {{ createOrder(input: {{ {} }}) {{ id }} }}", NEW.replace(right, wrong));
        let answer = execute(&schema, &query).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INVALID", "{wrong}: {answer}");
    }
    assert!(store.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_patch_tells_absent_from_null() {
    let (schema, store) = schema();
    for (set, patch) in [
        ("", "OrderPatch { note: None, weight: None, total: None, counts: None }"),
        ("note: null", "OrderPatch { note: Some(None), weight: None, total: None, counts: None }"),
        (
            "note: \"x\", weight: \"1\"",
            "OrderPatch { note: Some(Some(\"x\")), weight: Some(1), total: None, counts: None }",
        ),
        (
            "total: { currency: EUR }, counts: [{ key: \"x\" }, { key: \"y\", value: 1 }]",
            "OrderPatch { note: None, weight: None, total: Some(MoneyPatch { amount: None, currency: Some(Eur) }), \
             counts: Some({\"x\": None, \"y\": Some(1)}) }",
        ),
    ] {
        let query = format!("mutation {{ patchOrder(id: \"{ID}\", set: {{ {set} }}) {{ id }} }}");
        let answer = execute(&schema, &query).await;
        assert_eq!(answer["data"]["patchOrder"]["id"], ID, "{answer}");
        assert_eq!(store.seen.lock().unwrap().pop().unwrap(), patch);
    }
    let query = format!("mutation {{ patchOrder(id: \"{ID}\", set: {{ total: {{ amount: null }} }}) {{ id }} }}");
    let error = execute(&schema, &query).await["errors"][0].clone();
    assert_eq!(error["extensions"]["fields"], json!([{ "field": "total.amount", "detail": "cannot be null" }]));
    assert!(store.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_value_of_a_newer_version_is_an_error_of_its_field() {
    use crate::{contract, graphql};
    struct Query;
    #[async_graphql::Object]
    impl Query {
        async fn currency(&self) -> Option<graphql::Currency> {
            Some(graphql::Currency(contract::Currency::Unrecognised("chf".into())))
        }
    }
    let schema = async_graphql::Schema::new(Query, async_graphql::EmptyMutation, async_graphql::EmptySubscription);
    let answer = serde_json::to_value(schema.execute("{ currency }").await).unwrap();
    assert_eq!((&answer["data"], &answer["errors"][0]["path"]), (&json!({ "currency": null }), &json!(["currency"])));
}

#[tokio::test]
async fn what_no_variable_gives_is_not_there() {
    let (schema, store) = schema();
    let patch = "mutation($id: ID!, $note: String, $weight: Int64, $amount: Decimal) {
        patchOrder(id: $id, set: { note: $note, weight: $weight, total: { amount: $amount } }) { id }
    }";
    let whole = "mutation($id: ID!, $set: OrderPatch!) { ...F } fragment F on Mutation { patchOrder(id: $id, set: $set) { id } }";
    for (query, given, patch) in [
        (
            patch,
            json!({ "weight": "1" }),
            "note: None, weight: Some(1), total: Some(MoneyPatch { amount: None, currency: None })",
        ),
        (
            patch,
            json!({ "note": null }),
            "note: Some(None), weight: None, total: Some(MoneyPatch { amount: None, currency: None })",
        ),
        (whole, json!({ "set": { "note": null } }), "note: Some(None), weight: None, total: None"),
    ] {
        let mut variables = given;
        variables["id"] = json!(ID);
        let request = Request::new(query).variables(Variables::from_json(variables));
        let answer = serde_json::to_value(schema.execute(request).await).unwrap();
        assert_eq!(answer["data"]["patchOrder"]["id"], ID, "{answer}");
        assert_eq!(store.seen.lock().unwrap().pop().unwrap(), format!("OrderPatch {{ {patch}, counts: None }}"));
    }
    for (query, refusal) in [
        ("mutation($id: ID) { ship(id: $id) { id } }", "\"id\" of type \"Mutation\" is required but not provided"),
        ("query($with: Boolean!) { orders @include(if: $with) { nodes { id } } }", "the variable $with is missing"),
        ("query($note: String) { __typename }", "\"$note\" is not used"),
    ] {
        let answer = execute(&schema, query).await;
        assert!(answer["errors"][0]["message"].as_str().is_some_and(|said| said.contains(refusal)), "{answer}");
    }
}
