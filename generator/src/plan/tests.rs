//! The generated tests: every contract over every transport around a scripted service, and the flows of `smoke`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    contracts::shape,
    escape,
    model::{EventRef, Exposure, Model, Operation, Service, Shape, Type, Verb},
    names,
};

use super::{
    Owner, PlanError, Planner, Sources,
    contract::{self, trait_name},
    events::{self, TestedEvent},
    examples,
    heard::{self, Heard},
    manifest::Member,
    operations::{self, OperationView},
    queue as commands, resources,
    rust::user,
    ways,
};

mod graphql;
mod queue;

/// What the tests of one contract see.
#[derive(Serialize)]
struct Contract {
    module: String,
    service: String,
    /// What the clients of the flows are called after.
    client: String,
    /// The contract's crate, as Rust names it.
    contract: String,
    /// Not marked: tests write the trait with its path.
    service_trait: String,
    variable: String,
    operations: Vec<Tested>,
    transports: Vec<Transport>,
    has_graphql: bool,
    has_queue: bool,
    has_ways: bool,
    /// What callers outside reach: the same, for the flows.
    flows: Vec<Flow>,
    graphql_flows: Vec<graphql::Flow>,
    any_flows: bool,
    /// The clients of the flows.
    clients: Vec<Transport>,
}

#[derive(Serialize)]
struct Tested {
    #[serde(flatten)]
    operation: OperationView,
    /// `(OrderId, CancelRequest,)`
    inputs: String,
    /// `(id, input,)`
    names: String,
    /// An example of each parameter, in order: `GreetRequest { … },`.
    examples: Vec<String>,
    /// An example of the answer.
    answer: String,
    /// Each declared error, with example data.
    errors: Vec<String>,
    /// `greet_over_rest`, `greet_over_grpc`
    tests: Vec<TestView>,
}

#[derive(Serialize)]
struct TestView {
    name: String,
    transport: &'static str,
    connect: String,
}

#[derive(Serialize)]
struct Transport {
    connect: String,
    rest: bool,
    grpc: bool,
    queue: bool,
}

#[derive(Serialize)]
struct Flow {
    /// Rust string literal: `door.knock over REST`.
    what: String,
    /// The variable that holds the client.
    client: String,
    method: String,
    arguments: Vec<String>,
    may_miss: bool,
    /// `let order_rest = ` and `.map_or(…)`, which gives the id of the item that was made; or empty.
    binding: String,
    id: String,
}

#[derive(Serialize)]
struct View {
    contracts: Vec<Contract>,
    events: Vec<TestedEvent>,
    heard: Vec<Heard>,
}

