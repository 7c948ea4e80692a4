//! Adding keys to a tree, and what TOML says about tables that are defined twice.

use indexmap::map::Entry as Slot;

use super::{Entry, Made, Node, Table, Twice};
use crate::source::Span;

/// One key of a path.
pub(super) struct Key {
    pub name: String,
    pub span: Span,
}

/// The table at `parents` below `table`, made where it is not there yet. `at` is the path of `table` for reports.
pub(super) fn descend<'t>(
    mut table: &'t mut Table,
    at: &mut Vec<String>,
    parents: &[Key],
    made: Made,
    twice: &mut Vec<Twice>,
) -> Option<&'t mut Table> {
    for key in parents {
        at.push(key.name.clone());
        let entry = table.entries.entry(key.name.clone()).or_insert_with(|| Entry {
            key: key.span.clone(),
            description: String::new(),
            node: Node::Table(Table::new(made, key.span.clone())),
        });
        let first = &entry.key;
        match &mut entry.node {
            Node::Table(next) if next.made == made || made == Made::Implied && next.made != Made::Inline => {
                table = next
            }
            Node::Broken(_) => return None,
            _ => {
                twice.push(Twice { path: at.clone(), headers: false, first: first.clone(), second: key.span.clone() });
                return None;
            }
        }
    }
    Some(table)
}

/// Sets `path` below `table` to `node`, unless it is set.
pub(super) fn insert(
    table: &mut Table,
    mut at: Vec<String>,
    path: &[Key],
    description: String,
    node: Node,
    twice: &mut Vec<Twice>,
) {
    let Some((last, parents)) = path.split_last() else { return };
    let Some(table) = descend(table, &mut at, parents, Made::Dotted, twice) else { return };
    match table.entries.entry(last.name.clone()) {
        Slot::Vacant(slot) => {
            slot.insert(Entry { key: last.span.clone(), description, node });
        }
        Slot::Occupied(slot) if matches!((&slot.get().node, &node), (Node::Broken(_), _) | (_, Node::Broken(_))) => {}
        Slot::Occupied(slot) => {
            at.push(last.name.clone());
            twice.push(Twice { path: at, headers: false, first: slot.get().key.clone(), second: last.span.clone() });
        }
    }
}
