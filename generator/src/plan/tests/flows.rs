//! The flows of `smoke`: every operation that callers outside reach, once, over each transport it is exposed on.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use serde::Serialize;

use crate::{
    contracts::{
        example, fronted,
        graphql::{
            self as schema,
            request::{Request, Wish, request},
        },
        shape,
    },
    escape,
    model::{
        Field, Model, Operation, OperationKind, Resource, ResourceRef, Service, Shape, Target, Transport, Type, Verb,
    },
    names,
    scope::Scope,
};

use super::{
    super::{
        Planner,
        contract::{self, trait_name},
        day_one,
        examples::{self, Source},
        fronts, operations,
    },
    graphql::{DEPTH, OURS, code},
    turns::{TRANSPORTS, Turns},
};

/// What `tests/flows.rs` sees.
#[derive(Serialize)]
pub struct Flows {
    clients: Vec<Client>,
    /// In an order in which each finds the items that it is about.
    flows: Vec<Flow>,
}

#[derive(Serialize)]
struct Client {
    /// The variable.
    name: String,
    contract: String,
    /// Begins the variable with the address: `ORDERS`.
    variable: String,
    /// What stands before its paths there, a Rust string literal; none but behind a gateway.
    prefix: Vec<String>,
    rest: bool,
    grpc: bool,
    graphql: bool,
    jsonrpc: bool,
    queue: bool,
}

#[derive(Clone, Serialize)]
struct Flow {
    /// Rust string literal: `door.knock over REST`.
    what: String,
    /// The variable that holds the client.
    client: String,
    /// `orders_contract::Orders::create_order`, and what it is given besides the context; over GraphQL none.
    method: Vec<String>,
    arguments: Vec<String>,
    /// Over GraphQL: the request, a Rust string literal; else none.
    requests: Vec<Asked>,
    /// The kinds of errors, as Rust calls them, which it may fail with for want of what nobody makes or knows, or because of
    /// what is there.
    kinds: Vec<&'static str>,
    /// `let order_rest = ` and `.map_or(…)`, which gives the id of the item that was made; or empty.
    binding: String,
    id: String,
}

#[derive(Clone, Serialize)]
struct Asked {
    request: String,
    /// A Rust expression.
    variables: String,
    /// The method of the client.
    ask: &'static str,
    /// The operation's error.
    error: String,
}

/// The variables with the ids of items that were made: typed, and as GraphQL shows them.
#[derive(Default)]
struct Made {
    typed: BTreeMap<ResourceRef, String>,
    shown: BTreeMap<ResourceRef, String>,
    /// Those that may not have been made, for what makes them has to guess.
    guessed: BTreeSet<ResourceRef>,
    /// Those that a flow deletes at the end: their variables, or `stock.Shelf` where all transports have the same.
    deleted: BTreeSet<String>,
}

impl Made {
    /// Whether an item was made for sure.
    fn knows(&self, of: &ResourceRef) -> bool {
        self.shown.contains_key(of) && !self.guessed.contains(of)
    }
}

/// All flows of the system: of each resource first what makes an item, in between everything on the item that was made,
/// and at the end what deletes it.
pub fn flows(planner: &Planner<'_>) -> Flows {
    let model = planner.model;
    let (mut clients, mut flows, mut made) = (Vec::new(), Vec::new(), Made::default());
    let (mut last, mut sent) = (Vec::new(), Vec::new());
    for service in callees_first(model) {
        let turns = Turns::new(model, service);
        let mut deletes = Vec::new();
        for (number, transport) in TRANSPORTS.into_iter().enumerate() {
            let mut operations: Vec<&Operation> =
                service.operations.values().filter(|o| o.expose.has(transport)).collect();
            if operations.is_empty() {
                continue;
            }
            let made_as =
                |operation: &Operation| maker(service, operation).and_then(|resource| turns.place(&resource.name));
            // What others refer to is made first, and deleted last.
            operations.sort_by_key(|operation| made_as(operation).unwrap_or(usize::MAX));
            let contract = names::rust::crate_ident(&names::rust::contract_crate(&service.name));
            clients.push(client_of(service, transport, &contract));
            // What reads is read there too; what is made is made once.
            let reads = operations.iter().any(|operation| operation.kind == OperationKind::Query);
            let gateways: Vec<&Service> = match transport {
                Transport::Rest if reads => fronts::before(model, service).collect(),
                _ => Vec::new(),
            };
            clients.extend(gateways.iter().map(|gateway| Client {
                name: through(service, gateway),
                contract: contract.clone(),
                variable: names::variable(&gateway.name),
                prefix: vec![escape::rust_str(&fronted::prefix(&service.name))],
                rest: true,
                grpc: false,
                graphql: false,
                jsonrpc: false,
                queue: false,
            }));
            let service_trait = format!("{contract}::{}", trait_name(model, &planner.scope, service));
            let writer = Writer { model, service, contract, service_trait, transport };
            let mut gone = Vec::new();
            for operation in operations {
                let flow = writer.flow(operation, &mut made, &turns, number);
                if operation.kind == OperationKind::Query {
                    flows.extend(gateways.iter().map(|gateway| Flow {
                        what: escape::rust_str(&format!(
                            "{}.{} through {}",
                            service.name, operation.name, gateway.name
                        )),
                        client: through(service, gateway),
                        ..flow.clone()
                    }));
                }
                match &operation.shape {
                    Shape::Verb { verb: Verb::Delete, resource } => {
                        let place = Reverse(turns.place(resource));
                        match () {
                            // Nobody knows when it is done.
                            () if transport == Transport::Queue => sent.push(flow),
                            () if turns.is_early(resource, number) => gone.push((place, flow)),
                            () => deletes.push((place, flow)),
                        }
                    }
                    _ => flows.push(flow),
                }
            }
            flows.extend(in_turn(gone));
        }
        last.extend(in_turn(deletes));
    }
    flows.append(&mut last);
    flows.append(&mut sent);
    for (then, name) in planner.systems {
        if let Some(old) = then.services.get(name) {
            old_flows(then, old, &mut clients, &mut flows);
        }
    }
    drop_spare(&mut flows);
    Flows { clients, flows }
}

