//! A service to its OpenAPI 3.1 document: every operation that callers outside the system reach over REST.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    schema::{self, Form, Schemas, Side},
    shape,
};
use crate::{
    design::Word,
    escape,
    model::{
        Docs, Field, Input, Method, Model, Operation, Output, Route, Safety, Segment, Service, Shape, StreamItem,
        Transport, Verb,
    },
    names,
};

mod answers;
mod parameters;
mod problems;
mod versions;

pub use problems::{failures, kind, sentence};

/// The document. What is only for links stays out.
pub fn openapi(model: &Model, service: &Service) -> Value {
    let mut writer = Writer { model, service, schemas: Schemas::new(model, Form::OpenApi) };
    let mut paths = Map::new();
    let mut tags = Vec::new();
    for operation in service.operations.values().filter(|operation| operation.expose.has(Transport::Rest)) {
        let item = paths.entry(path(&operation.route)).or_insert_with(|| json!({}));
        item[method(operation.route.method)] = writer.operation(operation);
        let tag = tag(service, operation);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let tags: Vec<_> = tags.into_iter().map(|name| tag_object(service, name)).collect();
    writer.schemas.define("problem", |_| problems::schema());

    let mut info =
        json!({ "title": format!("{} {}", model.name, service.name), "version": service.version.to_string() });
    if let Some(team) = &service.team {
        info["contact"] = json!({ "name": team });
    }
    if !service.docs.summary.is_empty() {
        info["summary"] = json!(service.docs.summary);
    }
    describe(&mut info, &service.docs.description);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": info,
        "servers": [{ "url": "/" }],
        "security": [],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": writer.schemas.into_named(),
            "responses": problems::responses(),
            "headers": answers::headers(),
        },
    });
    versions::add(&mut document, model, service);
    // Responses refer to headers and schemas, so they go first.
    for kind in ["responses", "headers", "schemas"] {
        drop_unused(&mut document, kind);
    }
    document
}

/// Drops the components of a kind that nothing refers to.
fn drop_unused(document: &mut Value, kind: &str) {
    let mut used = BTreeSet::new();
    references(document, &mut used);
    if let Some(components) = document["components"][kind].as_object_mut() {
        components.retain(|name, _| used.contains(&format!("#/components/{kind}/{name}")));
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| match value {
            Value::String(to) if name == "$ref" => _ = found.insert(to.clone()),
            value => references(value, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
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
    required: bool,
}

impl Writer<'_> {
    fn operation(&mut self, operation: &Operation) -> Value {
        let taken = self.taken(operation);
        let mut object = json!({ "operationId": operation.name, "tags": [tag(self.service, operation)] });
        object["summary"] = json!(summary(self.service, operation));
        describe(&mut object, &operation.docs.description);

        let mut responses = self.success(operation);
        problems::add(&mut responses, self, operation, &taken);
        if !taken.parameters.is_empty() {
            object["parameters"] = taken.parameters.into();
        }
        if let Some(body) = taken.body {
            let content = json!({ body.media_type: { "schema": body.schema } });
            object["requestBody"] = json!({ "required": body.required, "content": content });
        }
        object["responses"] = responses.into();
        if let Shape::Custom { input: Input::Stream(item), output: Output::Stream(answer), .. } = &operation.shape {
            let client = self.schemas.named(item, Side::Input);
            let server = match answer {
                StreamItem::Named(name) => self.schemas.named(name, Side::Output),
                StreamItem::Resource(of) => self.schemas.item(of),
            };
            object["x-websocket"] = json!({ "client": client, "server": server });
        }
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
        // Beside a path that holds a part of the input, nothing is an empty object.
        let is_apart = parameters.len() > usize::from(shape::on_item(operation).is_some());
        let body = self.body(operation, fields, is_apart);
        if let Shape::Verb { verb: Verb::List, resource } = &operation.shape
            && let Some(resource) = self.service.resources.get(resource)
        {
            parameters.extend(self.list_parameters(resource));
        }
        parameters.extend(parameters::headers(self.service, operation));
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

    /// A stream of input: one JSON text a line.
    fn lines(&mut self, item: &str) -> Body {
        // OpenAPI 3.2 has `itemSchema` for this; here the stream is told as the list of its lines.
        let items = self.schemas.named(item, Side::Input);
        Body {
            media_type: "application/x-ndjson",
            schema: json!({ "type": "array", "format": "ndjson", "items": items }),
            required: true,
        }
    }

    fn body(&mut self, operation: &Operation, left: Vec<Field>, is_apart: bool) -> Option<Body> {
        let json = "application/json";
        let (media_type, name, fields, side) = match &operation.shape {
            Shape::Custom { input: Input::Stream(item), .. } if !operation.streams() => return Some(self.lines(item)),
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
        let required = !is_apart || fields.iter().any(|field| schema::is_required(field, side));
        Some(Body { media_type, schema: self.schemas.message(&name, &Docs::default(), &fields, side), required })
    }
}

/// The design's, else one made of the names.
pub fn summary(service: &Service, operation: &Operation) -> String {
    let words = |name: &str| names::snake(name).replace('_', " ");
    match &operation.shape {
        _ if !operation.docs.summary.is_empty() => operation.docs.summary.clone(),
        Shape::Custom { .. } => problems::sentence(&operation.name),
        Shape::Verb { verb: Verb::List, resource } => {
            let plural = service.resources.get(resource).map_or(resource, |found| &found.plural);
            format!("List {}", words(plural))
        }
        Shape::Verb { verb, resource } => format!("{} one {}", problems::sentence(verb.word()), words(resource)),
    }
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
    let (docs, otherwise) = match service.resources.get(name) {
        Some(resource) => (&resource.docs, format!("The resource {name}.")),
        None => (&service.docs, format!("Operations of {name}.")),
    };
    let text = shape::text(docs);
    let mut tag = json!({ "name": name });
    describe(&mut tag, if text.is_empty() { &otherwise } else { &text });
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

/// Whether the caller may say which revision of the item it means. What a command on an item asks of it is up to the
/// command, which sees no revision.
fn is_conditional(operation: &Operation) -> bool {
    matches!(operation.shape, Shape::Verb { verb: Verb::Replace | Verb::Patch | Verb::Delete, .. })
}

#[cfg(test)]
mod tests;
