//! What a service is served on: routers that make one, on one port.

use crate::{
    model::{Model, OldVersion, Service, Transport},
    names,
};

use super::{contract, fronts, gate, graphql, versions};

/// What a service is served on, on one port.
pub const TRANSPORTS: [Transport; 4] = [Transport::Rest, Transport::Grpc, Transport::Graphql, Transport::Jsonrpc];

/// `orders_contract::rest::router(orders.clone())`, `.merge(…)`: what carries the service, on one port.
pub fn of_service(
    model: &Model,
    service: &Service,
    contract: &str,
    name: &str,
    composed: Option<&[graphql::Answerer]>,
) -> Vec<String> {
    // Where none of its own is there to serve the document.
    let document = contract::serves_document(model, service).then(|| format!("{contract}::fronts::router()"));
    let carried_for = |contract: String, name: String, served: &dyn Fn(Transport) -> bool| Behind {
        contract,
        name,
        served: TRANSPORTS.into_iter().filter(|transport| served(*transport)).collect(),
    };
    let own = |transport| {
        contract::serves(model, service, transport) && !(transport == Transport::Graphql && composed.is_some())
    };
    let mut all_behind = vec![carried_for(contract.into(), name.into(), &own)];
    for old in &service.old {
        all_behind
            .push(carried_for(contract::ident(&old.service), variable(old), &|transport| carried(old, transport)));
    }
    let mut all: Vec<String> = document.into_iter().chain(routers(service, &all_behind, "graphql")).collect();
    if let Some(answerers) = composed {
        // The first of them may have other faces.
        let has_others = all_behind.iter().any(|behind| !behind.served.is_empty());
        let answerer = |answerer: &graphql::Answerer| match answerer.name == service.name && has_others {
            true => format!("{name}: {name}.clone()"),
            false => answerer.field.clone(),
        };
        let gate = gate::counts_passing(service).then(|| "gate".to_owned());
        let services: Vec<String> = answerers.iter().map(answerer).chain(gate).collect();
        let services = format!("{contract}::graphql::Services {{ {} }}", services.join(", "));
        all.insert(0, format!("{contract}::graphql::router({services}, graphql)"));
    }
    let behind = behind(model, service);
    match gate::counts_passing(service) && !behind.is_empty() {
        true => all.push("fronts".to_owned()),
        false => all.extend(behind),
    }
    let has_grpc = all.iter().any(|router| router.contains("::grpc::"));
    let standard = has_grpc.then(|| ".merge(standard)".to_owned());
    merged(all).chain(standard).collect()
}

/// `orders_front(&config.links.orders, service)?`: the routers of those behind a gateway.
pub fn behind(model: &Model, service: &Service) -> Vec<String> {
    let router = |front: fronts::FrontWay| {
        let field = names::rust::ident(&front.service);
        format!("{}(&config.links.{field}, service)?", front.function)
    };
    fronts::ways(model, service).into_iter().map(router).collect()
}

/// Something that carriers stand in front of.
pub struct Behind {
    /// `orders_contract`
    pub contract: String,
    /// The variable.
    pub name: String,
    pub served: Vec<Transport>,
}

/// `orders_contract::rest::router(orders.clone())`, one for each transport that serves one of them, and one over REST
/// where callers choose among versions there; `settings` are GraphQL's.
pub fn routers(service: &Service, behind: &[Behind], settings: &str) -> Vec<String> {
    let (mut rest, mut others) = (Vec::new(), Vec::new());
    for Behind { contract, name, served } in behind {
        for (number, transport) in served.iter().enumerate() {
            let clone = if number + 1 == served.len() { "" } else { ".clone()" };
            let settings = if *transport == Transport::Graphql { format!(", {settings}") } else { String::new() };
            match transport {
                Transport::Rest => rest.push((contract.clone(), format!("{name}{clone}"))),
                _ => others.push(format!("{contract}::{}::router({name}{clone}{settings})", transport.word())),
            }
        }
    }
    versions::rest(service, &rest).into_iter().chain(others).collect()
}

/// Several routers as one, in parts.
pub fn merged(routers: Vec<String>) -> impl Iterator<Item = String> {
    let part = |(number, router): (usize, String)| if number == 0 { router } else { format!(".merge({router})") };
    routers.into_iter().enumerate().map(part)
}

/// Whether callers reach an old version over a transport.
pub fn carried(old: &OldVersion, transport: Transport) -> bool {
    old.service.operations.values().any(|operation| operation.expose.has(transport))
}

/// `v1`
pub fn variable(old: &OldVersion) -> String {
    format!("v{}", old.service.version)
}
