//! Computes the `use` lines of an emitted Rust file from the names it mentions.
//!
//! Templates write names short (`Context`, `OrderId`) and one line `use _;`. Names that come from the design carry the
//! mark [`USER`] until here, so that a type called `Context` is told from the kit's: where both meet in one file, the
//! kit's is written with its path.

use std::collections::{BTreeMap, BTreeSet};

/// Stands before every type name that comes from the design, from the view until [`resolve`].
pub const USER: char = '\u{E000}';

/// Where a name that is not the design's is imported from.
const KNOWN: &[(&str, &str)] = &[
    ("Arc", "std::sync"),
    ("As", "kit::json"),
    ("BTreeMap", "std::collections"),
    ("Base64", "kit::json"),
    ("Context", "kit"),
    ("Cursor", "kit"),
    ("Cx", "kit_http"),
    ("DateTime", "chrono"),
    ("Decimal", "rust_decimal"),
    ("Deserialize", "serde"),
    ("Digits", "kit::json"),
    ("Duration", "std::time"),
    ("Etag", "kit"),
    ("Events", "kit_http"),
    ("Exact", "kit::json"),
    ("Failure", "kit"),
    ("IfMatch", "kit_http"),
    ("IfNoneMatch", "kit_http"),
    ("Iso8601", "kit::json"),
    ("Json", "kit_http"),
    ("LazyLock", "std::sync"),
    ("Link", "kit_resilience"),
    ("MergePatch", "kit_http"),
    ("Method", "axum::http"),
    ("Micros", "kit::json"),
    ("NaiveDate", "chrono"),
    ("Path", "kit_http"),
    ("Present", "kit::patch"),
    ("Problem", "kit_http"),
    ("Query", "kit_http"),
    ("Regex", "kit"),
    ("Response", "axum::response"),
    ("Router", "axum"),
    ("Same", "kit::json"),
    ("Serialize", "serde"),
    ("State", "axum::extract"),
    ("Stream", "kit"),
    ("Uri", "axum::http"),
    ("Utc", "chrono"),
    ("Uuid", "uuid"),
    ("Validate", "kit"),
    ("Value", "serde_json"),
    ("Violations", "kit"),
    ("async_trait", "async_trait"),
];

/// Replaces the line `use _;` by what the file needs. `user` says where each name of the design is imported from; a
/// name that is not in it is defined in the file itself.
pub fn resolve(text: &str, user: &BTreeMap<String, String>) -> String {
    let tokens = names(text);
    let designs: BTreeSet<&str> = tokens.iter().filter(|t| t.user).map(|t| t.name).collect();
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for token in &tokens {
        out.push_str(&text[copied..token.start]);
        copied = token.start + token.name.len() + if token.user { USER.len_utf8() } else { 0 };
        if token.user {
            if let Some(from) = user.get(token.name) {
                uses.entry(from).or_default().insert(token.name);
            }
        } else if let Some((_, from)) = KNOWN.iter().find(|(name, _)| *name == token.name) {
            if designs.contains(token.name) {
                out.push_str(from);
                out.push_str("::");
            } else {
                uses.entry(from).or_default().insert(token.name);
            }
        }
        out.push_str(token.name);
    }
    out.push_str(&text[copied..]);
    let lines: Vec<String> = uses
        .iter()
        .map(|(from, names)| match names.iter().copied().collect::<Vec<_>>().as_slice() {
            [one] => format!("use {from}::{one};"),
            many => format!("use {from}::{{{}}};", many.join(", ")),
        })
        .collect();
    // A name of the design may also stand in a comment or text, where it is no token.
    let out: String = out.chars().filter(|c| *c != USER).collect();
    out.replacen("use _;\n", &(lines.join("\n") + "\n"), 1)
}

struct Name<'a> {
    name: &'a str,
    start: usize,
    user: bool,
}

/// The names that an import could serve: identifiers outside comments and literals that no path, field or method
/// access stands before.
fn names(text: &str) -> Vec<Name<'_>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(length) = literal(rest) {
            at += length;
        } else {
            let user = rest.starts_with(USER);
            let start = at + if user { USER.len_utf8() } else { 0 };
            let length = text[start..].find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len() - start);
            if length == 0 {
                at = start + text[start..].chars().next().map_or(0, char::len_utf8);
                continue;
            }
            let before = text[..at].trim_end_matches('r').trim_end();
            let name = &text[start..start + length];
            let qualified = before.ends_with("::") || (before.ends_with('.') && !before.ends_with(".."));
            let starts_path = !user && text[start + length..].starts_with("::") && name.starts_with(char::is_lowercase);
            if !qualified && !starts_path {
                found.push(Name { name, start: at, user });
            }
            at = start + length;
        }
    }
    found
}

/// The length of the string or character literal that the text begins with.
fn literal(text: &str) -> Option<usize> {
    let raw = text.strip_prefix('r').filter(|rest| rest.starts_with(['"', '#']));
    if let Some(rest) = raw {
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let body = rest[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(1 + hashes + 1 + body.find(&close)? + close.len());
    }
    let quoted = |quote: char| {
        let mut escaped = false;
        let end = text.char_indices().skip(1).find(|&(_, c)| {
            let done = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            done
        });
        end.map(|(at, _)| at + 1)
    };
    match text.chars().next()? {
        '"' => quoted('"'),
        // A lifetime has no closing quote right after its first character.
        '\'' if text.starts_with("'\\") || text.chars().nth(2) == Some('\'') => quoted('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> String {
        let user = [("Order", "crate"), ("Context", "crate")].map(|(n, f)| (n.into(), f.into())).into();
        resolve(&text.replace('§', "\u{E000}"), &user)
    }

    #[test]
    fn imports_what_is_mentioned_and_no_more() {
        assert_eq!(
            with("use _;\n/// Arc\nfn f(cx: &Context, o: §Order, s: &'static str) -> Stream<Uuid> { kit::Etag::x(\"Value\", 'D') }"),
            "use crate::Order;\nuse kit::{Context, Stream};\nuse uuid::Uuid;\n/// Arc\nfn f(cx: &Context, o: Order, s: &'static str) -> Stream<Uuid> { kit::Etag::x(\"Value\", 'D') }"
        );
    }

    #[test]
    fn a_type_of_the_design_wins_over_one_of_the_kit() {
        assert_eq!(with("use _;\nfn f(cx: &Context, o: §Context)"), "use crate::Context;\nfn f(cx: &kit::Context, o: Context)");
        assert_eq!(with("use _;\nx.Arc r#\"Arc\"# §Mine"), "\nx.Arc r#\"Arc\"# Mine");
    }
}
