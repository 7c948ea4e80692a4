//! Conditional requests, RFC 9110 §13: `If-Match` for changes, `If-None-Match` for reads.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use kit::{Etag, Failure};
use serde::Serialize;

use crate::{Problem, answer};

/// `If-Match`: the revision that the caller means to change. `None` if they do not care, or say `*`.
///
/// A weak or foreign tag can match no revision and is answered 412, text that is no entity tag 400. Of several tags
/// that may all match, only one can be honoured, so they are 400 too; and `If-None-Match`, which a change does not heed and
/// must not pass over in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub Option<Etag>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.headers.contains_key(header::IF_NONE_MATCH) {
            return Err(Problem::unreadable("If-None-Match: only a read can depend on it"));
        }
        let Some(tags) = tags(&parts.headers, header::IF_MATCH)? else { return Ok(Self(None)) };
        let mut strong = tags.iter().filter(|tag| !tag.weak).filter_map(|tag| tag.revision);
        match (strong.next(), strong.next()) {
            (Some(revision), None) => Ok(Self(Some(revision))),
            (None, _) => Err(Failure::stale().into()),
            (Some(_), Some(_)) => Err(Problem::unreadable("If-Match: name one revision")),
        }
    }
}

/// `If-Match` of a change that may make its item. `*` would want one that is there, which nobody knows before: 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatchOne(pub Option<Etag>);

impl<S: Sync> FromRequestParts<S> for IfMatchOne {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.headers.contains_key(header::IF_MATCH) && tags(&parts.headers, header::IF_MATCH)?.is_none() {
            return Err(Problem::unreadable("If-Match: name the revision"));
        }
        let IfMatch(etag) = IfMatch::from_request_parts(parts, state).await?;
        Ok(Self(etag))
    }
}

/// `If-None-Match`: the revisions that the caller has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfNoneMatch {
    any: bool,
    known: Vec<Etag>,
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let any = parts.headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == b"*");
        let known = tags(&parts.headers, header::IF_NONE_MATCH)?.unwrap_or_default();
        Ok(Self { any, known: known.into_iter().filter_map(|tag| tag.revision).collect() })
    }
}

impl IfNoneMatch {
    /// 304 if the caller has this revision, else 200 with the value.
    pub fn answer(&self, etag: Etag, value: &impl Serialize) -> Response {
        if self.any || self.known.contains(&etag) {
            return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag(etag))]).into_response();
        }
        answer::tagged(etag, value)
    }
}

/// The header `ETag`: strong.
pub(crate) fn tag(etag: Etag) -> HeaderValue {
    HeaderValue::try_from(format!("\"{etag}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

struct Tag {
    weak: bool,
    /// `None`: not one of ours.
    revision: Option<Etag>,
}

/// The entity tags of a header; `None` if it is absent or `*`.
fn tags(headers: &HeaderMap, name: HeaderName) -> Result<Option<Vec<Tag>>, Problem> {
    let malformed = || Problem::unreadable(format!("{name}: expected entity tags as \"7\", or *"));
    let mut tags = Vec::new();
    let mut seen = false;
    for value in headers.get_all(&name) {
        seen = true;
        let mut rest = value.to_str().map_err(|_| malformed())?.trim();
        if rest == "*" {
            return Ok(None);
        }
        while !rest.is_empty() {
            let (weak, opened) = match rest.strip_prefix("W/") {
                Some(opened) => (true, opened),
                None => (false, rest),
            };
            let opened = opened.strip_prefix('"').ok_or_else(malformed)?;
            let (text, after) = opened.split_once('"').ok_or_else(malformed)?;
            tags.push(Tag { weak, revision: text.parse().ok() });
            rest = after.trim_start();
            if !rest.is_empty() {
                rest = rest.strip_prefix(',').ok_or_else(malformed)?.trim_start();
            }
        }
    }
    Ok(seen.then_some(tags))
}
