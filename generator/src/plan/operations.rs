//! Views of the operations of a service: the trait, its errors, the links to it.

use serde::Serialize;

use crate::{
    escape,
    model::{
        DeclaredError, ErrorKind, Event, Input, Model, Operation, Output, Payload, Safety, Service, Shape, StreamItem,
        Verb,
    },
    names,
};

use super::{
    batch_get::{self, BatchGet},
    gate,
    rust::{id_name, user},
    types::doc_lines,
};

/// One operation, all names final.
#[derive(Debug, Serialize)]
pub struct OperationView {
    pub docs: Vec<String>,
    /// The trait's method.
    pub method: String,
    /// As in the design: `reserve`.
    pub name: String,
    /// In `operations`.
    pub constant: String,
    pub params: Vec<Param>,
    /// Those that each try needs a copy of.
    pub cloned: Vec<Param>,
    /// `, id: OrderId, input: CancelRequest`
    pub signature: String,
    /// `, id, input`
    pub arguments: String,
    /// `, _: OrderId, _: CancelRequest`
    pub ignored: String,
    /// The method of `Link` that calls it: `call`, or `open` a stream; `send` one, or `exchange` two.
    pub link: &'static str,
    /// What it answers: `Order`, `()`; of a stream the item.
    pub output: String,
    pub stream: bool,
    /// The item of an input that is a stream, and whether it is one.
    pub item: String,
    pub reads: bool,
    /// `Failure`, or its own enum.
    pub error: String,
    /// What makes a `Failure` the error: `.into()`, or nothing.
    pub into: &'static str,
    /// `Result<Order, CancelError>`
    pub result: String,
    pub safety: &'static str,
    /// A repeat is safe under the same key.
    pub is_keyed: bool,
    /// The first answer under a key is kept.
    pub keeps_answer: bool,
    /// Calls of it are counted.
    pub is_limited: bool,
    /// All that it is given, in one expression: `id`, `(&id, &input)`
    pub given: String,
    /// What reads several of what it reads, if anything does.
    pub batch: Vec<BatchGet>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Param {
    pub name: String,
    pub ty: String,
    /// A copy of it for one more try.
    pub clone: String,
}

/// The error enum of an operation that declares errors.
#[derive(Debug, Serialize)]
pub struct ErrorView {
    pub docs: Vec<String>,
    pub name: String,
    pub variants: Vec<ErrorVariant>,
}

#[derive(Debug, Serialize)]
pub struct ErrorVariant {
    pub docs: Vec<String>,
    pub variant: String,
    /// `(Shortage)`, or empty.
    pub data: String,
    pub kind: &'static str,
    /// What people read, a Rust string literal.
    pub text: String,
}

pub fn view(model: &Model, service: &Service, operation: &Operation) -> OperationView {
    let params = params(model, service, operation);
    let output = output(service, operation);
    let stream = operation.streams();
    let error = match operation.errors.is_empty() {
        true => "Failure".to_owned(),
        false => user(&error_name(operation)),
    };
    let result = match stream {
        true => format!("Result<Stream<{output}, {error}>, {error}>"),
        false => format!("Result<{output}, {error}>"),
    };
    let mut docs = doc_lines(&operation.docs, "");
    if let Some(until) = operation.until {
        let gap = (!docs.is_empty()).then(|| "///".to_owned());
        docs.extend(gap);
        docs.push(format!(
            "/// Only callers of versions up to {until} reach it: the present one is served without it."
        ));
    }
    OperationView {
        docs,
        method: names::rust::ident(&operation.name),
        name: operation.name.clone(),
        constant: names::rust::constant(&operation.name),
        signature: params.iter().map(|p| format!(", {}: {}", p.name, p.ty)).collect(),
        arguments: params.iter().map(|p| format!(", {}", p.name)).collect(),
        ignored: params.iter().map(|p| format!(", _: {}", p.ty)).collect(),
        link: match (operation.reads(), stream) {
            (false, false) => "call",
            (false, true) => "open",
            (true, false) => "send",
            (true, true) => "exchange",
        },
        given: match params.as_slice() {
            [one] => one.name.clone(),
            all => format!("({})", all.iter().map(|p| format!("&{}", p.name)).collect::<Vec<_>>().join(", ")),
        },
        cloned: params.iter().filter(|p| p.clone != p.name).cloned().collect(),
        item: item(operation),
        reads: operation.reads(),
        params,
        output,
        stream,
        into: if operation.errors.is_empty() { "" } else { ".into()" },
        error,
        result,
        safety: match operation.safety {
            Safety::Safe => "Safe",
            Safety::Keyed => "Keyed",
            Safety::Unsafe => "Unsafe",
        },
        is_keyed: operation.safety == Safety::Keyed,
        keeps_answer: gate::keeps_answer(model, service, operation),
        is_limited: gate::is_limited(model, service, operation),
        batch: batch_get::of(model, service, operation).into_iter().collect(),
    }
}

/// `ReserveError`.
pub fn error_name(operation: &Operation) -> String {
    names::upper_camel(&operation.name) + "Error"
}

/// `ReserveRequest`: the record of an input written at its operation.
pub fn request_name(operation: &Operation) -> String {
    names::upper_camel(&operation.name) + "Request"
}

/// `ReserveResponse`: the record of an output written at its operation.
pub fn response_name(operation: &Operation) -> String {
    names::upper_camel(&operation.name) + "Response"
}

fn params(model: &Model, service: &Service, operation: &Operation) -> Vec<Param> {
    let owned = |name: &str, ty: String| Param { name: name.into(), ty, clone: format!("{name}.clone()") };
    let etag = || Param { name: "etag".into(), ty: "Option<Etag>".into(), clone: "etag".into() };
    match &operation.shape {
        Shape::Custom { of, input, .. } => {
            let id = of.as_ref().map(|resource| owned("id", user(&id_name(resource))));
            let input = input_type(model, operation, input).map(|ty| owned("input", ty));
            id.into_iter().chain(input).collect()
        }
        Shape::Verb { verb, resource } => {
            let id = || owned("id", user(&id_name(resource)));
            match verb {
                Verb::List => {
                    let plural = service.resources.get(resource).map_or(resource.as_str(), |r| &r.plural);
                    vec![owned("query", user(&format!("List{plural}")))]
                }
                Verb::Get => vec![id()],
                Verb::Create => vec![owned("new", user(&format!("New{resource}")))],
                Verb::Replace => vec![id(), owned("draft", user(&format!("{resource}Draft"))), etag()],
                Verb::Patch => vec![id(), owned("patch", user(&format!("{resource}Patch"))), etag()],
                Verb::Delete => vec![id(), etag()],
            }
        }
    }
}

/// The item of an input that is a stream; else nothing.
fn item(operation: &Operation) -> String {
    match &operation.shape {
        Shape::Custom { input: Input::Stream(item), .. } => user(item),
        _ => String::new(),
    }
}

fn input_type(model: &Model, operation: &Operation, input: &Input) -> Option<String> {
    match input {
        Input::None => None,
        Input::Named(name) => Some(user(name)),
        Input::Stream(item) => Some(format!("Stream<{}, Failure>", user(item))),
        Input::Fields(_) => Some(user(&request_name(operation))),
        Input::Payload(event) => {
            let event = model.services.get(&event.service)?.events.get(&event.event)?;
            Some(payload_type(event))
        }
    }
}

/// The Rust type of an event's payload.
pub fn payload_type(event: &Event) -> String {
    match &event.payload {
        Payload::Named(name) => user(name),
        Payload::Resource(resource) => user(&resource.resource),
        Payload::Fields(_) => user(&event.name),
    }
}

fn output(service: &Service, operation: &Operation) -> String {
    match &operation.shape {
        Shape::Custom { of, output, .. } => match output {
            Output::None => "()".into(),
            Output::Named(name) | Output::Stream(StreamItem::Named(name)) => user(name),
            Output::Resource(resource) | Output::Stream(StreamItem::Resource(resource)) => user(&resource.resource),
            Output::Fields(_) => user(&response_name(operation)),
            Output::Item => of.as_ref().map_or_else(|| "()".into(), |resource| user(resource)),
        },
        Shape::Verb { verb, resource } => match verb {
            Verb::List => {
                debug_assert!(service.resources.contains_key(resource));
                user(&format!("{resource}Page"))
            }
            Verb::Delete => "()".into(),
            Verb::Get | Verb::Create | Verb::Replace | Verb::Patch => user(resource),
        },
    }
}

/// The error enum, if the operation declares errors.
pub fn errors(operation: &Operation) -> Option<ErrorView> {
    if operation.errors.is_empty() {
        return None;
    }
    Some(ErrorView {
        docs: vec![format!("/// Why `{}` may fail.", operation.name)],
        name: user(&error_name(operation)),
        variants: operation.errors.iter().map(variant).collect(),
    })
}

/// The variant of the kit's `Kind`.
pub fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "Invalid",
        ErrorKind::Denied => "Denied",
        ErrorKind::NotFound => "NotFound",
        ErrorKind::Exists => "Exists",
        ErrorKind::Conflict => "Conflict",
        ErrorKind::Stale => "Stale",
        ErrorKind::Limited => "Limited",
        ErrorKind::Unavailable => "Unavailable",
    }
}

fn variant(error: &DeclaredError) -> ErrorVariant {
    ErrorVariant {
        docs: doc_lines(&error.docs, ""),
        variant: super::rust::variant(&error.name),
        data: error.data.as_ref().map_or_else(String::new, |data| format!("({})", user(data))),
        kind: kind(error.kind),
        text: escape::rust_str(&names::snake(&error.name).replace('_', " ")),
    }
}
