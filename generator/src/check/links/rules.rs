//! What a link may say about what it is to (E404, E601 to E611).

use super::{Covered, Dependencies, To, via};
use crate::{
    check::{Checker, items},
    design::{self, Broker, Fallback, Word},
    fit,
    model::{EventRef, Model, Operation, Safety, Via},
    source::Span,
};

pub(super) fn check(checker: &mut Checker, model: &Model, from: &str, own: &Dependencies) {
    for (to, link) in &own.written {
        match to {
            To::Event(event) => to_event(checker, from, event, link, own),
            To::Operation(operation) => {
                let operations = fit::operation(model, operation).map(|o| (operation.clone(), o)).into_iter().collect();
                let covered = Covered { operations, used: true };
                let service = own.written.get(&To::Service(operation.service.clone())).copied();
                to_operations(checker, model, &[service, Some(link)], link, &covered, own);
            }
            To::Service(service) if own.only_fronts(service) => to_front(checker, from, service, link),
            To::Service(service) => {
                let covered = own.covered(model, service);
                to_operations(checker, model, &[Some(link)], link, &covered, own);
                if own.composes.contains(service.as_str()) {
                    to_composed(checker, from, service, link, own);
                }
            }
        }
        delivery(checker, link);
        needs(checker, link);
    }
}

fn to_event(checker: &mut Checker, from: &str, event: &EventRef, link: &design::Link, own: &Dependencies) {
    let name = &event.event;
    if !own.on.contains(event) {
        let message = format!("`{from}` has a link to `{name}`, but nothing in it runs on that event");
        checker.error("E404", &link.to.span, message, format!("add `on = [\"{}\"]` to a command", link.to.value));
    }
    if let Some(span) = call_key(link) {
        let message = format!("`fallback`, `breaker` and `bulkhead` belong to calls; `{name}` is an event");
        checker.error("E605", &span, message, "use `retry` and `dead_letter`");
    }
    let Some(via) = &link.via else { return };
    match via.value {
        design::Via::Queue | design::Via::Webhook => {}
        design::Via::Stream => {
            let broker = broker_of(checker.design, event);
            if !matches!(broker, Broker::Embedded | Broker::Nats | Broker::Kafka | Broker::Kinesis) {
                let message = format!("`via = \"stream\"` for `{name}`, but its broker is `{}`", broker.word());
                checker.error("E604", &via.span, message, "use `queue`, or `broker = \"kafka\"` on the event");
            }
        }
        design::Via::Rest | design::Via::Grpc | design::Via::Graphql | design::Via::Jsonrpc => {
            let message = format!("`via = \"{}\"` carries calls; `{name}` is an event", via.value.word());
            checker.error("E605", &via.span, message, "use `queue`");
        }
    }
}

/// What passes through is REST, and nothing stands in for it.
fn to_front(checker: &mut Checker, from: &str, service: &str, link: &design::Link) {
    if let Some(via) = link.via.as_ref().filter(|via| via.value != design::Via::Rest) {
        let message = format!("`via = \"{}\"`, but `{from}` passes REST on to `{service}`", via.value.word());
        checker.error("E614", &via.span, message, "leave it out");
    }
    if let Some(fallback) = &link.fallback {
        let message = format!("`fallback` for `{service}`, whose answers `{from}` passes on as they are");
        checker.error(
            "E614",
            &fallback.span,
            message,
            "leave it out, or write a query that `calls` and can do without",
        );
    }
    if let Some((key, span)) = message_key(link) {
        let message = format!("`{key}` belongs to messages; `{from}` passes requests on to `{service}`");
        checker.error("E605", &span, message, "use `timeout`, `retry`, `breaker` and `bulkhead`");
    }
}

/// What a composed schema shows is answered, and nobody wrote what could stand in for it.
fn to_composed(checker: &mut Checker, from: &str, service: &str, link: &design::Link, own: &Dependencies) {
    if let Some(via) = link.via.as_ref().filter(|via| via.value == design::Via::Queue) {
        let message = format!("`via = \"queue\"`, but the schema of `{from}` shows what `{service}` answers");
        checker.error("E614", &via.span, message, "use `grpc` or `rest`; a single command may go by queue");
    }
    let default = items(&link.fallback).iter().find(|fallback| fallback.value == Fallback::Default);
    if let Some(default) = default.filter(|_| !own.calls.iter().any(|to| to.service == service)) {
        let message = format!("`fallback = \"default\"` for `{service}`, which no operation of `{from}` calls");
        let help = "use `cache`, or write a query that `calls` and can do without";
        checker.error("E614", &default.span, message, help);
    }
}

fn broker_of(design: &design::Design, event: &EventRef) -> Broker {
    let service = design.services.get(&event.service);
    let own = service.and_then(|service| service.events.get(&event.event)?.broker.as_ref());
    let said = own.or_else(|| service?.broker.as_ref()).or(design.system.broker.as_ref());
    said.map_or(Broker::Embedded, |broker| broker.value)
}

