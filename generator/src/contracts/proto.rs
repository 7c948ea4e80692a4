//! A service to its `.proto` file: package, service, one message a request, and its own copy of every type it uses.

use std::fmt::Write as _;

use super::{shape, wire::WireLock};
use crate::{
    model::{Docs, Field, Input, Model, Operation, Output, Scalar, Service, Shape, StreamItem, Transport, Type, Verb},
    names,
};

mod definition;
mod types;

use definition::{Definition, Kind, Member, comment};
pub use types::Needed;
use types::Types;

/// The path of the file below `proto`: `shop/orders/v1/orders.proto`.
pub fn path(model: &Model, service: &Service) -> String {
    format!("{}/{}.proto", package(model, service).replace('.', "/"), service.name)
}

/// The proto package of a service: `shop.orders.v1`.
pub fn package(model: &Model, service: &Service) -> String {
    names::proto::package(&model.name, &service.name, service.version)
}

/// The rpc of an operation: `Reserve`, `ListOrders`. Its request is called `<Rpc>Request`, its own answer, if it has
/// one, `<Rpc>Response`.
pub fn rpc(service: &Service, operation: &Operation) -> String {
    match &operation.shape {
        Shape::Custom { .. } => names::proto::rpc(&operation.name),
        Shape::Verb { verb, resource } => {
            let plural = service.resources.get(resource).map_or(resource, |found| &found.plural);
            names::proto::verb_rpc(*verb, resource, plural)
        }
    }
}

/// The text of the file, with every operation that the service serves over gRPC, exposed or for links alone. Numbers
/// come from the lock; what is new is added to it.
pub fn proto(model: &Model, service: &Service, lock: &mut WireLock) -> String {
    let mut types = Types::new(model, service);
    let mut definitions = Vec::new();
    let mut rpcs = Vec::new();
    for operation in service.operations.values() {
        if model.served(&service.name, &operation.name).has(Transport::Grpc) {
            rpcs.push(method(&mut types, operation, &mut definitions));
        }
    }
    definitions.extend(types.define());

    let package = package(model, service);
    let mut text = format!("syntax = \"proto3\";\n\npackage {package};\n\n");
    for import in &types.imports {
        _ = writeln!(text, "import \"google/protobuf/{import}.proto\";");
    }
    if !types.imports.is_empty() {
        text.push('\n');
    }
    text += &comment("", &service.docs);
    let name = names::proto::service(&service.name);
    let deprecated = if service.deprecated.is_some() { "  option deprecated = true;\n\n" } else { "" };
    _ = match rpcs.is_empty() {
        true => writeln!(text, "service {name} {{}}"),
        false => writeln!(text, "service {name} {{\n{deprecated}{}}}", rpcs.join("\n")),
    };
    for definition in definitions {
        text.push('\n');
        text += &definition.text(&package, lock);
    }
    text
}

/// The messages and enums of the file besides the requests and responses of its rpcs, and what they stand for.
pub fn definitions(model: &Model, service: &Service) -> Vec<(String, Needed)> {
    let mut types = Types::new(model, service);
    for operation in service.operations.values() {
        if model.served(&service.name, &operation.name).has(Transport::Grpc) {
            method(&mut types, operation, &mut Vec::new());
        }
    }
    types.names()
}

/// The type of a field as the file writes it: `string`, `repeated Line`, `StringList`.
pub fn field_type(model: &Model, service: &Service, ty: &Type) -> String {
    let members = Types::new(model, service).members(&[shape::plain("", ty.clone())]);
    members.into_iter().map(|member| member.ty).collect()
}

/// The scope of an enum in the lock: `shop.Currency` of `[types]`, `shop.orders.OrderStatus` written in a field.
pub fn enum_scope(model: &Model, owner: Option<&str>, name: &str) -> String {
    let system = model.name.replace('-', "_");
    match owner {
        Some(owner) => format!("{system}.{owner}.{name}"),
        None => format!("{system}.{name}"),
    }
}

/// The rpc's line, with its comment; its messages are added to the definitions.
fn method(types: &mut Types, operation: &Operation, definitions: &mut Vec<Definition>) -> String {
    let rpc = rpc(types.service, operation);
    if let Shape::Custom { input: Input::Stream(item), output, .. } = &operation.shape {
        let item = types.named(item);
        let (answer, response) = response(types, operation, output, &rpc);
        definitions.extend(response.map(|members| message(format!("{rpc}Response"), members)));
        return line(types, operation, &(STREAM.to_owned() + &item), &answer);
    }
    let (request, (answer, response)) = match &operation.shape {
        Shape::Custom { output, .. } => {
            let fields = shape::request_fields(types.model, types.service, operation);
            (types.members(&fields), response(types, operation, output, &rpc))
        }
        Shape::Verb { verb, resource } => verb_messages(types, *verb, resource, &rpc),
    };
    definitions.push(message(format!("{rpc}Request"), request));
    definitions.extend(response.map(|members| message(format!("{rpc}Response"), members)));
    line(types, operation, &format!("{rpc}Request"), &answer)
}

