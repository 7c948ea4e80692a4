//! Commands and queries.

use serde_json::Value;

use super::{
    description::{Operation, Verb},
    face::Call,
    items::difference,
    keys,
    session::Session,
};

/// Those that are on no item.
pub(crate) async fn check(session: &Session<'_>, operation: &Operation) {
    if !operation.takes_id {
        run(session, operation, &Value::Null).await;
    }
}

/// Those that are on an item of the resource.
pub(crate) async fn on_item(session: &Session<'_>, resource: &str, id: &Value) {
    let on = |operation: &&Operation| operation.takes_id && operation.resource.as_deref() == Some(resource);
    for operation in session.served().filter(|operation| operation.verb.is_none()).filter(on) {
        let before = now(session, resource, id).await;
        run(session, operation, id).await;
        let after = now(session, resource, id).await;
        let (Some(before), Some(after)) = (before, after) else { continue };
        if operation.query && before != after {
            session.report.fail(&operation.name, "a query changes nothing", difference(&before, &after));
        }
        let only_etag = |item: &Value| {
            let mut item = item.clone();
            item["etag"] = Value::Null;
            item
        };
        if only_etag(&before) != only_etag(&after) && before["etag"] == after["etag"] {
            session.report.fail(
                &operation.name,
                "ETag",
                format!("still {}: {}", after["etag"], difference(&before, &after)),
            );
        }
    }
}

async fn run(session: &Session<'_>, operation: &Operation, id: &Value) {
    let call = || Call {
        operation: operation.name.clone(),
        id: id.clone(),
        input: session.example(operation, 0),
        ..Call::default()
    };
    let first = keys::once(session, operation, call(), &session.example(operation, 1)).await;
    let Some(answer) = session.granted(operation, "example", first) else { return };
    let own = operation.resource.as_deref().filter(|_| operation.takes_id && answer.get("etag").is_some());
    if let Some(now) = async { now(session, own?, id).await }.await
        && now.get("id") == answer.get("id")
        && now != answer
    {
        session.report.fail(&operation.name, "what was answered is stored", difference(&answer, &now));
    }
    if operation.safe
        && !operation.stream
        && let Err(error) = session.ask(operation, call()).await
    {
        let why = format!("the repeat failed with `{}`: {}", error.kind, error.detail);
        session.report.fail(&operation.name, "a repeat is harmless", why);
    }
}

async fn now(session: &Session<'_>, resource: &str, id: &Value) -> Option<Value> {
    let get = session.verb(resource, Verb::Get)?;
    let call = Call { operation: get.name.clone(), id: id.clone(), ..Call::default() };
    session.ask(get, call).await.ok()
}
