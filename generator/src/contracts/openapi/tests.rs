use std::collections::BTreeMap;

use super::*;
use crate::contracts::{
    example,
    samples::{self, foreign, walk, wrong},
};

fn documents() -> Vec<Value> {
    let mut documents = Vec::new();
    for model in [samples::shop(), samples::everything(), samples::library()] {
        documents.extend(model.services.values().map(|service| openapi(&model, service)));
    }
    documents
}

#[test]
fn documents_are_openapi() {
    let official = foreign("openapi-3.1");
    for document in documents() {
        let errors: Vec<_> = official.iter_errors(&document).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", document["info"]["title"]);
    }
}

#[test]
fn references_lead_somewhere_and_nothing_is_left_over() {
    for document in documents() {
        let mut used = std::collections::BTreeSet::new();
        walk(&document, "", &mut |at, object| {
            if let Some(Value::String(to)) = object.get("$ref") {
                let pointer = to.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some_and(|found| !found.is_null()), "{to} at {at}");
                used.insert(pointer.to_owned());
            }
        });
        for (kind, components) in document["components"].as_object().unwrap() {
            for name in components.as_object().unwrap().keys() {
                let used = used.contains(&format!("/components/{kind}/{name}"));
                assert!(used, "{kind} {name} in {}", document["info"]["title"]);
            }
        }
    }
}

#[test]
fn examples_are_valid() {
    for document in documents() {
        let mut seen = 0;
        walk(&document, "", &mut |at, object| {
            let mut check = |schema: String, example: &Value| {
                let wrong = wrong(&document, &schema, example);
                assert!(wrong.is_empty(), "{at}: {wrong:#?} in {example:#}");
                seen += 1;
            };
            if let (Some(example), Some(_)) = (object.get("example"), object.get("schema")) {
                check(format!("{at}/schema"), example);
            }
            match object.get("examples") {
                Some(Value::Array(examples)) => examples.iter().for_each(|example| check(at.to_owned(), example)),
                Some(Value::Object(examples)) => {
                    examples.values().for_each(|example| check(format!("{at}/schema"), &example["value"]));
                }
                _ => {}
            }
        });
        assert!(seen > 0 || document["paths"].as_object().unwrap().is_empty());
    }
}

