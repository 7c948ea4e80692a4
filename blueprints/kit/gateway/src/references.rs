//! Answers refer to other places of their service by its own paths, which have a prefix here.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Rewrites `Location`, `Content-Location` and the targets of `Link` (RFC 8288). `origin` is where the service is:
/// `http://orders:8080`, with the path before its own if there is one.
pub(crate) fn rewrite(headers: &mut HeaderMap, origin: &str, prefix: &str) {
    each(headers, &header::LOCATION, |text| Some(reference(text, origin, prefix)));
    each(headers, &header::CONTENT_LOCATION, |text| Some(reference(text, origin, prefix)));
    each(headers, &header::LINK, |text| links(text, origin, prefix));
}

fn each(headers: &mut HeaderMap, name: &HeaderName, rewrite: impl Fn(&str) -> Option<String>) {
    if !headers.contains_key(name) {
        return;
    }
    let rewritten = |value: &HeaderValue| {
        let text = rewrite(value.to_str().ok()?)?;
        HeaderValue::try_from(text).ok()
    };
    let values: Vec<HeaderValue> =
        headers.get_all(name).iter().map(|value| rewritten(value).unwrap_or_else(|| value.clone())).collect();
    headers.remove(name);
    values.into_iter().for_each(|value| _ = headers.append(name, value));
}

/// A path of the service, or its own address; anything else is somewhere else and stays.
fn reference(text: &str, origin: &str, prefix: &str) -> String {
    let below = text.strip_prefix(origin).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
    match below {
        Some(path) => format!("{prefix}{path}"),
        None if text.starts_with('/') && !text.starts_with("//") => format!("{prefix}{text}"),
        None => text.to_owned(),
    }
}

/// Every `<target>`; what stands between quotes is a parameter, whatever is in it. `None`: it is no such list.
fn links(text: &str, origin: &str, prefix: &str) -> Option<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(['<', '"']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        if let Some(found) = found.strip_prefix('<') {
            let (target, after) = found.split_once('>')?;
            out.push_str(&format!("<{}>", reference(target, origin, prefix)));
            rest = after;
        } else {
            let length = quoted(found)?;
            out.push_str(&found[..length]);
            rest = &found[length..];
        }
    }
    Some(out + rest)
}

/// The length of the quoted string that the text begins with (RFC 9110, 5.6.4).
fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_services_gets_the_prefix_and_nothing_else() {
        for (from, to) in [
            ("/v1/orders/7", "/orders/v1/orders/7"),
            ("http://orders:1/v1/orders/7?x=/y", "/orders/v1/orders/7?x=/y"),
            ("http://orders:1", "/orders"),
            ("http://orders:12/v1", "http://orders:12/v1"),
            ("https://elsewhere.example/v1", "https://elsewhere.example/v1"),
            ("//elsewhere.example/v1", "//elsewhere.example/v1"),
            ("7", "7"),
            ("?cursor=x", "?cursor=x"),
        ] {
            assert_eq!(reference(from, "http://orders:1", "/orders"), to);
        }
    }

    #[test]
    fn links_keep_their_parameters() {
        let rewritten = |text: &str| links(text, "http://orders:1", "/orders");
        for (from, to) in [
            (r#"</v1/o?cursor=a%2C>; rel="next""#, r#"</orders/v1/o?cursor=a%2C>; rel="next""#),
            (
                r#"</a>; title="</b> \" <", <http://x/y>;rel=up,</c>"#,
                r#"</orders/a>; title="</b> \" <", <http://x/y>;rel=up,</orders/c>"#,
            ),
            ("", ""),
        ] {
            assert_eq!(rewritten(from).as_deref(), Some(to));
        }
        assert_eq!(rewritten("</a"), None, "stays as it is");
        assert_eq!(rewritten("</a>; title=\"x"), None);
    }
}
