//! A GraphQL front and those behind it as one service: its own operations and what they offer, in a system in which all of
//! it is the front's. Whatever is made of a service's schema is made of that one too, so no schema knows of fronts.

use std::collections::BTreeMap;

use super::graphql;
use crate::model::{Event, Field, Input, Link, Model, Operation, OperationRef, Output, Payload, Service, Shape, Via};

mod names;

pub use names::Names;

/// A front that has everything itself.
#[derive(Clone, Debug)]
pub struct Composed {
    /// The system in which it has.
    pub model: Model,
    pub service: Service,
    /// What everything that was another's is called here.
    pub names: Names,
    /// Where the operations of others are, by their names here.
    pub origins: BTreeMap<String, OperationRef>,
    /// What those behind offer and GraphQL, or the link, has no word for.
    left_out: Vec<String>,
}

/// The services that a schema is made of: the front, then those behind it in their order.
pub fn members<'m>(model: &'m Model, front: &'m Service) -> impl Iterator<Item = &'m Service> {
    let behind = front.fronts.iter().filter_map(|behind| model.services.get(&behind.service));
    std::iter::once(front).chain(behind)
}

/// Whether callers of a front reach an operation of a service behind it: callers outside may call it, and the link can
/// carry it.
pub fn offers(model: &Model, front: &Service, service: &Service, operation: &Operation) -> bool {
    operation.is_offered() && trouble(model, front, service, operation).is_none()
}

/// Why an operation that callers outside reach is in no schema.
fn trouble(model: &Model, front: &Service, service: &Service, operation: &Operation) -> Option<&'static str> {
    let to = OperationRef { service: service.name.clone(), operation: operation.name.clone() };
    match model.link(&front.name, &to).and_then(Link::via) {
        _ if operation.reads() => Some("it takes a stream, which GraphQL has no word for"),
        Some(Via::Jsonrpc) if !operation.is_unary() => Some("it streams, for which JSON-RPC has no form"),
        Some(Via::Queue) if !operation.can_be_queued() => Some("a queue gives no answer"),
        _ => None,
    }
}

/// The schema of a front as a service of its own; `None`: it composes none.
pub fn composed(model: &Model, front: &Service) -> Option<Composed> {
    if !front.composes() {
        return None;
    }
    let names = Names::of(model, front);
    let mut whole = model.clone();
    whole.types.values_mut().for_each(|def| names.type_def(def));
    for service in whole.services.values_mut() {
        rename(&names, service);
    }
    let mut service = whole.services.get(&front.name)?.clone();
    let (mut origins, mut left_out) = (BTreeMap::new(), Vec::new());
    for behind in members(model, front).skip(1) {
        let renamed = whole.services.get(&behind.name)?;
        service.enums.extend(renamed.enums.clone());
        for (own, resource) in behind.resources.values().zip(renamed.resources.values()) {
            let mut resource = resource.clone();
            resource.verbs.retain(|verb| {
                let is_it = |operation: &&Operation| matches!(&operation.shape, Shape::Verb { verb: of, resource } if of == verb && *resource == own.name);
                behind.operations.values().find(is_it).is_some_and(|operation| offers(model, front, behind, operation))
            });
            service.resources.insert(resource.name.clone(), resource);
        }
        for (own, operation) in behind.operations.values().zip(renamed.operations.values()) {
            if offers(model, front, behind, own) {
                let to = OperationRef { service: behind.name.clone(), operation: own.name.clone() };
                origins.insert(operation.name.clone(), to);
                service.operations.insert(operation.name.clone(), borrowed(operation));
            } else if let Some(why) = trouble(model, front, behind, own).filter(|_| own.expose.any()) {
                left_out.push(format!("# `{}.{}` is not here: {why}.\n", behind.name, own.name));
            }
        }
    }
    whole.services.insert(front.name.clone(), service.clone());
    Some(Composed { model: whole, service, names, origins, left_out })
}

/// An operation of a service behind, as the front has it: what it does besides answering is the other's.
fn borrowed(operation: &Operation) -> Operation {
    Operation {
        on: Vec::new(),
        follows: Vec::new(),
        calls: Vec::new(),
        emits: Vec::new(),
        limit: None,
        expose: std::iter::once(crate::model::Transport::Graphql).collect(),
        ..operation.clone()
    }
}

impl Composed {
    /// The text of the schema.
    pub fn graphql(&self) -> String {
        let gap = if self.left_out.is_empty() { "" } else { "\n" };
        self.left_out.concat() + gap + &graphql::graphql(&self.model, &self.service)
    }
}

/// Gives everything in a service the names that it has in the schema.
fn rename(names: &Names, service: &mut Service) {
    let own = service.name.clone();
    let resources = std::mem::take(&mut service.resources);
    for (_, mut resource) in resources {
        names.resource_itself(&own, &mut resource);
        service.resources.insert(resource.name.clone(), resource);
    }
    let enums = std::mem::take(&mut service.enums);
    for (_, mut of) in enums {
        of.name = names.enumeration(&own, &of.name).1;
        service.enums.insert(of.name.clone(), of);
    }
    let operations = std::mem::take(&mut service.operations);
    for (_, mut operation) in operations {
        operation.name = names.operation(&own, &operation);
        shape(names, &own, &mut operation.shape);
        service.operations.insert(operation.name.clone(), operation);
    }
    for Event { payload, .. } in service.events.values_mut() {
        match payload {
            Payload::Named(_) => {}
            Payload::Resource(of) => names.resource(of),
            Payload::Fields(fields) => self::fields(names, fields),
        }
    }
}

fn shape(names: &Names, own: &str, shape: &mut Shape) {
    match shape {
        Shape::Verb { resource, .. } => *resource = names.resource_name(own, resource),
        Shape::Custom { of, input, output } => {
            if let Some(of) = of {
                *of = names.resource_name(own, of);
            }
            match input {
                Input::Fields(fields) => self::fields(names, fields),
                Input::None | Input::Named(_) | Input::Payload(_) | Input::Stream(_) => {}
            }
            match output {
                Output::Resource(of) | Output::Stream(crate::model::StreamItem::Resource(of)) => names.resource(of),
                Output::Fields(fields) => self::fields(names, fields),
                Output::None | Output::Named(_) | Output::Item | Output::Stream(_) => {}
            }
        }
    }
}

fn fields(names: &Names, fields: &mut [Field]) {
    fields.iter_mut().for_each(|field| names.ty(&mut field.ty));
}

#[cfg(test)]
mod tests;
