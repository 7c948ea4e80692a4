//! The header `Accept`, RFC 9110 §12.5.1: whether the caller can take what we would answer.

use axum::http::{HeaderMap, StatusCode, header};

use crate::Problem;

/// 406 unless `Accept` is absent or allows the media type.
pub(crate) fn check(headers: &HeaderMap, offered: &str) -> Result<(), Problem> {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return Ok(());
    }
    // The most specific range that fits decides: `application/json;q=0, */*` takes anything but JSON.
    let decisive = ranges.filter_map(|range| fit(range, offered)).max_by_key(|(specific, _)| *specific);
    match decisive {
        Some((_, true)) => Ok(()),
        _ => Err(Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            format!("the answer is {offered}, which Accept does not allow"),
        )),
    }
}

/// How closely a range fits, if it does, and whether it allows what it fits.
fn fit(range: &str, offered: &str) -> Option<(u8, bool)> {
    let mut parts = range.split(';').map(str::trim);
    let wanted = parts.next()?.to_ascii_lowercase();
    let specific = match wanted.split_once('/')? {
        ("*", "*") => 0,
        (kind, "*") if offered.split_once('/').is_some_and(|(offered, _)| offered == kind) => 1,
        // A vendor's JSON (`application/vnd.shop.orders+json`) is JSON.
        (_, subtype) if offered == "application/json" && subtype.ends_with("+json") => 2,
        _ if wanted == offered => 3,
        _ => return None,
    };
    let quality = parts.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
    let refused = quality.is_some_and(|quality| quality.trim().parse::<f32>().is_ok_and(|quality| quality <= 0.0));
    Some((specific, !refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_range_decides() {
        for (accept, json) in [
            ("", true),
            ("*/*", true),
            ("application/*", true),
            ("text/html, application/json;q=0.1", true),
            ("application/vnd.shop.orders+json;version=1", true),
            ("text/html", false),
            ("text/*;q=0.9", false),
            ("application/json;q=0", false),
            ("application/json;q=0, */*", false),
            ("*/*;q=0", false),
            ("nonsense", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(check(&headers, "application/json").is_ok(), json, "{accept}");
        }
        assert!(check(&HeaderMap::new(), "application/json").is_ok());
    }
}