/// One request to an old version over each transport: it is there. What it does is for contract tests.
fn old_flows(then: &Model, service: &Service, clients: &mut Vec<Client>, flows: &mut Vec<Flow>) {
    let turns = Turns::new(then, service);
    let contract = contract::ident(service);
    let service_trait = format!("{contract}::{}", trait_name(then, &Scope::of(then), service));
    for (number, transport) in TRANSPORTS.into_iter().enumerate() {
        let alone = |operation: &&Operation| {
            operation.expose.has(transport)
                && shape::on_item(operation).is_none()
                && maker(service, operation).is_none()
                && operation.kind == OperationKind::Query
        };
        let Some(operation) = service.operations.values().find(alone) else { continue };
        let service_trait = service_trait.clone();
        let writer = Writer { model: then, service, contract: contract.clone(), service_trait, transport };
        let flow = writer.flow(operation, &mut Made::default(), &turns, number);
        let what =
            format!("{}.{} of version {} over {}", service.name, operation.name, service.version, transport.name());
        clients.push(client_of(service, transport, &contract));
        flows.push(Flow { what: escape::rust_str(&what), ..flow });
    }
}

fn client_of(service: &Service, transport: Transport, contract: &str) -> Client {
    Client {
        name: client(service, transport),
        contract: contract.to_owned(),
        variable: names::variable(&service.name),
        prefix: Vec::new(),
        rest: transport == Transport::Rest,
        grpc: transport == Transport::Grpc,
        graphql: transport == Transport::Graphql,
        jsonrpc: transport == Transport::Jsonrpc,
        queue: transport == Transport::Queue,
    }
}

fn in_turn(mut flows: Vec<(Reverse<Option<usize>>, Flow)>) -> impl Iterator<Item = Flow> {
    flows.sort_by_key(|(place, _)| *place);
    flows.into_iter().map(|(_, flow)| flow)
}

/// Drops the variables of items that nothing else is about.
fn drop_spare(flows: &mut [Flow]) {
    let said = flows.iter().flat_map(|flow| flow.arguments.iter().chain(flow.requests.iter().map(|r| &r.variables)));
    let said: Vec<&str> = said.map(String::as_str).collect();
    let said = said.join("\n");
    for flow in flows {
        let variable = flow.binding.strip_prefix("let ").and_then(|binding| binding.strip_suffix(" = "));
        if variable.is_some_and(|variable| !day_one::mentions(&said, variable)) {
            (flow.binding, flow.id) = (String::new(), String::new());
        }
    }
}

fn through(service: &Service, gateway: &Service) -> String {
    format!("{}_through_{}", service.name.trim_end_matches('_'), gateway.name.trim_end_matches('_'))
}

fn client(service: &Service, transport: Transport) -> String {
    // No two names of services differ in `_` alone, and `self__over_rest` is no name of Rust's kind.
    let name = service.name.trim_end_matches('_');
    let version = if service.is_old() { format!("_v{}", service.version) } else { String::new() };
    format!("{name}{version}_over_{}", transport.word())
}

