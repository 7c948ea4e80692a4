//! Text into one segment of a path, RFC 3986 §3.3.

use std::fmt::Write;

/// `/a/b%2Fc` of `a` and `b/c`.
pub(crate) fn path(segments: &[&str]) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        for byte in segment.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(char::from(byte)),
                _ => {
                    let _ = write!(path, "%{byte:02X}");
                }
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_leaves_its_segment() {
        assert_eq!(super::path(&["v1", "a/b", "ü ?#%", ""]), "/v1/a%2Fb/%C3%BC%20%3F%23%25/");
    }
}
