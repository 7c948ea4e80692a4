//! What proves the services themselves: how each is started and asked, and what stands in for those that it calls.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    contracts::{
        composed::{self, Composed},
        fronted,
        graphql::request::{self, Asked},
        proto,
    },
    escape,
    model::{Model, Operation, Service, Shape, Target, Transport, Verb, Via},
    names,
    scope::Scope,
};

use super::{
    super::{
        Owner, PlanError, Planner, Sources, contract,
        contract::trait_name,
        events, examples, faces, fronts, gate,
        operations::{self, Param},
        queue, service, versions,
    },
    cases, description, graphql, pacts,
};

/// What `tests/provider.rs` sees.
#[derive(Serialize)]
struct View {
    services: Vec<Suite>,
    stands: Vec<Stand>,
    entries: Vec<Entry>,
    has_queue: bool,
    has_grpc: bool,
    has_pacts: bool,
}

/// What `tests/provider/service.rs` sees.
#[derive(Serialize)]
struct Suite {
    service: String,
    /// Who asks through a gateway starts it too.
    start: &'static str,
    module: String,
    /// A Rust string literal.
    name: String,
    folder: String,
    cases: String,
    contract_folder: String,
    library: String,
    contract: String,
    service_trait: String,
    links: Vec<Link>,
    has_queue: bool,
    /// Calls are counted.
    is_limited: bool,
    has_rest: bool,
    has_graphql: bool,
    consumes: bool,
    /// The face that makes the items which events are about, or empty.
    maker: &'static str,
    has_jsonrpc: bool,
    /// What is served over gRPC.
    asks: Vec<Ask>,
    /// A Rust string literal.
    proto_service: String,
    /// It is held to what others ask of it.
    has_pacts: bool,
}

/// What `tests/provider/entry.rs` sees: a gateway, and those behind it.
#[derive(Serialize)]
struct Entry {
    service: String,
    module: String,
    /// A Rust string literal.
    name: String,
    folder: String,
    contract_folder: String,
    library: String,
    /// On what passes, as Rust string literals.
    limits: Vec<&'static str>,
    behind: Vec<Behind>,
    /// How the schema of a front is asked for each operation: by service and operation.
    #[serde(skip)]
    asked: Option<Value>,
}

#[derive(Serialize)]
struct Behind {
    service: String,
    module: String,
    /// Rust string literals.
    variable: String,
    prefix: String,
    over_rest: bool,
    over_graphql: bool,
}

#[derive(Serialize)]
struct Link {
    /// A Rust string literal.
    variable: String,
    module: String,
}

#[derive(Serialize)]
struct Ask {
    /// A Rust string literal.
    name: String,
    method: String,
    /// `, call.id()?, call.input()?`
    arguments: String,
    stream: bool,
}

/// A service that others call, as examples.
#[derive(Serialize)]
struct Stand {
    service: String,
    module: String,
    answers: Vec<Answer>,
    router: String,
}

#[derive(Serialize)]
struct Answer {
    method: String,
    answer: String,
}

/// Plans `tests/provider.rs` and all below it, and the first case of each service.
pub fn plan(planner: &mut Planner<'_>, sources: &mut Sources) -> Result<(), PlanError> {
    let model = planner.model;
    let mut services: Vec<Suite> = model.services.values().filter_map(|service| suite(planner, service)).collect();
    versions::each(planner, |planner, service| {
        services.extend(suite(planner, service));
        Ok(())
    })?;
    // Who calls from where nobody reaches is not asked either, and needs no stand-in.
    let is_asked = |module: &str| services.iter().any(|suite| suite.links.iter().any(|link| link.module == module));
    let stands =
        called(model).into_iter().map(|service| stand(model, &planner.scope, service)).filter(|s| is_asked(&s.module));
    let view = View {
        entries: model.services.values().filter_map(|service| entry(planner, service)).collect(),
        stands: stands.collect(),
        has_queue: services.iter().any(|suite| suite.has_queue),
        has_grpc: services.iter().any(|suite| !suite.asks.is_empty()),
        has_pacts: pacts::any(model),
        services,
    };
    planner.rust(sources, "tests/contracts/main.rs", "tests/main.rs", &view)?;
    planner.rust(sources, "tests/contracts/provider.rs", "tests/provider.rs", &view)?;
    if view.has_queue {
        planner.rust(sources, "tests/contracts/queue.rs", "tests/queue.rs", &view)?;
    }
    if view.has_grpc {
        planner.rust(sources, "tests/contracts/reflection.rs", "tests/reflection.rs", &view)?;
    }
    for entry in &view.entries {
        let path = format!("tests/contracts/provider/{}.rs", entry.module);
        planner.rust(sources, &path, "tests/provider/entry.rs", entry)?;
        if let Some(asked) = &entry.asked {
            let path = format!("tests/tests/contracts/provider/{}.json", entry.module);
            planner.file(path, format!("{asked:#}\n"), Owner::Generated, "model".into());
        }
        let Some(service) = model.services.get(&entry.service) else { continue };
        planner.local.insert(service::package(planner, service), entry.folder.clone());
    }
    for suite in &view.services {
        let path = format!("tests/contracts/provider/{}.rs", suite.module);
        planner.rust(sources, &path, "tests/provider/service.rs", suite)?;
    }
    for service in model.services.values() {
        data(planner, service);
    }
    versions::each(planner, |planner, service| {
        data(planner, service);
        Ok(())
    })
}

