//! Reading one table of the tree key by key: what is missing, what is unknown, what has the wrong kind.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::{
    keys::{self, Keys},
    tree::{Made, Node, Table, dotted},
};
use crate::{
    design::{Docs, Head, List},
    diagnostic::{Diagnostic, nearest},
    source::Spanned,
};

/// What reading needs beside the table in hand.
#[derive(Default)]
pub(super) struct Reader {
    pub diagnostics: Vec<Diagnostic>,
    /// Names of the types and resources, for suggestions.
    pub type_names: BTreeSet<String>,
    /// See [`crate::design::Design::incomplete`].
    pub incomplete: bool,
    /// How many diagnostics were left out.
    pub unreported: usize,
}

/// How many diagnostics one reading gives. A file with more is no design, and the first ones say so.
const MOST_REPORTED: usize = 1000;

/// How many entries a list may have.
const LONGEST_LIST: usize = 1000;

/// The path of a value, its key last.
pub(super) type At<'a> = &'a [String];

/// A named thing of the design before it is read.
pub(super) struct Item {
    pub name: Spanned<String>,
    pub description: String,
    /// The path of its table: `["services", "orders"]`.
    pub path: Vec<String>,
    pub node: Node,
}

/// A table that is being read. [`TableReader::close`] ends it.
pub(super) struct TableReader<'r> {
    pub reader: &'r mut Reader,
    path: Vec<String>,
    keys: Keys,
    table: Table,
    head: Head,
    /// Required keys that are not there, each with what to write.
    missing: Vec<(&'static str, &'static str)>,
}

/// The key of a path.
pub(super) fn key(at: At<'_>) -> &str {
    at.last().map_or("", String::as_str)
}

impl Reader {
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.is_full() {
            self.unreported += 1;
        } else {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Nothing more is reported, so nothing need be thought about what to say.
    pub(super) fn is_full(&self) -> bool {
        self.diagnostics.len() >= MOST_REPORTED
    }

    /// E102, with what to write instead. Nothing for a value that was reported already.
    pub(super) fn wrong_kind(&mut self, at: At<'_>, node: &Node, help: impl Into<String>) {
        let what = match node {
            Node::Broken(_) => return,
            Node::Table(_) => "a table",
            Node::List(_) => "a list",
            Node::Text(_) => "text",
            Node::Integer(_) | Node::Float(_) => "a number",
            Node::Boolean(boolean) if boolean.value => "`true`",
            Node::Boolean(_) => "`false`",
            Node::Moment(_) => "a date or time",
        };
        let message = format!("`{}` is {what} here", key(at));
        self.report(Diagnostic::new("E102", node.span().clone(), message).help(help));
    }

    /// Begins to read an item that is a table with these keys. If it is something else, that is reported, and the table
    /// is as if it were empty.
    pub(super) fn open(&mut self, item: Item, keys: Keys) -> TableReader<'_> {
        let docs = Docs { summary: None, description: item.description };
        let mut head = Head { name: item.name, docs, ..Head::default() };
        let table = match item.node {
            Node::Table(table) => table,
            other => {
                self.wrong_kind(&item.path, &other, format!("it is a table: `[{}]`", dotted(&item.path)));
                head.not_a_table = true;
                Table::new(Made::Inline, other.span().clone())
            }
        };
        TableReader { reader: self, path: item.path, keys, table, head, missing: Vec::new() }
    }

