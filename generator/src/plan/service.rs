//! The crate of a service, which is the user's: business code, wiring, configuration.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    contracts::{asyncapi, shape},
    escape,
    model::{GraphqlLimits, Introspection, Model, OldVersion, Operation, Service, Transport},
    names,
    scope::{Item, Scope},
};

use super::{
    Owner, PlanError, Planner, Sources, Stub, adapter,
    contract::{self, trait_name},
    day_one,
    events::{self, Consumer},
    examples, faces,
    fronts::{self, FrontWay},
    gate, graphql, imports,
    manifest::{Member, Target},
    operations::{self, OperationView},
    queue, resources,
    store::{self, StoreView},
    types::doc_lines,
    ways::{self, Dependency, Section, Way},
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
    /// Those that its business code has.
    held: Vec<Dependency>,
    ways: Vec<Way>,
    /// The services behind it.
    fronts: Vec<FrontWay>,
    /// Of the configuration, one a service or operation that is reached.
    sections: Vec<Section>,
    /// It has operations, and not only others behind it.
    has_code: bool,
    /// Origins whose pages may call it, as TOML writes a list; empty where none may.
    cors: Vec<String>,
    port: u16,
    /// The parameters of `start`, `_` before those it does not use.
    config: &'static str,
    runtime: &'static str,
    /// The variable that holds the business code.
    variable_name: String,
    /// The expression that makes the router, in parts.
    faces: Vec<String>,
    has_grpc: bool,
    /// What requests over GraphQL may ask for, if it serves that.
    graphql: Vec<Limits>,
    /// Over REST.
    takes_streams: bool,
    /// Streams of events, or WebSockets.
    keeps_connections: bool,
    /// Streams both ways, over WebSockets of REST.
    talks: bool,
    has_store: bool,
    /// It publishes or consumes.
    has_broker: bool,
    emits: bool,
    /// What it publishes waits in its store.
    has_outbox: bool,
    /// The gate stands before its business code …
    is_gated: bool,
    /// … since first answers are kept in its store …
    keeps_answers: bool,
    /// … or since calls are counted.
    limits: Vec<CallLimits>,
    /// Who calls matters here or behind it, so there is a list of proxies.
    proxies: Vec<String>,
    /// Its name, a Rust string literal.
    literal: String,
    /// Which operations of its own are counted, as an expression.
    counted: String,
    /// What passes to others is counted …
    counts_passing: bool,
    /// … where it composes their schemas …
    counts_composed: bool,
    /// … and by the routers of those behind it, merged.
    passing: Vec<String>,
    /// What is served: its business code, or that behind the gate.
    served: String,
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
    /// Old versions that it still serves.
    old: Vec<OldView>,
    /// Contracts that reflection and health know.
    described: Vec<String>,
    /// Traits that change items.
    changes: Vec<String>,
    stores: Vec<StoreView>,
    /// `Migration { name: …, sql: include_str!(…) }`
    migrations: Vec<String>,
}

/// An old version, beside the present one.
#[derive(Serialize)]
struct OldView {
    version: u32,
    /// `v1`: the variable, and the module of what the user says of it.
    variable: String,
    contract: String,
    mapped: bool,
}

/// What the user says of an old version.
#[derive(Serialize)]
struct OldCode<'a> {
    #[serde(flatten)]
    adapter: &'a adapter::View,
    gone_methods: Vec<Implemented>,
}

#[derive(Serialize)]
struct Limits {
    depth: u32,
    complexity: u32,
    aliases: u32,
    directives: u32,
    batch: u32,
    introspection: &'static str,
}

