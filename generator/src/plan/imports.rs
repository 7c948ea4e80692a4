//! Computes the `use` lines of an emitted Rust file from the names it mentions.
//!
//! Templates write names short (`Context`, `OrderId`) and one line `use _;`. Names that come from the design carry the
//! mark [`USER`] until here, so that a type called `Context` is told from the kit's: where both meet in one file, the
//! kit's is written with its path.

use std::collections::{BTreeMap, BTreeSet};

/// Stands before every type name that comes from the design, from the view until [`resolve`].
pub const USER: char = '\u{E000}';

/// Stands before a name that nothing is imported for: a variant, which may be called like a type.
pub const OWN: char = '\u{E001}';

/// Where a name that is not the design's is imported from.
const KNOWN: &[(&str, &str)] = &[
    ("Answers", "kit_answers"),
    ("Arc", "std::sync"),
    ("As", "kit::json"),
    ("Asked", "kit_resilience"),
    ("BTreeMap", "std::collections"),
    ("Base64", "kit::json"),
    ("BrokerConfig", "kit_service"),
    ("Commas", "kit::json"),
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
    ("Front", "kit_gateway"),
    ("Gate", "kit_gate"),
    ("IfMatch", "kit_http"),
    ("IfMatchOne", "kit_http"),
    ("InPath", "kit_http"),
    ("IfNoneMatch", "kit_http"),
    ("Iso8601", "kit::json"),
    ("Json", "kit_http"),
    ("LastAnswers", "kit_resilience"),
    ("LazyLock", "std::sync"),
    ("LinkConfig", "kit_service"),
    ("Located", "kit_http"),
    ("Link", "kit_resilience"),
    ("MergePatch", "kit_http"),
    ("Method", "axum::http"),
    ("Micros", "kit::json"),
    ("NaiveDate", "chrono"),
    ("Path", "kit_http"),
    ("PolicyConfig", "kit_service"),
    ("Present", "kit::patch"),
    ("Problem", "kit_http"),
    ("Query", "kit_http"),
    ("Regex", "regex"),
    ("Response", "axum::response"),
    ("Route", "kit_gateway"),
    ("Router", "axum"),
    ("Same", "kit::json"),
    ("Script", "kit_test"),
    ("Serialize", "serde"),
    ("State", "axum::extract"),
    ("StoreConfig", "kit_service"),
    ("Stream", "kit"),
    ("Talk", "kit_http"),
    ("Upload", "kit_http"),
    ("Uri", "axum::http"),
    ("Utc", "chrono"),
    ("Uuid", "uuid"),
    ("Validate", "kit"),
    ("Value", "serde_json"),
    ("Violations", "kit"),
    ("Ways", "kit_resilience"),
    ("async_trait", "async_trait"),
    ("fallback", "kit_resilience"),
    ("keyed", "kit_resilience"),
];

/// Replaces the line `use _;` and the file's own `use` lines by what the file needs: of its own lines
/// what it mentions, and traits (`StreamExt as _`). `user` says where each name of the
/// design is imported from; what the file itself defines is left out. A file without that line stays as it is.
pub fn resolve(text: &str, user: &BTreeMap<String, String>) -> String {
    if !text.lines().any(|line| line == "use _;") {
        return text.replace([USER, OWN], "");
    }
    let mut said = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("use ").and_then(|line| line.strip_suffix(';')) {
            Some("_") => lines.push(line),
            Some(path) => said.extend(imported(path)),
            None => lines.push(line),
        }
    }
    let text = lines.join("\n") + "\n";
    let tokens = names(&text);
    let designs: BTreeSet<&str> = tokens.iter().filter(|t| t.user).map(|t| t.name).collect();
    let exported = text.lines().filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix(';')).flat_map(imported);
    let exported: Vec<&str> = exported.map(|(_, name)| name).collect();
    let defined = tokens.iter().filter(|t| t.defines).map(|t| t.name);
    let defined: BTreeSet<&str> = defined.chain(exported.iter().copied()).collect();
    // What a template itself calls like a type of the design.
    let ours = tokens.iter().filter(|t| t.defines && !t.user).map(|t| t.name);
    let ours: BTreeSet<&str> = ours.chain(exported).collect();
    let mentioned: BTreeSet<&str> = tokens.iter().filter(|t| !t.user).map(|t| t.name).collect();
    let mut uses = Uses::default();
    // Where a type of the design has the name, the other one is written with its path.
    let wanted = |name: &str| name.ends_with(" as _") || (mentioned.contains(name) && !designs.contains(name));
    for (from, name) in said.iter().filter(|(_, name)| wanted(name)) {
        uses.add(from, name);
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for token in &tokens {
        out.push_str(&text[copied..token.start]);
        copied = token.start + token.name.len() + if token.user { USER.len_utf8() } else { 0 };
        if token.user && ours.contains(token.name) {
            if let Some(from) = user.get(token.name) {
                out.push_str(from);
                out.push_str("::");
            }
        } else if token.user && !defined.contains(token.name) {
            if let Some(from) = user.get(token.name) {
                uses.add(from, token.name);
            }
        } else if !token.user && !token.defines {
            let own = said.iter().find(|(_, name)| *name == token.name).map(|(from, _)| *from);
            let known = || KNOWN.iter().find(|(name, _)| *name == token.name).map(|(_, from)| *from);
            if let Some(from) = own.or_else(known) {
                if designs.contains(token.name) {
                    out.push_str(from);
                    out.push_str("::");
                } else if !defined.contains(token.name) && own.is_none() {
                    uses.add(from, token.name);
                }
            }
        }
        out.push_str(token.name);
    }
    out.push_str(&text[copied..]);
    // A name of the design may also stand in a comment or text, where it is no token.
    let out: String = out.chars().filter(|c| *c != USER && *c != OWN).collect();
    out.replacen("use _;\n", &uses.text(), 1)
}

