//! How long answers hold: what may say so, and for how long (E513).

use std::time::Duration;

use super::Checker;
use crate::{
    contracts::graphql::is_served,
    design::{self, OperationSettings, VerbSettings, Word},
    model::{Method, Model, OperationKind, Output, Service, Transport, Verb},
    source::Spanned,
};

const DROP: &str = "an answer is kept only of what changes nothing: drop it";

/// The longest that RFC 9111 §1.2.2 wants to be understood.
const LONGEST: u64 = i32::MAX as u64;

pub(super) fn of_custom(
    checker: &mut Checker,
    kind: OperationKind,
    output: &Output,
    name: &str,
    settings: &OperationSettings,
) -> Option<u32> {
    let cache = settings.cache.as_ref()?;
    match (kind, output) {
        (OperationKind::Command, _) => {
            checker.error("E513", &cache.span, format!("`cache` on the command `{name}`"), DROP);
            None
        }
        (_, Output::Stream(_) | Output::None) => {
            let what = if *output == Output::None { "has no output" } else { "answers with a stream" };
            checker.error(
                "E513",
                &cache.span,
                format!("`cache` on `{name}`, which {what}"),
                "nothing is kept: drop it",
            );
            None
        }
        _ => seconds(checker, cache),
    }
}

/// What the verb says, else its resource.
pub(super) fn of_verb(
    checker: &mut Checker,
    verb: Verb,
    resource: &design::Resource,
    settings: Option<&VerbSettings>,
) -> Option<u32> {
    let own = settings.and_then(|settings| settings.common.cache.as_ref());
    if !matches!(verb, Verb::List | Verb::Get) {
        if let Some(own) = own {
            checker.error("E513", &own.span, format!("`cache` on `{}`", verb.word()), DROP);
        }
        return None;
    }
    seconds(checker, own.or(resource.cache.as_ref())?)
}

fn seconds(checker: &mut Checker, cache: &Spanned<Duration>) -> Option<u32> {
    let seconds = cache.value.as_secs();
    if cache.value.subsec_nanos() > 0 || seconds == 0 || seconds > LONGEST {
        let message = "`cache` counts in whole seconds, from `1s` on";
        checker.error("E513", &cache.span, message, "HTTP knows no others: write `\"30s\"`");
        return None;
    }
    u32::try_from(seconds).ok()
}

/// Only GET over REST, and GraphQL, tell callers how long an answer holds.
pub(super) fn check(checker: &mut Checker, model: &Model) {
    for (name, service) in &checker.design.services {
        let Some(lowered) = model.services.get(name) else { continue };
        for (query, design) in &service.queries {
            if let Some(cache) = &design.common.cache {
                told(checker, model, lowered, query, cache);
            }
        }
        for (resource, design) in &service.resources {
            let verbs = [Verb::List, Verb::Get].map(|verb| {
                let plural = lowered.resources.get(resource).map_or("", |resource| &resource.plural);
                (verb, crate::names::verb_operation(verb, resource, plural))
            });
            for (verb, operation) in &verbs {
                if let Some(cache) = design.settings.get(verb).and_then(|settings| settings.common.cache.as_ref()) {
                    told(checker, model, lowered, operation, cache);
                }
            }
            let read = |(_, operation): &(Verb, String)| lowered.operations.contains_key(operation);
            if let Some(cache) = design.cache.as_ref().filter(|_| !verbs.iter().any(read)) {
                let message = format!("`cache` on `{resource}`, which has neither `list` nor `get`");
                checker.error("E513", &cache.span, message, DROP);
            }
        }
    }
}

fn told(checker: &mut Checker, model: &Model, service: &Service, operation: &str, cache: &Spanned<Duration>) {
    let Some(found) = service.operations.get(operation).filter(|found| found.cache.is_some()) else { return };
    if found.is_past() {
        // It is asked of each version that is served.
        return;
    }
    let by_get = model.served(&service.name, operation).has(Transport::Rest) && found.route.method == Method::Get;
    if !by_get && !is_served(model, service, found) {
        let message = format!("`cache` on `{operation}`, whose answers no cache sees");
        checker.error("E513", &cache.span, message, "expose it over `rest` as a GET, or over `graphql`; or drop it");
    }
}
