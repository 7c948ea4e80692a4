use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{TryStreamExt, future};
use kit::{
    Context, Failure, Origin, Stream, Validate,
    json::{As, Micros},
    strict,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Command;

/// The biggest message, as JSON. What is bigger belongs into a store, and a reference to it into the message.
const MAX_BYTES: usize = 16 << 20;

/// Something that happened, as others hear of it. Contract crates implement it for each event of the design.
pub trait Event: Serialize + DeserializeOwned + Send + Sync {
    /// `<system>.<owner>.<Event>.v<N>`, the CloudEvents type.
    const TYPE: &'static str;
    /// `/<service>`, the CloudEvents source.
    const SOURCE: &'static str;

    /// The key of the event: what it is about.
    fn subject(&self) -> Option<String> {
        None
    }
}

/// A CloudEvent 1.0 with JSON data; its serde form is the JSON event format. Source and id together name it for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub specversion: SpecVersion,
    pub id: String,
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened; where the sender does not say, when it was read.
    #[serde(default = "kit::json::now", with = "As::<Micros>")]
    pub time: DateTime<Utc>,
    #[serde(default = "json")]
    pub datacontenttype: String,
    /// Distributed tracing extension: the trace that the sender was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Extension: work begun after this moment is of no use to anyone.
    #[serde(default, with = "As::<Option<Micros>>", skip_serializing_if = "Option::is_none")]
    pub deadline: Option<DateTime<Utc>>,
    /// Extension: the intent behind a command, where it is older than the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotencykey: Option<String>,
    #[serde(default)]
    pub data: Value,
    /// Attributes of others, which are kept.
    #[serde(flatten)]
    pub extensions: BTreeMap<String, Value>,
}

/// Those messages whose data have this id under this member, and errors: what happens to one item.
///
/// # Errors
/// The id has no JSON form.
pub fn about(
    messages: Stream<Message, Failure>,
    member: &'static str,
    id: &impl Serialize,
) -> Result<Stream<Message, Failure>, Failure> {
    let id = serde_json::to_value(id).map_err(Failure::internal)?;
    Ok(Box::pin(messages.try_filter(move |message| future::ready(message.data.get(member) == Some(&id)))))
}

/// The one version of the specification that is spoken here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpecVersion {
    #[default]
    #[serde(rename = "1.0")]
    V1,
}

fn json() -> String {
    "application/json".into()
}

