//! Several versions of a service on one port: which one a request means, and what every answer of an old one says of it.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower::Service;

use crate::Problem;

const API_VERSION: HeaderName = HeaderName::from_static("api-version");
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// The parameter of the query.
const PARAMETER: &str = "version";

/// How callers say which version they mean, where paths do not. Who says nothing means the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// `Api-Version: 1`
    Header,
    /// `?version=1`
    Query,
    /// `application/vnd.shop.orders+json;version=1` in `Accept`, else in `Content-Type`. This is the type.
    MediaType(&'static str),
}

/// One version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub number: u32,
    pub by: By,
}

impl Version {
    /// Its media type.
    pub(crate) fn media_type(self) -> Option<String> {
        match self.by {
            By::MediaType(kind) => Some(format!("{kind};{PARAMETER}={}", self.number)),
            By::Header | By::Query => None,
        }
    }

    /// Says in a request that it means this version.
    pub(crate) fn ask(self, headers: &mut HeaderMap, query: &mut String) {
        match self.by {
            By::Header => _ = headers.insert(API_VERSION, self.number.into()),
            By::Query => {
                let and = if query.is_empty() { "" } else { "&" };
                *query += &format!("{and}{PARAMETER}={}", self.number);
            }
            By::MediaType(_) => {
                let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
                if let Some(kind) = self.media_type().and_then(|kind| HeaderValue::try_from(kind).ok())
                    && is_json
                {
                    headers.insert(header::CONTENT_TYPE, kind);
                }
            }
        }
    }
}

/// The routes of all versions as those of one service: each request goes to the version that it means, and each answer
/// says in `Api-Version` which that was. A version that is not there is 400; named by a media type, 406 or 415.
pub fn choose(versions: Vec<(Version, Router)>) -> Router {
    let versions: Arc<[(Version, Router)]> = versions.into();
    Router::new().fallback(move |request: Request| {
        let versions = versions.clone();
        async move { answer(&versions, request).await.unwrap_or_else(IntoResponse::into_response) }
    })
}

async fn answer(versions: &[(Version, Router)], mut request: Request) -> Result<Response, Problem> {
    let newest = versions.iter().max_by_key(|(version, _)| version.number);
    let Some((newest, _)) = newest else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let known: Vec<u32> = versions.iter().map(|(version, _)| version.number).collect();
    let meant = match newest.by {
        By::Header => by_header(request.headers(), &known)?,
        By::Query => by_query(request.uri().query().unwrap_or_default(), &known)?,
        By::MediaType(kind) => by_media_type(request.headers(), kind, &known)?,
    };
    let number = meant.unwrap_or(newest.number);
    let Some((version, router)) = versions.iter().find(|(version, _)| version.number == number) else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    if version.by == By::Query {
        request.extensions_mut().insert(Said);
    }
    let Ok::<_, Infallible>(mut response) = router.clone().call(request).await;
    let headers = response.headers_mut();
    // The edge may give an error another body.
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(API_VERSION, number.into());
    match version.by {
        By::Header => _ = headers.append(header::VARY, HeaderValue::from_static("api-version")),
        // What was made is read in the version in which it was made.
        By::Query if meant.is_some() => {
            let location = headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
            let there = location.map(|location| HeaderValue::try_from(format!("{location}?{PARAMETER}={number}")));
            if let Some(Ok(there)) = there {
                headers.insert(header::LOCATION, there);
            }
        }
        By::Query => {}
        By::MediaType(_) => {
            headers.append(header::VARY, HeaderValue::from_static("accept"));
            let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
            // Who did not ask by the type might not know it.
            if let Some(kind) = version.media_type().filter(|_| is_json && meant.is_some())
                && let Ok(kind) = HeaderValue::try_from(kind)
            {
                headers.insert(header::CONTENT_TYPE, kind);
            }
        }
    }
    Ok(response)
}

/// The query says the version too, which is no parameter of the operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said;

/// The parameters of an operation.
pub(crate) fn without(query: &str) -> String {
    let parameters = query.split('&').filter(|parameter| parameter.split('=').next() != Some(PARAMETER));
    parameters.collect::<Vec<_>>().join("&")
}