/// The names of `a::b::C` or `a::b::{C, D}`, each with what stands before it.
fn imported(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let (from, names) = path.rsplit_once("::{").or_else(|| path.rsplit_once("::")).unwrap_or((path, ""));
    let names = names.trim_end_matches('}').split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(move |name| (from, name))
}

/// Imports by crate, then by module below it.
#[derive(Default)]
struct Uses(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Uses {
    fn add(&mut self, from: &str, name: &str) {
        let (root, module) = from.split_once("::").unwrap_or((from, ""));
        self.0.entry(root.into()).or_default().entry(module.into()).or_default().insert(name.into());
    }

    /// The standard library, other crates, our own.
    fn text(&self) -> String {
        let own = |root: &str| matches!(root, "crate" | "super");
        let group = |pick: &dyn Fn(&str) -> bool| -> String {
            self.0.iter().filter(|(root, _)| pick(root)).map(|(root, modules)| line(root, modules)).collect()
        };
        let groups = [group(&|root| root == "std"), group(&|root| root != "std" && !own(root)), group(&own)];
        groups.into_iter().filter(|group| !group.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

fn line(root: &str, modules: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut items = Vec::new();
    for (module, names) in modules {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match (module.as_str(), names.as_slice()) {
            ("", names) => items.extend(names.iter().map(|name| (*name).to_owned())),
            (module, [one]) => items.push(format!("{module}::{one}")),
            (module, many) => items.push(format!("{module}::{{{}}}", many.join(", "))),
        }
    }
    match items.as_slice() {
        [one] => format!("use {root}::{one};\n"),
        many => format!("use {root}::{{{}}};\n", many.join(", ")),
    }
}

struct Name<'a> {
    name: &'a str,
    start: usize,
    user: bool,
    /// It is here that the name is given to something.
    defines: bool,
}

/// The names that an import could serve: identifiers outside comments and literals that no path, field or method
/// access stands before. The texts of attributes that hold code (`with = "As::<Digits>"`) are code.
fn names(text: &str) -> Vec<Name<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(length) = literal(rest) {
            // The adapters of serde are code in a text.
            if text[..at].ends_with("with = ") {
                let inner = names(&rest[1..length - 1]);
                found.extend(inner.into_iter().map(|name| Name { start: name.start + at + 1, ..name }));
            }
            at += length;
        } else {
            at = word(text, at, &mut found);
        }
    }
    found
}

/// Takes in the identifier, or the one other character, at a place; gives the place after it.
fn word<'a>(text: &'a str, at: usize, found: &mut Vec<Name<'a>>) -> usize {
    let user = text[at..].starts_with(USER);
    let start = at + if user { USER.len_utf8() } else { 0 };
    let length = text[start..].find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len() - start);
    if length == 0 {
        return start + text[start..].chars().next().map_or(0, char::len_utf8);
    }
    let before = text[..at].trim_end();
    // A sentence above ends with a point too.
    let below = before.rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with("//"));
    let path = before.ends_with("::") || (before.ends_with('.') && !before.ends_with(".."));
    let qualified = before.ends_with(OWN) || (path && !below);
    // What begins low is imported to be called, to lead on, or as an attribute; else it is somebody's own.
    let (name, after) = (&text[start..start + length], &text[start + length..]);
    let leads = after.starts_with(['(', '!']) || after.starts_with("::") || before.ends_with("#[");
    let is_own = name.starts_with(|c: char| c.is_lowercase()) && (!leads || before.ends_with("fn"));
    if !qualified && !is_own {
        let defines = ["pub", "struct", "enum", "trait", "type", "mod"]
            .iter()
            // After `(pub` comes a field's type, after `!(pub` what a macro makes.
            .any(|word| {
                before
                    .strip_suffix(word)
                    .is_some_and(|b| b.ends_with("!(") || !b.ends_with(|c: char| c.is_alphanumeric() || c == '('))
            });
        found.push(Name { name, start: at, user, defines });
    }
    start + length
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
            with(
                "use _;\n/// Arc\nfn f(cx: &Context, o: §Order, s: &'static str) -> Stream<Uuid> { kit::Etag::x(\"Value\", 'D') }"
            ),
            "use kit::{Context, Stream};\nuse uuid::Uuid;\n\nuse crate::Order;\n/// Arc\nfn f(cx: &Context, o: Order, s: &'static str) -> Stream<Uuid> { kit::Etag::x(\"Value\", 'D') }\n"
        );
    }

    #[test]
    fn merges_what_the_file_says_itself_and_leaves_out_what_it_defines() {
        assert_eq!(
            with(
                "use _;\nuse axum::routing;\nuse kit::{Kind, Wire};\n#[serde(with = \"As::<Digits>\")]\npub struct §Order(Router, Wire, routing::X);"
            ),
            "use axum::{Router, routing};\nuse kit::{Wire, json::{As, Digits}};\n#[serde(with = \"As::<Digits>\")]\npub struct Order(Router, Wire, routing::X);\n"
        );
    }

    #[test]
    fn code_in_attributes_is_code_and_what_follows_too() {
        assert_eq!(
            with(
                "use _;\n#[serde(with = \"As::<Digits>\")]\na: Uuid,\n#[x(default_with = \"Etag(\\\"a\\\")\")]\nb: \"Utc\","
            ),
            "use kit::{Etag, json::{As, Digits}};\nuse uuid::Uuid;\n#[serde(with = \"As::<Digits>\")]\na: Uuid,\n#[x(default_with = \"Etag(\\\"a\\\")\")]\nb: \"Utc\",\n"
        );
    }

    #[test]
    fn names_that_begin_low_are_imported_where_they_are_used() {
        assert_eq!(
            with(
                "use _;\nuse x::routing;\n#[async_trait]\nfn fallback(fallback: u8) { fallback::g(routing::h(), async_trait) }"
            ),
            "use async_trait::async_trait;\nuse kit_resilience::fallback;\nuse x::routing;\n#[async_trait]\nfn fallback(fallback: u8) { fallback::g(routing::h(), async_trait) }\n"
        );
    }

    #[test]
    fn a_variant_is_no_type() {
        assert_eq!(
            with("use _;\npub enum §Shape { \u{E001}Arc(§Arc), \u{E001}Uuid = 1, Json(Json) }"),
            "use kit_http::Json;\npub enum Shape { Arc(Arc), Uuid = 1, Json(Json) }\n"
        );
    }

    #[test]
    fn what_a_file_exports_is_told_from_the_designs() {
        assert_eq!(
            with("use _;\npub use x::Order;\nfn f(a: Order, b: §Order, j: Json)"),
            "use kit_http::Json;\npub use x::Order;\nfn f(a: Order, b: crate::Order, j: Json)\n"
        );
    }

    #[test]
    fn what_a_file_exports_it_has() {
        assert_eq!(
            with("use _;\npub use x::{Query, Other};\nfn f(q: Query, j: Json)"),
            "use kit_http::Json;\npub use x::{Query, Other};\nfn f(q: Query, j: Json)\n"
        );
    }

    #[test]
    fn a_type_of_the_design_may_be_called_like_what_a_file_defines() {
        assert_eq!(
            with("use _;\npub struct Order(u8);\nfn f(o: §Order, own: Json) {}"),
            "use kit_http::Json;\npub struct Order(u8);\nfn f(o: crate::Order, own: Json) {}\n"
        );
    }

    #[test]
    fn a_type_of_the_design_wins_over_what_the_file_says() {
        assert_eq!(
            with("use _;\nuse x::{Order, Other};\nfn f(o: §Order, p: Order, q: Other)"),
            "use x::Other;\n\nuse crate::Order;\nfn f(o: Order, p: x::Order, q: Other)\n"
        );
    }

    #[test]
    fn a_type_of_the_design_wins_over_one_of_the_kit() {
        assert_eq!(
            with("use _;\nfn f(cx: &Context, o: §Context)"),
            "use crate::Context;\nfn f(cx: &kit::Context, o: Context)\n"
        );
        assert_eq!(with("use _;\nstruct X(pub §Order);"), "use crate::Order;\nstruct X(pub Order);\n");
        assert_eq!(with("use _;\nx!(pub §Order, pub §Mine { §Order });"), "x!(pub Order, pub Mine { Order });\n");
        assert_eq!(with("use _;\npair!(pub §Order, u8);"), "pair!(pub Order, u8);\n");
        assert_eq!(with("use _;\n// So.\nArc::x"), "use std::sync::Arc;\n// So.\nArc::x\n");
        assert_eq!(with("use _;\nx.Arc r#\"Arc\"# §Mine"), "x.Arc r#\"Arc\"# Mine\n");
    }
}
