//! Patterns of a design, which are regular expressions as Rust reads them, to those of JSON Schema (ECMA-262, `u` flag).
//!
//! What both read alike is kept as the user wrote it. The rest (flags, `\A`, `\pL`, `[[:alpha:]]`, `[a-z&&[^b]]`) is
//! written out from what it means. `\d`, `\w` and `\s` stay: in documents they mean ASCII, the service also takes
//! other digits and letters.

use std::fmt::Write as _;

use regex_syntax::{
    Parser,
    ast::{self, Ast, ClassSetItem, ClassUnicodeKind, GroupKind, HexLiteralKind, LiteralKind, SpecialLiteralKind},
    hir::{Class, Hir, HirKind, Look},
};

/// The pattern for JSON Schema, which must match the whole string. `None` if ECMA-262 cannot say it.
pub fn ecma(pattern: &str) -> Option<String> {
    let ast = ast::parse::Parser::new().parse(pattern).ok()?;
    let alike = ast::visit(&ast, Alike).is_ok();
    let body = if alike { pattern.to_owned() } else { print(&Parser::new().parse(pattern).ok()?)? };
    Some(format!("^(?:{body})$"))
}

/// Whole numbers from `min` to `max`, in decimal digits without leading zeros.
pub fn integers(min: i128, max: i128) -> String {
    let mut parts = Vec::new();
    if min < 0 {
        let mut below = Vec::new();
        naturals(if max < 0 { max.unsigned_abs() } else { 1 }, min.unsigned_abs(), &mut below);
        parts.push(format!("-(?:{})", below.join("|")));
    }
    if max >= 0 {
        naturals(min.max(0).unsigned_abs(), max.unsigned_abs(), &mut parts);
    }
    format!("^(?:{})$", parts.join("|"))
}

fn naturals(mut from: u128, to: u128, parts: &mut Vec<String>) {
    while from <= to {
        let width = from.max(1).ilog10() + 1;
        // The last number of as many digits.
        let last = 10u128.pow(width).saturating_sub(1).min(to);
        same_width(from.to_string().as_bytes(), last.to_string().as_bytes(), "", parts);
        from = last + 1;
    }
}

/// Both of the same number of digits.
fn same_width(from: &[u8], to: &[u8], before: &str, parts: &mut Vec<String>) {
    let ([a, from @ ..], [b, to @ ..]) = (from, to) else { return parts.push(before.to_owned()) };
    let (a, b) = (*a as char, *b as char);
    let rest = match from.len() {
        0 => String::new(),
        1 => "[0-9]".to_owned(),
        n => format!("[0-9]{{{n}}}"),
    };
    let whole_from = from.iter().all(|digit| *digit == b'0');
    let whole_to = to.iter().all(|digit| *digit == b'9');
    if a == b && !(whole_from && whole_to) {
        return same_width(from, to, &format!("{before}{a}"), parts);
    }
    let (mut low, mut high) = (a, b);
    if !whole_from {
        same_width(from, "9".repeat(from.len()).as_bytes(), &format!("{before}{a}"), parts);
        low = (a as u8 + 1) as char;
    }
    if !whole_to {
        high = (b as u8 - 1) as char;
    }
    match low.cmp(&high) {
        std::cmp::Ordering::Less => parts.push(format!("{before}[{low}-{high}]{rest}")),
        std::cmp::Ordering::Equal => parts.push(format!("{before}{low}{rest}")),
        std::cmp::Ordering::Greater => {}
    }
    if !whole_to {
        same_width("0".repeat(to.len()).as_bytes(), to, &format!("{before}{b}"), parts);
    }
}

/// Fails at the first thing that ECMA-262 reads otherwise than Rust.
struct Alike;

struct Otherwise;

