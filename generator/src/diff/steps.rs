//! Steps of versions: who adds one keeps the old shape beside the new one (LANGUAGE §9).

use crate::{
    Understood,
    design::{self, Service},
    model::{Operation, Shape},
};

/// Whether an operation's shape of before is kept as an old version of it.
pub(super) fn operation(old: &Understood, new: &Understood, service: &str, operation: &Operation) -> bool {
    let version = |of: &Understood| of.design.services.get(service).map(newest);
    let was = |service: &Service| match &operation.shape {
        Shape::Verb { resource, .. } => service.resources.get(resource)?.was.keys().max().copied(),
        Shape::Custom { .. } => {
            let written = service.commands.get(&operation.name).or_else(|| service.queries.get(&operation.name));
            written?.was.keys().max().copied()
        }
    };
    let kept = new.design.services.get(service).and_then(was);
    kept.is_some() && kept >= version(old)
}

/// Whether an event's payload of before is kept as an old version of it.
pub(super) fn event(old: &Understood, new: &Understood, service: &str, event: &str) -> bool {
    let kept = |of: &Understood| {
        let event: &design::Event = of.design.services.get(service)?.events.get(event)?;
        event.was.keys().max().copied()
    };
    kept(new) > kept(old)
}

/// A service's version: 1 and the highest of its `old` and of the `was` in it.
fn newest(service: &Service) -> u32 {
    let operations = service.commands.values().chain(service.queries.values());
    let was = operations.flat_map(|operation| operation.was.keys());
    let was = was.chain(service.resources.values().flat_map(|resource| resource.was.keys()));
    1 + service.old.keys().chain(was).max().copied().unwrap_or(0)
}
