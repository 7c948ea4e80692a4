//! A service to its OpenRPC 1.3 document: every operation that callers outside the system reach over JSON-RPC.

use serde_json::{Value, json};

use super::{
    example, openapi,
    schema::{self, Form, Schemas, Side},
    shape::{self, COMPARISONS},
};
use crate::{
    design::Word,
    escape,
    model::{
        DeclaredError, Docs, Field, Model, Operation, Output, Resource, Scalar, Service, Shape, StreamItem, Transport,
        Type, Verb,
    },
    names,
};

#[cfg(test)]
mod tests;

/// What the parameters of a method are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// Of these names, which the language fixes, so that they may also be given by position.
    Fixed(&'static [&'static str]),
    /// The fields of the input, or of a list's query. Their order is no part of the contract.
    Fields,
    /// The fields of the input, and the `id` of the item.
    OnItem,
}

/// Of an operation.
pub fn parameters(operation: &Operation) -> Parameters {
    use crate::model::Input;
    match &operation.shape {
        Shape::Custom { of: None, input: Input::None, .. } => Parameters::Fixed(&[]),
        Shape::Custom { of: Some(_), input: Input::None, .. } | Shape::Verb { verb: Verb::Get, .. } => {
            Parameters::Fixed(&["id"])
        }
        Shape::Custom { of: None, .. } | Shape::Verb { verb: Verb::List, .. } => Parameters::Fields,
        Shape::Custom { of: Some(_), .. } => Parameters::OnItem,
        Shape::Verb { verb: Verb::Create, .. } => Parameters::Fixed(&["item"]),
        Shape::Verb { verb: Verb::Replace, .. } => Parameters::Fixed(&["id", "item", "etag"]),
        Shape::Verb { verb: Verb::Patch, .. } => Parameters::Fixed(&["id", "patch", "etag"]),
        Shape::Verb { verb: Verb::Delete, .. } => Parameters::Fixed(&["id", "etag"]),
    }
}

/// The method of an operation: `order.cancel`.
pub fn method(operation: &Operation) -> String {
    match &operation.shape {
        Shape::Custom { of, .. } => names::jsonrpc::method(of.as_deref(), &operation.name),
        Shape::Verb { verb, resource } => names::jsonrpc::method(Some(resource), verb.word()),
    }
}

/// The document. What is only for links stays out.
pub fn openrpc(model: &Model, service: &Service) -> Value {
    let mut writer = Writer { model, service, schemas: Schemas::new(model, Form::AsyncApi) };
    let exposed = service.operations.values().filter(|operation| operation.expose.has(Transport::Jsonrpc));
    let methods: Vec<Value> = exposed.map(|operation| writer.method(operation)).collect();

    let mut info =
        json!({ "title": format!("{} {}", model.name, service.name), "version": service.version.to_string() });
    if let Some(team) = &service.team {
        info["contact"] = json!({ "name": team });
    }
    info["description"] = json!(description(service));
    json!({
        "openrpc": "1.3.2",
        "info": info,
        "servers": [{ "name": service.name, "url": url(service) }],
        "methods": methods,
        "components": { "schemas": writer.schemas.into_named() },
    })
}

fn url(service: &Service) -> String {
    format!("/{}", names::path::rpc(service).join("/"))
}

