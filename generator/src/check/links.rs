//! Every dependency with its policy: what `[links]` says, and what `calls` and `on` imply.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checker, policies};
use crate::{
    design::{self, Reference},
    diagnostic::{Diagnostic, nearest},
    fit,
    model::{EventRef, Exposure, Link, Model, Operation, OperationRef, Policy, Target, Transport, Via},
    names::rules::shown,
    source::Spanned,
};

mod rules;

/// What a link is to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum To {
    Service(String),
    Operation(OperationRef),
    Event(EventRef),
}

/// What one service depends on: the links written, by what they are to, and what it uses.
#[derive(Default)]
struct Dependencies<'d> {
    written: BTreeMap<To, &'d design::Link>,
    calls: BTreeSet<OperationRef>,
    on: BTreeSet<EventRef>,
    /// The services behind it: what it passes on to, and what its schema is made of.
    fronts: BTreeSet<&'d str>,
    composes: BTreeSet<&'d str>,
}

/// The operations that a link is about.
struct Covered<'m> {
    operations: Vec<(OperationRef, &'m Operation)>,
    /// Whether all of them are meant; else they are what the link could be used for.
    used: bool,
}

pub(super) fn lower(checker: &mut Checker, model: &mut Model) {
    let dependencies = dependencies(checker, model);
    let mut links = Vec::new();
    for (from, own) in &dependencies {
        rules::check(checker, model, from, own);
        links.extend(links_of(checker.design, model, from, own));
    }
    links.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
    model.links = links;
}

/// What every service uses and says.
fn dependencies<'d>(checker: &mut Checker<'d>, model: &Model) -> BTreeMap<String, Dependencies<'d>> {
    let mut all: BTreeMap<String, Dependencies> = BTreeMap::new();
    for (name, service) in &model.services {
        let own = all.entry(name.clone()).or_default();
        for operation in service.operations.values() {
            own.calls.extend(operation.calls.iter().map(|call| call.to.clone()));
            own.on.extend(operation.on.iter().cloned());
        }
    }
    let design = checker.design;
    for (name, service) in &design.services {
        let behind = service.fronts.iter().map(|front| front.value.as_str());
        let behind = behind.filter(|behind| *behind != name && model.services.contains_key(*behind));
        let own = all.entry(name.clone()).or_default();
        if model.services.get(name).is_some_and(crate::model::Service::composes) {
            own.composes.extend(behind);
        } else {
            own.fronts.extend(behind);
        }
    }
    for link in &design.links {
        if !checker.symbols.is_service(&link.from.value) {
            if !checker.symbols.is_external(&link.from.value) {
                nobody(checker, &link.from, false);
            }
            continue;
        }
        let Some(to) = target(checker, link) else { continue };
        if to == To::Service(link.from.value.clone()) {
            let message = format!("`{}` has a link to itself", link.from.value);
            checker.error("E611", &link.to.span, message, "a service calls itself in its own code");
            continue;
        }
        let own = all.entry(link.from.value.clone()).or_default();
        if let Some(first) = own.written.get(&to) {
            let message = format!("`{}` and `{}` are the same link", first.to.value, link.to.value);
            let error = Diagnostic::new("E103", link.to.span.clone(), message).help("keep one of them");
            checker.report(error.related(first.to.span.clone(), "the other"));
            continue;
        }
        own.written.insert(to, link);
    }
    all
}

/// What the link is to; `None` if that was reported, or is an external.
fn target(checker: &mut Checker, link: &design::Link) -> Option<To> {
    let Reference { owner, name } = &link.to.value;
    let camel = name.starts_with(|c: char| c.is_ascii_uppercase());
    match owner {
        Some(_) if camel => checker.event(&link.to, None).map(To::Event),
        Some(_) => checker.operation(&link.to, None).map(To::Operation),
        None if checker.symbols.is_service(name) => Some(To::Service(name.clone())),
        None if checker.symbols.is_external(name) => None,
        None if camel && checker.symbols.is_event(name) => checker.event(&link.to, None).map(To::Event),
        None if checker.symbols.is_operation(name) => checker.operation(&link.to, None).map(To::Operation),
        None => {
            nobody(checker, &Spanned::new(name.clone(), link.to.span.clone()), true);
            None
        }
    }
}

fn nobody(checker: &mut Checker, name: &Spanned<String>, or_event: bool) {
    if checker.design.incomplete {
        return;
    }
    let what = if or_event { "service, external or event" } else { "service or external" };
    let message = format!("no {what} is called `{}`", shown(&name.value));
    let events = checker.symbols.events().filter(|_| or_event);
    let meant = nearest(&name.value, checker.symbols.owners().chain(events));
    let error = Diagnostic::new("E401", name.span.clone(), message);
    checker.report(error.help(match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("declare it: `[services.{}]`", shown(&name.value)),
    }));
}

