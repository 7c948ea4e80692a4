//! Whatever the text is: reading it ends, with a design and with diagnostics that can be shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use generator::{
    diagnostic::render,
    parse::parse,
    source::{Source, Sources, Span},
};
use proptest::prelude::*;

fn sources(texts: &[&str]) -> Sources {
    let source = |(at, text): (usize, &&str)| Source {
        path: if at == 0 { "design.toml".to_owned() } else { format!("part{at}.toml") },
        location: PathBuf::new(),
        text: (*text).into(),
    };
    Sources(texts.iter().enumerate().map(source).collect())
}

fn assert_within(sources: &Sources, span: &Span) {
    let text = &sources.0[span.file].text;
    assert!(span.start <= span.end && text.get(span.start..span.end).is_some(), "{span:?} of {} bytes", text.len());
}

/// Every place that a design or a diagnostic has is a place of the text, and everything can be shown.
fn read_and_show(texts: &[&str]) {
    let sources = sources(texts);
    let (design, diagnostics) = parse(&sources);
    // There are spans in a hundred fields of thirty structs; their debug form shows all of them.
    let debug = format!("{design:?}");
    for found in debug.split("Span { file: ").skip(1) {
        let numbers: Vec<usize> = found
            .split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .take(3)
            .map(|n| n.parse().unwrap())
            .collect();
        assert_within(&sources, &Span::new(numbers[0], numbers[1]..numbers[2]));
    }
    for diagnostic in &diagnostics {
        assert_within(&sources, &diagnostic.span);
        diagnostic.related.iter().for_each(|(span, _)| assert_within(&sources, span));
        assert!(!diagnostic.message.is_empty());
        assert!(diagnostic.help.is_some(), "{diagnostic:?}");
    }
    let plain = render::render(&diagnostics, &sources, false);
    assert!(!plain.contains(|c: char| c.is_control() && c != '\n'), "{plain:?}");
    render::render(&diagnostics, &sources, true);
    for entry in render::entries(&diagnostics, &sources) {
        assert!((entry.place.line, entry.place.column) <= (entry.place.end_line, entry.place.end_column), "{entry:?}");
    }
}

const DESIGNS: [&str; 2] = [include_str!("designs/every-key.toml"), include_str!("../../tests/designs/shop-full.toml")];

const PIECES: [&str; 48] = [
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "(",
    ")",
    "<",
    ">",
    "=",
    ".",
    "..",
    ",",
    "|",
    "?",
    "/",
    "\\",
    "\\u0000",
    "#",
    "##",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "\0",
    "\u{7f}",
    "\u{9b}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "🦀",
    "\n[system]\n",
    "\n[[links]]\n",
    "\na.b.c = 1\n",
    "99999999999999999999",
    "1e999",
    "enum(",
    "map<",
    "stream ",
    "ref ",
    "readonly ",
    "file:",
];

