//! What a design may say of versions (E801, E803, E804, E806, E205).

use indexmap::IndexMap;

use super::{number, old};
use crate::{
    check::{Checker, items},
    design::{self, Body, Design, Fields, Operation, Resource, Service, Transport, Versioning, Was},
    diagnostic::nearest,
    names::{self, rules::shown},
    source::{Span, Spanned},
};

/// All of it, but for what only versions that are lowered show.
pub(in crate::check) fn check(checker: &mut Checker) {
    let design = checker.design;
    for service in design.services.values() {
        let version = number(service);
        for operation in service.queries.values().chain(service.commands.values()) {
            let name = &operation.head.name.value;
            lives(checker, name, version, operation.since.as_ref(), operation.until.as_ref());
            differs_in_time(checker, name, operation.until.as_ref(), &operation.was, "`input` and `output`");
            for (number, then) in &operation.was {
                operation_was(checker, operation, *number, then);
            }
        }
        for resource in service.resources.values() {
            let name = &resource.head.name.value;
            lives(checker, name, version, resource.since.as_ref(), resource.until.as_ref());
            differs_in_time(checker, name, resource.until.as_ref(), &resource.was, "`fields`");
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

/// What is said outside of `was` is how something is in the last version that has it (E804).
fn differs_in_time(
    checker: &mut Checker,
    name: &str,
    until: Option<&Spanned<u32>>,
    was: &IndexMap<u32, Spanned<Was>>,
    said: &str,
) {
    let Some(until) = until else { return };
    for (number, then) in was.iter().filter(|(number, _)| **number >= until.value) {
        let message =
            format!("`{name}` is there until version {}, so no version is unlike `was.{number}`", until.value);
        let help = format!("say it as the {said} of `{name}` itself");
        checker.error("E804", &then.span, message, help);
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
        items(list).iter().any(|item| matches!(item.value, Transport::Rest | Transport::Grpc | Transport::Jsonrpc))
    };
    let operations = service.queries.values().chain(service.commands.values()).map(|own| &own.common.expose);
    let resources = service
        .resources
        .values()
        .flat_map(|own| own.settings.values().map(|settings| &settings.common.expose).chain([&own.expose]));
    let lists: Vec<_> = [&service.expose].into_iter().chain(operations).chain(resources).collect();
    let over_rest = lists.iter().any(|list| items(list).iter().any(|item| item.value == Transport::Rest));
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
