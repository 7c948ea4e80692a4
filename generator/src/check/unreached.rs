//! Operations that nobody can ask for (W08).

use crate::{
    design::Design,
    diagnostic::Diagnostic,
    model::{Model, Operation, OperationKind, Shape},
    source::Span,
};

/// A command or query that is exposed nowhere, called by nobody and runs on nothing. It may be meant for later, so it is
/// no mistake; who writes `expose = []` at it has said so.
pub(super) fn warnings(design: &Design, model: &Model) -> Vec<Diagnostic> {
    let unreached = model.operations().filter(|(service, operation)| {
        let runs = !operation.on.is_empty();
        !runs && !operation.is_past() && !model.served(&service.name, &operation.name).any()
    });
    let unreached = unreached.filter_map(|(service, operation)| {
        let place = place(design, &service.name, operation)?;
        let message = format!("nothing reaches `{}.{}`", service.name, operation.name);
        let help = match operation.kind {
            OperationKind::Query => {
                "expose it (`expose = [\"rest\"]`), let another service call it, or write `expose = []` if that is meant"
            }
            OperationKind::Command => {
                "expose it (`expose = [\"rest\"]`), let another service call it, let it run on an event (`on`), or write \
                 `expose = []` if that is meant"
            }
        };
        Some(Diagnostic::new("W08", place, message).help(help))
    });
    unreached.collect()
}

fn place(design: &Design, service: &str, operation: &Operation) -> Option<Span> {
    let Shape::Custom { .. } = operation.shape else { return None };
    let service = design.services.get(service)?;
    let own = service.queries.get(&operation.name).or_else(|| service.commands.get(&operation.name))?;
    own.common.expose.is_none().then(|| own.head.span())
}
