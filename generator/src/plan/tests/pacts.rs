//! Who asks whom, and hears of whom: for each two services what the one's real client is asked to ask of the other, and
//! which services are held to it.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    contracts::shape,
    escape,
    model::{EventRef, Link, Model, Operation, OperationRef, Service, Shape, Transport, Type, Verb, Via},
    names,
};

use super::{
    super::{
        Owner, PlanError, Planner, Sources,
        contract::{self, trait_name},
        events::{self, Member},
        examples,
        operations::{self, error_name},
        versions,
    },
    Extremes,
    extremes::End,
    module, provider,
};

/// Where the judge of pacts is in a workspace: a Cargo workspace of its own.
const VERIFIER: &str = "tests/verifier";

/// Whether any service asks or hears another in a way that a pact can tell.
pub fn any(model: &Model) -> bool {
    pairs(model).next().is_some()
}

/// Whether a service is asked or heard so.
pub fn answers(model: &Model, service: &Service) -> bool {
    !service.is_old() && model.services.values().any(|from| is_pair(model, from, service))
}

/// Of each two services the one that asks or hears comes first.
fn pairs(model: &Model) -> impl Iterator<Item = (&Service, &Service)> {
    model.services.values().flat_map(|from| {
        let callees = model.links.iter().filter(|link| link.from == from.name).filter_map(Link::callee);
        let owners = from.operations.values().flat_map(|operation| &operation.on).map(|event| event.service.as_str());
        let others: BTreeSet<&str> = callees.chain(owners).collect();
        let others = model.services.values().filter(move |to| others.contains(to.name.as_str()));
        others.filter(|to| is_pair(model, from, to)).map(move |to| (from, to))
    })
}

fn is_pair(model: &Model, from: &Service, to: &Service) -> bool {
    from.name != to.name && (called(model, from, to).next().is_some() || !heard(from, to).is_empty())
}

/// The operations that one service calls of another, each with the transport. Streams are no request with one answer, and
/// of gRPC the verifier knows nothing.
fn called<'m>(
    model: &'m Model,
    from: &'m Service,
    to: &'m Service,
) -> impl Iterator<Item = (&'m Operation, Transport)> {
    to.operations.values().filter(|operation| operation.is_unary()).filter_map(move |operation| {
        let place = OperationRef { service: to.name.clone(), operation: operation.name.clone() };
        let transport = match model.link(&from.name, &place)?.via()? {
            Via::Rest => Transport::Rest,
            Via::Graphql => Transport::Graphql,
            Via::Jsonrpc => Transport::Jsonrpc,
            Via::Grpc | Via::Queue => return None,
        };
        Some((operation, transport))
    })
}

/// The events of one service that run operations of another, which come with them.
fn heard<'m>(from: &'m Service, to: &'m Service) -> Vec<(&'m crate::model::Event, Vec<&'m Operation>)> {
    let of = |event: &'m crate::model::Event| {
        let reference = EventRef { service: to.name.clone(), event: event.name.clone() };
        let hears = from.operations.values().filter(|operation| operation.on.contains(&reference));
        (event, hears.collect::<Vec<_>>())
    };
    to.events.values().map(of).filter(|(_, operations)| !operations.is_empty()).collect()
}

/// What `tests/pacts.rs` sees.
#[derive(Serialize)]
struct View {
    pairs: Vec<Pair>,
    /// Rust string literals.
    providers: Vec<String>,
}

#[derive(Serialize)]
struct Pair {
    /// The test.
    test: String,
    /// Rust string literals.
    consumer: String,
    provider: String,
    asked: Vec<Asked>,
    heard: Vec<Heard>,
}

/// One transport between two services.
#[derive(Serialize)]
struct Asked {
    function: String,
    transport: &'static str,
    contract: String,
    service_trait: String,
    /// Of the tests of the contract.
    module: String,
    router: String,
    client: String,
    calls: Vec<Call>,
}

#[derive(Serialize)]
struct Call {
    /// A Rust string literal.
    name: String,
    method: String,
    /// `, OrderId(…), …`
    arguments: String,
    /// The items that have to be there: `Given { … }, `
    given: String,
    /// Answers: an example, and the most that there may be.
    example: String,
    most: String,
    errors: Vec<Error>,
}

