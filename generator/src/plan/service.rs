//! The crate of a service, which is the user's: business code, wiring, configuration.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    contracts::{asyncapi, shape},
    escape,
    model::{Model, Service, Transport},
    names,
    scope::Item,
};

use super::{
    Owner, PlanError, Planner, Sources, Stub,
    contract::{self, trait_name},
    day_one,
    events::{self, Consumer},
    imports,
    manifest::Member,
    operations::{self, OperationView},
    queue, resources,
    store::{self, StoreView},
    types::doc_lines,
    ways::{self, Dependency, Way},
};

/// What the templates of a service see.
#[derive(Serialize)]
struct View {
    docs: Vec<String>,
    module_docs: Vec<String>,
    /// As in the design.
    service: String,
    /// The struct with the business code, called like the trait.
    name: String,
    /// The library of this crate and the contract, as Rust names them.
    library: String,
    contract: String,
    /// The file with the business code.
    module: String,
    variable: String,
    operations: Vec<Implemented>,
    dependencies: Vec<Dependency>,
    ways: Vec<Way>,
    port: u16,
    /// The parameters of `start`, `_` before those it does not use.
    config: &'static str,
    runtime: &'static str,
    /// The variable that holds the business code.
    variable_name: String,
    /// The expression that makes the router, in parts.
    faces: Vec<String>,
    has_grpc: bool,
    has_store: bool,
    /// It publishes or consumes.
    has_broker: bool,
    emits: bool,
    /// What it publishes waits in its store.
    has_outbox: bool,
    /// What it received is remembered in its store.
    has_inbox: bool,
    /// It looks on events, or has no store and publishes directly.
    holds_broker: bool,
    follows: bool,
    /// Day-one code goes through items: it maps them, or looks at each.
    maps: bool,
    folds: bool,
    /// The business code is given anything at all.
    has_parts: bool,
    consumers: Vec<Consumer>,
    /// Some consumers are of events.
    hears: bool,
    /// It sends commands through the queue.
    sends: bool,
    /// The contracts whose queues it sends to.
    written_queues: Vec<String>,
    /// Who it is as a sender, a Rust string literal.
    source: String,
    /// Commands that travel through the queue, for the configuration.
    sent: Vec<String>,
    taken: Vec<String>,
    /// Traits that change items.
    changes: Vec<String>,
    stores: Vec<StoreView>,
    /// `Migration { name: …, sql: include_str!(…) }`
    migrations: Vec<String>,
}

#[derive(Serialize)]
struct Implemented {
    #[serde(flatten)]
    operation: OperationView,
    /// Day-one code.
    body: Vec<String>,
    /// `_` before a parameter that the body does not use.
    cx: &'static str,
    own_signature: String,
}

/// Plans `services/<service>`.
pub fn plan(planner: &mut Planner<'_>, service: &Service) -> Result<(), PlanError> {
    let view = view(planner, service);
    let mut sources = Sources::new(folder(service), Owner::Yours);
    planner.rust(&mut sources, "src/main.rs", "service/src/main.rs", &view)?;
    planner.rust(&mut sources, "src/lib.rs", "service/src/lib.rs", &view)?;
    planner.rust(&mut sources, "src/app.rs", "service/src/app.rs", &view)?;
    planner.rust(&mut sources, &format!("src/{}.rs", view.module), "service/src/business.rs", &view)?;
    let stubs = view.operations.iter().map(|operation| {
        let text = imports::resolve(&planner.render("service/src/method.rs", operation)?, &BTreeMap::new());
        let text = text.lines().map(|line| format!("    {line}\n")).collect();
        Ok(Stub { of: view.name.clone(), method: operation.operation.method.clone(), text })
    });
    let stubs = stubs.collect::<Result<_, PlanError>>()?;
    planner.plan.stubs.insert(format!("{}/src/{}.rs", folder(service), view.module), stubs);
    if view.has_store {
        planner.rust(&mut sources, "src/store.rs", "service/src/store.rs", &view)?;
    }
    for store in &view.stores {
        planner.rust(
            &mut sources,
            &format!("src/store/{}.rs", store.module),
            "service/src/store/resource.rs",
            store,
        )?;
        let sql = planner.render("service/migrations/resource.sql", store)?;
        let template = "service/migrations/resource.sql.hbs";
        planner.file(format!("{}/{}", folder(service), store.migration), sql, Owner::Applied, template.into());
    }
    let mut names = contract::names(planner.model, &planner.scope, service, &view.contract);
    // The business code has a type of the trait's name; the trait is written with its path.
    names.remove(&trait_name(planner.model, &planner.scope, service));
    let member =
        Member { name: package(planner, service), description: service.docs.summary.clone(), ..Member::default() };
    planner.add_crate(sources, &names, member);
    let config = planner.render("service/config.toml", &view)?;
    planner.file(format!("{}/config.toml", folder(service)), config, Owner::Yours, "service/config.toml.hbs".into());
    Ok(())
}

/// `services/<service>`.
pub fn folder(service: &Service) -> String {
    format!("services/{}", names::path::service_folder(&service.name))
}

/// The package, and the binary, of a service.
pub fn package(planner: &Planner<'_>, service: &Service) -> String {
    let taken: Vec<&str> = planner.versions.names().collect();
    names::rust::service_crate(&service.name, &taken)
}

