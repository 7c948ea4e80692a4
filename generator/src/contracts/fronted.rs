//! The OpenAPI document of a service with those behind it: one for the whole entry.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{
    model::{Front, Limits, Model, Service, Transport, Versioning},
    names,
};

use super::openapi;

/// One request that passes through a gateway.
pub struct Passed {
    /// `GET`
    pub method: String,
    /// At the service: `/v1/orders/{id}`.
    pub path: String,
    /// `get_order`
    pub operation: String,
}

/// What stands before the paths of a service at a gateway: `/order-desk`.
pub fn prefix(service: &str) -> String {
    format!("/{}", names::path::segment(service))
}

/// The services that requests pass on to through a gateway, with what is said of each.
pub fn behind<'m>(model: &'m Model, gateway: &'m Service) -> impl Iterator<Item = (&'m Front, &'m Service)> {
    let behind = gateway.fronts.iter().filter(|_| gateway.passes());
    let behind = behind.filter_map(|front| Some((front, model.services.get(&front.service)?)));
    behind.filter(|(_, service)| service.operations.values().any(|operation| operation.expose.has(Transport::Rest)))
}

/// What passes to a service: all that its documents say, of today and of before, and nothing else.
pub fn passed(model: &Model, service: &Service) -> Vec<Passed> {
    let mut all: Vec<Passed> = Vec::new();
    for (document, _) in documents(model, service, Limits::default()) {
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let operation = operation["operationId"].as_str().unwrap_or_default().to_owned();
                let passed = Passed { method: method.to_uppercase(), path: path.clone(), operation };
                if !all.iter().any(|other| (&other.method, &other.path) == (&passed.method, &passed.path)) {
                    all.push(passed);
                }
            }
        }
    }
    all
}

/// The documents of a service, each with what stands before a name that is taken: the present one, `orders`, then those
/// of its old versions from the newest on, `orders_v2`. What passes counts in `limits` too.
fn documents(model: &Model, service: &Service, limits: Limits) -> Vec<(Value, String)> {
    let counted = |service: &Service| {
        let Limits { limit, quota } = service.limits;
        Service { limits: Limits { limit: limit.or(limits.limit), quota: quota.or(limits.quota) }, ..service.clone() }
    };
    let old = service.old.iter().rev().map(|old| {
        let name = format!("{}_v{}", service.name.trim_end_matches('_'), old.service.version);
        (openapi::openapi(&model.at(old), &counted(&old.service)), name)
    });
    std::iter::once((openapi::openapi(model, &counted(service)), service.name.clone())).chain(old).collect()
}

/// The document of all that a service offers: its own operations, and those behind it under their paths here. Where two
/// services bring the same name and mean different things by it, the later one gets its service's name in front.
pub fn openapi(model: &Model, service: &Service) -> Value {
    let mut whole = openapi::openapi(model, service);
    for (_, behind) in behind(model, service) {
        // Where no path says the version, one path has one description: that of today.
        let versions = if behind.versioning == Versioning::Path { usize::MAX } else { 1 };
        let tags = names_of(&whole["tags"]);
        for (document, name) in documents(model, behind, service.limits).into_iter().take(versions) {
            add(&mut whole, (behind, &name), &tags, document);
        }
    }
    whole
}

/// `tags` are those of other services; all versions of one have the same.
fn add(whole: &mut Value, (service, name): (&Service, &str), tags: &BTreeSet<String>, mut document: Value) {
    let own = names::upper_camel(name);
    for kind in ["schemas", "headers", "responses"] {
        let renamed = renamed(&whole["components"][kind], &document["components"][kind], kind, &own);
        refer(&mut document, &renamed.iter().map(|(from, to)| (reference(kind, from), reference(kind, to))).collect());
        for (name, component) in taken(&mut document["components"][kind]) {
            let name = renamed.get(&name).cloned().unwrap_or(name);
            whole["components"][kind][name] = component;
        }
    }
    let of_service = names::upper_camel(&service.name);
    let tag = |name: &str| if tags.contains(name) { unlike(tags, name, &of_service) } else { name.to_owned() };
    let known = names_of(&whole["tags"]);
    for mut object in document["tags"].take().as_array().into_iter().flatten().cloned() {
        let name = tag(object["name"].as_str().unwrap_or_default());
        if !known.contains(&name) {
            object["name"] = name.into();
            push(&mut whole["tags"], object);
        }
    }
    let known = operations(whole);
    for (path, mut item) in taken(&mut document["paths"]) {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            let id = operation["operationId"].as_str().unwrap_or_default();
            if known.contains(id) {
                operation["operationId"] = unlike(&known, id, &format!("{name}_")).into();
            }
            for said in operation["tags"].as_array_mut().into_iter().flatten() {
                *said = tag(said.as_str().unwrap_or_default()).into();
            }
        }
        whole["paths"][format!("{}{path}", prefix(&service.name))] = item;
    }
}

