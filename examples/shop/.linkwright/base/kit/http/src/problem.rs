//! Errors as answers: RFC 9457 out of a failure or declared error, and back.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kit::{FieldError, Kind, OperationError, Wire};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The path below which the documents explain each declared error.
const ERRORS: &str = "/errors/";
/// `type` of an error that its status says all about.
const BLANK: &str = "about:blank";

/// An error as REST answers it: RFC 9457. Boxed, since it is the error of every handler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problem(Box<Details>);

/// The members of a problem, among them what a client needs to turn it back into the operation's error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// `/errors/OutOfStock` for a declared error, else `about:blank`.
    #[serde(rename = "type", default = "blank")]
    pub type_uri: String,
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    #[serde(default)]
    pub detail: String,
    /// `None` in what other servers answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// Names the request in the service's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The record that a declared error brings along.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// The header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

fn blank() -> String {
    BLANK.into()
}

impl Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl Problem {
    /// A problem that has nothing to say but its status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::of(
            status,
            Wire {
                kind: kind(status),
                code: None,
                detail: detail.into(),
                fields: Vec::new(),
                data: Value::Null,
                retry_after: None,
            },
        )
    }

    /// The request cannot be understood at all: 400, where wrong values are 422.
    pub fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    fn of(status: StatusCode, wire: Wire) -> Self {
        let (type_uri, title) = match &wire.code {
            Some(code) => (format!("{ERRORS}{code}"), words(code)),
            None => (blank(), status.canonical_reason().unwrap_or("Error").to_owned()),
        };
        Self(Box::new(Details {
            type_uri,
            title,
            status: status.as_u16(),
            detail: wire.detail,
            kind: Some(wire.kind),
            fields: wire.fields,
            trace_id: None,
            data: wire.data,
            retry_after: wire.retry_after,
        }))
    }

    /// Reads an answer that is no success, whoever gave it: a service of ours, a proxy in between, anything.
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut problem = match serde_json::from_slice::<Self>(body) {
            Ok(problem) if is_problem(headers) => problem,
            _ => Self::new(status, format!("the answer was {status}")),
        };
        problem.status = status.as_u16();
        problem.retry_after = retry_after(headers);
        problem
    }

    pub(crate) fn body(&self) -> Body {
        Body::from(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Names the request in the service's log.
    pub(crate) fn in_trace(mut self, id: &str) -> Self {
        self.trace_id = Some(id.to_owned());
        self
    }

    /// What every transport carries.
    pub fn into_wire(self) -> Wire {
        let Details { type_uri, status, detail, kind: told, fields, data, retry_after, .. } = *self.0;
        Wire {
            kind: told.unwrap_or_else(|| kind(StatusCode::from_u16(status).unwrap_or_default())),
            code: type_uri.rsplit_once(ERRORS).map(|(_, code)| code.to_owned()),
            detail,
            fields,
            data,
            retry_after,
        }
    }
}

/// An operation's error, or a [`Failure`](kit::Failure). Its cause is logged here and goes no further.
impl<E: OperationError> From<E> for Problem {
    fn from(error: E) -> Self {
        kit::log_cause(&error, None);
        let wire = error.to_wire();
        Self::of(status(wire.kind), wire)
    }
}

/// The problem also goes into the extensions of the response, where the edge finds it and adds the trace.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(pause) = self.retry_after {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(pause.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)),
            );
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The HTTP status of each kind of error.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Exists | Kind::Conflict => StatusCode::CONFLICT,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
        Kind::Limited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Kind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The kind of an answer that says nothing but its status: of proxies, other frameworks, other people's services.
pub fn kind(status: StatusCode) -> Kind {
    match status.as_u16() {
        401 | 407 => Kind::Unauthenticated,
        403 => Kind::Denied,
        404 | 410 => Kind::NotFound,
        405 | 406 | 415 | 501 | 505 => Kind::Unsupported,
        408 | 504 => Kind::Timeout,
        409 | 423 => Kind::Conflict,
        412 => Kind::Stale,
        429 => Kind::Limited,
        502 | 503 => Kind::Unavailable,
        400..=499 => Kind::Invalid,
        _ => Kind::Internal,
    }
}

fn is_problem(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with("application/problem+json"))
}

/// Seconds; the form with a date is not used among services.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// `OutOfStock` as `Out of stock`.
fn words(code: &str) -> String {
    let mut text = String::new();
    for (index, letter) in code.chars().enumerate() {
        if index > 0 && letter.is_uppercase() {
            text.push(' ');
            text.extend(letter.to_lowercase());
        } else {
            text.push(letter);
        }
    }
    text
}