fn by_header(headers: &HeaderMap, known: &[u32]) -> Result<Option<u32>, Problem> {
    let mut said = headers.get_all(API_VERSION).iter();
    match (said.next(), said.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => number(one.to_str().unwrap_or_default(), known)
            .map(Some)
            .ok_or_else(|| Problem::unreadable(format!("`Api-Version` {one:?} is none of {known:?}"))),
        (Some(_), Some(_)) => Err(Problem::unreadable("`Api-Version` is there twice")),
    }
}

fn by_query(query: &str, known: &[u32]) -> Result<Option<u32>, Problem> {
    let mut said = query.split('&').filter_map(|parameter| match parameter.split_once('=') {
        Some((PARAMETER, value)) => Some(value),
        None if parameter == PARAMETER => Some(""),
        _ => None,
    });
    match (said.next(), said.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => number(one, known)
            .map(Some)
            .ok_or_else(|| Problem::unreadable(format!("`{PARAMETER}` {one:?} is none of {known:?}"))),
        (Some(_), Some(_)) => Err(Problem::unreadable(format!("`{PARAMETER}` is there twice"))),
    }
}

/// What the answer is to be decides; where that says nothing, what the body is.
fn by_media_type(headers: &HeaderMap, kind: &str, known: &[u32]) -> Result<Option<u32>, Problem> {
    let refused = |status, name: &str, text: &str| {
        Problem::new(status, format!("`{name}` asks for version {text:?}, which is none of {known:?}"))
    };
    let texts = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let mut wanted: Vec<(f32, &str)> =
        texts(header::ACCEPT).flat_map(|value| value.split(',')).filter_map(|range| named(range, kind)).collect();
    wanted.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let answered = wanted.iter().find_map(|(_, text)| number(text, known));
    if let (None, Some((_, text))) = (answered, wanted.first()) {
        return Err(refused(StatusCode::NOT_ACCEPTABLE, "Accept", text));
    }
    let Some((_, text)) = texts(header::CONTENT_TYPE).find_map(|value| named(value, kind)) else {
        return Ok(answered);
    };
    let sent = number(text, known).ok_or_else(|| refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type", text))?;
    match answered {
        Some(answered) if answered != sent => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the body is of version {sent}, and the answer is to be of version {answered}"),
        )),
        _ => Ok(Some(sent)),
    }
}

/// The quality and the version of a media type, if it is of this kind and says one.
fn named<'t>(text: &'t str, kind: &str) -> Option<(f32, &'t str)> {
    let mut parts = text.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(kind) {
        return None;
    }
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let value =
        |name: &str| parameters.iter().find(|(own, _)| own.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v.trim());
    let quality = value("q").and_then(|quality| quality.parse().ok()).unwrap_or(1.0);
    let version = value(PARAMETER)?.trim_matches('"');
    (quality > 0.0).then_some((quality, version))
}

fn number(text: &str, known: &[u32]) -> Option<u32> {
    known.iter().copied().find(|known| known.to_string() == text.trim())
}

/// What is known of the end of an old version.
#[derive(Clone, Copy, Debug, Default)]
pub struct Old {
    /// `Deprecation` (RFC 9745, section 2): since when, or from when on, nobody should begin to use it, as a date of
    /// structured fields: `@1767225600`.
    pub deprecated: Option<&'static str>,
    /// `Sunset` (RFC 8594, section 3): when it is expected to be gone, as an HTTP date.
    pub sunset: Option<&'static str>,
}

/// Tells callers of an old version of its end, with every answer of these routes: errors too.
pub fn old(router: Router, old: Old) -> Router {
    let header = |name, value: Option<&'static str>| value.map(|value| (name, HeaderValue::from_static(value)));
    let said = [header(DEPRECATION, old.deprecated), header(SUNSET, old.sunset)];
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let said = said.clone();
        async move {
            let mut response = next.run(request).await;
            response.headers_mut().extend(said.into_iter().flatten());
            response
        }
    }))
}