/// What `[limits]` says.
#[derive(Serialize)]
struct CallLimits {
    /// Of all operations: the key, what it is, and the rate.
    service: Vec<(&'static str, &'static str, String)>,
    operations: Vec<(String, String)>,
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
    if view.has_code {
        planner.rust(&mut sources, &format!("src/{}.rs", view.module), "service/src/business.rs", &view)?;
    }
    let stubs = view.operations.iter().map(|operation| {
        let text = imports::resolve(&planner.render("service/src/method.rs", operation)?, &BTreeMap::new());
        let text = text.lines().map(|line| format!("    {line}\n")).collect();
        Ok(Stub { of: view.name.clone(), method: operation.operation.method.clone(), text })
    });
    let stubs = stubs.collect::<Result<_, PlanError>>()?;
    if view.has_code {
        planner.plan.stubs.insert(format!("{}/src/{}.rs", folder(service), view.module), stubs);
    }
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
    let mut old_names = BTreeMap::new();
    for old in &view.old {
        if let Some(names) = plan_old(planner, service, old, &mut sources)? {
            old_names.insert(format!("src/{}.rs", old.variable), names);
        }
    }
    let mut names = contract::names(planner.model, &planner.scope, service, &view.contract);
    // The business code has a type of the trait's name; the trait is written with its path.
    names.remove(&trait_name(planner.model, &planner.scope, service));
    let package = package(planner, service);
    let member = Member {
        name: package.clone(),
        description: service.docs.summary.clone(),
        // It only calls the library.
        untested: vec![Target::Program { name: package, path: "src/main.rs" }],
        ..Member::default()
    };
    planner.add_crate_with(sources, |path| old_names.get(path).unwrap_or(&names).clone(), member);
    let config = planner.render("service/config.toml", &view)?;
    planner.file(format!("{}/config.toml", folder(service)), config, Owner::Yours, "service/config.toml.hbs".into());
    Ok(())
}

/// Where proxies are whose `Forwarded` says who calls, as TOML writes a list: on the first day those of this system.
fn proxies(model: &Model, service: &Service) -> String {
    let is_called = model.links.iter().any(|link| link.callee() == Some(&service.name));
    // On one machine, as they all are at first, those in between come from there.
    let between = is_called || fronts::is_fronted(model, service);
    let proxies: &[&str] = if between { &["127.0.0.1", "::1"] } else { &[] };
    format!("{proxies:?}")
}

