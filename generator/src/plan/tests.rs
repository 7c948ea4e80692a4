//! The generated tests: every contract over every transport around a scripted service, and the flows of `smoke`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    model::{EventRef, Model, Operation, Service, Transport},
    names,
};

use super::{
    Owner, PlanError, Planner, Sources,
    contract::{self, trait_name},
    events::{self, TestedEvent},
    graphql as graphql_contract,
    heard::{self, Heard},
    manifest::{Member, Target},
    operations::{self, OperationView},
    queue as commands, versions, ways,
};

mod cases;
mod description;
mod extremes;
mod flows;
mod graphql;
pub mod pacts;
mod provider;
mod queue;
mod turns;

use extremes::{End, Extremes};
use flows::Flows;

/// What the tests of one contract see.
#[derive(Serialize)]
struct Contract {
    module: String,
    service: String,
    /// The contract's crate, as Rust names it.
    contract: String,
    /// Not marked: tests write the trait with its path.
    service_trait: String,
    variable: String,
    operations: Vec<Tested>,
    transports: Vec<Connected>,
    has_graphql: bool,
    has_queue: bool,
    /// Others call it, and wait for its answers.
    has_link: bool,
    has_ways: bool,
    /// Operations whose last answers stand in where a call fails.
    cached: Vec<Tested>,
}

#[derive(Serialize)]
struct Tested {
    #[serde(flatten)]
    operation: OperationView,
    /// `(OrderId, CancelRequest,)`
    inputs: String,
    /// `(id, input,)`
    names: String,
    /// What is passed on to a client: `, id, input`, `, sent(input)`.
    passed: String,
    /// What the scripted service does.
    played: String,
    /// What goes there and back: the least and the most, or one where they are the same.
    rounds: Vec<Round>,
    /// The least, for what hands values on as they are.
    least: Round,
    /// Each declared error, with its data.
    errors: Vec<Declared>,
    /// `greet_over_rest`, `greet_over_grpc`
    tests: Vec<TestView>,
}

/// Arguments and an answer.
#[derive(Clone, Serialize)]
struct Round {
    /// `least`
    name: &'static str,
    /// `GreetRequest { … }, `
    arguments: String,
    answer: String,
}

#[derive(Clone, Serialize)]
struct Declared {
    value: String,
    /// `Conflict`
    kind: &'static str,
}

#[derive(Serialize)]
struct TestView {
    name: String,
    transport: &'static str,
    connect: String,
}

/// A transport that answers.
#[derive(Serialize)]
struct Connected {
    connect: String,
    /// The routes around the script.
    router: String,
    rest: bool,
    grpc: bool,
    graphql: bool,
    jsonrpc: bool,
}

/// The transports over which traits are called. The queue is tested apart, since nothing answers.
const CALLED: [Transport; 4] = [Transport::Rest, Transport::Grpc, Transport::Graphql, Transport::Jsonrpc];

/// Whether there is a client of the trait: over GraphQL only where services of the system call it so.
fn has_client(model: &Model, service: &Service, transport: Transport) -> bool {
    contract::serves(model, service, transport)
        && (transport != Transport::Graphql || graphql_contract::is_called(model, service))
}

#[derive(Serialize)]
struct View {
    contracts: Vec<Contract>,
    /// The schemas that fronts make.
    composed: Vec<graphql::Composed>,
    events: Vec<TestedEvent>,
    heard: Vec<Heard>,
    #[serde(flatten)]
    flows: Flows,
}

