//! The verbs of resources as operations.

use indexmap::IndexMap;

use super::{
    Checker, caches, calls, docs, items, limits,
    operations::{check_queue, emits, errors, exposure, safety},
    routes,
};
use crate::{
    design::{self, VerbSettings, Word},
    model::{Docs, Exposure, Model, Operation, OperationKind, Safety, Shape, Transport, Verb},
};

/// Adds the operations of every resource, resource by resource, in [`Verb`] order.
pub(super) fn lower(
    checker: &mut Checker,
    model: &Model,
    service: &design::Service,
    operations: &mut IndexMap<String, Operation>,
) {
    let home = service.head.name.value.as_str();
    let Some(lowered) = model.services.get(home) else { return };
    for (name, resource) in &lowered.resources {
        let Some(design) = service.resources.get(name) else { continue };
        let until = checker.symbols.gone_after(home, name);
        for verb in &resource.verbs {
            let settings = design.settings.get(verb);
            let operation = Operation {
                name: crate::names::verb_operation(*verb, name, &resource.plural),
                docs: settings.map_or_else(Docs::default, |settings| docs(&settings.head.docs)),
                kind: kind(*verb),
                shape: Shape::Verb { verb: *verb, resource: name.clone() },
                errors: settings.map_or_else(Vec::new, |settings| errors(checker, &settings.common, home)),
                safety: verb_safety(checker, *verb, settings),
                cache: caches::of_verb(checker, *verb, design, settings),
                limit: limits::of_verb(checker, design, settings),
                on: Vec::new(),
                follows: Vec::new(),
                calls: settings.map_or_else(Vec::new, |s| calls::lower(checker, items(&s.common.calls), home)),
                emits: settings.map_or_else(Vec::new, |s| verb_emits(checker, *verb, s, home)),
                expose: match verb_exposure(checker, *verb, service, design, settings) {
                    _ if until.is_some() => Exposure::default(),
                    expose => expose,
                },
                route: routes::of_verb(*verb, lowered, resource),
                until,
            };
            operations.insert(operation.name.clone(), operation);
        }
    }
}

/// Whether a verb reads or writes.
fn kind(verb: Verb) -> OperationKind {
    match verb {
        Verb::List | Verb::Get => OperationKind::Query,
        Verb::Create | Verb::Replace | Verb::Patch | Verb::Delete => OperationKind::Command,
    }
}

fn verb_safety(checker: &mut Checker, verb: Verb, settings: Option<&VerbSettings>) -> Safety {
    let by_nature = match verb {
        Verb::List | Verb::Get | Verb::Replace | Verb::Delete => Safety::Safe,
        Verb::Create | Verb::Patch => Safety::Keyed,
    };
    let Some(idempotent) = settings.and_then(|settings| settings.common.idempotent.as_ref()) else { return by_nature };
    if kind(verb) == OperationKind::Query {
        let message = format!("`{}` says `idempotent`", verb.word());
        checker.error("E505", &idempotent.span, message, "it changes nothing, so it is always safe to repeat: drop it");
        return by_nature;
    }
    safety(idempotent.value)
}

fn verb_emits(checker: &mut Checker, verb: Verb, settings: &VerbSettings, home: &str) -> Vec<String> {
    if let Some(first) = items(&settings.common.emits).first().filter(|_| kind(verb) == OperationKind::Query) {
        let message = format!("`{}` emits an event", verb.word());
        checker.error("E505", &first.span, message, "reading changes nothing: emit it where something changes");
        return Vec::new();
    }
    emits(checker, &settings.common, &settings.head, home)
}

/// What the verb says, else its resource, else its service.
fn verb_exposure(
    checker: &mut Checker,
    verb: Verb,
    service: &design::Service,
    resource: &design::Resource,
    settings: Option<&VerbSettings>,
) -> Exposure {
    let queued = verb == Verb::Delete;
    let own = settings.and_then(|settings| settings.common.expose.as_ref());
    if let Some(own) = own {
        check_queue(checker, &own.value, verb.word(), queued);
    }
    let list = own.or(resource.expose.as_ref()).or(service.expose.as_ref());
    let expose = list.map_or_else(Exposure::default, |list| exposure(&list.value));
    if queued { expose } else { expose.without(Transport::Queue) }
}
