//! Calls to paste in a terminal while `dev` runs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    contracts::{
        example,
        graphql::{
            self,
            request::{Wish, request},
        },
        openapi, proto, shape,
    },
    escape,
    model::{Method, Model, Operation, OperationKind, Segment, Service, Shape, Transport, Verb},
    names,
};

use super::day_one;

/// Lines to paste in a terminal, Rust string literals: one call a service, over each face that a shell reaches.
pub fn lines(model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    for service in model.services.values() {
        let variable = names::variable(&service.name);
        // What does something is worth trying most.
        let best = |transport: Transport| {
            let works_alone =
                service.operations.values().filter(|o| o.expose.has(transport) && shape::on_item(o).is_none());
            let refers = |operation: &Operation| !day_one::required_keys(service, operation).is_empty();
            works_alone.min_by_key(|operation| (refers(operation), operation.kind == OperationKind::Query))
        };
        if let Some(operation) = best(Transport::Rest) {
            lines.push(curl(model, service, operation, &variable));
        }
        if let Some(operation) = best(Transport::Grpc) {
            let body = shell_json(&input(model, service, operation));
            let package = proto::package(model, service);
            let (name, rpc) = (names::proto::service(&service.name), proto::rpc(service, operation));
            lines.push(format!("grpcurl -plaintext -d {body} {{{variable}_ADDRESS}} {package}.{name}/{rpc}"));
        }
        if let Some(operation) = best(Transport::Graphql) {
            let wish = Wish { depth: 1, nth: 1, made: &BTreeSet::new(), etag: false, live: false };
            let body = shell_json(&json!({ "query": request(model, service, operation, wish).document.flat() }));
            let path = if graphql::root(operation) == "Subscription" { "graphql/stream" } else { "graphql" };
            lines.push(format!("curl -sN {{{variable}_URL}}/{path} -H 'content-type: application/json' -d {body}"));
        }
    }
    lines.iter().map(|line| escape::rust_str(line)).collect()
}

fn curl(model: &Model, service: &Service, operation: &Operation, variable: &str) -> String {
    let mut path = openapi::path(&operation.route);
    let mut input = input(model, service, operation);
    for segment in &operation.route.path {
        let Segment::Field(name) = segment else { continue };
        if let Some(value) = input.as_object_mut().and_then(|members| members.shift_remove(name)) {
            path = path.replace(&format!("{{{name}}}"), &escaped(&text(&value).unwrap_or_default()));
        }
    }
    let method = match operation.route.method {
        Method::Get => {
            let members = input.as_object().into_iter().flatten();
            let pairs = members.filter_map(|(name, value)| {
                Some(format!(" --data-urlencode {}", escape::shell(&format!("{name}={}", text(value)?))))
            });
            return format!("curl -sG {{{variable}_URL}}{path}{}", pairs.collect::<String>());
        }
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let body = shell_json(&input);
    format!("curl -s -X {method} {{{variable}_URL}}{path} -H 'content-type: application/json' -d {body}")
}

/// An example of what an operation takes besides an id.
fn input(model: &Model, service: &Service, operation: &Operation) -> Value {
    match &operation.shape {
        Shape::Verb { verb: Verb::Create, resource } => match service.resources.get(resource) {
            Some(resource) => example::object(model, &shape::new_fields(resource), 1),
            None => Value::Null,
        },
        Shape::Verb { .. } => Value::Object(serde_json::Map::new()),
        Shape::Custom { .. } => example::object(model, &shape::input_fields(model, operation), 1),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// As a part of a path (RFC 3986).
fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn shell_json(value: &Value) -> String {
    escape::shell(&value.to_string())
}
