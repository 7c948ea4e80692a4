//! How many calls a caller may make (E514).

use std::time::Duration;

use super::Checker;
use crate::{
    design::{self, Limit, OperationSettings, VerbSettings, Word as _},
    model::{Limits, Model, Rate, Verb},
    source::Spanned,
};

/// Nobody counts longer than a year.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Of all calls of a service together.
pub(super) fn of_service(checker: &mut Checker, service: &design::Service) -> Limits {
    let mut rate = |limit: &Option<Spanned<Limit>>| limit.as_ref().and_then(|limit| rate(checker, limit));
    Limits { limit: rate(&service.limit), quota: rate(&service.quota) }
}

pub(super) fn of_custom(checker: &mut Checker, settings: &OperationSettings) -> Option<Rate> {
    rate(checker, settings.limit.as_ref()?)
}

/// What the verb says, else its resource says of each.
pub(super) fn of_verb(
    checker: &mut Checker,
    resource: &design::Resource,
    settings: Option<&VerbSettings>,
) -> Option<Rate> {
    let own = settings.and_then(|settings| settings.common.limit.as_ref());
    rate(checker, own.or(resource.limit.as_ref())?)
}

/// Limits by plan are refused elsewhere.
fn rate(checker: &mut Checker, limit: &Spanned<Limit>) -> Option<Rate> {
    let Limit::All(rate) = &limit.value else { return None };
    if rate.window.subsec_nanos() > 0 || rate.window.is_zero() || rate.window > LONGEST {
        let message = "a limit counts in whole seconds, from `1s` to `366d`";
        checker.error("E514", &limit.span, message, "write so many calls in so much time: `\"60/1m\"`");
        return None;
    }
    if u128::from(rate.calls) > rate.window.as_millis() {
        let message = "more than a thousand calls a second are no limit on one caller";
        checker.error("E514", &limit.span, message, "drop it, or allow fewer");
        return None;
    }
    Some(*rate)
}

/// A limit counts calls of somebody: who is run by messages alone has none to count. Who calls is known of today alone.
pub(super) fn check(checker: &mut Checker, model: &Model) {
    if checker.at.is_some() {
        return;
    }
    for (name, service) in &checker.design.services {
        let Some(lowered) = model.services.get(name) else { continue };
        // What could not be lowered has its own error.
        let is_called =
            |operation: &str| !lowered.operations.contains_key(operation) || model.is_called(name, operation);
        for (operation, design) in service.queries.iter().chain(&service.commands) {
            refuse(checker, "limit", operation, &design.common.limit, is_called(operation));
        }
        for (resource, design) in &service.resources {
            let plural = lowered.resources.get(resource).map_or("", |resource| &resource.plural);
            let by_verb = |verb: Verb| crate::names::verb_operation(verb, resource, plural);
            for (verb, settings) in &design.settings {
                refuse(checker, "limit", verb.word(), &settings.common.limit, is_called(&by_verb(*verb)));
            }
            let verbs = lowered.resources.get(resource).map_or(&[][..], |resource| &resource.verbs);
            let is_any = verbs.iter().any(|verb| is_called(&by_verb(*verb)));
            refuse(checker, "limit", resource, &design.limit, is_any);
        }
        let is_any = lowered.operations.keys().any(|operation| is_called(operation)) || !service.fronts.is_empty();
        refuse(checker, "limit", name, &service.limit, is_any);
        refuse(checker, "quota", name, &service.quota, is_any);
    }
}

fn refuse(checker: &mut Checker, key: &str, of: &str, limit: &Option<Spanned<Limit>>, is_called: bool) {
    let limit = limit.as_ref().filter(|limit| matches!(limit.value, Limit::All(_)));
    if let Some(limit) = limit.filter(|_| !is_called) {
        let message = format!("`{key}` on `{of}`, which nobody calls");
        checker.error("E514", &limit.span, message, "messages are not counted: `expose` it, or drop this");
    }
}
