//! A service to its AsyncAPI 3.0 document: the events it publishes and hears, the commands it takes from the queue and
//! sends through it. Every message is a CloudEvent 1.0 in the JSON event format.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    example,
    schema::{Form, Schemas, Side},
    shape,
};
use crate::{
    escape,
    model::{
        Docs, Event, EventRef, Field, Link, Model, OperationRef, Payload, Service, Shape, Transport, Type, Verb, Via,
    },
    names,
};

/// The media type of every message.
const MEDIA_TYPE: &str = "application/cloudevents+json";

/// The document.
pub fn asyncapi(model: &Model, service: &Service) -> Value {
    let schemas = Schemas::new(model, Form::AsyncApi);
    let mut writer = Writer { model, schemas, channels: Map::new(), operations: Map::new(), messages: Map::new() };
    for event in service.events.values() {
        let of = EventRef { service: service.name.clone(), event: event.name.clone() };
        writer.event(&format!("publish.{}", event.name), "send", &of, &event.docs);
    }
    for operation in service.operations.values() {
        for of in operation.on.iter().chain(&operation.follows) {
            let key = format!("{}.{}.{}", operation.name, of.service, of.event);
            writer.event(&key, "receive", of, &operation.docs);
        }
        let to = OperationRef { service: service.name.clone(), operation: operation.name.clone() };
        if model.served(&service.name, &operation.name).has(Transport::Queue) {
            writer.command(&operation.name, "receive", &to);
        }
    }
    for to in sent(model, service) {
        writer.command(&format!("send.{}.{}", to.service, to.operation), "send", &to);
    }

    let mut info =
        json!({ "title": format!("{} {}", model.name, service.name), "version": service.version.to_string() });
    if let Some(team) = &service.team {
        info["contact"] = json!({ "name": team });
    }
    describe(&mut info, &shape::text(&service.docs));
    writer.schemas.define("cloudevent", |_| cloud_event());
    json!({
        "asyncapi": "3.0.0",
        "info": info,
        "defaultContentType": MEDIA_TYPE,
        "channels": writer.channels,
        "operations": writer.operations,
        "components": { "messages": writer.messages, "schemas": writer.schemas.into_named() },
    })
}

/// The commands of other services that a service can send through the queue, if only when a call fails.
pub fn sent(model: &Model, from: &Service) -> Vec<OperationRef> {
    let links = model.links.iter().filter(|link| link.from == from.name);
    let callees: BTreeSet<&str> = links.filter_map(Link::callee).collect();
    let queued = model
        .operations()
        .filter(|(service, operation)| operation.can_be_queued() && callees.contains(service.name.as_str()));
    let places = queued
        .map(|(service, operation)| OperationRef { service: service.name.clone(), operation: operation.name.clone() });
    let by_queue = |to: &OperationRef| {
        let link = model.link(&from.name, to);
        link.is_some_and(|link| link.via() == Some(Via::Queue) || link.policy.queues())
    };
    places.filter(by_queue).collect()
}

struct Writer<'m> {
    model: &'m Model,
    schemas: Schemas<'m>,
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
}

/// What a message tells besides its data.
struct Told<'a> {
    name: &'a str,
    docs: &'a Docs,
    source: String,
    /// The field of the data that is the subject.
    key: Option<&'a str>,
}

