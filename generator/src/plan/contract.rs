//! The contract crate of a service: types, errors, the trait, and what carries it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    contracts::{asyncapi, composed, fronted, graphql as sdl, openrpc, pb, proto, schema, shape},
    escape,
    model::{Docs, Input, Model, Operation, Output, Service, Shape, Transport},
    names,
    scope::{Item, Scope},
};

use super::{
    Owner, PlanError, Planner, Sources, events,
    fronts::{self, FrontView},
    gate, graphql,
    grpc::{self, GrpcOperation},
    jsonrpc::{self, JsonrpcOperation},
    manifest::{Member, Target},
    operations::{self, ErrorView, OperationView},
    queue::{self, QueuedOperation},
    resources,
    rest::{self, RestOperation, RouteView},
    rust::user,
    types::{Types, doc_lines},
    versions, ways,
};

/// The crate that holds what several contracts use.
const SHARED: &str = "shared";

/// What the templates of a contract see.
#[derive(Serialize)]
struct View<'a> {
    docs: Vec<String>,
    module_docs: Vec<String>,
    service: &'a str,
    service_trait: String,
    operations: Vec<OperationView>,
    errors: Vec<ErrorView>,
    /// Not all of its types are in `contracts/shared`.
    has_types: bool,
    has_events: bool,
    /// There is anything to guard.
    is_gated: bool,
    keeps_answers: bool,
    is_limited: bool,
    has_rest: bool,
    has_grpc: bool,
    has_graphql: bool,
    has_jsonrpc: bool,
    has_openapi: bool,
    /// It has operations, and not only others behind it.
    has_code: bool,
    /// The services behind it.
    fronts: Vec<FrontView>,
    /// Nothing but the fronts is there to serve the document.
    serves_document: bool,
    routes: Vec<RouteView>,
    rest: Vec<RestOperation>,
    /// Operations that are not served over REST although others are.
    not_rest: Vec<OperationView>,
    jsonrpc: Vec<JsonrpcOperation>,
    not_jsonrpc: Vec<OperationView>,
    /// Callers outside reach something over JSON-RPC.
    has_openrpc: bool,
    grpc: Vec<GrpcOperation>,
    not_grpc: Vec<OperationView>,
    conversions: Vec<String>,
    /// The module and service that tonic makes: `greeter_service`, `GreeterService`.
    proto_module: String,
    proto_service: String,
    proto_path: String,
    /// A Rust byte string literal.
    descriptors: String,
    /// Operations that travel through the queue, and the others where there are any.
    queued: Vec<QueuedOperation>,
    not_queued: Vec<OperationView>,
    /// Somebody leaves commands in the queue where a call fails.
    stands_in: bool,
    /// Operations whose last answers stand in where a call fails, and the others where there are any.
    cached: Vec<OperationView>,
    not_cached: Vec<OperationView>,
    /// Somebody reaches operations by different ways.
    has_ways: bool,
    graphql: Option<graphql::View>,
    graphql_client: Option<graphql::Client>,
    /// The schema's file, beside the contract's own.
    graphql_path: String,
    /// Types of `contracts/shared` that this contract mentions.
    shared: Vec<String>,
    /// The present contract, from which an old one takes what is the same; or empty.
    present: String,
    taken_over: Vec<String>,
    /// Something is known of its end.
    has_end: bool,
    /// There is a present service to stand on.
    has_adapter: bool,
    /// Rust expressions: the values of `Deprecation` and `Sunset`.
    deprecated: String,
    sunset: String,
    /// Rust string literals.
    openapi_path: String,
    openrpc_path: String,
    /// Where it is called over JSON-RPC, as one and as a list.
    rpc_path: String,
    rpc_segments: String,
    version: u32,
    /// The kit's `By`, or empty where paths say the version.
    by: String,
}

