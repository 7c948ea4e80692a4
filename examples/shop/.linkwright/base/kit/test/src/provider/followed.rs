//! Streams that send events on: what is published while somebody listens comes out as an item.
//!
//! A service may filter by what it is asked with, so it is asked with what the event says. Of an input of which the event
//! says nothing nobody knows what it lets through, but the user, who gives it in `[examples]`.

use std::{convert::Infallible, time::Duration};

use anyhow::Result;
use serde_json::{Map, Value};

use super::{
    compare::text,
    description::{Followed, Operation},
    events::{PATIENCE, Queue, fresh, is_unread},
    face::{Call, Due, Face, Listen, Way},
    items::difference,
    judge::Judge,
    session::{Session, short},
};

/// It is published so often: nobody can tell from outside when a service begins to listen.
const AGAIN: Duration = Duration::from_millis(100);
/// More items are not looked at.
const ITEMS: usize = 200;

pub(crate) async fn check(session: &Session<'_>, operation: &Operation) {
    let Some(queue) = &session.provider.queue else { return };
    if operation.follows.is_empty() || session.provider.cases.quiet.contains(&operation.name) {
        return;
    }
    let document = match session.provider.document("asyncapi.json") {
        Ok(document) => document,
        Err(error) => return session.report.fail(&operation.name, "events", format!("{error:#}")),
    };
    for followed in &operation.follows {
        let event = &document["components"]["messages"][&followed.message]["examples"][0]["payload"];
        let rule = format!("`{}` is sent on", followed.message);
        match asked(session, operation, followed, event) {
            Ok(asked) => listen(session, operation, &**queue, &rule, asked).await,
            Err(why) => session.report.skip(&operation.name, &rule, why),
        }
    }
}

/// A stream to open, and the event to publish.
struct Asked {
    id: Value,
    input: Map<String, Value>,
    event: Value,
    /// What an item has that comes of it.
    due: Due,
    /// Inputs of which the event says nothing.
    unknown: Vec<String>,
}

fn asked(session: &Session<'_>, operation: &Operation, followed: &Followed, event: &Value) -> Result<Asked, String> {
    let mut event = event.clone();
    let mut unknown = Vec::new();
    let id = match (operation.takes_id, session.item_of(operation)) {
        (false, _) => Value::Null,
        (true, None) => return Err("there is no item to ask for".to_owned()),
        (true, Some(id)) => {
            match &followed.item {
                Some(member) => say(&mut event, member, &id),
                None => unknown.push("id".to_owned()),
            }
            id
        }
    };
    let given = session.provider.cases.examples.get(&operation.name);
    let mut input = Map::new();
    let schema = operation.input.as_ref().map(|schema| session.judge().resolved(schema)).unwrap_or(&Value::Null);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let said = event["data"].get(name).filter(|value| !value.is_null()).cloned();
        match (given.and_then(|given| given.get(name)), said) {
            (Some(value), said) => {
                if said.is_some() {
                    say(&mut event, name, value);
                }
                input.insert(name.clone(), value.clone());
            }
            (None, Some(said)) if session.judge().wrong(property, &said).is_empty() => {
                input.insert(name.clone(), said);
            }
            _ => {
                let is_required = schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
                let example = || session.example(operation, 0).get(name).filter(|_| is_required).cloned();
                // What is neither demanded nor decided for the caller is left out, and keeps nothing back.
                if let Some(value) = property.get("default").cloned().or_else(example) {
                    input.insert(name.clone(), value);
                    unknown.push(name.clone());
                }
            }
        }
    }
    let due = due(session.judge(), session.face, operation, followed, &event["data"]);
    Ok(Asked { id, input, event, due, unknown })
}

/// A member of an event's data, and its subject if that is the same.
fn say(event: &mut Value, member: &str, value: &Value) {
    if text(&event["subject"]) == text(&event["data"][member]) {
        event["subject"] = text(value).into();
    }
    event["data"][member] = value.clone();
}

/// What event and item both speak of, as the event says it.
fn due(judge: &Judge, face: &Face, operation: &Operation, followed: &Followed, data: &Value) -> Due {
    let schema = operation.answer.as_ref().map(|schema| judge.resolved(schema)).unwrap_or(&Value::Null);
    let schema = followed.variant.as_ref().map_or(schema, |variant| judge.variant(schema, variant));
    let is_due =
        |name: &str, value: &Value| schema["properties"].get(name).is_some() && !value.is_null() && !face.cuts(value);
    let members = data.as_object().into_iter().flatten().filter(|(name, value)| is_due(name, value));
    let tag = followed.variant.iter().map(|variant| ("type".to_owned(), variant.as_str().into()));
    let members = tag.chain(members.map(|(name, value)| (name.clone(), value.clone()))).collect();
    Due { members, partly: matches!(face.way, Way::GraphQl(_)) }
}

async fn listen(session: &Session<'_>, operation: &Operation, queue: &dyn Queue, rule: &str, asked: Asked) {
    let Asked { id, input, event, due, unknown } = asked;
    let listen = Listen { patience: PATIENCE, items: ITEMS, until: Some(due.clone()) };
    let input = if operation.input.is_some() { input.into() } else { Value::Null };
    let call = Call { operation: operation.name.clone(), id, input, listen, ..Call::default() };
    let outcome = tokio::select! {
        outcome = session.ask(operation, call) => outcome,
        Err(error) = repeated(queue, &event) => return session.report.fail(&operation.name, rule, format!("{error:#}")),
    };
    if let Err(error) = &outcome
        && is_unread(&error.detail, &event)
    {
        return session.report.fail(&operation.name, rule, format!("could not be read: {}", error.detail));
    }
    let Some(items) = session.granted(operation, rule, outcome) else { return };
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.iter().any(|item| due.is(item)) {
        return;
    }
    let why = match items.last() {
        None => format!("{} was published while it listened, and nothing came", short(&event["data"])),
        Some(last) => {
            let same = due.members.keys().filter_map(|name| Some((name.clone(), last.get(name)?.clone()))).collect();
            format!("of {} came {}", short(&event["data"]), difference(&due.members.into(), &Value::Object(same)))
        }
    };
    if unknown.is_empty() {
        let hint = format!("quiet = [\"{}\"] in a file of tests/cases if it may keep it back", operation.name);
        session.report.fail(&operation.name, rule, format!("{why}; {hint}"));
    } else {
        let unknown = unknown.join(", ");
        let hint = format!("[examples] {} = {{…}} in a file of tests/cases says what lets it through", operation.name);
        session.report.skip(&operation.name, rule, format!("{why}; it does not speak of {unknown}: {hint}"));
    }
}

/// Each time as a message of its own.
async fn repeated(queue: &dyn Queue, event: &Value) -> Result<Infallible> {
    loop {
        queue.publish(fresh(event)).await?;
        tokio::time::sleep(AGAIN).await;
    }
}