impl Alike {
    fn literal(&self, literal: &ast::Literal, in_class: bool) -> Result<(), Otherwise> {
        let alike = match literal.kind {
            LiteralKind::Verbatim => !"]{}/".contains(literal.c),
            LiteralKind::Meta => r"^$\.*+?()[]{}|".contains(literal.c) || (in_class && literal.c == '-'),
            LiteralKind::Superfluous => literal.c == '/',
            LiteralKind::HexFixed(ref kind) => !matches!(kind, HexLiteralKind::UnicodeLong),
            LiteralKind::Special(ref kind) => !matches!(kind, SpecialLiteralKind::Bell | SpecialLiteralKind::Space),
            LiteralKind::Octal | LiteralKind::HexBrace(_) => false,
        };
        if alike { Ok(()) } else { Err(Otherwise) }
    }

    fn unicode(&self, class: &ast::ClassUnicode) -> Result<(), Otherwise> {
        // General categories by their short names; scripts and others are spelled in two ways.
        match &class.kind {
            ClassUnicodeKind::Named(name) if name.len() <= 2 && name.starts_with(char::is_uppercase) => Ok(()),
            _ => Err(Otherwise),
        }
    }
}

impl ast::Visitor for Alike {
    type Output = ();
    type Err = Otherwise;

