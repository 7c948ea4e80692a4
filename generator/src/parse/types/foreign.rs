//! Types as other languages write them: only to say how they are written here.

use super::atom::SCALARS;
use crate::design::{Mark, Word};

/// The longest text that is looked at; it also bounds how deep a type in it can be.
const LONGEST: usize = 200;

/// Scalars that have another name elsewhere.
const NAMES: &[(&str, &str)] = &[
    ("int", "i32"),
    ("int8", "i32"),
    ("int16", "i32"),
    ("int32", "i32"),
    ("sint32", "i32"),
    ("i8", "i32"),
    ("i16", "i32"),
    ("short", "i32"),
    ("smallint", "i32"),
    ("integer", "i64"),
    ("int64", "i64"),
    ("sint64", "i64"),
    ("isize", "i64"),
    ("long", "i64"),
    ("bigint", "i64"),
    ("serial", "i64"),
    ("uint", "u32"),
    ("uint8", "u32"),
    ("uint16", "u32"),
    ("uint32", "u32"),
    ("u8", "u32"),
    ("u16", "u32"),
    ("byte", "u32"),
    ("uint64", "u64"),
    ("ulong", "u64"),
    ("usize", "u64"),
    ("float", "f64"),
    ("float32", "f64"),
    ("float64", "f64"),
    ("f32", "f64"),
    ("double", "f64"),
    ("real", "f64"),
    ("number", "decimal"),
    ("numeric", "decimal"),
    ("bigdecimal", "decimal"),
    ("text", "string"),
    ("str", "string"),
    ("varchar", "string(..255)"),
    ("nvarchar", "string(..255)"),
    ("char", "string(1..1)"),
    ("url", "string"),
    ("uri", "string"),
    ("email", "string"),
    ("boolean", "bool"),
    ("bit", "bool"),
    ("datetime", "timestamp"),
    ("timestamptz", "timestamp"),
    ("instant", "timestamp"),
    ("time", "timestamp"),
    ("interval", "duration"),
    ("timespan", "duration"),
    ("blob", "bytes"),
    ("binary", "bytes"),
    ("bytea", "bytes"),
    ("buffer", "bytes"),
    ("any", "json"),
    ("jsonb", "json"),
    ("object", "json"),
    ("guid", "uuid"),
];

const OPTIONAL: &[&str] = &["option", "optional", "maybe", "nullable"];
const LISTS: &[&str] =
    &["vec", "list", "array", "set", "hashset", "btreeset", "sequence", "seq", "slice", "collection", "iterable"];
const MAPS: &[&str] = &["map", "hashmap", "btreemap", "dict", "dictionary"];
const POINTERS: &[&str] = &["box", "arc", "rc", "required", "readonly"];
const NOTHING: &[&str] = &["null", "none", "nil", "undefined"];

/// The scalar that is called so elsewhere, with the bounds that are written behind it: `varchar(64)` is `string(..64)`.
pub(super) fn scalar(name: &str, bounds: Option<&str>) -> Option<String> {
    let plain = name.to_ascii_lowercase();
    let ours = NAMES.iter().find(|(theirs, _)| *theirs == plain).map(|(_, ours)| *ours)?;
    let digits = bounds.filter(|bounds| bounds.bytes().any(|b| b.is_ascii_digit()));
    Some(match (digits, ours) {
        (Some(digits), "string(1..1)") if is_number(digits) => format!("string({digits}..{digits})"),
        (Some(digits), "string" | "string(..255)") if is_number(digits) => format!("string(..{digits})"),
        (Some(digits), "decimal") => format!("decimal({digits})"),
        _ => ours.to_owned(),
    })
}

/// Whether a word says that there may be nothing.
pub(super) fn is_nothing(word: &str) -> bool {
    NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(word))
}

