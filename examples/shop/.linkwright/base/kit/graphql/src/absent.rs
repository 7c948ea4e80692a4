//! A variable that is not given leaves its argument, or the field of its object, as if it had not been written: the
//! default holds, and a patch keeps what it does not name (GraphQL, October 2021, 6.4.1 and 3.10). async-graphql would
//! read null there.

use std::collections::HashSet;

use async_graphql::{
    Name, Positioned, Variables,
    parser::types::{Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};
use async_graphql_value::Value;

/// The document without what nobody gave. `None`: everything is given, as mostly.
pub(crate) fn left_out(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Option<ExecutableDocument> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let absent: HashSet<Name> = definitions
        .filter(|definition| definition.default_value.is_none() && !variables.contains_key(&definition.name.node))
        .map(|definition| definition.name.node.clone())
        .collect();
    if absent.is_empty() {
        return None;
    }
    let mut document = document.clone();
    let mut strip = Strip { absent, left_out: HashSet::new(), used: HashSet::new() };
    for fragment in document.fragments.values_mut() {
        strip.set(&mut fragment.node.selection_set.node);
    }
    for operation in operations(&mut document) {
        strip.set(&mut operation.selection_set.node);
    }
    // A variable that nothing uses is refused; those of which nothing is left were used.
    for operation in operations(&mut document) {
        operation.variable_definitions.retain(|definition| {
            let name = &definition.node.name.node;
            !strip.left_out.contains(name) || strip.used.contains(name)
        });
    }
    Some(document)
}

fn operations(document: &mut ExecutableDocument) -> Vec<&mut OperationDefinition> {
    match &mut document.operations {
        DocumentOperations::Single(one) => vec![&mut one.node],
        DocumentOperations::Multiple(several) => several.values_mut().map(|one| &mut one.node).collect(),
    }
}

struct Strip {
    absent: HashSet<Name>,
    left_out: HashSet<Name>,
    /// Those that stand where nothing can be left out: in a list, and with a directive.
    used: HashSet<Name>,
}

impl Strip {
    fn set(&mut self, set: &mut SelectionSet) {
        for selection in &mut set.items {
            match &mut selection.node {
                Selection::Field(field) => {
                    self.directives(&field.node.directives);
                    field.node.arguments.retain(|(_, value)| !self.leaves_out(&value.node));
                    field.node.arguments.iter_mut().for_each(|(_, value)| self.value(&mut value.node));
                    self.set(&mut field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.node.directives);
                    self.set(&mut fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => self.directives(&spread.node.directives),
            }
        }
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
            if let Value::Variable(name) = &value.node {
                self.used.insert(name.clone());
            }
        }
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, value| !self.leaves_out(value));
                fields.values_mut().for_each(|value| self.value(value));
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Variable(name) => _ = self.used.insert(name.clone()),
            _ => {}
        }
    }

    fn leaves_out(&mut self, value: &Value) -> bool {
        match value {
            Value::Variable(name) if self.absent.contains(name) => {
                self.left_out.insert(name.clone());
                true
            }
            _ => false,
        }
    }
}
