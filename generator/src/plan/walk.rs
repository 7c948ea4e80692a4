//! A request on its way through the system: which one shows most, what it sets off, and a map of all ways.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    contracts::{fronted, shape},
    model::{EventRef, Link, Model, Operation, OperationRef, Service, Shape, Target, Transport, Verb, Via},
};

use super::day_one;

/// An operation of a service.
type Step<'m> = (&'m Service, &'m Operation);

/// The request that reaches most operations, and the transport it comes by; `None` if none leads from one operation to
/// another.
pub struct Walk<'m> {
    model: &'m Model,
    begin: Step<'m>,
    transport: &'static str,
}

impl<'m> Walk<'m> {
    pub fn find(model: &'m Model) -> Option<Self> {
        let services = model.services.values();
        let all = services.flat_map(|service| service.operations.values().map(move |operation| (service, operation)));
        let works_alone = all.filter(|(service, operation)| {
            let alone = shape::on_item(operation).is_none() && !is_list(operation);
            alone
                && day_one::required_keys(service, operation).is_empty()
                && !day_one::guesses(model, service, operation)
        });
        let walks = works_alone.filter_map(|begin| Some(Self { model, begin, transport: transport(begin.1)? }));
        let counted = walks.map(|walk| (walk.lines().len(), walk));
        // Of those that reach most the first by name, whatever the order of tables.
        let (reached, walk) = counted.min_by_key(|(reached, walk)| (Reverse(*reached), walk.flow()))?;
        (reached > 1).then_some(walk)
    }

    /// The name of its flow.
    pub fn flow(&self) -> String {
        format!("{}.{} over {}", self.begin.0.name, self.begin.1.name, self.transport)
    }

    /// What it sets off, as a list in Markdown.
    pub fn lines(&self) -> Vec<String> {
        let (service, operation) = self.begin;
        let mut lines = vec![format!("- `{}.{}` over {}", service.name, operation.name, self.transport)];
        self.follow(self.begin, 1, &mut BTreeSet::new(), &mut lines);
        lines
    }

    /// Those that an operation calls, and those that run on what it publishes; each is followed once.
    fn follow(
        &self,
        (service, operation): Step<'m>,
        depth: usize,
        seen: &mut BTreeSet<OperationRef>,
        lines: &mut Vec<String>,
    ) {
        if !seen.insert(OperationRef { service: service.name.clone(), operation: operation.name.clone() }) {
            return;
        }
        let indent = "  ".repeat(depth);
        for call in &operation.calls {
            let OperationRef { service: to, operation: name } = &call.to;
            let Some(callee) = self.model.services.get(to) else { continue };
            let Some(called) = callee.operations.get(name) else { continue };
            let via = self.model.link(&service.name, &call.to).and_then(Link::via).map_or("", via_name);
            lines.push(format!("{indent}- calls `{to}.{name}` over {via}"));
            self.follow((callee, called), depth + 1, seen, lines);
        }
        // Day-one code publishes the first.
        let Some(event) = operation.emits.first() else { return };
        let runs_on = EventRef { service: service.name.clone(), event: event.clone() };
        for other in self.model.services.values() {
            for heard in other.operations.values().filter(|operation| operation.on.contains(&runs_on)) {
                lines.push(format!("{indent}- publishes `{event}`, on which `{}.{}` runs", other.name, heard.name));
                self.follow((other, heard), depth + 1, seen, lines);
            }
        }
    }
}

/// The services and what goes between them, as the lines of a Mermaid flowchart.
pub fn map(model: &Model) -> Vec<String> {
    let node = |service: &Service| format!("s_{0}[{0}]", service.name);
    let nodes = model.services.values().map(node);
    // A word of Mermaid (`end`) is no name of a node.
    let calls = model.links.iter().filter_map(|link| match &link.to {
        Target::Service { service, via } => Some(format!("s_{} -- {} --> s_{service}", link.from, via_name(*via))),
        Target::Operation { to, via } => {
            Some(format!("s_{} -- {}, {} --> s_{}", link.from, to.operation, via_name(*via), to.service))
        }
        Target::Event(_) => None,
    });
    let fronted = |service: &'_ Service| -> Vec<String> {
        let passes = fronted::behind(model, service);
        passes.map(|(_, behind)| format!("s_{} == REST ==> s_{}", service.name, behind.name)).collect()
    };
    let fronts = model.services.values().flat_map(fronted);
    let mut events: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for link in &model.links {
        if let Target::Event(event) = &link.to {
            events.entry((&event.service, &link.from)).or_default().push(&event.event);
        }
    }
    for (service, operation) in model.operations() {
        for event in &operation.follows {
            let seen = events.entry((&event.service, &service.name)).or_default();
            if event.service != service.name && !seen.contains(&event.event.as_str()) {
                seen.push(&event.event);
            }
        }
    }
    let events = events
        .iter()
        .filter(|(_, events)| !events.is_empty())
        .map(|((from, to), events)| format!("s_{from} -. {} .-> s_{to}", events.join(", ")));
    nodes.chain(fronts).chain(calls).chain(events).collect()
}

fn via_name(via: Via) -> &'static str {
    match via {
        Via::Rest => "REST",
        Via::Grpc => "gRPC",
        Via::Graphql => "GraphQL",
        Via::Jsonrpc => "JSON-RPC",
        Via::Queue => "queue",
    }
}

fn is_list(operation: &Operation) -> bool {
    matches!(operation.shape, Shape::Verb { verb: Verb::List, .. })
}

/// The one that is easiest to follow.
fn transport(operation: &Operation) -> Option<&'static str> {
    let faces = [Transport::Rest, Transport::Jsonrpc, Transport::Graphql, Transport::Grpc];
    faces.into_iter().find(|transport| operation.expose.has(*transport)).map(Transport::name)
}
