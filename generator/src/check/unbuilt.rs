//! Rules of what workspaces do not have yet. It is refused anyway; these say what would be wrong with it, so that a
//! design is right on the day it is built.

use super::{Checker, items, operations::settings};
use crate::{
    design::{self, Body, Endpoint, Idempotent, Limit, Operation, Reference, Resource, Service, Word},
    diagnostic::{Diagnostic, nearest},
    names::{self, rules::shown},
    source::Spanned,
};

/// Who may be allowed beside the roles of a design.
const ANY_CALLER: &[&str] = &["anyone", "signed_in", "service"];

pub(super) fn check(checker: &mut Checker) {
    let design = checker.design;
    for (name, service) in &design.services {
        if let Some(external) = &service.replaces {
            owner(checker, external, "external");
            fronted(checker, name, external);
        }
        let resources = service.resources.values();
        let allows = [service.allow.as_ref()].into_iter().chain(resources.map(|resource| resource.allow.as_ref()));
        for allow in allows.flatten() {
            roles(checker, &allow.value);
        }
        for limit in [&service.limit, &service.quota].into_iter().flatten() {
            plans(checker, &limit.value);
        }
        for (_, settings) in settings(service) {
            roles(checker, items(&settings.allow));
            if let Some(limit) = &settings.limit {
                plans(checker, &limit.value);
            }
        }
        for operation in service.queries.values().chain(service.commands.values()) {
            saga(checker, name, operation);
        }
        for resource in service.resources.values() {
            sourced(checker, name, service, resource);
        }
        for feed in service.feeds.values() {
            feed_ends(checker, name, feed);
        }
    }
    for external in design.externals.values() {
        for role in &external.roles {
            known_role(checker, role);
        }
    }
}

/// A service or external that must be there (E401).
pub(super) fn owner(checker: &mut Checker, name: &Spanned<String>, what: &str) {
    let design = checker.design;
    let known: Vec<&String> = match what {
        "service" => design.services.keys().collect(),
        _ => design.externals.keys().collect(),
    };
    if design.incomplete || known.contains(&&name.value) {
        return;
    }
    let help = match nearest(&name.value, known.iter().map(|name| name.as_str())) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("declare it: `[{what}s.{}]`", shown(&name.value)),
    };
    checker.error("E401", &name.span, format!("no {what} is called `{}`", shown(&name.value)), help);
}

/// What replaces an external stands behind a gateway, which does the routing (E609).
fn fronted(checker: &mut Checker, service: &str, external: &Spanned<String>) {
    let fronted =
        checker.design.services.values().flat_map(|service| &service.fronts).any(|front| front.value == service);
    if !fronted {
        let message = format!("`replaces = \"{}\"`, but no service fronts `{service}`", shown(&external.value));
        checker.error("E609", &external.span, message, format!("add `fronts = [\"{service}\"]` to a gateway"));
    }
}

/// E702
fn roles(checker: &mut Checker, allow: &[Spanned<String>]) {
    for entry in allow {
        let role = entry.value.split_whitespace().next().unwrap_or_default();
        if !ANY_CALLER.contains(&role) {
            known_role(checker, &Spanned::new(role.to_owned(), entry.span.clone()));
        }
    }
}

fn known_role(checker: &mut Checker, role: &Spanned<String>) {
    let design = checker.design;
    let roles = &design.system.roles;
    if design.system.head.is_broken("roles") || roles.iter().any(|known| known.value == role.value) {
        return;
    }
    let help =
        match nearest(&role.value, roles.iter().map(|role| role.value.as_str()).chain(ANY_CALLER.iter().copied())) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "add it to `roles` of `[system]`".to_owned(),
        };
    checker.error("E702", &role.span, format!("role `{}` is not in `[system] roles`", shown(&role.value)), help);
}

/// A limit by plan names plans of the system (E401).
fn plans(checker: &mut Checker, limit: &Limit) {
    let Limit::ByPlan(rates) = limit else { return };
    let system = &checker.design.system;
    if system.head.is_broken("plans") {
        return;
    }
    for rate in rates.values().filter(|rate| rate.plan.value != "anyone") {
        if !system.plans.iter().any(|plan| plan.value == rate.plan.value) {
            let message = format!("plan `{}` is not in `[system] plans`", shown(&rate.plan.value));
            checker.error("E401", &rate.plan.span, message, "add it to `plans` of `[system]`");
        }
    }
}

