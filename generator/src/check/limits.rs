//! How many calls a caller may make (E514).

use std::time::Duration;

use super::Checker;
use crate::{
    design::{self, Limit, OperationSettings, VerbSettings},
    model::{Limits, Model, Rate, Service, Transport},
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
    if rate.per.subsec_nanos() > 0 || rate.per.is_zero() || rate.per > LONGEST {
        let message = "a limit counts in whole seconds, from `1s` to `366d`";
        checker.error("E514", &limit.span, message, "write so many calls in so much time: `\"60/1m\"`");
        return None;
    }
    if u128::from(rate.count) > rate.per.as_millis() {
        let message = "more than a thousand calls a second are no limit on one caller";
        checker.error("E514", &limit.span, message, "drop it, or allow fewer");
        return None;
    }
    Some(Rate { calls: rate.count, window: rate.per })
}

/// A limit counts calls of somebody: who is run by messages alone has none to count.
pub(super) fn check(checker: &mut Checker, model: &Model) {
    for (name, service) in &checker.design.services {
        let Some(lowered) = model.services.get(name) else { continue };
        for (operation, design) in service.queries.iter().chain(&service.commands) {
            if let Some(limit) = all(&design.common.limit).filter(|_| !is_called(model, lowered, operation)) {
                let message = format!("`limit` on `{operation}`, which nobody calls");
                let help = "messages are not counted: `expose` it, or drop the limit";
                checker.error("E514", &limit.span, message, help);
            }
        }
        let is_any = lowered.operations.keys().any(|operation| is_called(model, lowered, operation));
        for (key, limit) in [("limit", &service.limit), ("quota", &service.quota)] {
            if let Some(limit) = all(limit).filter(|_| !is_any && service.fronts.is_empty()) {
                let message = format!("`{key}` on `{name}`, which nobody calls");
                checker.error("E514", &limit.span, message, "messages are not counted: drop it");
            }
        }
    }
}

fn all(limit: &Option<Spanned<Limit>>) -> Option<&Spanned<Limit>> {
    limit.as_ref().filter(|limit| matches!(limit.value, Limit::All(_)))
}

fn is_called(model: &Model, service: &Service, operation: &str) -> bool {
    // What could not be lowered has its own error.
    !service.operations.contains_key(operation)
        || model.served(&service.name, operation).without(Transport::Queue).any()
}
