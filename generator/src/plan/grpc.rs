//! Views of what gRPC adds to an operation and to the types of a contract: messages, conversions, the module that
//! prost and tonic write.

use serde::Serialize;

use crate::{
    contracts::{
        proto::{self, Needed},
        shape,
        wire::WireLock,
    },
    model::{
        Field, Input, Model, Operation, Output, Resource, Service, Shape, StreamItem, Transport, Type, TypeDef,
        TypeRef, Verb,
    },
    names,
};

use super::{
    operations::{self, OperationView, payload_type, request_name, response_name},
    resources,
    rust::{self, id_name, user},
    types::{default_value, is_recursive},
};

/// One operation over gRPC.
#[derive(Debug, Serialize)]
pub struct GrpcOperation {
    #[serde(flatten)]
    pub operation: OperationView,
    /// `Reserve`
    pub rpc: String,
    /// The method of tonic's trait and client.
    pub rpc_method: String,
    /// `pb::ReserveRequest`, `Streaming<pb::Line>`
    pub request: String,
    /// `pb::ReserveResponse`, `()`
    pub response: String,
    /// What tonic's method answers with: the response, or the type of the stream.
    pub wrapped: String,
    /// The client's input, as one message is made of it: `input`, `(id,)`.
    pub pattern: String,
    /// The server's statement that takes a request: apart, or while the operation reads it.
    pub taken: String,
    /// What comes of it: a call, or the `result` of one.
    pub answered: String,
    /// The kit's functions: `answer`, `stream`; `output`, `outputs`, `send`, `exchange`.
    pub answer: &'static str,
    pub output_fn: &'static str,
}

pub fn operation(model: &Model, service: &Service, operation: &Operation) -> GrpcOperation {
    let view = operations::view(model, service, operation);
    let rpc = proto::rpc(service, operation);
    let prost = |name: &str| format!("pb::{}", names::proto::prost_type(name));
    let response = response(service, operation).map_or_else(|| "()".to_owned(), |name| prost(&name));
    let (received, pattern) = match view.params.as_slice() {
        [] => ("()".to_owned(), "()".to_owned()),
        [one] if one.name != "id" && one.name != "new" => (one.ty.clone(), one.name.clone()),
        many => (tuple(many.iter().map(|p| p.ty.as_str())), tuple(many.iter().map(|p| p.name.as_str()))),
    };
    let request = match &operation.shape {
        Shape::Custom { input: Input::Stream(item), .. } => format!("Streaming<{}>", prost(item)),
        _ => prost(&format!("{rpc}Request")),
    };
    GrpcOperation {
        rpc_method: names::proto::prost_ident(&rpc),
        request,
        wrapped: if view.stream { format!("Self::{rpc}Stream") } else { response.clone() },
        response,
        taken: match view.reads {
            true => format!(
                "let (cx, result) = {}(request, |cx, input| async move {{ self.0.{}(&cx, input).await }}).await",
                if view.stream { "talk" } else { "read" },
                view.method
            ),
            false if view.params.is_empty() => "let cx = context(&request)".to_owned(),
            false => format!("let (cx, {pattern}): (_, {received}) = received(request)?"),
        },
        answered: match view.reads {
            true => "result".to_owned(),
            false => format!("self.0.{}(&cx{}).await", view.method, view.arguments),
        },
        pattern,
        answer: if view.stream { "stream" } else { "answer" },
        output_fn: match (view.reads, view.stream) {
            (false, false) => "output",
            (false, true) => "outputs",
            (true, false) => "send",
            (true, true) => "exchange",
        },
        rpc,
        operation: view,
    }
}

/// `(a,)`, `(a, b)`
fn tuple<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = parts.collect();
    match parts.as_slice() {
        [one] => format!("({one},)"),
        many => format!("({})", many.join(", ")),
    }
}

/// The message that an operation answers with, as proto calls it; `None` for `Empty`.
fn response(service: &Service, operation: &Operation) -> Option<String> {
    match &operation.shape {
        Shape::Custom { of, output, .. } => match output {
            Output::None => None,
            Output::Named(name) | Output::Stream(StreamItem::Named(name)) => Some(name.clone()),
            Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => Some(of.resource.clone()),
            Output::Fields(_) => Some(proto::rpc(service, operation) + "Response"),
            Output::Item => of.clone(),
        },
        Shape::Verb { verb: Verb::List, .. } => Some(proto::rpc(service, operation) + "Response"),
        Shape::Verb { verb: Verb::Delete, .. } => None,
        Shape::Verb { resource, .. } => Some(resource.clone()),
    }
}

/// The lines of `convert.rs`: how each type of the contract is carried by its message.
pub fn conversions(model: &Model, service: &Service) -> Vec<String> {
    let mut lines = Vec::new();
    for operation in service.operations.values() {
        if model.served(&service.name, &operation.name).has(Transport::Grpc) {
            lines.extend(operation_messages(model, service, operation));
        }
    }
    for (name, needed) in proto::definitions(model, service) {
        lines.extend(definition(model, service, &name, &needed));
    }
    lines
}