impl Message {
    /// A message of now with an id of its own, in the trace of `cx`.
    ///
    /// # Errors
    /// The data has no JSON form.
    pub fn new(cx: &Context, kind: &str, source: &str, data: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self {
            specversion: SpecVersion::V1,
            id: Uuid::now_v7().to_string(),
            source: source.into(),
            kind: kind.into(),
            subject: None,
            time: kit::json::now(),
            datacontenttype: json(),
            traceparent: Some(cx.trace().to_string()),
            deadline: None,
            idempotencykey: None,
            data: serde_json::to_value(data).map_err(Failure::internal)?,
            extensions: BTreeMap::new(),
        })
    }

    /// The event as a message.
    ///
    /// # Errors
    /// The event has no JSON form.
    pub fn event<E: Event>(cx: &Context, event: &E) -> Result<Self, Failure> {
        Ok(Self { subject: event.subject(), ..Self::new(cx, E::TYPE, E::SOURCE, event)? })
    }

    /// A command of `source` without input yet. It is an intent of its own, under its id: a key of `cx` stays behind,
    /// since that is of what the sender does itself; and so does the deadline, since nobody waits.
    ///
    /// # Errors
    /// None: an empty object has a JSON form.
    pub fn command(cx: &Context, command: &Command, source: &str) -> Result<Self, Failure> {
        Self::new(cx, command.kind, source, &Map::new())
    }

    /// With one more member of the data, if the value is any.
    ///
    /// # Errors
    /// The value has no JSON form.
    pub fn with(mut self, name: &str, value: &impl Serialize) -> Result<Self, Failure> {
        let value = serde_json::to_value(value).map_err(Failure::internal)?;
        if let Value::Object(members) = &mut self.data
            && !value.is_null()
        {
            members.insert(name.to_owned(), value);
        }
        Ok(self)
    }

    /// With the members of a record in the data.
    ///
    /// # Errors
    /// `invalid` if the record is: later there would be nobody to tell. It has no JSON form.
    pub fn with_input(mut self, input: &(impl Serialize + Validate)) -> Result<Self, Failure> {
        input.check()?;
        let input = serde_json::to_value(input).map_err(Failure::internal)?;
        if let (Value::Object(members), Value::Object(more)) = (&mut self.data, input) {
            members.extend(more);
        }
        Ok(self)
    }

    /// The same intent as a call with the idempotency key of `cx`: together they have one effect.
    pub fn keyed(self, cx: &Context) -> Self {
        Self { idempotencykey: cx.idempotency_key().map(str::to_owned), ..self }
    }

    /// Of no use after this span from now.
    pub fn within(mut self, limit: Duration) -> Self {
        self.deadline = TimeDelta::from_std(limit).ok().and_then(|limit| self.time.checked_add_signed(limit));
        self
    }

    /// As JSON, if it is of a size to be carried.
    pub(crate) fn encode(&self) -> Result<String, Failure> {
        let text = serde_json::to_string(self).map_err(Failure::internal)?;
        if text.len() > MAX_BYTES {
            return Err(Failure::invalid(format!(
                "message {} has {} bytes, of {MAX_BYTES} allowed",
                self.id,
                text.len()
            )));
        }
        Ok(text)
    }

    /// What [`encode`](Self::encode) wrote. Text that is no message becomes one with the text as its data, which nobody
    /// can use: it ends as a dead letter and not as an error in the middle of the broker.
    pub(crate) fn decode(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| Self {
            specversion: SpecVersion::V1,
            id: String::new(),
            source: String::new(),
            kind: format!("not a message: {error}"),
            subject: None,
            time: kit::json::now(),
            datacontenttype: "text/plain".into(),
            traceparent: None,
            deadline: None,
            idempotencykey: None,
            data: Value::String(text.into()),
            extensions: BTreeMap::new(),
        })
    }

    /// The data as the type it is meant to be.
    ///
    /// # Errors
    /// `invalid` if it is something else, which sends the message to the dead letters.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(&self.data)
            .map_err(|error| Failure::invalid(format!("message {} of type {}: {error}", self.id, self.kind)))
    }

    /// The data of an event as the type it is meant to be. It may come from a newer version: what is not known is
    /// left alone.
    ///
    /// # Errors
    /// `invalid` if it is something else or out of bounds, which sends the message to the dead letters.
    pub fn payload<T: DeserializeOwned + Validate>(&self) -> Result<T, Failure> {
        let payload: T = self.data()?;
        payload.check_told().map_err(|failure| self.refused(failure))?;
        Ok(payload)
    }

    /// The input of a command: all of the data but the members `beside` it, and nothing that is not known.
    ///
    /// # Errors
    /// `invalid` if it is something else or out of bounds, which sends the message to the dead letters.
    pub fn input<T: DeserializeOwned + Validate>(&self, beside: &[&str]) -> Result<T, Failure> {
        let mut data = self.data.clone();
        if let Value::Object(members) = &mut data {
            members.retain(|name, _| !beside.contains(&name.as_str()));
        }
        let (value, wrong) = strict::read::<T, _>(data, ToString::to_string);
        match value {
            Ok(value) => strict::valid(value, wrong),
            Err(_) => Err(Failure::fields(wrong)),
        }
        .map_err(|failure| self.refused(failure))
    }

    /// For those who read dead letters, where no field has a place of its own.
    fn refused(&self, failure: Failure) -> Failure {
        let fields: Vec<_> = failure.fields.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.detail)).collect();
        let detail = format!("message {} of type {}: {}", self.id, self.kind, fields.join(", "));
        Failure { detail, ..failure }
    }

    /// One member of the data as the type it is meant to be.
    ///
    /// # Errors
    /// `invalid` if it is missing, something else or out of bounds, which sends the message to the dead letters.
    pub fn member<T: DeserializeOwned + Validate>(&self, name: &str) -> Result<T, Failure> {
        let value = T::deserialize(&self.data[name])
            .map_err(|error| Failure::invalid(format!("message {} of type {}: {name}: {error}", self.id, self.kind)))?;
        value.check().map_err(|failure| self.refused(failure))?;
        Ok(value)
    }

    /// The context of the work this message asks for: the sender's trace, the deadline, and as idempotency key that of
    /// the command or else the message's id, which every delivery of it shares.
    pub fn context(&self, attempt: u32) -> Context {
        let key = self.idempotencykey.as_deref().unwrap_or(&self.id);
        let mut cx = Context::default().made_by(Origin::Message).try_number(attempt).keyed(key);
        if let Some(trace) = self.traceparent.as_deref().and_then(|text| text.parse::<kit::Trace>().ok()) {
            cx = cx.in_trace(trace.child());
        }
        match self.deadline {
            Some(deadline) => cx.within((deadline - Utc::now()).to_std().unwrap_or_default()),
            None => cx,
        }
    }
}
