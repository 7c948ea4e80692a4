//! What HTTP requests ask, and in which form they want it answered: GraphQL over HTTP.

use std::{collections::HashMap, fmt};

use async_graphql::{Request, Response, ServerError, Variables, parser::types::OperationType};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, DeserializeSeed, Error, SeqAccess, Visitor},
};
use serde_json::{Value, json};

use crate::Documents;

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
pub struct Refusal {
    /// 200: it could be read. Where the answer has the newer media type, that is a 400 too.
    status: StatusCode,
    code: String,
    message: String,
}

impl Refusal {
    pub fn new(status: StatusCode, why: impl fmt::Display) -> Self {
        Self { status, code: "INVALID".into(), message: why.to_string() }
    }

    pub fn bad(why: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// Of a request that could be read, and yet not executed.
    fn unfit(error: ServerError) -> Self {
        let code = match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
            Some(async_graphql::Value::String(code)) => code.clone(),
            _ => "INVALID".into(),
        };
        Self { code, ..Self::new(StatusCode::OK, error.message) }
    }

    pub fn status(&self, form: Form) -> StatusCode {
        match (form, self.status) {
            (Form::GraphQl, StatusCode::OK) => StatusCode::BAD_REQUEST,
            (_, status) => status,
        }
    }

    pub fn body(&self) -> Value {
        json!({ "errors": [{ "message": self.message, "extensions": { "code": self.code } }] })
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
    /// Absent: a hash stands in its place.
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Variables,
    extensions: Option<HashMap<String, async_graphql::Value>>,
}

impl Parameters {
    fn request<E: Error>(self) -> Result<Request, E> {
        let extensions = self.extensions.unwrap_or_default();
        if self.query.is_none() && !extensions.contains_key("persistedQuery") {
            return Err(E::missing_field("query"));
        }
        let mut request = Request::new(self.query.unwrap_or_default()).variables(self.variables);
        request.operation_name = self.operation_name;
        request.extensions.extend(extensions);
        Ok(request)
    }
}

/// The requests of a POST.
pub fn posted(headers: &HeaderMap, body: &[u8], batch: usize) -> Result<Asked, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mut parts = kind.split(';').map(|part| part.trim().to_ascii_lowercase());
    let charset =
        |part: String| !part.starts_with("charset=") || part == "charset=utf-8" || part == "charset=\"utf-8\"";
    if parts.next().as_deref() != Some("application/json") || !parts.all(charset) {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json in UTF-8"));
    }
    if body.trim_ascii_start().first() != Some(&b'[') {
        let request = serde_json::from_slice::<Parameters>(body).and_then(Parameters::request);
        return request.map(Box::new).map(Asked::One).map_err(Refusal::bad);
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let requests = Batch { most: batch }.deserialize(&mut json).map_err(Refusal::bad)?;
    json.end().map_err(Refusal::bad)?;
    Ok(Asked::Many(requests))
}

/// Requests sent as one: a list, as most servers and clients have it, for GraphQL over HTTP says nothing of it. Each is
/// answered as if it had come alone, and the answers stand in the same order.
struct Batch {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Batch {
    type Value = Vec<Request>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Batch {
    type Value = Vec<Request>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "a list of requests")
    }

    /// No further than the limit: what follows is not even read.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut requests = Vec::new();
        while let Some(parameters) = list.next_element::<Parameters>()? {
            if requests.len() == self.most {
                return Err(A::Error::custom(format_args!("at most {} requests can be sent as one", self.most)));
            }
            requests.push(parameters.request()?);
        }
        match requests.is_empty() {
            true => Err(A::Error::custom("no request is in the list")),
            false => Ok(requests),
        }
    }
}

/// The request of a GET, which must be for one of these kinds of operation, none of which changes anything.
pub fn got(uri: &Uri, kinds: &[OperationType], documents: &Documents) -> Result<Request, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Texts {
        query: Option<String>,
        operation_name: Option<String>,
        variables: Option<String>,
        extensions: Option<String>,
    }
    let axum::extract::Query(texts) = axum::extract::Query::<Texts>::try_from_uri(uri).map_err(Refusal::bad)?;
    fn object<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>, Refusal> {
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| serde_json::from_str(&text)).transpose().map(Option::flatten).map_err(Refusal::bad)
    }
    let parameters = Parameters {
        query: texts.query,
        operation_name: texts.operation_name.filter(|name| !name.is_empty()),
        variables: object(texts.variables)?.unwrap_or_default(),
        extensions: object(texts.extensions)?,
    };
    let mut request = parameters.request::<serde_json::Error>().map_err(Refusal::bad)?;
    // Only the document tells what kind it is for.
    documents.resolve(&mut request).map_err(Refusal::unfit)?;
    match operation(&mut request) {
        Some(kind) if !kinds.contains(&kind) => {
            Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, format_args!("a {kind} cannot be sent with GET")))
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
            r#"[{"query":"{a}"}] x"#,
        ] {
            assert_eq!(posted(&json, body.as_bytes(), 2).unwrap_err().status, StatusCode::BAD_REQUEST, "{body}");
        }
        let three = format!("[{0},{0},{0}]", r#"{"query":"{a}"}"#);
        assert!(posted(&json, three.as_bytes(), 2).is_err() && posted(&json, three.as_bytes(), 3).is_ok());
        let nulls = br#"{"query":"{a}","variables":null,"operationName":null,"extensions":null}"#;
        assert!(posted(&json, nulls, 1).is_ok());
        for kind in ["text/plain", "application/json; charset=latin1", "multipart/form-data"] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(posted(&headers, nulls, 1).unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
        }
    }
}
