//! Events on both sides: what the service publishes is what the documents say, what it consumes is digested or set aside.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::Result;
use async_trait::async_trait;
use kit::Trace;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Provider,
    compare::text,
    description::{Consumer, Operation},
    items,
    judge::Judge,
    report::Report,
    session::Session,
};

/// How long an event may take from its cause to its hearers.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The queue that the service under test is connected to.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Publishes a message, for whoever hears it.
    async fn publish(&self, message: Value) -> Result<()>;

    /// The messages that were published since the last time, as CloudEvents in JSON. Waits a moment for some.
    async fn heard(&self) -> Result<Vec<Value>>;

    /// Publishes the message, and waits until the subscription has settled it.
    async fn deliver(&self, subscription: &str, message: Value) -> Result<Settled>;
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// A dead letter, and why.
    Dead(String),
    /// Nothing in a reasonable time.
    Waiting,
}

/// Whatever the calls of this session have published.
pub(crate) async fn published(session: &Session<'_>) {
    let Some(queue) = &session.provider.queue else { return };
    let report = session.report;
    let due: Vec<&Operation> = session
        .served()
        .filter(|operation| !operation.emits.is_empty() && !session.done(&operation.name).is_empty())
        .filter(|operation| !session.provider.cases.quiet.contains(&operation.name))
        .collect();
    let mut heard: Vec<Value> = Vec::new();
    let is_missing =
        |heard: &[Value], operation: &Operation| !heard.iter().any(|message| comes_of(session, operation, message));
    let begun = Instant::now();
    loop {
        match queue.heard().await {
            Ok(more) if more.is_empty() && !due.iter().any(|operation| is_missing(&heard, operation)) => break,
            Ok(more) => heard.extend(more),
            Err(error) => return report.fail("events", "the queue", error),
        }
        if begun.elapsed() > PATIENCE {
            break;
        }
    }
    for operation in due.into_iter().filter(|operation| is_missing(&heard, operation)) {
        let types: Vec<&str> = operation.emits.iter().map(|event| name(session.provider, event)).collect();
        report.fail(&operation.name, "events", format!("has done its work and published no {}", types.join(" or ")));
    }
    judge(session.provider, report, &heard);
}

/// Whether a call of the operation has caused the message.
fn comes_of(session: &Session<'_>, operation: &Operation, message: &Value) -> bool {
    let is_of = |event: &String| message["type"] == json!(event);
    let trace = message["traceparent"].as_str().and_then(|text| text.parse::<Trace>().ok());
    operation.emits.iter().any(is_of) && trace.is_some_and(|trace| session.done(&operation.name).contains(&trace.id()))
}

fn name<'a>(provider: &'a Provider, event: &'a str) -> &'a str {
    provider.description.events.get(event).map_or(event, |event| &event.name)
}

/// Each message by the two documents that describe it.
fn judge(provider: &Provider, report: &Report, heard: &[Value]) {
    let document = provider.document("asyncapi.json").unwrap_or_default();
    let asyncapi = Judge::new(&document["components"]);
    let mut ids = BTreeSet::new();
    for message in heard {
        let kind = message["type"].as_str().unwrap_or_default();
        let fail = |rule: &str, why: String| report.fail(name(provider, kind), rule, why);
        let Some(event) = provider.description.events.get(kind) else {
            fail("type", format!("{} is no event of the service", message["type"]));
            continue;
        };
        let payload = &document["components"]["messages"][&event.message]["payload"];
        asyncapi.wrong(payload, message).into_iter().for_each(|wrong| fail("asyncapi.json", wrong));
        match provider.document(&format!("schemas/{}.json", event.name)) {
            Ok(schema) => Judge::alone(&schema, &message["data"])
                .into_iter()
                .for_each(|wrong| fail(&format!("schemas/{}.json", event.name), wrong)),
            Err(error) => fail("schema", format!("{error:#}")),
        }
        if let Some(key) = &event.key
            && message["subject"] != json!(text(&message["data"][key]))
        {
            fail("subject", format!("is {}, `{key}` is {}", message["subject"], message["data"][key]));
        }
        if !ids.insert(message["id"].to_string()) {
            fail("id", format!("{} is of two messages", message["id"]));
        }
    }
}

/// Each event and command that the service takes: an example of it, and a broken one.
pub(crate) async fn consumed(provider: &Provider, session: Option<&Session<'_>>, report: &Report) {
    let Some(queue) = &provider.queue else { return };
    let document = provider.document("asyncapi.json").unwrap_or_default();
    for (nth, consumer) in provider.description.consumers.iter().enumerate() {
        let Some(operation) = provider.description.operation(&consumer.operation) else { continue };
        let item = match (session, operation.resource.as_deref(), &consumer.item) {
            (Some(session), Some(resource), Some(_)) => items::one(session, resource, nth).await,
            _ => None,
        };
        for name in &consumer.messages {
            let mut example = document["components"]["messages"][name]["examples"][0]["payload"].clone();
            if let (Some(member), Some(item)) = (&consumer.item, &item) {
                example["data"][member] = item.clone();
            }
            let heard = Heard { provider, report, queue: &**queue, consumer, operation, name };
            if let Err(error) = heard.check(example).await {
                report.fail(&operation.name, name, format!("{error:#}"));
            }
        }
    }
}

