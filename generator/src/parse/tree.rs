//! The keys and values of a design before anyone asks what they mean: dotted keys, inline tables and headers are the
//! same here, and so are the files of a design once they are united.

use indexmap::{IndexMap, map::Entry as Slot};

use crate::source::{Span, Spanned};

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub entries: IndexMap<String, Entry>,
    /// Its header, or its braces; where neither is there, the key that implies it.
    pub span: Span,
    pub made: Made,
}

/// How a table came to be, which decides how it may grow (TOML 1.1, "Table").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// `[a.b]`: by its own header, once.
    Header,
    /// `a` of `[a.b]`: may still get a header.
    Implied,
    /// `a` of `a.b = 1`: grows by further dotted keys.
    Dotted,
    /// `{ … }`: complete.
    Inline,
}

/// A key and what it holds.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: Span,
    /// The `##` comment above it, or empty.
    pub description: String,
    pub node: Node,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Table(Table),
    List(Spanned<Vec<Node>>),
    Text(Text),
    Integer(Spanned<i64>),
    Float(Spanned<f64>),
    Boolean(Spanned<bool>),
    /// A date or time as written.
    Moment(Spanned<String>),
    /// Reported already.
    Broken(Span),
}

/// A string: what it says, and which place of the file each part of it came from.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub value: String,
    /// With its quotes.
    pub span: Span,
    /// Runs of `value` that stand in the file as they are; between them are escapes.
    pub(super) runs: Vec<Run>,
}

/// `len` bytes from `decoded` in the value on are the bytes from `source` in the file on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub decoded: usize,
    pub source: usize,
    pub len: usize,
}

impl Table {
    pub(super) fn new(made: Made, span: Span) -> Self {
        Self { entries: IndexMap::new(), span, made }
    }
}

impl Node {
    pub(super) fn span(&self) -> &Span {
        match self {
            Self::Table(table) => &table.span,
            Self::List(list) => &list.span,
            Self::Text(text) => &text.span,
            Self::Integer(number) => &number.span,
            Self::Float(number) => &number.span,
            Self::Boolean(boolean) => &boolean.span,
            Self::Moment(moment) => &moment.span,
            Self::Broken(span) => span,
        }
    }
}

impl Text {
    /// The place in the file of the bytes `start..end` of the value.
    pub(super) fn place(&self, start: usize, end: usize) -> Span {
        let start = self.source_of(start);
        Span { file: self.span.file, start, end: self.source_of(end).max(start) }
    }

    /// What follows an escape is counted from the next run; an escape itself is where it begins.
    fn source_of(&self, at: usize) -> usize {
        let next = self.runs.partition_point(|run| run.decoded <= at);
        match next.checked_sub(1).and_then(|last| self.runs.get(last)) {
            Some(run) => run.source + (at - run.decoded).min(run.len),
            None => self.span.start,
        }
    }
}

/// A key that is set twice: its path, and both places.
pub(super) struct Twice {
    pub path: Vec<String>,
    /// Both are headers.
    pub headers: bool,
    pub first: Span,
    pub second: Span,
}

/// Adds the tables of another file. What is there already stays.
pub(super) fn unite(into: &mut Table, from: Table, path: &mut Vec<String>, twice: &mut Vec<Twice>) {
    for (name, entry) in from.entries {
        path.push(name.clone());
        match into.entries.entry(name) {
            Slot::Vacant(slot) => {
                slot.insert(entry);
            }
            Slot::Occupied(mut slot) => {
                let there = slot.get_mut();
                if there.description.is_empty() {
                    there.description = entry.description;
                }
                match (&mut there.node, entry.node) {
                    (Node::Table(into), Node::Table(from)) => unite(into, from, path, twice),
                    (Node::Broken(_), _) | (_, Node::Broken(_)) => {}
                    _ => twice.push(Twice {
                        path: path.clone(),
                        headers: false,
                        first: there.key.clone(),
                        second: entry.key,
                    }),
                }
            }
        }
        path.pop();
    }
}

/// A path of keys as TOML writes it: `links.orders."inventory.restock"`.
pub(super) fn dotted<S: AsRef<str>>(path: &[S]) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    path.iter()
        .map(|key| match key.as_ref() {
            key if !key.is_empty() && key.chars().all(bare) => key.to_owned(),
            key => format!("{key:?}"),
        })
        .collect::<Vec<_>>()
        .join(".")
}