/// What a caller may do, as the configuration says it.
fn call_limits(model: &Model, service: &Service) -> CallLimits {
    let all = [
        ("service", "Of all operations together.", service.limits.limit),
        ("quota", "The same over a long time.", service.limits.quota),
    ];
    let own = service.operations.values().filter(|operation| gate::is_limited(model, service, operation));
    CallLimits {
        service: all.into_iter().filter_map(|(key, what, rate)| Some((key, what, rate?.to_string()))).collect(),
        operations: own.filter_map(|operation| Some((operation.name.clone(), operation.limit?.to_string()))).collect(),
    }
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
    let fronts = fronts::ways(model, service);
    let mut sections: Vec<Section> = ways.iter().map(|way| way.section.clone()).collect();
    for section in fronts::sections(model, service) {
        match sections.iter_mut().find(|said| said.section == section.section) {
            Some(said) => said.carry_streams(),
            None => sections.push(section),
        }
    }
    let has_grpc = contract::serves(model, service, Transport::Grpc);
    let has_graphql = contract::serves(model, service, Transport::Graphql) || service.composes();
    let stores: Vec<StoreView> = service.resources.values().map(|r| store::view(model, service, r)).collect();
    let has_store = events::has_store(model, service);
    let (emits, sends) = (events::emits(service), queue::sends(model, service));
    let mut consumers = events::consumers(model, service);
    let hears = !consumers.is_empty();
    consumers.extend(queue::consumers(model, service, &contract));
    let follows = events::follows(service);
    let has_broker = emits || sends || follows || !consumers.is_empty();
    let ident = names::rust::variable(&service.name);
    let keeps_answers = gate::keeps_answers(model, service);
    let is_limited = gate::limits(model, service);
    let counted: Vec<CallLimits> =
        gate::counts(model, service).then(|| call_limits(model, service)).into_iter().collect();
    let is_gated = keeps_answers || is_limited;
    let name = trait_name(planner.model, &planner.scope, service);
    let old: Vec<OldView> = service.old.iter().map(|old| old_view(planner, old)).collect();
    let members = graphql::behind(model, &planner.scope, service).map(|behind| behind.members);
    let faces = faces::of_service(model, service, &contract, &ident, members.as_deref());
    let held: Vec<Dependency> = dependencies.iter().filter(|dependency| dependency.held).cloned().collect();
    let mut described: Vec<String> = has_grpc.then(|| contract.clone()).into_iter().collect();
    described.extend(
        service.old.iter().filter(|old| faces::carried(old, Transport::Grpc)).map(|o| contract::ident(&o.service)),
    );
    let has_grpc = !described.is_empty();
    // Nobody may reach it yet.
    let is_served = faces::TRANSPORTS.into_iter().any(|transport| contract::serves(model, service, transport));
    let is_used = is_served || !consumers.is_empty() || !old.is_empty();
    let variable_name = if is_used { ident } else { format!("_{}", service.name) };
    View {
        docs: doc_lines(&service.docs, ""),
        module_docs: escape::rust_module_doc(&service.docs.summary).lines().map(str::to_owned).collect(),
        service: service.name.clone(),
        served: if is_gated { format!("{contract}::Gated") } else { name.clone() },
        name,
        library: names::rust::crate_ident(&package(planner, service)),
        module: names::rust::module(&service.name),
        variable: names::variable(&service.name),
        operations,
        port: super::workspace::port(model.services.get_index_of(&service.name).unwrap_or_default()),
        config: if dependencies.is_empty()
            && fronts.is_empty()
            && !has_graphql
            && !has_store
            && !has_broker
            && counted.is_empty()
        {
            "_config"
        } else {
            "config"
        },
        runtime: match dependencies.is_empty()
            && fronts.is_empty()
            && !has_grpc
            && !has_graphql
            && !has_store
            && !has_broker
        {
            true => "_service",
            false => "service",
        },
        has_grpc,
        graphql: has_graphql.then(|| limits(service)).into_iter().collect(),
        takes_streams: any_over(model, service, &[Transport::Rest, Transport::Grpc], |operation| {
            operation.reads() && !operation.streams()
        }),
        keeps_connections: has_graphql || any_over(model, service, &[Transport::Rest], Operation::streams),
        talks: any_over(model, service, &[Transport::Rest], |operation| operation.reads() && operation.streams()),
        has_store,
        has_broker,
        proxies: (!counted.is_empty() || !service.fronts.is_empty())
            .then(|| proxies(model, service))
            .into_iter()
            .collect(),
        limits: counted,
        literal: escape::rust_str(&service.name),
        counted: if is_limited { format!("{contract}::LIMITED") } else { "&[]".to_owned() },
        counts_passing: gate::counts_passing(service),
        counts_composed: gate::counts_passing(service) && members.is_some(),
        passing: if gate::counts_passing(service) {
            faces::merged(faces::behind(model, service)).collect()
        } else {
            Vec::new()
        },
        emits,
        has_outbox: has_store && (emits || sends),
        is_gated,
        keeps_answers,
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
        has_parts: has_store || emits || follows || !held.is_empty(),
        consumers,
        changes: changes(planner, service),
        old,
        described,
        migrations: stores.iter().map(|store| migration(&store.migration)).collect(),
        stores,
        ways,
        fronts,
        sections,
        has_code: contract::has_code(service),
        cors: listed_in_toml(&service.cors),
        dependencies,
        held,
        faces,
        variable_name,
        contract,
    }
}

fn any_over(model: &Model, service: &Service, ways: &[Transport], is_meant: fn(&Operation) -> bool) -> bool {
    let is_over = |name: &str| ways.iter().any(|way| model.served(&service.name, name).has(*way));
    service.operations.values().any(|operation| is_meant(operation) && is_over(&operation.name))
}

