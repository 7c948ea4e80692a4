//! One schema made of several services, while one of them is killed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::shop::Shop;

const ALL: [&str; 5] = ["stands", "sales", "visitors", "desk", "kiosk"];

#[test]
fn what_a_service_that_is_gone_answered_is_null_and_the_rest_is_there() {
    let fair = Shop::of("FAIR_PROGRAMS", &ALL);
    fair.launch_all();
    let ask = |front: &str, query: &str, variables: Value| {
        let (status, answer) = fair.post(front, "/graphql", &json!({ "query": query, "variables": variables }));
        assert_eq!(status, 200, "{answer}");
        answer
    };
    // What stands sells has natural keys and is put there by its own REST; all else goes through the schema.
    let price = json!({ "amount": "7.50", "currency": "EUR" });
    let (status, item) = fair.put("stands", "/v1/articles/BBC-456", &json!({ "on_hand": 7, "price": price }));
    assert_eq!(status, 201, "{item}");
    let made = ask("desk", "mutation { createVisitor(input: { name: \"Ada\" }) { id } }", json!({}));
    let visitor = made["data"]["createVisitor"]["id"].clone();
    let sell =
        "mutation($visitor: ID!) { createSale(input: { visitorId: $visitor, total: { amount: \"7.50\" } }) { id } }";
    let sold = ask("desk", sell, json!({ "visitor": visitor }));
    let sale = sold["data"]["createSale"]["id"].clone();
    let add = "mutation($sale: ID!) { createSalesItem(input: { saleId: $sale, articleId: \"BBC-456\", alsoIds: [\"BBC-456\", \"gone\"], quantity: 2 }) { id } }";
    let line = ask("desk", add, json!({ "sale": sale }))["data"]["createSalesItem"]["id"].clone();

    // Three services in one answer, and what each refers to in others.
    let look = "query($sale: ID!, $line: ID!) {
        article(id: \"BBC-456\") { onHand }
        salesItem(id: $line) { quantity sale { visitor { name } } article { onHand } alsos { sku } }
        receipt(saleId: $sale) { total { amount } sale { visitor { name } } }
    }";
    let page = |front: &str| ask(front, look, json!({ "sale": sale, "line": line }));
    let whole = page("desk");
    let line_of = |article: Value, alsos: Value| json!({ "quantity": 2, "sale": { "visitor": { "name": "Ada" } }, "article": article, "alsos": alsos });
    let receipt = json!({ "total": { "amount": "7.50" }, "sale": { "visitor": { "name": "Ada" } } });
    let expected = json!({
        "article": { "onHand": 7 },
        "salesItem": line_of(json!({ "onHand": 7 }), json!([{ "sku": "BBC-456" }, null])),
        "receipt": receipt,
    });
    assert_eq!(whole, json!({ "data": expected }));
    let small =
        ask("kiosk", "query($id: ID!) { item(id: $id) { quantity article { onHand } } }", json!({ "id": line }));
    assert_eq!(small["data"]["item"], json!({ "quantity": 2, "article": { "onHand": 7 } }), "{small}");

    fair.kill("stands");
    // Fewer than fifty, if the circuit opens.
    for _ in 0..50 {
        let part = page("desk");
        let expected =
            json!({ "article": null, "salesItem": line_of(Value::Null, json!([null, null])), "receipt": receipt });
        assert_eq!(part["data"], expected, "{part}");
        let mut paths: Vec<String> = Vec::new();
        for error in part["errors"].as_array().unwrap() {
            assert_eq!(error["extensions"]["code"], "UNAVAILABLE", "{error}");
            paths.push(error["path"].to_string());
        }
        paths.sort();
        paths.dedup();
        assert_eq!(paths, ["[\"article\"]", "[\"salesItem\",\"alsos\"]", "[\"salesItem\",\"article\"]"], "{part}");
    }
    let links = fair.get("desk", "/-/links");
    let link = links.as_array().unwrap().iter().find(|link| link["link"] == "desk → stands").unwrap();
    assert_eq!(link["breaker"]["state"], "open", "{links}");

    // The last answers stand in for a service whose link says so, and are marked.
    fair.kill("visitors");
    let (status, answer) = fair.post(
        "desk",
        "/graphql",
        &json!({ "query": "query($id: ID!) { visitor(id: $id) { name } }", "variables": { "id": visitor } }),
    );
    assert_eq!((status, &answer["data"]["visitor"]), (200, &json!({ "name": "Ada" })), "{answer}");
    let mark = answer["extensions"]["fallback"][0].as_str().unwrap();
    assert!(mark.starts_with("visitors.get_visitor=cache;age="), "{answer}");

    for service in ["stands", "visitors"] {
        fair.launch(service);
        fair.ready(service);
    }
    let back = fair.wait(Duration::from_secs(30), || match page("desk") {
        answer if answer == whole => Ok(()),
        answer => Err(answer.to_string()),
    });
    back.unwrap();
    fair.stop();
}