    /// A table within a value: `retry = { … }`. `None` if it is not one, which is reported with `help`.
    pub(super) fn table<T>(
        &mut self,
        at: At<'_>,
        node: Node,
        keys: Keys,
        help: &str,
        read: impl FnOnce(&mut TableReader<'_>) -> T,
    ) -> Option<Spanned<T>> {
        let Node::Table(table) = node else {
            self.wrong_kind(at, &node, help);
            return None;
        };
        let span = table.span.clone();
        let name = Spanned::new(key(at).to_owned(), span.clone());
        let item = Item { name, description: String::new(), path: at.to_vec(), node: Node::Table(table) };
        let mut table = self.open(item, keys);
        let value = read(&mut table);
        table.close();
        Some(Spanned::new(value, span))
    }

    /// A list whose items are read by `item`: those without a mistake, and whether that is all.
    pub(super) fn list<T>(
        &mut self,
        at: At<'_>,
        node: Node,
        help: &str,
        mut item: impl FnMut(&mut Self, At<'_>, Node) -> Option<Spanned<T>>,
    ) -> Option<(List<T>, bool)> {
        let Node::List(list) = node else {
            self.wrong_kind(at, &node, help);
            return None;
        };
        let count = list.value.len();
        if count > LONGEST_LIST {
            let message = format!("`{}` has {count} entries", key(at));
            let help = format!("a list has at most {LONGEST_LIST}");
            self.report(Diagnostic::new("E109", list.span, message).help(help));
            return None;
        }
        let good: Vec<_> = list.value.into_iter().filter_map(|node| item(self, at, node)).collect();
        let all = good.len() == count;
        Some((Spanned::new(good, list.span), all))
    }

    /// The entries of a table in which every key is a name.
    pub(super) fn items(&mut self, at: At<'_>, node: Node, help: &str) -> Option<Vec<Item>> {
        let Node::Table(table) = node else {
            self.wrong_kind(at, &node, help);
            return None;
        };
        let item = |(name, entry): (String, super::tree::Entry)| Item {
            path: at.iter().cloned().chain([name.clone()]).collect(),
            name: Spanned::new(name, entry.key),
            description: entry.description,
            node: entry.node,
        };
        Some(table.entries.into_iter().map(item).collect())
    }
}

impl TableReader<'_> {
    /// The value of a key, by `read`, which reports what is wrong with it.
    pub(super) fn get<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Reader, At<'_>, Node) -> Option<T>,
    ) -> Option<T> {
        debug_assert!(self.keys.contains(&key), "{key} is not a key of {:?}", self.path);
        let node = self.table.entries.shift_remove(key)?.node;
        self.path.push(key.to_owned());
        let value = read(self.reader, &self.path, node);
        self.path.pop();
        if value.is_none() {
            self.head.broken.insert(key);
        }
        value
    }

    /// Says that a key has to be there; `help` is what to write.
    pub(super) fn require(&mut self, key: &'static str, help: &'static str) {
        if !self.table.entries.contains_key(key) && !self.head.not_a_table {
            self.missing.push((key, help));
        }
    }

    /// As `get`, and the key has to be there; `help` is what to write.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        help: &'static str,
        read: impl FnOnce(&mut Reader, At<'_>, Node) -> Option<T>,
    ) -> Option<T> {
        self.require(key, help);
        self.get(key, read)
    }

    /// A table within this one that has a head of its own.
    pub(super) fn item(&mut self, key: &'static str) -> Option<Item> {
        debug_assert!(self.keys.contains(&key), "{key} is not a key of {:?}", self.path);
        let entry = self.table.entries.shift_remove(key)?;
        Some(Item {
            name: Spanned::new(key.to_owned(), entry.key),
            description: entry.description,
            path: self.path.iter().cloned().chain([key.to_owned()]).collect(),
            node: entry.node,
        })
    }

    /// A list. Items with a mistake are left out.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        help: &str,
        item: impl FnMut(&mut Reader, At<'_>, Node) -> Option<Spanned<T>>,
    ) -> Option<List<T>> {
        let (list, all) = self.get(key, |reader, at, node| reader.list(at, node, help, item))?;
        if !all {
            self.head.broken.insert(key);
        }
        Some(list)
    }

