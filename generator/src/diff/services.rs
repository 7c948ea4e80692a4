//! What a system has: services, their resources, operations and events, and on what they are served.

use std::collections::BTreeMap;

use super::{
    Change, Contract, Found, Kind, Place, Side, operations,
    rules::{
        EVENT_ADDED, EVENT_KEY_CHANGED, EVENT_REMOVED, FRONT_ADDED, FRONT_REMOVED, GRAPHQL_LIMIT_LOWERED,
        OPERATION_ADDED, OPERATION_REMOVED, ORIGIN_REMOVED, RESOURCE_REMOVED, Rule, SERVICE_ADDED, SERVICE_REMOVED,
        SYSTEM_RENAMED, TRANSPORT_ADDED, TRANSPORT_REMOVED,
    },
    united,
    values::{Use, Walk},
    versions,
};
use crate::{
    Understood,
    contracts::shape,
    model::{EventRef, Model, Operation, OperationRef, Payload, Service, Shape, Transport},
};

/// Compares everything.
pub(super) fn compare(found: &mut Found<'_>) {
    let (old, new) = (found.old, found.new);
    if old.model.name != new.model.name {
        let change =
            || Change::new(&SYSTEM_RENAMED, Side::New(Place::System)).from(&old.model.name).to(&new.model.name);
        for contract in old.model.services.values().flat_map(|service| contracts(&old.model, &service.name)) {
            found.add(&contract, change());
        }
    }
    for name in united(old.model.services.keys(), new.model.services.keys()) {
        match (old.model.services.get(name), new.model.services.get(name)) {
            (Some(_), None) => {
                let place = || Side::Old(Place::Service(name.to_owned()));
                all(found, contracts(&old.model, name), || Change::new(&SERVICE_REMOVED, place()));
            }
            (None, Some(_)) => {
                let place = || Side::New(Place::Service(name.to_owned()));
                all(found, contracts(&new.model, name), || Change::new(&SERVICE_ADDED, place()));
            }
            (Some(before), Some(after)) => versions::compare(found, before, after),
            (None, None) => {}
        }
    }
}

/// A change to all of these contracts.
pub(super) fn all(found: &mut Found<'_>, contracts: impl IntoIterator<Item = Contract>, change: impl Fn() -> Change) {
    for contract in contracts {
        found.add(&contract, change());
    }
}

/// The contracts of a service.
pub(super) fn contracts(model: &Model, service: &str) -> Vec<Contract> {
    let Some(service) = model.services.get(service) else { return Vec::new() };
    let mut kinds: BTreeMap<Kind, bool> = BTreeMap::new();
    for operation in service.operations.values() {
        for (kind, internal) in served(model, service, operation) {
            *kinds.entry(kind).or_insert(true) &= internal;
        }
    }
    if service.passes() {
        kinds.insert(Kind::Rest, false);
    }
    if service.composes() {
        kinds.insert(Kind::Graphql, false);
    }
    if !service.events.is_empty() {
        kinds.insert(Kind::Messages, false);
    }
    kinds.into_iter().map(|(kind, internal)| contract(service, kind, internal)).collect()
}

fn contract(service: &Service, kind: Kind, internal: bool) -> Contract {
    let version = (service.newest > 1).then_some(service.version);
    Contract { service: service.name.clone(), kind, internal, version }
}

/// The kinds of contract that an operation is in, and whether it is so for links alone.
fn served(model: &Model, service: &Service, operation: &Operation) -> BTreeMap<Kind, bool> {
    let served = model.served(&service.name, &operation.name);
    served.transports().map(|transport| (Kind::of(transport), !operation.expose.has(transport))).collect()
}

/// A service in one version, in both designs.
pub(super) fn present(found: &mut Found<'_>, before: &Service, after: &Service) {
    entry(found, before, after);
    for name in united(before.operations.keys(), after.operations.keys()) {
        let place = || Place::Operation(OperationRef { service: before.name.clone(), operation: name.to_owned() });
        match (there(before, name), there(after, name)) {
            (Some(operation), None) => {
                let is_past = after.operations.contains_key(name);
                let (rule, place) = match &operation.shape {
                    Shape::Verb { resource, .. } if is_past || !after.resources.contains_key(resource) => {
                        (&RESOURCE_REMOVED, Place::Resource(shape::of_service(before, resource)))
                    }
                    _ => (&OPERATION_REMOVED, place()),
                };
                every(found, found.old, before, operation, || Change::new(rule, Side::Old(place.clone())));
            }
            (None, Some(operation)) => {
                every(found, found.new, after, operation, || Change::new(&OPERATION_ADDED, Side::New(place())));
            }
            (Some(old), Some(new)) => transports(found, (before, old), (after, new)),
            (None, None) => {}
        }
    }
    for name in united(before.events.keys(), after.events.keys()) {
        let place = || Place::Event(EventRef { service: before.name.clone(), event: name.to_owned() });
        let published = contract(before, Kind::Messages, false);
        match (before.events.contains_key(name), after.events.contains_key(name)) {
            (true, false) => found.add(&published, Change::new(&EVENT_REMOVED, Side::Old(place()))),
            (false, true) => found.add(&published, Change::new(&EVENT_ADDED, Side::New(place()))),
            _ => event(found, &published, before, after, name),
        }
    }
}

/// An operation that a service shows to somebody, or may show.
fn there<'s>(service: &'s Service, name: &str) -> Option<&'s Operation> {
    service.operations.get(name).filter(|operation| !operation.is_past())
}

