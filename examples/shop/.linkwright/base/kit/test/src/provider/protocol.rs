//! What only HTTP has: statuses, headers, media types, the document that is served.

use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{
    description::Operation,
    face::{Call, Listen, Outcome},
    rest::{Asked, PROBLEM, Reply, Rest, media_type, outcome},
    session::Session,
};

/// What is served is what is committed, and what is not there is said to be so.
pub(crate) async fn document(session: &Session<'_>, rest: &Rest) {
    let fail = |rule: &str, why: String| session.report.fail("openapi", rule, why);
    // An old version's stands below its prefix, or is asked for as its operations are.
    let version = rest.document()["info"]["version"].as_str().unwrap_or_default();
    let below = get(rest, &format!("/v{version}/-/openapi.json")).await;
    let reply = match below.filter(|reply| reply.status == StatusCode::OK) {
        Some(reply) => Some(reply),
        None => get(rest, &format!("/-/openapi.json?version={version}")).await,
    };
    match reply {
        Some(reply) if reply.status == StatusCode::OK => {
            if serde_json::from_slice::<Value>(&reply.body).ok().as_ref() != Some(rest.document()) {
                fail("the document", "what is served at /-/openapi.json is not the committed openapi.json".into());
            }
        }
        reply => fail("the document", format!("/-/openapi.json answers {:?}", reply.map(|reply| reply.status))),
    }
    if let Some(reply) = get(rest, "/no/such/path").await
        && (reply.status != StatusCode::NOT_FOUND || media_type(&reply.headers) != PROBLEM)
    {
        fail("unknown path", format!("{} as {:?}", reply.status, media_type(&reply.headers)));
    }
}

async fn get(rest: &Rest, path: &str) -> Option<Reply> {
    let version = rest.document()["info"]["version"].as_str().unwrap_or_default();
    let mut headers = vec![("api-version", version.to_owned())];
    headers.extend(rest.media.clone().map(|media| ("accept", media)));
    let asked = Asked { method: Method::GET, url: rest.at(path)?, headers, body: None, listen: Listen::default() };
    rest.send(asked).await.ok()
}

/// Requests that are wrong before anybody looks at their values.
pub(crate) async fn check(session: &Session<'_>, rest: &Rest, operation: &Operation) {
    let id = session.item_of(operation).unwrap_or_else(|| any_id(session, operation));
    let call = Call { operation: operation.name.clone(), id, input: session.example(operation, 0), ..Call::default() };
    let (Some(asked), Some(route)) = (rest.request(operation, &call), rest.route(&operation.name)) else { return };
    let said = |status: u16| !route.operation["responses"][status.to_string()].is_null();

    let spoilt = |rule, status, asked| expect(session, rest, operation, rule, status, asked);
    if asked.body.is_some() {
        // A stream is read when the service has begun with it: its items are told from the rest.
        spoilt(
            "a body that is no JSON",
            if operation.reads { 422 } else { 400 },
            Asked { body: Some(b"{\"".to_vec()), ..asked.clone() },
        )
        .await;
        spoilt("a body of another media type", 415, header(&asked, "content-type", "text/plain")).await;
    }
    if operation.reads && operation.stream {
        spoilt("a request that is no upgrade", 426, asked.clone()).await;
    }
    if said(406) {
        spoilt("Accept without JSON", 406, header(&asked, "accept", "image/png")).await;
    }
    let lock = Method::from_bytes(b"LOCK").unwrap_or_default();
    let Ok(reply) = rest.send(Asked { method: lock, body: None, ..asked }).await else { return };
    let fail = |why: String| session.report.fail(&operation.name, "another method", why);
    if reply.status != StatusCode::METHOD_NOT_ALLOWED {
        return fail(format!("405 was due, it answered {}", reply.status));
    }
    let allow = reply.headers.get(header::ALLOW).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
    for method in rest.methods(&route.path) {
        if !allowed.contains(&method.as_str()) {
            fail(format!("Allow is {allow:?}, without {method}"));
        }
    }
}

fn any_id(session: &Session<'_>, operation: &Operation) -> Value {
    let resource = operation.resource.as_ref().and_then(|name| session.description().resource(name));
    resource.and_then(|resource| resource.ids.first()).cloned().unwrap_or_default()
}

