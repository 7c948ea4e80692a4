//! A service to its OpenAPI 3.1 document: every operation that callers outside the system reach over REST.

use serde_json::{Map, Value, json};

use super::{
    example,
    schema::{Form, Schemas, Side},
    shape,
};
use crate::{
    escape,
    model::{
        Docs, Field, Method, Model, Operation, Output, Resource, Route, Safety, Segment, Service, Shape, StreamItem,
        Type, Verb,
    },
    names,
};

mod parameters;
mod problems;

/// The document. What is only for links stays out.
pub fn openapi(model: &Model, service: &Service) -> Value {
    let mut writer = Writer { model, service, schemas: Schemas::new(model, service, Form::OpenApi) };
    let mut paths = Map::new();
    let mut tags = Vec::new();
    for operation in service.operations.values().filter(|operation| operation.expose.rest) {
        let item = paths.entry(path(&operation.route)).or_insert_with(|| json!({}));
        item[method(operation.route.method)] = writer.operation(operation);
        let tag = tag(service, operation);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let tags: Vec<_> = tags.into_iter().map(|name| tag_object(service, name)).collect();
    let problem = problems::schema();
    writer.schemas.define("problem", |_| problem);

    let mut info = json!({ "title": format!("{} {}", model.name, service.name), "version": "1" });
    if !service.docs.summary.is_empty() {
        info["summary"] = json!(service.docs.summary);
    }
    describe(&mut info, &service.docs.description);
    json!({
        "openapi": "3.1.0",
        "info": info,
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": writer.schemas.into_named(),
            "responses": problems::responses(),
            "headers": headers(),
        },
    })
}

/// The path as OpenAPI and axum write it: `/v1/orders/{id}/cancel`.
pub fn path(route: &Route) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Field(name) => format!("/{{{name}}}"),
    };
    route.path.iter().map(segment).collect()
}

struct Writer<'m> {
    model: &'m Model,
    service: &'m Service,
    schemas: Schemas<'m>,
}

/// What an operation takes, sorted by where it travels.
struct Taken {
    parameters: Vec<Value>,
    body: Option<Body>,
}

struct Body {
    media_type: &'static str,
    schema: Value,
}

