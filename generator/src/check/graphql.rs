//! What is said of GraphQL where there is none (E512), and what links over it cannot carry (E606).

use super::Checker;
use crate::{
    contracts::graphql::{called, is_served},
    design,
    model::{ErrorKind, Model, Operation, OperationRef, Service, Shape, Verb, Via},
    source::Span,
};

pub(super) fn check(checker: &mut Checker, model: &Model) {
    for (name, service) in &checker.design.services {
        let Some(said) = &service.graphql else { continue };
        let Some(lowered) = model.services.get(name) else { continue };
        let answers = lowered.operations.values().any(|operation| is_served(model, lowered, operation));
        if !answers && !lowered.composes() {
            let message = format!("`graphql` bounds requests over GraphQL, and `{name}` answers none");
            checker.error("E512", &said.span, message, "add `expose = [\"graphql\"]`, or leave it out");
        }
    }
    for link in model.links.iter().filter(|link| link.via() == Some(Via::Graphql)) {
        let Some(service) = link.callee().and_then(|callee| model.services.get(callee)) else { continue };
        let Some(span) = place(checker.design, &link.from, &service.name) else { continue };
        for operation in service.operations.values() {
            let to = OperationRef { service: service.name.clone(), operation: operation.name.clone() };
            if model.link(&link.from, &to) == Some(link)
                && let Some(why) = trouble(model, service, operation)
            {
                let message = format!("`via = \"graphql\"` cannot carry `{}.{}`, {why}", to.service, to.operation);
                checker.error("E606", &span, message, "use `grpc` or `rest`");
            }
        }
    }
}

/// Where a link over GraphQL is said; if it is not, where the service is that calls.
fn place(design: &design::Design, from: &str, to: &str) -> Option<Span> {
    let links = design.links.iter().filter(|link| link.from.value == from);
    let of = |link: &&design::Link| match &link.to.value.owner {
        Some(owner) => owner == to,
        None => true,
    };
    let said = links.filter(of).filter_map(|link| link.via.as_ref()).find(|via| via.value == design::Via::Graphql);
    said.map(|via| via.span.clone()).or_else(|| design.services.get(from).map(|service| service.head.span()))
}

fn trouble(model: &Model, service: &Service, operation: &Operation) -> Option<String> {
    let is_get = matches!(operation.shape, Shape::Verb { verb: Verb::Get, .. });
    // Null says that there is none, and not why.
    let error = operation.errors.iter().find(|error| is_get && error.kind == ErrorKind::NotFound);
    if let Some(error) = error {
        return Some(format!("whose error `{}` it shows as null", error.name));
    }
    let limits = service.graphql;
    called::document(model, service, operation).is_none().then(|| {
        format!(
            "whose whole answer has more than {} levels, {} fields or {} aliases",
            limits.depth, limits.complexity, limits.aliases
        )
    })
}