/// Plans `contracts/<service>`.
pub fn plan(planner: &mut Planner<'_>, service: &Service) -> Result<(), PlanError> {
    let model = planner.model;
    let folder = folder(service);
    let views = |pick: &dyn Fn(&Operation) -> bool| -> Vec<OperationView> {
        service.operations.values().filter(|o| pick(o)).map(|o| operations::view(model, service, o)).collect()
    };
    let over_rest = |operation: &Operation| model.served(&service.name, &operation.name).has(Transport::Rest);
    let has_rest = serves(model, service, Transport::Rest);
    let over_grpc = |operation: &Operation| model.served(&service.name, &operation.name).has(Transport::Grpc);
    let has_grpc = serves(model, service, Transport::Grpc);
    let has_graphql = serves(model, service, Transport::Graphql) || service.composes();
    // Its schema is made of their contracts.
    for behind in composed::members(model, service).skip(1).filter(|_| service.composes()) {
        planner.local.insert(package(behind), self::folder(behind));
    }
    let behind = graphql::behind(model, &planner.scope, service);
    let composed = behind.as_ref().map(|behind| behind.composed.graphql());
    let over_jsonrpc = |operation: &Operation| model.served(&service.name, &operation.name).has(Transport::Jsonrpc);
    let has_jsonrpc = serves(model, service, Transport::Jsonrpc);
    let over_queue = |operation: &Operation| queue::is_taken(model, service, operation);
    let taken = || service.operations.values().filter(|o| over_queue(o));
    let has_queue = queue::takes(model, service);
    let caches = ways::caches(model, service);
    let (keeps_answers, is_limited) = (gate::keeps_answers(model, service), gate::limits(model, service));
    let proto_service = names::proto::service(&service.name);
    let proto_path = proto::path(model, service);
    let proto = has_grpc.then(|| proto::proto(model, service, &mut planner.wire));
    let pb = match &proto {
        Some(text) => Some(pb::pb(&proto_path, text).map_err(|e| PlanError::Proto(service.name.clone(), Box::new(e)))?),
        None => None,
    };
    let shared: Vec<String> = shared(&planner.scope, service).map(Item::name).collect();
    let mut types = types(planner, service, self::over_grpc(planner.present, service));
    let mut errors: Vec<ErrorView> = service.operations.values().filter_map(operations::errors).collect();
    let taken_over = match service.is_old() {
        true => versions::take_over(planner, service, &mut types, &mut errors),
        false => BTreeSet::new(),
    };
    let old = versions::of(planner.present, service);
    let adapter = old.and_then(|old| versions::adapter(planner, old, &taken_over));
    let trait_name = trait_name(model, &planner.scope, service);
    let view = View {
        docs: doc_lines(&service.docs, &format!("What {} offers.", service.name)),
        module_docs: escape::rust_module_doc(&service.docs.summary).lines().map(str::to_owned).collect(),
        service: &service.name,
        service_trait: user(&trait_name),
        operations: views(&|_| true),
        errors,
        has_types: !types.is_empty(),
        has_events: !service.events.is_empty(),
        // The present contract keeps the first answers for all versions.
        is_gated: (keeps_answers || is_limited) && !service.is_old(),
        keeps_answers,
        is_limited,
        has_rest,
        has_grpc,
        has_graphql,
        has_jsonrpc,
        has_openapi: has_openapi(service),
        has_code: has_code(service),
        fronts: fronts::views(model, service),
        serves_document: serves_document(model, service),
        routes: rest::routes(service.operations.values().filter(|o| over_rest(o))),
        rest: service
            .operations
            .values()
            .filter(|o| over_rest(o))
            .map(|o| rest::operation(model, service, o))
            .collect(),
        not_rest: if has_rest { views(&|operation| !over_rest(operation)) } else { Vec::new() },
        jsonrpc: service
            .operations
            .values()
            .filter(|o| over_jsonrpc(o))
            .map(|o| jsonrpc::operation(model, service, o))
            .collect(),
        not_jsonrpc: if has_jsonrpc { views(&|operation| !over_jsonrpc(operation)) } else { Vec::new() },
        has_openrpc: has_openrpc(service),
        grpc: service
            .operations
            .values()
            .filter(|o| over_grpc(o))
            .map(|o| grpc::operation(model, service, o))
            .collect(),
        not_grpc: if has_grpc { views(&|operation| !over_grpc(operation)) } else { Vec::new() },
        conversions: if has_grpc { grpc::conversions(model, service) } else { Vec::new() },
        proto_module: names::proto::prost_ident(&proto_service),
        proto_service,
        proto_path: proto_path.clone(),
        descriptors: pb.as_ref().map(|pb| byte_string(&pb.descriptors)).unwrap_or_default(),
        queued: taken().map(|o| queue::operation(model, service, o)).collect(),
        not_queued: if has_queue { views(&|operation| !over_queue(operation)) } else { Vec::new() },
        stands_in: ways::stands_in(model, service),
        cached: if caches { views(&Operation::can_be_cached) } else { Vec::new() },
        not_cached: if caches { views(&|operation| !operation.can_be_cached()) } else { Vec::new() },
        has_ways: ways::has_ways(model, service),
        graphql: has_graphql.then(|| graphql::view(model, service, &trait_name, behind)),
        graphql_client: graphql::is_called(model, service).then(|| graphql::client(model, service)),
        graphql_path: schema_path(service),
        shared: shared.iter().map(|name| user(name)).collect(),
        present: names::rust::crate_ident(&names::rust::contract_crate(&service.name)),
        taken_over: taken_over.iter().map(|name| user(name)).collect(),
        has_end: service.deprecated.or(service.sunset).is_some(),
        has_adapter: adapter.is_some(),
        deprecated: header(service.deprecated.map(|date| date.structured())),
        sunset: header(service.sunset.map(|date| date.http())),
        openrpc_path: escape::rust_str(&openrpc_path(service)),
        rpc_path: escape::rust_str(&format!("/{}", names::path::rpc(service).join("/"))),
        rpc_segments: format!("[{}]", names::path::rpc(service).map(|segment| escape::rust_str(&segment)).join(", ")),
        openapi_path: escape::rust_str(&openapi_path(service)),
        version: service.version,
        by: versions::by(model, service),
    };
    let mut sources = Sources::new(folder.clone(), Owner::Generated);
    planner.rust(&mut sources, "src/lib.rs", "contract/src/lib.rs", &view)?;
    if view.has_types {
        planner.rust(&mut sources, "src/types.rs", "contract/src/types.rs", &types)?;
    }
    if !view.errors.is_empty() {
        planner.rust(&mut sources, "src/errors.rs", "contract/src/errors.rs", &view)?;
    }
    if view.has_events {
        let events = events::of_contract(model, &planner.scope, service);
        planner.rust(&mut sources, "src/events.rs", "contract/src/events.rs", &events)?;
    }
    if view.has_code {
        planner.rust(&mut sources, "src/service.rs", "contract/src/service.rs", &view)?;
        planner.rust(&mut sources, "src/link.rs", "contract/src/link.rs", &view)?;
    }
    if let Some(adapter) = adapter {
        planner.rust(&mut sources, "src/adapter.rs", "contract/src/adapter.rs", &adapter)?;
        planner.adapters.insert((service.name.clone(), service.version), adapter);
    }
    if !view.fronts.is_empty() {
        planner.rust(&mut sources, "src/fronts.rs", "contract/src/fronts.rs", &view)?;
    }
    if view.is_gated {
        planner.rust(&mut sources, "src/gate.rs", "contract/src/gate.rs", &view)?;
    }
    if has_rest {
        planner.rust(&mut sources, "src/rest.rs", "contract/src/rest.rs", &view)?;
        planner.rust(&mut sources, "src/rest/server.rs", "contract/src/rest/server.rs", &view)?;
        planner.rust(&mut sources, "src/rest/client.rs", "contract/src/rest/client.rs", &view)?;
    }
    if has_jsonrpc {
        planner.rust(&mut sources, "src/jsonrpc.rs", "contract/src/jsonrpc.rs", &view)?;
        planner.rust(&mut sources, "src/jsonrpc/server.rs", "contract/src/jsonrpc/server.rs", &view)?;
        planner.rust(&mut sources, "src/jsonrpc/client.rs", "contract/src/jsonrpc/client.rs", &view)?;
    }
    if let (Some(pb), Some(proto)) = (pb, proto) {
        planner.rust(&mut sources, "src/grpc.rs", "contract/src/grpc.rs", &view)?;
        for file in ["client", "convert", "descriptors", "server"] {
            let path = format!("src/grpc/{file}.rs");
            planner.rust(&mut sources, &path, &format!("contract/src/grpc/{file}.rs"), &view)?;
        }
        let text = planner.render("partials/generated", &())? + "\n" + &pb.rust;
        sources.files.push(("src/grpc/pb.rs".into(), "model".into(), text));
        planner.file(format!("{folder}/proto/{proto_path}"), proto, Owner::Generated, "model".into());
    }
    if !view.queued.is_empty() {
        planner.rust(&mut sources, "src/queue.rs", "contract/src/queue.rs", &view)?;
        let stand_in = view.stands_in.then_some("stand_in");
        for file in ["client", "message", "server"].into_iter().chain(stand_in) {
            let path = format!("src/queue/{file}.rs");
            planner.rust(&mut sources, &path, &format!("contract/src/queue/{file}.rs"), &view)?;
        }
    }
    if caches {
        planner.rust(&mut sources, "src/cached.rs", "contract/src/cached.rs", &view)?;
    }
    if view.has_ways {
        planner.rust(&mut sources, "src/ways.rs", "contract/src/ways.rs", &view)?;
    }
    let mut names = names(model, &planner.scope, service, "crate");
    names.extend(taken_over.into_iter().map(|name| (name, view.present.clone())));
    let mut graphql_names = BTreeMap::new();
    if let Some(own) = &view.graphql {
        let template = if composed.is_some() { "contract/src/composed.rs" } else { "contract/src/graphql.rs" };
        planner.rust(&mut sources, "src/graphql.rs", template, &view)?;
        let client = own.has_client.then_some(["client", "shapes"]);
        for file in own.modules.iter().chain(client.iter().flatten()) {
            planner.rust(
                &mut sources,
                &format!("src/graphql/{file}.rs"),
                &format!("contract/src/graphql/{file}.rs"),
                &view,
            )?;
        }
        graphql_names = graphql::imports(own, &names);
        let sdl = composed.unwrap_or_else(|| sdl::graphql(model, service));
        let sdl = planner.render("partials/generated", &())?.replacen("//", "#", 1) + "\n" + &sdl;
        planner.file(format!("{folder}/{}", view.graphql_path), sdl, Owner::Generated, "model".into());
    }
    documents(planner, service, &folder);
    let package = package(service);
    let version = if service.is_old() { format!(", version {}", service.version) } else { String::new() };
    let member = Member {
        name: package.clone(),
        description: format!("The contract of `{}`{version}: its types, its trait, and what carries it", service.name),
        untested: vec![Target::Library],
        ..Member::default()
    };
    let names = |path: &str| {
        if path.starts_with("src/graphql/") && path != "src/graphql/client.rs" {
            graphql_names.clone()
        } else {
            names.clone()
        }
    };
    planner.add_crate_with(sources, names, member);
    planner.local.insert(package, folder);
    Ok(())
}