/// Each service after those that it calls and whose items it refers to, as far as they do not go round in a ring.
fn callees_first(model: &Model) -> Vec<&Service> {
    fn visit<'m>(model: &'m Model, service: &'m Service, seen: &mut BTreeSet<&'m str>, order: &mut Vec<&'m Service>) {
        if !seen.insert(&service.name) {
            return;
        }
        let called = model.links.iter().filter(|link| link.from == service.name).filter_map(|link| match &link.to {
            Target::Service { service, .. } => Some(service),
            Target::Operation { to, .. } => Some(&to.service),
            Target::Event(_) => None,
        });
        let fields = service.resources.values().flat_map(|resource| &resource.fields);
        let referred = fields.filter_map(|field| match &field.ty {
            Type::Ref(of) => Some(&of.service),
            _ => None,
        });
        for name in called.chain(referred) {
            if let Some(callee) = model.services.get(name) {
                visit(model, callee, seen, order);
            }
        }
        order.push(service);
    }
    let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
    model.services.values().for_each(|service| visit(model, service, &mut seen, &mut order));
    order
}

/// The resource of which the operation makes an item.
fn maker<'m>(service: &'m Service, operation: &Operation) -> Option<&'m Resource> {
    match &operation.shape {
        Shape::Verb { verb: Verb::Create, resource } => service.resources.get(resource),
        Shape::Verb { verb: Verb::Replace, resource } => {
            service.resources.get(resource).filter(|resource| shape::is_natural(resource))
        }
        _ => None,
    }
}

fn is_delete(operation: &Operation) -> bool {
    matches!(operation.shape, Shape::Verb { verb: Verb::Delete, .. })
}

struct Writer<'m> {
    model: &'m Model,
    service: &'m Service,
    contract: String,
    service_trait: String,
    transport: Transport,
}

