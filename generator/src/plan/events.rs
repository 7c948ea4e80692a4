//! Views of events: their types in the contracts, who consumes them, and what the tests know of their way.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    contracts::shape,
    escape, fit,
    model::{
        Batch, Delivery, Event, EventRef, Field, Input, Link, Model, Operation, Output, Payload, Policy, Scalar,
        Service, Shape, Store, StreamItem, Target, Type, TypeDef,
    },
    names,
    scope::{Item, Scope},
};

use super::{
    operations, queue, resources,
    rust::{id_name, user},
    types::doc_lines,
};

/// The version that events have as long as designs cannot say another one.
pub const VERSION: u32 = 1;

/// What `contract/src/events.rs` sees.
#[derive(Debug, Serialize)]
pub struct EventsView {
    pub events: Vec<EventView>,
    pub has_events: bool,
    /// Everyone that is to hear of the events of this contract.
    pub subscriptions: Vec<Subscription>,
    pub has_subscriptions: bool,
}

#[derive(Debug, Serialize)]
pub struct EventView {
    pub docs: Vec<String>,
    pub name: String,
    /// The payload's type, if the event's own type is around it.
    pub wraps: Vec<String>,
    /// Rust string literals.
    pub kind: String,
    pub source: String,
    /// The expression of the key, if there is one.
    pub subject: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subscription {
    /// Rust string literal: `"billing.charge"`.
    pub name: String,
    /// Rust string literals.
    pub kinds: Vec<String>,
}

/// A consumer of a service, as `app.rs` starts it.
#[derive(Debug, Serialize)]
pub struct Consumer {
    /// What it does, on what: the first sentence about it.
    pub intro: String,
    pub function: String,
    /// `billing.charge`
    pub subscription: String,
    /// The expression of the subscription.
    pub subscribed: String,
    /// The expression that does what `message` asks for, as `cx` has it.
    pub call: String,
    /// The expression of its policy: what is not as usual.
    pub policy: String,
    /// What becomes of a message that cannot be digested.
    pub promise: Vec<String>,
}

impl Consumer {
    /// A consumer that subscribes to nothing yet.
    pub fn new(intro: String, function: String, subscription: String, policy: &Policy) -> Self {
        Self {
            intro,
            function,
            subscription,
            subscribed: String::new(),
            call: String::new(),
            policy: kit_policy(policy),
            promise: promise(policy),
        }
    }
}

/// The contract of a service: the types of the events that are its own, and who hears of any of them.
pub fn of_contract(model: &Model, scope: &Scope, service: &Service) -> EventsView {
    let own = |event: &&Event| match event.payload {
        Payload::Fields(_) => !scope.shared().contains(&Item::Payload(of(service, event))),
        Payload::Named(_) | Payload::Resource(_) => true,
    };
    let events: Vec<EventView> = service.events.values().filter(own).map(|e| view(model, service, e)).collect();
    let subscriptions = subscriptions(model, service);
    EventsView { events, has_events: !service.events.is_empty(), subscriptions, has_subscriptions: true }
}

/// `contracts/shared`: the events whose types are there.
pub fn of_shared(model: &Model, scope: &Scope) -> EventsView {
    let events: Vec<EventView> = scope
        .shared()
        .iter()
        .filter_map(|item| match item {
            Item::Payload(event) => {
                let service = model.services.get(&event.service)?;
                Some(view(model, service, service.events.get(&event.event)?))
            }
            _ => None,
        })
        .collect();
    EventsView { has_events: !events.is_empty(), events, subscriptions: Vec::new(), has_subscriptions: false }
}

/// The names of the types that the contract of the owner makes around payloads.
pub fn wrapper_names(service: &Service) -> impl Iterator<Item = String> {
    service.events.values().filter(|event| !matches!(event.payload, Payload::Fields(_))).map(|event| event.name.clone())
}

fn of(service: &Service, event: &Event) -> EventRef {
    EventRef { service: service.name.clone(), event: event.name.clone() }
}

fn view(model: &Model, service: &Service, event: &Event) -> EventView {
    let wraps: Vec<String> = match &event.payload {
        Payload::Fields(_) => Vec::new(),
        Payload::Named(_) | Payload::Resource(_) => vec![operations::payload_type(event)],
    };
    let place = if wraps.is_empty() { "self" } else { "self.0" };
    let key = event.key.as_ref().and_then(|key| fields(model, event).into_iter().find(|field| field.name == *key));
    EventView {
        docs: doc_lines(&event.docs, &format!("What `{}` tells others.", service.name)),
        name: user(&event.name),
        wraps,
        kind: kind(model, &of(service, event)),
        source: escape::rust_str(&source(service)),
        subject: key.map(|key| subject(place, &key)).into_iter().collect(),
    }
}

fn subject(place: &str, key: &Field) -> String {
    let ident = names::rust::ident(&key.name);
    match &key.ty {
        Type::Scalar(Scalar::String { .. }) => format!("{place}.{ident}.clone()"),
        Type::Scalar(Scalar::Timestamp) => format!("{place}.{ident}.to_rfc3339()"),
        _ => format!("{place}.{ident}.to_string()"),
    }
}

/// The fields of a payload, the id of an item with its own type.
pub fn fields(model: &Model, event: &Event) -> Vec<Field> {
    match &event.payload {
        Payload::Resource(of) => shape::resource(model, of).map(|r| resources::typed(r, of)).unwrap_or_default(),
        Payload::Named(_) | Payload::Fields(_) => shape::payload_fields(model, event),
    }
}

/// The CloudEvents type, a Rust string literal.
fn kind(model: &Model, event: &EventRef) -> String {
    escape::rust_str(&names::event_type(&model.name, &event.service, &event.event, VERSION))
}

/// Who the service is as a sender.
pub fn source(service: &Service) -> String {
    format!("/{}", service.name)
}

/// The subscriptions that get any event of a service, all their types included.
fn subscriptions(model: &Model, owner: &Service) -> Vec<Subscription> {
    let all = model.operations().flat_map(|(service, operation)| hearings(model, service, operation));
    let hears = all.filter(|hearing| hearing.events.iter().any(|event| event.service == owner.name));
    hears
        .map(|hearing| Subscription {
            name: escape::rust_str(&hearing.subscription),
            kinds: hearing.events.iter().map(|event| kind(model, event)).collect(),
        })
        .collect()
}

/// Events that run an operation under one policy.
pub struct Hearing<'m> {
    /// `billing.charge`
    pub subscription: String,
    pub events: Vec<&'m EventRef>,
    pub policy: &'m Policy,
}

