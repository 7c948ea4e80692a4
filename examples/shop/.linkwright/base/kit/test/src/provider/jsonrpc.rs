//! A service over JSON-RPC 2.0, as any caller speaks it, and what only JSON-RPC has: ids, batches, notifications, the
//! document of OpenRPC.

use std::time::Duration;

use anyhow::Result;
use axum::http::{HeaderMap, Method, StatusCode, header};
use kit::{Failure, FieldError, Kind, OperationError as _, Wire};
use reqwest::{Client, Url};
use serde_json::{Map, Value, json};

use super::{
    description::{Operation, Verb},
    face::{Call, Outcome},
    judge::Judge,
    rest::media_type,
    session::Session,
};

/// A client that reads answers by the committed document.
pub(crate) struct JsonRpc {
    http: Client,
    base: Url,
    /// Where it is called: `/v1/rpc`.
    path: String,
    document: Value,
    judge: Judge,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl JsonRpc {
    pub(crate) fn new(base: &str, document: Value) -> Result<Self> {
        // The kit's client has chosen how TLS is spoken, if anybody asks.
        let _ = kit_http::Client::new(base)?;
        let http = Client::builder().timeout(Duration::from_secs(30)).build()?;
        let path = document["servers"][0]["url"].as_str().unwrap_or_default().to_owned();
        Ok(Self { http, base: base.parse()?, path, judge: Judge::new(&document["components"]), document })
    }

    pub(crate) async fn call(&self, session: &Session<'_>, operation: &Operation, call: &Call) -> Outcome {
        let Some(method) = &operation.jsonrpc else {
            return Err(Failure::new(Kind::Unsupported, "it has no method").to_wire().into());
        };
        let id = call.trace.id();
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params(operation, call) });
        let reply = self.post(request.to_string(), Some(call)).await?;
        let fail = |rule: &str, why: String| session.report.fail(&operation.name, rule, why);
        let Some(answer) = reply.json() else {
            fail("a response of JSON-RPC", format!("{} as {:?}", reply.status, media_type(&reply.headers)));
            return Err(Failure::internal(anyhow::anyhow!("no response of JSON-RPC")).to_wire().into());
        };
        if let Some(why) = misshapen(&answer, &json!(id)) {
            fail("a response of JSON-RPC", why);
        }
        let said = self.document["methods"].as_array().into_iter().flatten().find(|said| said["name"] == **method);
        match (answer.get("error"), said) {
            (_, None) => fail("openrpc.json", format!("it has no method {method:?}")),
            (None, Some(said)) => {
                let wrong = self.judge.wrong(&said["result"]["schema"], &answer["result"]);
                wrong.into_iter().for_each(|wrong| fail("schema of the answer", wrong));
            }
            (Some(error), Some(said)) => {
                let mut codes = said["errors"].as_array().into_iter().flatten().map(|error| &error["code"]);
                if !codes.any(|code| *code == error["code"]) {
                    fail("declared codes", format!("{} is none of them", error["code"]));
                }
            }
        }
        match answer.get("error") {
            None => Ok(answer["result"].clone()),
            Some(error) => Err(wire(error)
                .map_err(|why| fail("an error of JSON-RPC", why))
                .unwrap_or_else(|()| Failure::internal(anyhow::anyhow!("an error that cannot be read")).to_wire())
                .into()),
        }
    }

    /// What is served is what is committed.
    pub(crate) async fn document(&self, session: &Session<'_>) {
        let fail = |why: String| session.report.fail("openrpc", "the document", why);
        // An old version's stands below its prefix.
        let version = self.document["info"]["version"].as_str().unwrap_or_default();
        let mut is_served = false;
        for path in ["/-/openrpc.json".to_owned(), format!("/v{version}/-/openrpc.json")] {
            let Ok(url) = self.base.join(&path) else { return };
            is_served |= self.send(self.http.get(url)).await.is_ok_and(|it| it.json().as_ref() == Some(&self.document));
        }
        if !is_served {
            fail("what is served at /-/openrpc.json is not the committed one".into());
        }
        let answer = self.ask(r#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"#).await;
        if answer.as_ref().map(|answer| &answer["result"]) != Ok(&self.document) {
            fail("`rpc.discover` does not answer with the committed one".into());
        }
    }

    /// Requests that no operation sees.
    pub(crate) async fn protocol(&self, session: &Session<'_>) {
        let fail = |rule: &str, why: String| session.report.fail("rpc", rule, why);
        let nothing = r#"{"jsonrpc":"2.0","method":"no.such.method"}"#;
        let error = |code: i32, id: Value| json!({ "code": code, "id": id });
        for (rule, text, due) in [
            (
                "a method that is not there",
                r#"{"jsonrpc":"2.0","id":"7","method":"no.such.method"}"#,
                error(-32601, json!("7")),
            ),
            ("a text that is no JSON", "{\"", error(-32700, Value::Null)),
            ("JSON that is no request", r#"{"jsonrpc":"2.0","method":1}"#, error(-32600, Value::Null)),
            ("a member that nobody knows", r#"{"jsonrpc":"2.0","id":7,"method":"a","x":1}"#, error(-32600, json!(7))),
            ("an empty batch", "[]", error(-32600, Value::Null)),
            (
                "a batch",
                &format!(r#"[1,{nothing},{{"jsonrpc":"2.0","id":null,"method":"no.such.method"}}]"#),
                json!([error(-32600, Value::Null), error(-32601, Value::Null)]),
            ),
        ] {
            let got = self.ask(text).await.map(|answer| match answer {
                Value::Array(all) => {
                    all.iter().map(|one| json!({ "code": one["error"]["code"], "id": one["id"] })).collect()
                }
                one => json!({ "code": one["error"]["code"], "id": one["id"] }),
            });
            if got.as_ref() != Ok(&due) {
                fail(rule, format!("{due} was due, it answered {}", got.unwrap_or_else(Value::from)));
            }
        }
        for text in [nothing.to_owned(), format!("[{nothing},{nothing}]")] {
            match self.post(text, None).await {
                Ok(reply) if reply.status == StatusCode::NO_CONTENT && reply.body.is_empty() => {}
                Ok(reply) => fail("notifications", format!("204 was due, it answered {}", reply.status)),
                Err(error) => fail("notifications", error.detail),
            }
        }
        let request = |method: Method| Some(self.http.request(method, self.base.join(&self.path).ok()?));
        let text = |text| request(Method::POST).map(|request| request.header(header::CONTENT_TYPE, text).body(nothing));
        for (rule, request, status) in
            [("GET", request(Method::GET), 405), ("a body of another media type", text("text/plain"), 415)]
        {
            let Some(request) = request else { continue };
            match self.send(request).await {
                Ok(reply) if reply.status.as_u16() == status => {
                    if status == 405 && reply.headers.get(header::ALLOW).is_none_or(|allow| allow != "POST") {
                        fail(rule, "Allow is not POST".into());
                    }
                }
                Ok(reply) => fail(rule, format!("{status} was due, it answered {}", reply.status)),
                Err(error) => fail(rule, error.detail),
            }
        }
    }

    /// What is answered to a text.
    async fn ask(&self, text: &str) -> Result<Value, String> {
        let reply = self.post(text.to_owned(), None).await.map_err(|error| error.detail)?;
        reply.json().ok_or_else(|| format!("{} as {:?}", reply.status, media_type(&reply.headers)))
    }

    async fn post(&self, text: String, call: Option<&Call>) -> Result<Reply, Wire> {
        let url = self.base.join(&self.path).map_err(|error| Failure::internal(error).to_wire())?;
        let mut request = self.http.post(url).header(header::CONTENT_TYPE, "application/json").body(text);
        if let Some(Call { trace, key, .. }) = call {
            request = request.header("traceparent", trace.to_string());
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
        }
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Reply, Wire> {
        let lost = |error: reqwest::Error| Failure::unavailable(error).to_wire();
        let response = request.send().await.map_err(lost)?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Reply { status, headers, body: response.bytes().await.map_err(lost)?.into() })
    }
}

impl Reply {
    /// The body of a success, if it is JSON.
    fn json(&self) -> Option<Value> {
        let is_json = self.status == StatusCode::OK && media_type(&self.headers) == "application/json";
        serde_json::from_slice(&self.body).ok().filter(|_| is_json)
    }
}

/// Parameters by name.
fn params(operation: &Operation, call: &Call) -> Value {
    let whole = match operation.verb {
        Some(Verb::Create | Verb::Replace) => Some("item"),
        Some(Verb::Patch) => Some("patch"),
        Some(Verb::List | Verb::Get | Verb::Delete) | None => None,
    };
    let mut params = match (whole, &call.input) {
        (Some(whole), input) => Map::from_iter([(whole.to_owned(), input.clone())]),
        (None, input) => input.as_object().cloned().unwrap_or_default(),
    };
    if operation.takes_id {
        params.insert("id".into(), call.id.clone());
    }
    if let Some(etag) = &call.etag {
        params.insert("etag".into(), json!(etag));
    }
    params.into()
}

/// What is wrong with a response (section 5 of the specification).
fn misshapen(answer: &Value, id: &Value) -> Option<String> {
    let members = answer.as_object()?;
    let known = ["jsonrpc", "result", "error", "id"];
    let wrong = answer["jsonrpc"] != "2.0"
        || answer["id"] != *id
        || members.contains_key("result") == members.contains_key("error")
        || members.keys().any(|name| !known.contains(&name.as_str()));
    wrong.then(|| answer.to_string().chars().take(160).collect())
}

/// The code of each kind.
const CODES: [(Kind, i32); 12] = [
    (Kind::Invalid, -32602),
    (Kind::Denied, -32003),
    (Kind::NotFound, -32004),
    (Kind::Exists, -32005),
    (Kind::Conflict, -32009),
    (Kind::Stale, -32012),
    (Kind::Limited, -32029),
    (Kind::Unavailable, -32053),
    (Kind::Unauthenticated, -32001),
    (Kind::Timeout, -32054),
    (Kind::Unsupported, -32601),
    (Kind::Internal, -32603),
];

/// The error of an operation.
fn wire(error: &Value) -> Result<Wire, String> {
    let data = &error["data"];
    let kind: Kind = serde_json::from_value(data["kind"].clone()).map_err(|_| format!("it has no kind: {error}"))?;
    if !CODES.iter().any(|(of, code)| *of == kind && error["code"] == *code) {
        return Err(format!("`{kind}` comes as {}", error["code"]));
    }
    if !data["trace_id"].is_string() {
        return Err(format!("it has no trace: {error}"));
    }
    let fields: Option<Vec<FieldError>> =
        data.get("fields").and_then(|fields| serde_json::from_value(fields.clone()).ok());
    Ok(Wire {
        kind,
        code: data["error"].as_str().map(str::to_owned),
        detail: error["message"].as_str().unwrap_or_default().to_owned(),
        fields: fields.unwrap_or_default(),
        data: data["data"].clone(),
        retry_after: data["retry_after"].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    })
}
