//! REST as any caller speaks it, by the committed `openapi.json` alone, which also judges every answer.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use axum::http::{HeaderMap, Method, StatusCode, header};
use kit::{Failure, OperationError as _, Wire};
use kit_http::Problem;
use reqwest::{Client, Url};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::{
    compare::text,
    description::Operation,
    face::{Call, Listen, Outcome, Told, first},
    judge::Judge,
    session::Session,
};

pub(crate) const PROBLEM: &str = "application/problem+json";
pub(crate) const EVENTS: &str = "text/event-stream";

pub(crate) struct Rest {
    http: Client,
    base: Url,
    document: Value,
    judge: Judge,
    routes: BTreeMap<String, Route>,
    /// By which the version is asked for, if by any.
    pub media: Option<String>,
    /// What the last call was answered: its status, and `Location`.
    last: RefCell<(StatusCode, Option<String>)>,
}

/// Where an operation is, and what the document says of it.
pub(crate) struct Route {
    pub method: Method,
    /// `/v1/orders/{id}`
    pub path: String,
    pub operation: Value,
}

/// A request, to be spoilt before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
    pub listen: Listen,
}

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Rest {
    pub(crate) fn new(base: &str, document: Value) -> anyhow::Result<Self> {
        let mut routes = BTreeMap::new();
        for (path, method, operation) in operations(&document) {
            let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
            let method = method.to_uppercase().parse()?;
            routes.insert(name, Route { method, path: path.to_owned(), operation: operation.clone() });
        }
        Self::of(base, document, routes)
    }

    /// A service behind a gateway: what `own`, its own document, has, as the gateway's document has it below `prefix`.
    /// There its operations may have other names.
    pub(crate) fn behind(base: &str, document: Value, own: &Value, prefix: &str) -> anyhow::Result<Self> {
        let mut routes = BTreeMap::new();
        for (path, method, operation) in operations(own) {
            let path = format!("{prefix}{path}");
            let said = &document["paths"][&path][method];
            anyhow::ensure!(said.is_object(), "the gateway's document has no {method} {path}");
            let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
            routes.insert(name, Route { method: method.to_uppercase().parse()?, path, operation: said.clone() });
        }
        Self::of(base, document, routes)
    }

    fn of(base: &str, document: Value, routes: BTreeMap<String, Route>) -> anyhow::Result<Self> {
        let media = vendor(&document).map(str::to_owned);
        let judge = Judge::new(&document["components"]);
        // The kit's client has chosen how TLS is spoken, if anybody asks.
        let _ = kit_http::Client::new(base)?;
        let http =
            Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(30)).build()?;
        Ok(Self { http, base: base.parse()?, document, judge, routes, media, last: RefCell::default() })
    }

    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    pub(crate) fn route(&self, operation: &str) -> Option<&Route> {
        self.routes.get(operation)
    }

    /// Whether callers can read one of the items that an operation makes: with POST below its path, with PUT there.
    pub(crate) fn reads_item(&self, maker: &str) -> bool {
        let Some(made) = self.route(maker) else { return false };
        let is_item = |path: &str| match made.method == Method::PUT {
            true => path == made.path,
            false => path
                .strip_prefix(&made.path)
                .and_then(|below| below.strip_prefix("/{"))
                .is_some_and(|rest| rest.ends_with('}') && !rest.contains('/')),
        };
        self.routes.values().any(|route| route.method == Method::GET && is_item(&route.path))
    }

    /// The status of the last answer, and where it says that something was made.
    pub(crate) fn last(&self) -> (StatusCode, Option<String>) {
        self.last.borrow().clone()
    }

    /// The methods that the document has at a path.
    pub(crate) fn methods(&self, path: &str) -> Vec<&Method> {
        self.routes.values().filter(|route| route.path == path).map(|route| &route.method).collect()
    }

    pub(crate) fn at(&self, path: &str) -> Option<Url> {
        self.base.join(path).ok()
    }

    /// The request of a call, as the document wants it.
    pub(crate) fn request(&self, operation: &Operation, call: &Call) -> Option<Asked> {
        let Route { method, path, operation: said } = self.route(&operation.name)?;
        let mut input = call.input.as_object().cloned().unwrap_or_default();
        let mut url = self.base.clone();
        let (mut query, mut version) = (Vec::new(), None);
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            if parameter["in"] == "query"
                && let Some(value) = input.remove(name)
            {
                add(&mut query, name, &value, parameter["explode"] == Value::Bool(false));
            }
            // What has one value only is always said: a version.
            match (&parameter["schema"]["const"], parameter["in"].as_str()) {
                (Value::Null, _) => {}
                (value, Some("query")) => add(&mut query, name, value, false),
                (value, _) => version = Some(text(value)),
            }
        }
        {
            let mut segments = url.path_segments_mut().ok()?;
            segments.pop_if_empty();
            for segment in path.split('/').filter(|segment| !segment.is_empty()) {
                match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => segments.push(&path_value(operation, call, &mut input, name)),
                    None => segments.push(segment),
                };
            }
        }
        if said["requestBody"].is_null() {
            // What the document does not know travels with the rest.
            std::mem::take(&mut input).iter().for_each(|(name, value)| add(&mut query, name, value, false));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let accept = match (&self.media, operation.stream) {
            (None, true) => EVENTS.to_owned(),
            (None, false) => "application/json".to_owned(),
            (Some(media), true) => format!("{media}, {EVENTS}"),
            (Some(media), false) => media.clone(),
        };
        let mut headers = vec![("accept", accept), ("traceparent", call.trace.to_string())];
        headers.extend(version.map(|version| ("api-version", version)));
        if let Some(etag) = &call.etag {
            headers.push(("if-match", format!("\"{etag}\"")));
        }
        if let Some(key) = &call.key {
            headers.push(("idempotency-key", key.clone()));
        }
        let content = said["requestBody"]["content"].as_object().and_then(|content| content.keys().next());
        let body = content.map(|media_type| {
            headers.push(("content-type", media_type.clone()));
            match &call.input {
                Value::Object(_) => Value::Object(input).to_string().into_bytes(),
                Value::Array(items) if operation.reads => lines(items).into_bytes(),
                other => other.to_string().into_bytes(),
            }
        });
        Some(Asked { method: method.clone(), url, headers, body, listen: call.listen.clone() })
    }

    /// Sends as it stands.
    pub(crate) async fn send(&self, asked: Asked) -> Result<Reply, Wire> {
        let lost = |error: reqwest::Error| Failure::unavailable(error).to_wire();
        let mut request = self.http.request(asked.method, asked.url);
        for (name, value) in asked.headers {
            request = request.header(name, value);
        }
        if let Some(body) = asked.body {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(lost)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let streams = media_type(&headers) == EVENTS;
        let mut body = Vec::new();
        let end = Instant::now() + asked.listen.patience;
        loop {
            let chunk = match streams {
                true => timeout_at(end, response.chunk()).await.unwrap_or(Ok(None)),
                false => response.chunk().await,
            };
            match chunk.map_err(lost)? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
            if streams && asked.listen.is_enough(&events(&body)) {
                break;
            }
        }
        Ok(Reply { status, headers, body })
    }

    pub(crate) async fn call(&self, session: &Session<'_>, operation: &Operation, call: &Call) -> Outcome {
        let Some(asked) = self.request(operation, call) else {
            return Err(Failure::invalid("the document has no such operation").to_wire().into());
        };
        if operation.reads && operation.stream {
            return self.talk(call, &asked).await;
        }
        let reply = self.send(asked).await?;
        self.judge(session, operation, &reply);
        let location = reply.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        self.last.replace((reply.status, location.map(str::to_owned)));
        outcome(reply)
    }

    /// Sends the items over a WebSocket, and hears what comes.
    async fn talk(&self, call: &Call, asked: &Asked) -> Outcome {
        let client = kit_http::Client::new(self.base.as_str()).map_err(|error| Failure::internal(error).to_wire())?;
        let segments: Vec<&str> = asked.url.path_segments().into_iter().flatten().collect();
        let request = kit_http::Request::new(Method::GET, &segments);
        first(call, client.exchange::<_, Value, Told>(&call.cx(), request, call.items::<Value>()?).await).await
    }

    /// Whether status, media type, headers and body are what the document says.
    pub(crate) fn judge(&self, session: &Session<'_>, operation: &Operation, reply: &Reply) {
        let fail = |rule: &str, why: String| session.report.fail(&operation.name, rule, why);
        let Some(route) = self.route(&operation.name) else { return };
        let status = reply.status.as_u16();
        let said = self.resolved(&route.operation["responses"][status.to_string()]);
        if said.is_null() {
            let body = String::from_utf8_lossy(&reply.body);
            return fail("status", format!("{status} is not declared: {}", body.chars().take(160).collect::<String>()));
        }
        for (name, header) in said["headers"].as_object().into_iter().flatten() {
            let schema = &self.resolved(header)["schema"];
            match reply.headers.get(name.as_str()).and_then(|value| value.to_str().ok()) {
                // The last page has none.
                None if name == "Link" || name == "Retry-After" => {}
                None => fail(name, format!("{status} comes without it")),
                // That is for answers with stand-ins in them.
                Some("no-store") if name == "Cache-Control" && !reply.headers.contains_key("fallback") => {
                    fail(name, "it is `no-store`, and nothing in it is a stand-in".into());
                }
                Some(value) => {
                    let value = value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from);
                    self.judge.wrong(schema, &value).into_iter().for_each(|wrong| fail(name, wrong));
                }
            }
        }
        let media_type = media_type(&reply.headers);
        match said["content"].as_object() {
            None if reply.body.is_empty() => {}
            None => fail("body", format!("{status} is declared without one")),
            Some(content) => match content.get(media_type).or_else(|| content.get(whole_type(&reply.headers))) {
                None => fail("media type", format!("{status} comes as {media_type:?}")),
                Some(media) if media_type == EVENTS => {
                    for item in events(&reply.body) {
                        let wrong = self.judge.wrong(&media["schema"]["items"], &item);
                        wrong.into_iter().for_each(|wrong| fail("schema of the answer", wrong));
                    }
                }
                Some(media) => match serde_json::from_slice::<Value>(&reply.body) {
                    Ok(body) => {
                        let rule = if media_type == PROBLEM { "problem" } else { "schema of the answer" };
                        self.judge.wrong(&media["schema"], &body).into_iter().for_each(|wrong| fail(rule, wrong));
                        consistent(reply, &body, media_type).into_iter().for_each(|(rule, wrong)| fail(rule, wrong));
                    }
                    Err(error) => fail("body", error.to_string()),
                },
            },
        }
    }

    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        let place = value["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
        place.and_then(|place| self.document.pointer(place)).unwrap_or(value)
    }
}

