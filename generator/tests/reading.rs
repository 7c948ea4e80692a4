//! What a design says once it is read, and how its mistakes are shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{path::PathBuf, time::Duration};

use generator::{
    design::{Body, Breaker, Design, Limit, Mark, TypeDefKind, TypeKind, Via},
    diagnostic::{Diagnostic, render},
    model::{Rate, Scalar},
    parse::parse,
    source::{Source, Sources, Span},
};

fn sources(texts: &[&str]) -> Sources {
    let source = |(at, text): (usize, &&str)| Source {
        path: if at == 0 { "design.toml".to_owned() } else { format!("part{at}.toml") },
        location: PathBuf::new(),
        text: (*text).into(),
    };
    Sources(texts.iter().enumerate().map(source).collect())
}

/// The design of these files, which is good.
fn design(texts: &[&str]) -> Design {
    let (design, diagnostics) = parse(&sources(texts));
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    assert!(!design.incomplete);
    design
}

fn shown(text: &str) -> String {
    let sources = sources(&[text]);
    render::render(&parse(&sources).1, &sources, false)
}

const SYSTEM: &str = "[system]\nname = \"x\"\n";

fn with_system(text: &str) -> String {
    format!("{SYSTEM}{text}")
}

/// TOML 1.1, and every way to write a key.
#[test]
fn headers_dotted_keys_and_inline_tables_are_the_same() {
    let headers = "[links.a.b]\nvia = \"rest\"\n[links.a.b.retry]\nattempts = 2\n[services.a]\n[services.b]\n";
    let dotted = "links.a.b.via = \"rest\"\nlinks.a.b.retry.attempts = 2\nservices.a = {}\nservices.b = {}\n";
    let inline = "services = { a = {}, b = {} }\nlinks = {\n  a = { b = {\n    via = \"rest\", # over REST\n    retry = { attempts = 2, },\n  }, },\n}\n";
    for text in [format!("{SYSTEM}{headers}"), format!("{dotted}{SYSTEM}"), format!("{inline}{SYSTEM}")] {
        let design = design(&[&text]);
        let [link] = design.links.as_slice() else { panic!("{text}") };
        assert_eq!((link.from.value.as_str(), link.to.value.to_string().as_str()), ("a", "b"));
        assert_eq!(link.via.as_ref().map(|via| via.value), Some(Via::Rest));
        let attempts =
            link.retry.as_ref().and_then(|retry| retry.value.attempts.as_ref()).map(|attempts| attempts.value);
        assert_eq!(attempts, Some(2));
        assert_eq!(design.services.len(), 2);
    }
}

