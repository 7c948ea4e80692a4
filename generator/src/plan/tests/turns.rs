//! The turns that transports have with the items of a service: each makes its own where it can, and what stands in the
//! way of the next is deleted in between.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    contracts::shape,
    model::{Model, Operation, OperationRef, Resource, Service, Shape, Transport, Verb},
};

use super::description::in_order;

/// In the order of their turns: GraphQL creates items of its own, apart from what the others make.
pub const TRANSPORTS: [Transport; 5] =
    [Transport::Rest, Transport::Grpc, Transport::Jsonrpc, Transport::Queue, Transport::Graphql];

pub struct Turns<'m> {
    service: &'m Service,
    /// The resources, each after those that it refers to.
    order: Vec<&'m Resource>,
    /// Those whose item is deleted at the end of a turn, by its number.
    early: BTreeSet<(&'m str, usize)>,
    /// Those to which others may still refer when they are deleted.
    kept: BTreeSet<&'m str>,
}

impl<'m> Turns<'m> {
    pub fn new(model: &'m Model, service: &'m Service) -> Self {
        let order = in_order(service);
        let mut requirers: BTreeMap<&str, Vec<&Resource>> = BTreeMap::new();
        let mut referrers: BTreeMap<&str, Vec<&Resource>> = BTreeMap::new();
        for resource in &order {
            for (_, to) in shape::required_keys(service, resource) {
                requirers.entry(to).or_default().push(resource);
            }
            for (_, to) in shape::foreign_keys(service, resource) {
                referrers.entry(to).or_default().push(resource);
            }
        }
        let mut turns = Self { service, order: order.clone(), early: BTreeSet::new(), kept: BTreeSet::new() };
        // Whoever requires something comes after it, and is known before it.
        for resource in order.into_iter().rev() {
            let requirers = requirers.get(resource.name.as_str()).map_or(&[][..], Vec::as_slice);
            for (number, transport) in TRANSPORTS.into_iter().enumerate() {
                let all_go = |other: &&Resource| turns.early.contains(&(other.name.as_str(), number));
                if turns.deletes(resource, transport)
                    && turns.is_made_again(resource, requirers, number)
                    && requirers.iter().all(all_go)
                {
                    turns.early.insert((&resource.name, number));
                }
            }
            let referrers = referrers.get(resource.name.as_str()).into_iter().flatten();
            let stays = |other: &&Resource| turns.kept.contains(other.name.as_str()) || turns.stays(other);
            if requirers.iter().any(stays)
                || referrers.into_iter().any(|other| is_made_by_others(model, service, other))
            {
                turns.kept.insert(&resource.name);
            }
        }
        turns
    }

    /// Its number in an order in which nothing comes before what it refers to.
    pub fn place(&self, resource: &str) -> Option<usize> {
        self.order.iter().position(|other| other.name == resource)
    }

    /// Whether an item that a transport has made is deleted at the end of its turn, for the next one makes the same again,
    /// for which what is unique has to be free, and nothing that stays refers to it.
    pub fn is_early(&self, resource: &str, number: usize) -> bool {
        self.early.contains(&(resource, number))
    }

    /// Whether others may still refer to the item when it is deleted.
    pub fn is_kept(&self, resource: &str) -> bool {
        self.kept.contains(resource)
    }

    /// Whether the item that the operation makes was made in an earlier turn, is there still, and has something that no
    /// other may have.
    pub fn is_there(&self, operation: &Operation, number: usize) -> bool {
        let Shape::Verb { verb: Verb::Create, resource } = &operation.shape else { return false };
        let Some(resource) = self.service.resources.get(resource) else { return false };
        let unlike_others = shape::is_natural(resource) || shape::new_fields(resource).iter().any(|field| field.unique);
        let stays = |number: usize| {
            self.exposes(Verb::Create, resource, TRANSPORTS[number]) && !self.is_early(&resource.name, number)
        };
        unlike_others && (0..number).any(stays)
    }

    /// Whether the item is the same for all transports: under a natural key it is, but for GraphQL if it creates its own.
    pub fn is_shared(&self, resource: &Resource, transport: Transport) -> bool {
        let own = transport == Transport::Graphql && self.exposes(Verb::Create, resource, transport);
        shape::is_natural(resource) && !own
    }

    /// Whether the next transport that needs the item makes the same.
    fn is_made_again(&self, resource: &Resource, requirers: &[&Resource], number: usize) -> bool {
        let next = (number + 1..TRANSPORTS.len()).find(|next| self.needs(resource, requirers, TRANSPORTS[*next]));
        next.is_some_and(|next| {
            let transport = TRANSPORTS[next];
            let creates = self.exposes(Verb::Create, resource, transport);
            if transport == Transport::Graphql {
                !creates && self.places(resource, transport)
            } else {
                self.makes(resource, transport)
            }
        })
    }

    /// Whether a transport serves anything that is about the item, or about one that has to refer to it.
    fn needs(&self, resource: &Resource, requirers: &[&Resource], transport: Transport) -> bool {
        let is_about = |operation: &&Operation| match &operation.shape {
            // That comes after all turns, since nobody knows when it is done.
            Shape::Verb { verb: Verb::Delete, .. } if transport == Transport::Queue => false,
            Shape::Verb { resource: of, .. } => *of == resource.name || requirers.iter().any(|other| other.name == *of),
            Shape::Custom { .. } => shape::on_item(operation) == Some(resource.name.as_str()),
        };
        self.service.operations.values().filter(is_about).any(|operation| operation.expose.has(transport))
    }

    /// Whether an item is there at the end that one transport has made and does not delete.
    fn stays(&self, resource: &Resource) -> bool {
        // When the queue is done nobody knows.
        let deletes = |transport| transport != Transport::Queue && self.deletes(resource, transport);
        TRANSPORTS.into_iter().any(|transport| self.makes(resource, transport) && !deletes(transport))
    }

    fn makes(&self, resource: &Resource, transport: Transport) -> bool {
        self.exposes(Verb::Create, resource, transport) || self.places(resource, transport)
    }

    /// By a replace.
    fn places(&self, resource: &Resource, transport: Transport) -> bool {
        shape::is_natural(resource) && self.exposes(Verb::Replace, resource, transport)
    }

    fn deletes(&self, resource: &Resource, transport: Transport) -> bool {
        self.exposes(Verb::Delete, resource, transport)
    }

    fn exposes(&self, verb: Verb, of: &Resource, transport: Transport) -> bool {
        let is_it = |operation: &&Operation| {
            let Shape::Verb { verb: found, resource } = &operation.shape else { return false };
            *found == verb && *resource == of.name
        };
        self.service.operations.values().filter(is_it).any(|operation| operation.expose.has(transport))
    }
}

/// Whether any operation calls one that makes an item of the resource.
fn is_made_by_others(model: &Model, service: &Service, resource: &Resource) -> bool {
    let makes = |to: &OperationRef| {
        let called = service.operations.get(&to.operation).filter(|_| to.service == service.name);
        called.is_some_and(|called| match &called.shape {
            Shape::Verb { verb: Verb::Create | Verb::Replace, resource: of } => *of == resource.name,
            _ => false,
        })
    };
    model.operations().any(|(_, operation)| operation.calls.iter().any(|call| makes(&call.to)))
}