/// The file of a service's GraphQL schema, below the contract's folder: `shop.graphql`.
pub fn schema_path(service: &Service) -> String {
    format!("{}.graphql", names::path::contract_folder(&service.name))
}

/// What describes the service to others: only what it exposes, and what it tells and hears.
fn documents(planner: &mut Planner<'_>, service: &Service, folder: &str) {
    let model = planner.model;
    let mut documents = Vec::new();
    if has_openapi(service) {
        documents.push(("openapi.json".to_owned(), fronted::openapi(model, service)));
    }
    if has_openrpc(service) {
        documents.push(("openrpc.json".to_owned(), openrpc::openrpc(model, service)));
    }
    let commands = queue::takes(model, service) || queue::sends(model, service);
    if !service.events.is_empty() || events::consumes(service) || events::follows(service) || commands {
        documents.push(("asyncapi.json".to_owned(), asyncapi::asyncapi(model, service)));
    }
    for event in service.events.values() {
        documents.push((format!("schemas/{}.json", event.name), schema::event(model, event)));
    }
    for (name, document) in documents {
        planner.file(format!("{folder}/{name}"), format!("{document:#}"), Owner::Generated, "model".into());
    }
}

/// Where a service tells what it offers over REST: its old versions beside it, if paths say the version.
pub fn openapi_path(service: &Service) -> String {
    let version = names::path::version(service).filter(|_| service.is_old());
    format!("{}/-/openapi.json", version.map(|version| format!("/{version}")).unwrap_or_default())
}