#[derive(Serialize)]
struct Error {
    /// A Rust string literal.
    state: String,
    /// The items that are there in any case.
    given: String,
    example: String,
    most: String,
}

/// An event, and what is read of it.
#[derive(Serialize)]
struct Heard {
    /// A Rust string literal.
    name: String,
    ty: String,
    example: String,
    most: String,
    members: Vec<Member>,
    inputs: Vec<String>,
    /// The payload; `_` if nothing is read of it.
    data: &'static str,
    /// The expression of the message around it, or empty.
    message: String,
}

/// Plans `tests/pacts.rs` and what judges pacts, if there are any.
pub fn plan(planner: &mut Planner<'_>, sources: &mut Sources) -> Result<(), PlanError> {
    let model = planner.model;
    let mut tests = BTreeSet::new();
    let pairs: Vec<Pair> = pairs(model).map(|(from, to)| pair(planner, from, to, &mut tests)).collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let verified = model.services.values().filter(|service| provider::is_proved(planner, service));
    let view = View { pairs, providers: verified.map(|service| escape::rust_str(&service.name)).collect() };
    planner.rust(sources, "tests/contracts/pacts.rs", "tests/pacts.rs", &view)?;
    for (path, text) in crate::blueprints::below("blueprints/verifier") {
        let owner = if path == "Cargo.lock" { Owner::Seed } else { Owner::Vendored };
        planner.file(format!("{VERIFIER}/{path}"), text.to_owned(), owner, format!("verifier/{path}"));
    }
    Ok(())
}

fn pair(planner: &Planner<'_>, from: &Service, to: &Service, tests: &mut BTreeSet<String>) -> Pair {
    let model = planner.model;
    let mut test = format!("{}_and_{}", names::snake(&from.name), names::snake(&to.name));
    while !tests.insert(test.clone()) {
        test.push('_');
    }
    let transports = [Transport::Rest, Transport::Graphql, Transport::Jsonrpc];
    let asked = transports.into_iter().map(|transport| asked(planner, from, to, transport, &test));
    Pair {
        consumer: escape::rust_str(&from.name),
        provider: escape::rust_str(&to.name),
        asked: asked.filter(|asked| !asked.calls.is_empty()).collect(),
        heard: heard(from, to)
            .into_iter()
            .map(|(event, operations)| told(model, from, to, event, &operations))
            .collect(),
        test,
    }
}

fn asked(planner: &Planner<'_>, from: &Service, to: &Service, transport: Transport, test: &str) -> Asked {
    let model = planner.model;
    let contract = contract::ident(to);
    let (router, client) = match transport {
        Transport::Graphql => (
            format!("{contract}::graphql::router(script.clone(), kit_graphql::Settings::default())"),
            format!("{contract}::graphql::Client(kit_graphql::Client::new(peer.url())?)"),
        ),
        Transport::Jsonrpc => (
            format!("{contract}::jsonrpc::router(script.clone())"),
            format!("{contract}::jsonrpc::Client::new(peer.url())?"),
        ),
        Transport::Rest | Transport::Grpc | Transport::Queue => (
            versions::rest(to, &[(contract.clone(), "script.clone()".into())]).concat(),
            format!("{contract}::rest::Client(kit_http::Client::new(peer.url())?)"),
        ),
    };
    let calls = called(model, from, to).filter(|(_, by)| *by == transport);
    Asked {
        function: format!("{test}_over_{}", transport.word()),
        transport: transport.name(),
        service_trait: trait_name(model, &planner.scope, to),
        module: module(to),
        router,
        client,
        calls: calls.map(|(operation, _)| call(model, to, operation, &format!("{contract}::"))).collect(),
        contract,
    }
}