/// Plans `tests`.
pub fn plan(planner: &mut Planner<'_>) -> Result<(), PlanError> {
    let model = planner.model;
    let contracts = model.services.values().map(|service| view(planner, service));
    let example = |event: &EventRef| {
        let contract = names::rust::crate_ident(&names::rust::contract_crate(&event.service));
        examples::payload(model, event, &format!("{contract}::"))
    };
    let view = View {
        contracts: contracts.filter(Contract::is_tested).collect(),
        events: model.services.values().flat_map(|service| events::tested(model, service, example)).collect(),
        heard: heard::heard(model),
    };
    // Names of a contract are written with its path, since two contracts may have the same.
    let mut sources = Sources::new("tests".into(), Owner::Generated);
    planner.rust(&mut sources, "src/bin/flows.rs", "tests/flows.rs", &view)?;
    if !view.events.is_empty() || view.contracts.iter().any(|contract| contract.has_queue) {
        planner.rust(&mut sources, "src/bin/messages.rs", "tests/messages.rs", &view)?;
    }
    if !view.events.is_empty() {
        planner.rust(&mut sources, "tests/mapping/events.rs", "tests/mapping/events.rs", &view)?;
    }
    planner.rust(&mut sources, "tests/mapping/main.rs", "tests/mapping/main.rs", &view)?;
    let mut all = BTreeMap::new();
    for contract in &view.contracts {
        let path = format!("tests/mapping/{}.rs", contract.module);
        planner.rust(&mut sources, &path, "tests/mapping/contract.rs", contract)?;
        if let Some(service) = model.services.get(&contract.service) {
            all.insert(path, contract::names(planner.model, &planner.scope, service, &contract.contract));
            if contract.has_queue {
                let path = format!("tests/mapping/{}/queue.rs", contract.module);
                let suite = queue::suite(model, service, contract.contract.clone(), contract.service_trait.clone());
                planner.rust(&mut sources, &path, "tests/mapping/queue.rs", &suite)?;
                all.insert(path, contract::names(planner.model, &planner.scope, service, &contract.contract));
            }
            if contract.has_ways {
                let path = format!("tests/mapping/{}/ways.rs", contract.module);
                planner.rust(&mut sources, &path, "tests/mapping/ways.rs", contract)?;
                all.insert(path, contract::names(planner.model, &planner.scope, service, &contract.contract));
            }
            if contract.has_graphql {
                let (path, crate_name) =
                    (format!("tests/mapping/{}/graphql.rs", contract.module), contract.contract.clone());
                let suite = graphql::suite(model, service, crate_name, contract.service_trait.clone());
                planner.rust(&mut sources, &path, "tests/mapping/graphql.rs", &suite)?;
            }
        }
    }
    let member = Member {
        name: "tests".into(),
        description: "Contract tests and flows".into(),
        dependencies: ["anyhow".to_owned(), "tokio".to_owned()].into(),
        ..Member::default()
    };
    planner.add_crate_with(sources, |path| all.get(path).cloned().unwrap_or_default(), member);
    Ok(())
}

