//! What answers have in common: that alone can be relied on.

use serde_json::{Map, Value, json};

/// By what the variants of a union are told apart, in JSON and over GraphQL.
const TAGS: &[&str] = &["type", "__typename"];

/// What is in both, with the values of the first: members that both have, elements as far as all are alike. `None`: they
/// are of different types.
pub(crate) fn common(one: &Value, other: &Value) -> Option<Value> {
    both(one, other, &|_, _| false)
}

/// The same, to be read: of a union no more is in both than that it is some variant, and none can be read without the rest.
/// So where they are different variants, the first one is whole.
pub(crate) fn readable(one: &Value, other: &Value) -> Option<Value> {
    let differ = |one: &Map<String, Value>, other: &Map<String, Value>| {
        TAGS.iter().any(|tag| one.get(*tag).is_some_and(|one| other.get(*tag).is_some_and(|other| one != other)))
    };
    both(one, other, &differ)
}

/// `is_whole` says which objects stay as they are in the first.
fn both(
    one: &Value,
    other: &Value,
    is_whole: &impl Fn(&Map<String, Value>, &Map<String, Value>) -> bool,
) -> Option<Value> {
    Some(match (one, other) {
        (Value::Object(first), Value::Object(other)) if is_whole(first, other) => one.clone(),
        (Value::Object(one), Value::Object(other)) => {
            let both =
                one.iter().filter_map(|(name, value)| Some((name.clone(), both(value, other.get(name)?, is_whole)?)));
            Value::Object(both.collect())
        }
        (Value::Array(one), Value::Array(other)) => {
            // The last of a list is the one that says least.
            let mut all = one.iter().chain(other.iter().rev());
            let first = all.next().cloned();
            Value::Array(
                all.try_fold(first, |found, next| found.map(|found| both(&found, next, is_whole)))
                    .map_or_else(Vec::new, |element| element.into_iter().collect()),
            )
        }
        (Value::Null, Value::Null)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => one.clone(),
        _ => return None,
    })
}

/// What is in either, with the values of the first.
pub(crate) fn united(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            for (name, value) in other {
                let value = match one.remove(&name) {
                    Some(found) => united(found, value),
                    None => value,
                };
                one.insert(name, value);
            }
            one.into()
        }
        (Value::Array(one), Value::Array(other)) => {
            let others = other.into_iter().map(Some).chain(std::iter::repeat(None));
            let pair = |(one, other): (Value, Option<Value>)| match other {
                Some(other) => united(one, other),
                None => one,
            };
            one.into_iter().zip(others).map(pair).collect()
        }
        (one, _) => one,
    }
}

/// Members of errors that name the call or the place of a mistake: no client reads them.
const UNREAD: &[(&str, &[&str])] = &[
    ("", &["trace_id"]),
    ("/error/data", &["trace_id"]),
    ("/errors/0", &["locations", "path"]),
    ("/errors/0/extensions", &["traceId"]),
];

/// An answer without what no client reads of it.
pub(crate) fn read(mut body: Value, kind: &str) -> Value {
    let failed = kind == "application/problem+json" || body.get("error").is_some() || body.get("errors").is_some();
    if failed {
        for (place, members) in UNREAD {
            if let Some(Value::Object(object)) = body.pointer_mut(place) {
                members.iter().for_each(|member| _ = object.remove(*member));
            }
        }
        // Beside errors there are no data that anybody reads.
        if body.get("errors").is_some()
            && let Some(body) = body.as_object_mut()
        {
            body.remove("data");
        }
    }
    body
}

/// By what clients tell one answer from another: here the value counts and not only its type.
const EXACT: &[&str] = &[
    // RFC 9457
    "/type",
    "/kind",
    // JSON-RPC 2.0
    "/jsonrpc",
    "/id",
    "/error/code",
    "/error/data/kind",
    "/error/data/error",
    // GraphQL
    "/errors/0/extensions/code",
    "/errors/0/extensions/error",
];

/// The rules for a body: types everywhere, values where clients look at them.
pub(crate) fn rules(body: &Value, kind: &str) -> Value {
    let rule = |name: &str| json!({ "combine": "AND", "matchers": [{ "match": name }] });
    let mut rules = Map::from_iter([("$".to_owned(), rule("type"))]);
    let is_frame = kind == "application/problem+json" || body.get("jsonrpc").is_some() || body.get("errors").is_some();
    for place in EXACT.iter().filter(|place| is_frame && body.pointer(place).is_some()) {
        rules.insert(path(place), rule("equality"));
    }
    rules.into()
}

/// A JSON pointer as Pact writes paths: `/errors/0/code` is `$.errors[0].code`.
pub(crate) fn path(pointer: &str) -> String {
    let segment = |segment: &str| match segment.parse::<usize>() {
        Ok(index) => format!("[{index}]"),
        Err(_) if segment.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') => {
            format!(".{segment}")
        }
        Err(_) => format!("['{segment}']"),
    };
    format!("${}", pointer.split('/').skip(1).map(segment).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_answer_has_can_be_relied_on() {
        let one = json!({ "id": "1", "note": "a", "pay": { "type": "Card", "token": "t" }, "lines": [], "next": null });
        let other = json!({
            "id": "2", "pay": { "type": "Invoice", "days": 3 }, "next": "n",
            "lines": [{ "sku": "b", "price": 1, "note": "x" }, { "sku": "a", "price": 2 }],
        });
        let expected = json!({ "id": "1", "pay": { "type": "Card" }, "lines": [{ "sku": "a", "price": 2 }] });
        assert_eq!(common(&one, &other), Some(expected.clone()));
        let whole = readable(&one, &other).unwrap();
        assert_eq!((&whole["pay"], &whole["lines"]), (&one["pay"], &expected["lines"]));
        let cards = json!([{ "type": "Invoice", "days": 3 }, { "type": "Card", "token": "t" }]);
        assert_eq!(readable(&json!([]), &cards), Some(json!([{ "type": "Card", "token": "t" }])));
        let united = united(json!({ "a": [{ "b": 1 }] }), json!({ "a": [{ "c": 2 }], "d": 3 }));
        assert_eq!(united, json!({ "a": [{ "b": 1, "c": 2 }], "d": 3 }));
        assert_eq!(common(&json!([1, "a"]), &json!([])), Some(json!([])), "elements that are not alike");
        assert_eq!(common(&json!(null), &json!(null)), Some(json!(null)));
    }

    #[test]
    fn values_count_where_clients_look_at_them() {
        let body = json!({ "error": { "code": -32004, "message": "no", "data": { "kind": "not_found", "trace_id": "7" } },
                           "jsonrpc": "2.0", "id": 1 });
        let body = read(body, "application/json");
        assert_eq!(body["error"]["data"], json!({ "kind": "not_found" }));
        let rules = rules(&body, "application/json");
        let names: Vec<&String> = rules.as_object().unwrap().keys().collect();
        assert_eq!(names, ["$", "$.error.code", "$.error.data.kind", "$.id", "$.jsonrpc"]);
        assert_eq!(super::rules(&json!({ "kind": "a", "id": 1 }), "application/json").as_object().unwrap().len(), 1);
        let failed = json!({ "data": null, "errors": [{ "message": "no", "path": ["a"], "extensions": { "code": "STALE", "traceId": "7" } }] });
        assert_eq!(
            read(failed, "application/json"),
            json!({ "errors": [{ "message": "no", "extensions": { "code": "STALE" } }] })
        );
        assert_eq!(path("/errors/0/a-b"), "$.errors[0]['a-b']");
    }
}