/// The same over JSON-RPC, where paths always say the version.
fn openrpc_path(service: &Service) -> String {
    let version = if service.is_old() { format!("/v{}", service.version) } else { String::new() };
    format!("{version}/-/openrpc.json")
}

/// The value of a header as a Rust expression.
fn header(value: Option<String>) -> String {
    value.map_or_else(|| "None".into(), |value| format!("Some({})", escape::rust_str(&value)))
}

/// Whether a service has operations, and not only others behind it.
pub fn has_code(service: &Service) -> bool {
    service.fronts.is_empty() || !service.operations.is_empty()
}

/// Whether a gateway has nothing of its own over REST that would serve its document.
pub fn serves_document(model: &Model, service: &Service) -> bool {
    service.passes() && !serves(model, service, Transport::Rest)
}

/// Whether callers outside reach anything over REST.
pub fn has_openapi(service: &Service) -> bool {
    service.passes() || service.operations.values().any(|operation| operation.expose.has(Transport::Rest))
}

/// Whether callers outside reach anything over JSON-RPC.
pub fn has_openrpc(service: &Service) -> bool {
    service.operations.values().any(|operation| operation.expose.has(Transport::Jsonrpc))
}

/// Lets others depend on `contracts/shared`, if it will be there.
pub fn name_shared(planner: &mut Planner<'_>) {
    if !planner.scope.shared().is_empty() {
        planner.local.insert(SHARED.into(), format!("contracts/{SHARED}"));
    }
}

