use async_graphql::{
    Positioned, Request, ServerError, Value, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

use crate::{
    absent::left_out,
    extent::Extent,
    tokens::{self, TOKENS},
};

/// What a request may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Fields within fields.
    pub depth: usize,
    /// Fields in all.
    pub complexity: usize,
    /// Fields under another name, which can be the same one many times.
    pub aliases: usize,
    /// Directives in all: each costs, and `@skip` can stand on one field many times in other words.
    pub directives: usize,
    /// Requests sent as one.
    pub batch: usize,
    /// Whether the schema may be asked for. It has limits of its own then, within which tools ask.
    pub introspection: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 10, complexity: 1000, aliases: 30, directives: 30, batch: 10, introspection: true }
    }
}

/// Fields in all of a document that asks for nothing but the schema.
const SCHEMA_FIELDS: usize = 1000;
/// Members of types within members of types, in what asks for the schema. Tools ask for one level.
const SCHEMA_MEMBERS: usize = 2;

impl Limits {
    /// Parses the request and counts what it asks for, before anything goes through it fragment by fragment.
    pub(crate) fn check(&self, request: &mut Request) -> Result<(), ServerError> {
        if tokens::too_many(&request.query) {
            return Err(ServerError::new(format!("the request has more than {TOKENS} tokens"), None));
        }
        let (variables, name) = (std::mem::take(&mut request.variables), request.operation_name.take());
        let checked = request.parsed_query().and_then(|query| self.document(query, name.as_deref(), &variables));
        (request.variables, request.operation_name) = (variables, name);
        if let Some(shorter) = checked? {
            request.set_parsed_query(shorter);
        }
        Ok(())
    }

    /// The document to execute in its place, if there is one.
    fn document(
        &self,
        document: &ExecutableDocument,
        wanted: Option<&str>,
        variables: &Variables,
    ) -> Result<Option<ExecutableDocument>, ServerError> {
        let operations = || document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
        let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
        let written =
            operations().chain(fragments).fold(Written::of(document), |sum, set| sum.and(Written::within(set)));
        let about_schema = operations().all(is_about_schema);
        let (depth, fields) = match about_schema {
            true => (usize::MAX, self.complexity.max(SCHEMA_FIELDS)),
            false => (self.depth, self.complexity),
        };
        let extent = Extent::of(document);
        for (count, what, limit) in [
            (extent.fields, "fields", fields),
            (extent.depth, "levels", depth),
            (extent.members, "levels of members of the schema's types", SCHEMA_MEMBERS),
            (written.aliases, "aliases", self.aliases),
            (written.directives, "directives", self.directives),
        ] {
            if count > limit {
                let message = format!("the request has {count} {what}, at most {limit} are allowed");
                return Err(ServerError::new(message, None));
            }
        }
        let operation = document.operations.iter().find(|(name, _)| name.map(|name| name.as_str()) == wanted);
        let operation = operation.or_else(|| document.operations.iter().next());
        let Some((_, Positioned { node: operation, .. })) = operation else { return Ok(None) };
        match missing(operation, variables) {
            Some(name) => Err(ServerError::new(format!("the variable ${name} is missing"), None)),
            None => Ok(left_out(document, operation, variables)),
        }
    }
}

/// The first variable that must be given and is not. Without this it would be an error of the field that uses it.
fn missing<'a>(operation: &'a OperationDefinition, variables: &Variables) -> Option<&'a str> {
    let given = |name: &str| variables.get(name).is_some_and(|value| *value != Value::Null);
    let missing = operation.variable_definitions.iter().map(|definition| &definition.node).find(|definition| {
        let optional = definition.var_type.node.nullable || definition.default_value.is_some();
        !optional && !given(definition.name.node.as_str())
    });
    missing.map(|definition| definition.name.node.as_str())
}

/// What stands in a document, however often it is meant.
#[derive(Clone, Copy, Default)]
struct Written {
    aliases: usize,
    directives: usize,
}

impl Written {
    /// On the operations, their variables and the fragments themselves.
    fn of(document: &ExecutableDocument) -> Self {
        let operations = document.operations.iter().map(|(_, operation)| {
            let variables = operation.node.variable_definitions.iter().map(|one| one.node.directives.len());
            operation.node.directives.len() + variables.sum::<usize>()
        });
        let fragments = document.fragments.values().map(|fragment| fragment.node.directives.len());
        Self { aliases: 0, directives: operations.chain(fragments).sum() }
    }

    /// On the fields and spreads of a selection.
    fn within(set: &SelectionSet) -> Self {
        set.items.iter().fold(Self::default(), |sum, selection| {
            let (aliases, directives, inner) = match &selection.node {
                Selection::Field(Positioned { node, .. }) => {
                    (usize::from(node.alias.is_some()), &node.directives, Some(&node.selection_set.node))
                }
                Selection::InlineFragment(Positioned { node, .. }) => {
                    (0, &node.directives, Some(&node.selection_set.node))
                }
                Selection::FragmentSpread(spread) => (0, &spread.node.directives, None),
            };
            sum.and(Self { aliases, directives: directives.len() }).and(inner.map(Self::within).unwrap_or_default())
        })
    }

    fn and(self, other: Self) -> Self {
        Self { aliases: self.aliases + other.aliases, directives: self.directives + other.directives }
    }
}

/// All fields of an operation are those of introspection. What they lead to cannot be anything else.
fn is_about_schema(set: &SelectionSet) -> bool {
    let is = |selection: &Selection| match selection {
        Selection::Field(field) => field.node.name.node.starts_with("__"),
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => false,
    };
    set.items.iter().all(|selection| is(&selection.node))
}
