//! The regular expression of a string: `string /[A-Z]{2}/`.

use regex_syntax::ast::{self, Ast};

use super::{Reported, Scan};

/// The longest regular expression, in bytes.
const LONGEST: usize = 1000;

/// Reads `/…/`; `\/` is a slash in it. What it says has to mean the same in Rust and in JSON Schema (ECMA-262).
pub(super) fn read(scan: &mut Scan<'_>) -> Result<String, Reported> {
    let start = scan.at;
    scan.eat("/");
    let mut pattern = String::new();
    loop {
        pattern.push_str(scan.take_while(|c| c != '/' && c != '\\'));
        if scan.eat("\\/") {
            pattern.push('/');
        } else if scan.eat("\\") {
            pattern.push('\\');
            if let Some(escaped) = scan.peek() {
                scan.at += escaped.len_utf8();
                pattern.push(escaped);
            }
        } else if scan.eat("/") {
            break;
        } else {
            return scan.expected(
                "`/`",
                "a regular expression ends with `/`; in a TOML string with double quotes `\\` is written `\\\\`",
            );
        }
    }
    let wrong = match pattern.len() {
        0 => Some("it is empty".to_owned()),
        1..=LONGEST => problem(&pattern),
        _ => Some(format!("it is longer than {LONGEST} bytes")),
    };
    match wrong {
        None => Ok(pattern),
        Some(why) => {
            let message = format!("`/{pattern}/` is not a regular expression every target can carry: {why}");
            scan.fail("E315", start..scan.at, &message, "it is matched against the whole string; groups, classes, `*`, `+`, `?`, `{n,m}` and `|` work everywhere")
        }
    }
}

fn problem(pattern: &str) -> Option<String> {
    let parsed = match ast::parse::ParserBuilder::new().nest_limit(50).build().parse(pattern) {
        Ok(parsed) => parsed,
        Err(error) => return Some(error.kind().to_string()),
    };
    if let Err(what) = ast::visit(&parsed, Portable) {
        return Some(format!("{what} is unknown to JSON Schema"));
    }
    match regex::Regex::new(&format!("^(?:{pattern})$")) {
        Ok(_) => None,
        Err(regex::Error::CompiledTooBig(_)) => Some("it is too large".to_owned()),
        // `…\nerror: Unicode property not found`
        Err(error) => Some(error.to_string().rsplit("error: ").next().unwrap_or_default().trim().to_owned()),
    }
}

/// Refuses what Rust's syntax has and ECMA-262's has not.
struct Portable;

impl ast::Visitor for Portable {
    type Output = ();
    type Err = &'static str;

    fn finish(self) -> Result<(), Self::Err> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        use ast::{AssertionKind, GroupKind, HexLiteralKind, LiteralKind};
        match ast {
            Ast::Flags(_) => Err("a flag"),
            Ast::Group(group) => match &group.kind {
                GroupKind::CaptureName { starts_with_p: true, .. } => Err("`(?P<…>`"),
                GroupKind::NonCapturing(flags) if !flags.items.is_empty() => Err("a flag"),
                _ => Ok(()),
            },
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine
                | AssertionKind::EndLine
                | AssertionKind::WordBoundary
                | AssertionKind::NotWordBoundary => Ok(()),
                _ => Err("`\\A`, `\\z` or a kind of word boundary"),
            },
            Ast::Literal(literal) => match literal.kind {
                LiteralKind::HexBrace(HexLiteralKind::X | HexLiteralKind::UnicodeLong) => Err("`\\x{…}`"),
                LiteralKind::HexFixed(HexLiteralKind::UnicodeLong) => Err("`\\U…`"),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Self::Err> {
        match item {
            ast::ClassSetItem::Ascii(_) => Err("`[:…:]`"),
            ast::ClassSetItem::Bracketed(_) => Err("a class inside a class"),
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ast::ClassSetBinaryOp) -> Result<(), Self::Err> {
        Err("`&&`, `--` or `~~` in a class")
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn only_what_rust_and_json_schema_share() {
        for pattern in ["[A-Z]{2}", "^a|b$", r"\d+(?:-\w*)?", r"\p{L}+", r"(?<year>[0-9]{4})", r"\u{1F600}", r"[^\]]"] {
            assert_eq!(problem(pattern), None, "{pattern}");
        }
        for pattern in [
            "(",
            "a)(b",
            "[",
            "*",
            "(?i)a",
            "(?i:a)",
            "(?P<a>b)",
            r"\Aa\z",
            "[[:alpha:]]",
            "[a&&b]",
            r"\x{41}",
            r"(?=a)",
            r"(a)\1",
            r"\p{Nonsense}",
            "((((a{1000}){1000}){1000}){1000})",
        ] {
            assert!(problem(pattern).is_some(), "{pattern}");
        }
    }
}
