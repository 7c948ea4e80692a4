//! Errors: every answer that is none of an operation's own, as problem+json (RFC 9457), by the table of LANGUAGE §7.1.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Taken, Writer, answers, is_conditional, is_keyed};
use crate::{
    contracts::{example, schema::Side, shape},
    escape,
    model::{DeclaredError, ErrorKind, Operation, Service, Shape, Verb},
    names,
};

const MEDIA_TYPE: &str = "application/problem+json";

/// Kinds of errors, as designs and answers spell them.
const KINDS: [&str; 12] = [
    "invalid",
    "denied",
    "not_found",
    "exists",
    "conflict",
    "stale",
    "limited",
    "unavailable",
    "unauthenticated",
    "timeout",
    "unsupported",
    "internal",
];

/// Status, name among the components' responses, and what it means.
const STANDARD: [(u16, &str, &str); 13] = [
    (400, "Unreadable", "The request cannot be read."),
    (404, "NotFound", "There is no such item."),
    (406, "NotAcceptable", "`Accept` does not allow what would be answered."),
    (409, "Conflict", "It exists already, or a call with the same key is still at work."),
    (412, "Stale", "The item has another revision: read it again."),
    (413, "TooLarge", "The body is too large."),
    (415, "Unsupported", "The body is of another media type."),
    (422, "Invalid", "The request can be read, and its values are wrong: `fields` tells which."),
    (426, "UpgradeRequired", "This opens a WebSocket."),
    (429, "Limited", "Too many calls: later."),
    (500, "Internal", "Something went wrong inside the service."),
    (503, "Unavailable", "Not now: later."),
    (504, "Timeout", "No answer in time."),
];

/// The schema of any problem.
pub(super) fn schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "description": "An error (RFC 9457).",
        "required": ["type", "title", "status", "detail", "kind"],
        "properties": {
            "type": {
                "type": "string", "format": "uri-reference",
                "description": "`/errors/…` for an error that the operation declares, else `about:blank`.",
            },
            "title": text("The error in a few words."),
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": text("What was wrong this time."),
            "kind": { "type": "string", "enum": KINDS },
            "fields": {
                "type": "array",
                "description": "What is wrong with which field of the input.",
                "items": {
                    "type": "object",
                    "required": ["field", "detail"],
                    "properties": { "field": text("`lines[2].quantity`"), "detail": text("What is wrong with it.") },
                },
            },
            "trace_id": text("Names the request in the service's log."),
            "data": { "description": "The record that a declared error brings along." },
        },
    })
}

