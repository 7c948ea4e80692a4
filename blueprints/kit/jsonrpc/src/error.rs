//! Errors as answers (section 5.1 of the specification): out of a failure or declared error, and back.

use std::time::Duration;

use kit::{FieldError, Kind, OperationError, Wire};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The text is no JSON document.
const PARSE: i32 = -32700;
/// The JSON document is no request.
const INVALID_REQUEST: i32 = -32600;

/// The error of a response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Error {
    pub code: i32,
    #[serde(default)]
    pub message: String,
    /// What other servers put here may be anything, and is passed over.
    #[serde(default, deserialize_with = "tolerant", skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<Data>>,
}

/// What a client needs to turn an error back into the operation's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Data {
    pub kind: Kind,
    /// The name of a declared error: `OutOfStock`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was wrong this time, where the message only says what the code means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// The record that a declared error brings along.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// Seconds after which a repeat makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
    /// Names the request in the service's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

impl Error {
    /// -32700
    pub(crate) fn unreadable(why: impl ToString) -> Self {
        Self::standard(PARSE, "Parse error", Kind::Invalid, why.to_string())
    }

    /// -32600
    pub(crate) fn no_request(why: impl ToString) -> Self {
        Self::standard(INVALID_REQUEST, "Invalid Request", Kind::Invalid, why.to_string())
    }

    /// -32601
    pub(crate) fn no_method(name: &str) -> Self {
        let why = format!("there is no method {name:?}");
        Self::standard(code(Kind::Unsupported), "Method not found", Kind::Unsupported, why)
    }

    /// With the message that the specification has for its code.
    fn standard(code: i32, message: &str, kind: Kind, detail: String) -> Self {
        let data = Data {
            kind,
            error: None,
            detail: Some(detail),
            fields: Vec::new(),
            data: Value::Null,
            retry_after: None,
            trace_id: None,
        };
        Self { code, message: message.into(), data: Some(Box::new(data)) }
    }

    pub(crate) fn in_trace(mut self, id: &str) -> Self {
        if let Some(data) = &mut self.data {
            data.trace_id = Some(id.to_owned());
        }
        self
    }

    /// What every transport carries.
    pub fn into_wire(self) -> Wire {
        let Self { code, message, data } = self;
        let Some(data) = data else {
            let (fields, data) = (Vec::new(), Value::Null);
            return Wire { kind: kind(code), code: None, detail: message, fields, data, retry_after: None };
        };
        let Data { kind, error, detail, fields, data, retry_after, trace_id: _ } = *data;
        let retry_after = retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Wire { kind, code: error, detail: detail.unwrap_or(message), fields, data, retry_after }
    }
}

/// An operation's error, or a [`Failure`](kit::Failure). Its cause is logged here and goes no further.
impl<E: OperationError> From<E> for Error {
    fn from(error: E) -> Self {
        kit::log_cause(&error, None);
        let Wire { kind, code: name, detail, fields, data, retry_after } = error.to_wire();
        let retry_after = retry_after.map(|pause| pause.as_secs_f64());
        let data = Data { kind, error: name, detail: None, fields, data, retry_after, trace_id: None };
        Self { code: code(kind), message: detail, data: Some(Box::new(data)) }
    }
}

/// The code of each kind of error: of the specification where it has one, else of the range that it leaves to servers.
pub fn code(kind: Kind) -> i32 {
    match kind {
        Kind::Invalid => -32602,
        Kind::Unsupported => -32601,
        Kind::Internal => -32603,
        Kind::Unauthenticated => -32001,
        Kind::Denied => -32003,
        Kind::NotFound => -32004,
        Kind::Exists => -32005,
        Kind::Conflict => -32009,
        Kind::Stale => -32012,
        Kind::Limited => -32029,
        Kind::Unavailable => -32053,
        Kind::Timeout => -32054,
    }
}

/// The kind of an error that says nothing but its code. What other servers mean by theirs, nobody knows: `internal`.
pub fn kind(said: i32) -> Kind {
    match said {
        PARSE | INVALID_REQUEST => Kind::Invalid,
        other => Kind::ALL.into_iter().find(|kind| code(*kind) == other).unwrap_or(Kind::Internal),
    }
}

fn tolerant<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<Data>>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}

#[cfg(test)]
mod tests {
    use kit::Failure;

    use super::*;

    #[test]
    fn each_kind_has_a_code_of_its_own_and_comes_back() {
        for of in Kind::ALL {
            assert_eq!(kind(code(of)), of);
        }
        assert_eq!(
            [kind(-32700), kind(-32600), kind(-32000), kind(7)].map(Kind::as_str),
            ["invalid", "invalid", "internal", "internal"]
        );
    }

    #[test]
    fn an_error_goes_out_and_comes_back() {
        let fields = vec![FieldError { field: "lines[0].sku".into(), detail: "is missing".into() }];
        for failure in [
            Failure::fields(fields),
            Failure::new(Kind::Limited, "slowly").retry_after(Duration::from_millis(1500)),
            Failure::internal(anyhow::anyhow!("secret")),
        ] {
            let text = serde_json::to_string(&Error::from(failure).in_trace("7")).unwrap();
            assert!(!text.contains("secret") && text.contains(r#""trace_id":"7""#), "{text}");
            let wire = serde_json::from_str::<Error>(&text).unwrap().into_wire();
            assert_eq!(Error::from(Failure::from_wire(wire)).in_trace("7"), serde_json::from_str(&text).unwrap());
        }
    }

    #[test]
    fn errors_of_other_servers_are_read_too() {
        let read = |text: &str| {
            let wire = serde_json::from_str::<Error>(text).unwrap().into_wire();
            (wire.kind, wire.detail)
        };
        assert_eq!(
            read(r#"{"code":-32601,"message":"Method not found"}"#),
            (Kind::Unsupported, "Method not found".into())
        );
        assert_eq!(read(r#"{"code":-32004,"message":"gone","data":"anything"}"#), (Kind::NotFound, "gone".into()));
        assert_eq!(read(r#"{"code":1,"data":{"kind":"strange"}}"#), (Kind::Internal, String::new()));
    }
}