#[test]
fn each_operation_tells_what_it_takes_and_answers() {
    let model = samples::shop();
    let mut found = BTreeMap::new();
    for service in model.services.values() {
        let document = openapi(&model, service);
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let names = |list: &Value| -> Vec<String> {
                    let parameters = list.as_array().into_iter().flatten();
                    parameters
                        .map(|p| {
                            format!("{}{}", p["name"].as_str().unwrap(), if p["required"] == true { "!" } else { "" })
                        })
                        .collect()
                };
                let body = operation["requestBody"]["content"].as_object().map(|content| {
                    let (media_type, body) = content.iter().next().unwrap();
                    format!("{media_type} {}", body["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap())
                });
                let statuses: Vec<_> = operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
                let text = format!(
                    "{} {path} ({}) {} -> {}",
                    method.to_uppercase(),
                    names(&operation["parameters"]).join(" "),
                    body.unwrap_or_default(),
                    statuses.join(" "),
                );
                found.insert(format!("{}.{}", service.name, operation["operationId"].as_str().unwrap()), text);
            }
        }
    }
    let expected = [
        (
            "catalogue.create_product",
            "POST /v1/products (Idempotency-Key) application/json NewProduct -> 201 400 406 409 413 415 422 500 503 504 default",
        ),
        (
            "catalogue.delete_product",
            "DELETE /v1/products/{id} (id! If-Match)  -> 204 400 404 406 412 422 500 503 504 default",
        ),
        (
            "catalogue.get_product",
            "GET /v1/products/{id} (id! If-None-Match)  -> 200 304 400 404 406 422 500 503 504 default",
        ),
        ("catalogue.list_products", "GET /v1/products (limit cursor)  -> 200 400 406 422 500 503 504 default"),
        (
            "catalogue.patch_product",
            "PATCH /v1/products/{id} (id! Idempotency-Key If-Match) application/merge-patch+json ProductPatch -> 200 400 404 406 409 412 413 415 422 500 503 504 default",
        ),
        // The id is the caller's, so replacing may create; the name is unique, so it may be taken.
        (
            "catalogue.replace_product",
            "PUT /v1/products/{id} (id! If-Match) application/json ProductDraft -> 200 201 400 404 406 409 412 413 415 422 500 503 504 default",
        ),
        (
            "orders.cancel",
            "POST /v1/orders/{id}/cancel (id! Idempotency-Key) application/json CancelRequest -> 200 400 404 406 409 413 415 422 500 503 504 default",
        ),
        (
            "orders.create_order",
            "POST /v1/orders (Idempotency-Key) application/json NewOrder -> 201 400 406 409 413 415 422 500 503 504 default",
        ),
        (
            "orders.delete_order",
            "DELETE /v1/orders/{id} (id! If-Match)  -> 204 400 404 406 412 422 500 503 504 default",
        ),
        ("orders.find", "GET /v1/find (text! at_most currencies)  -> 200 400 406 422 500 503 504 default"),
        ("orders.get_order", "GET /v1/orders/{id} (id! If-None-Match)  -> 200 304 400 404 406 422 500 503 504 default"),
        (
            "orders.list_orders",
            "GET /v1/orders (limit cursor sort status customer total.amount total.amount.gte total.amount.gt total.amount.lte total.amount.lt placed_at placed_at.gte placed_at.gt placed_at.lte placed_at.lt)  -> 200 400 406 422 500 503 504 default",
        ),
        (
            "orders.patch_order",
            "PATCH /v1/orders/{id} (id! Idempotency-Key If-Match) application/merge-patch+json OrderPatch -> 200 400 404 406 409 412 413 415 422 500 503 504 default",
        ),
        ("orders.ping", "POST /v1/ping ()  -> 204 400 406 500 503 504 default"),
        (
            "orders.replace_order",
            "PUT /v1/orders/{id} (id! If-Match) application/json OrderDraft -> 200 400 404 406 412 413 415 422 500 503 504 default",
        ),
        (
            "orders.reserve",
            "POST /v1/reserve (Idempotency-Key) application/json ReserveRequest -> 200 400 406 409 413 415 422 500 503 504 default",
        ),
        ("orders.watch", "GET /v1/watch (product_id)  -> 200 400 406 422 500 503 504 default"),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_only_for_links_stays_out() {
    let mut model = samples::shop();
    model.services["orders"].operations["ping"].expose = [Transport::Grpc, Transport::Graphql].into_iter().collect();
    let document = openapi(&model, &model.services["orders"]);
    assert_eq!(document["paths"].get("/v1/ping"), None);
    assert_eq!(openapi(&model, &model.services["billing"])["paths"], json!({}));
}

#[test]
fn declared_errors_bring_their_data() {
    let model = samples::shop();
    let document = openapi(&model, &model.services["orders"]);
    let place = "/components/schemas/problem.OutOfStock";
    let data = json!({ "product_id": example::uuid(0), "left": 2 });
    let problem = json!({
        "type": "/errors/OutOfStock", "title": "Out of stock", "status": 409, "detail": "x", "kind": "conflict", "data": data,
    });
    assert_eq!(wrong(&document, place, &problem), Vec::<String>::new());
    for (member, value) in
        [("type", json!("about:blank")), ("data", json!({})), ("kind", json!("stale")), ("status", json!(404))]
    {
        let mut other = problem.clone();
        other[member] = value;
        assert!(!wrong(&document, place, &other).is_empty(), "{member}");
    }
    let conflict = &document["paths"]["/v1/reserve"]["post"]["responses"]["409"];
    assert_eq!(
        conflict["content"]["application/problem+json"]["examples"]["OutOfStock"]["value"]["title"],
        "Out of stock"
    );
    assert_eq!(
        conflict["description"].as_str().unwrap().lines().next(),
        Some("`OutOfStock`: There are not enough pieces.")
    );
}