/// The steps of a saga (E903, E905).
fn saga(checker: &mut Checker, service: &str, operation: &Operation) {
    let Some(steps) = &operation.steps else { return };
    let name = &operation.head.name.value;
    if let Some(calls) = &operation.common.calls {
        let error = Diagnostic::new("E905", calls.span.clone(), format!("`{name}` has `steps` and `calls`"));
        let error = error.help("make the calls steps; a query needs no `undo`");
        checker.report(error.related(steps.span.clone(), "the steps"));
    }
    for step in &steps.value {
        for call in [Some(&step.value.call), step.value.undo.as_ref()].into_iter().flatten() {
            repeatable(checker, service, call);
        }
    }
}

/// A saga repeats its steps after a crash (E903).
fn repeatable(checker: &mut Checker, home: &str, call: &Spanned<Reference>) {
    let Some(to) = checker.operation(call, Some(home)) else { return };
    let command = checker.design.services.get(&to.service).and_then(|service| service.commands.get(&to.operation));
    let said = command.and_then(|command| command.common.idempotent.as_ref());
    if said.is_some_and(|idempotent| idempotent.value == Idempotent::No) {
        let message = format!("step `{}` may run twice and is `idempotent = \"no\"`", call.value);
        checker.error("E903", &call.span, message, "a saga repeats steps after a crash: make it `yes` or `key`");
    }
}

/// An event that is part of the state says whose (E904).
fn sourced(checker: &mut Checker, home: &str, service: &Service, resource: &Resource) {
    let name = &resource.head.name.value;
    let key = format!("{}_id", names::snake(name));
    for reference in items(&resource.sourced) {
        let Some(of) = checker.event(reference, Some(home)) else { continue };
        if of.service != home {
            let message = format!("`{}` belongs to `{}`, and `{name}` to `{home}`", of.event, of.service);
            checker.error(
                "E403",
                &reference.span,
                message,
                "the state of a resource is the sum of its own service's events",
            );
            continue;
        }
        let payload =
            service.events.get(&of.event).and_then(|event| event.payload.as_ref()).map(|payload| &payload.value);
        let fields = match payload {
            Some(Body::Fields(fields)) => fields,
            Some(Body::Named { name: payload, .. }) if payload.value.name == *name => continue,
            Some(Body::Named { name: payload, .. }) => {
                match checker.design.types.get(&payload.value.name).map(|def| &def.kind) {
                    Some(design::TypeDefKind::Record(fields)) => fields,
                    _ => continue,
                }
            }
            Some(Body::Broken) | None => continue,
        };
        if !fields.contains_key(&key) {
            let message = format!("`{}` is in `sourced` of `{name}` but has no `{key}`", of.event);
            checker.error("E904", &reference.span, message, "add the field: it says whose state changes");
        }
    }
}

/// What a feed moves from and to exists, and of two writers one wins (E401, E901).
fn feed_ends(checker: &mut Checker, home: &str, feed: &design::Feed) {
    for end in [&feed.from, &feed.to].into_iter().flatten() {
        let Endpoint::Reference(reference) = &end.value else { continue };
        let reference = Spanned::new(reference.clone(), end.span.clone());
        let name = &reference.value.name;
        let camel = name.starts_with(|c: char| c.is_ascii_uppercase());
        let _found = match camel {
            true if checker.symbols.is_event(name) => checker.event(&reference, Some(home)).is_some(),
            true => checker.resource(&reference, Some(home)).is_some(),
            false => checker.operation(&reference, Some(home)).is_some(),
        };
    }
    let both = feed.both.as_ref().filter(|both| both.value);
    if let Some(both) = both.filter(|_| feed.conflict.is_none() && !feed.head.is_broken("conflict")) {
        let words: Vec<_> = design::Conflict::WORDS.iter().map(|(word, _)| format!("`{word}`")).collect();
        let message = "`both = true` without `conflict`";
        checker.error("E901", &both.span, message, format!("say who wins: {}", words.join(", ")));
    }
}
