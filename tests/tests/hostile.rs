//! Texts that mean something to every target come back from every document as they stand in the design.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use async_graphql_parser::types::{TypeKind, TypeSystemDefinition};
use generator::{escape, plan::Plan};
use proc_macro2::{TokenStream, TokenTree};
use pulldown_cmark::{Event, Options, Parser};
use serde_json::Value;
use tests::{
    designed::{designed, read, repository},
    readable,
};
use toml_edit::DocumentMut;

/// The texts of the design, read by somebody else's parser.
struct Texts {
    /// Every summary.
    line: String,
    /// The `##` comment above everything.
    block: String,
    /// A default of several lines.
    lines: String,
    /// 10 000 characters.
    long: String,
    pattern: String,
}

impl Texts {
    fn of(design: &str) -> Self {
        let document: DocumentMut = design.parse().expect("TOML");
        let text = |table: &toml_edit::Item, key: &str| table[key].as_str().expect(key).to_owned();
        let default = |key: &str| {
            let expression = text(&document["types"]["Arc"], key);
            let (_, default) = expression.split_once(" = '").expect("a default");
            default.strip_suffix('\'').expect("its end").to_owned()
        };
        let comments =
            design.lines().skip_while(|line| !line.starts_with("##")).take_while(|line| line.starts_with("##"));
        let comments =
            comments.map(|line| line.trim_start_matches("##")).map(|line| line.strip_prefix(' ').unwrap_or(line));
        let expression = text(&document["types"], "Code");
        Self {
            line: text(&document["system"], "summary"),
            block: comments.collect::<Vec<_>>().join("\n"),
            lines: default("lines"),
            long: default("long"),
            pattern: expression.trim_start_matches("string /").trim_end_matches('/').replace("\\/", "/"),
        }
    }
}

struct Hostile {
    texts: Texts,
    plan: Plan,
}

fn hostile() -> Hostile {
    let design = read(&repository("tests/designs/hostile.toml")).expect("a design");
    Hostile { texts: Texts::of(&design), plan: designed(&design).expect("a plan").plan }
}

impl Hostile {
    fn text(&self, path: &str) -> &str {
        &self.plan.files.get(path).unwrap_or_else(|| panic!("no {path} in {:#?}", self.plan.files.keys())).text
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(self.text(path)).expect(path)
    }
}

/// What a reader of Markdown sees, line by line.
fn seen(markdown: &str) -> String {
    let mut seen = String::new();
    // All that readers know but what changes letters: quotes that curl.
    let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(text) | Event::Code(text) => seen += &text,
            Event::SoftBreak | Event::HardBreak | Event::Start(_) => seen.push('\n'),
            Event::End(_) => {}
            other => panic!("{other:?} in {markdown}"),
        }
    }
    seen.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The text as prose can hold it, likewise.
fn prose(text: &str) -> String {
    let text = escape::visible(text);
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_design_is_as_hostile_as_it_should_be() {
    let Texts { line, block, lines, long, pattern } = hostile().texts;
    for piece in [
        "\"",
        "'",
        "`",
        "\\",
        "*/",
        "/*",
        "\"\"\"",
        "'''",
        "#}",
        "{{x}}",
        "</script>",
        "<!--",
        "]]>",
        "$(id)",
        "${HOME}",
        "\\u{0}",
        "\\n",
        "\u{202e}",
        "\u{200b}",
        "\t",
        "é😀",
        "@deprecated",
    ] {
        assert!(line.contains(piece), "{piece}");
        assert!(piece == "\t" || block.contains(piece), "{piece}");
    }
    assert!(block.contains("\n```rust\n") && block.contains("\n\n"), "{block}");
    assert_eq!((lines.lines().count(), long.chars().count()), (2, 10_000));
    assert!(pattern.contains("\"\"\"") && pattern.contains("</script>"), "{pattern}");
}

#[test]
fn every_file_can_be_read() {
    assert_eq!(readable::complaints(&hostile().plan), Vec::<String>::new());
}

#[test]
fn openapi_gives_the_texts_back() {
    let hostile = hostile();
    let Texts { line, block, lines, long, pattern } = &hostile.texts;
    let document = hostile.json("contracts/match/openapi.json");
    assert_eq!(document["info"]["summary"], *line);
    assert_eq!(seen(document["info"]["description"].as_str().unwrap()), prose(block));
    let fields = &document["components"]["schemas"]["Shape.ArcInput"];
    assert_eq!(fields["properties"]["text"]["default"], *line);
    assert_eq!(fields["properties"]["lines"]["default"], *lines);
    assert_eq!(fields["properties"]["long"]["default"], *long);
    let found = fields["properties"]["code"]["pattern"].as_str().unwrap().replace("\\/", "/");
    assert!(found.contains(pattern.as_str()), "{found}");
    assert_eq!(seen(fields["properties"]["text"]["description"].as_str().unwrap()), prose(block));
}

#[test]
fn asyncapi_and_schemas_give_the_texts_back() {
    let hostile = hostile();
    let Texts { line, block, .. } = &hostile.texts;
    let document = hostile.json("contracts/match/asyncapi.json");
    assert_eq!(seen(document["info"]["description"].as_str().unwrap()), format!("{}\n{}", prose(line), prose(block)));
    let schema = hostile.json("contracts/match/schemas/Value.json");
    assert_eq!(schema["description"], format!("{line}\n\n{block}"));
    assert_eq!(schema["properties"]["text"]["description"], *block);
}

#[test]
fn graphql_gives_the_texts_back() {
    let hostile = hostile();
    let Texts { line, block, lines, long, .. } = &hostile.texts;
    let document = async_graphql_parser::parse_schema(hostile.text("contracts/match/match.graphql")).expect("a schema");
    let arc = document.definitions.iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(of) if of.node.name.node == "ArcInput" => Some(&of.node),
        _ => None,
    });
    let arc = arc.expect("the input");
    assert_eq!(seen(&arc.description.as_ref().unwrap().node), prose(block));
    let TypeKind::InputObject(input) = &arc.kind else { panic!("{arc:?}") };
    for (name, text) in [("text", line), ("lines", lines), ("long", long)] {
        let field = input.fields.iter().find(|field| field.node.name.node == name).expect(name);
        let default = field.node.default_value.as_ref().expect("a default");
        assert_eq!(default.node.clone().into_json().expect("JSON"), Value::from(text.as_str()));
    }
}

