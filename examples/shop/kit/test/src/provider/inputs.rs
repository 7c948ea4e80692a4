//! Inputs that the schema forbids are refused, and refused as `invalid`.

use kit::Kind;
use serde_json::{Map, Value, json};

use super::{
    description::{Operation, Verb},
    face::{Call, Outcome},
    rest::Route,
    session::Session,
};

/// Longer texts are not made only to be refused.
const LONGEST: u64 = 10_000;

pub(crate) async fn check(session: &Session<'_>, operation: &Operation) {
    let Some(schema) = &operation.input else { return };
    let id = match (operation.takes_id, session.item_of(operation)) {
        (true, None) => return,
        (_, id) => id.unwrap_or_default(),
    };
    let example = match operation.verb {
        Some(Verb::Patch) => json!({}),
        _ => session.example(operation, 0),
    };
    let example = match example {
        Value::Object(example) => example,
        Value::Array(items) if operation.reads => match items.into_iter().next() {
            Some(Value::Object(item)) => item,
            _ => return,
        },
        _ => return,
    };
    let schema = session.judge().of_record(schema, &example);
    let by_hand = session.face.rest().and_then(|rest| rest.route(&operation.name)).map(ByHand::of);
    let by_hand = by_hand.or_else(|| session.face.jsonrpc().map(|_| ByHand::in_object()));
    for (rule, input) in spoilt(session, schema, &example, by_hand.as_ref()) {
        let input = if operation.reads { json!([example, input]) } else { input.into() };
        let call = Call { operation: operation.name.clone(), id: id.clone(), input, ..Call::default() };
        let outcome = session.ask(operation, call).await;
        match outcome {
            // How much of its input it reads before it answers is its own affair.
            Ok(_) if operation.reads && operation.stream => {}
            outcome => {
                if session.expect(operation, &rule, &outcome, Kind::Invalid) && operation.reads {
                    named(session, operation, &rule, &outcome);
                }
            }
        }
    }
}

/// The second item of a stream was wrong, and the failure says so.
fn named(session: &Session<'_>, operation: &Operation, rule: &str, outcome: &Outcome) {
    let Err(error) = outcome else { return };
    if !error.fields.iter().any(|field| field.field.starts_with("[1]")) {
        session.report.fail(&operation.name, rule, format!("it does not say which item is wrong: {}", error.detail));
    }
}

/// Inputs with one mistake each. A client that knows the types cannot make all of them.
fn spoilt(
    session: &Session<'_>,
    schema: &Value,
    example: &Map<String, Value>,
    by_hand: Option<&ByHand>,
) -> Vec<(String, Map<String, Value>)> {
    let mut all = Vec::new();
    let mut with = |rule: String, name: &str, value: Value| {
        let mut input = example.clone();
        input.insert(name.to_owned(), value);
        all.push((rule, input));
    };
    let in_path = |name: &str| by_hand.is_some_and(|by_hand| by_hand.in_path.iter().any(|other| other == name));
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if in_path(name) {
            continue;
        }
        let property = session.judge().resolved(property);
        let number = |key: &str| property[key].as_i64();
        if let Some(text) = too_long(property) {
            with(format!("`{name}` too long"), name, text);
        }
        if property["minLength"].as_u64().is_some_and(|least| least > 0) {
            with(format!("`{name}` empty"), name, json!(""));
        }
        if property["type"] == "integer" {
            if let Some(most) = number("maximum").filter(|most| !WIDEST.contains(most)) {
                with(format!("`{name}` over {most}"), name, json!(most + 1));
            }
            if let Some(least) = number("minimum").filter(|least| *least > 0) {
                with(format!("`{name}` below {least}"), name, json!(least - 1));
            }
        }
        // In a query everything is a text.
        let texts = by_hand.is_some_and(|by_hand| by_hand.in_body) && property["type"] == "string";
        if texts || by_hand.is_some() && property["type"] == "integer" {
            with(format!("`{name}` of another type"), name, json!({ "a": [1] }));
        }
    }
    if let Some(by_hand) = by_hand {
        with("an unknown property".into(), "never_heard_of", json!(1));
        for (name, value) in example.iter().filter(|(name, _)| by_hand.in_body && !in_path(name)) {
            let schema = &schema["properties"][name];
            if let Value::Object(record) = value
                && session.judge().of_record(schema, record)["properties"].is_object()
            {
                let mut record = record.clone();
                record.insert("never_heard_of".into(), json!(1));
                with(format!("an unknown property in `{name}`"), name, record.into());
            }
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| !in_path(name) && !by_hand.may_be_left_out(name)) {
            let mut input = example.clone();
            if input.remove(name).is_some() {
                all.push((format!("without `{name}`"), input));
            }
        }
    }
    all
}

fn too_long(schema: &Value) -> Option<Value> {
    let most = schema["maxLength"].as_u64().filter(|most| *most < LONGEST)?;
    Some("x".repeat(usize::try_from(most).ok()? + 1).into())
}

/// Texts that a schema of texts may forbid.
pub(crate) fn wrong_texts(schema: &Value) -> impl Iterator<Item = Value> {
    let texts = if schema["type"] == "string" { vec![too_long(schema), Some("!".into())] } else { Vec::new() };
    texts.into_iter().flatten()
}

/// Where a request that is written by hand carries its input.
struct ByHand {
    in_body: bool,
    in_path: Vec<String>,
    /// Parameters of the query that may be left out: a list that is empty is not there.
    optional: Vec<String>,
}

impl ByHand {
    fn of(route: &Route) -> Self {
        let name = |segment: &str| Some(segment.strip_prefix('{')?.strip_suffix('}')?.to_owned());
        let parameters = route.operation["parameters"].as_array().into_iter().flatten();
        let optional = parameters.filter(|parameter| parameter["in"] == "query" && parameter["required"] != true);
        Self {
            in_body: !route.operation["requestBody"].is_null(),
            in_path: route.path.split('/').filter_map(name).collect(),
            optional: optional.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect(),
        }
    }

    /// One object with all of it.
    fn in_object() -> Self {
        Self { in_body: true, in_path: Vec::new(), optional: Vec::new() }
    }

    fn may_be_left_out(&self, name: &str) -> bool {
        self.optional.iter().any(|optional| optional == name)
    }
}

/// The bounds of the types themselves: what is over them cannot be said by every client.
const WIDEST: [i64; 2] = [i32::MAX as i64, u32::MAX as i64];
