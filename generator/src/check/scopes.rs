//! Names of one service that meet in one target only: gRPC methods, GraphQL root fields, JSON-RPC methods, columns.

use std::collections::HashMap;

use super::Checker;
use crate::{
    design::Word,
    diagnostic::Diagnostic,
    fit,
    model::{Field, Model, Operation, OperationKind, OperationRef, Output, Resource, Service, Shape, Type, Verb},
    names,
};

pub(super) fn check(checker: &mut Checker, model: &Model) {
    for service in model.services.values() {
        methods(checker, service, "gRPC", |operation, resource| {
            Some(match (&operation.shape, resource) {
                (Shape::Verb { verb, .. }, Some(resource)) => {
                    names::proto::verb_rpc(*verb, &resource.name, &resource.plural)
                }
                _ => names::proto::rpc(&operation.name),
            })
        });
        for root in ["Query", "Mutation", "Subscription"] {
            methods(checker, service, "GraphQL", |operation, resource| {
                (root == graphql_root(operation)).then(|| match (&operation.shape, resource) {
                    (Shape::Verb { verb, .. }, Some(resource)) => {
                        names::graphql::verb_field(*verb, &resource.name, &resource.plural)
                    }
                    _ => names::graphql::field(&operation.name),
                })
            });
        }
        for operation in service.operations.values() {
            like_a_verb(checker, service, operation);
        }
        for resource in service.resources.values() {
            columns(checker, model, service, resource);
        }
    }
}

fn same_resource(a: &Operation, b: &Operation) -> bool {
    matches!((&a.shape, &b.shape), (Shape::Verb { resource: a, .. }, Shape::Verb { resource: b, .. }) if a == b)
}

fn graphql_root(operation: &Operation) -> &'static str {
    match (&operation.shape, operation.kind) {
        (Shape::Custom { output: Output::Stream(_), .. }, _) => "Subscription",
        (_, OperationKind::Query) => "Query",
        (_, OperationKind::Command) => "Mutation",
    }
}

/// Two operations that are called the same in a target (E205). `name` gives what an operation is called there.
fn methods(
    checker: &mut Checker,
    service: &Service,
    target: &str,
    name: impl Fn(&Operation, Option<&Resource>) -> Option<String>,
) {
    let mut seen: HashMap<String, &Operation> = HashMap::new();
    for operation in service.operations.values().filter(|operation| !operation.is_past()) {
        let resource = match &operation.shape {
            Shape::Verb { resource, .. } => service.resources.get(resource),
            Shape::Custom { .. } => None,
        };
        let Some(name) = name(operation, resource) else { continue };
        match seen.get(&names::key(&name)) {
            None => {
                seen.insert(names::key(&name), operation);
            }
            // Reported where the names are.
            Some(first) if names::key(&first.name) == names::key(&operation.name) => {}
            // Reported as a plural that is none.
            Some(first) if same_resource(first, operation) => {}
            Some(first) => {
                let place = |of: &Operation| OperationRef { service: service.name.clone(), operation: of.name.clone() };
                let message =
                    format!("{} and {} are both `{name}` in {target}", fit::title(operation), fit::title(first));
                let error =
                    Diagnostic::new("E205", checker.operation_span(&place(operation)), message).help("rename one");
                let related = checker.operation_span(&place(first));
                checker.report(error.related(related, "the other"));
            }
        }
    }
}

/// An operation on an item that is called like a verb: both would be `order.list` in JSON-RPC (E207).
fn like_a_verb(checker: &mut Checker, service: &Service, operation: &Operation) {
    let Shape::Custom { of: Some(of), .. } = &operation.shape else { return };
    let Some(resource) = service.resources.get(of) else { return };
    let Some(verb) = Verb::ALL.into_iter().find(|verb| verb.word() == operation.name && resource.verbs.contains(verb))
    else {
        return;
    };
    let place = OperationRef { service: service.name.clone(), operation: operation.name.clone() };
    let message = format!("`{}` of `{of}` is already a verb of `{of}`", verb.word());
    checker.error("E207", &checker.operation_span(&place), message, "rename the operation, or drop the verb");
}

/// Where a table is too large to go on; that was reported.
const COLUMNS: usize = 1000;

/// Required records lie flat in a table, so a field and a path may be one column (E205).
fn columns(checker: &mut Checker, model: &Model, service: &Service, resource: &Resource) {
    let mut paths = Vec::new();
    flatten(model, &resource.fields, &mut Vec::new(), &mut Vec::new(), &mut paths);
    let written = checker.design.services.get(&service.name).and_then(|s| s.resources.get(&resource.name));
    let Some(written) = written else { return };
    let mut seen: HashMap<String, &Vec<&str>> = HashMap::new();
    for path in &paths {
        let column = names::sql::column(path);
        let Some(first) = seen.insert(column.clone(), path) else { continue };
        // Within one record equal names were reported.
        if first == path {
            continue;
        }
        let field = path.first().and_then(|name| written.fields.get(*name));
        let span = field.map_or_else(|| written.head.span(), |field| field.name.span.clone());
        let message = format!("`{}` and `{}` are both column `{column}`", first.join("."), path.join("."));
        checker.error("E205", &span, message, "rename one");
    }
}

fn flatten<'m>(
    model: &'m Model,
    fields: &'m [Field],
    path: &mut Vec<&'m str>,
    inside: &mut Vec<&'m str>,
    paths: &mut Vec<Vec<&'m str>>,
) {
    for field in fields {
        if paths.len() > COLUMNS {
            return;
        }
        path.push(&field.name);
        match &field.ty {
            Type::Named(named) if named.service.is_none() && !inside.contains(&named.name.as_str()) => {
                match fit::record(model, &named.name) {
                    // Deeper than anyone writes; what is below cannot meet what is above.
                    Some(record) if inside.len() < 32 => {
                        inside.push(&named.name);
                        flatten(model, &record.fields, path, inside, paths);
                        inside.pop();
                    }
                    _ => paths.push(path.clone()),
                }
            }
            _ => paths.push(path.clone()),
        }
        path.pop();
    }
}