fn header(asked: &Asked, name: &'static str, value: &str) -> Asked {
    let mut asked = asked.clone();
    asked.headers.retain(|(other, _)| *other != name);
    asked.headers.push((name, value.to_owned()));
    asked
}

async fn expect(session: &Session<'_>, rest: &Rest, operation: &Operation, rule: &str, status: u16, asked: Asked) {
    let Ok(reply) = rest.send(asked).await else { return };
    let got = reply.status.as_u16();
    if got != status {
        return session.report.fail(&operation.name, rule, format!("{status} was due, it answered {got}"));
    }
    rest.judge(session, operation, &reply);
}

/// What makes an item answers 201, and its `Location` is where the item is.
pub(crate) async fn made(session: &Session<'_>, rest: &Rest, maker: &Operation, outcome: &Outcome) {
    let Ok(item) = outcome else { return };
    let fail = |rule: &str, why: String| session.report.fail(&maker.name, rule, why);
    let (status, location) = rest.last();
    if status != StatusCode::CREATED {
        fail("201 for a new item", format!("it answered {status}"));
    }
    let Some(location) = location else {
        return fail("Location", "there is none".into());
    };
    // An item that nobody can read has its place all the same.
    if !rest.reads_item(&maker.name) {
        return;
    }
    match get(rest, &location).await {
        Some(reply) if reply.status == StatusCode::OK => {
            if serde_json::from_slice::<Value>(&reply.body).ok().as_ref() != Some(item) {
                fail("Location", format!("{location} answers another item than was made"));
            }
        }
        reply => fail("Location", format!("{location} answers {:?}", reply.map(|reply| reply.status))),
    }
}

/// A replace of what is there answers 200.
pub(crate) async fn replace(session: &Session<'_>, rest: &Rest, replace: &Operation, call: Call) -> Outcome {
    let outcome = session.ask(replace, call).await;
    let (status, _) = rest.last();
    if outcome.is_ok() && status != StatusCode::OK {
        session.report.fail(&replace.name, "200 for what was there", format!("it answered {status}"));
    }
    outcome
}

/// 304 to who has the item's revision, the item to who has another.
pub(crate) async fn conditional(session: &Session<'_>, rest: &Rest, get: &Operation, item: &Value, id: &Value) {
    let call = Call { operation: get.name.clone(), id: id.clone(), ..Call::default() };
    let (Some(asked), Some(etag)) = (rest.request(get, &call), item["etag"].as_str()) else { return };
    let known = header(&asked, "if-none-match", &format!("\"{etag}\""));
    expect(session, rest, get, "If-None-Match of its revision", 304, known).await;
    let other = header(&asked, "if-none-match", "\"987654321\"");
    expect(session, rest, get, "If-None-Match of another revision", 200, other).await;
}

/// The `Link` of a page leads to the page that its cursor is for.
pub(crate) async fn link(session: &Session<'_>, rest: &Rest, list: &Operation) {
    let fail = |why: String| session.report.fail(&list.name, "Link", why);
    let call = |input: Value| Call { operation: list.name.clone(), input, ..Call::default() };
    let Some(asked) = rest.request(list, &call(json!({ "limit": 1 }))) else { return };
    let Ok(reply) = rest.send(asked).await else { return };
    let link = reply.headers.get(header::LINK).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let page = outcome(reply).unwrap_or_default();
    let (link, cursor) = match (link, page.get("next")) {
        (None, None) => return,
        (Some(link), Some(cursor)) => (link, cursor.clone()),
        (link, next) => return fail(format!("{link:?} with next {next:?}")),
    };
    let target = link.strip_prefix('<').and_then(|link| link.split_once(">; rel=\"next\"")).map(|(target, _)| target);
    let Some(reply) = (match target {
        Some(target) => get(rest, target).await,
        None => None,
    }) else {
        return fail(format!("{link} leads nowhere"));
    };
    let next = session.ask(list, call(json!({ "limit": 1, "cursor": cursor }))).await;
    match (outcome(reply), next) {
        (Ok(linked), Ok(next)) if linked["items"] == next["items"] => {}
        (linked, _) => {
            fail(format!("{link} leads to another page than `next`: {:?}", linked.map_err(|error| error.kind)))
        }
    }
}
