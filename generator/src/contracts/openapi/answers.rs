//! Answers that are no errors: items, pages, streams, their headers.

use serde_json::{Map, Value, json};

use super::Writer;
use crate::{
    contracts::{example, schema::Side, shape},
    model::{Docs, Method, Operation, Output, Resource, Shape, StreamItem, Type, Verb},
    names,
};

impl Writer<'_> {
    /// The answers that are no errors.
    pub(super) fn success(&mut self, operation: &Operation) -> Map<String, Value> {
        let mut responses = Map::new();
        let mut add = |status: &str, response| _ = responses.insert(status.to_owned(), response);
        match &operation.shape {
            Shape::Custom { output, .. } => {
                let (status, response) = self.output(operation, output);
                add(status, response);
            }
            Shape::Verb { verb, resource: name } => {
                let Some(resource) = self.service.resources.get(name) else { return responses };
                let item = |writer: &mut Self, text| writer.item(resource, text);
                match verb {
                    Verb::List => add("200", self.page(resource)),
                    Verb::Get => {
                        add("200", item(self, "The item."));
                        add("304", json!({ "description": "The caller has this revision.", "headers": etag() }));
                    }
                    Verb::Create => add("201", located(item(self, "Created."))),
                    Verb::Replace => {
                        add("200", item(self, "Replaced."));
                        if shape::is_natural(resource) {
                            add("201", located(item(self, "Created, for there was no item of this id.")));
                        }
                    }
                    Verb::Patch => add("200", item(self, "Changed.")),
                    Verb::Delete => add("204", json!({ "description": "Deleted." })),
                }
            }
        }
        if let Some(seconds) = operation.cache.filter(|_| operation.route.method == Method::Get) {
            let text = format!(
                "How long the answer holds (RFC 9111): `max-age={seconds}`, or `no-store` if parts of it are stand-ins."
            );
            for response in responses.values_mut() {
                response["headers"]["Cache-Control"] =
                    json!({ "description": text, "schema": { "enum": [format!("max-age={seconds}"), "no-store"] } });
            }
        }
        if self.service.counts(operation) {
            responses.values_mut().for_each(stands);
        }
        responses
    }

    fn output(&mut self, operation: &Operation, output: &Output) -> (&'static str, Value) {
        let done = || ("204", json!({ "description": "Done." }));
        let response = match output {
            Output::None => return done(),
            Output::Named(name) => {
                let mut response = answer("Done.", self.schemas.named(name, Side::Output));
                let example = example::value(self.model, &shape::named_type(name));
                response["content"]["application/json"]["example"] = example;
                response
            }
            Output::Fields(fields) => {
                let name = names::upper_camel(&operation.name) + "Response";
                answer("Done.", self.schemas.message(&name, &Docs::default(), fields, Side::Output))
            }
            Output::Resource(of) => {
                let mut response = answer("Done.", self.schemas.item(of));
                if of.service == self.service.name {
                    response["headers"] = etag();
                }
                response
            }
            Output::Item => match shape::on_item(operation).and_then(|name| self.service.resources.get(name)) {
                Some(resource) => self.item(resource, "The item after it."),
                None => return done(),
            },
            Output::Stream(_) if operation.reads() => return ("101", upgrade()),
            Output::Stream(item) => self.events(item),
        };
        ("200", response)
    }

    fn item(&mut self, resource: &Resource, text: &str) -> Value {
        let mut response = answer(text, self.schemas.item(&shape::of_service(self.service, &resource.name)));
        response["headers"] = etag();
        response
    }

    fn page(&mut self, resource: &Resource) -> Value {
        let item = self.schemas.item(&shape::of_service(self.service, &resource.name));
        let next = json!({ "type": "string", "description": "The cursor of the next page. Absent on the last." });
        let page = json!({
            "type": "object",
            "required": ["items"],
            "properties": { "items": { "type": "array", "items": item }, "next": next },
        });
        let schema = self.schemas.define(&format!("{}Page", resource.name), |_| page);
        let mut response = answer("A page.", schema);
        response["headers"] = json!({ "Link": { "$ref": "#/components/headers/Link" } });
        response
    }

    fn events(&mut self, item: &StreamItem) -> Value {
        let (schema, ty) = match item {
            StreamItem::Named(name) => (self.schemas.named(name, Side::Output), shape::named_type(name)),
            StreamItem::Resource(of) => (self.schemas.item(of), Type::Resource(of.clone())),
        };
        json!({
            "description": "A stream of server-sent events. Each item is the `data` of one event, as JSON. The event \
                `end` says that the stream is complete, the event `error` brings a problem and ends it; without either \
                the connection was lost.",
            // OpenAPI 3.2 has `itemSchema` for this; here the stream is told as the list of what it brings.
            "content": {
                "text/event-stream": {
                    "schema": { "type": "array", "format": "event-stream", "items": schema },
                    "example": [example::value(self.model, &ty)],
                },
            },
        })
    }
}

fn upgrade() -> Value {
    json!({
        "description": "The connection is a WebSocket from now on (RFC 6455), with one JSON text a message: what either \
            side sends is under `x-websocket`. An empty message of the client says that it sends no more. The server \
            closes with 1000 when it is done. An error is a last message `{\"error\": problem}`, and the close code is \
            1007 for items that are wrong, 1008 for what is refused, 1011 for trouble inside, 1013 for later, 1001 when \
            the service stops; binary messages are refused with 1003, too large ones with 1009.",
    })
}

fn answer(text: &str, schema: Value) -> Value {
    json!({ "description": text, "content": { "application/json": { "schema": schema } } })
}

fn etag() -> Value {
    json!({ "ETag": { "$ref": "#/components/headers/ETag" } })
}

/// Says where the caller stands.
pub(super) fn stands(response: &mut Value) {
    for (header, component) in [("RateLimit", "RateLimit"), ("RateLimit-Policy", "RateLimitPolicy")] {
        response["headers"][header] = json!({ "$ref": format!("#/components/headers/{component}") });
    }
}

fn located(mut response: Value) -> Value {
    response["headers"]["Location"] = json!({ "$ref": "#/components/headers/Location" });
    response
}

/// The headers that answers refer to.
pub(super) fn headers() -> Value {
    let header = |text: &str, schema: Value| json!({ "description": text, "schema": schema });
    json!({
        "ETag": header("The revision of the item, strong.", json!({ "type": "string", "pattern": "^\"[^\"]*\"$" })),
        "Link": header(
            "The next page (RFC 8288): `</v1/…?cursor=…>; rel=\"next\"`. Absent on the last.",
            json!({ "type": "string" }),
        ),
        "Location": header("The path of the item.", json!({ "type": "string", "format": "uri-reference" })),
        "RateLimit": header(
            "For each limit that the call counted in: calls left, and seconds until there are all again \
                (draft-ietf-httpapi-ratelimit-headers-11): `\"orders.place\";r=59;t=1`.",
            json!({ "type": "string" }),
        ),
        "RateLimitPolicy": header(
            "The limits: so many calls in so many seconds: `\"orders.place\";q=60;w=60`.",
            json!({ "type": "string" }),
        ),
        "RetryAfter": header("Seconds to wait.", json!({ "type": "integer", "minimum": 0 })),
    })
}
