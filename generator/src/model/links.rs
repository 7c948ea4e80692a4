//! Links and what they need of the other side: by which a call goes, and on what an operation is therefore served.

use std::collections::BTreeSet;

use super::{Exposure, Link, Model, Operation, OperationRef, Target, Transport, Via};

impl Model {
    /// Whether anybody calls the operation and waits for its answer, be it by an old version.
    pub fn is_called(&self, service: &str, operation: &str) -> bool {
        let own = self.services.get(service).and_then(|s| s.operations.get(operation));
        own.is_some_and(Operation::is_past) || self.served(service, operation).without(Transport::Queue).any()
    }

    /// What an operation is served on: what it exposes, and what links to it need.
    pub fn served(&self, service: &str, operation: &str) -> Exposure {
        let Some(own) = self.services.get(service).and_then(|s| s.operations.get(operation)) else {
            return Exposure::default();
        };
        let place = OperationRef { service: service.to_owned(), operation: operation.to_owned() };
        let mut served = own.expose;
        for link in self.links_to(&place) {
            match link.via() {
                Some(Via::Rest) => served.insert(Transport::Rest),
                Some(Via::Grpc) => served.insert(Transport::Grpc),
                // A stream of input, for which GraphQL has no word, is left out.
                Some(Via::Graphql) if own.reads() => {}
                Some(Via::Graphql) => served.insert(Transport::Graphql),
                Some(Via::Jsonrpc) if own.is_unary() => served.insert(Transport::Jsonrpc),
                Some(Via::Jsonrpc | Via::Queue) | None => {}
            }
            if own.can_be_queued() && (link.via() == Some(Via::Queue) || link.policy.queues()) {
                served.insert(Transport::Queue);
            }
        }
        served
    }

    /// The links that calls to an operation go by, one for each service that has one, by its name.
    pub fn links_to(&self, operation: &OperationRef) -> impl Iterator<Item = &Link> {
        let links = self.links.iter().filter(|link| link.callee() == Some(&operation.service));
        let callers: BTreeSet<&str> = links.map(|link| link.from.as_str()).collect();
        callers.into_iter().filter_map(|from| self.link(from, operation))
    }

    /// The link that a service's calls to an operation go by: the one to the operation, else that to its service if the
    /// operation is called, or in the schema that the service composes. Where the service calls nothing by it yet, that is
    /// everything that does not run on events and is there for others than callers of old versions.
    pub fn link(&self, from: &str, operation: &OperationRef) -> Option<&Link> {
        let own = |to: &OperationRef| {
            let is_it = |link: &&Link| matches!(&link.to, Target::Operation { to: named, .. } if named == to);
            self.links.iter().find(|link| link.from == from && is_it(link))
        };
        if let Some(link) = own(operation) {
            return Some(link);
        }
        let to_service =
            |link: &&Link| matches!(&link.to, Target::Service { service, .. } if *service == operation.service);
        let link = self.links.iter().find(|link| link.from == from && to_service(link))?;
        let caller = self.services.get(from)?;
        let callee = || self.services.get(&operation.service)?.operations.get(&operation.operation);
        let composes = caller.composes() && caller.fronts.iter().any(|front| front.service == operation.service);
        if composes && callee().is_some_and(Operation::is_offered) {
            return Some(link);
        }
        let calls = caller.operations.values().flat_map(|operation| &operation.calls);
        let called: Vec<_> =
            calls.map(|call| &call.to).filter(|to| to.service == operation.service && own(to).is_none()).collect();
        let needed = match called.is_empty() {
            true => !composes && callee().is_some_and(|callee| callee.on.is_empty() && !callee.is_past()),
            false => called.contains(&operation),
        };
        needed.then_some(link)
    }
}

impl Link {
    /// How its calls travel; of events nothing.
    pub fn via(&self) -> Option<Via> {
        match &self.to {
            Target::Service { via, .. } | Target::Operation { via, .. } => Some(*via),
            Target::Event(_) => None,
        }
    }

    /// The service that it calls.
    pub fn callee(&self) -> Option<&str> {
        match &self.to {
            Target::Service { service, .. } => Some(service),
            Target::Operation { to, .. } => Some(&to.service),
            Target::Event(_) => None,
        }
    }
}