/// The events that run an operation. Those whose links have one policy share a subscription; the first is called like the
/// operation alone.
pub fn hearings<'m>(model: &'m Model, service: &Service, operation: &'m Operation) -> Vec<Hearing<'m>> {
    let mut hearings: Vec<Hearing> = Vec::new();
    for event in &operation.on {
        let to = |link: &&Link| link.from == service.name && matches!(&link.to, Target::Event(to) if to == event);
        let Some(Link { policy, .. }) = model.links.iter().find(to) else { continue };
        match hearings.iter_mut().find(|hearing| hearing.policy == policy) {
            Some(hearing) => hearing.events.push(event),
            None => {
                let mut subscription = subscription(service, operation);
                if !hearings.is_empty() {
                    subscription += &format!(".{}.{}", event.service, event.event);
                }
                hearings.push(Hearing { subscription, events: vec![event], policy });
            }
        }
    }
    hearings
}

/// `billing.charge`: what the operation of a service is called as a subscriber.
pub fn subscription(service: &Service, operation: &Operation) -> String {
    format!("{}.{}", service.name, operation.name)
}

/// Whether anything of the service is published.
pub fn emits(service: &Service) -> bool {
    service.operations.values().any(|operation| !operation.emits.is_empty())
}

/// Whether anything of the service runs on an event.
pub fn consumes(service: &Service) -> bool {
    service.operations.values().any(|operation| !operation.on.is_empty())
}

/// Whether the service looks on events, for those who ask it.
pub fn follows(service: &Service) -> bool {
    service.operations.values().any(|operation| !operation.follows.is_empty())
}

/// The type of an event, as the business code of a service names it: `StockChanged`, `orders_contract::OrderPlaced`.
pub fn seen_from(service: &Service, event: &EventRef) -> String {
    match event.service == service.name {
        true => user(&event.event),
        false => format!("{}::{}", names::rust::crate_ident(&names::rust::contract_crate(&event.service)), event.event),
    }
}

/// Whether the service has a database: it keeps items, or messages on their way.
pub fn has_store(model: &Model, service: &Service) -> bool {
    let messages =
        || emits(service) || consumes(service) || queue::takes(model, service) || queue::sends(model, service);
    service.store == Store::Sqlite && (!service.resources.is_empty() || messages())
}

/// The consumers of a service's events.
pub fn consumers(model: &Model, service: &Service) -> Vec<Consumer> {
    let of = |operation| {
        let hearings = hearings(model, service, operation);
        hearings.into_iter().enumerate().map(|(number, hearing)| consumer(service, operation, number, &hearing))
    };
    service.operations.values().flat_map(of).collect()
}

