//! A service is brought into the states in which others expect it, by requests to itself.

use std::{collections::BTreeMap, time::Instant};

use anyhow::Result;
use serde_json::Value;

use super::{
    Provider,
    description::{Consumer, Operation, Verb},
    events::{PATIENCE, Queue, Settled, fresh, is_unread},
    face::{Call, Face},
    items,
    report::Report,
    session::Session,
};

/// A service on its way into a state. What it refuses on the way is not judged here.
pub struct State<'a> {
    provider: &'a Provider,
    face: Option<Face>,
    report: Report,
}

impl<'a> State<'a> {
    /// `face` is the way by which items are made and steps are gone, if there is one.
    pub fn of(provider: &'a Provider, face: Option<Face>) -> Self {
        let report =
            Report::new(&provider.description.service, face.as_ref().map_or("messages", |face| face.transport));
        Self { provider, face, report }
    }

    fn session(&self) -> Option<Session<'_>> {
        self.face.as_ref().map(|face| Session::new(self.provider, face, &self.report))
    }

    /// Goes the steps of the file of `tests/cases` whose `state` this is. Gives what is known then: what was before, and
    /// what the steps have saved. `None`: there is no such file.
    ///
    /// # Errors
    /// A step fails.
    pub async fn told(&self, name: &str, known: &BTreeMap<String, Value>) -> Result<Option<BTreeMap<String, Value>>> {
        let Some(case) = self.provider.cases.states.get(name) else { return Ok(None) };
        let Some(session) = self.session() else { anyhow::bail!("{}: nobody reaches the service", case.name) };
        let mut known = known.clone();
        case.bring(&session, &mut known).await.map_err(anyhow::Error::msg)?;
        Ok(Some(known))
    }

    /// The id of an item of the resource. `None`: none can be made.
    pub async fn item(&self, resource: &str) -> Option<Value> {
        items::one(&self.session()?, resource, 0).await
    }

    /// Whether the service has such a resource.
    pub fn knows(&self, resource: &str) -> bool {
        self.provider.description.resource(resource).is_some()
    }

    /// The type of an event of the service, by its name.
    pub fn event(&self, name: &str) -> Option<&str> {
        let mut events = self.provider.description.events.iter();
        events.find(|(_, event)| event.name == name).map(|(kind, _)| kind.as_str())
    }

    /// What the service publishes of this type: for what has been done already, else for whatever may cause it. `None`:
    /// nothing of it.
    ///
    /// # Errors
    /// Of the queue.
    pub async fn published(&self, kind: &str) -> Result<Option<Value>> {
        let Some(queue) = self.provider.queue.as_deref() else { return Ok(None) };
        if let Some(message) = heard(queue, kind).await? {
            return Ok(Some(message));
        }
        let emits = |operation: &&Operation| operation.emits.iter().any(|event| event == kind);
        for operation in self.provider.description.operations.iter().filter(emits) {
            if self.does(operation).await
                && let Some(message) = waited_for(queue, kind).await?
            {
                return Ok(Some(message));
            }
            let consumers = self.provider.description.consumers.iter();
            for consumer in consumers.filter(|consumer| consumer.operation == operation.name) {
                if self.takes(queue, operation, consumer).await?
                    && let Some(message) = waited_for(queue, kind).await?
                {
                    return Ok(Some(message));
                }
            }
        }
        Ok(None)
    }

    /// Whether a call of the operation has done its work.
    async fn does(&self, operation: &Operation) -> bool {
        let Some(session) = self.session().filter(|session| session.face.serves(operation)) else { return false };
        let id = match (operation.verb, operation.resource.as_deref()) {
            // With what it may refer to.
            (Some(Verb::Create), Some(resource)) => return items::one(&session, resource, 0).await.is_some(),
            (_, Some(resource)) if operation.takes_id => match items::one(&session, resource, 0).await {
                Some(id) => id,
                None => return false,
            },
            _ => Value::Null,
        };
        let input = session.example(operation, 1);
        session.ask(operation, Call { operation: operation.name.clone(), id, input, ..Call::default() }).await.is_ok()
    }

    /// Whether a message has made the operation do its work.
    async fn takes(&self, queue: &dyn Queue, operation: &Operation, consumer: &Consumer) -> Result<bool> {
        let document = self.provider.document("asyncapi.json")?;
        for name in &consumer.messages {
            let mut example = document["components"]["messages"][name]["examples"][0]["payload"].clone();
            if let (Some(member), Some(resource), Some(session)) =
                (&consumer.item, operation.resource.as_deref(), self.session())
                && let Some(item) = items::one(&session, resource, 0).await
            {
                example["data"][member] = item;
            }
            match queue.deliver(&consumer.subscription, fresh(&example)).await? {
                Settled::Done => return Ok(true),
                Settled::Dead(reason) if is_unread(&reason, &example) => {
                    anyhow::bail!("{name} could not be read: {reason}")
                }
                Settled::Dead(_) | Settled::Waiting => {}
            }
        }
        Ok(false)
    }
}

/// The last message of this type that was published.
async fn heard(queue: &dyn Queue, kind: &str) -> Result<Option<Value>> {
    Ok(queue.heard().await?.into_iter().rfind(|message| message["type"] == *kind))
}

async fn waited_for(queue: &dyn Queue, kind: &str) -> Result<Option<Value>> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(message) = heard(queue, kind).await? {
            return Ok(Some(message));
        }
    }
    Ok(None)
}