fn call(model: &Model, service: &Service, operation: &Operation, path: &str) -> Call {
    let view = operations::view(model, service, operation);
    let arguments = examples::arguments(model, service, operation, path);
    let given = || given(model, service, operation, path);
    let declared = operation.errors.iter().map(|error| {
        let data = error.data.as_ref().map(|data| format!("({})", examples::example_of(model, data, path)));
        Error {
            state: escape::rust_str(&format!("{} fails with {}", operation.name, error.name)),
            given: given(),
            example: format!("{path}{}::{}{}", error_name(operation), error.name, data.unwrap_or_default()),
            most: Extremes::new(model, path, End::Most).error(operation, error),
        }
    });
    let absent = is_absent(operation).map(|resource| {
        let failure = format!("Failure::not_found({}){}", escape::rust_str(resource), view.into);
        Error {
            state: escape::rust_str(&format!("no {resource} exists")),
            given: String::new(),
            example: failure.clone(),
            most: failure,
        }
    });
    Call {
        name: escape::rust_str(&operation.name),
        method: view.method,
        arguments: arguments.into_iter().map(|argument| format!(", {argument}")).collect(),
        given: given(),
        example: example(model, service, operation, path),
        most: Extremes::new(model, path, End::Most).answer(service, operation),
        errors: absent.into_iter().chain(declared).collect(),
    }
}

/// An answer with as little as may be: the last page has no next one.
fn example(model: &Model, service: &Service, operation: &Operation, path: &str) -> String {
    match &operation.shape {
        Shape::Verb { verb: Verb::List, resource } => {
            let item = examples::example(model, &Type::Resource(shape::of_service(service, resource)), path);
            format!("{path}{resource}Page {{ items: vec![{item}], next: None }}")
        }
        Shape::Verb { .. } | Shape::Custom { .. } => examples::answer(model, service, operation, path),
    }
}

/// The resource of whose items one that is not there is not found.
fn is_absent(operation: &Operation) -> Option<&str> {
    match &operation.shape {
        Shape::Custom { of, .. } => of.as_deref(),
        Shape::Verb { verb: Verb::Get, resource } => Some(resource),
        Shape::Verb { .. } => None,
    }
}

/// The item that the operation is on, and those that its input has to refer to.
fn given(model: &Model, service: &Service, operation: &Operation, path: &str) -> String {
    let item = |resource: &str, member: &str| {
        let id = examples::example(model, &Type::Ref(shape::of_service(service, resource)), path);
        let (resource, member) = (escape::rust_str(resource), escape::rust_str(member));
        format!("Given {{ resource: {resource}, member: {member}, id: &{id}.to_string() }}, ")
    };
    let on = shape::on_item(operation).map(|resource| item(resource, "id"));
    let written = match &operation.shape {
        Shape::Verb { verb: Verb::Create | Verb::Replace, resource } => service.resources.get(resource),
        _ => None,
    };
    let keys = written.into_iter().flat_map(|resource| shape::required_keys(service, resource));
    on.into_iter().chain(keys.map(|(field, to)| item(to, &field.name))).collect()
}

fn told(model: &Model, from: &Service, to: &Service, event: &crate::model::Event, operations: &[&Operation]) -> Heard {
    let contract = contract::ident(to);
    let (path, ty) = (format!("{contract}::"), format!("{contract}::{}", event.name));
    let reference = EventRef { service: to.name.clone(), event: event.name.clone() };
    let (mut members, mut inputs) = (BTreeSet::new(), BTreeSet::new());
    for operation in operations {
        let (member, input) = events::reads(from, operation, event);
        members.extend(member);
        inputs.extend(input);
    }
    let is_read = !members.is_empty() || !inputs.is_empty();
    let message = "kit_messaging::Message::new(&Context::default(), \"\", \"\", &data)?";
    let expression = |payload: Option<String>| events::wrapped(event, &ty, payload.unwrap_or_default());
    Heard {
        name: escape::rust_str(&event.name),
        example: expression(examples::payload(model, &reference, &path)),
        most: expression(Extremes::new(model, &path, End::Most).payload(&reference)),
        members: members.into_iter().collect(),
        inputs: inputs.into_iter().collect(),
        data: if is_read { "data" } else { "_" },
        message: if is_read { message.into() } else { String::new() },
        ty,
    }
}
