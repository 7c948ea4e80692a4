use proptest::prelude::*;

use super::*;

/// Texts that mean something to one of the targets, or to somebody who reads over them.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "plain",
    "it's \"quoted\" `code` \\ back",
    "*/ /* // --",
    "\"\"\"",
    "a \"\"\" b\nc \\\"\"\" d",
    "#} {# {% x %} {{x}} {{{y}}} {{!-- c --}} \\{{z}} \\\\{{z}}",
    "one\ntwo\n\n  three\n",
    "cr\r\nlf\rcr",
    "</script><!-- --> <b a='c'>&amp;",
    "$(id) `id` ${HOME} !! ; | &",
    "\u{202e}drawkcab\u{202c} \u{2066}x\u{2069}",
    "```rust\npanic!()\n```",
    "    let code = 1;\n\tlet tab = 2;",
    "# head\n---\n===\n1. one\n- two\n+ three\n> four\n| a | b |\n|---|---|",
    "[link](http://x.example) [ref] ![image](x) [^1] <http://y.example> http://z.example www.z.example",
    "_a_ __b__ *c* **d** ~~e~~ snake_case $x$",
    "\0\u{1}\u{7f}\u{85}\u{2028}\u{feff}\u{200b}\u{ad}",
    "%s %d {} {0} {{}}",
    "é 日本 😀 \u{301}",
    "\\",
    "\\n",
    "'",
    "\"",
    "{",
    "}}",
    "{{",
    "-",
    "1.",
    "=",
    ":",
    "~",
    "|",
];

/// Hostile texts, put together at random, and anything else.
fn texts() -> impl Strategy<Value = String> {
    let part = prop_oneof![proptest::sample::select(HOSTILE).prop_map(str::to_owned), ".{0,6}", "[ \n\t]{1,3}"];
    proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

/// Runs a check over the hostile texts, a long one, and many at random.
fn all(check: impl Fn(&str)) {
    HOSTILE.iter().for_each(|text| check(text));
    check(&"0123456789 ".repeat(1000));
    check(&HOSTILE.concat());
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&texts(), |text| {
            check(&text);
            Ok(())
        })
        .unwrap();
}

fn rust_literal(source: &str) -> String {
    syn::parse_str::<syn::LitStr>(source).unwrap().value()
}

#[test]
fn rust_strings() {
    assert_eq!(rust_raw_str("a\"#b"), "r##\"a\"#b\"##");
    assert_eq!(rust_raw_str("a\nb"), "r\"a\nb\"");
    all(|text| {
        assert_eq!(rust_literal(&rust_str(text)), text);
        assert_eq!(rust_literal(&rust_raw_str(text)), text);
        let raw = rust_raw_str(text);
        assert!(!raw.chars().any(|c| c != '\n' && is_hidden(c)), "no hidden characters in sources: {text:?}");
        let source = rust_format_str(text);
        assert_eq!(rust_literal(&source).replace("{{", "{").replace("}}", "}"), text);
        assert!(!rust_str(text).chars().any(is_hidden), "no hidden characters in sources: {text:?}");
    });
}

/// What rustdoc reads out of `///` lines.
fn doc(source: &str) -> String {
    let item = format!("{source}\nstruct X;");
    let attributes = syn::parse_str::<syn::ItemStruct>(&item).unwrap_or_else(|e| panic!("{e}: {item:?}")).attrs;
    let line = |attribute: syn::Attribute| match attribute.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }),
            ..
        }) => text.value(),
        other => panic!("{:?}", other.path().get_ident()),
    };
    let lines: Vec<_> = attributes.into_iter().map(line).collect();
    lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// The text that a reader of Markdown sees, which may only be text in paragraphs.
fn prose(markdown: &str) -> String {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_HEADING_ATTRIBUTES;
    let mut seen = String::new();
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(text) => seen.push_str(&text),
            Event::SoftBreak => seen.push('\n'),
            Event::Start(Tag::Paragraph) => {}
            Event::End(TagEnd::Paragraph) => seen.push_str("\n\n"),
            other => panic!("{other:?} in {markdown:?}"),
        }
    }
    seen.trim_end().to_owned()
}

