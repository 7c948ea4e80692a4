//! The text of one file to its [`Table`]. The lexing, the grammar and the decoding of TOML 1.1 are `toml_parser`'s; the
//! rules about tables that are defined twice are here, since they need both places.
//!
//! Mistakes do not stop it: what they are about becomes [`Node::Broken`], and the rest is read.

use indexmap::map::Entry as Slot;
use toml_parser::{
    ParseError, Source,
    parser::{Event, EventKind, RecursionGuard, ValidateWhitespace, parse_document},
};

use super::tree::{Entry, Made, Node, Run, Table, Text, Twice, dotted};
use crate::{
    diagnostic::Diagnostic,
    source::{Span, Spanned},
};

mod grow;
mod recovery;
mod scalar;
#[cfg(test)]
mod tests;

use grow::{Key, descend, insert};
use recovery::Runaway;

/// How deep values may nest, and how many keys a path may have. The language itself needs 4 and 7.
const DEEPEST: usize = 16;

/// What a file says, and what is wrong with its TOML.
pub(super) struct File {
    pub root: Table,
    pub diagnostics: Vec<Diagnostic>,
    pub twice: Vec<Twice>,
    /// Some header could not be read, so what stood below it is not in `root`.
    pub lost_tables: bool,
}

/// Reads file number `file`.
pub(super) fn read(text: &str, file: usize) -> File {
    recovery::read(text, file)
}

struct Builder<'s> {
    source: Source<'s>,
    file: usize,
    events: Vec<Event>,
    next: usize,
    /// Of the grammar, then those of decoding as they are met.
    errors: Vec<ParseError>,
    /// Where the grammar has errors, sorted.
    places: Vec<usize>,
    /// Lists and inline tables that are never closed; there are at most as many as can nest.
    unclosed: Vec<ParseError>,
    root: Table,
    /// Where keys go; `None`: their header could not be read.
    header: Option<Vec<String>>,
    diagnostics: Vec<Diagnostic>,
    twice: Vec<Twice>,
    lost_tables: bool,
    /// The `##` lines right above the next key or header.
    docs: Vec<&'s str>,
}

impl<'s> Builder<'s> {
    fn new(text: &'s str, file: usize) -> Self {
        let source = Source::new(text);
        let tokens = source.lex().into_vec();
        let mut events = Vec::with_capacity(tokens.len());
        let mut errors = Vec::new();
        let mut receiver = ValidateWhitespace::new(&mut events, source);
        let mut receiver = RecursionGuard::new(&mut receiver, DEEPEST as u32);
        parse_document(&tokens, &mut receiver, &mut errors);
        let mut places: Vec<_> = errors.iter().map(|error| recovery::place(error, text).start).collect();
        places.sort_unstable();
        Self {
            source,
            file,
            events,
            next: 0,
            unclosed: errors.iter().filter(|error| recovery::is_unclosed(error)).cloned().collect(),
            errors,
            places,
            root: Table::new(Made::Header, Span::new(file, 0..0)),
            header: Some(Vec::new()),
            diagnostics: Vec::new(),
            twice: Vec::new(),
            lost_tables: false,
            docs: Vec::new(),
        }
    }

    fn peek(&self) -> Option<Event> {
        self.events.get(self.next).copied()
    }

    fn take(&mut self) -> Option<Event> {
        let event = self.peek();
        self.next += 1;
        event
    }

    fn span(&self, span: toml_parser::Span) -> Span {
        Span::new(self.file, span.start()..span.end())
    }

