//! Calls: what a client asks of a service, and what of the answers it reads.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, bail, ensure};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use kit::{Context, OperationError, Trace};
use kit_test::{Play, Script, Server};
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    common::{self, common},
    file::Pact,
};

/// Bytes of a body at most.
const MOST: usize = 16 << 20;
/// Headers that are part of what is asked: the others are of the call, or of HTTP.
const TOLD: &[&str] = &["accept", "api-version", "content-type", "if-match"];
/// Every call of these tests, so that files stay as they are.
const TRACE: &str = "00-0000000000000000000000000000000a-000000000000000a-01";

/// A scripted service behind the address that a client calls, and who looks on there.
pub struct Peer<'p> {
    pact: &'p Pact,
    transport: &'static str,
    url: String,
    seen: Arc<Seen>,
    _script: Server,
    listening: JoinHandle<()>,
}

/// What has to be so before the service is asked.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The resource of which an item is there: its id is not known before.
    pub resource: &'a str,
    /// The member that holds the id.
    pub member: &'a str,
    /// The id in the call.
    pub id: &'a str,
}

struct Seen {
    http: reqwest::Client,
    /// The script.
    base: String,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    exchanges: Vec<Exchange>,
    /// What is answered instead, to this request alone.
    played: Option<Exchange>,
}

#[derive(Clone, Debug)]
struct Exchange {
    /// As a pact has it.
    request: Value,
    status: StatusCode,
    kind: String,
    body: Vec<u8>,
}

