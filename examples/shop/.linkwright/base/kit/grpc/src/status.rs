use std::{collections::BTreeMap, error::Error};

use kit::{Failure, FieldError, Kind, OperationError, Wire};
use prost::Message;
use tonic::{Code, Status};

use crate::{
    Proto,
    rich::{BadRequest, ErrorInfo, FieldViolation, RetryInfo, RichStatus},
};

/// A status travels in header fields, for which clients have room for 8 to 16 KiB: bytes of its message …
const MESSAGE: usize = 1024;
/// … of its field violations, of which the first ones are sent …
const VIOLATIONS: usize = 3 * 1024;
/// … and of the data of a declared error, without which it arrives as an error of its kind.
const DATA: usize = 4 * 1024;

/// Of codes that stand for no kind of ours, the nearest.
fn kind(code: Code) -> Kind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => Kind::Invalid,
        Code::PermissionDenied => Kind::Denied,
        Code::NotFound => Kind::NotFound,
        Code::AlreadyExists => Kind::Exists,
        Code::FailedPrecondition => Kind::Conflict,
        Code::Aborted => Kind::Stale,
        Code::ResourceExhausted => Kind::Limited,
        // Nobody but the caller cancels a call, and the caller does not read the answer then: a server or proxy that
        // says so has stopped.
        Code::Unavailable | Code::Cancelled => Kind::Unavailable,
        Code::Unauthenticated => Kind::Unauthenticated,
        Code::DeadlineExceeded => Kind::Timeout,
        Code::Unimplemented => Kind::Unsupported,
        Code::Ok | Code::Internal | Code::Unknown | Code::DataLoss => Kind::Internal,
    }
}

/// The status of an error. A declared error has an `ErrorInfo`: the reason `OUT_OF_STOCK`, and as metadata its exact
/// `name` and its `data` as JSON. What caused a failure is logged here and stays here.
pub fn status(error: &impl OperationError) -> Status {
    kit::log_cause(error, None);
    let Wire { kind, code: name, detail, fields, data, retry_after } = error.to_wire();
    let (code, message) = (Code::from_i32(kind.grpc_code().into()), start(&detail, MESSAGE).to_owned());
    let mut rich = RichStatus { code: code.into(), message: message.clone(), details: Vec::new() };
    if let Some(name) = name {
        let mut metadata = BTreeMap::from([("name".to_owned(), name.clone())]);
        let data = data.to_string();
        if data != "null" && data.len() <= DATA {
            metadata.insert("data".into(), data);
        }
        rich.add(&ErrorInfo { reason: upper_snake(&name), metadata, ..ErrorInfo::default() });
    }
    if !fields.is_empty() {
        rich.add(&violations(&fields));
    }
    if let Some(pause) = retry_after {
        rich.add(&RetryInfo { retry_delay: Some(pause.encode()) });
    }
    if rich.details.is_empty() {
        return Status::new(code, message);
    }
    Status::with_details(code, message, rich.encode_to_vec().into())
}

fn violations(fields: &[FieldError]) -> BadRequest {
    let mut room = VIOLATIONS;
    let fits = |violation: &FieldViolation| {
        let length = violation.encoded_len() + 4;
        room = room.saturating_sub(length);
        room > 0
    };
    let violation = |FieldError { field, detail }: &FieldError| FieldViolation {
        field: start(field, 256).to_owned(),
        description: start(detail, 256).to_owned(),
    };
    BadRequest { field_violations: fields.iter().map(violation).take_while(fits).collect() }
}

/// The typed error of a status. One that was made on this side says how far the call came: no connection means that
/// nothing was sent, tonic's own timer means that the deadline passed, anything else that the connection broke.
pub fn error<E: OperationError>(status: Status) -> E {
    if status.source().is_some() {
        let failure = if caused_by::<tonic::TimeoutExpired>(&status) {
            Failure::timeout().caused_by(status)
        } else if caused_by::<tonic::ConnectError>(&status) {
            Failure::unavailable(status).unsent()
        } else {
            Failure::unavailable(status)
        };
        return failure.into();
    }
    let rich = RichStatus::decode(status.details()).unwrap_or_default();
    let mut info = rich.find::<ErrorInfo>().unwrap_or_default();
    let name = info.metadata.remove("name").or((!info.reason.is_empty()).then_some(info.reason));
    let data = info.metadata.remove("data").and_then(|data| serde_json::from_str(&data).ok());
    let field = |FieldViolation { field, description }| FieldError { field, detail: description };
    E::from_wire(Wire {
        kind: kind(status.code()),
        code: name,
        detail: status.message().to_owned(),
        fields: rich.find::<BadRequest>().unwrap_or_default().field_violations.into_iter().map(field).collect(),
        data: data.unwrap_or_default(),
        retry_after: rich.find::<RetryInfo>().and_then(|info| Proto::decode(info.retry_delay?).ok()),
    })
}

fn caused_by<T: Error + 'static>(status: &Status) -> bool {
    std::iter::successors(status.source(), |&error| error.source()).any(|error| error.is::<T>())
}

/// `OutOfStock` as `OUT_OF_STOCK`, the form AIP-193 wants of a reason.
fn upper_snake(name: &str) -> String {
    let mut reason = String::new();
    for (index, letter) in name.chars().enumerate() {
        if index > 0 && letter.is_ascii_uppercase() {
            reason.push('_');
        }
        reason.push(letter.to_ascii_uppercase());
    }
    reason
}

/// At most so many bytes of the text, ending between two characters.
fn start(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}
