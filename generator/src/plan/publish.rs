//! The part of day-one code that has to do with messages: an operation publishes the first of its events when it
//! succeeded, and what runs on an event has its effect once.

use crate::{
    contracts::shape,
    model::{Model, Operation, Payload, Service, Type},
};

use super::{
    day_one, events,
    examples::{self, Source},
    queue,
    rust::user,
};

/// The statement that publishes the first event of the operation, if it emits any; `sources` fill the payload by field
/// name.
pub fn statement(model: &Model, service: &Service, operation: &Operation, sources: &[Source]) -> Option<String> {
    let event = service.events.get(operation.emits.first()?)?;
    let name = user(&event.name);
    let filled = || examples::filled(model, &events::fields(model, event), sources, "");
    let payload = match &event.payload {
        Payload::Fields(_) => format!("{name} {{ {} }}", filled()),
        Payload::Named(record) => format!("{name}({} {{ {} }})", user(record), filled()),
        Payload::Resource(of) => {
            let item = shape::plain("", Type::Resource(of.clone()));
            format!("{name}({})", examples::value(model, &item, sources, ""))
        }
    };
    Some(match events::has_store(model, service) {
        true => format!("outbox::publish(&mut tx, cx, &{payload}).await?;"),
        false => format!("self.broker.publish(&[kit_messaging::Message::event(cx, &{payload})?]).await?;"),
    })
}

/// The statements of a transaction that has begun, committed at the end; if messages run the operation, done the first
/// time only.
pub fn once(model: &Model, service: &Service, operation: &Operation, mut work: Vec<String>) -> Vec<String> {
    work.push("tx.commit().await?;".into());
    if operation.on.is_empty() && !queue::is_taken(model, service, operation) {
        return work;
    }
    let subscription = events::subscription(service, operation);
    let head = format!("if inbox::first_time(&mut tx, cx, \"{subscription}\").await? {{");
    [head].into_iter().chain(work).chain(["}".into()]).collect()
}

/// What an operation that is on no item does, between its calls and its answer.
pub fn effect(model: &Model, service: &Service, operation: &Operation, sources: &[Source]) -> Vec<String> {
    let published = statement(model, service, operation, sources);
    let sent = day_one::sends(model, service, operation, sources);
    let messages = !operation.on.is_empty() || queue::is_taken(model, service, operation);
    if !events::has_store(model, service) || !(messages || published.is_some() || !sent.is_empty()) {
        return published.into_iter().collect();
    }
    let mut work = vec!["// Yours: what this does.".to_owned()];
    work.extend(sent);
    work.extend(published);
    let begin = "let mut tx = self.store.begin().await?;".to_owned();
    [begin].into_iter().chain(once(model, service, operation, work)).collect()
}