/// Plans `tests`.
pub fn plan(planner: &mut Planner<'_>) -> Result<(), PlanError> {
    let model = planner.model;
    let ends = |event: &EventRef| {
        let path = names::rust::crate_ident(&names::rust::contract_crate(&event.service)) + "::";
        let mut ends: Vec<String> =
            [End::Least, End::Most].iter().filter_map(|end| Extremes::new(model, &path, *end).payload(event)).collect();
        ends.dedup();
        ends
    };
    // Names of a contract are written with its path, since two contracts may have the same.
    let mut sources = Sources::new("tests".into(), Owner::Generated);
    let (mut contracts, mut all) = (Vec::new(), BTreeMap::new());
    for service in model.services.values() {
        plan_contract(planner, service, &mut sources, &mut contracts, &mut all)?;
    }
    versions::each(planner, |planner, service| {
        plan_contract(planner, service, &mut sources, &mut contracts, &mut all)
    })?;
    let composed = |service| graphql::composed(model, &planner.scope, service);
    let composed: Vec<graphql::Composed> = model.services.values().filter_map(composed).collect();
    for suite in &composed {
        let path = format!("tests/contracts/mapping/{}.rs", suite.module);
        planner.rust(&mut sources, &path, "tests/mapping/composed.rs", suite)?;
    }
    let view = View {
        contracts,
        composed,
        events: model.services.values().flat_map(|service| events::tested(model, service, ends)).collect(),
        heard: heard::heard(model),
        flows: flows::flows(planner),
    };
    planner.rust(&mut sources, "src/bin/flows.rs", "tests/flows.rs", &view)?;
    let mut programs = vec![Target::Program { name: "flows".into(), path: "src/bin/flows.rs" }];
    if !view.events.is_empty() || view.contracts.iter().any(|contract| contract.has_queue) {
        planner.rust(&mut sources, "src/bin/messages.rs", "tests/messages.rs", &view)?;
        programs.push(Target::Program { name: "messages".into(), path: "src/bin/messages.rs" });
    }
    if !view.events.is_empty() {
        planner.rust(&mut sources, "tests/contracts/mapping/events.rs", "tests/mapping/events.rs", &view)?;
    }
    planner.rust(&mut sources, "tests/contracts/mapping.rs", "tests/mapping.rs", &view)?;
    provider::plan(planner, &mut sources)?;
    pacts::plan(planner, &mut sources)?;
    let member = Member {
        name: "tests".into(),
        description: "Contract tests and flows".into(),
        dependencies: ["anyhow".to_owned(), "tokio".to_owned()].into(),
        untested: programs,
        ..Member::default()
    };
    planner.add_crate_with(sources, |path| all.get(path).cloned().unwrap_or_default(), member);
    Ok(())
}

/// Plans the tests of one contract, unless nothing carries it. `all` gets the names that each file imports.
fn plan_contract(
    planner: &Planner<'_>,
    service: &Service,
    sources: &mut Sources,
    contracts: &mut Vec<Contract>,
    all: &mut BTreeMap<String, BTreeMap<String, String>>,
) -> Result<(), PlanError> {
    let contract = view(planner, service);
    if !contract.is_tested() {
        return Ok(());
    }
    let names = || contract::names(planner.model, &planner.scope, service, &contract.contract);
    let path = format!("tests/contracts/mapping/{}", contract.module);
    let mut add = |name: String, template: &str| {
        planner.rust(sources, &name, template, &contract)?;
        all.insert(name, names());
        Ok::<(), PlanError>(())
    };
    add(format!("{path}.rs"), "tests/mapping/contract.rs")?;
    if contract.has_link {
        add(format!("{path}/by_link.rs"), "tests/mapping/by_link.rs")?;
    }
    if !contract.cached.is_empty() {
        add(format!("{path}/by_cache.rs"), "tests/mapping/by_cache.rs")?;
    }
    if contract.has_ways {
        add(format!("{path}/by_ways.rs"), "tests/mapping/by_ways.rs")?;
    }
    if contract.has_queue {
        let path = format!("{path}/by_queue.rs");
        let suite = queue::suite(planner.model, service, contract.contract.clone(), contract.service_trait.clone());
        planner.rust(sources, &path, "tests/mapping/by_queue.rs", &suite)?;
        all.insert(path, names());
    }
    if contract.has_graphql {
        let suite = graphql::suite(planner.model, service, contract.contract.clone(), contract.service_trait.clone());
        planner.rust(sources, &format!("{path}/graphql.rs"), "tests/mapping/graphql.rs", &suite)?;
    }
    contracts.push(contract);
    Ok(())
}

/// What the tests of a contract are called. Beside those of events: no two names of services differ in `_` alone.
fn module(service: &Service) -> String {
    let module = names::rust::module(&service.name);
    match (service.is_old(), module.as_str()) {
        (true, _) => format!("{}_v{}", names::snake(&service.name), service.version),
        (false, "events") => module + "_",
        (false, _) => module,
    }
}

