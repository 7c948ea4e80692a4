//! Gateways: the table of what passes, and the way to each service behind.

use serde::Serialize;

use crate::{
    contracts::fronted::{self, behind},
    escape,
    model::{Front, Model, Service, span},
    names,
};

use super::ways::{self, Section, address, section_of};

/// A service behind, as the contract of the gateway names it.
#[derive(Serialize)]
pub struct FrontView {
    service: String,
    constant: String,
    /// Rust string literals.
    name: String,
    prefix: String,
    /// As it stands in a comment.
    place: String,
    routes: Vec<RouteView>,
}

/// One request that passes: Rust string literals.
#[derive(Serialize)]
struct RouteView {
    method: String,
    path: String,
    operation: String,
}

/// The way to a service behind: a function of `app.rs`, a section of the configuration.
#[derive(Clone, Serialize)]
pub struct FrontWay {
    pub service: String,
    pub function: String,
    /// A Rust string literal.
    gateway: String,
    constant: String,
    /// Of the link, a Rust string literal.
    title: String,
    /// What a caller sees when the other side is slow, failing or gone.
    promise: Vec<String>,
}

/// The services behind one, for its contract.
pub fn views(model: &Model, gateway: &Service) -> Vec<FrontView> {
    behind(model, gateway).map(|(_, service)| view(model, service)).collect()
}

fn view(model: &Model, service: &Service) -> FrontView {
    let route = |passed: &fronted::Passed| RouteView {
        method: escape::rust_str(&passed.method),
        path: escape::rust_str(&passed.path),
        operation: escape::rust_str(&passed.operation),
    };
    let prefix = fronted::prefix(&service.name);
    FrontView {
        service: service.name.clone(),
        constant: names::rust::constant(&service.name),
        name: escape::rust_str(&service.name),
        place: prefix.clone(),
        prefix: escape::rust_str(&prefix),
        routes: fronted::passed(model, service).iter().map(route).collect(),
    }
}

/// The ways to the services behind one, for its wiring.
pub fn ways(model: &Model, gateway: &Service) -> Vec<FrontWay> {
    let way = |(front, service): (&Front, &Service)| FrontWay {
        service: service.name.clone(),
        function: names::rust::variable(&function(model, &service.name)),
        gateway: escape::rust_str(&gateway.name),
        constant: names::rust::constant(&service.name),
        title: escape::rust_str(&format!("{} → {} (front)", gateway.name, service.name)),
        promise: promise(front),
    };
    behind(model, gateway).map(way).collect()
}

/// What the configuration says of those that no call goes to.
pub fn sections(model: &Model, gateway: &Service) -> Vec<Section> {
    let section = |(front, service): (&Front, &Service)| {
        let address = Some(address(model, service));
        let mut section = section_of(service.name.clone(), service.name.clone(), address, &front.policy, false);
        section.carry_streams();
        section
    };
    behind(model, gateway).map(section).collect()
}

/// The services through which requests pass on to one.
pub fn before<'m>(model: &'m Model, service: &'m Service) -> impl Iterator<Item = &'m Service> {
    let passes = |other: &&Service| behind(model, other).any(|(_, behind)| behind.name == service.name);
    model.services.values().filter(passes)
}

/// Whether any other asks for callers outside, who are told from each other by what it says of them.
pub fn is_fronted(model: &Model, service: &Service) -> bool {
    model.services.values().any(|other| other.fronts.iter().any(|front| front.service == service.name))
}

/// `orders_front`, unless a service is called so.
fn function(model: &Model, service: &str) -> String {
    let mut name = format!("{service}_front");
    while model.services.contains_key(&name) {
        name.push('_');
    }
    name
}

fn promise(front: &Front) -> Vec<String> {
    let policy = &front.policy;
    let late = span(policy.timeout);
    let slow = match policy.retry.attempts {
        0 | 1 => format!("Slow: 504 after {late} without the head of an answer."),
        attempts => {
            format!("Slow: 504 after {late} without the head of an answer; what is safe is tried {attempts} times.")
        }
    };
    let failing = match policy.breaker {
        Some(breaker) => format!(
            "Failing or gone: its own errors, or 503; at once for {} when {} % of the last requests failed (up to {}, within a minute).",
            span(breaker.open_for),
            (breaker.failure_rate * 100.0).round(),
            breaker.window
        ),
        None => "Failing or gone: its own errors, or 503.".into(),
    };
    let busy = format!(
        "Busy: more than {} requests or {} streams at a time are answered 503.",
        policy.bulkhead,
        ways::streams_beside(policy.bulkhead)
    );
    vec![slow, failing, busy]
}
