//! How much a document asks for, before anything goes through it fragment by fragment: fragments within fragments can
//! double each time, so a short text may stand for more than can ever be looked at.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// Selections within selections that are looked at; async-graphql refuses less.
const DEPTH: usize = 64;

/// What an operation asks for, its fragments put in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Fields in all.
    pub fields: usize,
    /// Fields within fields.
    pub depth: usize,
    /// Of the schema: members of types within members of types. They lead round in a circle, so each level multiplies.
    pub members: usize,
}

impl Extent {
    /// Of the operation that asks for most.
    pub fn of(document: &ExecutableDocument) -> Self {
        let mut walk = Walk { document, known: HashMap::new() };
        let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
        operations.fold(Self::default(), |most, operation| {
            let one = walk.set(operation, false, 0);
            Self { fields: most.fields.max(one.fields), ..most.deepest(one) }
        })
    }

    fn deepest(self, other: Self) -> Self {
        Self { depth: self.depth.max(other.depth), members: self.members.max(other.members), ..self }
    }

    const TOO_MUCH: Self = Self { fields: usize::MAX, depth: usize::MAX, members: usize::MAX };
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    /// Each fragment is looked at once.
    known: HashMap<&'a str, Extent>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, set: &'a SelectionSet, in_schema: bool, depth: usize) -> Extent {
        if depth > DEPTH {
            return Extent::TOO_MUCH;
        }
        set.items.iter().fold(Extent::default(), |sum, selection| {
            let one = self.selection(&selection.node, in_schema, depth + 1);
            Extent { fields: sum.fields.saturating_add(one.fields), ..sum.deepest(one) }
        })
    }

    fn selection(&mut self, selection: &'a Selection, in_schema: bool, depth: usize) -> Extent {
        match selection {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                let in_schema = in_schema || name.starts_with("__");
                let Extent { fields, depth, members } = self.set(&field.node.selection_set.node, in_schema, depth);
                let is_members = matches!(name, "fields" | "inputFields" | "interfaces" | "possibleTypes");
                let level = usize::from(in_schema && is_members);
                Extent {
                    fields: fields.saturating_add(1),
                    depth: depth.saturating_add(1),
                    members: members.saturating_add(level),
                }
            }
            Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node, in_schema, depth),
            Selection::FragmentSpread(spread) => {
                let Some((name, fragment)) = self.document.fragments.get_key_value(&spread.node.fragment_name.node)
                else {
                    return Extent::default();
                };
                if let Some(known) = self.known.get(name.as_str()) {
                    return *known;
                }
                // While it is looked at: a fragment within itself, which validation refuses.
                self.known.insert(name, Extent::default());
                let in_schema = fragment.node.type_condition.node.on.node.starts_with("__");
                let extent = self.set(&fragment.node.selection_set.node, in_schema, depth);
                self.known.insert(name, extent);
                extent
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn fragments_are_put_in() {
        let doubling = |levels: usize| {
            let fragments = (0..levels).map(|n| format!("fragment F{n} on Query {{ ...F{0} ...F{0} }} ", n + 1));
            format!("{{ ...F0 }} {} fragment F{levels} on Query {{ a }}", fragments.collect::<String>())
        };
        for (query, fields, depth, members) in [
            ("{ a b { c ... { d } } }".to_owned(), 4, 2, 0),
            ("query A { a { c } } query B { a b }".into(), 2, 2, 0),
            ("{ a ...F ...F } fragment F on T { b c }".into(), 5, 1, 0),
            ("{ a { ...F } } fragment F on T { b ...F }".into(), 2, 2, 0),
            ("{ ...None }".into(), 0, 0, 0),
            (doubling(20), 1 << 20, 1, 0),
            (doubling(DEPTH), usize::MAX, usize::MAX, usize::MAX),
            ("{ fields { fields } }".into(), 2, 2, 0),
            (
                "{ __schema { types { fields { type { ...T } } } } } fragment T on __Type { fields { name } }".into(),
                6,
                6,
                2,
            ),
            (
                "{ ... { __type(name: \"T\") { possibleTypes { interfaces { inputFields { name } } } } } }".into(),
                5,
                5,
                3,
            ),
        ] {
            assert_eq!(Extent::of(&parse_query(&query).unwrap()), Extent { fields, depth, members }, "{query}");
        }
    }
}