fn operation_messages(model: &Model, service: &Service, operation: &Operation) -> Vec<String> {
    let rpc = proto::rpc(service, operation);
    let request = format!("pb::{}", names::proto::prost_type(&format!("{rpc}Request")));
    let response = format!("pb::{}", names::proto::prost_type(&format!("{rpc}Response")));
    let mut lines = Vec::new();
    match &operation.shape {
        Shape::Custom { of, input, output } => {
            let fields = shape::input_fields(model, operation);
            let record = match input {
                // Its messages are the items themselves.
                Input::Stream(_) => return lines_of_output(operation, output, &response),
                Input::None => None,
                Input::Named(name) => Some(user(name)),
                Input::Fields(_) => Some(user(&request_name(operation))),
                Input::Payload(event) => {
                    model.services.get(&event.service).and_then(|s| s.events.get(&event.event)).map(payload_type)
                }
            };
            let members = members(&fields);
            lines.push(match (of, record) {
                (None, None) => format!("kit_grpc::message!(() = {request} {{}});"),
                (None, Some(record)) => format!("kit_grpc::message!({record} = {request} {{ {members} }});"),
                (Some(of), None) => {
                    format!("kit_grpc::message!(({},) = {request} {{ required id }});", user(&id_name(of)))
                }
                (Some(of), Some(record)) => {
                    let id = user(&id_name(of));
                    format!("kit_grpc::message!(({id}, {record} {{ {members} }}) = {request} {{ required id }});")
                }
            });
            lines.extend(lines_of_output(operation, output, &response));
        }
        Shape::Verb { verb, resource } => {
            let item = names::rust::ident(&names::snake(resource));
            let id = user(&id_name(resource));
            let given = |what: &str| user(&format!("{resource}{what}"));
            lines.extend(match verb {
                Verb::List => service.resources.get(resource).map(|r| list(r, &request, &response)),
                Verb::Get => Some(format!("kit_grpc::message!(({id},) = {request} {{ required id }});")),
                Verb::Create => {
                    let new = user(&format!("New{resource}"));
                    Some(format!("kit_grpc::message!(({new},) = {request} {{ required {item} }});"))
                }
                Verb::Replace => Some(format!(
                    "kit_grpc::message!(({id}, {}, Option<Etag>) = {request} {{ required id, required {item}, optional etag }});",
                    given("Draft")
                )),
                Verb::Patch => Some(format!(
                    "kit_grpc::message!(({id}, {}, Option<Etag>) = {request} {{ required id, patch {item}, optional etag }});",
                    given("Patch")
                )),
                Verb::Delete => Some(format!(
                    "kit_grpc::message!(({id}, Option<Etag>) = {request} {{ required id, optional etag }});"
                )),
            });
        }
    }
    lines
}

fn lines_of_output(operation: &Operation, output: &Output, response: &str) -> Vec<String> {
    let Output::Fields(fields) = output else { return Vec::new() };
    let record = user(&response_name(operation));
    vec![format!("kit_grpc::message!({record} = {response} {{ {} }});", members(fields))]
}