/// Plans `contracts/shared`, if several contracts use anything alike.
pub fn plan_shared(planner: &mut Planner<'_>) -> Result<(), PlanError> {
    if planner.scope.shared().is_empty() {
        return Ok(());
    }
    let mut types = Types::default();
    for item in planner.scope.shared() {
        let over_grpc = planner.model.services.values().any(|service| {
            planner.scope.uses(&service.name).any(|used| used == item) && over_grpc(planner.model, service)
        });
        types.add(planner.model, item, over_grpc.then_some(&mut planner.wire));
    }
    let names = planner.scope.shared().iter().map(|item| (item.name(), "crate".to_owned())).collect();
    let mut sources = Sources::new(format!("contracts/{SHARED}"), Owner::Generated);
    let events = events::of_shared(planner.model, &planner.scope);
    planner.rust(&mut sources, "src/lib.rs", "contract/src/shared.rs", &events)?;
    if events.has_events {
        planner.rust(&mut sources, "src/events.rs", "contract/src/events.rs", &events)?;
    }
    planner.rust(&mut sources, "src/types.rs", "contract/src/types.rs", &types)?;
    let member = Member {
        name: SHARED.into(),
        description: "What several contracts have in common".into(),
        untested: vec![Target::Library],
        ..Member::default()
    };
    planner.add_crate(sources, &names, member);
    Ok(())
}

/// `contracts/orders`, of an old version `contracts/orders-v1`.
pub fn folder(service: &Service) -> String {
    let folder = match service.is_old() {
        true => names::path::old_contract_folder(&service.name, service.version),
        false => names::path::contract_folder(&service.name),
    };
    format!("contracts/{folder}")
}

/// The package of the contract.
pub fn package(service: &Service) -> String {
    match service.is_old() {
        true => names::rust::old_contract_crate(&service.name, service.version),
        false => names::rust::contract_crate(&service.name),
    }
}

