//! Versions of services (LANGUAGE §9). A service as it was is a design too: the same text with what `was` says in place
//! of what is said now. So whatever is checked and lowered of a design is checked and lowered of each version that is
//! still served, and no rule knows of versions.

use indexmap::IndexMap;

use super::Checker;
use crate::{
    design::{self, Design, FieldPath, Fields, Mapping, Service, Was},
    fit,
    model::{self, Exposure, Input, Model, OldVersion, Shape},
    source::Spanned,
};

mod rules;
pub(super) use rules::check;

/// The version of a service: one more than the last that `old` or `was` tell of.
pub(super) fn number(service: &Service) -> u32 {
    told(service).max().map_or(1, |last| last.saturating_add(1))
}

/// Which version a service is in a design where one service is as it was.
pub(super) fn which(at: Option<(&str, u32)>, name: &str, service: &Service) -> u32 {
    match at {
        Some((at, version)) if at == name => version,
        _ => number(service),
    }
}

/// The versions of a service that are served besides the present one: from the first that anything tells of. Who stops
/// serving version 1 takes what is said of it out of the design.
pub(super) fn old(service: &Service) -> std::ops::Range<u32> {
    told(service).min().unwrap_or(1)..number(service)
}

fn told(service: &Service) -> impl Iterator<Item = u32> {
    let operations = service.queries.values().chain(service.commands.values()).flat_map(|own| own.was.keys());
    let resources = service.resources.values().flat_map(|own| own.was.keys());
    service.old.keys().chain(operations).chain(resources).copied()
}

/// What was different in a version: the first `was` from it on.
fn was(was: &IndexMap<u32, Spanned<Was>>, version: u32) -> Option<&Was> {
    let since = was.iter().filter(|(number, _)| **number >= version);
    since.min_by_key(|(number, _)| **number).map(|(_, was)| &was.value)
}

/// The design in which a service is as it was. What others do with it now is not of then: of them only what can be
/// referred to is left.
pub(super) fn as_it_was(design: &Design, name: &str, version: u32) -> Design {
    let mut design = design.clone();
    design.links.clear();
    for (other, service) in &mut design.services {
        service.fronts.clear();
        if other == name {
            *service = service_as_it_was(service, version);
            continue;
        }
        service.queries.clear();
        service.commands.clear();
        service.resources.values_mut().for_each(|resource| resource.settings.clear());
    }
    design
}

fn service_as_it_was(service: &Service, version: u32) -> Service {
    let mut service = service.clone();
    service.old.clear();
    for operations in [&mut service.queries, &mut service.commands] {
        operations.retain(|_, own| {
            own.since.as_ref().is_none_or(|since| since.value <= version)
                && own.until.as_ref().is_none_or(|until| until.value >= version)
        });
        for operation in operations.values_mut() {
            // Who does the work calls; an event runs the present operation alone.
            operation.common.calls = None;
            if let Some(then) = was(&operation.was, version).cloned() {
                operation.on = operation.on.take().filter(|_| then.input.is_none());
                operation.input = then.input.or(operation.input.take());
                operation.output = then.output.or(operation.output.take());
            }
            operation.was.clear();
        }
    }
    for resource in service.resources.values_mut() {
        resource.settings.values_mut().for_each(|settings| settings.common.calls = None);
        let is_there = resource.since.as_ref().is_none_or(|since| since.value <= version)
            && resource.until.as_ref().is_none_or(|until| until.value >= version);
        if let Some(verbs) = resource.verbs.as_mut().filter(|_| !is_there) {
            // Others may refer to what came later.
            verbs.value.clear();
            resource.settings.clear();
            resource.cache = None;
        }
        if let Some((fields, map)) = was(&resource.was, version).cloned().and_then(|was| Some((was.fields?, was.map))) {
            let map = map.map(|map| map.value).unwrap_or_default();
            resource.fields = fields.value;
            for paths in [&mut resource.filter, &mut resource.sort] {
                *paths = paths.iter().filter_map(|path| path_as_it_was(path, &map, &resource.fields)).collect();
            }
        }
        resource.was.clear();
    }
    service
}

/// What one may filter or sort by now, as it was called: then one may too.
fn path_as_it_was(path: &Spanned<FieldPath>, map: &Mapping, fields: &Fields) -> Option<Spanned<FieldPath>> {
    let (first, rest) = path.value.0.split_first()?;
    let head = match map.get(&first.value) {
        Some(mapped) => mapped.expression.value.trim(),
        None => first.value.as_str(),
    };
    let head: Vec<Spanned<String>> =
        head.split('.').map(|name| Spanned::new(name.to_owned(), first.span.clone())).collect();
    let known = fields.contains_key(&head.first()?.value);
    known.then(|| Spanned::new(FieldPath(head.into_iter().chain(rest.iter().cloned()).collect()), path.span.clone()))
}

/// An item has the same id in all versions, or nobody could ask for it in another one (E805).
fn ids(checker: &mut Checker, written: &Service, present: &model::Service, old: &model::Service) {
    for (name, now) in &present.resources {
        let Some(then) = old.resources.get(name) else { continue };
        let differ = now.fields.first().map(|id| &id.ty) != then.fields.first().map(|id| &id.ty);
        let said = written.resources.get(name).and_then(|own| was(&own.was, old.version)?.fields.as_ref());
        if let Some(fields) = said.filter(|_| differ) {
            let message = format!("id `{}` of `{name}` was something else in version {}", now.id, old.version);
            checker.error("E805", &fields.span, message, "an id is the same in all versions");
        }
    }
}