#[test]
fn comments_with_two_hashes_describe() {
    let text = with_system(
        "
## Above a blank line: nobody's.

## Keeps orders.
##   Indented, and a blank one:
##
# Private.
## Last.
[services.orders]
## The team.
team = \"blue\" ## not a description
#### ornament ####
expose = [\"rest\"]

## Orders.
[services.orders.resources.Order]
verbs = []
fields = {
  ## The number.
  number = \"u32\", # private
  ## The
  ## state.
  state = \"bool\",
  plain = \"bool\",
}

[types.Line]
## How many.
quantity = \"u32\"
",
    );
    let design = design(&[&text]);
    let orders = &design.services["orders"];
    assert_eq!(orders.head.docs.description, "Keeps orders.\n  Indented, and a blank one:\n\nLast.");
    let order = &orders.resources["Order"];
    assert_eq!(order.head.docs.description, "Orders.");
    let descriptions: Vec<&str> = order.fields.values().map(|field| field.description.as_str()).collect();
    assert_eq!(descriptions, ["The number.", "The\nstate.", ""]);
    let TypeDefKind::Record(line) = &design.types["Line"].kind else { panic!() };
    assert_eq!(line["quantity"].description, "How many.");
}

/// A description belongs to the header right below it, also if another header mentioned the table first.
#[test]
fn a_description_follows_its_header() {
    let text =
        with_system("## Of Order.\n[services.a.resources.Order]\nverbs = []\nfields = {}\n\n## Of a.\n[services.a]\n");
    let design = design(&[&text]);
    assert_eq!(design.services["a"].head.docs.description, "Of a.");
    assert_eq!(design.services["a"].resources["Order"].head.docs.description, "Of Order.");
}

#[test]
fn files_are_united_table_by_table() {
    let root = with_system("[services.a]\nteam = \"blue\"\n[services.a.events.E]\npayload = {}\n");
    let design =
        design(&[&root, "[services.a.commands.c]\n[links.a.b]\n[services.b]\n", "services.a.expose = [\"rest\"]\n"]);
    let a = &design.services["a"];
    assert!(a.team.is_some() && a.expose.is_some());
    assert_eq!((a.commands.len(), a.events.len(), design.links.len()), (1, 1, 1));
    assert_eq!(a.commands["c"].head.name.span, Span::new(1, 21..22));
}

#[test]
fn literals_are_read() {
    let text = with_system(
        "[services.a]\nlimit = { free = \"60/1m\" }\nold.2 = { sunset = 2026-01-01 }\n\n[services.b]\n\n[links.a.b]\ntimeout = \"300ms\"\nbreaker = false\nfallback = \"default\"\n",
    );
    let design = design(&[&text]);
    let Some(Limit::ByPlan(plans)) = design.services["a"].limit.as_ref().map(|limit| &limit.value) else { panic!() };
    assert_eq!(plans["free"].rate.value, Rate { calls: 60, window: Duration::from_secs(60) });
    let sunset = design.services["a"].old[&2].value.sunset.as_ref().map(|date| date.value.year);
    assert_eq!(sunset, Some(2026));
    let link = &design.links[0];
    assert_eq!(link.timeout.as_ref().map(|timeout| timeout.value), Some(Duration::from_millis(300)));
    assert!(matches!(link.breaker.as_ref().map(|breaker| &breaker.value), Some(Breaker::Off)));
    assert_eq!(link.fallback.as_ref().map(|fallback| fallback.value.len()), Some(1));
}

/// How a type is written, and what its form is.
#[test]
fn type_expressions() {
    fn form(kind: &TypeKind) -> String {
        match kind {
            TypeKind::Scalar(Scalar::String { min: 0, max: None, pattern: None }) => "string".to_owned(),
            TypeKind::Scalar(scalar) => format!("{scalar:?}"),
            TypeKind::Name(name) => name.to_string(),
            TypeKind::Ref(name) => format!("ref {}", name.value),
            TypeKind::Enum(values) => {
                format!("enum({})", values.iter().map(|v| v.value.as_str()).collect::<Vec<_>>().join("|"))
            }
            TypeKind::Map { key, value } => {
                let key = key.as_ref().map_or_else(String::new, |key| form(&key.kind) + " ");
                format!("map<{key}{}>", form(&value.kind))
            }
            TypeKind::List { item, min, max } => format!("list<{} {min} {max:?}>", form(&item.kind)),
            TypeKind::Optional(item) => format!("optional<{}>", form(&item.kind)),
            TypeKind::Broken => "broken".to_owned(),
        }
    }
    let cases = [
        ("string", "string"),
        (" string ", "string"),
        ("string(2..2)", "String { min: 2, max: Some(2), pattern: None }"),
        ("string(..2000)?", "optional<String { min: 0, max: Some(2000), pattern: None }>"),
        ("string(1..)", "String { min: 1, max: None, pattern: None }"),
        ("string /[a-z]|\\\\/+/", "String { min: 0, max: None, pattern: Some(\"[a-z]|/+\") }"),
        ("string(1..3) /a b/", "String { min: 1, max: Some(3), pattern: Some(\"a b\") }"),
        ("i32(-5..5)", "I32 { min: -5, max: 5 }"),
        ("i64", "I64 { min: -9223372036854775808, max: 9223372036854775807 }"),
        ("u32(1..9)", "U32 { min: 1, max: 9 }"),
        ("u64(1..)", "U64 { min: 1, max: 18446744073709551615 }"),
        ("f64(-0.5..1.5)", "F64 { min: Some(-0.5), max: Some(1.5) }"),
        ("decimal", "Decimal { precision: 18, scale: 4 }"),
        ("decimal(12, 2)", "Decimal { precision: 12, scale: 2 }"),
        ("Money", "Money"),
        ("orders.Order", "orders.Order"),
        ("ref Product", "ref Product"),
        ("ref catalogue.Product[]", "list<ref catalogue.Product 0 None>"),
        ("enum(open, closed)", "enum(open|closed)"),
        ("map<u32>", "map<U32 { min: 0, max: 4294967295 }>"),
        ("map<string, Line[]>", "map<string list<Line 0 None>>"),
        ("map<enum(a,b),map<Bool1>>", "map<enum(a|b) map<Bool1>>"),
        ("string?[]", "list<optional<string> 0 None>"),
        ("string[]?", "optional<list<string 0 None>>"),
        ("Line[1..100]", "list<Line 1 Some(100)>"),
        ("Line[3..3]", "list<Line 3 Some(3)>"),
        ("Line[2..]", "list<Line 2 None>"),
        ("string[][..5]", "list<list<string 0 None> 0 Some(5)>"),
    ];
    for (written, expected) in cases {
        let design = design(&[&with_system(&format!("[types.T]\na = \"{written}\"\n"))]);
        let TypeDefKind::Record(fields) = &design.types["T"].kind else { panic!() };
        assert_eq!(form(&fields["a"].ty.expr.kind), expected, "{written}");
    }
}

#[test]
fn marks_defaults_bodies_and_definitions() {
    let text = with_system(
        "[types]\nIban = \"string(15..34) pii\"\nPay = \"Card|Cash\"\nColour = \"enum(red)\"\n\n[services.s.resources.R]\nverbs = []\nfields = { a = \"Colour fixed unique = red\", b = \"string = ' x '\", c = \"Line[] = []\" }\n\n[services.s.commands.c]\ninput = \"stream Line\"\noutput = { x = \"bool\" }\nerrors = { E = \"conflict with Line\" }\n",
    );
    let design = design(&[&text]);
    let TypeDefKind::Scalar(iban) = &design.types["Iban"].kind else { panic!() };
    assert!(iban.mark(Mark::Pii).is_some() && iban.mark(Mark::Secret).is_none());
    assert!(matches!(&design.types["Pay"].kind, TypeDefKind::Union(variants) if variants.len() == 2));
    assert!(matches!(&design.types["Colour"].kind, TypeDefKind::Enum(values) if values.len() == 1));
    let fields = &design.services["s"].resources["R"].fields;
    let default = |name: &str| fields[name].ty.default.as_ref().map(|default| default.value.clone());
    assert_eq!(fields["a"].ty.marks.iter().map(|mark| mark.value).collect::<Vec<_>>(), [Mark::Fixed, Mark::Unique]);
    assert_eq!([default("a"), default("b"), default("c")].map(Option::unwrap), ["red", " x ", "[]"]);
    let command = &design.services["s"].commands["c"];
    let at = |span: &Span| &text[span.start..span.end];
    let Some(Body::Named { stream: Some(stream), name }) = command.input.as_ref().map(|input| &input.value) else {
        panic!()
    };
    assert_eq!((at(stream), at(&name.span)), ("stream", "Line"));
    assert!(
        matches!(command.output.as_ref().map(|output| &output.value), Some(Body::Fields(fields)) if fields.len() == 1)
    );
    let with = command.common.errors["E"].with.as_ref().unwrap();
    assert_eq!((with.value.name.as_str(), at(&with.span)), ("Line", "Line"));
}

/// Places inside strings are right whatever the string is written like.
#[test]
fn places_inside_strings() {
    let cases = [
        r#"a = "string typo""#,
        r#"a = 'string typo'"#,
        r#"a = "\u0073tring typo""#,
        r#"a = "string\u0020typo""#,
        r#"a = "string é typo""#,
        "a = \"\"\"\n string\n  typo\"\"\"",
        "a = '''\nstring typo'''",
        "a = \"\"\"string \\\n   typo\"\"\"",
    ];
    for case in cases {
        let text = with_system(&format!("[types.T]\n{case}\n"));
        let (_, diagnostics) = parse(&sources(&[&text]));
        let found = diagnostics.iter().find(|d| d.message.contains("`typo`")).unwrap_or_else(|| panic!("{case}"));
        assert_eq!(&text[found.span.start..found.span.end], "typo", "{case}");
    }
}

/// One mistake, one report.
#[test]
fn no_report_follows_from_another() {
    let cases = [
        "[services.a]\nexpose = [\"rest\"\n",
        "[services.a]\nexpose = rest\n",
        "[services.a]\ncommands = 5\n",
        "[services.a.events.E]\npayload = 5\n",
        "[services.a.events.E]\npayloads = {}\n",
        "[services.a.events.E]\npayload =\n",
        "[services.a.events.E]\npayload = \"Line[]\"\n",
        "[services.a.resources.R]\nverbs = [\"gte\"]\nfields = {}\n",
        "[services.a.resources.R]\nverbs = [\"get\"]\nfields = { a = \"strng unique = 5\" }\n",
        "[services.a]\nevents.E = 5\n",
        "[[services.a.events]]\nname = \"E\"\nnonsense = 5\n[[services.a.events]]\n",
        "[services.a\nexpose = [\"rest\"]\n",
        "[services.a]\nteam = \"blue\nexpose = [\"rest\"]\n",
        "[types]\nU = \"A | strng\"\n",
    ];
    for case in cases {
        let (_, diagnostics) = parse(&sources(&[&with_system(case)]));
        assert_eq!(diagnostics.len(), 1, "{case}\n{diagnostics:#?}");
    }
}

/// What could not be understood is marked, so that nobody complains about its absence.
#[test]
fn what_is_broken_is_marked() {
    let text =
        "[services.a]\nexpose = [\"gprc\", \"rest\"]\nteams = \"x\"\n[services.b]\n[services]\nc = 5\n[service.d]\n";
    let (design, _) = parse(&sources(&[&with_system(text)]));
    let a = &design.services["a"];
    assert!(a.head.is_broken("expose") && a.head.is_broken("team") && !a.head.is_broken("store"));
    assert_eq!(a.expose.as_ref().map(|expose| expose.value.len()), Some(1));
    assert!(design.services["c"].head.is_broken("store"));
    assert!(design.incomplete);
}

#[test]
fn a_diagnostic_as_text() {
    let expected = "error[E106]: `expose` cannot be `gprc`
 --> design.toml:4:19
  |
4 | expose = [\"rest\", \"gprc\"]
  |                   ^^^^^^
  |
  = help: did you mean `grpc`?

";
    let text = with_system("[services.a]\nexpose = [\"rest\", \"gprc\"]\n");
    assert_eq!(shown(&text), expected);
    let sources = sources(&[&text]);
    let coloured = render::render(&parse(&sources).1, &sources, true);
    assert!(coloured.contains("\u{1b}["), "{coloured}");
}

#[test]
fn a_diagnostic_as_data() {
    let text = with_system("[services.a]\nteam = \"é\"\nteam = \"ü\"\n");
    let sources = sources(&[&text]);
    let entries = render::entries(&parse(&sources).1, &sources);
    let expected = serde_json::json!([{
        "code": "E103",
        "message": "`services.a.team` is set twice: here and in line 4",
        "help": "keep one of them",
        "file": "design.toml",
        "line": 5,
        "column": 1,
        "end_line": 5,
        "end_column": 5,
        "related": [{
            "message": "first set here", "file": "design.toml", "line": 4, "column": 1, "end_line": 4, "end_column": 5
        }]
    }]);
    assert_eq!(serde_json::to_value(&entries).unwrap(), expected);
}

#[test]
fn long_lines_are_cut_and_places_stay_right() {
    let many = "\"rest\", ".repeat(90);
    let longer = format!("[services.a]\nteam = \"{}\"\nfronts = [{many}5]\n", "x".repeat(50_000));
    let text = with_system(&longer);
    let shown = shown(&text);
    let column = text.lines().find(|line| line.starts_with("fronts")).unwrap().find('5').unwrap() + 1;
    assert!(shown.contains(&format!("--> design.toml:5:{column}\n")), "{shown}");
    let fields: String = (0..2000).map(|n| format!("a{n} = 'u32', ")).collect();
    let very_long = with_system(&format!("[types]\nT = {{ {fields}z = \"strng\" }}\n"));
    let column = very_long.lines().last().unwrap().find("strng").unwrap() + 1;
    let cut = self::shown(&very_long);
    assert!(cut.contains(&format!("--> design.toml:4:{column}\n")), "{cut}");
    for text in [shown, cut] {
        assert!(text.lines().all(|line| line.chars().count() < 200), "{text}");
        assert!(text.contains('^'), "{text}");
    }
}

#[test]
fn what_cannot_be_seen_is_made_visible() {
    let message = "a \u{202e}b\u{7}c\u{9b}d\ne";
    let sources = sources(&["x = \"\u{202e}\u{9b}31m\"\n"]);
    let diagnostic =
        Diagnostic::new("E100", Span::new(0, 0..1), message).help(message).related(Span::new(0, 4..5), message);
    let text = render::render(&[diagnostic], &sources, false);
    assert!(text.contains("a \\u{202e}b\\u{7}c\\u{9b}d\\u{a}e"), "{text}");
    assert!(!text.contains(['\u{202e}', '\u{7}', '\u{9b}']), "{text:?}");
}

#[test]
fn more_than_a_hundred_are_counted() {
    let diagnostics = vec![Diagnostic::new("E100", Span::new(0, 0..1), "x"); 130];
    let text = render::render(&diagnostics, &sources(&["x"]), false);
    assert_eq!(text.matches("error[E100]").count(), 100);
    assert!(text.contains("… and 30 more"), "{text}");
    let garbage = "?\n".repeat(5000);
    let (_, diagnostics) = parse(&sources(&[&garbage]));
    assert!(
        diagnostics.len() < 200 && diagnostics.iter().any(|d| d.message.contains("4900 more")),
        "{}",
        diagnostics.len()
    );
}
