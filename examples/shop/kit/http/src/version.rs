//! Old versions of a service beside the present one: what every answer of one says of itself.

use axum::{Router, extract::Request, http::HeaderName, http::HeaderValue, middleware, middleware::Next};

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

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