    /// One value, or a list of them.
    pub(super) fn one_or_more<T>(
        &mut self,
        key: &'static str,
        help: &str,
        mut item: impl FnMut(&mut Reader, At<'_>, Node) -> Option<Spanned<T>>,
    ) -> Option<List<T>> {
        match self.table.entries.get(key).map(|entry| &entry.node) {
            Some(Node::List(_)) => self.list(key, help, item),
            _ => self.get(key, |reader, at, node| {
                let one = item(reader, at, node)?;
                let span = one.span.clone();
                Some(Spanned::new(vec![one], span))
            }),
        }
    }

    /// A table within this one.
    pub(super) fn table<T>(
        &mut self,
        key: &'static str,
        keys: Keys,
        help: &str,
        read: impl FnOnce(&mut TableReader<'_>) -> T,
    ) -> Option<Spanned<T>> {
        self.get(key, |reader, at, node| reader.table(at, node, keys, help, read))
    }

    /// Named things: `commands`, `types`.
    pub(super) fn named<T>(
        &mut self,
        key: &'static str,
        help: &str,
        mut read: impl FnMut(&mut Reader, Item) -> T,
    ) -> IndexMap<String, T> {
        let items = self.get(key, |reader, at, node| {
            let items = reader.items(at, node, help);
            reader.incomplete |= items.is_none();
            items
        });
        let items = items.unwrap_or_default().into_iter();
        items.map(|item| (item.name.value.clone(), read(self.reader, item))).collect()
    }

    /// `was.N`, `old.N`: tables by version.
    pub(super) fn versions<T>(
        &mut self,
        key: &'static str,
        keys: Keys,
        read: impl Fn(&mut TableReader<'_>) -> T,
    ) -> IndexMap<u32, Spanned<T>> {
        let help = format!("it is a table by version: `{key}.1 = {{ … }}`");
        let items = self.get(key, |reader, at, node| reader.items(at, node, &help)).unwrap_or_default();
        let mut versions = IndexMap::new();
        for item in items {
            let name = &item.name;
            let version =
                name.value.parse().ok().filter(|version: &u32| *version > 0 && version.to_string() == name.value);
            let Some(version) = version else {
                let message = format!("`{key}.{}` is not a version", name.value);
                let help = format!("versions are whole numbers from 1: `{key}.1`");
                self.reader.report(Diagnostic::new("E108", name.span.clone(), message).help(help));
                self.head.broken.insert(key);
                continue;
            };
            let help = format!("it is a table: `{key}.{version} = {{ … }}`");
            match self.reader.table(&item.path, item.node, keys, &help, &read) {
                Some(value) => {
                    versions.insert(version, value);
                }
                None => {
                    self.head.broken.insert(key);
                }
            }
        }
        versions
    }

    /// Reports the keys that nobody asked for and those that are missing.
    pub(super) fn close(mut self) -> Head {
        if self.keys.contains(&"summary") {
            self.head.docs.summary = self.get("summary", super::values::line);
        }
        for (name, entry) in &self.table.entries {
            let meant = if self.reader.is_full() { None } else { nearest(name, self.keys.iter().copied()) };
            let help = match meant {
                Some(key) => format!("did you mean `{key}`?"),
                None => {
                    hint(&self.path, name, &entry.node).unwrap_or_else(|| format!("known are {}", quoted(self.keys)))
                }
            };
            let place =
                if self.path.is_empty() { "a design".to_owned() } else { format!("`[{}]`", dotted(&self.path)) };
            let message = format!("unknown key `{name}` in {place}");
            self.reader.report(Diagnostic::new("E101", entry.key.clone(), message).help(help));
            self.head.broken.extend(meant);
            // What stands in it may be a thing that others name.
            self.reader.incomplete |= matches!(entry.node, Node::Table(_));
        }
        for (key, help) in std::mem::take(&mut self.missing) {
            if self.head.broken.insert(key) {
                let message = match self.path.as_slice() {
                    [] => format!("a design without `[{key}]`"),
                    path => format!("`[{}]` has no `{key}`", dotted(path)),
                };
                self.reader.report(Diagnostic::new("E107", self.head.name.span.clone(), message).help(help));
            }
        }
        self.head
    }
}

/// What else an unknown key may have been meant to say.
fn hint(path: &[String], name: &str, node: &Node) -> Option<String> {
    match path {
        [links, from, to] if links == "links" && matches!(node, Node::Table(_)) => {
            let to = format!("{to}.{name}");
            Some(format!("for one operation or event of `{}` write `[{}]`", path[2], dotted(&[links, from, &to])))
        }
        [externals, external, ..] if externals == "externals" => {
            let ours = [keys::OPERATION, keys::RESOURCE, keys::EVENT, keys::VERB, keys::SERVICE].concat();
            ours.contains(&name)
                .then(|| format!("`{name}` is for services: how `{external}` does it is its own affair"))
        }
        _ => None,
    }
}

/// `a`, `b` and `c`.
pub(super) fn quoted<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
