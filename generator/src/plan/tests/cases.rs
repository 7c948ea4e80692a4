//! A service to the first of its user's cases: how a case is written, by example.

use serde_json::Value;

use crate::{
    contracts::shape,
    model::{Model, Operation, Service, Shape, Transport, Verb},
};

use super::{super::day_one, description};

const HEAD: &str = "\
# Yours: written once by Linkwright, never overwritten.
#
# Cases of `SERVICE`: the steps of each file here run one after another on a fresh service, over every transport that
# has their operations. `cargo xtask test provider::MODULE` runs them.
#
#   call    an operation of the design; `id` names the item that it is on, `etag` the revision that is meant
#   input   what it is given, in JSON's terms; `{name}` is what an earlier step has saved, `{{` a brace
#   expect  what must be in the answer; more may be in it.   error  the declared error, or the kind, that is expected
#   save    names for later steps: `save = { order = \"id\" }`
#
# The suite also tries every operation with examples of its own. Where your code rightly refuses one, give it another in
# any of these files, before the steps; what is not named stays as it is:
#
#   [examples]
#   EXAMPLE = { … }
";

const QUIET: &str = "\
#
# and `quiet = [\"EXAMPLE\"]` for one that may do its work without publishing its event,
# or keep events from its stream.
";

/// `None`: there is no operation that callers reach without an item, be it one that is referred to.
pub fn first(model: &Model, service: &Service) -> Option<String> {
    let reached = |operation: &&Operation| {
        let by_suite = |transport| transport != Transport::Queue;
        operation.expose.transports().any(by_suite)
            && shape::on_item(operation).is_none()
            && !(operation.streams() || operation.reads())
    };
    let is =
        |operation: &Operation, wanted: Verb| matches!(&operation.shape, Shape::Verb { verb, .. } if *verb == wanted);
    let operations = || service.operations.values().filter(reached);
    let alone = || operations().filter(|operation| day_one::required_keys(service, operation).is_empty());
    let create = alone().find(|operation| is(operation, Verb::Create));
    let operation = create.or_else(|| alone().find(|o| !is(o, Verb::List))).or_else(|| alone().next())?;
    let input = |operation: &Operation| {
        let mut example = description::examples(model, service, operation).into_iter().next()?;
        let members = example.as_object_mut().filter(|members| !members.is_empty())?;
        // Nothing is there that it could refer to.
        for name in made_keys(service, operation) {
            members.shift_remove(name);
        }
        Some(example)
    };
    let with_input = operations().find(|operation| input(operation).is_some()).unwrap_or(operation);
    let quiet = service.operations.values().find(|o| !o.emits.is_empty() || !o.follows.is_empty());
    let head = HEAD
        .replace("SERVICE", &service.name)
        .replace("MODULE", &super::module(service))
        .replace("EXAMPLE", &with_input.name)
        + &quiet.map(|quiet| QUIET.replace("EXAMPLE", &quiet.name)).unwrap_or_default();
    let mut text = format!("{head}\n[[steps]]\ncall = \"{}\"\n", operation.name);
    if let Some(input) = input(operation) {
        text += &format!("input = {}\n", inline(&input));
    }
    let Shape::Verb { verb: Verb::Create, resource } = &operation.shape else { return Some(text) };
    let resource = service.resources.get(resource)?;
    text += &format!("save = {{ made = \"{}\" }}\n", resource.id);
    let get = service.operations.values().find(|get| {
        matches!(&get.shape, Shape::Verb { verb: Verb::Get, resource: of } if *of == resource.name)
            && get.expose == operation.expose
    });
    if let Some(get) = get {
        text += &format!(
            "\n[[steps]]\ncall = \"{}\"\nid = \"{{made}}\"\nexpect = {{ {} = \"{{made}}\" }}\n",
            get.name, resource.id
        );
    }
    Some(text)
}

/// The foreign keys of what an operation makes.
fn made_keys<'m>(service: &'m Service, operation: &Operation) -> Vec<&'m str> {
    let Shape::Verb { verb: Verb::Create, resource } = &operation.shape else { return Vec::new() };
    let keys = service.resources.get(resource).map(|resource| shape::foreign_keys(service, resource));
    keys.into_iter().flatten().map(|(field, _)| field.name.as_str()).collect()
}

/// A value in one line of TOML, which knows no null.
fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().filter(|v| !v.is_null()).map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".into(),
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let member = |(name, value): (&String, &Value)| format!("{} = {}", key(name), inline(value));
            format!("{{ {} }}", members.map(member).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => toml_edit::Value::from(text.replace('{', "{{")).to_string(),
        other => other.to_string(),
    }
}

fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-');
    if bare { name.to_owned() } else { toml_edit::Value::from(name).to_string() }
}
