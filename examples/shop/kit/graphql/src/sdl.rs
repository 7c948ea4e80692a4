use std::{collections::BTreeSet, iter};

use async_graphql::{
    Name, Positioned,
    parser::{
        self, parse_schema,
        types::{
            ConstDirective, FieldDefinition, InputValueDefinition, SchemaDefinition, TypeDefinition, TypeKind,
            TypeSystemDefinition,
        },
    },
};

/// What two schemas do not have in common: a line for each thing that one of them says, after `-` what only `left` says
/// and after `+` what only `right` says. The order in which they say it makes no difference, descriptions do.
///
/// ```
/// let left = "type Query { orders(first: Int): [Order!]!  count: Int } type Order { id: ID! }";
/// let right = "type Order { id: ID! } type Query { count: Int orders(first: Int = 50): [Order!]! }";
/// assert_eq!(
///     kit_graphql::differences(left, right)?,
///     ["- argument Query.orders.first: Int", "+ argument Query.orders.first: Int = 50"]
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn differences(left: &str, right: &str) -> Result<Vec<String>, parser::Error> {
    let (left, right) = (facts(left)?, facts(right)?);
    let only = |sign: &str, these: &BTreeSet<String>, those: &BTreeSet<String>| -> Vec<String> {
        these.difference(those).map(|fact| format!("{sign} {fact}")).collect()
    };
    Ok([only("-", &left, &right), only("+", &right, &left)].concat())
}

/// Everything that a schema says. Definitions of directives are left out: they are the executor's.
fn facts(schema: &str) -> Result<BTreeSet<String>, parser::Error> {
    let mut facts = BTreeSet::new();
    let mut root = None;
    for definition in parse_schema(schema)?.definitions {
        match definition {
            TypeSystemDefinition::Type(of) => define(&mut facts, &of.node),
            TypeSystemDefinition::Schema(of) => root = Some(of.node),
            TypeSystemDefinition::Directive(_) => {}
        }
    }
    roots(&mut facts, root);
    Ok(facts)
}

/// Without a `schema { … }` the root types are those that are called so.
fn roots(facts: &mut BTreeSet<String>, schema: Option<SchemaDefinition>) {
    let roots = match schema {
        Some(SchemaDefinition { query, mutation, subscription, .. }) => [query, mutation, subscription],
        None => ["Query", "Mutation", "Subscription"].map(|name| {
            let defined = facts.contains(&format!("type {name}"));
            defined.then(|| Positioned::new(Name::new(name), async_graphql::Pos::default()))
        }),
    };
    let kinds = ["query", "mutation", "subscription"].into_iter().zip(roots);
    facts.extend(kinds.filter_map(|(kind, root)| Some(format!("{kind}: {}", root?.node))));
}

fn define(facts: &mut BTreeSet<String>, of: &TypeDefinition) {
    let name = &of.name.node;
    let extends = if of.extend { "extend " } else { "" };
    let mut say = |what: String| {
        facts.insert(format!("{extends}{what}"));
    };
    let kind = match &of.kind {
        TypeKind::Scalar => "scalar",
        TypeKind::Object(_) => "type",
        TypeKind::Interface(_) => "interface",
        TypeKind::Union(_) => "union",
        TypeKind::Enum(_) => "enum",
        TypeKind::InputObject(_) => "input",
    };
    say(format!("{kind} {name}"));
    about(&mut say, &format!("{kind} {name}"), of.description.as_ref(), &of.directives);
    match &of.kind {
        TypeKind::Scalar => {}
        TypeKind::Object(object) => {
            object.implements.iter().for_each(|interface| say(format!("{name} implements {}", interface.node)));
            object.fields.iter().for_each(|each| field(&mut say, name, &each.node));
        }
        TypeKind::Interface(interface) => {
            interface.implements.iter().for_each(|interface| say(format!("{name} implements {}", interface.node)));
            interface.fields.iter().for_each(|each| field(&mut say, name, &each.node));
        }
        TypeKind::Union(union) => union.members.iter().for_each(|member| say(format!("{name} = {}", member.node))),
        TypeKind::Enum(values) => {
            for value in values.values.iter().map(|value| &value.node) {
                let place = format!("value {name}.{}", value.value.node);
                say(place.clone());
                about(&mut say, &place, value.description.as_ref(), &value.directives);
            }
        }
        TypeKind::InputObject(input) => {
            input.fields.iter().for_each(|each| value(&mut say, &format!("input {name}"), &each.node));
        }
    }
}

fn field(say: &mut impl FnMut(String), owner: &Name, field: &FieldDefinition) {
    let name = &field.name.node;
    say(format!("field {owner}.{name}: {}", field.ty.node));
    about(say, &format!("field {owner}.{name}"), field.description.as_ref(), &field.directives);
    field.arguments.iter().for_each(|each| value(say, &format!("argument {owner}.{name}"), &each.node));
}

/// An argument, or a field of an input.
fn value(say: &mut impl FnMut(String), owner: &str, value: &InputValueDefinition) {
    let place = format!("{owner}.{}", value.name.node);
    let default = value.default_value.as_ref().map(|default| format!(" = {}", default.node));
    say(format!("{place}: {}{}", value.ty.node, default.unwrap_or_default()));
    about(say, &place, value.description.as_ref(), &value.directives);
}

/// What is said of anything: its description and its directives.
fn about(
    say: &mut impl FnMut(String),
    place: &str,
    description: Option<&Positioned<String>>,
    directives: &[Positioned<ConstDirective>],
) {
    if let Some(text) = description {
        say(format!("{place}: {:?}", text.node));
    }
    for directive in directives.iter().map(|directive| &directive.node) {
        let arguments = directive.arguments.iter().map(|(name, value)| format!(" {}: {}", name.node, value.node));
        say(iter::once(format!("{place} @{}", directive.name.node)).chain(arguments).collect());
    }
}