/// The contract as Rust names it.
pub fn ident(service: &Service) -> String {
    names::rust::crate_ident(&package(service))
}

/// Whether any version of a service is carried by gRPC, so that its types are.
pub fn over_grpc(present: &Model, service: &Service) -> bool {
    let old = present.services.get(&service.name).into_iter().flat_map(|service| &service.old);
    let operations = old.flat_map(|old| old.service.operations.values());
    serves(present, service, Transport::Grpc) || operations.into_iter().any(|o| o.expose.has(Transport::Grpc))
}

/// The trait of a service, as its contract calls it.
pub fn trait_name(model: &Model, scope: &Scope, service: &Service) -> String {
    let types: Vec<String> = type_names(model, scope, service).collect();
    names::rust::service_trait(&service.name, types.iter().map(String::as_str))
}

/// Where the names of a contract are imported from, seen from `this`: `crate` in the contract itself.
pub fn names(model: &Model, scope: &Scope, service: &Service, this: &str) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, String> =
        type_names(model, scope, service).map(|name| (name, this.to_owned())).collect();
    names.insert(trait_name(model, scope, service), this.to_owned());
    if this == "crate" {
        for item in shared(scope, service) {
            names.insert(item.name(), SHARED.into());
        }
    }
    names
}

/// Whether any operation of the service is served on a transport.
pub fn serves(model: &Model, service: &Service, transport: Transport) -> bool {
    service.operations.keys().any(|name| model.served(&service.name, name).has(transport))
}

fn shared<'a>(scope: &'a Scope, service: &Service) -> impl Iterator<Item = &'a Item> {
    let own: BTreeSet<&Item> = scope.own(&service.name).collect();
    scope.uses(&service.name).filter(move |item| !own.contains(item))
}

/// Every type that the contract has, of its own or shared.
fn type_names(model: &Model, scope: &Scope, service: &Service) -> impl Iterator<Item = String> {
    let of_operations = service.operations.values().flat_map(|operation| {
        let mut names = vec![];
        if !operation.errors.is_empty() {
            names.push(operations::error_name(operation));
        }
        if let Shape::Custom { input, output, .. } = &operation.shape {
            if let Input::Fields(_) = input {
                names.push(operations::request_name(operation));
            }
            if let Output::Fields(_) = output {
                names.push(operations::response_name(operation));
            }
        }
        names
    });
    let of_resources = service.resources.values().flat_map(|resource| resources::type_names(model, resource));
    let of_events = events::wrapper_names(service);
    scope.uses(&service.name).map(Item::name).chain(of_operations).chain(of_resources).chain(of_events)
}

fn types(planner: &mut Planner<'_>, service: &Service, has_grpc: bool) -> Types {
    let model = planner.model;
    let mut types = Types::default();
    for item in planner.scope.own(&service.name) {
        types.add(model, item, has_grpc.then_some(&mut planner.wire));
    }
    for resource in service.resources.values() {
        let of = shape::of_service(service, &resource.name);
        resources::add_verbs(&mut types, model, &of, resource);
        if planner.scope.shared().contains(&Item::Resource(of))
            && let Some(draft) = types.drafts.last_mut().filter(|_| resources::is_changed(resource))
        {
            draft.foreign = true;
        }
    }
    add_bodies(&mut types, model, service);
    types
}

/// Adds the inputs and outputs that are written at their operations.
pub fn add_bodies(types: &mut Types, model: &Model, service: &Service) {
    for operation in service.operations.values() {
        let Shape::Custom { input, output, .. } = &operation.shape else { continue };
        let docs = |what: &str| Docs { summary: format!("What {} {what}.", operation.name), ..Docs::default() };
        if let Input::Fields(fields) = input {
            types.add_record(model, &operations::request_name(operation), &docs("takes"), fields);
        }
        if let Output::Fields(fields) = output {
            types.add_record(model, &operations::response_name(operation), &docs("answers"), fields);
        }
    }
}

/// `b"…"`
fn byte_string(bytes: &[u8]) -> String {
    format!("b\"{}\"", bytes.escape_ascii())
}
