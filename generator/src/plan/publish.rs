//! What day-one code does in a transaction besides changing items: an operation publishes the first of its events when it
//! succeeded, and keeps its answer for those who ask again.

use crate::{
    contracts::shape,
    model::{Model, Operation, Payload, Service, Type},
};

use super::{
    day_one, events,
    examples::{self, Source},
    gate, queue,
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

/// The end of a transaction and of the operation, `answer` being its last statements: what is answered is kept with its
/// effect.
pub fn committed(model: &Model, service: &Service, operation: &Operation, answer: Vec<String>) -> Vec<String> {
    let commit = "tx.commit().await?;".to_owned();
    let value = answer.last().and_then(|last| last.strip_prefix("Ok(")?.strip_suffix(')')).map(str::to_owned);
    let Some(value) = value.filter(|_| gate::keeps_answer(model, service, operation)) else {
        return [commit].into_iter().chain(answer).collect();
    };
    let keep = |value: &str| format!("kit_answers::keep(&mut tx, cx, &{value}).await?;");
    // What is a variable already needs no other.
    if value == "()" || value.trim_start_matches("r#").chars().all(|c| c.is_alphanumeric() || c == '_') {
        return [keep(&value), commit].into_iter().chain(answer).collect();
    }
    vec![format!("let answer = {value};"), keep("answer"), commit, "Ok(answer)".into()]
}

/// What an operation that is on no item does after its calls.
pub fn effect(
    model: &Model,
    service: &Service,
    operation: &Operation,
    sources: &[Source],
    answer: Vec<String>,
) -> Vec<String> {
    let published = statement(model, service, operation, sources);
    let sent = day_one::sends(model, service, operation, sources);
    let messages = !operation.on.is_empty() || queue::is_taken(model, service, operation);
    if !events::has_store(model, service) || !(messages || published.is_some() || !sent.is_empty()) {
        return published.into_iter().chain(answer).collect();
    }
    let begin = ["let mut tx = self.store.begin().await?;".to_owned(), "// Yours: what this does.".to_owned()];
    let work = begin.into_iter().chain(sent).chain(published);
    work.chain(committed(model, service, operation, answer)).collect()
}
