//! What proves a service over GraphQL: a request for each operation, in contract tests and in the flows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    contracts::{
        example,
        graphql::{
            self as schema,
            request::{Request, Wish, request},
        },
        shape,
    },
    escape,
    model::{Model, Operation, Resource, Service, Shape, Verb},
    names,
    scope::Scope,
};

use super::super::{contract, graphql, operations};

/// Which example the flows take. Those over other transports take the first, and some fields are unique.
pub const OURS: u32 = 2;

/// How deep flows and tests look into an answer.
pub const DEPTH: usize = 2;

/// What `tests/mapping/graphql.rs` sees.
#[derive(Serialize)]
pub struct Suite {
    contract: String,
    service_trait: String,
    /// Seen from the test, a Rust string literal.
    schema_path: String,
    cases: Vec<Case>,
}

/// What `tests/mapping/composed.rs` sees.
#[derive(Serialize)]
pub struct Composed {
    pub module: String,
    service: String,
    contract: String,
    members: Vec<Member>,
    /// What passes is counted, by a gate beside the members.
    counts: bool,
    schema_path: String,
    cases: Vec<Case>,
    referring: Vec<Referring>,
}

/// An item that is got with all that it refers to.
#[derive(Serialize)]
struct Referring {
    test: String,
    /// Rust string literals.
    what: String,
    request: String,
    data: String,
    answers: Vec<Answered>,
}

#[derive(Serialize)]
struct Answered {
    /// `orders.get_order`
    method: String,
    /// What stands in `json!(…)`.
    answer: String,
}

/// A service that answers fields of a schema.
#[derive(Serialize)]
struct Member {
    field: String,
    /// The module with its script.
    module: String,
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
    /// `("OutOfStock", kit::Kind::Conflict, json!({ "left": 1 }))`
    errors: Vec<String>,
}

pub fn suite(model: &Model, service: &Service, contract: String, service_trait: String) -> Suite {
    let served = service.operations.values().filter(|operation| schema::is_served(model, service, operation));
    let schema = format!("../../../../../{}/{}", contract::folder(service), contract::schema_path(service));
    Suite {
        contract,
        service_trait,
        schema_path: escape::rust_str(&schema),
        cases: served.map(|operation| case(model, service, operation)).collect(),
    }
}

/// `None`: it composes no schema.
pub fn composed(model: &Model, scope: &Scope, service: &Service) -> Option<Composed> {
    let behind = graphql::behind(model, scope, service)?;
    let whole = &behind.composed;
    let case = |operation: &Operation| {
        let case = case(&whole.model, &whole.service, operation);
        Some(Case { method: behind.call(operation)?.to_owned(), ..case })
    };
    let member = |member: &graphql::Answerer| {
        let module = model.services.get(&member.name).map(super::module)?;
        Some(Member { field: member.field.clone(), module })
    };
    let mut module = format!("{}_composed", super::module(service).trim_end_matches('_'));
    while model.services.values().any(|service| super::module(service) == module) {
        module.push('_');
    }
    Some(Composed {
        module,
        service: service.name.clone(),
        contract: contract::ident(service),
        members: behind.members.iter().filter_map(member).collect(),
        counts: behind.counts,
        schema_path: escape::rust_str(&format!(
            "../../../../{}/{}",
            contract::folder(service),
            contract::schema_path(service)
        )),
        cases: whole.service.operations.values().filter_map(case).collect(),
        referring: whole.service.resources.values().filter_map(|resource| referring(&behind, resource)).collect(),
    })
}

/// `None`: it cannot be got, or refers to nothing.
fn referring(behind: &graphql::Behind, resource: &Resource) -> Option<Referring> {
    let (model, service) = (&behind.composed.model, &behind.composed.service);
    let getter = |resource: &str| {
        let gets = |operation: &&Operation| matches!(&operation.shape, Shape::Verb { verb: Verb::Get, resource: of } if of == resource);
        service.operations.values().find(gets)
    };
    let get = getter(&resource.name)?;
    let item = example::item(model, resource, 0);
    let fields = schema::with_id(&shape::of_service(service, &resource.name), resource, shape::item_fields(resource));
    let (mut answers, mut selected, mut data) = (BTreeMap::new(), String::new(), Map::new());
    answers.insert(behind.call(get)?, item.clone());
    for reference in schema::references(service, &fields) {
        let to = shape::resource(model, &reference.to)?;
        let referred = match reference.to.resource == resource.name {
            true => item.clone(),
            false => example::item(model, to, 0),
        };
        let (name, id) = (names::graphql::field(&reference.name), names::graphql::field(&to.id));
        let shown = json!({ &id: id_text(&referred[&to.id]) });
        let count = match &item[&reference.field.name] {
            Value::Null => continue,
            Value::Array(ids) => Some(ids.len()),
            _ => None,
        };
        selected += &format!(" {name} {{ {id} }}");
        data.insert(name, count.map_or_else(|| shown.clone(), |count| vec![shown.clone(); count].into()));
        answers.insert(behind.call(getter(&to.name)?)?, referred);
    }
    let field = names::graphql::verb_field(Verb::Get, &resource.name, &resource.plural);
    let id = escape::graphql_str(&id_text(&item[&resource.id]));
    let answered = |(method, answer): (&str, Value)| Answered { method: method.to_owned(), answer: code(&answer, 1) };
    (!data.is_empty()).then(|| Referring {
        test: format!("{}_with_what_it_refers_to", names::snake(&field)),
        what: escape::rust_str(&format!("{}.{} over GraphQL: what it refers to", service.name, get.name)),
        request: escape::rust_raw_str(&format!("{{ {field}(id: {id}) {{{selected} }} }}")),
        data: code(&data.into(), 1),
        answers: answers.into_iter().map(answered).collect(),
    })
}

/// An id as GraphQL writes it.
fn id_text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// The router around the script of a service; of a front around those of others too.
pub fn router(model: &Model, scope: &Scope, service: &Service, script: &str) -> String {
    let contract = contract::ident(service);
    let services = match graphql::behind(model, scope, service) {
        None => script.to_owned(),
        Some(behind) => {
            let one = |member: &graphql::Answerer| {
                let module = model.services.get(&member.name).map(super::module).unwrap_or_default();
                match member.name == service.name {
                    true => format!("{}: {script}", member.field),
                    false => format!("{}: Arc::new(crate::mapping::{module}::Scripted::default())", member.field),
                }
            };
            let gate = behind.counts.then(|| "gate: kit_gate::Gate::default()".to_owned());
            let all: Vec<String> = behind.members.iter().map(one).chain(gate).collect();
            format!("{contract}::graphql::Services {{ {} }}", all.join(", "))
        }
    };
    format!("{contract}::graphql::router({services}, kit_graphql::Settings::default())")
}

fn case(model: &Model, service: &Service, operation: &Operation) -> Case {
    let wish = Wish { depth: DEPTH, nth: 0, made: &BTreeSet::new(), etag: true, live: false };
    let Request { document, input, answer, data, .. } = request(model, service, operation, wish);
    let error = |error: &crate::model::DeclaredError| {
        let data = error.data.as_ref().map_or(Value::Null, |data| example::value(model, &shape::named_type(data)));
        let kind = operations::kind(error.kind);
        format!("({}, kit::Kind::{kind}, json!({}))", escape::rust_str(&error.name), code(&data, 2))
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

/// The value as `json!` takes it, over several lines if it is long.
pub fn code(value: &Value, level: usize) -> String {
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
