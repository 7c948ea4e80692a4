use super::*;
use crate::contracts::samples::{self, foreign, walk, wrong};
use crate::model::{Batch, Delivery, Exposure, Fallback, Link, Policy, Retry, Target};

fn link(from: &str, to: Target, fallback: Vec<Fallback>) -> Link {
    let (timeout, window) = (Default::default(), Default::default());
    let policy = Policy {
        timeout,
        retry: Retry { attempts: 1, backoff: (timeout, timeout) },
        breaker: None,
        bulkhead: 1,
        fallback,
        delivery: Delivery::AtLeastOnce,
        dead_letter: true,
        batch: Batch { size: 1, within: window },
    };
    Link { from: from.to_owned(), to, policy }
}

fn restock() -> OperationRef {
    OperationRef { service: "billing".into(), operation: "restock".into() }
}

fn documents() -> Vec<Value> {
    let mut linked = samples::shop();
    linked.links.push(link("orders", Target::Operation { to: restock(), via: Via::Queue }, vec![]));
    let models = [linked, samples::everything(), samples::library()];
    models.iter().flat_map(|model| model.services.values().map(|service| asyncapi(model, service))).collect()
}

#[test]
fn documents_are_asyncapi() {
    let official = foreign("asyncapi-3.0");
    for document in documents() {
        let errors: Vec<_> = official.iter_errors(&document).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", document["info"]["title"]);
    }
}

#[test]
fn references_lead_somewhere_and_examples_are_valid() {
    for document in documents() {
        walk(&document, "", &mut |at, object| {
            if let Some(Value::String(to)) = object.get("$ref") {
                assert!(document.pointer(to.strip_prefix('#').unwrap()).is_some_and(|v| !v.is_null()), "{to} at {at}");
            }
            if let (Some(payload), Some(Value::Array(examples))) = (object.get("payload"), object.get("examples")) {
                assert!(payload.is_object() && examples.len() == 1);
                let wrong = wrong(&document, &format!("{at}/payload"), &examples[0]["payload"]);
                assert!(wrong.is_empty(), "{at}: {wrong:#?}");
            }
        });
    }
}

/// Operation, action and address.
fn operations(model: &Model, service: &str) -> Vec<String> {
    let document = asyncapi(model, &model.services[service]);
    let line = |(key, operation): (&String, &Value)| {
        let channel = operation["channel"]["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
        let address = document.pointer(channel).unwrap()["address"].as_str().unwrap();
        format!("{key}: {} {address}", operation["action"].as_str().unwrap())
    };
    document["operations"].as_object().unwrap().iter().map(line).collect()
}

#[test]
fn who_sends_and_receives_what() {
    let mut model = samples::shop();
    assert_eq!(
        operations(&model, "orders"),
        [
            "publish.OrderPlaced: send web-shop.orders.OrderPlaced.v1",
            "publish.OrderCancelled: send web-shop.orders.OrderCancelled.v1",
            "mark_paid.billing.CardCharged: receive web-shop.billing.CardCharged.v1",
        ]
    );
    assert_eq!(
        operations(&model, "billing"),
        [
            "publish.CardCharged: send web-shop.billing.CardCharged.v1",
            "charge.orders.OrderPlaced: receive web-shop.orders.OrderPlaced.v1",
            "restock: receive web-shop.billing.restock.v1",
        ]
    );
    assert!(operations(&model, "catalogue").is_empty());

    // By a link of its own, and by a fallback on all that can be done later.
    model.services["billing"].operations["restock"].expose = Exposure::default();
    for (to, fallback) in [
        (Target::Operation { to: restock(), via: Via::Queue }, vec![]),
        (Target::Service { service: "billing".into(), via: Via::Rest }, vec![Fallback::Queue]),
    ] {
        let mut model = model.clone();
        assert!(!operations(&model, "billing").iter().any(|line| line.starts_with("restock")));
        model.links.push(link("catalogue", to, fallback));
        let sent = operations(&model, "catalogue");
        assert!(sent.contains(&"send.billing.restock: send web-shop.billing.restock.v1".to_owned()), "{sent:?}");
        for line in sent {
            let taken = line.trim_start_matches("send.billing.").replace(": send ", ": receive ");
            assert!(operations(&model, "billing").contains(&taken), "{taken}");
        }
    }
}

#[test]
fn an_event_is_the_owner_s_and_its_key_the_subject() {
    let model = samples::shop();
    let document = asyncapi(&model, &model.services["orders"]);
    let place = "/components/messages/orders.OrderCancelled/payload";
    let message = document["components"]["messages"]["orders.OrderCancelled"]["examples"][0]["payload"].clone();
    assert_eq!(message["subject"], message["data"]["order_id"]);
    assert_eq!(wrong(&document, place, &message), Vec::<String>::new());
    for (member, value) in [
        ("source", json!("/billing")),
        ("type", json!("web-shop.orders.OrderPlaced.v1")),
        ("data", json!({})),
        ("specversion", json!("0.3")),
        ("id", json!("")),
    ] {
        let mut other = message.clone();
        other[member] = value;
        assert!(!wrong(&document, place, &other).is_empty(), "{member}");
    }
}