/// Cuts, doublings and insertions at any place of a design.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (0..4_u8, any::<prop::sample::Index>(), 0..40_usize, prop::sample::select(&PIECES[..]));
    (prop::sample::select(&DESIGNS[..]), prop::collection::vec(edit, 1..6)).prop_map(|(design, edits)| {
        let mut text = design.to_owned();
        for (kind, place, length, piece) in edits {
            let start = text.floor_char_boundary(place.index(text.len() + 1));
            let end = text.floor_char_boundary((start + length).min(text.len())).max(start);
            match kind {
                0 => text.replace_range(start..end, ""),
                1 => text.replace_range(start..end, piece),
                2 => {
                    let copy = text[start..end].to_owned();
                    text.insert_str(start, &copy);
                }
                _ => text.insert_str(start, piece),
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        read_and_show(&[&text]);
    }

    #[test]
    fn any_pieces(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        read_and_show(&[&pieces.concat()]);
    }

    #[test]
    fn any_type(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12), word in "[a-zA-Z0-9_(,) ]{0,12}") {
        let text = pieces.concat().replace(['\'', '\n'], "");
        read_and_show(&[&format!("[system]\nname = 'x'\n[types]\nA = '{word}{text}'\nB = {{ a = '{text}{word}' }}\n")]);
    }

    #[test]
    fn any_mutation(text in mutated()) {
        read_and_show(&[&text]);
        // What is TOML to others is TOML here, but for lists of tables, for bounds that they do not have, and for lines that
        // end between a key and its value, which TOML forbids and toml_edit takes.
        let (_, diagnostics) = parse(&sources(&[&text]));
        let is_toml = !diagnostics.iter().any(|d| ["E100", "E103"].contains(&d.code));
        let has_lists = diagnostics.iter().any(|d| d.code == "E105");
        let has_ends = diagnostics.iter().any(|d| d.message == "a value is missing");
        if !has_lists && !has_ends {
            prop_assert_eq!(is_toml, text.parse::<toml_edit::DocumentMut>().is_ok(), "{:#?}", diagnostics);
        }
    }

    #[test]
    fn any_two_files(one in mutated(), two in mutated()) {
        read_and_show(&[&one, &two]);
    }
}

/// Nothing that repeats takes more than its share of time.
#[test]
fn a_lot_of_anything() {
    let size = 1 << 16;
    let fill = |start: &str, piece: &str, end: &str| start.to_owned() + &piece.repeat(size / piece.len()) + end;
    let numbered = |start: &str, piece: &dyn Fn(usize) -> String, end: &str| {
        start.to_owned() + &(0..size / (piece(10_000).len())).map(piece).collect::<String>() + end
    };
    let texts = [
        fill("", "[", ""),
        fill("a = ", "[", ""),
        fill("a = ", "{a=", ""),
        fill("a = ", "[[{a=", "]"),
        fill("", "a.", "a = 1"),
        fill("[", "a.", "a]"),
        fill("", "\"", ""),
        fill("", "'''\n", ""),
        fill("", "a\n", ""),
        fill("", "a=1\n", ""),
        fill("a = ", ",", ""),
        fill("a = [", "x ", "]"),
        fill("", "[x]\n", ""),
        fill("", "[[x]]\n", ""),
        fill("", "## x\n", "[system]\n"),
        fill("", "a = [\n", ""),
        fill("", "\u{202e}", ""),
        fill("[system]\nname = \"", "x", "\""),
        fill("[system]\nname = \"", "\\u0007", "\""),
        fill("[types]\nA = { a = \"u32", "[]", "\" }"),
        fill("[types]\nA = { a = \"", "map<", "\" }"),
        fill("[types]\nA = { a = \"u32", "?", "\" }"),
        fill("[types]\nA = { a = \"string", " x", "\" }"),
        fill("[types]\nA = { a = \"string", " \\u0078", "\" }"),
        fill("[types]\nA = { a = \"string /", "(", "/\" }"),
        fill("[types]\nA = { a = \"string /", "a", "/\" }"),
        numbered("[types]\nA = \"enum(", &|n| format!("v{n},"), "x)\""),
        numbered("[types]\nA = \"X", &|n| format!("|V{n}"), "\""),
        numbered("[services.a]\nfronts = [", &|n| format!("'s{n}',"), "]"),
        numbered("[services.a]\n", &|n| format!("key{n} = 1\n"), ""),
        numbered("", &|n| format!("[types.T{n}]\na = 'typo{n}'\n"), ""),
        numbered("", &|n| format!("[services.s{n}]\nexpose = ['gprc']\n"), ""),
    ];
    for text in texts {
        read_and_show(&[&text]);
    }
}

/// What editors put at the start of a file is no part of it.
#[test]
fn a_string_without_an_end_may_swallow_a_last_line_without_one() {
    read_and_show(&["=\"\"\"\n[[🦀"]);
    read_and_show(&["a = [\n🦀"]);
}

#[test]
fn a_byte_order_mark_is_nothing() {
    let (design, diagnostics) = parse(&sources(&["\u{feff}[system]\nname = \"x\"\n"]));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(design.system.name.map(|name| name.value).as_deref(), Some("x"));
    let broken = sources(&["\u{feff}nme = 1\n"]);
    let (_, diagnostics) = parse(&broken);
    let entries = render::entries(&diagnostics, &broken);
    assert!(entries.iter().all(|entry| (entry.place.line, entry.place.column) == (1, 1)), "{entries:#?}");
}

/// The designs that are good are read without a word.
#[test]
fn good_designs_are_good() {
    for design in DESIGNS {
        let (_, diagnostics) = parse(&sources(&[design]));
        assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    }
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("design.schema.json").is_file());
}