fn view(planner: &Planner<'_>, service: &Service) -> View {
    let model = planner.model;
    let contract = names::rust::crate_ident(&names::rust::contract_crate(&service.name));
    let operations = service.operations.values().map(|operation| {
        let view = operations::view(model, service, operation);
        let body = day_one::body(model, service, operation);
        let text = body.join("\n");
        let own_signature = view
            .params
            .iter()
            .map(|p| format!(", {}{}: {}", if day_one::mentions(&text, &p.name) { "" } else { "_" }, p.name, p.ty))
            .collect();
        Implemented {
            cx: if day_one::mentions(&text, "cx") { "cx" } else { "_cx" },
            operation: view,
            body,
            own_signature,
        }
    });
    let operations: Vec<Implemented> = operations.collect();
    let code: String =
        operations.iter().flat_map(|operation| &operation.body).map(|line| line.clone() + "\n").collect();
    let dependencies = ways::dependencies(planner, service, &code);
    let ways: Vec<Way> = dependencies.iter().flat_map(|dependency| dependency.ways.clone()).collect();
    let has_grpc = contract::serves(model, service, Transport::Grpc);
    let stores: Vec<StoreView> = service.resources.values().map(|r| store::view(model, service, r)).collect();
    let has_store = events::has_store(model, service);
    let (emits, sends) = (events::emits(service), queue::sends(model, service));
    let mut consumers = events::consumers(model, service);
    let hears = !consumers.is_empty();
    consumers.extend(queue::consumers(model, service, &contract));
    let follows = events::follows(service);
    let has_broker = emits || sends || follows || !consumers.is_empty();
    let ident = names::rust::variable(&service.name);
    let faces = faces(model, service, &contract, &ident);
    // Nobody may reach it yet.
    let variable_name = if faces.is_empty() && consumers.is_empty() { format!("_{}", service.name) } else { ident };
    View {
        docs: doc_lines(&service.docs, ""),
        module_docs: escape::rust_module_doc(&service.docs.summary).lines().map(str::to_owned).collect(),
        service: service.name.clone(),
        name: trait_name(planner.model, &planner.scope, service),
        library: names::rust::crate_ident(&package(planner, service)),
        module: names::rust::module(&service.name),
        variable: names::variable(&service.name),
        operations,
        port: super::workspace::port(model.services.get_index_of(&service.name).unwrap_or_default()),
        config: if dependencies.is_empty() && !has_store && !has_broker { "_config" } else { "config" },
        runtime: if dependencies.is_empty() && !has_grpc && !has_store && !has_broker { "_service" } else { "service" },
        has_grpc,
        has_store,
        has_broker,
        emits,
        has_outbox: has_store && (emits || sends),
        has_inbox: has_store && !consumers.is_empty(),
        sends,
        written_queues: ways::written_queues(model, service),
        source: escape::rust_str(&events::source(service)),
        sent: listed(asyncapi::sent(model, service).iter().map(|to| format!("{}.{}", to.service, to.operation))),
        taken: listed(
            service.operations.values().filter(|o| queue::is_taken(model, service, o)).map(|o| o.name.clone()),
        ),
        hears,
        holds_broker: follows || (!has_store && emits),
        follows,
        maps: follows || service.operations.values().any(|operation| operation.reads() && operation.streams()),
        folds: service.operations.values().any(|operation| operation.reads() && !operation.streams()),
        has_parts: has_store || emits || follows || !dependencies.is_empty(),
        consumers,
        changes: changes(planner, service),
        migrations: stores.iter().map(|store| migration(&store.migration)).collect(),
        stores,
        ways,
        dependencies,
        faces,
        variable_name,
        contract,
    }
}

/// The traits of the contract that change items whose types are in `contracts/shared`.
fn changes(planner: &Planner<'_>, service: &Service) -> Vec<String> {
    let resources = service.resources.values().filter(|resource| {
        let item = Item::Resource(shape::of_service(service, &resource.name));
        resources::is_changed(resource) && planner.scope.shared().contains(&item)
    });
    resources.map(resources::changes_name).collect()
}

/// `orders_contract::rest::router(orders.clone())`, `.merge(…)`: what carries the service, on one port.
fn faces(model: &Model, service: &Service, contract: &str, name: &str) -> Vec<String> {
    let faces = [Transport::Rest, Transport::Grpc, Transport::Graphql];
    let served = faces.into_iter().filter(|transport| contract::serves(model, service, *transport));
    let routers: Vec<String> = served.map(|transport| format!("{contract}::{}::router", transport.word())).collect();
    let last = routers.len().saturating_sub(1);
    let face = |(number, router): (usize, String)| {
        let argument = if number == last { name.to_owned() } else { format!("{name}.clone()") };
        if number == 0 { format!("{router}({argument})") } else { format!(".merge({router}({argument}))") }
    };
    let standard = contract::serves(model, service, Transport::Grpc).then(|| ".merge(standard)".to_owned());
    routers.into_iter().enumerate().map(face).chain(standard).collect()
}

/// `` `a`, `b` `` as one line, or none.
fn listed(names: impl Iterator<Item = String>) -> Vec<String> {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { Vec::new() } else { vec![names.join(", ")] }
}

/// `migrations/orders_1.sql` as one of the list in `store.rs`.
fn migration(path: &str) -> String {
    let name = path.trim_start_matches("migrations/").trim_end_matches(".sql");
    format!("Migration {{ name: \"{name}\", sql: include_str!(\"../{path}\") }}")
}
