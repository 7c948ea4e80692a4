//! How callers say which version of a service they mean, and what an old one says of its end.

use serde_json::{Value, json};

use crate::{
    model::{Model, Service, Versioning},
    names,
};

/// Adds to a document what follows from the version that it is of.
pub(super) fn add(document: &mut Value, model: &Model, service: &Service) {
    let operations = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in operations.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        if service.deprecated.is_some() {
            operation["deprecated"] = json!(true);
        }
        if let Some(parameter) = parameter(service) {
            match operation["parameters"].as_array_mut() {
                Some(parameters) => parameters.push(parameter),
                None => operation["parameters"] = json!([parameter]),
            }
        }
        let kind = names::path::media_type(&model.name, &service.name);
        if service.versioning == Versioning::MediaType && service.is_old() {
            rename(&mut operation["requestBody"], &format!("{kind};version={}", service.version));
        }
        for answer in operation["responses"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
            if service.versioning == Versioning::MediaType && service.is_old() {
                rename(answer, &format!("{kind};version={}", service.version));
            }
            if answer.get("$ref").is_none() {
                headers(answer, service);
            }
        }
    }
}

/// A parameter that has one value. The newest version is meant without it too.
fn parameter(service: &Service) -> Option<Value> {
    let (name, place) = match service.versioning {
        Versioning::Header => ("Api-Version", "header"),
        Versioning::Query => ("version", "query"),
        Versioning::Path | Versioning::MediaType => return None,
    };
    let mut parameter = json!({
        "name": name, "in": place,
        "description": "The version that is meant; the newest if it is not said.",
        "schema": { "type": "integer", "const": service.version },
    });
    if service.is_old() {
        parameter["required"] = json!(true);
    }
    Some(parameter)
}

fn rename(body: &mut Value, kind: &str) {
    if let Some(content) = body.get_mut("content").and_then(Value::as_object_mut)
        && let Some(json) = content.shift_remove("application/json")
    {
        content.insert(kind.to_owned(), json);
    }
}

fn headers(answer: &mut Value, service: &Service) {
    let dates = [
        (
            "Deprecation",
            "Since when this version is deprecated (RFC 9745).",
            service.deprecated.map(|date| date.structured()),
        ),
        ("Sunset", "Until when this version is served (RFC 8594).", service.sunset.map(|date| date.http())),
    ];
    for (name, text, value) in dates {
        if let Some(value) = value {
            answer["headers"][name] = json!({ "description": text, "schema": { "type": "string", "const": value } });
        }
    }
    if service.versioning != Versioning::Path {
        answer["headers"]["Api-Version"] = json!({
            "description": "The version of the answer.",
            "schema": { "type": "integer", "const": service.version },
        });
    }
}