fn view(planner: &Planner<'_>, service: &Service) -> Contract {
    let model = planner.model;
    let contract = contract::ident(service);
    let transport = |transport: Transport| Connected {
        connect: format!("over_{}", transport.word()),
        router: match transport {
            Transport::Graphql => graphql::router(model, &planner.scope, service, "script.clone()"),
            _ => versions::rest(service, &[(contract.clone(), "script.clone()".into())]).concat(),
        },
        rest: transport == Transport::Rest,
        grpc: transport == Transport::Grpc,
        graphql: transport == Transport::Graphql,
        jsonrpc: transport == Transport::Jsonrpc,
    };
    Contract {
        module: module(service),
        service: service.name.clone(),
        service_trait: trait_name(planner.model, &planner.scope, service),
        variable: names::variable(&service.name),
        operations: service.operations.values().map(|o| tested(model, service, o)).collect(),
        // One that is composed has tests of its own.
        has_graphql: contract::serves(model, service, Transport::Graphql) && !service.composes(),
        has_queue: commands::takes(model, service),
        has_link: provider::called(model).iter().any(|called| called.name == service.name),
        has_ways: ways::has_ways(model, service),
        cached: match ways::caches(model, service) {
            true => {
                let cached = service.operations.values().filter(|operation| operation.can_be_cached());
                cached.map(|operation| tested(model, service, operation)).collect()
            }
            false => Vec::new(),
        },
        transports: CALLED
            .into_iter()
            .filter(|transport| has_client(model, service, *transport))
            .map(transport)
            .collect(),
        contract,
    }
}

impl Contract {
    /// Anything carries it to somebody else.
    fn is_tested(&self) -> bool {
        !self.transports.is_empty() || self.has_graphql || self.has_queue
    }
}

fn tested(model: &Model, service: &Service, operation: &Operation) -> Tested {
    let view = operations::view(model, service, operation);
    let served = model.served(&service.name, &operation.name);
    let tests = CALLED
        .into_iter()
        .filter(|transport| served.has(*transport) && has_client(model, service, *transport))
        .map(|transport| TestView {
            name: match transport {
                // The documents of others have their tests beside it.
                Transport::Graphql => format!("{}_by_a_client_over_graphql", operation.name),
                _ => format!("{}_over_{}", operation.name, transport.word()),
            },
            transport: transport.name(),
            connect: format!("over_{}", transport.word()),
        })
        .collect();
    let errors = operation.errors.iter().map(|error| {
        let value = Extremes::new(model, "", End::Most).error(operation, error);
        Declared { value, kind: operations::kind(error.kind) }
    });
    Tested {
        inputs: match view.reads {
            true => format!("Vec<{}>, ", view.item),
            false => view.params.iter().map(|p| format!("{}, ", p.ty)).collect(),
        },
        passed: if view.reads { ", sent(input)".to_owned() } else { view.arguments.clone() },
        played: played(&view),
        names: view.params.iter().map(|p| format!("{}, ", p.name)).collect(),
        least: round(model, service, operation, "least", End::Least),
        rounds: rounds(model, service, operation),
        errors: errors.collect(),
        tests,
        operation: view,
    }
}

fn played(view: &OperationView) -> String {
    let names: String = view.params.iter().map(|p| format!("{}, ", p.name)).collect();
    let played = match view.reads {
        true => format!("self.{}.read(cx, input).await", view.method),
        false => format!("self.{}.play(cx, ({names})).await", view.method),
    };
    if view.stream { format!("streamed({played})") } else { played }
}

fn round(model: &Model, service: &Service, operation: &Operation, name: &'static str, end: End) -> Round {
    let extremes = Extremes::new(model, "", end);
    Round { name, arguments: extremes.arguments(service, operation), answer: extremes.answer(service, operation) }
}

fn rounds(model: &Model, service: &Service, operation: &Operation) -> Vec<Round> {
    let ends = [("least", End::Least), ("most", End::Most)];
    let mut rounds: Vec<Round> =
        ends.into_iter().map(|(name, end)| round(model, service, operation, name, end)).collect();
    rounds.dedup_by(|a, b| a.arguments == b.arguments && a.answer == b.answer);
    rounds
}