/// One event or command, and one consumer of it.
struct Heard<'a> {
    provider: &'a Provider,
    report: &'a Report,
    queue: &'a dyn Queue,
    consumer: &'a Consumer,
    operation: &'a Operation,
    name: &'a str,
}

impl Heard<'_> {
    async fn check(&self, example: Value) -> Result<()> {
        self.drain().await?;
        let first = fresh(&example);
        match self.deliver(first.clone()).await? {
            Settled::Done => {
                self.caused().await?;
                self.again(first).await?;
            }
            Settled::Dead(reason) if is_unread(&reason, &example) => {
                self.fail("an example", format!("could not be read: {reason}"));
            }
            Settled::Dead(reason) if self.may_fail(&reason) => {
                self.report.skip(&self.operation.name, self.name, format!("the example was refused with {reason}"));
            }
            Settled::Dead(reason) => self.fail("an example", format!("is dead: {reason}")),
            Settled::Waiting => self.fail("an example", "is neither done nor dead".into()),
        }
        if !self.consumer.reads && self.consumer.item.is_none() {
            return Ok(());
        }
        let mut broken = fresh(&example);
        broken["data"] = json!("not what it should be");
        match (self.deliver(broken).await?, self.consumer.dead_letter) {
            (Settled::Dead(reason), true) if reason.starts_with("invalid") => {}
            // Nobody keeps it.
            (Settled::Done, false) => {}
            (settled, _) => {
                self.fail("a broken payload", format!("a dead letter as `invalid` was due, it is {settled:?}"))
            }
        }
        Ok(())
    }

    /// What was done is not done again. A broker knows a message by its id, so the intent comes in another one.
    async fn again(&self, first: Value) -> Result<()> {
        if !self.consumer.once {
            return Ok(());
        }
        let mut again = fresh(&first);
        again["idempotencykey"] = first["id"].clone();
        match self.deliver(again).await? {
            Settled::Done => {}
            settled => self.fail("a message that comes again", format!("is {settled:?}")),
        }
        let published = self.queue.heard().await?;
        let is_ours = |message: &&Value| self.operation.emits.iter().any(|event| message["type"] == json!(event));
        for message in published.iter().filter(is_ours) {
            let kind = name(self.provider, message["type"].as_str().unwrap_or_default());
            self.fail("a message that comes again", format!("publishes {kind} again"));
        }
        Ok(())
    }

    async fn deliver(&self, message: Value) -> Result<Settled> {
        self.queue.deliver(&self.consumer.subscription, message).await
    }

    fn fail(&self, rule: &str, why: String) {
        self.report.fail(&self.operation.name, &format!("{}: {rule}", self.name), why);
    }

    async fn drain(&self) -> Result<()> {
        while !self.queue.heard().await?.is_empty() {}
        Ok(())
    }

    /// What the work publishes in its turn.
    async fn caused(&self) -> Result<()> {
        let quiet = self.provider.cases.quiet.contains(&self.operation.name);
        let mut heard = Vec::new();
        let begun = Instant::now();
        let is_due = |message: &Value| self.operation.emits.iter().any(|event| message["type"] == json!(event));
        while begun.elapsed() < PATIENCE {
            let more = self.queue.heard().await?;
            let last = more.is_empty();
            heard.extend(more);
            if last && (quiet || self.operation.emits.is_empty() || heard.iter().any(is_due)) {
                break;
            }
        }
        if !quiet && !self.operation.emits.is_empty() && !heard.iter().any(is_due) {
            let types: Vec<&str> = self.operation.emits.iter().map(|event| name(self.provider, event)).collect();
            self.fail("events", format!("has done its work and published no {}", types.join(" or ")));
        }
        judge(self.provider, self.report, &heard);
        Ok(())
    }

    /// A refusal that the operation may give.
    fn may_fail(&self, reason: &str) -> bool {
        let kind = |kind: &kit::Kind| reason.starts_with(kind.as_str());
        let declared = |name: &String| reason.starts_with(&words(name));
        self.operation.failures.iter().any(kind) || self.operation.errors.keys().any(declared)
    }
}

/// Whether an error says that a message of this type has not what was looked for in it. That is no refusal: the message
/// is as its schema has it.
pub(crate) fn is_unread(error: &str, message: &Value) -> bool {
    message["type"].as_str().is_some_and(|kind| error.contains(&format!(" of type {kind}: ")))
}

/// A message of now.
pub(crate) fn fresh(example: &Value) -> Value {
    let mut message = example.clone();
    message["id"] = json!(Uuid::now_v7().to_string());
    message["traceparent"] = json!(Trace::start().to_string());
    message
}

/// `OutOfStock` as people read it: `out of stock`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}
