//! What the edge itself has to say to gRPC callers, in the form they read: trailers only, on HTTP 200.

use std::fmt::Write;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use kit::Kind;

use crate::Problem;

/// Whether a request, or an answer, of this media type is gRPC.
pub(crate) fn is(content_type: &HeaderValue) -> bool {
    content_type.as_bytes().starts_with(b"application/grpc")
}

pub(crate) fn answer(problem: &Problem) -> Response {
    let mut response = Response::default();
    *response.headers_mut() = status(problem.kind.unwrap_or(Kind::Internal), &problem.detail);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// `grpc-status` and `grpc-message`, as headers or trailers.
pub(crate) fn status(kind: Kind, detail: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", HeaderValue::from(u16::from(kind.grpc_code())));
    if let Ok(message) = HeaderValue::try_from(percent(detail)) {
        headers.insert("grpc-message", message);
    }
    headers
}

/// Percent-encoded as gRPC wants messages: all but printable ASCII, and the sign itself.
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'%' | ..=0x1f | 0x7f.. => {
                let _ = write!(encoded, "%{byte:02X}");
            }
            _ => encoded.push(char::from(byte)),
        }
        encoded
    })
}
