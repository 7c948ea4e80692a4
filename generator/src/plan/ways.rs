//! How a service reaches the services that it calls: transport, link, queue; one way for most operations of a service, and
//! ways of their own for some.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    contracts::asyncapi,
    model::{Link, Model, Operation, OperationRef, Policy, Service, Target, Via, span},
    names,
};

use super::{Planner, contract::trait_name};

/// A service that this one calls.
#[derive(Clone, Serialize)]
pub struct Dependency {
    /// The field and the variable.
    pub name: String,
    /// `greeter_contract::Greeter`
    pub service_trait: String,
    /// The expression that makes it.
    pub connected: String,
    /// Nothing calls it on the first day.
    pub spare: bool,
    /// The business code has it, and not only the schema of a front.
    pub held: bool,
    /// It as the business code gets it: a clone where others have it as well.
    pub given: String,
    #[serde(skip)]
    pub ways: Vec<Way>,
}

/// A link over HTTP: a function of `app.rs`, a section of the configuration.
#[derive(Clone, Serialize)]
pub struct Way {
    #[serde(flatten)]
    pub section: Section,
    pub function: String,
    /// Of the function.
    parameters: &'static str,
    url: &'static str,
    contract: String,
    service_trait: String,
    grpc: bool,
    rest: bool,
    graphql: bool,
    jsonrpc: bool,
    /// The expression that makes the link.
    link: String,
    /// Commands are left in the queue where a call fails.
    #[serde(skip)]
    stands_in: bool,
    /// The statements that put around the client what the link says.
    wrapped: Vec<String>,
    /// What a caller sees when the other side is slow, failing or gone.
    promise: Vec<String>,
}

/// What the configuration says of a way.
#[derive(Clone, Serialize)]
pub struct Section {
    /// `greeter`, `inventory.restock`
    to: String,
    /// Queries are answered as the last time where a call fails.
    caches: bool,
    /// The field of `Links`, and its type.
    field: String,
    config: &'static str,
    /// As the configuration writes it.
    pub section: String,
    /// The section with the address, which all ways to one service share.
    address: Vec<Address>,
    timeout: String,
    attempts: u32,
    backoff_first: String,
    backoff_most: String,
    has_breaker: bool,
    failure_rate: f64,
    window: u32,
    open_for: String,
    bulkhead: u32,
    /// How many may be open, if it carries any.
    streams: Vec<u64>,
}

#[derive(Clone, Serialize)]
pub struct Address {
    variable: String,
    port: u16,
}

/// Everything that a service may call; `code` is what its business code begins with.
pub fn dependencies(planner: &Planner<'_>, from: &Service, code: &str) -> Vec<Dependency> {
    let model = planner.model;
    let called: BTreeSet<&str> = model.links.iter().filter(|l| l.from == from.name).filter_map(Link::callee).collect();
    let dependencies = called.into_iter().filter_map(|callee| dependency(planner, from, model.services.get(callee)?));
    let spare = |name: &str| !code.contains(&format!("self.{name}."));
    dependencies.map(|dependency| Dependency { spare: spare(&dependency.name), ..dependency }).collect()
}

/// Whether anybody leaves commands for this service in the queue where a call fails.
pub fn stands_in(model: &Model, to: &Service) -> bool {
    model.links.iter().any(|link| link.callee() == Some(&to.name) && leaves_commands(model, link))
}

/// Whether anybody reaches operations of this service by different ways.
pub fn has_ways(model: &Model, to: &Service) -> bool {
    model.services.keys().any(|from| links(model, from, to).len() > 1)
}

/// Whether anybody falls back on the last answers of this service.
pub fn caches(model: &Model, to: &Service) -> bool {
    model.links.iter().any(|link| link.callee() == Some(&to.name) && keeps_answers(model, link))
}

/// The links to a service, first the one for most operations: that to the service, else one that can carry them all.
fn links<'m>(model: &'m Model, from: &str, to: &Service) -> Vec<&'m Link> {
    let mut links: Vec<_> =
        model.links.iter().filter(|link| link.from == from && link.callee() == Some(&to.name)).collect();
    links.sort_by_key(|link| (!matches!(link.to, Target::Service { .. }), link.via() == Some(Via::Queue)));
    links
}

/// Whether the link leaves any of its operations in the queue.
fn leaves_commands(model: &Model, link: &Link) -> bool {
    link.policy.queues() && carries(model, link, Operation::can_be_queued)
}

/// Whether the link keeps the answers of any of its operations.
fn keeps_answers(model: &Model, link: &Link) -> bool {
    link.policy.caches() && carries(model, link, Operation::can_be_cached)
}

