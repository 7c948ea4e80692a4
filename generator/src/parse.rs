//! The text of a design to a [`Design`], with everything that is wrong with its form.
//!
//! ```text
//! files ─toml─▶ a tree each ─unite─▶ one tree ─tables, values, types─▶ Design
//! ```
//!
//! Nothing is looked up here but for suggestions: whether a name exists, and whether it is a good one, is the checker's.

use crate::{
    design::Design,
    diagnostic::Diagnostic,
    source::{Sources, Span, Spanned},
};

mod external;
pub mod keys;
mod link;
mod literal;
mod operation;
mod reader;
mod resource;
mod route;
mod service;
mod system;
mod toml;
mod tree;
mod types;
mod values;

pub use types::{default_help, default_value, one_of};

use tree::{Made, Node, Table, Twice};

/// Reads a design. It always ends with one: what has a mistake is left out of it and stands in the diagnostics, which
/// are in the order of the text.
pub fn parse(sources: &Sources) -> (Design, Vec<Diagnostic>) {
    let mut reader = reader::Reader::default();
    let root = united(sources, &mut reader);
    let types = root.entries.get("types").map(|entry| &entry.node);
    let services = root.entries.get("services").map(|entry| &entry.node);
    reader.type_names.extend(names(types));
    for (_, service) in tables(services) {
        reader.type_names.extend(names(service.entries.get("resources").map(|entry| &entry.node)));
    }
    let name = Spanned::new(String::new(), root.span.clone());
    let item = reader::Item { name, description: String::new(), path: Vec::new(), node: Node::Table(root) };
    let mut design = system::design(&mut reader, item);
    design.incomplete = reader.incomplete;
    let mut diagnostics = reader.diagnostics;
    diagnostics.sort_by(|a, b| (&a.span, a.code).cmp(&(&b.span, b.code)));
    if let (Some(last), true) = (diagnostics.last(), reader.unreported > 0) {
        let message = format!("{} more mistakes like these", reader.unreported);
        let diagnostic = Diagnostic::new("E100", last.span.clone(), message).help("is this the right file?");
        diagnostics.push(diagnostic);
    }
    (design, diagnostics)
}

/// The patterns of `[system] include` in the text of a root file, and nothing else that it says.
pub fn includes(text: &str) -> Vec<Spanned<String>> {
    let root = toml::read(text, 0).root;
    let include = match root.entries.get("system").map(|entry| &entry.node) {
        Some(Node::Table(system)) => system.entries.get("include").map(|entry| &entry.node),
        _ => None,
    };
    let Some(Node::List(patterns)) = include else { return Vec::new() };
    let texts = patterns.value.iter().filter_map(|node| match node {
        Node::Text(text) => Some(Spanned::new(text.value.clone(), text.span.clone())),
        _ => None,
    });
    texts.collect()
}

/// The tree of all files.
fn united(sources: &Sources, reader: &mut reader::Reader) -> Table {
    let mut root = Table::new(Made::Header, Span::default());
    let mut twice = Vec::new();
    for (file, source) in sources.0.iter().enumerate() {
        let mut read = toml::read(&source.text, file);
        read.diagnostics.into_iter().for_each(|diagnostic| reader.report(diagnostic));
        reader.incomplete |= read.lost_tables;
        twice.append(&mut read.twice);
        if file > 0 {
            for key in ["system", "defaults"] {
                if let Some(entry) = read.root.entries.shift_remove(key) {
                    let message = format!("`[{key}]` in an included file");
                    let root = sources.0.first().map_or("", |root| &root.path);
                    let help = format!("it belongs into the root file, {root}");
                    reader.report(Diagnostic::new("E112", entry.key, message).help(help));
                }
            }
        }
        tree::unite(&mut root, read.root, &mut Vec::new(), &mut twice);
    }
    if !twice.is_empty() {
        let newlines: Vec<Vec<usize>> =
            sources.0.iter().map(|source| source.text.match_indices('\n').map(|(at, _)| at).collect()).collect();
        for twice in twice {
            let before = |newlines: &Vec<usize>| newlines.partition_point(|newline| *newline < twice.first.start);
            let line = newlines.get(twice.first.file).map_or(0, before) + 1;
            reader.report(set_twice(&twice, line, sources));
        }
    }
    root
}

/// E103, of which the first place is in `line`.
fn set_twice(twice: &Twice, line: usize, sources: &Sources) -> Diagnostic {
    let first = match sources.0.get(twice.first.file) {
        Some(source) if twice.first.file != twice.second.file => format!("in {}:{line}", source.path),
        _ => format!("in line {line}"),
    };
    let path = tree::dotted(&twice.path);
    let (message, help) = if twice.headers {
        (format!("`[{path}]` is there twice: here and {first}"), "write its keys below one of them")
    } else {
        (format!("`{path}` is set twice: here and {first}"), "keep one of them")
    };
    Diagnostic::new("E103", twice.second.clone(), message).help(help).related(twice.first.clone(), "first set here")
}

fn tables(node: Option<&Node>) -> impl Iterator<Item = (&String, &Table)> {
    let entries = match node {
        Some(Node::Table(table)) => Some(table.entries.iter()),
        _ => None,
    };
    entries.into_iter().flatten().filter_map(|(name, entry)| match &entry.node {
        Node::Table(table) => Some((name, table)),
        _ => None,
    })
}

fn names(node: Option<&Node>) -> Vec<String> {
    match node {
        Some(Node::Table(table)) => table.entries.keys().cloned().collect(),
        _ => Vec::new(),
    }
}
