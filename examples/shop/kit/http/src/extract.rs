//! Requests into values: context, body, query, path. What is wrong with them is answered as a problem.

use std::{borrow::Cow, ops::Deref};

use axum::{
    RequestExt,
    body::HttpBody,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request, path::ErrorKind, rejection::PathRejection},
    http::{Extensions, HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use kit::{
    Context, Failure, FieldError, Validate,
    strict::{self, Refused},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Problem, accept, answer, version};

/// The context of a call that is answered in JSON; 406 if the caller cannot take that.
#[derive(Clone, Debug)]
pub struct Cx(pub Context);

impl Deref for Cx {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Cx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        accept::check(&parts.headers, "application/json")?;
        context(parts).map(Self)
    }
}

/// What the edge has made of the headers.
pub(crate) fn context(parts: &Parts) -> Result<Context, Problem> {
    let missing = || Failure::internal(anyhow::anyhow!("the router is not inside `kit_http::edge`"));
    parts.extensions.get().cloned().ok_or_else(|| missing().into())
}

/// A JSON body: read strictly, then validated. As an answer: 200 with the value.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonText(text) = JsonText::from_request(request, state).await?;
        json(&text).map(Self)
    }
}

/// A JSON body as it stands, unread: for what reads it in a way of its own.
#[derive(Clone, Debug)]
pub struct JsonText(pub Bytes);

impl<S: Sync> FromRequest<S> for JsonText {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(unsupported("application/json"));
        }
        bytes(request).await.map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        answer::ok(&self.0)
    }
}

/// A JSON merge patch (RFC 7396): read strictly, then validated.
#[derive(Clone, Debug)]
pub struct MergePatch<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Sync> FromRequest<S> for MergePatch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        const TYPE: &str = "application/merge-patch+json";
        if !is(request.headers(), |essence| essence == TYPE) {
            return Err(unsupported(TYPE));
        }
        json(&bytes(request).await?).map(Self)
    }
}

/// The query string, read strictly, then validated. Parameters repeat for lists.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(&parameters(parts.uri.query(), &parts.extensions), Vec::new()).map(Self)
    }
}

/// The parameters of an operation: all, but for what says its version.
pub(crate) fn parameters<'q>(query: Option<&'q str>, extensions: &Extensions) -> Cow<'q, str> {
    let query = query.unwrap_or_default();
    match extensions.get::<version::Said>() {
        Some(_) => version::without(query).into(),
        None => query.into(),
    }
}

/// A query string together with members that it does not hold.
pub(crate) fn query<T: DeserializeOwned + Validate>(text: &str, members: Vec<(&str, Value)>) -> Result<T, Problem> {
    let from = serde_html_form::Deserializer::from_bytes(text.as_bytes());
    match strict::form(members, from, ToString::to_string) {
        (Ok(value), wrong) => Ok(strict::valid(value, wrong)?),
        (Err(_), wrong) => Err(Failure::fields(wrong).into()),
    }
}

/// The parameters of the path: one value, a tuple, or a struct; read, then validated.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Validate + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let rejection = match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => {
                let Err(failure) = value.check() else { return Ok(Self(value)) };
                return Err(match names(parts, state).await.as_slice() {
                    [name] => in_path(failure, name),
                    _ => failure,
                }
                .into());
            }
            Err(rejection) => rejection,
        };
        let PathRejection::FailedToDeserializePathParams(wrong) = rejection else {
            return Err(Failure::internal(rejection).into());
        };
        let names = names(parts, state).await;
        let name = |index: usize| names.get(index).cloned().unwrap_or_default();
        let (field, detail) = match wrong.into_kind() {
            ErrorKind::ParseErrorAtKey { key, value, expected_type } => {
                (key, format!("{value:?} is not of type {expected_type}"))
            }
            ErrorKind::ParseErrorAtIndex { index, value, expected_type } => {
                (name(index), format!("{value:?} is not of type {expected_type}"))
            }
            ErrorKind::ParseError { value, expected_type } => {
                (name(0), format!("{value:?} is not of type {expected_type}"))
            }
            ErrorKind::DeserializeError { key, message, .. } => (key, message),
            ErrorKind::Message(message) => (name(0), message),
            ErrorKind::InvalidUtf8InPathParam { key } => (key, "is not UTF-8".into()),
            other => return Err(Failure::internal(anyhow::anyhow!("{other}")).into()),
        };
        Err(Failure::fields(vec![FieldError { field, detail }]).into())
    }
}

async fn names<S: Send + Sync>(parts: &mut Parts, state: &S) -> Vec<String> {
    match RawPathParams::from_request_parts(parts, state).await {
        Ok(params) => params.iter().map(|(name, _)| name.to_owned()).collect(),
        Err(_) => Vec::new(),
    }
}

/// An id is called as it is in the path.
pub(crate) fn in_path(mut failure: Failure, name: &str) -> Failure {
    failure.fields.iter_mut().for_each(|wrong| name.clone_into(&mut wrong.field));
    Failure::fields(failure.fields)
}

fn json<T: DeserializeOwned + Validate>(text: &[u8]) -> Result<T, Problem> {
    strict::json(text).map_err(refused)
}

/// What is wrong with a JSON body.
pub(crate) fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::Unreadable(why) => Problem::unreadable(format!("the body is no JSON document: {why}")),
        Refused::Invalid(failure) => failure.into(),
    }
}

/// The whole body, within the limit that the edge or the route has set. One that is said to be longer is not waited for.
pub(crate) async fn bytes(request: Request) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
    let said = request.body().size_hint().lower();
    let body = request.into_limited_body();
    // Where there is a limit, no more than that comes.
    if body.size_hint().upper().is_some_and(|most| most < said) {
        return Err(too_large());
    }
    match body.collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if is_too_large(&error) => Err(too_large()),
        Err(error) => Err(Problem::unreadable(format!("the body could not be read: {error}"))),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether the body is of a type that `fits`, in UTF-8.
pub(crate) fn is(headers: &HeaderMap, fits: impl FnOnce(&str) -> bool) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
    let mut charset = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let utf8 = charset.all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    utf8 && fits(&essence.trim().to_ascii_lowercase())
}

/// The body is JSON, and no patch.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    is(headers, |essence| essence == "application/json" || is_json_suffix(essence))
}

fn is_json_suffix(essence: &str) -> bool {
    essence.starts_with("application/") && essence.ends_with("+json") && essence != "application/merge-patch+json"
}

pub(crate) fn unsupported(wanted: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send the body as {wanted}"))
}
