//! How long a document is, told without parsing it: a parser takes its time for a megabyte before anybody counts fields.

/// Lexical tokens of a document at most (GraphQL, October 2021, 2.1.6). Most requests have some dozens.
pub(crate) const TOKENS: usize = 15_000;

/// Whether a document has more than [`TOKENS`] tokens. Looks no further than that.
pub(crate) fn too_many(document: &str) -> bool {
    let mut rest = document.as_bytes();
    for _ in 0..TOKENS {
        rest = ignored(rest);
        if rest.is_empty() {
            return false;
        }
        rest = &rest[token(rest)..];
    }
    !ignored(rest).is_empty()
}

/// What follows white space, commas, comments and the byte order mark.
fn ignored(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [b' ' | b'\t' | b'\n' | b'\r' | b',', rest @ ..] | [0xef, 0xbb, 0xbf, rest @ ..] => rest,
            [b'#', ..] => &text[up_to(text, |byte| matches!(byte, b'\n' | b'\r'))..],
            _ => return text,
        }
    }
}

/// The length of the token that a text begins with, which is not empty.
fn token(text: &[u8]) -> usize {
    match text {
        [b'"', b'"', b'"', rest @ ..] => {
            3 + rest.windows(3).position(|three| three == b"\"\"\"").map_or(rest.len(), |at| at + 3)
        }
        [b'"', rest @ ..] => {
            let mut escaped = false;
            let end = rest.iter().position(|byte| {
                let ends = matches!(byte, b'\n' | b'\r') || *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            1 + end.map_or(rest.len(), |end| end + 1)
        }
        [b'.', b'.', b'.', ..] => 3,
        [b'-' | b'0'..=b'9', rest @ ..] => {
            1 + up_to(rest, |byte| !is_word(byte) && !matches!(byte, b'.' | b'+' | b'-'))
        }
        [first, ..] if is_word(*first) => up_to(text, |byte| !is_word(byte)),
        _ => 1,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn up_to(text: &[u8], end: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| end(*byte)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of a short document.
    fn count(document: &str) -> usize {
        let (mut rest, mut count) = (ignored(document.as_bytes()), 0);
        while !rest.is_empty() {
            rest = ignored(&rest[token(rest)..]);
            count += 1;
        }
        count
    }

    #[test]
    fn tokens_are_those_of_the_language() {
        for (document, tokens) in [
            ("", 0),
            ("\u{feff}{ a, b } # and { no more", 4),
            ("query($id: ID!) { order(id: $id) { id ...F } }", 22),
            (r#"{ a(b: "x \" y # { z", c: -1.5) }"#, 11),
            (r#"{ a(b: """ " { } """) }"#, 8),
            ("\"never ended", 1),
            ("\"\"\"never ended", 1),
        ] {
            assert_eq!(count(document), tokens, "{document}");
        }
    }

    #[test]
    fn a_document_that_is_too_long_is_known_at_its_bound() {
        assert!(!too_many(&"a ".repeat(TOKENS)));
        assert!(too_many(&"a ".repeat(TOKENS + 1)));
        assert!(!too_many(&format!("{{ a(b: \"{}\") }}", "a ".repeat(TOKENS))));
        assert!(!too_many(&"# comment\n".repeat(TOKENS + 1)));
    }
}