/// What [`visible`] leaves, as paragraphs have it: no space around lines, one blank line between paragraphs.
fn as_prose(text: &str) -> String {
    let visible = visible(text);
    let lines: Vec<_> = visible.lines().map(str::trim).collect();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    paragraphs.map(|lines| lines.join("\n")).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn markdown_is_only_ever_text() {
    all(|text| assert_eq!(prose(&markdown(text)), as_prose(text), "{text:?}"));
    assert_eq!(markdown("non-stop order_id, 3.5 items (all)."), "non-stop order_id, 3.5 items (all).");
}

#[test]
fn rust_doc_comments() {
    all(|text| {
        assert_eq!(prose(&doc(&rust_doc(text))), as_prose(text), "{text:?}");
        let module = rust_module_doc(text);
        assert_eq!(module.replace("//!", "///"), rust_doc(text).replace("//!", "///"));
        assert!(!rust_doc(text).chars().any(|c| c != '\n' && is_hidden(c)));
    });
}

#[test]
fn toml_strings() {
    all(|text| {
        let document: toml_edit::DocumentMut = format!("key = {}\n", toml_str(text)).parse().unwrap();
        assert_eq!(document["key"].as_str(), Some(text));
    });
}

#[test]
fn proto_comments_and_strings() {
    all(|text| {
        let comment = proto_comment(text);
        let source =
            format!("syntax = \"proto3\";\noption java_package = {};\n\n{comment}\nmessage M {{}}\n", proto_str(text));
        let file = protox::file::File::from_source("x.proto", &source).unwrap_or_else(|e| panic!("{e}: {source:?}"));
        let file = file.file_descriptor_proto();
        let option = &file.options.as_ref().unwrap().uninterpreted_option[0];
        assert_eq!(option.string_value(), text.as_bytes());
        let locations = &file.source_code_info.as_ref().unwrap().location;
        let found = locations.iter().find(|location| location.path == [4, 0]).unwrap().leading_comments();
        let lines: Vec<_> = found.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        assert_eq!(lines.join("\n"), visible(text));
    });
}

#[test]
fn sql_comments() {
    all(|text| {
        let comment = sql_comment(text);
        let lines: Vec<_> = comment.lines().map(|line| line.strip_prefix("--").unwrap()).collect();
        let lines: Vec<_> = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        assert_eq!(lines.join("\n"), visible(text));
    });
}

#[test]
fn graphql_strings_and_descriptions() {
    use async_graphql_parser::{parse_schema, types::TypeSystemDefinition};
    all(|text| {
        for description in [graphql_str(text), graphql_description(text)] {
            for margin in ["", "  "] {
                let indented: String = description.lines().map(|line| format!("{margin}{line}\n")).collect();
                let schema = parse_schema(format!("{indented}scalar S")).unwrap_or_else(|e| panic!("{e}: {indented}"));
                let TypeSystemDefinition::Type(scalar) = &schema.definitions[0] else { panic!("{indented}") };
                assert_eq!(scalar.node.description.as_ref().unwrap().node, text, "{description:?}");
            }
        }
    });
    assert_eq!(graphql_description("one\n\ntwo"), "\"\"\"\none\n\ntwo\n\"\"\"");
}

#[test]
fn yaml_scalars() {
    use saphyr::{LoadableYamlNode, Yaml};
    all(|text| {
        let source = format!("key: {}\n", yaml(text));
        let documents = Yaml::load_from_str(&source).unwrap_or_else(|e| panic!("{e}: {source:?}"));
        assert_eq!(documents[0]["key"].as_str(), Some(text));
    });
}

#[test]
#[cfg(unix)]
fn shell_words() {
    let hostile: Vec<_> = HOSTILE.iter().map(|text| text.replace('\0', "")).collect();
    let words: Vec<_> = hostile.iter().map(|text| shell(text)).collect();
    let script = format!("printf '%s\\000' {}", words.join(" "));
    let output = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.split_terminator('\0').collect::<Vec<_>>(), hostile);
}

#[test]
fn html_text_and_attributes() {
    all(|text| {
        let source = format!("<p title=\"{0}\">{0}</p>", html(text));
        let document = roxmltree::Document::parse(&source).unwrap_or_else(|e| panic!("{e}: {source:?}"));
        assert_eq!(document.root_element().text().unwrap_or_default(), visible(text));
        // A line end in an attribute is a space.
        assert_eq!(document.root_element().attribute("title"), Some(visible(text).replace('\n', " ").as_str()));
    });
}

#[test]
fn handlebars_templates() {
    all(|text| {
        let mut registry = handlebars::Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(handlebars::no_escape);
        let template = format!("<{}>", handlebars(text));
        let rendered = registry.render_template(&template, &()).unwrap_or_else(|e| panic!("{e}: {template:?}"));
        assert_eq!(rendered, format!("<{text}>"));
    });
}