/// `covered` are the operations that the link is about, `links` what is said from the general to the specific.
fn to_operations(
    checker: &mut Checker,
    model: &Model,
    links: &[Option<&design::Link>],
    link: &design::Link,
    covered: &Covered,
    own: &Dependencies,
) {
    if let Some(said) = link.via.as_ref().filter(|v| matches!(v.value, design::Via::Stream | design::Via::Webhook)) {
        let message = format!("`via = \"{}\"` carries events; `{}` is called", said.value.word(), link.to.value);
        return checker.error("E605", &said.span, message, "use `grpc`, `rest` or `queue`");
    }
    let exposed = covered.operations.first().map(|(_, operation)| operation.expose).unwrap_or_default();
    let queue = via(links, exposed) == Via::Queue;
    if queue {
        queue_gives_no_answer(checker, links, link, covered);
    }
    // What the link to a service says may be meant for one of its operations that goes another way.
    let ways: Vec<_> = match &link.to.value.owner {
        None => own
            .written
            .iter()
            .filter(|(to, _)| matches!(to, To::Operation(o) if o.service == link.to.value.name))
            .collect(),
        Some(_) => Vec::new(),
    };
    let elsewhere = |queued: bool| {
        ways.iter().any(|(to, way)| {
            let To::Operation(operation) = to else { return false };
            let exposed = fit::operation(model, operation).map(|o| o.expose).unwrap_or_default();
            (via(&[Some(link), Some(way)], exposed) == Via::Queue) == queued
        })
    };
    if queue
        && !elsewhere(false)
        && let Some(span) = call_key(link)
    {
        let message =
            format!("`fallback`, `breaker` and `bulkhead` belong to calls; `{}` goes by queue", link.to.value);
        checker.error("E605", &span, message, "use `retry` and `dead_letter`");
    }
    if !queue
        && !elsewhere(true)
        && let Some((key, span)) = message_key(link)
    {
        let message = format!("`{key}` belongs to messages; `{}` is called and answers", link.to.value);
        checker.error("E605", &span, message, "use `retry` and `fallback`, or `via = \"queue\"`");
    }
    if !queue {
        fallbacks(checker, link, covered);
        retries(checker, link, covered);
    }
    input_streams(checker, link, covered);
    jsonrpc_streams(checker, link, covered);
}

/// E601, at the operation that answers.
fn queue_gives_no_answer(
    checker: &mut Checker,
    links: &[Option<&design::Link>],
    link: &design::Link,
    covered: &Covered,
) {
    // Said here, or inherited and wrong here.
    let said = links.iter().rev().flatten().find_map(|link| link.via.as_ref());
    let span = link.via.as_ref().map_or_else(|| link.to.span.clone(), |via| via.span.clone());
    // A client that nothing uses yet may leave out what cannot be queued, as long as something can.
    let enough = !covered.used && covered.operations.iter().any(|(_, operation)| operation.can_be_queued());
    // What reads a stream is refused for that.
    let wrong = covered.operations.iter().find(|(_, operation)| !operation.can_be_queued() && !operation.reads());
    let Some((to, operation)) = wrong.filter(|_| said.is_some() && !enough) else { return };
    let answer = match fit_answer(operation) {
        Some(field) => format!("answers with `{field}`"),
        None => "gives an answer".to_owned(),
    };
    let message = format!("`via = \"queue\"` for `{}.{}`, which {answer}", to.service, to.operation);
    let help = "a queue gives no answer: use `grpc`, or drop the output and emit an event";
    checker.error("E601", &span, message, help);
}

/// The first field of an answer, to name it.
fn fit_answer(operation: &Operation) -> Option<&str> {
    use crate::model::{Output, Shape};
    match &operation.shape {
        Shape::Custom { output: Output::Fields(fields), .. } => fields.first().map(|field| field.name.as_str()),
        Shape::Custom { output: Output::Named(name), .. } => Some(name),
        _ => None,
    }
}

fn fallbacks(checker: &mut Checker, link: &design::Link, covered: &Covered) {
    let has = |wanted: fn(&Operation) -> bool| {
        covered.operations.is_empty() || covered.operations.iter().any(|(_, operation)| wanted(operation))
    };
    for fallback in items(&link.fallback) {
        match fallback.value {
            Fallback::Cache if !has(Operation::can_be_cached) => {
                let message =
                    "`fallback = \"cache\"` on a link that calls only commands, or what gives no answer to keep";
                let help = "an old answer cannot stand for work not done: use `queue` or `default`";
                checker.error("E602", &fallback.span, message, help);
            }
            Fallback::Queue if !has(Operation::can_be_queued) => {
                let message = "`fallback = \"queue\"` on a link that calls nothing that can wait";
                let help = "only commands without output can be sent later: use `default`";
                checker.error("E602", &fallback.span, message, help);
            }
            Fallback::Cache | Fallback::Queue | Fallback::Default => {}
        }
    }
}