impl Writer<'_> {
    /// In the turn of that number.
    fn flow(&self, operation: &Operation, made: &mut Made, turns: &Turns<'_>, number: usize) -> Flow {
        let there = turns.is_there(operation, number);
        let Self { model, service, contract, transport, .. } = self;
        let item = shape::on_item(operation).map(|resource| shape::of_service(service, resource));
        let graphql = *transport == Transport::Graphql;
        let requests: Vec<Asked> = graphql.then(|| self.asked(operation, &made.shown)).into_iter().collect();
        let arguments = if graphql { Vec::new() } else { self.arguments(operation, &made.typed) };
        let dangles = self.dangles(operation, made);
        let guesses = day_one::guesses(model, service, operation);
        let known = |made: &Made| item.as_ref().is_none_or(|of| made.knows(of));
        // The first of each transport is the one that what follows is about.
        let maker = maker(service, operation).filter(|_| !there || graphql).filter(|resource| {
            let of = shape::of_service(service, &resource.name);
            made.shown.get(&of) != Some(&self.variable(&of))
        });
        let (mut binding, mut id) = (String::new(), String::new());
        let crowded = graphql && there && maker.is_some_and(|resource| self.has_few(resource, made));
        if let Some(resource) = maker {
            let of = shape::of_service(service, &resource.name);
            let (ty, variable) = (Type::Ref(of.clone()), self.variable(&of));
            binding = format!("let {variable} = ");
            id = if graphql {
                let example = code(&example::nth_value(model, &ty, "id", OURS), 2);
                let field = escape::rust_str(&names::graphql::field(&resource.id));
                format!(".map_or(json!({example}), |made| made[{field}].clone())")
            } else {
                let example = examples::example(model, &ty, &format!("{contract}::"));
                format!(".map_or({example}, |made| made.{})", names::rust::ident(&resource.id))
            };
            if !graphql {
                made.typed.insert(of.clone(), variable.clone());
            }
            match guesses || dangles || crowded {
                true => made.guessed.insert(of.clone()),
                false => made.guessed.remove(&of),
            };
            made.shown.insert(of, variable);
        }
        let again = item.as_ref().is_some_and(|of| self.deletes_again(operation, of, made, turns, number));
        let kinds = [
            ("NotFound", again || !known(made)),
            ("Exists", there && !graphql || crowded),
            ("Conflict", is_delete(operation) && shape::on_item(operation).is_some_and(|of| turns.is_kept(of))),
            ("Invalid", dangles),
            ("Internal", guesses || self.passes_on(operation, made)),
        ];
        Flow {
            what: escape::rust_str(&format!("{}.{} over {}", service.name, operation.name, self.transport.name())),
            client: client(service, *transport),
            method: match graphql {
                true => Vec::new(),
                false => vec![format!("{}::{}", self.service_trait, names::rust::ident(&operation.name))],
            },
            arguments,
            requests,
            kinds: kinds.into_iter().filter(|(_, may_be)| *may_be).map(|(kind, _)| kind).collect(),
            binding,
            id,
        }
    }

    /// Whether an item is deleted at the end that another flow deletes there before.
    fn deletes_again(
        &self,
        operation: &Operation,
        of: &ResourceRef,
        made: &mut Made,
        turns: &Turns<'_>,
        number: usize,
    ) -> bool {
        let at_the_end = self.transport != Transport::Queue && !turns.is_early(&of.resource, number);
        let Some(variable) = made.shown.get(of).filter(|_| is_delete(operation) && at_the_end) else { return false };
        let shared = self.service.resources.get(&of.resource).filter(|found| turns.is_shared(found, self.transport));
        let item = shared.map_or_else(|| variable.clone(), |found| format!("{}.{}", of.service, found.name));
        !made.deleted.insert(item)
    }

    /// Whether it calls others with what may be the id of an item that nobody makes.
    fn passes_on(&self, operation: &Operation, made: &Made) -> bool {
        let fields = day_one::record_of(self.model, self.service, operation).map(|(_, fields)| fields);
        let is_unknown = |field: &Field| matches!(&field.ty, Type::Ref(to) if !made.knows(to));
        !operation.calls.is_empty() && fields.unwrap_or_default().iter().any(is_unknown)
    }

    /// Whether it refers to something of the service that nobody makes.
    fn dangles(&self, operation: &Operation, made: &Made) -> bool {
        let patches =
            self.transport == Transport::Graphql && matches!(operation.shape, Shape::Verb { verb: Verb::Patch, .. });
        let patched = shape::on_item(operation).and_then(|name| self.service.resources.get(name)).filter(|_| patches);
        let patched = patched.into_iter().flat_map(|resource| shape::required_keys(self.service, resource));
        let fields = day_one::required_keys(self.service, operation).into_iter().chain(patched.map(|(field, _)| field));
        let is_made = |ty: &Type| match ty {
            Type::Ref(to) => made.knows(to),
            _ => true,
        };
        fields.into_iter().any(|field| !is_made(&field.ty))
    }

    /// Whether GraphQL's item has nothing of its own for a field that is unlike all others: there are few values, or it
    /// refers to an item that an earlier transport has made.
    fn has_few(&self, resource: &Resource, made: &Made) -> bool {
        let mut unlike_others = resource.fields.iter().filter(|field| field.unique || field.name == resource.id);
        unlike_others.any(|field| {
            let value = |nth| example::nth_value(self.model, &field.ty, &field.name, nth);
            match &field.ty {
                Type::Ref(to) if made.shown.contains_key(to) => made.shown.get(to) != Some(&self.variable(to)),
                _ => (0..OURS).map(value).any(|other| other == value(OURS)),
            }
        })
    }

    /// `order_rest`, with the service before it if another has a resource of that name.
    fn variable(&self, of: &ResourceRef) -> String {
        let alike = self.model.services.values().filter(|service| service.resources.contains_key(&of.resource)).count();
        let name = format!("{}_{}", names::snake(&of.resource), self.transport.word());
        if alike > 1 { format!("{}_{name}", of.service.trim_end_matches('_')) } else { name }
    }

    /// Examples, but ids of items that were made.
    fn arguments(&self, operation: &Operation, made: &BTreeMap<ResourceRef, String>) -> Vec<String> {
        let Self { model, service, .. } = self;
        let item = shape::on_item(operation).map(|resource| shape::of_service(service, resource));
        let ids = item.and_then(|of| Some(Source::id(made.get(&of)?, &of)));
        let refers = |field: &Field| match &field.ty {
            Type::Ref(of) => Some((field.clone(), made.get(of)?.clone())),
            _ => None,
        };
        let fields = day_one::record_of(model, service, operation).map(|(_, fields)| fields).unwrap_or_default();
        let values = fields.iter().filter_map(refers).collect();
        let sources: Vec<Source> = ids.into_iter().chain([Source { values, item: None }]).collect();
        day_one::arguments(model, service, operation, &|_| None, &sources)
    }

    fn asked(&self, operation: &Operation, made: &BTreeMap<ResourceRef, String>) -> Asked {
        let wish = Wish { depth: DEPTH, nth: OURS, made: &made.keys().cloned().collect(), etag: false, live: true };
        let Request { document, variables, .. } = request(self.model, self.service, operation, wish);
        let given =
            variables.iter().filter_map(|(of, name)| Some(format!("{}: {}", escape::rust_str(name), made.get(of)?)));
        let given: Vec<String> = given.collect();
        Asked {
            request: escape::rust_raw_str(&document.lines(12)),
            variables: if given.is_empty() {
                "Value::Null".into()
            } else {
                format!("json!({{ {} }})", given.join(", "))
            },
            ask: if schema::root(operation) == "Subscription" { "opens" } else { "ask" },
            error: match operation.errors.is_empty() {
                true => "kit::Failure".into(),
                false => format!("{}::{}", self.contract, operations::error_name(operation)),
            },
        }
    }
}