/// `list` has a query whose filters are a message of their own, and a page whose items are called as the resource.
fn list(resource: &Resource, request: &str, response: &str) -> String {
    let query = user(&format!("List{}", resource.plural));
    let page = user(&format!("{}Page", resource.name));
    let items = names::proto::prost_ident(&names::snake(&resource.plural));
    let filters: Vec<String> = shape::filter_fields(resource).iter().map(|f| names::rust::ident(&f.name)).collect();
    let (mut encode, mut decode) = (String::new(), String::new());
    if !resource.sort.is_empty() {
        encode += "order_by: kit_grpc::order_by(&self.sort), ";
        decode += "sort: kit_grpc::sort(message.order_by.as_deref()), ";
    }
    let mut filter = "";
    if !filters.is_empty() {
        let message = names::proto::prost_type(&format!("{}Filter", resource.name));
        let members: String = filters.iter().map(|f| format!("{f}: Proto::encode(self.{f}), ")).collect();
        encode += &format!("filter: Some(pb::{message} {{ {members} }}), ");
        filter = "let filter = message.filter.unwrap_or_default();";
        decode += &filters.iter().map(|f| format!("{f}: field(\"filter.{f}\", filter.{f})?, ")).collect::<String>();
    }
    format!(
        "
impl Proto<{request}> for {query} {{
    fn encode(self) -> {request} {{
        {request} {{ page_size: self.limit, page_token: Proto::encode(self.cursor), {encode} }}
    }}

    fn decode(message: {request}) -> Result<Self, Failure> {{
        {filter}
        Ok(Self {{ limit: message.page_size, cursor: field(\"page_token\", message.page_token)?, {decode} }})
    }}
}}

impl Proto<{response}> for {page} {{
    fn encode(self) -> {response} {{
        {response} {{ {items}: Proto::encode(self.items), next_page_token: Proto::encode(self.next) }}
    }}

    fn decode(message: {response}) -> Result<Self, Failure> {{
        Ok(Self {{
            items: field(\"{items}\", message.{items})?,
            next: field(\"next_page_token\", message.next_page_token)?,
        }})
    }}
}}
"
    )
}

fn definition(model: &Model, service: &Service, name: &str, needed: &Needed) -> Option<String> {
    let message = format!("pb::{}", names::proto::prost_type(name));
    Some(match needed {
        Needed::Type(TypeRef { service: Some(_), .. }) => return None,
        Needed::Type(TypeRef { service: None, name: of }) => match model.types.get(of)? {
            // A choice says its numbers where it is declared.
            TypeDef::Enum(_) => return None,
            TypeDef::Record(record) => {
                format!("kit_grpc::message!({} = {message} {{ {} }});", user(of), members(&record.fields))
            }
            TypeDef::Union(union) => {
                let module = names::proto::prost_ident(name);
                // What holds another of the union is boxed by prost.
                let variant = |name: &String| {
                    let boxed = is_recursive(model, of, &shape::named_type(name));
                    format!("{}{}", rust::variant(name), if boxed { " in Box" } else { "" })
                };
                let variants: Vec<String> = union.variants.iter().map(variant).collect();
                let variants = variants.join(", ");
                format!("kit_grpc::union!({} = {message}, pb::{module}::Kind {{ {variants} }});", user(of))
            }
        },
        Needed::Item(of) => {
            let resource = shape::resource(model, of)?;
            let members = members(&shape::item_fields(resource));
            format!("kit_grpc::message!({} = {message} {{ {members} }});", user(&of.resource))
        }
        Needed::List(item) => format!("kit_grpc::list!({} = {message});", rust::ty(item)),
        Needed::Option(value) => format!("kit_grpc::option!({} = {message});", rust::ty(value)),
        Needed::Map(key, value) => {
            format!("kit_grpc::map!({}, {} = {message});", rust::map_key(key), rust::ty(value))
        }
        Needed::New(of) => {
            let members = members(&shape::new_fields(service.resources.get(of)?));
            format!("kit_grpc::message!({} = {message} {{ {members} }});", user(&format!("New{of}")))
        }
        Needed::Draft(of) => {
            let members = members(&shape::draft_fields(service.resources.get(of)?));
            format!("kit_grpc::message!({} = {message} {{ {members} }});", user(&format!("{of}Draft")))
        }
        Needed::Patch(of) => {
            let resource = service.resources.get(of)?;
            let mut text = patch(model, of, &message, &shape::draft_fields(resource));
            for record in resources::patched_records(model, resource) {
                if let Some(TypeDef::Record(found)) = model.types.get(&record) {
                    let message = format!("pb::{}", names::proto::prost_type(&record));
                    text = text + "\n" + &patch(model, &record, &message, &found.fields);
                }
            }
            text
        }
        // Part of the query of `list`.
        Needed::Filter(_) => return None,
    })
}

fn patch(model: &Model, of: &str, message: &str, fields: &[Field]) -> String {
    let members = resources::patch_members(model, fields);
    format!("kit_grpc::patch!({} = {message} {{ {members} }});", user(&format!("{of}Patch")))
}

/// `required sku, optional note, repeated lines, map labels, optional quantity = 1`
fn members(fields: &[Field]) -> String {
    let member = |field: &Field| {
        let name = names::rust::ident(&field.name);
        let kind = match (&field.ty, &field.default) {
            (Type::Optional(_), _) => "optional",
            (Type::List { .. }, _) => "repeated",
            (Type::Map { .. }, _) => "map",
            (ty, Some(default)) => return format!("optional {name} = {}", default_value(ty, default)),
            (_, None) => "required",
        };
        format!("{kind} {name}")
    };
    fields.iter().map(member).collect::<Vec<_>>().join(", ")
}

/// The numbers of a choice on the wire: `English = 1, German = 2`.
pub fn choice(model: &Model, of: &TypeRef, values: &[String], lock: &mut WireLock) -> String {
    let scope = proto::enum_scope(model, of.service.as_deref(), &of.name);
    let value = |value: &String| {
        let number = lock.number(&scope, &names::proto::enum_value(&of.name, value), "");
        format!("{} = {number}", rust::variant(&names::rust::variant(value)))
    };
    values.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// What an id is in proto: `String`, `i64`.
pub fn id_message(model: &Model, ty: &Type) -> String {
    use crate::model::Scalar;
    match ty {
        Type::Scalar(Scalar::I32 { .. }) => "i32".into(),
        Type::Scalar(Scalar::I64 { .. }) => "i64".into(),
        Type::Scalar(Scalar::U32 { .. }) => "u32".into(),
        Type::Scalar(Scalar::U64 { .. }) => "u64".into(),
        Type::Ref(of) => id_message(model, &shape::id_type(model, of)),
        _ => "String".into(),
    }
}