/// Whether an operation of this kind goes by the link.
fn carries(model: &Model, link: &Link, is: fn(&Operation) -> bool) -> bool {
    let Some(callee) = link.callee().and_then(|callee| model.services.get(callee)) else { return false };
    callee.operations.values().filter(|operation| is(operation)).any(|operation| {
        let place = OperationRef { service: callee.name.clone(), operation: operation.name.clone() };
        model.link(&link.from, &place) == Some(link)
    })
}

/// From the call outwards.
fn wrapped(contract: &str, title: &str, stands_in: bool, caches: bool) -> Vec<String> {
    let mut layers = vec![format!("{contract}::Linked {{ inner, link }}")];
    layers.extend(stands_in.then(|| format!("{contract}::queue::Fallback {{ inner, sender }}")));
    layers.extend(caches.then(|| format!("{contract}::Cached {{ inner, answers }}")));
    let last = layers.pop().unwrap_or_default();
    let mut lines: Vec<String> = layers.iter().map(|layer| format!("let inner = Arc::new({layer});")).collect();
    if caches {
        lines.push(format!("let answers = config.answers(\"{title}\");"));
        lines.push("let kept = answers.clone();".into());
        lines.push("service.show(move || kept.state());".into());
    }
    lines.push(format!("Ok(Arc::new({last}))"));
    lines
}

fn dependency(planner: &Planner<'_>, from: &Service, to: &Service) -> Option<Dependency> {
    let model = planner.model;
    let contract = names::rust::crate_ident(&names::rust::contract_crate(&to.name));
    let service_trait = format!("{contract}::{}", trait_name(model, &planner.scope, to));
    let (mut ways, mut parts): (Vec<Way>, Vec<String>) = Default::default();
    for (number, link) in links(model, &from.name, to).into_iter().enumerate() {
        let connected = match link.via()? {
            Via::Queue => format!("Arc::new({contract}::queue::Client(sender.clone()))"),
            Via::Rest | Via::Grpc | Via::Graphql | Via::Jsonrpc => {
                let way = way(model, to, link, number == 0, ways.is_empty(), (&contract, &service_trait));
                let connected = way.connected(&names::rust::variable(&to.name));
                ways.push(way);
                connected
            }
        };
        parts.push(match &link.to {
            Target::Operation { to, .. } if number > 0 => {
                let constant = names::rust::constant(&to.operation);
                format!(".with(&{contract}::operations::{constant}, {connected})")
            }
            _ => connected,
        });
    }
    let connected = match parts.as_slice() {
        [most, own @ ..] if !own.is_empty() => {
            format!("Arc::new(Ways::<dyn {service_trait}>::new({most}){})", own.concat())
        }
        parts => parts.concat(),
    };
    let name = names::rust::variable(&to.name);
    let is_composed = from.composes() && from.fronts.iter().any(|front| front.service == to.name);
    let is_called =
        from.operations.values().flat_map(|operation| &operation.calls).any(|call| call.to.service == to.name);
    let given = if is_composed { format!("{name}.clone()") } else { name.clone() };
    let held = is_called || !is_composed;
    Some(Dependency { name, service_trait, connected, spare: false, held, given, ways })
}

/// `most`: for every operation that has no way of its own; `first`: it has the address.
fn way(
    model: &Model,
    to: &Service,
    link: &Link,
    most: bool,
    first: bool,
    (contract, service_trait): (&str, &str),
) -> Way {
    let operation = match &link.to {
        Target::Operation { to, .. } => Some(&to.operation),
        Target::Service { .. } | Target::Event(_) => None,
    };
    let named = operation.map_or_else(|| to.name.clone(), |operation| format!("{}.{operation}", to.name));
    let own = operation.map(|operation| unlike_services(model, format!("{}_{operation}", to.name)));
    let section = own.clone().filter(|_| !first).unwrap_or_else(|| to.name.clone());
    let function = own.filter(|_| !most).unwrap_or_else(|| to.name.clone());
    let title = format!("{} → {named}", link.from);
    let (stands_in, caches) = (leaves_commands(model, link), keeps_answers(model, link));
    let carries_streams = carries(model, link, |operation| !operation.is_unary());
    let mut said = section_of(named, section, first.then(|| address(model, to)), &link.policy, caches);
    if carries_streams {
        said.carry_streams();
    }
    Way {
        function: names::rust::variable(&function),
        parameters: match (first, stands_in) {
            (true, false) => "config: &LinkConfig",
            (true, true) => "config: &LinkConfig, sender: Sender",
            (false, false) => "url: &str, config: &PolicyConfig",
            (false, true) => "url: &str, config: &PolicyConfig, sender: Sender",
        },
        url: if first { "&config.url" } else { "url" },
        link: match first {
            true => format!("service.link(\"{title}\", config)"),
            false => format!("service.link_to(\"{title}\", url, config.policy())"),
        },
        section: said,
        contract: contract.to_owned(),
        service_trait: service_trait.to_owned(),
        grpc: link.via() == Some(Via::Grpc),
        rest: link.via() == Some(Via::Rest),
        graphql: link.via() == Some(Via::Graphql),
        jsonrpc: link.via() == Some(Via::Jsonrpc),
        stands_in,
        wrapped: wrapped(contract, &title, stands_in, caches),
        promise: promise(link, carries_streams, stands_in, caches),
    }
}