impl Writer<'_> {
    /// An operation on the channel of an event.
    fn event(&mut self, key: &str, action: &str, of: &EventRef, docs: &Docs) {
        let Some(event) = self.model.services.get(&of.service).and_then(|owner| owner.events.get(&of.event)) else {
            return;
        };
        let channel = format!("{}.{}", of.service, of.event);
        let data = self.payload(&channel, event);
        let example = example::object(self.model, &shape::payload_fields(self.model, event), 0);
        let source = format!("/{}", of.service);
        let told = Told { name: &event.name, docs: &event.docs, source, key: event.key.as_deref() };
        let address = names::event_type(&self.model.name, &of.service, &event.name, 1);
        self.message(&channel, address, told, data, example);
        self.operation(key, action, &channel, docs);
    }

    /// An operation on the channel of a command.
    fn command(&mut self, key: &str, action: &str, to: &OperationRef) {
        let Some(service) = self.model.services.get(&to.service) else { return };
        let Some(operation) = service.operations.get(&to.operation) else { return };
        let channel = format!("{}.{}", to.service, to.operation);
        let mut fields = shape::request_fields(self.model, service, operation);
        // Without the revision, which is that of an item.
        let example = example::object(self.model, &fields, 0);
        if let Shape::Verb { verb: Verb::Delete, .. } = operation.shape {
            let etag = shape::etag();
            fields.push(Field { ty: Type::Optional(Box::new(etag.ty.clone())), ..etag });
        }
        let name = format!("{channel}.request");
        let data = self.schemas.message(&name, &Docs::default(), &fields, Side::Input);
        // Whoever sends it is the source.
        let told = Told { name: &operation.name, docs: &operation.docs, source: String::new(), key: None };
        let address = names::event_type(&self.model.name, &to.service, &to.operation, 1);
        self.message(&channel, address, told, data, example);
        self.operation(key, action, &channel, &operation.docs);
    }

    fn payload(&mut self, name: &str, event: &Event) -> Value {
        match &event.payload {
            Payload::Named(name) => self.schemas.named(name, Side::Output),
            Payload::Resource(of) => self.schemas.item(of),
            // By the owner's name too, for two services may have events of one name.
            Payload::Fields(fields) => self.schemas.message(name, &event.docs, fields, Side::Output),
        }
    }

    fn message(&mut self, channel: &str, address: String, told: Told, data: Value, example: Value) {
        let mut own = json!({
            "type": "object",
            "required": ["data"],
            "properties": { "type": { "const": address }, "data": data },
        });
        let mut sample = json!({
            "specversion": "1.0",
            "id": example::uuid(0),
            "source": if told.source.is_empty() { "/caller" } else { &told.source },
            "type": address,
            "time": "2026-01-31T12:00:00.000000Z",
            "datacontenttype": "application/json",
        });
        if !told.source.is_empty() {
            own["properties"]["source"] = json!({ "const": told.source });
        }
        if let Some(key) = told.key {
            let text = format!("The `{key}` of the data: messages of one subject belong together.");
            own["properties"]["subject"] = json!({ "type": "string", "description": text });
            sample["subject"] = match &example[key] {
                Value::String(text) => json!(text),
                other => json!(other.to_string()),
            };
        }
        sample["data"] = example;
        let mut message = json!({
            "name": told.name,
            "contentType": MEDIA_TYPE,
            "payload": { "allOf": [{ "$ref": "#/components/schemas/cloudevent" }, own] },
            "examples": [{ "payload": sample }],
        });
        summarise(&mut message, told.docs);
        self.messages.insert(channel.to_owned(), message);
        let to_message = json!({ "$ref": format!("#/components/messages/{channel}") });
        self.channels.insert(channel.to_owned(), json!({ "address": address, "messages": { channel: to_message } }));
    }

    fn operation(&mut self, key: &str, action: &str, channel: &str, docs: &Docs) {
        let mut operation = json!({
            "action": action,
            "channel": { "$ref": format!("#/channels/{channel}") },
            "messages": [{ "$ref": format!("#/channels/{channel}/messages/{channel}") }],
        });
        summarise(&mut operation, docs);
        self.operations.insert(key.to_owned(), operation);
    }
}

fn summarise(object: &mut Value, docs: &Docs) {
    if !docs.summary.is_empty() {
        object["summary"] = json!(docs.summary);
    }
    describe(object, &docs.description);
}

/// Descriptions are read as Markdown.
fn describe(object: &mut Value, text: &str) {
    if !text.is_empty() {
        object["description"] = json!(escape::markdown(text));
    }
}

/// The envelope: CloudEvents 1.0.2, JSON event format, with the extensions that are sent.
fn cloud_event() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description, "minLength": 1 });
    let time = |description: &str| json!({ "type": "string", "format": "date-time", "description": description });
    json!({
        "type": "object",
        "description": "A CloudEvent. Source and id together name it for good.",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text("The same each time the message is delivered."),
            "source": { "type": "string", "format": "uri-reference", "description": "The service it comes from." },
            "type": text("What it tells, and the version of that."),
            "subject": text("What it is about."),
            "time": time("When it happened."),
            "datacontenttype": { "const": "application/json" },
            "traceparent": text("The trace that the sender was in (W3C Trace Context)."),
            "deadline": time("Work begun later is of no use to anyone."),
            "idempotencykey": text("The intent behind a command, where it is older than the message."),
            "data": {},
        },
    })
}

#[cfg(test)]
mod tests;