/// A whole field in the notation of this language, if it is written in that of another: `Option<string>`, `?string`,
/// `[string]`, `string | null`, `array of string`.
pub(super) fn notation(written: &str) -> Option<String> {
    if written.len() > LONGEST {
        return None;
    }
    let (ty, default) = written.split_once('=').map_or((written, ""), |(ty, default)| (ty, default.trim()));
    let mut ty = ty.trim();
    let mut marks = String::new();
    while let Some((before, mark)) = ty.rsplit_once(char::is_whitespace).filter(|(_, m)| Mark::from_word(m).is_some()) {
        marks.insert_str(0, &format!(" {mark}"));
        ty = before.trim_end();
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if ty.chars().all(is_word) {
        return None;
    }
    let ours = format!("{}{marks}", translated(ty)?);
    let ours = if default.is_empty() { ours } else { format!("{ours} = {default}") };
    (ours != written.trim()).then_some(ours)
}

fn translated(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some((left, right)) = text.split_once('|') {
        return match (is_nothing(left.trim()), is_nothing(right.trim())) {
            (false, true) => translated(left).map(optional),
            (true, false) => translated(right).map(optional),
            _ => None,
        };
    }
    if text.ends_with("??") {
        return None;
    }
    if let Some(inner) = text.strip_prefix(['?', '*']).or_else(|| text.strip_suffix(['?', '!'])) {
        // `string!` is GraphQL's, for what is required.
        return translated(inner).map(|inner| if text.ends_with('!') { inner } else { optional(inner) });
    }
    if let Some(inner) = text.strip_prefix("[]").or_else(|| text.strip_suffix("[]")) {
        return translated(inner).map(list);
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        return translated(inner).map(list);
    }
    if text.starts_with("ref ") || text.starts_with("enum(") {
        return Some(text.to_owned());
    }
    if let Some((word, inner)) = text.split_once(" of ")
        && is_one_of(LISTS, word)
    {
        return translated(inner).map(list);
    }
    if let Some((word, inner)) = text.split_once(' ')
        && is_one_of(OPTIONAL, word)
    {
        return translated(inner).map(optional);
    }
    let Some(open) = text.find(['<', '[', '(']) else { return word(text) };
    let (name, inner) = (text[..open].trim_end(), &text[open + 1..]);
    match &text[open..=open] {
        "(" => {
            let bounds = inner.strip_suffix(')')?;
            match SCALARS.contains(&name) {
                true => Some(text.to_owned()),
                false => scalar(name, Some(bounds)),
            }
        }
        bracket => {
            let inner = inner.strip_suffix(if bracket == "<" { '>' } else { ']' })?;
            generic(name, inner)
        }
    }
}

/// `Option<string>`, `Dict[str, int]`
fn generic(name: &str, inner: &str) -> Option<String> {
    if is_one_of(MAPS, name) {
        return match parts(inner).as_slice() {
            [value] => Some(format!("map<{}>", translated(value)?)),
            [key, value] => {
                let (key, value) = (translated(key)?, translated(value)?);
                Some(if key == "string" { format!("map<{value}>") } else { format!("map<{key}, {value}>") })
            }
            _ => None,
        };
    }
    let inner = translated(inner)?;
    match name {
        name if is_one_of(OPTIONAL, name) => Some(optional(inner)),
        name if is_one_of(LISTS, name) => Some(list(inner)),
        name if is_one_of(POINTERS, name) => Some(inner),
        _ => None,
    }
}

fn word(text: &str) -> Option<String> {
    let plain = text.to_ascii_lowercase();
    match SCALARS.iter().find(|scalar| **scalar == plain) {
        Some(ours) => Some((*ours).to_owned()),
        None => scalar(text, None).or_else(|| {
            let is_name = text.starts_with(|c: char| c.is_ascii_uppercase());
            (is_name && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')).then(|| text.to_owned())
        }),
    }
}

/// What stands between the commas that are in no brackets.
fn parts(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(|c| {
        match c {
            '<' | '[' | '(' => depth += 1,
            '>' | ']' | ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn optional(ty: String) -> String {
    if ty.ends_with('?') { ty } else { ty + "?" }
}

fn list(item: String) -> String {
    item + "[]"
}

fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word.trim()))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::notation;

    #[test]
    fn what_others_write() {
        let cases = [
            ("Option<string>", "string?"),
            ("Optional[str]", "string?"),
            ("Vec<Line>", "Line[]"),
            ("list<string>", "string[]"),
            ("Option<Vec<String>> pii", "string[]? pii"),
            ("?string", "string?"),
            ("*Line", "Line?"),
            ("[string]", "string[]"),
            ("[]string", "string[]"),
            ("[String!]!", "string[]"),
            ("string | null", "string?"),
            ("null|number = 5", "decimal? = 5"),
            ("array of string", "string[]"),
            ("optional string", "string?"),
            ("int[]", "i32[]"),
            ("HashMap<String, Vec<int>>", "map<i32[]>"),
            ("Map<uuid, u32>", "map<uuid, u32>"),
            ("Box<Line>", "Line"),
            ("varchar(64)[]", "string(..64)[]"),
            ("Option<string(1..9)>", "string(1..9)?"),
            ("Option<ref Order>", "ref Order?"),
        ];
        for (theirs, ours) in cases {
            assert_eq!(notation(theirs).as_deref(), Some(ours), "{theirs}");
        }
        for other in [
            "int", "Foo<Bar>", "a | b", "string?", "", "[", "?", "map<", "Option<>", "x(1)", "A|B|null", "ü<ß>",
            "é(1)", "“", "[ü",
        ] {
            assert_eq!(notation(other), None, "{other}");
        }
        assert_eq!(notation(&"?".repeat(100_000)), None);
    }
}