/// Retries that can never happen (E603).
fn retries(checker: &mut Checker, link: &design::Link, covered: &Covered) {
    let Some(retry) = &link.retry else { return };
    if retry.value.attempts.as_ref().is_some_and(|attempts| attempts.value == 1) {
        return;
    }
    let [(first, operation), ..] = covered.operations.as_slice() else { return };
    if covered.operations.iter().any(|(_, operation)| operation.safety != Safety::Unsafe) {
        return;
    }
    let why = match operation.reads() {
        true => "which takes a stream",
        false => "which is `idempotent = \"no\"`",
    };
    let message = format!("`retry` for `{}.{}`, {why}", first.service, first.operation);
    let span = retry.value.attempts.as_ref().map_or(&retry.span, |attempts| &attempts.span);
    let said = checker.design.services.get(&first.service).and_then(|s| s.commands.get(&first.operation));
    let help = match said.and_then(|command| command.common.idempotent.as_ref()) {
        _ if operation.reads() => {
            "what has been read of it cannot be sent again: set `retry = { attempts = 1 }`".to_owned()
        }
        Some(_) => "make it `\"key\"`, or set `retry = { attempts = 1 }`".to_owned(),
        None => format!(
            "`{}` keeps nothing, so it cannot tell a repeat: give it `idempotent = \"key\"`, or set `retry = {{ attempts = 1 }}`",
            first.service
        ),
    };
    checker.error("E603", span, message, help);
}

/// E606. A client that nothing uses yet leaves out what it cannot carry, as long as there is something else.
fn input_streams(checker: &mut Checker, link: &design::Link, covered: &Covered) {
    let carries = |via| matches!(via, design::Via::Grpc | design::Via::Rest);
    let Some(via) = link.via.as_ref().filter(|via| !carries(via.value)) else { return };
    if !covered.used && covered.operations.iter().any(|(_, operation)| !operation.reads()) {
        return;
    }
    for (to, _) in covered.operations.iter().filter(|(_, operation)| operation.reads()) {
        let message = format!(
            "`via = \"{}\"` cannot carry `{}.{}`, whose input is a stream",
            via.value.word(),
            to.service,
            to.operation
        );
        checker.error("E606", &via.span, message, "use `grpc` or `rest`");
    }
}

/// E606. A client that nothing uses yet leaves out what streams.
fn jsonrpc_streams(checker: &mut Checker, link: &design::Link, covered: &Covered) {
    let Some(via) = link.via.as_ref().filter(|via| via.value == design::Via::Jsonrpc && covered.used) else { return };
    // An input that is one is told of above.
    let streams = |operation: &Operation| operation.streams() && !operation.reads();
    for (to, _) in covered.operations.iter().filter(|(_, operation)| streams(operation)) {
        let message = format!("`via = \"jsonrpc\"` cannot carry `{}.{}`, which streams", to.service, to.operation);
        checker.error("E606", &via.span, message, "use `grpc` or `rest`");
    }
}

/// E610
fn delivery(checker: &mut Checker, link: &design::Link) {
    let once = link.delivery.as_ref().is_some_and(|delivery| delivery.value == design::Delivery::AtMostOnce);
    if let Some(dead_letter) = link.dead_letter.as_ref().filter(|keep| keep.value && once) {
        let message = "`dead_letter` with `at-most-once`: the message is gone before the work begins";
        checker.error("E610", &dead_letter.span, message, "use `at-least-once`");
    }
}

/// E608
fn needs(checker: &mut Checker, link: &design::Link) {
    let (Some(needs), Some(via)) = (&link.needs, &link.via) else { return };
    let Some(answer) = &needs.value.answer else { return };
    let queued = matches!(via.value, design::Via::Queue | design::Via::Stream | design::Via::Webhook);
    if queued == (answer.value == design::Answer::Now) {
        let message = format!(
            "`needs.answer = \"{}\"` and `via = \"{}\"` contradict each other",
            answer.value.word(),
            via.value.word()
        );
        checker.error("E608", &answer.span, message, "drop one of them");
    }
}

/// A key of the link that only calls have.
fn call_key(link: &design::Link) -> Option<Span> {
    let fallback = link.fallback.as_ref().map(|value| value.span.clone());
    let breaker = || link.breaker.as_ref().map(|value| value.span.clone());
    let bulkhead = || link.bulkhead.as_ref().map(|value| value.span.clone());
    fallback.or_else(breaker).or_else(bulkhead)
}

/// A key of the link that only messages have.
fn message_key(link: &design::Link) -> Option<(&'static str, Span)> {
    let delivery = link.delivery.as_ref().map(|value| ("delivery", value.span.clone()));
    let dead_letter = || link.dead_letter.as_ref().map(|value| ("dead_letter", value.span.clone()));
    let batch = || link.batch.as_ref().map(|value| ("batch", value.span.clone()));
    delivery.or_else(dead_letter).or_else(batch)
}