/// The answers that operations refer to.
pub(super) fn responses() -> Value {
    let mut responses = Map::new();
    let problem = json!({ MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/problem" } } });
    for (status, name, text) in STANDARD {
        let mut response = json!({ "description": text, "content": problem });
        retry_after(&mut response, status);
        responses.insert(name.to_owned(), response);
    }
    responses.insert("Problem".to_owned(), json!({ "description": "Any other error.", "content": problem }));
    responses.into()
}

/// Adds what can go wrong with the operation.
pub(super) fn add(responses: &mut Map<String, Value>, writer: &mut Writer, operation: &Operation, taken: &Taken) {
    let mut declared = BTreeMap::<u16, Vec<&DeclaredError>>::new();
    for error in &operation.errors {
        declared.entry(status(error.kind)).or_default().push(error);
    }
    for (status, name, text) in STANDARD {
        let can_happen = can_happen(status, writer.service, operation, taken);
        let is_referred = status == 409 && deletes_referred(writer.service, operation);
        let text = if is_referred { "Others refer to it." } else { text };
        let response = match declared.get(&status) {
            Some(errors) => own(writer, status, errors, can_happen.then_some(text)),
            None if is_referred => own(writer, status, &[], Some(text)),
            None if can_happen => json!({ "$ref": format!("#/components/responses/{name}") }),
            None => continue,
        };
        responses.insert(status.to_string(), response);
    }
    // 403 has no answer of its own as long as nobody is asked who they are.
    if let Some(errors) = declared.get(&403) {
        let response = own(writer, 403, errors, None);
        responses.insert("403".to_owned(), response);
    }
    responses.sort_keys();
    responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
}

/// Whether the kit answers so without the operation having said it.
fn can_happen(status: u16, service: &Service, operation: &Operation, taken: &Taken) -> bool {
    let body = taken.body.is_some();
    match status {
        404 => shape::on_item(operation).is_some(),
        409 => is_keyed(operation) || replaces_unique(service, operation) || deletes_referred(service, operation),
        412 => is_conditional(operation),
        // The lines of a stream have a limit each, and are `invalid` over it.
        413 => body && !operation.reads(),
        415 => body,
        422 => body || !taken.parameters.is_empty(),
        426 => operation.reads() && operation.streams(),
        // A WebSocket is not content that `Accept` is about.
        406 => !(operation.reads() && operation.streams()),
        429 => service.counts(operation),
        _ => true,
    }
}

/// The kinds of failure, besides its declared errors, that an operation answers a request with which can be read.
pub fn failures(service: &Service, operation: &Operation) -> Vec<&'static str> {
    let item = shape::on_item(operation).is_some();
    let taken = is_keyed(operation) || replaces_unique(service, operation);
    let stale = is_conditional(operation);
    let conflict = taken || deletes_referred(service, operation);
    let kinds = [
        ("invalid", true),
        ("not_found", item),
        ("exists", taken),
        ("conflict", conflict),
        ("stale", stale),
        ("limited", service.counts(operation)),
    ];
    kinds.into_iter().filter(|(_, can_happen)| *can_happen).map(|(kind, _)| kind).collect()
}

/// Whether it may give an item a value that another item has and no two may have.
fn replaces_unique(service: &Service, operation: &Operation) -> bool {
    let Shape::Verb { verb: Verb::Replace, resource } = &operation.shape else { return false };
    service.resources.get(resource).is_some_and(|resource| resource.fields.iter().any(|field| field.unique))
}

/// Whether others may still refer to the item that it deletes.
fn deletes_referred(service: &Service, operation: &Operation) -> bool {
    let Shape::Verb { verb: Verb::Delete, resource } = &operation.shape else { return false };
    service.resources.get(resource).is_some_and(|resource| shape::is_referred(service, resource))
}

/// The answer of a status that declared errors have. `text`: it may also be an error that is not declared.
fn own(writer: &mut Writer, status: u16, errors: &[&DeclaredError], text: Option<&str>) -> Value {
    let mut schemas = Vec::new();
    let mut examples = Map::new();
    let mut texts = Vec::new();
    for error in errors {
        schemas.push(declared(writer, status, error));
        examples.insert(error.name.clone(), json!({ "value": example(writer, status, error) }));
        let docs = shape::text(&error.docs);
        let colon = if docs.is_empty() { "" } else { ": " };
        texts.push(format!("`{}`{colon}{}", error.name, escape::markdown(&docs)));
    }
    if let Some(text) = text {
        schemas.push(json!({ "$ref": "#/components/schemas/problem" }));
        texts.push(text.to_owned());
    }
    let schema = match schemas.as_slice() {
        [one] => one.clone(),
        _ => json!({ "anyOf": schemas }),
    };
    let mut response = json!({
        "description": texts.join("\n\n"),
        "content": { MEDIA_TYPE: { "schema": schema, "examples": examples } },
    });
    retry_after(&mut response, status);
    response
}

/// The schema of a declared error. No name of a design begins with a small letter and has a dot.
fn declared(writer: &mut Writer, status: u16, error: &DeclaredError) -> Value {
    writer.schemas.define(&format!("problem.{}", error.name), |schemas| {
        let mut own = json!({
            "type": "object",
            "properties": {
                "type": { "const": format!("/errors/{}", error.name) },
                "status": { "const": status },
                "kind": { "const": kind(error.kind) },
            },
        });
        if let Some(data) = &error.data {
            own["required"] = json!(["data"]);
            own["properties"]["data"] = schemas.named(data, Side::Output);
        }
        json!({ "allOf": [{ "$ref": "#/components/schemas/problem" }, own] })
    })
}

fn example(writer: &Writer, status: u16, error: &DeclaredError) -> Value {
    let title = sentence(&error.name);
    let detail = match error.docs.summary.is_empty() {
        true => title.clone(),
        false => error.docs.summary.clone(),
    };
    let mut problem = json!({
        "type": format!("/errors/{}", error.name),
        "title": title,
        "status": status,
        "detail": detail,
        "kind": kind(error.kind),
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    });
    if let Some(data) = &error.data {
        problem["data"] = example::value(writer.model, &shape::named_type(data));
    }
    problem
}

fn retry_after(response: &mut Value, status: u16) {
    if matches!(status, 429 | 503) {
        response["headers"] = json!({ "Retry-After": { "$ref": "#/components/headers/RetryAfter" } });
    }
    if status == 429 {
        answers::stands(response);
    }
}

/// The HTTP status of a kind of error.
pub fn status(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::Invalid => 422,
        ErrorKind::Denied => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::Exists | ErrorKind::Conflict => 409,
        ErrorKind::Stale => 412,
        ErrorKind::Limited => 429,
        ErrorKind::Unavailable => 503,
    }
}

/// As answers spell it.
pub fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid",
        ErrorKind::Denied => "denied",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Exists => "exists",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Stale => "stale",
        ErrorKind::Limited => "limited",
        ErrorKind::Unavailable => "unavailable",
    }
}

/// `OutOfStock` as `Out of stock`, `take_back` as `Take back`.
pub fn sentence(name: &str) -> String {
    let text = names::snake(name).replace('_', " ");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