/// Path, method and description of every operation of a document.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let items = document["paths"].as_object().into_iter().flatten();
    items.flat_map(|(path, item)| {
        let operations = item.as_object().into_iter().flatten();
        operations.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// What a reply says of an operation.
pub(crate) fn outcome(reply: Reply) -> Outcome {
    let Reply { status, headers, body } = reply;
    if !status.is_success() {
        return Err(Problem::read(status, &headers, &body).into_wire().into());
    }
    if media_type(&headers) != EVENTS {
        return Ok(serde_json::from_slice(&body).unwrap_or_default());
    }
    match named(&body, "error").pop() {
        Some(problem) => {
            let problem = serde_json::from_value::<Problem>(problem);
            Err(problem.map_or_else(|error| Failure::internal(error).to_wire(), Problem::into_wire).into())
        }
        None => Ok(events(&body).into()),
    }
}

pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    let value = whole_type(headers);
    value.split(';').next().unwrap_or_default().trim()
}

/// With its parameters.
fn whole_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The media type that says which version is meant, if the document has one.
fn vendor(document: &Value) -> Option<&str> {
    let operations = document["paths"].as_object()?.values().filter_map(Value::as_object).flat_map(Map::values);
    let answers = operations.filter_map(|operation| operation["responses"].as_object()).flat_map(Map::values);
    let kinds = answers.filter_map(|answer| answer["content"].as_object()).flat_map(Map::keys);
    kinds.map(String::as_str).find(|kind| kind.starts_with("application/vnd."))
}

/// What headers and body both say must be the same.
fn consistent(reply: &Reply, body: &Value, media_type: &str) -> Option<(&'static str, String)> {
    if media_type == PROBLEM {
        let status = reply.status.as_u16();
        return (body["status"] != status)
            .then(|| ("problem", format!("its status is {}, the answer's {status}", body["status"])));
    }
    let tag = reply.headers.get(header::ETAG)?.to_str().ok()?;
    let etag = body["etag"].as_str()?;
    (tag != format!("\"{etag}\"")).then(|| ("ETag", format!("is {tag}, the item has etag {etag:?}")))
}

/// The data of all whole events that are items.
fn events(body: &[u8]) -> Vec<Value> {
    named(body, "message")
}

/// The data of all whole events of a name; those without one are called `message`.
fn named(body: &[u8], name: &str) -> Vec<Value> {
    let text = String::from_utf8_lossy(body);
    let whole = text.split_inclusive("\n\n").filter(|event| event.ends_with("\n\n"));
    let data = |event: &str| {
        let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
        let is_meant = line("event:").unwrap_or("message") == name;
        serde_json::from_str(line("data:").filter(|_| is_meant)?).ok()
    };
    whole.filter_map(data).collect()
}

fn path_value(operation: &Operation, call: &Call, input: &mut Map<String, Value>, name: &str) -> String {
    // A verb takes nothing in its path but the id, whatever that is called.
    let is_id = operation.takes_id && (operation.verb.is_some() || name == "id" || !input.contains_key(name));
    text(&if is_id { call.id.clone() } else { input.remove(name).unwrap_or_default() })
}

fn add(query: &mut Vec<(String, String)>, name: &str, value: &Value, joined: bool) {
    match value {
        Value::Null => {}
        Value::Array(values) if joined => {
            let values: Vec<String> = values.iter().map(text).collect();
            query.push((name.to_owned(), values.join(",")));
        }
        Value::Array(values) => values.iter().for_each(|value| query.push((name.to_owned(), text(value)))),
        value => query.push((name.to_owned(), text(value))),
    }
}

/// NDJSON.
fn lines(items: &[Value]) -> String {
    items.iter().map(|item| format!("{item}\n")).collect()
}