/// The traits of the contract that change items whose types are in `contracts/shared`.
fn changes(planner: &Planner<'_>, service: &Service) -> Vec<String> {
    let resources = service.resources.values().filter(|resource| {
        let item = Item::Resource(shape::of_service(service, &resource.name));
        resources::is_changed(resource) && planner.scope.shared().contains(&item)
    });
    resources.map(resources::changes_name).collect()
}

fn old_view(planner: &Planner<'_>, old: &OldVersion) -> OldView {
    let adapter = planner.adapters.get(&(old.service.name.clone(), old.service.version));
    OldView {
        version: old.service.version,
        variable: faces::variable(old),
        contract: contract::ident(&old.service),
        mapped: adapter.is_some_and(|adapter| adapter.mapped),
    }
}

/// Plans what the user says of an old version, and gives the names that it is said with; `None`: there is nothing to
/// say.
fn plan_old(
    planner: &mut Planner<'_>,
    service: &Service,
    view: &OldView,
    sources: &mut Sources,
) -> Result<Option<BTreeMap<String, String>>, PlanError> {
    let key = (service.name.clone(), view.version);
    let old = service.old.iter().find(|old| old.service.version == view.version);
    let (Some(old), Some(adapter)) = (old, planner.adapters.get(&key).filter(|adapter| adapter.mapped)) else {
        return Ok(None);
    };
    let then = planner.model.at(old);
    let gone = |gone: &OperationView| {
        let operation = then.services.get(&service.name)?.operations.get(&gone.name)?;
        let answer = examples::answer(&then, &old.service, operation, "");
        let view = operations::view(&then, &old.service, operation);
        let answer = match view.stream {
            true => format!("Ok(Box::pin(futures_util::stream::iter([Ok({answer})])))"),
            false => format!("Ok({answer})"),
        };
        let body = vec!["// Yours: what this does now. This is an example.".to_owned(), answer];
        let own_signature = view.params.iter().map(|p| format!(", _{}: {}", p.name, p.ty)).collect();
        Some(Implemented { cx: "_cx", operation: view, body, own_signature })
    };
    let code = OldCode { adapter, gone_methods: adapter.gone.iter().filter_map(gone).collect() };
    let path = format!("src/{}.rs", view.variable);
    planner.rust(sources, &path, "service/src/version.rs", &code)?;
    let stub = |method: &str, text: String| {
        let text = imports::resolve(&text, &BTreeMap::new());
        let text = text.lines().map(|line| format!("    {line}\n")).collect();
        Stub { of: "Mapping".into(), method: method.to_owned(), text }
    };
    let mut stubs = Vec::new();
    for conversion in adapter.conversions.iter().filter(|conversion| !conversion.said) {
        stubs.push(stub(&conversion.function, planner.render("service/src/conversion.rs", conversion)?));
    }
    for method in &code.gone_methods {
        stubs.push(stub(&method.operation.method, planner.render("service/src/method.rs", method)?));
    }
    let names = contract::names(&then, &Scope::of(&then), &old.service, &view.contract);
    planner.plan.stubs.insert(format!("{}/{path}", folder(service)), stubs);
    Ok(Some(names))
}

/// `["https://app.example"]` as one line, or none.
fn listed_in_toml(texts: &[String]) -> Vec<String> {
    let texts: Vec<String> = texts.iter().map(|text| escape::toml_str(text)).collect();
    if texts.is_empty() { Vec::new() } else { vec![format!("[{}]", texts.join(", "))] }
}

fn limits(service: &Service) -> Limits {
    let GraphqlLimits { depth, complexity, batch, aliases, directives, introspection } = service.graphql;
    let introspection = match introspection {
        Introspection::Always => "always",
        Introspection::Development => "development",
        Introspection::Never => "never",
    };
    Limits { depth, complexity, aliases, directives, batch, introspection }
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