fn view(planner: &Planner<'_>, service: &Service) -> Contract {
    let model = planner.model;
    let contract = names::rust::crate_ident(&names::rust::contract_crate(&service.name));
    let transports = |served: &dyn Fn(&str) -> bool| {
        let names = ["rest", "grpc", "queue"].into_iter().filter(|name| served(name));
        let transport = |name| Transport {
            connect: format!("over_{name}"),
            rest: name == "rest",
            grpc: name == "grpc",
            queue: name == "queue",
        };
        names.map(transport).collect()
    };
    let flows = flows(model, service, &format!("{contract}::"));
    let graphql_flows = graphql::flows(model, service, &contract);
    Contract {
        module: names::rust::module(&service.name),
        service: service.name.clone(),
        client: client(service).to_owned(),
        service_trait: trait_name(planner.model, &planner.scope, service),
        variable: names::variable(&service.name),
        operations: service.operations.values().map(|o| tested(model, service, o)).collect(),
        has_graphql: !graphql_flows.is_empty(),
        has_queue: commands::takes(model, service),
        has_ways: ways::has_ways(model, service),
        any_flows: !(flows.is_empty() && graphql_flows.is_empty()),
        clients: transports(&|name| flows.iter().any(|flow| flow.client.ends_with(&format!("_over_{name}")))),
        flows,
        graphql_flows,
        transports: transports(&|name| match name {
            "rest" => contract::serves(model, service, |e| e.rest),
            "grpc" => contract::serves(model, service, |e| e.grpc),
            // Tested apart, since nothing answers.
            _ => false,
        }),
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
    let tests = [("rest", "REST", served.rest), ("grpc", "gRPC", served.grpc)]
        .into_iter()
        .filter(|(_, _, served)| *served)
        .map(|(name, transport, _)| TestView {
            name: format!("{}_over_{name}", operation.name),
            transport,
            connect: format!("over_{name}"),
        })
        .collect();
    let errors = operation.errors.iter().map(|error| {
        let name = user(&operations::error_name(operation));
        match &error.data {
            Some(data) => format!("{name}::{}({})", error.name, examples::example_of(model, data, "")),
            None => format!("{name}::{}", error.name),
        }
    });
    Tested {
        inputs: view.params.iter().map(|p| format!("{}, ", p.ty)).collect(),
        names: view.params.iter().map(|p| format!("{}, ", p.name)).collect(),
        examples: examples::arguments(model, service, operation, ""),
        answer: examples::answer(model, service, operation, ""),
        errors: errors.collect(),
        tests,
        operation: view,
    }
}

/// What callers outside reach, over each transport: of each resource first what makes an item, last what deletes it, and
/// in between everything on the item that was made.
fn flows(model: &Model, service: &Service, path: &str) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (client, transport, pick) in TRANSPORTS {
        let mut operations: Vec<&Operation> = service.operations.values().filter(|o| pick(o.expose)).collect();
        operations.sort_by_key(|operation| turn(service, operation));
        let mut made = std::collections::BTreeSet::new();
        for operation in operations {
            let mut arguments = examples::arguments(model, service, operation, path);
            let item = shape::on_item(operation);
            let variable = |resource: &str| format!("{}_{client}", names::snake(resource));
            if let (Some(resource), Some(first)) = (item, arguments.first_mut())
                && made.contains(resource)
            {
                *first = format!("{}.clone()", variable(resource));
            }
            let maker = match &operation.shape {
                Shape::Verb { verb: Verb::Create, resource } => service.resources.get(resource),
                Shape::Verb { verb: Verb::Replace, resource } => {
                    service.resources.get(resource).filter(|resource| resources::is_natural(resource))
                }
                _ => None,
            };
            let (mut binding, mut id) = (String::new(), String::new());
            if let Some(resource) = maker.filter(|resource| made.insert(resource.name.as_str())) {
                let of = shape::of_service(service, &resource.name);
                binding = format!("let {} = ", variable(&resource.name));
                id = format!(
                    ".map_or({}, |made| made.{})",
                    examples::example(model, &Type::Ref(of), path),
                    names::rust::ident(&resource.id)
                );
            }
            flows.push(Flow {
                what: escape::rust_str(&format!("{}.{} over {transport}", service.name, operation.name)),
                client: format!("{}_over_{client}", self::client(service)),
                method: names::rust::ident(&operation.name),
                arguments,
                // Nobody makes an item, so there is none to work on.
                may_miss: item.is_some_and(|resource| !made.contains(resource)),
                binding,
                id,
            });
        }
    }
    let used = |variable: &str| {
        flows.iter().flat_map(|flow: &Flow| &flow.arguments).any(|argument| *argument == format!("{variable}.clone()"))
    };
    let spare: Vec<bool> = flows.iter().map(|flow| !used(bound(&flow.binding))).collect();
    for (flow, _) in flows.iter_mut().zip(spare).filter(|(_, spare)| *spare) {
        (flow.binding, flow.id) = (String::new(), String::new());
    }
    flows
}

/// The variable of `let order_rest = `.
fn bound(binding: &str) -> &str {
    binding.trim_start_matches("let ").trim_end_matches(" = ")
}

/// `self_` to `self`: the clients are `self_over_rest`. No two names of services differ in `_` alone.
fn client(service: &Service) -> &str {
    service.name.trim_end_matches('_')
}

type Pick = fn(Exposure) -> bool;

/// The clients of a contract: their modules, what they are called, and whether an operation is exposed to them.
const TRANSPORTS: [(&str, &str, Pick); 3] =
    [("rest", "REST", |e| e.rest), ("grpc", "gRPC", |e| e.grpc), ("queue", "the queue", |e| e.queue)];

/// When the flow of an operation has its turn.
fn turn(service: &Service, operation: &Operation) -> u8 {
    match &operation.shape {
        Shape::Verb { verb: Verb::Create, .. } => 0,
        Shape::Verb { verb: Verb::Replace, resource }
            if service.resources.get(resource).is_some_and(resources::is_natural) =>
        {
            0
        }
        Shape::Verb { verb: Verb::Delete, .. } => 2,
        _ => 1,
    }
}