/// What only old versions have is there for callers outside, or for nobody (E806).
fn ends_are_reached(checker: &mut Checker, written: &Service, old: &model::Service) {
    // Where nothing is reached, that has been said.
    if old.operations.is_empty() {
        return;
    }
    let operations = written.queries.values().chain(written.commands.values());
    let operations = operations.map(|own| (&own.head.name.value, &own.since, &own.until));
    let resources = written.resources.values().map(|own| (&own.head.name.value, &own.since, &own.until));
    let is_it = |operation: &model::Operation, name: &str| match &operation.shape {
        Shape::Verb { resource, .. } => resource == name,
        Shape::Custom { .. } => operation.name == name,
    };
    for (name, since, until) in operations.chain(resources) {
        let Some(until) = until.as_ref().filter(|until| until.value == old.version) else { continue };
        let begins = since.as_ref().is_none_or(|since| since.value <= until.value);
        if begins && !old.operations.values().any(|operation| is_it(operation, name)) {
            let message = format!(
                "`{name}` is there until version {}, and nobody reaches it there over REST, gRPC or JSON-RPC",
                until.value
            );
            checker.error("E806", &until.span, message, "expose it, or leave it out: nobody else asks old versions");
        }
    }
}

/// What the design as it was means, as far as callers outside reached it over REST, gRPC or JSON-RPC.
pub(super) fn lowered(
    checker: &mut Checker,
    model: &Model,
    mut at: Model,
    name: &str,
    version: u32,
) -> Option<OldVersion> {
    let (written, present) = (checker.design.services.get(name)?, model.services.get(name)?);
    let mut service = at.services.shift_remove(name)?;
    ids(checker, written, present, &service);
    let reached = |expose: Exposure| expose.without(model::Transport::Graphql).without(model::Transport::Queue);
    service.newest = present.version;
    service.store = present.store;
    service.expose = reached(service.expose);
    for operation in service.operations.values_mut() {
        operation.expose = reached(operation.expose);
        operation.emits.clear();
        operation.on.clear();
        operation.follows.clear();
        if let Shape::Custom { input, .. } = &mut operation.shape
            && let Input::Payload(event) = input
            && event.service == name
        {
            let fields = present.events.get(&event.event).and_then(|_| fit::payload(model, event));
            *input = fields.map_or(Input::None, |fields| Input::Fields(fields.to_vec()));
        }
    }
    service.events.clear();
    service.operations.retain(|_, operation| operation.expose.any());
    ends_are_reached(checker, written, &service);
    let enums = (&service.enums, &present.enums);
    for (resource, written) in service.resources.values_mut().zip(written.resources.values()) {
        let map = was(&written.was, version).and_then(|was| was.map.as_ref()).map(|map| &map.value);
        let Some(now) = present.resources.get(&resource.name) else { continue };
        resource.filter.retain(|path| is_compared(path, &now.filter, map, enums));
        resource.sort.retain(|path| is_compared(path, &now.sort, map, enums));
    }
    let dates = written.old.get(&version).map(|old| &old.value);
    let date = |date: &Option<Spanned<model::Date>>| date.as_ref().map(|date| date.value);
    service.deprecated = dates.and_then(|dates| date(&dates.deprecated));
    service.sunset = dates.and_then(|dates| date(&dates.sunset));
    Some(OldVersion { service, maps: maps(written, version) })
}

/// Whether values at a path of then are compared as those of the path that it has become.
fn is_compared(
    path: &model::FieldPath,
    now: &[model::FieldPath],
    map: Option<&Mapping>,
    (then_enums, now_enums): (&IndexMap<String, model::Enum>, &IndexMap<String, model::Enum>),
) -> bool {
    let renamed = |own: &model::FieldPath| {
        let head = own.segments.first().map(String::as_str).unwrap_or_default();
        let head = map.and_then(|map| map.get(head)).map_or(head, |mapped| mapped.expression.value.trim());
        std::iter::once(head).chain(own.segments.iter().skip(1).map(String::as_str)).collect::<Vec<_>>().join(".")
    };
    let named = |ty: &model::Type| match ty {
        model::Type::Named(of) if of.service.is_some() => then_enums.get(&of.name) == now_enums.get(&of.name),
        _ => true,
    };
    let found = now.iter().find(|own| renamed(own) == path.segments.join("."));
    found.is_some_and(|own| own.ty == path.ty && fit::parts(&path.ty).into_iter().all(named))
}

fn maps(service: &Service, version: u32) -> IndexMap<String, IndexMap<String, String>> {
    let operations = service.queries.iter().chain(&service.commands).map(|(name, own)| (name, &own.was));
    let resources = service.resources.iter().map(|(name, own)| (name, &own.was));
    let map = |(name, own): (&String, _)| {
        let map = &was(own, version)?.map.as_ref()?.value;
        let path =
            |(field, mapped): (&String, &design::Mapped)| (field.clone(), mapped.expression.value.trim().to_owned());
        Some((name.clone(), map.iter().map(path).collect()))
    };
    operations.chain(resources).filter_map(map).collect()
}