    fn finish(self) -> Result<(), Otherwise> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Otherwise> {
        use ast::AssertionKind::{EndLine, NotWordBoundary, StartLine, WordBoundary};
        let alike = match ast {
            Ast::Empty(_) | Ast::Dot(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_) => true,
            Ast::Alternation(_) | Ast::Concat(_) | Ast::Repetition(_) => true,
            Ast::Flags(_) => false,
            Ast::Literal(literal) => return self.literal(literal, false),
            Ast::ClassUnicode(class) => return self.unicode(class),
            Ast::Assertion(at) => matches!(at.kind, StartLine | EndLine | WordBoundary | NotWordBoundary),
            Ast::Group(group) => match &group.kind {
                GroupKind::CaptureIndex(_) => true,
                GroupKind::CaptureName { .. } => false,
                GroupKind::NonCapturing(flags) => flags.items.is_empty(),
            },
        };
        if alike { Ok(()) } else { Err(Otherwise) }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Otherwise> {
        match item {
            ClassSetItem::Literal(literal) => self.literal(literal, true),
            ClassSetItem::Range(range) => self.literal(&range.start, true).and(self.literal(&range.end, true)),
            ClassSetItem::Unicode(class) => self.unicode(class),
            ClassSetItem::Perl(_) | ClassSetItem::Union(_) => Ok(()),
            ClassSetItem::Empty(_) | ClassSetItem::Ascii(_) | ClassSetItem::Bracketed(_) => Err(Otherwise),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ast::ClassSetBinaryOp) -> Result<(), Otherwise> {
        Err(Otherwise)
    }
}

fn print(hir: &Hir) -> Option<String> {
    let all = |subs: &[Hir]| subs.iter().map(print).collect::<Option<Vec<_>>>();
    Some(match hir.kind() {
        HirKind::Empty => "(?:)".to_owned(),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok()?.chars().map(|c| escaped(c, false)).collect(),
        HirKind::Class(Class::Unicode(class)) => ranges(class.iter().map(|range| (range.start(), range.end()))),
        HirKind::Class(Class::Bytes(class)) => {
            ranges(class.iter().map(|range| (char::from(range.start()), char::from(range.end()))))
        }
        HirKind::Look(look) => match look {
            Look::Start => "^".to_owned(),
            Look::End => "$".to_owned(),
            Look::WordAscii | Look::WordUnicode => r"\b".to_owned(),
            Look::WordAsciiNegate | Look::WordUnicodeNegate => r"\B".to_owned(),
            _ => return None,
        },
        HirKind::Repetition(repetition) => {
            let mut text = format!("(?:{})", print(&repetition.sub)?);
            match (repetition.min, repetition.max) {
                (0, None) => text.push('*'),
                (1, None) => text.push('+'),
                (0, Some(1)) => text.push('?'),
                (min, None) => _ = write!(text, "{{{min},}}"),
                (min, Some(max)) if min == max => _ = write!(text, "{{{min}}}"),
                (min, Some(max)) => _ = write!(text, "{{{min},{max}}}"),
            }
            if !repetition.greedy {
                text.push('?');
            }
            text
        }
        HirKind::Capture(capture) => format!("(?:{})", print(&capture.sub)?),
        HirKind::Concat(subs) => all(subs)?.concat(),
        HirKind::Alternation(subs) => format!("(?:{})", all(subs)?.join("|")),
    })
}

fn ranges(ranges: impl Iterator<Item = (char, char)>) -> String {
    let range = |(a, b)| match a == b {
        true => escaped(a, true),
        false => format!("{}-{}", escaped(a, true), escaped(b, true)),
    };
    format!("[{}]", ranges.map(range).collect::<String>())
}

fn escaped(c: char, in_class: bool) -> String {
    match c {
        '^' | '$' | '\\' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '/' => format!("\\{c}"),
        '-' if in_class => r"\-".to_owned(),
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => format!("\\u{:04X}", c as u32),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let schema = serde_json::json!({ "type": "string", "pattern": pattern });
        jsonschema::validator_for(&schema).unwrap().is_valid(&serde_json::json!(text))
    }

    #[test]
    fn what_both_read_alike_is_kept() {
        for pattern in ["[A-Z]{2}[0-9]{2}", r"\d+(\.\d{1,2})?", "a|b|c", r"[\w.-]+@[\w.-]+", r"\p{Lu}x", "é+?"] {
            assert_eq!(ecma(pattern).unwrap(), format!("^(?:{pattern})$"));
        }
    }

    #[test]
    fn the_rest_is_written_out_and_means_the_same() {
        for (pattern, yes, no) in [
            ("(?i)ab", "aB", "ac"),
            (r"\Aab\z", "ab", "abb"),
            ("(?P<year>[0-9]{4})", "2026", "26"),
            ("[[:alpha:]]+", "abZ", "a1"),
            ("[a-z&&[^b]]+", "ac", "ab"),
            (r"\x{41}{1,2}", "AA", "AAA"),
            (r"\-\#/", "-#/", "-/"),
            ("[]}a-]+", "]}-a", "b"),
            ("(?x) a b", "ab", "a b"),
            (r"[^\n😀]", "x", "😀"),
        ] {
            let ecma = ecma(pattern).unwrap_or_else(|| panic!("{pattern}"));
            let rust = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
            for (text, taken) in [(yes, true), (no, false)] {
                assert_eq!(rust.is_match(text), taken, "{pattern} for {text}");
                assert_eq!(matches(&ecma, text), taken, "{pattern} to {ecma} for {text}");
            }
        }
        assert_eq!(ecma("(?m)^a$"), None);
        assert_eq!(ecma("("), None);
    }

    #[test]
    fn integers_are_exact() {
        let pattern = |min, max| regex::Regex::new(&integers(min, max)).unwrap();
        for (min, max) in [(0, 0), (0, 9), (1, 10), (7, 1234), (-5, 5), (-120, -7), (199, 2003), (90, 110), (-1, 0)] {
            let pattern = pattern(min, max);
            for n in -2100..2100i128 {
                assert_eq!(
                    pattern.is_match(&n.to_string()),
                    (min..=max).contains(&n),
                    "{n} in {min}..{max}: {pattern}"
                );
            }
            assert!(!pattern.is_match("007") && !pattern.is_match("") && !pattern.is_match("-0"));
        }
        let (i64s, u64s) = (pattern(i64::MIN.into(), i64::MAX.into()), pattern(0, u64::MAX.into()));
        for n in [i64::MIN.into(), -1, 0, 7, i64::MAX.into(), u64::MAX.into(), i128::from(i64::MIN) - 1, 1 << 64] {
            assert_eq!(i64s.is_match(&n.to_string()), i64::try_from(n).is_ok(), "{n}");
            assert_eq!(u64s.is_match(&n.to_string()), u64::try_from(n).is_ok(), "{n}");
        }
    }
}
