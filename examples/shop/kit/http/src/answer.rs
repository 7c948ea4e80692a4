//! Answers of the standard methods: 200, 201, 204, pages, with `ETag`, `Location` and `Link`.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use kit::{Context, Cursor, Etag, Failure};
use serde::Serialize;

use crate::{Problem, conditional::tag, escape};

/// 200, the value as JSON.
pub fn ok(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => Problem::from(Failure::internal(error)).into_response(),
    }
}

/// 200, a JSON document as it stands.
pub fn json(document: &'static str) -> Response {
    let mut response = Response::new(Body::from(document));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 200 and the revision of the resource as `ETag`.
pub fn tagged(etag: Etag, value: &impl Serialize) -> Response {
    let mut response = ok(value);
    response.headers_mut().insert(header::ETAG, tag(etag));
    response
}

/// 201: a new resource, its path made of `segments` (which are escaped), its revision.
pub fn created(segments: &[&str], etag: Etag, value: &impl Serialize) -> Response {
    let mut response = tagged(etag, value);
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(location) = HeaderValue::try_from(escape::path(segments)) {
            response.headers_mut().insert(header::LOCATION, location);
        }
    }
    response
}

/// What a replace under a natural key answers: 201 if the operation says that the item was not there
/// ([`Context::note_created`]), else 200.
pub fn placed(cx: &Context, segments: &[&str], etag: Etag, value: &impl Serialize) -> Response {
    if cx.is_created() { created(segments, etag, value) } else { tagged(etag, value) }
}

/// Lets whoever keeps answers keep this one for so many seconds: `Cache-Control`, RFC 9111 §5.2.2.1. A cache between caller
/// and service does so too, unless the request has credentials (§3.5). What has stand-ins in it is kept by nobody.
pub fn fresh(cx: &Context, seconds: u32, mut response: Response) -> Response {
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        let value = if cx.marks().list().is_empty() { format!("max-age={seconds}") } else { "no-store".to_owned() };
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(header::CACHE_CONTROL, value);
        }
    }
    response
}

/// 204: done, nothing to say.
pub fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// 200, a page, with a `Link` (RFC 8288) to the next: the same target with another `cursor`.
pub fn page(target: &Uri, next: Option<&Cursor>, page: &impl Serialize) -> Response {
    let mut response = ok(page);
    let link = next.and_then(|next| {
        let mut query: Vec<(&str, &str)> = Vec::new();
        let parameters: Vec<(String, String)> = serde_html_form::from_str(target.query().unwrap_or_default()).ok()?;
        query.extend(parameters.iter().map(|(k, v)| (k.as_str(), v.as_str())).filter(|(k, _)| *k != "cursor"));
        query.push(("cursor", &next.0));
        let link = format!("<{}?{}>; rel=\"next\"", target.path(), serde_html_form::to_string(query).ok()?);
        HeaderValue::try_from(link).ok()
    });
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
