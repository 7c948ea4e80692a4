//! The crate of a service, which is the user's: business code, wiring, configuration.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    contracts::shape,
    escape,
    model::{Link, Model, Service, Target, Via},
    names,
};

use super::{
    Owner, PlanError, Planner, Sources, Stub,
    contract::{self, trait_name},
    day_one,
    events::{self, Consumer},
    imports,
    manifest::Member,
    operations::{self, OperationView},
    resources,
    scope::Item,
    store::{self, StoreView},
    types::doc_lines,
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
    /// It has no store and publishes directly.
    has_publisher: bool,
    /// The business code is given anything at all.
    has_parts: bool,
    consumers: Vec<Consumer>,
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

/// A service that this one calls.
#[derive(Clone, Serialize)]
struct Dependency {
    /// The field and the configuration section.
    name: String,
    service: String,
    contract: String,
    /// `greeter_contract::Greeter`
    service_trait: String,
    grpc: bool,
    rest: bool,
    variable: String,
    port: u16,
    timeout: String,
    attempts: u32,
    backoff_first: String,
    backoff_most: String,
    has_breaker: bool,
    failure_rate: f64,
    window: u32,
    open_for: String,
    bulkhead: u32,
    /// What a caller sees when the other side is slow, failing or gone.
    promise: Vec<String>,
    /// Nothing calls it on the first day.
    spare: bool,
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
        planner.file(format!("{}/{}", folder(service), store.migration), sql, Owner::Yours, template.into());
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
            .map(|p| format!(", {}{}: {}", if mentions(&text, &p.name) { "" } else { "_" }, p.name, p.ty))
            .collect();
        Implemented { cx: if mentions(&text, "cx") { "cx" } else { "_cx" }, operation: view, body, own_signature }
    });
    let operations: Vec<Implemented> = operations.collect();
    let code: String =
        operations.iter().flat_map(|operation| &operation.body).map(|line| line.clone() + "\n").collect();
    let dependencies = dependencies(planner, service, &code);
    let has_grpc = contract::serves(model, service, |e| e.grpc);
    let stores: Vec<StoreView> = service
        .resources
        .values()
        .enumerate()
        .map(|(number, r)| store::view(model, &shape::of_service(service, &r.name), r, number + 1, &code))
        .collect();
    let has_store = events::has_store(service);
    let (emits, consumes) = (events::emits(service), events::consumes(service));
    let has_broker = emits || consumes;
    let variable_name = names::rust::ident(&service.name);
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
        has_outbox: has_store && emits,
        has_inbox: has_store && consumes,
        has_publisher: !has_store && emits,
        has_parts: has_store || emits || !dependencies.is_empty(),
        consumers: events::consumers(model, service),
        changes: changes(planner, service),
        migrations: stores.iter().map(|store| migration(&store.migration)).collect(),
        stores,
        dependencies,
        faces: faces(model, service, &contract, &variable_name),
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
    let mut routers = Vec::new();
    if contract::serves(model, service, |e| e.rest) {
        routers.push(format!("{contract}::rest::router"));
    }
    if contract::serves(model, service, |e| e.grpc) {
        routers.push(format!("{contract}::grpc::router"));
    }
    if contract::serves(model, service, |e| e.graphql) {
        routers.push(format!("{contract}::graphql::router"));
    }
    let last = routers.len().saturating_sub(1);
    let face = |(number, router): (usize, String)| {
        let argument = if number == last { name.to_owned() } else { format!("{name}.clone()") };
        if number == 0 { format!("{router}({argument})") } else { format!(".merge({router}({argument}))") }
    };
    let standard = contract::serves(model, service, |e| e.grpc).then(|| ".merge(standard)".to_owned());
    routers.into_iter().enumerate().map(face).chain(standard).collect()
}

/// `migrations/0001_orders.sql` as one of the list in `store.rs`.
fn migration(path: &str) -> String {
    let name = path.trim_start_matches("migrations/").trim_end_matches(".sql");
    format!("Migration {{ name: \"{name}\", sql: include_str!(\"../{path}\") }}")
}

/// The text uses the variable.
pub fn mentions(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(|c: char| part(c) || c == '.') && !text[at + name.len()..].starts_with(part)
    })
}

/// `code` is what the business code begins with.
fn dependencies(planner: &Planner<'_>, service: &Service, code: &str) -> Vec<Dependency> {
    let model = planner.model;
    let mut seen = BTreeSet::new();
    let calls = model.links.iter().filter(|link| link.from == service.name);
    let dependencies = calls.filter_map(|link| dependency(planner, model, link));
    let spare = |d: Dependency| Dependency { spare: !code.contains(&format!("self.{}.", d.name)), ..d };
    dependencies.filter(|d| seen.insert(d.name.clone())).map(spare).collect()
}

fn dependency(planner: &Planner<'_>, model: &Model, link: &Link) -> Option<Dependency> {
    let Target::Service { service, via } = &link.to else { return None };
    let number = model.services.get_index_of(service)?;
    let callee = &model.services[service];
    let contract = names::rust::crate_ident(&names::rust::contract_crate(service));
    let policy = &link.policy;
    let breaker = policy.breaker;
    Some(Dependency {
        name: names::rust::ident(service),
        service: service.clone(),
        service_trait: format!("{contract}::{}", trait_name(planner.model, &planner.scope, callee)),
        contract,
        grpc: *via == Via::Grpc,
        rest: *via == Via::Rest,
        variable: names::variable(service),
        port: super::workspace::port(number),
        timeout: duration(policy.timeout),
        attempts: policy.retry.attempts,
        backoff_first: duration(policy.retry.backoff.0),
        backoff_most: duration(policy.retry.backoff.1),
        has_breaker: breaker.is_some(),
        failure_rate: breaker.map_or(0.5, |b| b.failure_rate),
        window: breaker.map_or(20, |b| b.window),
        open_for: duration(breaker.map_or(std::time::Duration::from_secs(10), |b| b.open_for)),
        bulkhead: policy.bulkhead,
        promise: promise(link),
        spare: false,
    })
}

/// What a caller of this link sees, in one paragraph.
fn promise(link: &Link) -> Vec<String> {
    let policy = &link.policy;
    let slow = match policy.retry.attempts {
        0 | 1 => format!("Slow: a call is given up after {}.", duration(policy.timeout)),
        attempts => {
            format!(
                "Slow: a try is given up after {}, and what is safe is tried {attempts} times.",
                duration(policy.timeout)
            )
        }
    };
    let failing = match policy.breaker {
        Some(breaker) => format!(
            "Failing or gone: `unavailable`; at once for {} when {} % of the last {} calls failed.",
            duration(breaker.open_for),
            (breaker.failure_rate * 100.0).round(),
            breaker.window
        ),
        None => "Failing or gone: `unavailable`.".into(),
    };
    vec![slow, failing, format!("Busy: more than {} calls at a time are refused.", policy.bulkhead)]
}

/// As designs and configuration write it: `300ms`, `2s`.
fn duration(span: std::time::Duration) -> String {
    let ms = span.as_millis();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
        if ms > 0 && ms.is_multiple_of(size) {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}