/// The components of a document that another one has by the same name with another meaning, and their new names. A
/// component means something else, too, if what it refers to does.
fn renamed(whole: &Value, document: &Value, kind: &str, own: &str) -> BTreeMap<String, String> {
    let taken: BTreeSet<&str> = keys(whole).chain(keys(document)).collect();
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let names = renamed.iter().map(|(from, to)| (reference(kind, from), reference(kind, to))).collect();
        let differs = |name: &&str| {
            let mut component = document[*name].clone();
            refer(&mut component, &names);
            !renamed.contains_key(*name) && !whole[*name].is_null() && whole[*name] != component
        };
        let Some(name) = keys(document).find(differs) else { return renamed };
        renamed.insert(name.to_owned(), unlike(&taken, name, own));
    }
}

/// The name with the service's in front, as often as it takes.
fn unlike<T: Ord + std::borrow::Borrow<str>>(taken: &BTreeSet<T>, name: &str, own: &str) -> String {
    let mut name = format!("{own}{name}");
    while taken.contains(name.as_str()) {
        name = format!("{own}{name}");
    }
    name
}

fn reference(kind: &str, name: &str) -> String {
    format!("#/components/{kind}/{name}")
}

/// Lets references lead to new names, those of discriminators too.
fn refer(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = names.get(text) {
                text.clone_from(name);
            }
        }
        Value::Object(members) => members.values_mut().for_each(|value| refer(value, names)),
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, names)),
        _ => {}
    }
}

fn operations(document: &Value) -> BTreeSet<String> {
    let items = document["paths"].as_object().into_iter().flat_map(Map::values);
    let operations = items.filter_map(Value::as_object).flat_map(Map::values);
    operations.filter_map(|operation| operation["operationId"].as_str()).map(str::to_owned).collect()
}

fn names_of(tags: &Value) -> BTreeSet<String> {
    tags.as_array().into_iter().flatten().filter_map(|tag| tag["name"].as_str()).map(str::to_owned).collect()
}

fn keys(object: &Value) -> impl Iterator<Item = &str> {
    object.as_object().into_iter().flat_map(Map::keys).map(String::as_str)
}

fn taken(object: &mut Value) -> Map<String, Value> {
    match object.take() {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn push(list: &mut Value, item: Value) {
    if let Value::Array(items) = list {
        items.push(item);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_means_the_same_is_one_and_what_does_not_gets_its_services_name() {
        let whole =
            json!({ "Same": 1, "Item": { "a": 1 }, "Holder": { "$ref": "#/components/schemas/Item" }, "RightItem": 0 });
        let document =
            json!({ "Same": 1, "Item": { "b": 1 }, "Holder": { "$ref": "#/components/schemas/Item" }, "New": 1 });
        let renamed = renamed(&whole, &document, "schemas", "Right");
        let expected = [("Holder", "RightHolder"), ("Item", "RightRightItem")];
        assert_eq!(renamed, expected.map(|(from, to)| (from.to_owned(), to.to_owned())).into());
    }

    #[test]
    fn references_follow_their_names() {
        let mut value =
            json!({ "oneOf": [{ "$ref": "#/a" }], "discriminator": { "mapping": { "A": "#/a", "B": "#/b" } } });
        refer(&mut value, &[("#/a".to_owned(), "#/c".to_owned())].into());
        assert_eq!(
            value,
            json!({ "oneOf": [{ "$ref": "#/c" }], "discriminator": { "mapping": { "A": "#/c", "B": "#/b" } } })
        );
    }
}