    fn document(&mut self) -> Option<Runaway> {
        let mut line_is_blank = true;
        while let Some(event) = self.peek() {
            match event.kind() {
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                    line_is_blank = false;
                    self.table_header(event);
                }
                EventKind::SimpleKey => {
                    line_is_blank = false;
                    if let Some(runaway) = self.statement() {
                        return Some(runaway);
                    }
                }
                EventKind::Comment => {
                    self.next += 1;
                    if line_is_blank {
                        self.comment(event);
                    }
                    line_is_blank = false;
                }
                EventKind::Newline => {
                    self.next += 1;
                    if line_is_blank {
                        self.docs.clear();
                    }
                    line_is_blank = true;
                }
                _ => self.next += 1,
            }
        }
        None
    }

    /// `## text` describes what comes below; `#` is private, and a rule of `###…` is an ornament.
    fn comment(&mut self, event: Event) {
        let text = self.source.get(event).map_or("", |raw| raw.as_str());
        if let Some(text) = text.strip_prefix("##").filter(|text| !text.starts_with('#')) {
            self.docs.push(text.strip_prefix(' ').unwrap_or(text).trim_end());
        }
    }

    fn description(&mut self) -> String {
        std::mem::take(&mut self.docs).join("\n").trim_matches('\n').to_owned()
    }

    /// Reads a path up to whatever does not belong to one. `None`: it is not one, which is reported.
    fn path(&mut self) -> Option<Vec<Key>> {
        let mut path = Vec::new();
        let mut good = true;
        while let Some(event) = self.peek() {
            match event.kind() {
                EventKind::SimpleKey => {
                    let mut name = String::new();
                    let before = self.errors.len();
                    if let Some(raw) = self.source.get(event) {
                        raw.decode_key(&mut name, &mut self.errors);
                    }
                    good &= before == self.errors.len();
                    path.push(Key { name, span: self.span(event.span()) });
                }
                EventKind::KeySep | EventKind::Whitespace => {}
                _ => break,
            }
            self.next += 1;
        }
        if let (Some(first), Some(last)) = (path.first(), path.last())
            && path.len() > DEEPEST
        {
            let span = Span { end: last.span.end, ..first.span.clone() };
            self.diagnostics.push(
                Diagnostic::new("E100", span, format!("a path of {} keys", path.len()))
                    .help("the deepest key of a design has 7"),
            );
            good = false;
        }
        good.then_some(path)
    }

    fn table_header(&mut self, open: Event) {
        let description = self.description();
        self.next += 1;
        let start = open.span().start();
        let path = self.path();
        let mut end = self.read_to();
        if let Some(close) =
            self.peek().filter(|e| matches!(e.kind(), EventKind::StdTableClose | EventKind::ArrayTableClose))
        {
            self.next += 1;
            end = close.span().end();
        }
        let span = Span::new(self.file, start..end);
        let path = path.filter(|path| !path.is_empty() && path.iter().all(|key| key.span.start < key.span.end));
        self.header = None;
        let Some(path) = path else {
            self.lost_tables = true;
            return;
        };
        let names: Vec<String> = path.iter().map(|key| key.name.clone()).collect();
        let (parents, Some(last)) = (&path[..path.len() - 1], path.last()) else { return };
        let Some(parent) = descend(&mut self.root, &mut Vec::new(), parents, Made::Implied, &mut self.twice) else {
            return;
        };
        if open.kind() == EventKind::ArrayTableOpen {
            match parent.entries.entry(last.name.clone()) {
                Slot::Vacant(slot) => {
                    self.diagnostics.push(list_of_tables(&names, span.clone()));
                    self.lost_tables = true;
                    slot.insert(Entry { key: last.span.clone(), description, node: Node::Broken(span) });
                }
                Slot::Occupied(slot) if matches!(slot.get().node, Node::Broken(_)) => {}
                Slot::Occupied(slot) => {
                    let (first, second) = (slot.get().key.clone(), last.span.clone());
                    self.twice.push(Twice { path: names, headers: false, first, second });
                }
            }
            return;
        }
        match parent.entries.entry(last.name.clone()) {
            Slot::Vacant(slot) => {
                let node = Node::Table(Table::new(Made::Header, span));
                slot.insert(Entry { key: last.span.clone(), description, node });
                self.header = Some(names);
            }
            Slot::Occupied(mut slot) => {
                let Entry { key, description: there, node } = slot.get_mut();
                match node {
                    Node::Table(table) if table.made == Made::Implied => {
                        table.made = Made::Header;
                        table.span = span;
                        *there = description;
                        self.header = Some(names);
                    }
                    Node::Broken(_) => {}
                    node => {
                        let headers = matches!(node, Node::Table(table) if table.made == Made::Header);
                        let (first, second) = (key.clone(), last.span.clone());
                        self.twice.push(Twice { path: names.clone(), headers, first, second });
                        // The keys below a second header are meant to be there too.
                        if headers {
                            self.header = Some(names);
                        }
                    }
                }
            }
        }
    }

    /// `key = value` below a header.
    fn statement(&mut self) -> Option<Runaway> {
        let description = self.description();
        let start = self.peek().map_or(0, |event| event.span().start());
        let path = self.path();
        let mut node = Node::Broken(Span::new(self.file, start..start));
        if self.peek().is_some_and(|event| event.kind() == EventKind::KeyValSep) {
            let equals = self.take().map_or(start, |event| event.span().end());
            let before = self.errors.len();
            node = self.value();
            let unclosed = self.unclosed.iter().chain(&self.errors[before..]);
            if let Some(runaway) = recovery::runaway(self.source.input(), unclosed, equals..self.read_to()) {
                return Some(runaway);
            }
        }
        if recovery::has_error(self.source.input(), &self.places, start..self.read_to()) {
            node = Node::Broken(node.span().clone());
        }
        if let (Some(header), Some(path)) = (&self.header, path) {
            let mut table = &mut self.root;
            for name in header {
                match table.entries.get_mut(name).map(|entry| &mut entry.node) {
                    Some(Node::Table(next)) => table = next,
                    _ => return None,
                }
            }
            insert(table, header.clone(), &path, description, node, &mut self.twice);
        }
        None
    }

    /// Where the last event ended.
    fn read_to(&self) -> usize {
        self.next.checked_sub(1).and_then(|last| self.events.get(last)).map_or(0, |event| event.span().end())
    }

    fn value(&mut self) -> Node {
        while let Some(event) = self.peek() {
            match event.kind() {
                EventKind::Whitespace | EventKind::Error => self.next += 1,
                EventKind::InlineTableOpen => return self.inline_table(),
                EventKind::ArrayOpen => return self.array(),
                EventKind::Scalar => {
                    self.next += 1;
                    return self.scalar(event);
                }
                _ => return Node::Broken(self.span(event.span().before())),
            }
        }
        Node::Broken(Span::new(self.file, self.source.input().len()..self.source.input().len()))
    }

    /// In an inline table lines may end between members, but not before a value. The parser lets that pass.
    fn skip_to_value(&mut self) {
        let mut reported = false;
        while let Some(event) = self.peek() {
            match event.kind() {
                EventKind::Whitespace => {}
                EventKind::Newline | EventKind::Comment => {
                    if !std::mem::replace(&mut reported, true) {
                        let help = "write it in the line of its key";
                        let span = self.span(event.span().before());
                        self.diagnostics.push(Diagnostic::new("E100", span, "a value is missing").help(help));
                    }
                }
                _ => return,
            }
            self.next += 1;
        }
    }

    fn array(&mut self) -> Node {
        let open = self.take().map(|event| event.span()).unwrap_or_default();
        let mut end = open.end();
        let mut items = Vec::new();
        while let Some(event) = self.peek() {
            end = event.span().end();
            match event.kind() {
                EventKind::InlineTableOpen | EventKind::ArrayOpen | EventKind::Scalar => items.push(self.value()),
                EventKind::ArrayClose => {
                    self.next += 1;
                    break;
                }
                EventKind::Whitespace
                | EventKind::Comment
                | EventKind::Newline
                | EventKind::ValueSep
                | EventKind::Error => self.next += 1,
                _ => break,
            }
        }
        Node::List(Spanned::new(items, Span::new(self.file, open.start()..end)))
    }

    fn inline_table(&mut self) -> Node {
        let outer_docs = std::mem::take(&mut self.docs);
        let open = self.take().map(|event| event.span()).unwrap_or_default();
        let mut table = Table::new(Made::Inline, self.span(open));
        let mut line_is_blank = false;
        while let Some(event) = self.peek() {
            table.span.end = event.span().end();
            match event.kind() {
                EventKind::SimpleKey => {
                    line_is_blank = false;
                    let description = self.description();
                    let path = self.path();
                    let node = match self.peek() {
                        Some(event) if event.kind() == EventKind::KeyValSep => {
                            self.next += 1;
                            self.skip_to_value();
                            self.value()
                        }
                        next => {
                            // Elsewhere the parser reports it; that a line ends here it lets pass.
                            let ends = |event: Event| matches!(event.kind(), EventKind::Newline | EventKind::Comment);
                            if next.is_some_and(ends) {
                                let diagnostic =
                                    Diagnostic::new("E100", self.span(event.span().after()), "a value is missing");
                                self.diagnostics.push(diagnostic.help("write `= ` and a value behind the key"));
                            }
                            Node::Broken(self.span(event.span()))
                        }
                    };
                    let Some(path) = path else { continue };
                    insert(&mut table, Vec::new(), &path, description, node, &mut self.twice);
                }
                EventKind::InlineTableClose => {
                    self.next += 1;
                    break;
                }
                EventKind::Comment => {
                    self.next += 1;
                    if line_is_blank {
                        self.comment(event);
                    }
                    line_is_blank = false;
                }
                EventKind::Newline => {
                    self.next += 1;
                    if line_is_blank {
                        self.docs.clear();
                    }
                    line_is_blank = true;
                }
                EventKind::Whitespace | EventKind::Error => self.next += 1,
                EventKind::ValueSep => {
                    self.next += 1;
                    line_is_blank = false;
                }
                _ => break,
            }
        }
        self.docs = outer_docs;
        Node::Table(table)
    }
}

/// E105: `[[links]]`.
fn list_of_tables(path: &[String], span: Span) -> Diagnostic {
    let help = match path {
        [only] if only == "links" => "links have names: write `[links.orders.inventory]`".to_owned(),
        _ => format!("everything has a name: write `[{}.<name>]`", dotted(path)),
    };
    Diagnostic::new("E105", span, format!("`[[{}]]` is a list", dotted(path))).help(help)
}