/// What the service does, how it is asked, and what it does not do here.
fn description(service: &Service) -> String {
    let mut parts = vec![escape::markdown(&shape::text(&service.docs))];
    parts.push(format!(
        "JSON-RPC 2.0: `POST {}` with one request, or a list of them. The `data` of an error has its `kind`, of a \
         declared one the name as `error` and the record that it brings as `data`, and what is wrong with which field \
         as `fields`.",
        url(service)
    ));
    let streams: Vec<String> = service
        .operations
        .values()
        .filter(|operation| !operation.is_unary() && operation.expose.any())
        .map(|operation| format!("`{}`", operation.name))
        .collect();
    if !streams.is_empty() {
        parts.push(format!("JSON-RPC has no streams, so this is not here: {}.", streams.join(", ")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

struct Writer<'m> {
    model: &'m Model,
    service: &'m Service,
    schemas: Schemas<'m>,
}

impl Writer<'_> {
    fn method(&mut self, operation: &Operation) -> Value {
        let mut object = json!({ "name": method(operation) });
        let tag = match &operation.shape {
            Shape::Verb { resource, .. } | Shape::Custom { of: Some(resource), .. } => resource,
            Shape::Custom { of: None, .. } => &self.service.name,
        };
        object["tags"] = json!([{ "name": tag }]);
        object["summary"] = json!(openapi::summary(self.service, operation));
        describe(&mut object, &operation.docs.description);
        object["paramStructure"] = json!(match parameters(operation) {
            Parameters::Fixed(_) => "either",
            Parameters::Fields | Parameters::OnItem => "by-name",
        });
        object["params"] = self.params(operation).into();
        object["result"] = json!({ "name": "result", "schema": self.result(operation) });
        let errors = self.errors(operation);
        if !errors.is_empty() {
            object["errors"] = errors.into();
        }
        object
    }

    fn params(&mut self, operation: &Operation) -> Vec<Value> {
        match (&operation.shape, parameters(operation)) {
            (Shape::Verb { verb: Verb::List, resource }, _) => {
                let resource = self.service.resources.get(resource);
                resource.map(|resource| self.list(resource)).unwrap_or_default()
            }
            (_, Parameters::Fixed(names)) => names.iter().map(|name| self.fixed(operation, name)).collect(),
            (_, Parameters::Fields | Parameters::OnItem) => {
                let fields = shape::request_fields(self.model, self.service, operation);
                fields.iter().map(|field| self.field(field)).collect()
            }
        }
    }

    fn field(&mut self, field: &Field) -> Value {
        let mut param = json!({ "name": field.name });
        describe(&mut param, &shape::text(&field.docs));
        param["required"] = json!(schema::is_required(field, Side::Input));
        param["schema"] = self.schemas.field(&Field { docs: Docs::default(), ..field.clone() }, Side::Input);
        param
    }

    /// A parameter whose name is the language's.
    fn fixed(&mut self, operation: &Operation, name: &str) -> Value {
        let (of, verb) = match &operation.shape {
            Shape::Verb { verb, resource } => (resource, Some(verb)),
            Shape::Custom { of: Some(resource), .. } => (resource, None),
            Shape::Custom { of: None, .. } => return json!({}),
        };
        if name == "id" {
            return self.field(&shape::item_id(&shape::of_service(self.service, of)));
        }
        if name == "etag" {
            let ty = Type::Optional(Box::new(shape::etag().ty));
            return self.optional("etag", &ty, "The revision that the caller means: `stale` if the item has another.");
        }
        let Some(resource) = self.service.resources.get(of) else { return json!({}) };
        let (message, fields, side) = match verb {
            Some(Verb::Create) => (format!("New{of}"), shape::new_fields(resource), Side::Input),
            Some(Verb::Patch) => (format!("{of}Patch"), shape::draft_fields(resource), Side::Patch),
            _ => (format!("{of}Draft"), shape::draft_fields(resource), Side::Input),
        };
        let schema = self.schemas.message(&message, &Docs::default(), &fields, side);
        json!({ "name": name, "required": true, "schema": schema })
    }

    /// One of our own that may be left out, with a text that is Markdown.
    fn optional(&mut self, name: &str, ty: &Type, text: &str) -> Value {
        let mut param = json!({ "name": name });
        if !text.is_empty() {
            param["description"] = json!(text);
        }
        param["required"] = json!(false);
        param["schema"] = self.schemas.of(ty, Side::Input);
        param
    }

    /// What `list` takes: the page, the order, the filters.
    fn list(&mut self, resource: &Resource) -> Vec<Value> {
        let text = Type::Scalar(Scalar::String { min: 0, max: None, pattern: None });
        let limit = Type::Scalar(Scalar::U32 { min: 1, max: 200 });
        let cursor = "The `next` of the page before. Good for a day and for the same filters and order.";
        let mut params = vec![
            self.optional("limit", &limit, "Items of a page, 50 if not given."),
            self.optional("cursor", &text, cursor),
        ];
        let sorts: Vec<String> = shape::sorts(resource).iter().map(|sort| format!("`{sort}`")).collect();
        if !sorts.is_empty() {
            let words = format!(
                "By what to sort, between commas, `-` before for downwards: {}. Newest first if not given.",
                sorts.join(", ")
            );
            params.push(self.optional("sort", &text, &words));
        }
        for filter in shape::filters(resource) {
            params.push(self.optional(&filter.path, &filter.any(), "Any of these."));
            for comparison in COMPARISONS.iter().filter(|_| filter.ordered) {
                params.push(self.optional(&format!("{}.{comparison}", filter.path), &filter.ty, ""));
            }
        }
        params
    }

    fn result(&mut self, operation: &Operation) -> Value {
        let own = |service: &Service, resource: &str| shape::of_service(service, resource);
        match &operation.shape {
            Shape::Custom { output, .. } => match output {
                Output::None => done(),
                Output::Named(name) | Output::Stream(StreamItem::Named(name)) => self.schemas.named(name, Side::Output),
                Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => self.schemas.item(of),
                Output::Fields(fields) => {
                    let name = names::upper_camel(&operation.name) + "Response";
                    self.schemas.message(&name, &Docs::default(), fields, Side::Output)
                }
                Output::Item => match shape::on_item(operation) {
                    Some(resource) => self.schemas.item(&own(self.service, resource)),
                    None => done(),
                },
            },
            Shape::Verb { verb: Verb::Delete, .. } => done(),
            Shape::Verb { verb: Verb::List, resource } => {
                let item = self.schemas.item(&own(self.service, resource));
                let next =
                    json!({ "type": "string", "description": "The cursor of the next page. Absent on the last." });
                json!({
                    "type": "object",
                    "required": ["items"],
                    "properties": { "items": { "type": "array", "items": item }, "next": next },
                })
            }
            Shape::Verb { resource, .. } => self.schemas.item(&own(self.service, resource)),
        }
    }

    /// Codes are unique in a method: errors of one kind share theirs, and their `data` tells them apart.
    fn errors(&self, operation: &Operation) -> Vec<Value> {
        let failures = openapi::failures(self.service, operation);
        let mut errors = Vec::new();
        for (kind, code, message) in CODES {
            let declared: Vec<&DeclaredError> =
                operation.errors.iter().filter(|error| openapi::kind(error.kind) == kind).collect();
            let (message, data) = match declared.as_slice() {
                [] if failures.contains(&kind) => (message.to_owned(), json!({ "kind": kind })),
                [] => continue,
                [one] => (openapi::sentence(&one.name), self.data(kind, one)),
                many => {
                    let names: Vec<String> = many.iter().map(|error| openapi::sentence(&error.name)).collect();
                    let data: Vec<Value> = many.iter().map(|error| self.data(kind, error)).collect();
                    (names.join("; "), data.into())
                }
            };
            errors.push(json!({ "code": code, "message": message, "data": data }));
        }
        errors
    }

    /// An example of what comes with a declared error.
    fn data(&self, kind: &str, error: &DeclaredError) -> Value {
        let mut data = json!({ "kind": kind, "error": error.name });
        if let Some(record) = &error.data {
            data["data"] = example::value(self.model, &shape::named_type(record));
        }
        data
    }
}

/// The table of LANGUAGE §7.1, as far as designs declare: kind, code, what it says where nothing is declared.
const CODES: [(&str, i32, &str); 8] = [
    ("invalid", -32602, "Invalid params"),
    ("denied", -32003, "Denied"),
    ("not_found", -32004, "There is no such item"),
    ("exists", -32005, "It exists already"),
    ("conflict", -32009, "The state of things does not allow it"),
    ("stale", -32012, "The item has another revision"),
    ("limited", -32029, "Too many calls: later"),
    ("unavailable", -32053, "Not now: later"),
];

/// The answer of what has none.
fn done() -> Value {
    json!({ "type": "null" })
}

/// Descriptions are read as Markdown.
fn describe(object: &mut Value, text: &str) {
    if !text.is_empty() {
        object["description"] = json!(escape::markdown(text));
    }
}
