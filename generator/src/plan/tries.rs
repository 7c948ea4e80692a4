//! Calls to paste in a terminal while `dev` runs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    contracts::{
        example, fronted,
        graphql::{
            self,
            request::{Wish, request},
        },
        openapi,
        openrpc::{self, Parameters},
        proto, shape,
    },
    escape,
    model::{Input, Method, Model, Operation, OperationKind, Segment, Service, Shape, Transport, Verb},
    names,
};

use super::{day_one, fronts};

/// Lines to paste in a terminal, Rust string literals: one call a service, over each face that a shell reaches.
pub fn lines(model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    for service in model.services.values() {
        let variable = names::variable(&service.name);
        // What does something is worth trying most.
        let best = |transport: Transport| {
            // A shell does not speak over a WebSocket.
            let is_reached = |o: &Operation| transport == Transport::Grpc || !(o.reads() && o.streams());
            let works_alone = service
                .operations
                .values()
                .filter(|o| o.expose.has(transport) && shape::on_item(o).is_none() && is_reached(o));
            let refers = |operation: &Operation| !day_one::required_keys(service, operation).is_empty();
            works_alone.min_by_key(|operation| (refers(operation), operation.kind == OperationKind::Query))
        };
        // What each makes may have to be unlike the others, and unlike what the story makes, which is the first.
        let nth = |operation: &Operation, nth: u32| match operation.shape {
            Shape::Verb { .. } => nth,
            Shape::Custom { .. } => 1,
        };
        if let Some(operation) = best(Transport::Rest) {
            lines.push(curl(operation, input(model, service, operation, nth(operation, 1)), &variable, ""));
            // What each makes may have to be unlike the others.
            let gateways = fronts::before(model, service);
            lines.extend((4..).zip(gateways).map(|(number, gateway)| {
                let input = input(model, service, operation, nth(operation, number));
                curl(operation, input, &names::variable(&gateway.name), &fronted::prefix(&service.name))
            }));
        }
        if let Some(operation) = best(Transport::Grpc) {
            let body = shell_json(&input(model, service, operation, nth(operation, 2)));
            let package = proto::package(model, service);
            let (name, rpc) = (names::proto::service(&service.name), proto::rpc(service, operation));
            lines.push(format!("grpcurl -plaintext -d {body} {{{variable}_ADDRESS}} {package}.{name}/{rpc}"));
        }
        if let Some(operation) = best(Transport::Jsonrpc) {
            let input = input(model, service, operation, nth(operation, 4));
            let params = match openrpc::parameters(operation) {
                Parameters::Fixed([name, ..]) => json!({ *name: input }),
                Parameters::Fixed([]) | Parameters::Fields | Parameters::OnItem => input,
            };
            let call = json!({ "jsonrpc": "2.0", "id": 1, "method": openrpc::method(operation), "params": params });
            let body = shell_json(&call);
            let path = names::path::rpc(service).join("/");
            lines.push(format!("curl -s {{{variable}_URL}}/{path} -H 'content-type: application/json' -d {body}"));
        }
        if let Some(operation) = best(Transport::Graphql) {
            let none = BTreeSet::new();
            let wish = Wish { depth: 1, nth: nth(operation, 3), made: &none, etag: false, live: true };
            let body = shell_json(&json!({ "query": request(model, service, operation, wish).document.flat() }));
            let path = if graphql::root(operation) == "Subscription" { "graphql/stream" } else { "graphql" };
            lines.push(format!("curl -sN {{{variable}_URL}}/{path} -H 'content-type: application/json' -d {body}"));
        }
    }
    lines.iter().map(|line| escape::rust_str(line)).collect()
}

/// `prefix` is what stands before the path there.
fn curl(operation: &Operation, mut input: Value, variable: &str, prefix: &str) -> String {
    let mut path = prefix.to_owned() + &openapi::path(&operation.route);
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
    let kind = if operation.reads() { "application/x-ndjson" } else { "application/json" };
    format!("curl -s -X {method} {{{variable}_URL}}{path} -H 'content-type: {kind}' -d {body}")
}

/// The `nth` example of what an operation takes besides an id. What may refer to an item of the service refers to none.
fn input(model: &Model, service: &Service, operation: &Operation, nth: u32) -> Value {
    let fields = match &operation.shape {
        // A stream of one.
        Shape::Custom { input: Input::Stream(item), .. } => {
            return example::nth_value(model, &shape::named_type(item), "", nth);
        }
        Shape::Verb { verb: Verb::Create, resource } => {
            let mut fields = service.resources.get(resource).map_or(Vec::new(), shape::new_fields);
            fields.retain(|field| !shape::may_refer_within(service, field));
            fields
        }
        Shape::Verb { .. } => Vec::new(),
        Shape::Custom { .. } => shape::input_fields(model, operation),
    };
    example::object(model, &fields, nth)
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