/// The links of one service.
fn links_of(design: &design::Design, model: &Model, from: &str, own: &Dependencies) -> Vec<Link> {
    let written = |to: &To| own.written.get(to).copied();
    let mut links = Vec::new();

    let mut services: BTreeSet<&String> = BTreeSet::new();
    services.extend(own.written.keys().filter_map(|to| match to {
        To::Service(service) if !own.only_fronts(service) => Some(service),
        _ => None,
    }));
    let by_service = own.calls.iter().filter(|to| written(&To::Operation((*to).clone())).is_none());
    services.extend(by_service.map(|to| &to.service));
    services.extend(own.composes.iter().filter_map(|service| Some(&model.services.get(*service)?.name)));
    for service in services {
        let link = written(&To::Service(service.clone()));
        let exposed = model.services.get(service).map(|service| service.expose).unwrap_or_default();
        let covered = own.covered(model, service);
        let meant = covered.used || own.composes.contains(service.as_str());
        let streams = meant && covered.operations.iter().any(|(_, operation)| !operation.is_unary());
        let via = via(&[link], if streams { exposed.without(Transport::Jsonrpc) } else { exposed });
        let policy = policy(design, via, &[link]);
        links.push(Link { from: from.to_owned(), to: Target::Service { service: service.clone(), via }, policy });
    }

    for to in own.written.keys() {
        let To::Operation(operation) = to else { continue };
        let both = [written(&To::Service(operation.service.clone())), written(to)];
        let exposed = fit::operation(model, operation).map(|operation| operation.expose);
        let via = via(&both, exposed.unwrap_or_default());
        let policy = policy(design, via, &both);
        links.push(Link { from: from.to_owned(), to: Target::Operation { to: operation.clone(), via }, policy });
    }

    for event in &own.on {
        let link = written(&To::Event(event.clone()));
        let policy = policies::of_messages(&design.defaults, link.as_slice());
        links.push(Link { from: from.to_owned(), to: Target::Event(event.clone()), policy });
    }
    links
}

fn policy(design: &design::Design, via: Via, links: &[Option<&design::Link>]) -> Policy {
    let links: Vec<_> = links.iter().flatten().copied().collect();
    match via {
        // A queue takes everything, so nothing stands in for it; what the link to the service says is for its calls.
        Via::Queue => Policy { fallback: Vec::new(), ..policies::of_messages(&design.defaults, &links) },
        Via::Rest | Via::Grpc | Via::Jsonrpc | Via::Graphql => policies::of_calls(&design.defaults, &links),
    }
}

/// What the most specific link says, else the first of gRPC, REST, JSON-RPC and GraphQL that the other side exposes, else
/// gRPC.
fn via(links: &[Option<&design::Link>], exposed: Exposure) -> Via {
    let said = links.iter().rev().flatten().filter_map(|link| link.via.as_ref()).find_map(|via| match via.value {
        design::Via::Rest => Some(Via::Rest),
        design::Via::Grpc => Some(Via::Grpc),
        design::Via::Jsonrpc => Some(Via::Jsonrpc),
        design::Via::Graphql => Some(Via::Graphql),
        design::Via::Queue => Some(Via::Queue),
        // Refused elsewhere.
        design::Via::Stream | design::Via::Webhook => None,
    });
    let order = [
        (Transport::Grpc, Via::Grpc),
        (Transport::Rest, Via::Rest),
        (Transport::Jsonrpc, Via::Jsonrpc),
        (Transport::Graphql, Via::Graphql),
    ];
    let first = order.into_iter().find(|(transport, _)| exposed.has(*transport)).map(|(_, via)| via);
    said.or(first).unwrap_or(Via::Grpc)
}

impl<'d> Dependencies<'d> {
    /// Whether the service is behind this one and not called by it besides.
    fn only_fronts(&self, service: &str) -> bool {
        self.fronts.contains(service) && !self.calls.iter().any(|to| to.service == service)
    }

    /// The operations that a link to a service covers: those that are called and have no link of their own; if none is
    /// called, all of them.
    fn covered<'m>(&self, model: &'m Model, service: &str) -> Covered<'m> {
        let called: Vec<_> = self
            .calls
            .iter()
            .filter(|to| to.service == service && !self.written.contains_key(&To::Operation((*to).clone())))
            .filter_map(|to| Some((to.clone(), fit::operation(model, to)?)))
            .collect();
        if !called.is_empty() && !self.composes.contains(service) {
            return Covered { operations: called, used: true };
        }
        let all = model.services.get(service).into_iter().flat_map(|service| service.operations.values());
        let all = all.filter(|operation| !operation.is_past());
        let place =
            |operation: &Operation| OperationRef { service: service.to_owned(), operation: operation.name.clone() };
        Covered { operations: all.map(|operation| (place(operation), operation)).collect(), used: false }
    }
}
