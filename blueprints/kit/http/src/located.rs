//! Inputs of which a part stands in the path, and the rest in the query or the body.

use std::collections::BTreeMap;

use axum::{
    body::HttpBody,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::Uri,
};
use kit::{Failure, FieldError, Validate, strict};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Problem,
    extract::{bytes, in_path, is_json, parameters, query, refused, unsupported},
};

/// A field that stands in the path, and what JSON has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InPath {
    Text(&'static str),
    /// A number, true or false.
    Plain(&'static str),
}

impl InPath {
    fn name(self) -> &'static str {
        let (Self::Text(name) | Self::Plain(name)) = self;
        name
    }

    fn value(self, text: &str) -> Value {
        match self {
            Self::Text(_) => text.into(),
            // What is no number is told so by the type that it should be.
            Self::Plain(_) => text.parse().unwrap_or_else(|_| text.into()),
        }
    }
}

/// The sender's side: what of the input stands in the path, as text, and the rest of it.
///
/// # Errors
/// The input has no JSON form, or one of these fields is no text, number, true or false.
pub fn apart<const N: usize>(input: &impl Serialize, in_path: [&str; N]) -> Result<([String; N], Value), Failure> {
    let mut rest = serde_json::to_value(input).map_err(Failure::internal)?;
    let mut located = in_path.map(|_| String::new());
    for (text, name) in located.iter_mut().zip(in_path) {
        *text = match rest.as_object_mut().and_then(|members| members.remove(name)) {
            Some(Value::String(text)) => text,
            Some(plain @ (Value::Number(_) | Value::Bool(_))) => plain.to_string(),
            _ => return Err(Failure::internal(anyhow::anyhow!("`{name}` cannot stand in a path"))),
        };
    }
    Ok((located, rest))
}

/// A request that is read piece by piece.
#[derive(Debug)]
pub struct Located {
    /// Of the path, as they stand there once decoded.
    params: BTreeMap<String, String>,
    uri: Uri,
    request: Request,
}

impl<S: Send + Sync> FromRequest<S> for Located {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, state).await;
        let params = params.map_err(|_| Problem::unreadable("the path is not UTF-8"))?;
        let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let uri = parts.uri.clone();
        Ok(Self { params, uri, request: Request::from_parts(parts, body) })
    }
}

impl Located {
    /// One parameter of the path.
    ///
    /// # Errors
    /// It is of another type, or not valid.
    pub fn param<T: DeserializeOwned + Validate>(&self, name: &str) -> Result<T, Problem> {
        let pair = [(name, self.text(name))];
        let form = serde_html_form::to_string(pair).map_err(Failure::internal)?;
        let read: Result<BTreeMap<String, T>, _> = serde_html_form::from_str(&form);
        let wrong = |detail: String| Failure::fields(vec![FieldError { field: name.to_owned(), detail }]);
        let value = read.map_err(|error| wrong(error.to_string()))?.remove(name);
        let value = value.ok_or_else(|| wrong("is missing".into()))?;
        value.check().map_err(|failure| in_path(failure, name))?;
        Ok(value)
    }

    /// The input whose other fields are parameters of the query, read strictly, then validated. One of the `lists` that
    /// is not there is empty: lists repeat their parameter.
    ///
    /// # Errors
    /// A parameter is not known, missing, or of another type.
    pub fn query<T: DeserializeOwned + Validate>(self, in_path: &[InPath], lists: &[&str]) -> Result<T, Problem> {
        let text = &*parameters(self.uri.query(), self.request.extensions());
        let given: Vec<(String, String)> =
            serde_html_form::from_str(text).map_err(|error| Problem::unreadable(error.to_string()))?;
        let is_empty = |list: &&&str| given.iter().all(|(name, _)| name != *list);
        let empty = lists.iter().filter(is_empty).map(|list| (*list, Value::Array(Vec::new())));
        query(text, self.members(in_path).chain(empty).collect())
    }

    /// The input whose other fields are a JSON object in the body, read strictly, then validated. No body is an empty one.
    ///
    /// # Errors
    /// The body is no JSON; a member is not known, missing, or of another type.
    pub async fn json<T: DeserializeOwned + Validate>(mut self, in_path: &[InPath]) -> Result<T, Problem> {
        if !is_json(self.request.headers()) && !self.request.body().is_end_stream() {
            return Err(unsupported("application/json"));
        }
        let body = bytes(std::mem::take(&mut self.request)).await?;
        let text = if body.is_empty() { b"{}" } else { &*body };
        strict::json_with(text, self.members(in_path).collect()).map_err(refused)
    }

    /// What stands in the path, as JSON has it.
    fn members<'f>(&self, in_path: &'f [InPath]) -> impl Iterator<Item = (&'f str, Value)> {
        in_path.iter().map(|field| (field.name(), field.value(self.text(field.name()))))
    }

    fn text(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }
}
