//! What proves a service over GraphQL: a request for each operation, in contract tests and in the flows.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::{
    contracts::{
        example,
        graphql::{
            self as schema,
            request::{Id, Request, Wish, request},
        },
        shape,
    },
    escape,
    model::{Model, Operation, Service, Shape, Type, Verb},
    names,
};

use super::super::{contract, operations, resources};

/// Which example the flows take. Those over other transports take the first, and some fields are unique.
const OURS: u32 = 2;

/// How deep flows and tests look into an answer.
const DEPTH: usize = 2;

/// What `tests/mapping/graphql.rs` sees.
#[derive(Serialize)]
pub struct Suite {
    contract: String,
    service_trait: String,
    /// Seen from the test, a Rust string literal.
    schema_path: String,
    cases: Vec<Case>,
}

#[derive(Serialize)]
struct Case {
    test: String,
    method: String,
    /// Rust string literals.
    what: String,
    request: String,
    shows: &'static str,
    /// What stands in `json!(…)`.
    input: String,
    answer: String,
    data: String,
    /// `("OutOfStock", json!({ "left": 1 }))`
    errors: Vec<String>,
}

#[derive(Serialize)]
pub struct Flow {
    /// Rust string literals.
    what: String,
    request: String,
    /// A Rust expression.
    variables: String,
    /// The method of the client.
    ask: &'static str,
    /// The operation's error.
    error: String,
    may_miss: bool,
    /// `let order_graphql = ` and `.map_or(…)`, which gives the id of the item that was made; or empty.
    binding: String,
    id: String,
}

pub fn suite(model: &Model, service: &Service, contract: String, service_trait: String) -> Suite {
    let exposed = service.operations.values().filter(|operation| operation.expose.graphql);
    let schema = format!("../../../../{}/{}", contract::folder(service), contract::schema_path(service));
    Suite {
        contract,
        service_trait,
        schema_path: escape::rust_str(&schema),
        cases: exposed.map(|operation| case(model, service, operation)).collect(),
    }
}

fn case(model: &Model, service: &Service, operation: &Operation) -> Case {
    let wish = Wish { depth: DEPTH, nth: 0, id: Id::Example, etag: true, references: false };
    let Request { document, input, answer, data } = request(model, service, operation, wish);
    let error = |error: &crate::model::DeclaredError| {
        let data = error.data.as_ref().map_or(Value::Null, |data| example::value(model, &shape::named_type(data)));
        format!("({}, json!({}))", escape::rust_str(&error.name), code(&data, 2))
    };
    Case {
        test: format!("{}_over_graphql", operation.name),
        method: names::rust::ident(&operation.name),
        what: escape::rust_str(&format!("{}.{} over GraphQL", service.name, operation.name)),
        request: escape::rust_raw_str(&document.lines(8)),
        shows: match (&operation.shape, schema::root(operation)) {
            (Shape::Verb { verb: Verb::Get, .. }, _) => "Item",
            (_, "Subscription") => "Items",
            _ => "Answer",
        },
        input: if input.is_empty() { "null".into() } else { code(&input.into(), 2) },
        answer: code(&answer, 2),
        data: code(&data, 2),
        errors: operation.errors.iter().map(error).collect(),
    }
}

/// The flows of a service in an order in which each finds the item that it is on.
pub fn flows(model: &Model, service: &Service, contract: &str) -> Vec<Flow> {
    let mut operations: Vec<_> = service.operations.values().filter(|operation| operation.expose.graphql).collect();
    operations.sort_by_key(|operation| super::turn(service, operation));
    let mut made = BTreeSet::new();
    let mut flows: Vec<Flow> =
        operations.into_iter().map(|operation| flow(model, service, operation, contract, &mut made)).collect();
    let used = |variable: &str| flows.iter().any(|flow| flow.variables == id_of(variable));
    let spare: Vec<bool> = flows.iter().map(|flow| !used(super::bound(&flow.binding))).collect();
    for (flow, _) in flows.iter_mut().zip(spare).filter(|(_, spare)| *spare) {
        (flow.binding, flow.id) = (String::new(), String::new());
    }
    flows
}

/// What is sent along to ask for the item whose id a variable holds.
fn id_of(variable: &str) -> String {
    format!("json!({{ \"id\": {variable} }})")
}

fn flow<'m>(
    model: &'m Model,
    service: &'m Service,
    operation: &'m Operation,
    contract: &str,
    made: &mut BTreeSet<&'m str>,
) -> Flow {
    let variable = |resource: &str| format!("{}_graphql", names::snake(resource));
    let item = shape::on_item(operation);
    let on_made = item.filter(|resource| made.contains(resource));
    let wish = Wish {
        depth: DEPTH,
        nth: OURS,
        id: if on_made.is_some() { Id::Variable } else { Id::Example },
        etag: false,
        references: true,
    };
    let maker = match &operation.shape {
        Shape::Verb { verb: Verb::Create, resource } => service.resources.get(resource),
        Shape::Verb { verb: Verb::Replace, resource } => {
            service.resources.get(resource).filter(|resource| resources::is_natural(resource))
        }
        _ => None,
    };
    let maker = maker.filter(|resource| made.insert(resource.name.as_str()));
    let id = maker.map(|resource| {
        let ty = Type::Ref(shape::of_service(service, &resource.name));
        let example = code(&example::nth_value(model, &ty, "id", OURS), 2);
        let field = escape::rust_str(&names::graphql::field(&resource.id));
        format!(".map_or(json!({example}), |made| made[{field}].clone())")
    });
    Flow {
        what: escape::rust_str(&format!("{}.{} over GraphQL", service.name, operation.name)),
        request: escape::rust_raw_str(&request(model, service, operation, wish).document.lines(8)),
        variables: on_made.map_or("Value::Null".into(), |resource| id_of(&variable(resource))),
        ask: if schema::root(operation) == "Subscription" { "opens" } else { "ask" },
        error: match operation.errors.is_empty() {
            true => "kit::Failure".into(),
            false => format!("{contract}::{}", operations::error_name(operation)),
        },
        // Nobody makes an item, so there is none to work on.
        may_miss: item.is_some_and(|resource| !made.contains(resource)),
        binding: maker.map(|resource| format!("let {} = ", variable(&resource.name))).unwrap_or_default(),
        id: id.unwrap_or_default(),
    }
}

/// The value as `json!` takes it, over several lines if it is long.
fn code(value: &Value, level: usize) -> String {
    let flat = flat(value);
    if flat.len() < 80 {
        return flat;
    }
    let (indent, end) = ("    ".repeat(level + 1), "    ".repeat(level));
    match value {
        Value::Array(items) => {
            let items: String = items.iter().map(|item| format!("{indent}{},\n", code(item, level + 1))).collect();
            format!("[\n{items}{end}]")
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{indent}{}: {},\n", escape::rust_str(name), code(value, level + 1))
            };
            format!("{{\n{}{end}}}", members.iter().map(member).collect::<String>())
        }
        _ => flat,
    }
}

fn flat(value: &Value) -> String {
    match value {
        Value::String(text) => escape::rust_str(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".into(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{}: {}", escape::rust_str(name), flat(value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
