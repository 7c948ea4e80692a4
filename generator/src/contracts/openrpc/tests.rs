use std::collections::BTreeSet;

use super::*;
use crate::{
    contracts::samples::{self, foreign, walk, wrong},
    model,
};

/// Of every sample, with everything exposed on JSON-RPC that can be.
fn documents() -> Vec<Value> {
    let mut documents = Vec::new();
    for mut model in [samples::shop(), samples::everything(), samples::library()] {
        for operation in model.services.values_mut().flat_map(|service| service.operations.values_mut()) {
            if operation.is_unary() {
                operation.expose.insert(Transport::Jsonrpc);
            }
        }
        documents.extend(model.services.values().map(|service| openrpc(&model, service)));
    }
    documents
}

#[test]
fn documents_are_openrpc() {
    let official = foreign("openrpc-1.3");
    let errors = |document: &Value| -> Vec<String> {
        let errors = official.iter_errors(document).map(|e| (e.instance_path().to_string(), e.to_string()));
        // OpenRPC 1.3.2, Server Object: the `url` "MAY be relative". Its schema asks for a whole URI all the same.
        errors.filter(|(at, _)| at != "/servers/0/url").map(|(at, error)| format!("{error} at {at}")).collect()
    };
    for document in documents() {
        assert_eq!(errors(&document), [""; 0], "{}", document["info"]["title"]);
    }
    let mut broken = documents().remove(0);
    broken["methods"][0]["params"][0]["shape"] = json!("round");
    assert!(!errors(&broken).is_empty());
}

#[test]
fn references_lead_somewhere_and_nothing_is_left_over() {
    for document in documents() {
        let mut used = BTreeSet::new();
        walk(&document, "", &mut |at, object| {
            if let Some(Value::String(to)) = object.get("$ref") {
                let pointer = to.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some_and(|found| !found.is_null()), "{to} at {at}");
                used.insert(pointer.to_owned());
            }
        });
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(used.contains(&format!("/components/schemas/{name}")), "{name} in {}", document["info"]["title"]);
        }
    }
}

#[test]
fn names_and_codes_are_unique() {
    for document in documents() {
        let unique = |list: &[Value], member: &str| {
            let set: BTreeSet<String> = list.iter().map(|one| one[member].to_string()).collect();
            assert_eq!(set.len(), list.len(), "{list:#?}");
        };
        let methods = document["methods"].as_array().unwrap();
        unique(methods, "name");
        for method in methods {
            unique(method["params"].as_array().unwrap(), "name");
            unique(method["errors"].as_array().map_or(&[], Vec::as_slice), "code");
        }
    }
}

#[test]
fn examples_are_valid_parameters() {
    let model = samples::shop();
    let service = &model.services["orders"];
    let mut exposed = service.clone();
    exposed.operations.values_mut().filter(|o| o.is_unary()).for_each(|o| o.expose.insert(Transport::Jsonrpc));
    let document = openrpc(&model, &exposed);
    let mut seen = 0;
    for (at, method) in document["methods"].as_array().unwrap().iter().enumerate() {
        let own = |operation: &&Operation| super::method(operation) == method["name"].as_str().unwrap();
        let operation = exposed.operations.values().find(own).unwrap();
        let fields = shape::request_fields(&model, service, operation);
        let example = example::object(&model, &fields, 0);
        for (param, given) in method["params"].as_array().unwrap().iter().enumerate() {
            if let Some(value) = example.get(given["name"].as_str().unwrap()) {
                let wrong = wrong(&document, &format!("/methods/{at}/params/{param}/schema"), value);
                assert!(wrong.is_empty(), "{}: {wrong:#?}", method["name"]);
                seen += 1;
            }
        }
    }
    assert!(seen > 3, "{seen}");
}

#[test]
fn streams_are_named_as_what_is_not_there() {
    let mut model = samples::shop();
    let service = model.services.values_mut().next().unwrap();
    let mut stream = service.operations.values().next().unwrap().clone();
    stream.name = "watch".into();
    let item = StreamItem::Named("Money".into());
    stream.shape = Shape::Custom { of: None, input: model::Input::None, output: Output::Stream(item) };
    service.operations.insert("watch".into(), stream);
    let document = openrpc(&model, &model.services[0]);
    assert!(document["info"]["description"].as_str().unwrap().ends_with("so this is not here: `watch`."));
}