fn message(name: String, members: Vec<Member>) -> Definition {
    Definition { name, docs: Docs::default(), kind: Kind::Message, members }
}

/// The line itself.
fn line(types: &Types, operation: &Operation, takes: &str, answers: &str) -> String {
    let (takes, answers) = (named(types, takes), named(types, answers));
    let rpc = rpc(types.service, operation);
    format!("{}  rpc {rpc}({takes}) returns ({answers});\n", comment("  ", &operation.docs))
}

/// How an rpc's line names a message, or a `stream` of it. Names are looked up from the inside out, rpcs of the service
/// before messages of the file: one that is also called as an rpc is named from the root.
fn named(types: &Types, name: &str) -> String {
    let (stream, name) = name.split_at(if name.starts_with(STREAM) { STREAM.len() } else { 0 });
    let (model, service) = (types.model, types.service);
    let served = |operation: &&Operation| model.served(&service.name, &operation.name).has(Transport::Grpc);
    match service.operations.values().filter(served).any(|operation| rpc(service, operation) == name) {
        true => format!("{stream}.{}.{name}", package(model, service)),
        false => format!("{stream}{name}"),
    }
}

/// Before the type of which there are many.
const STREAM: &str = "stream ";

/// The type that an rpc answers with, and the fields of its own message if it has one.
type Answer = (String, Option<Vec<Member>>);

fn response(types: &mut Types, operation: &Operation, output: &Output, rpc: &str) -> Answer {
    let answer = match output {
        Output::None => types.empty(),
        Output::Named(name) => types.named(name),
        Output::Resource(of) => types.item(of),
        Output::Item => match shape::on_item(operation) {
            Some(resource) => types.item(&shape::of_service(types.service, resource)),
            None => types.empty(),
        },
        Output::Fields(fields) => return (format!("{rpc}Response"), Some(types.members(fields))),
        Output::Stream(StreamItem::Named(name)) => STREAM.to_owned() + &types.named(name),
        Output::Stream(StreamItem::Resource(of)) => STREAM.to_owned() + &types.item(of),
    };
    (answer, None)
}

/// Standard methods, in the shape of AIP-131 to AIP-135.
fn verb_messages(types: &mut Types, verb: Verb, name: &str, rpc: &str) -> (Vec<Member>, Answer) {
    let of = shape::of_service(types.service, name);
    let Some(resource) = types.service.resources.get(name) else { return (Vec::new(), (types.empty(), None)) };
    let item = Type::Resource(of.clone());
    let id = shape::item_id(&of);
    let etag = Field { docs: shape::summary("Refused as stale unless this is the item's revision."), ..shape::etag() };
    let body = |types: &mut Types, needed| Member {
        name: names::snake(name),
        docs: Docs::default(),
        presence: "",
        ty: types.need(needed),
    };

    match verb {
        Verb::List => {
            let text = || Type::Scalar(Scalar::String { min: 0, max: None, pattern: None });
            let number = Type::Scalar(Scalar::U32 { min: 1, max: 200 });
            let said = |name: &str, ty, text: &str| Field { docs: shape::summary(text), ..shape::plain(name, ty) };
            let mut members = types.members(&[
                said("page_size", number, "At most 200; 50 if not set."),
                said("page_token", text(), "The `next_page_token` of the page before; not set for the first page."),
            ]);
            if !resource.sort.is_empty() {
                let say = format!(
                    "`{} desc, …`: any of {}.",
                    resource.sort[0].segments.join("."),
                    shape::sorts(resource).join(", ")
                );
                members.extend(types.members(&[said("order_by", text(), &say)]));
            }
            if !resource.filter.is_empty() {
                let ty = types.need(Needed::Filter(name.to_owned()));
                members.push(Member { name: "filter".to_owned(), docs: Docs::default(), presence: "", ty });
            }
            let items = Type::List { item: Box::new(item), min: 0, max: None };
            let answer = types.members(&[
                shape::plain(&names::snake(&resource.plural), items),
                said("next_page_token", text(), "Not set after the last page."),
            ]);
            (members, (format!("{rpc}Response"), Some(answer)))
        }
        Verb::Get => (types.members(&[id]), (types.item(&of), None)),
        Verb::Create => (vec![body(types, Needed::New(name.to_owned()))], (types.item(&of), None)),
        Verb::Replace => {
            let mut members = types.members(&[id]);
            members.push(body(types, Needed::Draft(name.to_owned())));
            members.extend(types.members(&[etag]));
            (members, (types.item(&of), None))
        }
        Verb::Patch => {
            let mut members = types.members(&[id]);
            members.push(body(types, Needed::Patch(name.to_owned())));
            let docs = shape::summary("The fields to change, as paths; one that is named and not set is cleared.");
            let ty = types.google("field_mask", "FieldMask");
            members.push(Member { name: "update_mask".to_owned(), docs, presence: "", ty });
            members.extend(types.members(&[etag]));
            (members, (types.item(&of), None))
        }
        Verb::Delete => (types.members(&[id, etag]), (types.empty(), None)),
    }
}

#[cfg(test)]
mod tests;
