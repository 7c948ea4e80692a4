//! What HTTP requests ask, and in which form they want it answered: GraphQL over HTTP.

use std::collections::HashMap;

use async_graphql::{Request, Response, Variables, parser::types::OperationType};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The media types of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/graphql-response+json`: the status tells whether the request could be executed.
    GraphQl,
    /// `application/json`: the status tells only whether the request could be read.
    Json,
}

impl Form {
    pub fn name(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// The form that the caller likes best; JSON if they do not care. `None`: they take neither.
    pub fn wanted(headers: &HeaderMap) -> Option<Self> {
        let Some(accept) = headers.get(header::ACCEPT) else { return Some(Self::Json) };
        let mut best: Option<(f32, Self)> = None;
        for range in accept.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Self::GraphQl,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse).unwrap_or_default();
            if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, form));
            }
        }
        best.map(|(_, form)| form)
    }
}

/// A request that cannot be executed, and why.
#[derive(Debug)]
pub struct Refusal(pub StatusCode, pub String);

impl Refusal {
    pub fn bad(why: impl std::fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_string())
    }

    pub fn body(&self) -> Value {
        json!({ "errors": [{ "message": self.1, "extensions": { "code": "INVALID" } }] })
    }
}

/// One request, or several sent as one.
#[derive(Debug)]
pub enum Asked {
    One(Box<Request>),
    Many(Vec<Request>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: String,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Variables,
    extensions: Option<HashMap<String, async_graphql::Value>>,
}

impl From<Parameters> for Request {
    fn from(parameters: Parameters) -> Self {
        let mut request = Self::new(parameters.query).variables(parameters.variables);
        request.operation_name = parameters.operation_name;
        request.extensions.extend(parameters.extensions.into_iter().flatten());
        request
    }
}

/// The requests of a POST.
pub fn posted(headers: &HeaderMap, body: &[u8], batch: usize) -> Result<Asked, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mut parts = kind.split(';').map(|part| part.trim().to_ascii_lowercase());
    let charset =
        |part: String| !part.starts_with("charset=") || part == "charset=utf-8" || part == "charset=\"utf-8\"";
    if parts.next().as_deref() != Some("application/json") || !parts.all(charset) {
        return Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json in UTF-8".into()));
    }
    if body.trim_ascii_start().first() != Some(&b'[') {
        let request = serde_json::from_slice::<Parameters>(body).map_err(Refusal::bad)?;
        return Ok(Asked::One(Box::new(request.into())));
    }
    let requests: Vec<Parameters> = serde_json::from_slice(body).map_err(Refusal::bad)?;
    if requests.is_empty() || requests.len() > batch {
        return Err(Refusal::bad(format!("from 1 to {batch} requests can be sent as one")));
    }
    Ok(Asked::Many(requests.into_iter().map(Request::from).collect()))
}

/// The request of a GET, which must be for one of these kinds of operation, none of which changes anything.
pub fn got(uri: &Uri, kinds: &[OperationType]) -> Result<Request, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Texts {
        query: String,
        operation_name: Option<String>,
        variables: Option<String>,
        extensions: Option<String>,
    }
    let axum::extract::Query(texts) = axum::extract::Query::<Texts>::try_from_uri(uri).map_err(Refusal::bad)?;
    fn object<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>, Refusal> {
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| serde_json::from_str(&text)).transpose().map(Option::flatten).map_err(Refusal::bad)
    }
    let mut request = Request::from(Parameters {
        query: texts.query,
        operation_name: texts.operation_name.filter(|name| !name.is_empty()),
        variables: object(texts.variables)?.unwrap_or_default(),
        extensions: object(texts.extensions)?,
    });
    match operation(&mut request) {
        Some(kind) if !kinds.contains(&kind) => {
            Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, format!("a {kind} cannot be sent with GET")))
        }
        _ => Ok(request),
    }
}

/// What kind of operation a request is for. `None`: that cannot be told, and executing it will say why.
fn operation(request: &mut Request) -> Option<OperationType> {
    let wanted = request.operation_name.clone();
    let mut operations = request.parsed_query().ok()?.operations.iter();
    let operation = match wanted {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| *name == wanted)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    operation.map(|(_, operation)| operation.node.ty)
}

/// The JSON form of a response. `data` is there if execution began.
#[derive(Serialize)]
pub struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a async_graphql::Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [async_graphql::ServerError],
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    extensions: &'a std::collections::BTreeMap<String, async_graphql::Value>,
}

impl<'a> From<&'a Response> for Answer<'a> {
    fn from(response: &'a Response) -> Self {
        // Only errors of fields have a path.
        let refused = !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty());
        let data = Some(&response.data).filter(|data| !refused || **data != async_graphql::Value::Null);
        Self { data, errors: &response.errors, extensions: &response.extensions }
    }
}

impl Answer<'_> {
    pub fn status(&self, form: Form) -> StatusCode {
        match (form, self.data) {
            (Form::GraphQl, None) => StatusCode::BAD_REQUEST,
            _ => StatusCode::OK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_has_the_form_that_is_wanted_most() {
        for (accept, form) in [
            ("application/json", Some(Form::Json)),
            ("application/graphql-response+json", Some(Form::GraphQl)),
            ("application/graphql-response+json; charset=utf-8, application/json; q=0.9", Some(Form::GraphQl)),
            ("application/graphql-response+json;q=0.5, application/json", Some(Form::Json)),
            ("text/html, */*;q=0.1", Some(Form::Json)),
            ("Application/JSON", Some(Form::Json)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(Form::wanted(&headers), form, "{accept}");
        }
        assert_eq!(Form::wanted(&HeaderMap::new()), Some(Form::Json));
    }

    #[test]
    fn bodies_that_are_no_requests_are_refused() {
        let json = HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json".parse().unwrap())]);
        for body in [
            "",
            "{",
            "7",
            "{}",
            r#"{"query":7}"#,
            r#"{"query":null}"#,
            r#"{"query":"{a}","variables":7}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","operationName":7}"#,
            r#"{"query":"{a}","extensions":"x"}"#,
            "[]",
            "[7]",
        ] {
            assert_eq!(posted(&json, body.as_bytes(), 2).unwrap_err().0, StatusCode::BAD_REQUEST, "{body}");
        }
        let three = format!("[{0},{0},{0}]", r#"{"query":"{a}"}"#);
        assert!(posted(&json, three.as_bytes(), 2).is_err() && posted(&json, three.as_bytes(), 3).is_ok());
        let nulls = br#"{"query":"{a}","variables":null,"operationName":null,"extensions":null}"#;
        assert!(posted(&json, nulls, 1).is_ok());
        for kind in ["text/plain", "application/json; charset=latin1", "multipart/form-data"] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(posted(&headers, nulls, 1).unwrap_err().0, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
        }
    }
}