impl Writer<'_> {
    fn operation(&mut self, operation: &Operation) -> Value {
        let taken = self.taken(operation);
        let mut object = json!({ "operationId": operation.name, "tags": [tag(self.service, operation)] });
        if !operation.docs.summary.is_empty() {
            object["summary"] = json!(operation.docs.summary);
        }
        describe(&mut object, &operation.docs.description);

        let mut responses = self.success(operation);
        problems::add(&mut responses, self, operation, &taken);
        if !taken.parameters.is_empty() {
            object["parameters"] = taken.parameters.into();
        }
        if let Some(body) = taken.body {
            let content = json!({ body.media_type: { "schema": body.schema } });
            object["requestBody"] = json!({ "required": true, "content": content });
        }
        object["responses"] = responses.into();
        object
    }

    fn taken(&mut self, operation: &Operation) -> Taken {
        let mut parameters = Vec::new();
        let mut fields = self.fields(operation);
        for segment in &operation.route.path {
            let Segment::Field(name) = segment else { continue };
            // The id may stand in the path by its own name.
            let at = fields.iter().position(|field| field.name == *name).unwrap_or(0);
            if at < fields.len() {
                let field = Field { name: name.clone(), ..fields.remove(at) };
                parameters.push(self.path_parameter(&field));
            }
        }
        if operation.route.query {
            parameters.extend(fields.drain(..).map(|field| self.query_parameter(&field)));
        }
        let body = self.body(operation, fields);
        if let Shape::Verb { verb: Verb::List, resource } = &operation.shape
            && let Some(resource) = self.service.resources.get(resource)
        {
            parameters.extend(self.list_parameters(resource));
        }
        parameters.extend(parameters::headers(operation));
        Taken { parameters, body }
    }

    /// What goes into path, query or body.
    fn fields(&self, operation: &Operation) -> Vec<Field> {
        match &operation.shape {
            Shape::Custom { .. } => shape::request_fields(self.model, self.service, operation),
            Shape::Verb { .. } => shape::on_item(operation)
                .map(|resource| shape::item_id(&shape::of_service(self.service, resource)))
                .into_iter()
                .collect(),
        }
    }

    fn body(&mut self, operation: &Operation, left: Vec<Field>) -> Option<Body> {
        let json = "application/json";
        let (media_type, name, fields, side) = match &operation.shape {
            Shape::Custom { .. } if left.is_empty() => return None,
            Shape::Custom { .. } => (json, names::upper_camel(&operation.name) + "Request", left, Side::Input),
            Shape::Verb { verb, resource: name } => {
                let resource = self.service.resources.get(name)?;
                match verb {
                    Verb::Create => (json, format!("New{name}"), shape::new_fields(resource), Side::Input),
                    Verb::Replace => (json, format!("{name}Draft"), shape::draft_fields(resource), Side::Input),
                    Verb::Patch => {
                        let fields = shape::draft_fields(resource);
                        ("application/merge-patch+json", format!("{name}Patch"), fields, Side::Patch)
                    }
                    Verb::List | Verb::Get | Verb::Delete => return None,
                }
            }
        };
        Some(Body { media_type, schema: self.schemas.message(&name, &Docs::default(), &fields, side) })
    }

    /// The answers that are no errors.
    fn success(&mut self, operation: &Operation) -> Map<String, Value> {
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
                        if is_natural(resource) {
                            add("201", located(item(self, "Created, for there was no item of this id.")));
                        }
                    }
                    Verb::Patch => add("200", item(self, "Changed.")),
                    Verb::Delete => add("204", json!({ "description": "Deleted." })),
                }
            }
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

fn answer(text: &str, schema: Value) -> Value {
    json!({ "description": text, "content": { "application/json": { "schema": schema } } })
}

fn etag() -> Value {
    json!({ "ETag": { "$ref": "#/components/headers/ETag" } })
}

fn located(mut response: Value) -> Value {
    response["headers"]["Location"] = json!({ "$ref": "#/components/headers/Location" });
    response
}

fn headers() -> Value {
    let header = |text: &str, schema: Value| json!({ "description": text, "schema": schema });
    json!({
        "ETag": header("The revision of the item, strong.", json!({ "type": "string", "pattern": "^\"[^\"]*\"$" })),
        "Link": header(
            "The next page (RFC 8288): `</v1/…?cursor=…>; rel=\"next\"`. Absent on the last.",
            json!({ "type": "string" }),
        ),
        "Location": header("The path of the item.", json!({ "type": "string", "format": "uri-reference" })),
        "RetryAfter": header("Seconds to wait.", json!({ "type": "integer", "minimum": 0 })),
    })
}

/// Whether the id is given by the caller.
fn is_natural(resource: &Resource) -> bool {
    resource.fields.iter().any(|field| field.name == resource.id && !field.readonly)
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}

/// Operations are grouped by resource; the rest belong to the service.
fn tag<'a>(service: &'a Service, operation: &'a Operation) -> &'a str {
    match &operation.shape {
        Shape::Verb { resource, .. } | Shape::Custom { of: Some(resource), .. } => resource,
        Shape::Custom { of: None, .. } => &service.name,
    }
}

fn tag_object(service: &Service, name: &str) -> Value {
    let mut tag = json!({ "name": name });
    if let Some(resource) = service.resources.get(name) {
        describe(&mut tag, &shape::text(&resource.docs));
    }
    tag
}

/// Descriptions are read as Markdown.
fn describe(object: &mut Value, text: &str) {
    if !text.is_empty() {
        object["description"] = json!(escape::markdown(text));
    }
}

/// Whether a repeat with the same key has the effect of one call.
fn is_keyed(operation: &Operation) -> bool {
    operation.safety == Safety::Keyed
}

#[cfg(test)]
mod tests;