impl Drop for Peer<'_> {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl<'p> Peer<'p> {
    /// `routes` are those around the script.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn over(pact: &'p Pact, transport: &'static str, routes: Router) -> Result<Self> {
        let script = Server::start(routes).await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        // The kit's client has chosen how TLS is spoken, if anybody asks.
        let _ = kit_http::Client::new(&script.url)?;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let seen = Arc::new(Seen { http, base: script.url.clone(), now: Mutex::default() });
        let routes = Router::new().fallback(pass).with_state(seen.clone());
        let listening = tokio::spawn(async move { _ = axum::serve(listener, routes).await });
        Ok(Self { pact, transport, url, seen, _script: script, listening })
    }

    /// What the client calls.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls once for each answer. What the calls ask and what the answers have in common is an interaction of the pact,
    /// with which alone the client has to be content.
    ///
    /// # Errors
    /// The client does not ask or read as it should.
    pub async fn asks<I, O, E>(
        &self,
        given: &[Given<'_>],
        operation: &str,
        script: &Script<I, O, E>,
        answers: [O; 2],
        ask: &impl AsyncFn(Context) -> Result<O, E>,
    ) -> Result<()>
    where
        O: Clone + Debug + PartialEq,
        E: OperationError + Debug,
    {
        let description = format!("{operation} over {}", self.transport);
        let mut exchanges = Vec::new();
        for answer in answers {
            script.next(Play::Answer(Ok(answer.clone())));
            let got = ask(cx()).await;
            ensure!(matches!(&got, Ok(got) if *got == answer), "{description}: {answer:?} is read as {got:?}");
            exchanges.push(self.exchange(&description)?);
        }
        let states = exist(given).chain([json!({ "name": format!("{operation} succeeds") })]).collect();
        let played = self.interaction(&description, states, given, exchanges)?;
        self.plays(played);
        let got = ask(cx()).await;
        self.plays(None);
        ensure!(got.is_ok(), "{description}: the client wants more than the pact says: {got:?}");
        Ok(())
    }

    /// The same, of an error that comes in a state: `no Order exists`, `cancel fails with TooLate`.
    ///
    /// # Errors
    /// As of [`asks`](Self::asks).
    pub async fn fails<I, O, E>(
        &self,
        given: &[Given<'_>],
        state: &str,
        operation: &str,
        script: &Script<I, O, E>,
        errors: [E; 2],
        ask: &impl AsyncFn(Context) -> Result<O, E>,
    ) -> Result<()>
    where
        O: Debug,
        E: OperationError + Debug,
    {
        let description = format!("{operation} over {} when {state}", self.transport);
        let mut exchanges = Vec::new();
        let mut due = None;
        for error in errors {
            let told = error.to_wire();
            script.next(Play::Answer(Err(error)));
            due = Some((told.kind, told.code));
            ensure!(told_by(&ask(cx()).await) == due, "{description}: the error is read as another");
            exchanges.push(self.exchange(&description)?);
        }
        let states = exist(given).chain([json!({ "name": state })]).collect();
        let played = self.interaction(&description, states, given, exchanges)?;
        self.plays(played);
        let got = ask(cx()).await;
        self.plays(None);
        ensure!(told_by(&got) == due, "{description}: the client wants more than the pact says: {got:?}");
        Ok(())
    }

    fn plays(&self, exchange: Option<Exchange>) {
        self.now().played = exchange;
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.seen.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exchange(&self, description: &str) -> Result<Exchange> {
        let mut exchanges = std::mem::take(&mut self.now().exchanges);
        ensure!(exchanges.len() == 1, "{description}: it takes {} requests", exchanges.len());
        exchanges.pop().context("no request")
    }

    /// Adds the interaction, and gives it as an answer to be played.
    fn interaction(
        &self,
        description: &str,
        states: Vec<Value>,
        given: &[Given<'_>],
        exchanges: Vec<Exchange>,
    ) -> Result<Option<Exchange>> {
        let [one, other] = exchanges.as_slice() else { bail!("{description}: two answers are due") };
        ensure!(one.request == other.request, "{description}: it is not always asked the same");
        ensure!(one.status == other.status && one.kind == other.kind, "{description}: it is not always answered so");
        let mut response = json!({ "status": one.status.as_u16() });
        let mut played = one.clone();
        if !one.body.is_empty() {
            let json = |exchange: &Exchange| -> Result<Value> {
                let body = serde_json::from_slice(&exchange.body).with_context(|| format!("{description}: no JSON"))?;
                Ok(common::read(body, essence(&exchange.kind)))
            };
            let (least, most) = (json(one)?, json(other)?);
            let body = common(&least, &most).with_context(|| format!("{description}: no common form"))?;
            let read = common::readable(&least, &most).with_context(|| format!("{description}: no common form"))?;
            response["headers"] = json!({ "Content-Type": [one.kind] });
            response["matchingRules"] = json!({ "body": common::rules(&body, essence(&one.kind)) });
            played.body = read.to_string().into_bytes();
            response["body"] = json!({ "content": body, "contentType": one.kind, "encoded": false });
        }
        let mut request = one.request.clone();
        let generators = generators(&request, given, description)?;
        if !generators.is_empty() {
            request["generators"] = generators.into();
        }
        self.pact.add(json!({
            "type": "Synchronous/HTTP",
            "description": description,
            "pending": false,
            "providerStates": states,
            "request": request,
            "response": response,
        }));
        Ok(Some(played))
    }
}

fn exist<'a>(given: &'a [Given<'_>]) -> impl Iterator<Item = Value> + 'a {
    given.iter().map(|given| json!({ "name": format!("one {} exists", given.resource) }))
}

fn cx() -> Context {
    let trace: Trace = TRACE.parse().unwrap_or_else(|_| Trace::start());
    Context::default().in_trace(trace).within(std::time::Duration::from_secs(20))
}

fn told_by<O, E: OperationError>(got: &Result<O, E>) -> Option<(kit::Kind, Option<String>)> {
    got.as_ref().err().map(OperationError::to_wire).map(|told| (told.kind, told.code))
}

/// Where the verifier puts ids that are known only when the items are there.
fn generators(request: &Value, given: &[Given<'_>], description: &str) -> Result<Map<String, Value>> {
    let mut generators = Map::new();
    for Given { resource, member, id } in given {
        let mut path: Vec<String> =
            request["path"].as_str().unwrap_or_default().split('/').map(str::to_owned).collect();
        let in_path = path.iter_mut().rfind(|segment| decoded(segment) == *id);
        if let Some(segment) = in_path {
            *segment = format!("${{{resource}}}");
            let expression = path.join("/");
            generators.insert("path".into(), json!({ "type": "ProviderState", "expression": expression }));
            continue;
        }
        let place = place(&request["body"]["content"], "", member, id);
        let place = place.with_context(|| format!("{description}: {id} of {member} is nowhere in the request"))?;
        let body = generators.entry("body").or_insert_with(|| json!({}));
        body[common::path(&place)] =
            json!({ "type": "ProviderState", "expression": format!("${{{resource}}}"), "dataType": "RAW" });
    }
    Ok(generators)
}

/// A segment of a path as it was before it was escaped: RFC 3986, section 2.1.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match escaped.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where a member of this name has this value. Transports write names in their own ways.
fn place(value: &Value, at: &str, member: &str, id: &str) -> Option<String> {
    let same = |name: &str| name.replace('_', "").eq_ignore_ascii_case(&member.replace('_', ""));
    // A key that is a number stands in a path as text.
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_id = |value: &Value| text(value) == id;
    let object = value.as_object()?;
    let here = object.iter().find(|(name, value)| same(name) && is_id(value));
    here.map(|(name, _)| format!("{at}/{name}"))
        .or_else(|| object.iter().find_map(|(name, value)| place(value, &format!("{at}/{name}"), member, id)))
}

/// Passes a request on to the script, and keeps it with its answer; or answers what is played.
async fn pass(State(seen): State<Arc<Seen>>, request: Request) -> Response {
    match seen.answer(request).await {
        Ok(answer) => answer,
        // Which says nothing that a client could read.
        Err(error) => (StatusCode::NOT_IMPLEMENTED, format!("{error:#}")).into_response(),
    }
}

impl Seen {
    async fn answer(&self, request: Request) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MOST).await?;
        let told = told(parts.method.as_str(), &parts.uri, &parts.headers, &body)?;
        let played = self.now.lock().unwrap_or_else(PoisonError::into_inner).played.clone();
        if let Some(exchange) = played {
            ensure!(exchange.request == told, "this is not asked: {told}");
            return exchange.response();
        }
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = parts.headers;
        headers.remove(header::HOST);
        let asked = self.http.request(parts.method, format!("{}{path}", self.base)).headers(headers).body(body);
        let answer = asked.send().await?;
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let (status, kind) = (answer.status(), kind.to_owned());
        let exchange = Exchange { request: told, status, kind, body: answer.bytes().await?.into() };
        let response = exchange.response();
        self.now.lock().unwrap_or_else(PoisonError::into_inner).exchanges.push(exchange);
        response
    }
}

impl Exchange {
    fn response(&self) -> Result<Response> {
        let mut response = Response::builder().status(self.status);
        if !self.kind.is_empty() {
            response = response.header(header::CONTENT_TYPE, &self.kind);
        }
        Ok(response.body(Body::from(self.body.clone()))?)
    }
}

/// A request as a pact has it.
fn told(method: &str, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Value> {
    let mut told = json!({ "method": method, "path": uri.path() });
    let url = reqwest::Url::parse(&format!("http://peer{uri}"))?;
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        query.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    if !query.is_empty() {
        told["query"] = json!(query);
    }
    let mut said = Map::new();
    for name in TOLD {
        if let Some(value) = headers.get(*name) {
            said.insert((*name).to_owned(), json!([value.to_str()?]));
        }
    }
    told["headers"] = said.into();
    if !body.is_empty() {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let content: Value = serde_json::from_slice(body).context("the body is no JSON")?;
        told["body"] = json!({ "content": content, "contentType": kind, "encoded": false });
    }
    Ok(told)
}

/// A media type without its parameters.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_where_they_are_asked_by() {
        let given = |id| [Given { resource: "Shelf", member: "shelf_id", id }];
        let request = json!({ "path": "/v1/shelves/a%2Fb/take", "body": { "content": { "input": { "shelfId": 7 } } } });
        let path = generators(&request, &given("a/b"), "take").unwrap();
        assert_eq!(path["path"]["expression"], "/v1/shelves/${Shelf}/take");
        let body = generators(&request, &given("7"), "take").unwrap();
        assert_eq!(body["body"]["$.input.shelfId"]["expression"], "${Shelf}");
        let error = generators(&request, &given("8"), "take").unwrap_err().to_string();
        assert_eq!(error, "take: 8 of shelf_id is nowhere in the request");
        assert_eq!(decoded("100%_%c3%bc"), "100%_ü");
    }
}