/// Plans what the suite of a service reads, if it has one.
fn data(planner: &mut Planner<'_>, service: &Service) {
    let model = planner.model;
    let Some(suite) = suite(planner, service) else { return };
    let kept = versions::of(planner.present, service)
        .and_then(|_| Some(&planner.adapters.get(&(service.name.clone(), service.version))?.kept));
    let text = format!("{:#}\n", description::of(model, service, kept));
    let path = format!("tests/tests/contracts/provider/{}.json", suite.module);
    planner.file(path, text, Owner::Generated, "model".into());
    if let Some(text) = cases::first(model, service) {
        planner.file(format!("{}/first.toml", suite.cases), text, Owner::Yours, "model".into());
    }
    planner.local.insert(service::package(planner, service), suite.folder);
}

/// Whether a service as it is is started by tests.
pub fn is_proved(planner: &Planner<'_>, service: &Service) -> bool {
    suite(planner, service).is_some()
}

/// `None`: nobody reaches the service from outside, and nobody inside by what a pact can tell.
fn suite(planner: &Planner<'_>, service: &Service) -> Option<Suite> {
    let model = planner.model;
    let serves = |transport| service.operations.values().any(|operation| operation.expose.has(transport));
    let over_grpc = |operation: &&Operation| model.served(&service.name, &operation.name).has(Transport::Grpc);
    let (has_rest, has_graphql, has_jsonrpc, consumes) = (
        serves(Transport::Rest),
        contract::serves(model, service, Transport::Graphql),
        serves(Transport::Jsonrpc),
        events::consumes(service) || queue::takes(model, service),
    );
    let asks: Vec<Ask> = service.operations.values().filter(over_grpc).map(|o| ask(model, service, o)).collect();
    let is_reached = has_rest || has_graphql || has_jsonrpc || consumes || !asks.is_empty();
    if !is_reached && !pacts::answers(model, service) {
        return None;
    }
    let makes =
        |operation: &&Operation| matches!(operation.shape, Shape::Verb { verb: Verb::Create | Verb::Replace, .. });
    let makers = |transport| service.operations.values().filter(makes).filter(|o| o.expose.has(transport)).count();
    let faces = [
        (has_rest, Transport::Rest, "provider.over_rest()?"),
        (!asks.is_empty(), Transport::Grpc, "over(provider).await?"),
        (has_jsonrpc, Transport::Jsonrpc, "provider.over_jsonrpc()?"),
        (has_graphql, Transport::Graphql, "provider.over_graphql()?"),
    ];
    // Of those that make equally many the first.
    let faces = faces.into_iter().rev().filter(|(is_there, ..)| *is_there);
    let maker = faces.max_by_key(|(_, transport, _)| makers(*transport)).map_or("", |(.., face)| face);
    let links = linked(planner.present, service).into_iter().map(|to| Link {
        variable: escape::rust_str(&format!("{}_URL", names::variable(to))),
        module: names::rust::module(to),
    });
    let is_behind = fronts::is_fronted(model, service);
    Some(Suite {
        service: service.name.clone(),
        module: super::module(service),
        start: if is_behind { "pub async fn" } else { "async fn" },
        name: escape::rust_str(&service.name),
        cases: match service.is_old() {
            true => format!("{}/tests/cases/v{}", service::folder(service), service.version),
            false => format!("{}/tests/cases", service::folder(service)),
        },
        folder: service::folder(service),
        contract_folder: contract::folder(service),
        library: names::rust::crate_ident(&service::package(planner, service)),
        contract: contract::ident(service),
        service_trait: trait_name(model, &planner.scope, service),
        links: links.collect(),
        has_queue: consumes || events::emits(service) || events::follows(service),
        is_limited: gate::limits(model, service),
        has_rest,
        has_graphql,
        consumes,
        maker,
        has_jsonrpc,
        asks,
        proto_service: escape::rust_str(&format!(
            "{}.{}",
            proto::package(model, service),
            names::proto::service(&service.name)
        )),
        has_pacts: !service.is_old() && pacts::any(model),
    })
}

