//! Versions of services (LANGUAGE §9). A service as it was is a design too: the same text with what `was` says in place
//! of what is said now. So whatever is checked and lowered of a design is checked and lowered of each version that is
//! still served, and no rule knows of versions.

use indexmap::IndexMap;

use super::Checker;
use crate::{
    design::{
        self, Body, Design, FieldPath, Fields, Mapping, Operation, Resource, Service, Transport, Versioning, Was,
    },
    diagnostic::nearest,
    fit,
    model::{self, Exposure, Input, Model, OldVersion, Shape},
    names::{self, rules::shown},
    source::{Span, Spanned},
};

/// The version of a service: one more than the last that `old` or `was` tell of.
pub(super) fn number(service: &Service) -> u32 {
    told(service).max().map_or(1, |last| last.saturating_add(1))
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

/// The design as it is: without the operations that only old versions have.
pub(super) fn present(design: &Design) -> Design {
    let mut design = design.clone();
    for service in design.services.values_mut() {
        let version = number(service);
        let is_there = |own: &Operation| own.until.as_ref().is_none_or(|until| until.value >= version);
        service.queries.retain(|_, own| is_there(own));
        service.commands.retain(|_, own| is_there(own));
    }
    design
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
        if resource.since.as_ref().is_some_and(|since| since.value > version)
            && let Some(verbs) = &mut resource.verbs
        {
            // Others may refer to it.
            verbs.value.clear();
            resource.settings.clear();
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

/// What is said of versions (E801, E803 to E806, E205).
pub(super) fn check(checker: &mut Checker) {
    let design = checker.design;
    for service in design.services.values() {
        let version = number(service);
        for operation in service.queries.values().chain(service.commands.values()) {
            let name = &operation.head.name.value;
            lives(checker, name, version, operation.since.as_ref(), operation.until.as_ref());
            for (number, then) in &operation.was {
                operation_was(checker, operation, *number, then);
            }
        }
        for resource in service.resources.values() {
            lives(checker, &resource.head.name.value, version, resource.since.as_ref(), None);
            for (number, then) in &resource.was {
                resource_was(checker, resource, *number, then);
            }
        }
        for old in service.old.values() {
            sunset(checker, old);
        }
        crate_is_free(checker, service);
        reached(checker, service);
    }
}

/// E801
fn sunset(checker: &mut Checker, old: &Spanned<design::OldVersion>) {
    let (Some(deprecated), Some(sunset)) = (&old.value.deprecated, &old.value.sunset) else { return };
    if sunset.value < deprecated.value {
        let message = format!("this version sunsets ({}) before it is deprecated ({})", sunset.value, deprecated.value);
        checker.error("E801", &sunset.span, message, "swap the dates");
    }
}

/// Something is there from a version on that was, to one after it (E803).
fn lives(checker: &mut Checker, name: &str, version: u32, since: Option<&Spanned<u32>>, until: Option<&Spanned<u32>>) {
    if let Some(since) = since.filter(|since| since.value > version) {
        let message = format!("`{name}` is there since version {}, and the service is at {version}", since.value);
        let help = "a service is at one more than the last version that `old` or `was` tell of";
        checker.error("E803", &since.span, message, help);
    }
    if let Some(until) = until.filter(|until| until.value >= version) {
        let message = format!("`{name}` is there until version {}, and the service is at {version}", until.value);
        checker.error("E803", &until.span, message, "`until` is the last version that had what is gone: leave it out");
    }
    if let (Some(since), Some(until)) = (since, until)
        && since.value > until.value
    {
        let message = format!("`{name}` is there until version {}, but only since {}", until.value, since.value);
        checker.error("E803", &until.span, message, "swap the numbers");
    }
}

fn operation_was(checker: &mut Checker, operation: &Operation, number: u32, then: &Spanned<Was>) {
    let name = &operation.head.name.value;
    if then.value.input.is_none() && then.value.output.is_none() {
        let message = format!("`was.{number}` of `{name}` says nothing that was different");
        checker.error("E804", &then.span, message, "give its `input` or `output`, or leave it out");
    }
    let pair = |now: &Option<Spanned<Body>>, then: &Option<Spanned<Body>>| {
        let then = then.clone().or_else(|| now.clone());
        (now.clone(), then)
    };
    let (input, output) = (pair(&operation.input, &then.value.input), pair(&operation.output, &then.value.output));
    for mapped in then.value.map.iter().flat_map(|map| map.value.values()) {
        let bodies = [&input, &output];
        let fields = |body: &Option<Spanned<Body>>| body_fields(checker.design, body).cloned();
        let sides: Vec<_> = bodies.iter().filter_map(|(now, then)| Some((fields(now)?, fields(then)?))).collect();
        let path = mapped.expression.value.clone();
        let fits = sides.iter().any(|(now, then)| now.contains_key(&mapped.target.value) && leads(then, &path));
        if !fits && !checker.piped(&mapped.expression) {
            let message = format!(
                "`map` says that `{}` of `{name}` has the value of `{}`, which no input or output has both ways",
                shown(&mapped.target.value),
                shown(&path)
            );
            checker.error("E804", &mapped.target.span, message, "name a field of now and a path of then");
        }
    }
}

fn resource_was(checker: &mut Checker, resource: &Resource, number: u32, then: &Spanned<Was>) {
    let name = &resource.head.name.value;
    let Some(fields) = &then.value.fields else {
        let message = format!("`was.{number}` of `{name}` says nothing that was different");
        return checker.error("E804", &then.span, message, "give its `fields`, or leave it out");
    };
    for mapped in then.value.map.iter().flat_map(|map| map.value.values()) {
        let (target, path) = (&mapped.target, mapped.expression.value.trim());
        if checker.piped(&mapped.expression) {
            continue;
        }
        if !resource.fields.contains_key(&target.value) {
            let message = format!("`{}` is not a field of `{name}`", shown(&target.value));
            let help = suggestion(&target.value, &resource.fields, "name a field of the present resource");
            checker.error("E804", &target.span, message, help);
        }
        if !leads(&fields.value, path) {
            let message = format!("`{}` was not a field of `{name}` in version {number}", shown(path));
            let help = suggestion(path, &fields.value, "name a field that it had then");
            checker.error("E804", &mapped.expression.span, message, help);
        }
    }
}

fn suggestion(name: &str, fields: &Fields, otherwise: &str) -> String {
    match nearest(name, fields.keys().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => otherwise.to_owned(),
    }
}

/// Whether a path begins with one of the fields.
fn leads(fields: &Fields, path: &str) -> bool {
    path.trim().split('.').next().is_some_and(|first| fields.contains_key(first))
}

/// The fields of a record that is written out or named.
fn body_fields<'d>(design: &'d Design, body: &'d Option<Spanned<Body>>) -> Option<&'d Fields> {
    match &body.as_ref()?.value {
        Body::Fields(fields) => Some(fields),
        Body::Named { name, .. } => match &design.types.get(&name.value.name)?.kind {
            design::TypeDefKind::Record(fields) => Some(fields),
            _ => None,
        },
        Body::Broken => None,
    }
}

/// An old contract has a crate of its own, which no service's may be (E205).
fn crate_is_free(checker: &mut Checker, service: &Service) {
    let name = &service.head.name.value;
    for version in old(service) {
        let taken = names::rust::old_contract_crate(name, version);
        let other =
            checker.design.services.values().find(|other| names::rust::contract_crate(&other.head.name.value) == taken);
        if let Some(other) = other {
            let message = format!("`{}` is what version {version} of `{name}` is called", other.head.name.value);
            checker.error("E205", &other.head.span(), message, "rename the service");
        }
    }
}

/// Old versions are for callers outside, over REST, gRPC or JSON-RPC (E806).
fn reached(checker: &mut Checker, service: &Service) {
    let carries = |list: &Option<design::List<Transport>>| {
        super::items(list)
            .iter()
            .any(|item| matches!(item.value, Transport::Rest | Transport::Grpc | Transport::Jsonrpc))
    };
    let operations = service.queries.values().chain(service.commands.values()).map(|own| &own.common.expose);
    let resources = service
        .resources
        .values()
        .flat_map(|own| own.settings.values().map(|settings| &settings.common.expose).chain([&own.expose]));
    let lists: Vec<_> = [&service.expose].into_iter().chain(operations).chain(resources).collect();
    let over_rest = lists.iter().any(|list| super::items(list).iter().any(|item| item.value == Transport::Rest));
    if let Some(versioning) = service.versioning.as_ref().filter(|own| own.value != Versioning::Path && !over_rest) {
        let message = format!(
            "callers over REST say the version, and nothing of `{}` is exposed over it",
            service.head.name.value
        );
        checker.error("E806", &versioning.span, message, "expose something over REST, or leave `versioning` out");
    }
    let is_reached = lists.into_iter().any(carries);
    let first = place(service);
    if let Some(span) = first.filter(|_| !is_reached) {
        let name = &service.head.name.value;
        let message = format!("`{name}` has an old version, and nobody outside reaches it over REST, gRPC or JSON-RPC");
        checker.error("E806", &span, message, "expose it, or leave out what was: inside all speak the present version");
    }
}

/// Where an old version is first told of.
fn place(service: &Service) -> Option<Span> {
    let operations = service.queries.values().chain(service.commands.values()).flat_map(|own| own.was.values());
    let resources = service.resources.values().flat_map(|own| own.was.values());
    let old = service.old.values().map(|old| old.span.clone());
    old.chain(operations.chain(resources).map(|was| was.span.clone())).next()
}

impl Checker<'_> {
    /// Pipes are not built yet.
    fn piped(&mut self, expression: &Spanned<String>) -> bool {
        let piped = expression.value.contains('|');
        if piped {
            let message = format!("pipes in `map` are not available yet: `{}`", shown(expression.value.trim()));
            self.error("E001", &expression.span, message, "give the path alone, or write the method");
        }
        piped
    }
}