fn consumer(service: &Service, operation: &Operation, number: usize, hearing: &Hearing<'_>) -> Consumer {
    let types: Vec<String> = hearing
        .events
        .iter()
        .map(|event| {
            let contract = names::rust::crate_ident(&names::rust::contract_crate(&event.service));
            format!("{contract}::{}", event.event)
        })
        .collect();
    let linked: Vec<String> = types.iter().map(|ty| format!("[`{ty}`]")).collect();
    let also = match hearing.events.first().filter(|_| number > 0) {
        Some(event) => format!("_on_{}_{}", event.service, names::snake(&event.event)),
        None => String::new(),
    };
    let mut consumer = Consumer::new(
        format!("`{}`, on {}.", operation.name, linked.join(", ")),
        format!("consume_{}{also}", operation.name),
        hearing.subscription.clone(),
        hearing.policy,
    );
    let kinds: String = types.iter().map(|ty| format!("{ty}::TYPE, ")).collect();
    consumer.subscribed = format!("Subscription::new({}, [{kinds}])", escape::rust_str(&hearing.subscription));
    let (variable, method) = (names::rust::variable(&service.name), names::rust::ident(&operation.name));
    consumer.call = format!("{variable}.{method}(&cx{})", arguments(operation));
    consumer
}

/// The arguments of an operation, out of the message: the id of the item by its name, the rest by serde.
fn arguments(operation: &Operation) -> String {
    let Shape::Custom { of, input, .. } = &operation.shape else { return String::new() };
    let id = of.as_ref().map(|of| format!(", message.member(\"{}\")?", item_id(of)));
    let input = if *input == Input::None { "" } else { ", message.payload()?" };
    id.unwrap_or_default() + input
}

/// The member of an event that names the item which an operation is on, by an id as that item's is.
pub fn about(model: &Model, service: &Service, operation: &Operation, event: &EventRef) -> Option<String> {
    let resource = shape::on_item(operation)?;
    let found = model.services.get(&event.service)?.events.get(&event.event)?;
    match &found.payload {
        Payload::Resource(of) if *of == shape::of_service(service, resource) => {
            service.resources.get(resource).map(|resource| resource.id.clone())
        }
        _ => {
            let id = Type::Ref(shape::of_service(service, resource));
            let is_id = |ty: &Type| *ty == id || *ty == shape::id_type(model, &shape::of_service(service, resource));
            let is_it = |field: &Field| {
                let may_be = matches!(&field.ty, Type::Optional(inner) if is_id(inner));
                field.name == item_id(resource) && (may_be || is_id(&field.ty))
            };
            Some(fit::payload(model, event)?.iter().find(|field| is_it(field))?.name.clone())
        }
    }
}

/// What a payload calls the id of an item: `order_id`.
pub fn item_id(resource: &str) -> String {
    format!("{}_id", names::snake(resource))
}

fn promise(policy: &Policy) -> Vec<String> {
    let last = match (policy.delivery, policy.dead_letter) {
        (Delivery::AtMostOnce, _) => "A message is acknowledged before the work: what fails is lost, and counted.",
        (Delivery::AtLeastOnce, true) => "What fails for good is kept as a dead letter: `cargo xtask messages list`.",
        (Delivery::AtLeastOnce, false) => "What fails for good is lost, and counted.",
    };
    let tries = match policy.delivery {
        Delivery::AtMostOnce => Vec::new(),
        Delivery::AtLeastOnce => vec![format!(
            "A message may come again and is tried {} times, others are not kept waiting.",
            policy.retry.attempts
        )],
    };
    let batch = (policy.batch.size > 1).then(|| {
        let Batch { size, within } = policy.batch;
        format!(
            "Up to {size} messages are taken at once, the first waiting {within:?} for others, and settled together."
        )
    });
    tries.into_iter().chain([last.to_owned()]).chain(batch).collect()
}

/// The policy as an expression of `kit_messaging`, whose defaults are those of the language.
fn kit_policy(policy: &Policy) -> String {
    let usual = Policy::message();
    let Batch { size, within } = policy.batch;
    let (first, most) = policy.retry.backoff;
    let unusual: String = [
        (policy.retry.attempts != usual.retry.attempts).then(|| format!("attempts: {}, ", policy.retry.attempts)),
        (policy.retry.backoff != usual.retry.backoff)
            .then(|| format!("backoff: Backoff {{ first: {}, most: {} }}, ", duration(first), duration(most))),
        (policy.delivery == Delivery::AtMostOnce).then(|| "guarantee: Guarantee::AtMostOnce, ".to_owned()),
        (!policy.dead_letter).then(|| "dead_letter: false, ".to_owned()),
        (size > 1).then(|| format!("batch: Batch {{ size: {size}, within: {} }}, ", duration(within))),
        (policy.timeout != usual.timeout).then(|| format!("timeout: {}, ", duration(policy.timeout))),
    ]
    .into_iter()
    .flatten()
    .collect();
    match unusual.is_empty() {
        true => "Policy::default()".to_owned(),
        false => format!("Policy {{ {unusual}..Policy::default() }}"),
    }
}