/// The section of the way to `to`; with an address unless another section has it.
pub fn section_of(to: String, section: String, address: Option<Address>, policy: &Policy, caches: bool) -> Section {
    let breaker = policy.breaker;
    Section {
        to,
        caches,
        field: names::rust::ident(&section),
        config: if address.is_some() { "LinkConfig" } else { "PolicyConfig" },
        section,
        address: address.into_iter().collect(),
        timeout: span(policy.timeout),
        attempts: policy.retry.attempts,
        backoff_first: span(policy.retry.backoff.0),
        backoff_most: span(policy.retry.backoff.1),
        has_breaker: breaker.is_some(),
        failure_rate: breaker.map_or(0.5, |b| b.failure_rate),
        window: breaker.map_or(20, |b| b.window),
        open_for: span(breaker.map_or(std::time::Duration::from_secs(10), |b| b.open_for)),
        bulkhead: policy.bulkhead,
        streams: Vec::new(),
    }
}

/// How many streams may be open beside so many calls, as the kit has it where nothing is said.
pub fn streams_beside(bulkhead: u32) -> u64 {
    u64::from(bulkhead) * 10
}

impl Section {
    pub fn carry_streams(&mut self) {
        self.streams = vec![streams_beside(self.bulkhead)];
    }
}

impl Way {
    /// The call of its function. `service` is the field of the section with the address.
    fn connected(&self, service: &str) -> String {
        let mut arguments = vec![format!("&config.links.{}", self.section.field)];
        if self.section.address.is_empty() {
            arguments.insert(0, format!("&config.links.{service}.url"));
        }
        if self.stands_in {
            arguments.push("sender.clone()".into());
        }
        format!("{}({}, service)?", self.function, arguments.join(", "))
    }
}

pub fn address(model: &Model, to: &Service) -> Address {
    let number = model.services.get_index_of(&to.name).unwrap_or_default();
    Address { variable: names::variable(&to.name), port: super::workspace::port(number) }
}

/// A name that no service has.
fn unlike_services(model: &Model, mut name: String) -> String {
    while model.services.contains_key(&name) {
        name.push('_');
    }
    name
}

/// The services whose queues somebody of this service writes to, as their contracts are called.
pub fn written_queues(model: &Model, from: &Service) -> Vec<String> {
    let services: BTreeSet<String> = asyncapi::sent(model, from).into_iter().map(|to| to.service).collect();
    services.iter().map(|service| names::rust::crate_ident(&names::rust::contract_crate(service))).collect()
}

/// What a caller of this link sees, in one paragraph.
fn promise(link: &Link, carries_streams: bool, stands_in: bool, caches: bool) -> Vec<String> {
    let policy = &link.policy;
    let slow = match policy.retry.attempts {
        0 | 1 => format!("Slow: a call is given up after {}.", span(policy.timeout)),
        attempts => {
            format!(
                "Slow: a try is given up after {}, and what is safe is tried {attempts} times.",
                span(policy.timeout)
            )
        }
    };
    let failing = match policy.breaker {
        Some(breaker) => format!(
            "Failing or gone: `unavailable`; at once for {} when {} % of the last calls failed (up to {}, within a minute).",
            span(breaker.open_for),
            (breaker.failure_rate * 100.0).round(),
            breaker.window
        ),
        None => "Failing or gone: `unavailable`.".into(),
    };
    let busy = match carries_streams {
        true => format!(
            "Busy: more than {} calls or {} streams at a time are refused.",
            policy.bulkhead,
            streams_beside(policy.bulkhead)
        ),
        false => format!("Busy: more than {} calls at a time are refused.", policy.bulkhead),
    };
    let left =
        "Away: a command that cannot have arrived, or may be repeated, is left in the queue; the answer is marked.";
    let kept = "Away: a query is answered as the last time, within `stale` of the configuration; the answer is marked.";
    let away = [(stands_in, left), (caches, kept)].into_iter().filter(|(is, _)| *is).map(|(_, text)| text.to_owned());
    [slow, failing, busy].into_iter().chain(away).collect()
}