#[test]
fn proto_gives_the_texts_back() {
    let hostile = hostile();
    let Texts { line, block, .. } = &hostile.texts;
    let text = hostile.text("contracts/match/proto/hostile/match/v1/match.proto");
    let file =
        protox::file::File::from_source("match.proto", text).expect("a proto file").file_descriptor_proto().clone();
    let comment = |path: &[i32]| {
        let locations = &file.source_code_info.as_ref().unwrap().location;
        let found = locations.iter().find(|location| location.path == path).expect("a place").leading_comments();
        found.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()).collect::<Vec<_>>().join("\n")
    };
    // The service, as 6 in a file; a message, as 4 in it; its first field, as 2 in that.
    assert_eq!(comment(&[6, 0]), format!("{}\n\n{}", escape::visible(line), escape::visible(block)));
    let arc = file.message_type.iter().position(|message| message.name() == "Order").expect("the message");
    let at = i32::try_from(arc).expect("a number");
    assert_eq!(comment(&[4, at]), format!("{}\n\n{}", escape::visible(&hostile.texts.long), escape::visible(block)));
}

#[test]
fn rust_gives_the_texts_back() {
    let hostile = hostile();
    let Texts { line, block, lines, long, .. } = &hostile.texts;
    let mut literals = BTreeSet::new();
    let shared =
        hostile.text("contracts/match/src/types.rs").to_owned() + hostile.text("contracts/shared/src/types.rs");
    collect(shared.parse().expect("tokens"), &mut literals);
    for text in [line, lines, long] {
        assert!(literals.contains(text), "no literal is {text}");
    }
    let file = syn::parse_file(hostile.text("contracts/match/src/service.rs")).expect("Rust");
    let service = file.items.iter().find_map(|item| match item {
        syn::Item::Trait(service) => Some(service),
        _ => None,
    });
    let docs = |attributes: &[syn::Attribute]| {
        let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
            syn::Meta::NameValue(syn::MetaNameValue {
                value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }),
                ..
            }) => Some(line.value()),
            _ => None,
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let service = service.expect("a trait");
    assert!(seen(&docs(&service.attrs)).contains(&prose(block)));
    let documented = service.items.iter().filter_map(|item| match item {
        syn::TraitItem::Fn(method) => Some(seen(&docs(&method.attrs))),
        _ => None,
    });
    let both = format!("{}\n{}", prose(line), prose(block));
    assert!(documented.filter(|docs| docs.contains(&both)).count() >= 2);
}

/// The texts of all literals, those of what stands in brackets included.
fn collect(tokens: TokenStream, literals: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect(group.stream(), literals),
            TokenTree::Literal(literal) => {
                literals.extend(syn::parse_str::<syn::LitStr>(&literal.to_string()).map(|text| text.value()));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

#[test]
fn manifests_and_the_readme_give_the_texts_back() {
    let hostile = hostile();
    let Texts { line, .. } = &hostile.texts;
    let manifest: DocumentMut = hostile.text("services/match/Cargo.toml").parse().expect("TOML");
    assert_eq!(manifest["package"]["description"].as_str(), Some(line.as_str()));
    assert!(seen(hostile.text("README.md")).contains(&prose(line)));
}