/// `Duration::from_secs(30)`
fn duration(span: std::time::Duration) -> String {
    match span.subsec_millis() {
        0 => format!("Duration::from_secs({})", span.as_secs()),
        _ => format!("Duration::from_millis({})", span.as_millis()),
    }
}

/// What the tests of a contract know of an event.
#[derive(Debug, Serialize)]
pub struct TestedEvent {
    /// The test.
    pub test: String,
    /// `orders_contract::OrderPlaced`
    pub ty: String,
    /// Values of it.
    pub examples: Vec<String>,
    pub kind: String,
    pub source: String,
    /// Members that consumers read, as (type, Rust string literal).
    pub members: Vec<Member>,
    /// Types that consumers read the whole as.
    pub inputs: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Member {
    pub ty: String,
    pub name: String,
}

/// The expression of an event, around that of its payload.
pub fn wrapped(event: &Event, ty: &str, payload: String) -> String {
    match event.payload {
        Payload::Fields(_) => payload,
        Payload::Named(_) | Payload::Resource(_) => format!("{ty}({payload})"),
    }
}

fn is_union(model: &Model, name: &str) -> bool {
    matches!(model.types.get(name), Some(TypeDef::Union(_)))
}

/// What an operation that runs on an event reads of it: the member that names its item, and the type of its input.
pub fn reads(consumer: &Service, operation: &Operation, event: &Event) -> (Option<Member>, Option<String>) {
    let Shape::Custom { of, input, .. } = &operation.shape else { return (None, None) };
    let path = names::rust::crate_ident(&names::rust::contract_crate(&consumer.name));
    let member =
        of.as_ref().map(|of| Member { ty: format!("{path}::{}", id_name(of)), name: escape::rust_str(&item_id(of)) });
    let name = match (input, &event.payload) {
        (Input::None | Input::Stream(_), _) => return (member, None),
        (Input::Named(name), _) | (Input::Payload(_), Payload::Named(name)) => name.clone(),
        (Input::Fields(_), _) => operations::request_name(operation),
        (Input::Payload(_), Payload::Resource(of)) => of.resource.clone(),
        (Input::Payload(_), Payload::Fields(_)) => event.name.clone(),
    };
    (member, Some(format!("{path}::{name}")))
}

/// The events of a service, on the side of the publisher and of each consumer. `examples` makes values of a payload.
pub fn tested(model: &Model, service: &Service, examples: impl Fn(&EventRef) -> Vec<String>) -> Vec<TestedEvent> {
    let contract = |service: &str| names::rust::crate_ident(&names::rust::contract_crate(service));
    let tested = |event: &Event| {
        let reference = of(service, event);
        let ty = format!("{}::{}", contract(&service.name), event.name);
        let (mut members, mut inputs) = (BTreeSet::new(), BTreeSet::new());
        for (consumer, operation) in model.operations() {
            let Shape::Custom { output, .. } = &operation.shape else { continue };
            let path = contract(&consumer.name);
            if operation.follows.contains(&reference) {
                match (output, &event.payload) {
                    // A union has the payload's record among its variants.
                    (Output::Stream(StreamItem::Named(item)), Payload::Named(record)) if is_union(model, item) => {
                        inputs.insert(format!("{path}::{record}"));
                    }
                    (Output::Stream(StreamItem::Named(item)), _) => drop(inputs.insert(format!("{path}::{item}"))),
                    (Output::Stream(StreamItem::Resource(item)), _) => {
                        inputs.insert(format!("{path}::{}", item.resource));
                    }
                    _ => {}
                }
            }
            if operation.on.contains(&reference) {
                let (member, input) = reads(consumer, operation, event);
                members.extend(member);
                inputs.extend(input);
            }
        }
        TestedEvent {
            test: format!("{}_{}", service.name, names::snake(&event.name)),
            examples: examples(&reference).into_iter().map(|payload| wrapped(event, &ty, payload)).collect(),
            kind: kind(model, &reference),
            source: escape::rust_str(&source(service)),
            members: members.into_iter().collect(),
            inputs: inputs.into_iter().collect(),
            ty,
        }
    };
    service.events.values().map(tested).collect()
}