/// What a service does at its door.
fn entry(found: &mut Found<'_>, before: &Service, after: &Service) {
    let here = |rule| Change::new(rule, Side::New(Place::Service(after.name.clone())));
    let [rest, graphql] = [Kind::Rest, Kind::Graphql].map(|kind| contract(after, kind, false));
    let fronts = |service: &Service| service.fronts.iter().map(|front| front.service.clone()).collect::<Vec<_>>();
    let (was, is) = (fronts(before), fronts(after));
    let faces = [(&rest, before.passes(), after.passes()), (&graphql, before.composes(), after.composes())];
    for (face, had, has) in faces {
        for name in was.iter().filter(|name| had && !(has && is.contains(name))) {
            found.add(face, here(&FRONT_REMOVED).from(name));
        }
        for name in is.iter().filter(|name| has && !(had && was.contains(name))) {
            found.add(face, here(&FRONT_ADDED).to(name));
        }
    }
    let is_open = |origin: &String| after.cors.iter().any(|other| other == origin || other == "*");
    for origin in before.cors.iter().filter(|origin| !is_open(origin)) {
        for contract in [(Transport::Rest, &rest), (Transport::Graphql, &graphql)] {
            if before.expose.has(contract.0) {
                found.add(contract.1, here(&ORIGIN_REMOVED).from(origin));
            }
        }
    }
    let changes = [
        ("limit", operations::limit(before.limits.limit, after.limits.limit)),
        ("quota", operations::limit(before.limits.quota, after.limits.quota)),
    ];
    let served: BTreeMap<Kind, bool> =
        after.operations.values().flat_map(|operation| served(&found.new.model, after, operation)).collect();
    for (name, change) in changes {
        let Some((rule, was, is)) = change else { continue };
        for (kind, internal) in &served {
            let change = here(rule).from(format!("{name}: {was}")).to(format!("{name}: {is}"));
            found.add(&contract(after, *kind, *internal), change);
        }
    }
    let limits = |service: &Service| {
        let limits = service.graphql;
        [
            ("depth", limits.depth),
            ("complexity", limits.complexity),
            ("batch", limits.batch),
            ("aliases", limits.aliases),
            ("directives", limits.directives),
        ]
    };
    for ((name, was), (_, is)) in limits(before).into_iter().zip(limits(after)) {
        if is < was && before.expose.has(Transport::Graphql) {
            let change = here(&GRAPHQL_LIMIT_LOWERED);
            found.add(&graphql, change.from(format!("{name} {was}")).to(format!("{name} {is}")));
        }
    }
}

/// A change to every contract that an operation is in.
fn every(
    found: &mut Found<'_>,
    of: &Understood,
    service: &Service,
    operation: &Operation,
    change: impl Fn() -> Change,
) {
    let served = served(&of.model, service, operation);
    all(found, served.into_iter().map(|(kind, internal)| contract(service, kind, internal)), change);
}

/// An operation of both, over each kind of transport.
fn transports(found: &mut Found<'_>, (before, old): (&Service, &Operation), (after, new): (&Service, &Operation)) {
    let was = served(&found.old.model, before, old);
    let is = served(&found.new.model, after, new);
    for kind in Kind::ALL {
        let at = OperationRef { service: after.name.clone(), operation: new.name.clone() };
        let one = |rule: &'static Rule| Change::new(rule, Side::New(Place::Operation(at.clone())));
        match (was.get(&kind), is.get(&kind)) {
            (Some(internal), None) => {
                found.add(&contract(before, kind, *internal), one(&TRANSPORT_REMOVED).from(kind.name()));
            }
            // Who is outside is told no more that it is there.
            (Some(false), Some(true)) => {
                found.add(&contract(before, kind, false), one(&TRANSPORT_REMOVED).from(kind.name()));
                operations::compare(found, contract(after, kind, true), (before, old), (after, new));
            }
            (None, Some(internal)) => {
                found.add(&contract(after, kind, *internal), one(&TRANSPORT_ADDED).to(kind.name()));
            }
            (Some(true), Some(false)) => {
                found.add(&contract(after, kind, false), one(&TRANSPORT_ADDED).to(kind.name()));
                operations::compare(found, contract(after, kind, true), (before, old), (after, new));
            }
            (Some(internal), Some(_)) => {
                operations::compare(found, contract(after, kind, *internal), (before, old), (after, new));
            }
            (None, None) => {}
        }
    }
}

fn event(found: &mut Found<'_>, published: &Contract, before: &Service, after: &Service, name: &str) {
    let (Some(old), Some(new)) = (before.events.get(name), after.events.get(name)) else { return };
    let at = EventRef { service: after.name.clone(), event: name.to_owned() };
    if old.key != new.key {
        let mut change = Change::new(&EVENT_KEY_CHANGED, Side::New(Place::Event(at.clone())));
        (change.before, change.after) = (old.key.clone(), new.key.clone());
        found.add(published, change);
    }
    let fields = |of: &Understood, event| shape::payload_fields(&of.model, event);
    let (was, is) = (fields(found.old, old), fields(found.new, new));
    let mut walk = Walk::new(found, published.clone(), before, after);
    let place = |payload: &Payload| match payload {
        Payload::Named(name) => Place::Type(name.clone()),
        Payload::Resource(of) => Place::Resource(of.clone()),
        Payload::Fields(_) => Place::Event(at.clone()),
    };
    walk.fields((&was, place(&old.payload)), (&is, place(&new.payload)), Use::Payload);
}