/// `None`: nothing is behind it.
fn entry(planner: &Planner<'_>, service: &Service) -> Option<Entry> {
    let model = planner.model;
    let mut module = format!("{}_fronts", names::rust::module(&service.name));
    while model.services.keys().any(|name| names::rust::module(name) == module) {
        module.push('_');
    }
    let passes: Vec<&str> = fronted::behind(model, service).map(|(_, behind)| behind.name.as_str()).collect();
    let asked = composed::composed(model, service).map(|composed| asked(&composed));
    let behind = |service: &Service| Behind {
        over_rest: passes.contains(&service.name.as_str()),
        over_graphql: asked.as_ref().is_some_and(|asked| asked.get(&service.name).is_some()),
        service: service.name.clone(),
        module: names::rust::module(&service.name),
        variable: escape::rust_str(&format!("{}_URL", names::variable(&service.name))),
        prefix: escape::rust_str(&fronted::prefix(&service.name)),
    };
    let behind: Vec<Behind> = composed::members(model, service).skip(1).map(behind).collect();
    (!behind.is_empty()).then(|| Entry {
        service: service.name.clone(),
        module,
        name: escape::rust_str(&service.name),
        folder: service::folder(service),
        contract_folder: contract::folder(service),
        library: names::rust::crate_ident(&service::package(planner, service)),
        limits: [(r#""""#, service.limits.limit), (r#""-quota""#, service.limits.quota)]
            .into_iter()
            .filter_map(|(name, limit)| limit.map(|_| name))
            .collect(),
        behind,
        asked,
    })
}

fn asked(composed: &Composed) -> Value {
    let mut asked = Map::new();
    for (name, origin) in &composed.origins {
        let Some(operation) = composed.service.operations.get(name) else { continue };
        let Asked { document, whole, subscription } = request::asked(&composed.model, &composed.service, operation);
        let of_service = asked.entry(&origin.service).or_insert_with(|| json!({}));
        of_service[&origin.operation] = json!({ "document": document, "whole": whole, "subscription": subscription });
    }
    asked.into()
}

fn ask(model: &Model, service: &Service, operation: &Operation) -> Ask {
    let view = operations::view(model, service, operation);
    let argument = |Param { name, .. }: &Param| match name.as_str() {
        "id" => ", call.id()?",
        "etag" => ", call.etag()?",
        _ if view.reads => ", call.items()?",
        _ => ", call.input()?",
    };
    Ask {
        name: escape::rust_str(&operation.name),
        arguments: view.params.iter().map(argument).collect(),
        method: view.method,
        stream: view.stream,
    }
}

/// The services that a service calls.
fn linked<'m>(model: &'m Model, service: &Service) -> BTreeSet<&'m str> {
    let links = model.links.iter().filter(|link| link.from == service.name);
    let to = links.filter_map(|link| match &link.to {
        Target::Service { service, via: Via::Rest | Via::Grpc | Via::Graphql | Via::Jsonrpc } => Some(service.as_str()),
        Target::Operation { to, via: Via::Rest | Via::Grpc | Via::Graphql | Via::Jsonrpc } => Some(to.service.as_str()),
        // What is sent by queue is answered by nobody.
        Target::Service { .. } | Target::Operation { .. } | Target::Event(_) => None,
    });
    to.collect()
}

/// The services that any service calls.
pub fn called(model: &Model) -> Vec<&Service> {
    let called: BTreeSet<&str> = model.services.values().flat_map(|service| linked(model, service)).collect();
    model.services.values().filter(|service| called.contains(service.name.as_str())).collect()
}

fn stand(model: &Model, scope: &Scope, service: &Service) -> Stand {
    let contract = names::rust::crate_ident(&names::rust::contract_crate(&service.name));
    let answer = |operation: &Operation| {
        let answer = examples::answer(model, service, operation, &format!("{contract}::"));
        let stream = operations::view(model, service, operation).stream;
        let method = names::rust::ident(&operation.name);
        Answer { method, answer: if stream { format!("vec![{answer}]") } else { answer } }
    };
    let is_served = |operation: &&Operation| model.is_called(&service.name, &operation.name);
    let serves = |transport: &Transport| {
        contract::serves(model, service, *transport) && !(*transport == Transport::Graphql && service.composes())
    };
    let served = faces::TRANSPORTS.into_iter().filter(serves);
    let behind = faces::Behind { contract: contract.clone(), name: "script".into(), served: served.collect() };
    let composed = service.composes() && contract::serves(model, service, Transport::Graphql);
    let graphql = composed.then(|| graphql::router(model, scope, service, "script.clone()"));
    let routers = faces::routers(service, &[behind], "kit_graphql::Settings::default()");
    let routers = graphql.into_iter().chain(routers).collect();
    Stand {
        service: service.name.clone(),
        module: names::rust::module(&service.name),
        answers: service.operations.values().filter(is_served).map(answer).collect(),
        router: faces::merged(routers).collect(),
    }
}
