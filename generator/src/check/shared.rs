//! What different services call alike, where one contract, or `contracts/shared`, would hold both (E205). Documents tell
//! them apart by their owners, Rust does not.

use std::collections::{HashMap, HashSet};

use super::Checker;
use crate::{
    diagnostic::Diagnostic,
    model::{Event, Model, Payload, Service},
    names,
    scope::{Item, Scope},
    source::Span,
};

pub(super) fn check(checker: &mut Checker, model: &Model) {
    let scope = Scope::of(model);
    let mut reported = HashSet::new();
    for service in model.services.values() {
        let items: Vec<&Item> = scope.uses(&service.name).collect();
        // Whole resources, and what comes with them, are compared in `collisions`.
        let apart = items.iter().filter(|item| match item {
            Item::Resource(_) => false,
            // Ids of its own meet those of others too.
            Item::Id(of) => of.service == service.name || !items.contains(&&Item::Resource(of.clone())),
            Item::Type(_) | Item::Payload(_) => true,
        });
        let given = wrappers(service).chain(apart.filter_map(|item| given(item))).collect();
        compare(checker, given, &mut reported);
        generated(checker, model, service, &items);
    }
    compare(checker, scope.shared().iter().filter_map(given).collect(), &mut reported);
}

/// Something that an owner gave a name.
struct Given {
    /// Its name in Rust: `ItemId`.
    rust: String,
    service: String,
    /// As in the design: `Item`.
    name: String,
    is_payload: bool,
}

/// The item's owner and name; none for a type of all.
fn given(item: &Item) -> Option<Given> {
    let (service, name, is_payload) = match item {
        Item::Type(of) => (of.service.clone()?, of.name.clone(), false),
        Item::Id(of) | Item::Resource(of) => (of.service.clone(), of.resource.clone(), false),
        Item::Payload(of) => (of.service.clone(), of.event.clone(), true),
    };
    Some(Given { rust: item.name(), service, name, is_payload })
}

/// The types that the contract makes around payloads, one an event.
fn wrappers(service: &Service) -> impl Iterator<Item = Given> {
    let around = |event: &&Event| !matches!(event.payload, Payload::Fields(_));
    service.events.values().filter(around).map(|event| Given {
        rust: event.name.clone(),
        service: service.name.clone(),
        name: event.name.clone(),
        is_payload: true,
    })
}

/// Reports what has the name of another owner's, every two once.
fn compare(checker: &mut Checker, all: Vec<Given>, reported: &mut HashSet<(Span, Span)>) {
    let mut seen: HashMap<&str, &Given> = HashMap::new();
    for this in &all {
        let Some(first) = seen.insert(&this.rust, this).filter(|first| first.service != this.service) else { continue };
        let mut both = [(span(checker, first), first), (span(checker, this), this)];
        both.sort_by(|a, b| a.0.cmp(&b.0));
        let [(Some(above), first), (Some(span), second)] = both else { continue };
        if !reported.insert((above.clone(), span.clone())) {
            continue;
        }
        let message = format!(
            "`{}.{}` and `{}.{}` are both `{}` in one Rust crate",
            first.service, first.name, second.service, second.name, this.rust
        );
        let error = Diagnostic::new("E205", span, message).help(help(first.is_payload || second.is_payload));
        checker.report(error.related(above, "the other"));
    }
}

fn help(is_payload: bool) -> &'static str {
    match is_payload {
        true => "rename one, say `input` where it is heard, or take the payload from [types]",
        false => "rename one",
    }
}

/// Payloads of others that are called like what the contract itself generates.
fn generated(checker: &mut Checker, model: &Model, service: &Service, items: &[&Item]) {
    let generated = names::generated::of_service(model, service);
    for item in items.iter().filter_map(|item| given(item)).filter(|given| given.is_payload) {
        let Some(taken) = generated.iter().find(|taken| taken.name == item.rust) else { continue };
        if item.service != service.name
            && let Some(span) = span(checker, &item)
        {
            let message = format!(
                "event `{}` of `{}` is the name of {} in `{}`, which hears it",
                item.name, item.service, taken.role, service.name
            );
            checker.error("E205", &span, message, help(true));
        }
    }
}

/// Where the name was given.
fn span(checker: &Checker, given: &Given) -> Option<Span> {
    let service = checker.design.services.get(&given.service)?;
    let resource = || service.resources.get(&given.name).map(|resource| resource.head.span());
    let event = || service.events.get(&given.name).map(|event| event.head.span());
    let found = if given.is_payload { event() } else { resource() };
    Some(found.unwrap_or_else(|| service.head.span()))
}
