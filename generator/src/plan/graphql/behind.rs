//! Where a schema finds what it shows: in the contract that it is part of or, composed, in those of the services behind.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    contracts::composed::{self, Composed},
    model::{Model, Operation, Service, Transport, TypeRef},
    names,
    scope::{Item, Scope},
};

use super::super::{
    contract::{self, trait_name},
    gate,
    operations::{self, OperationView},
    resources,
    rust::{id_name, user},
};

/// A service that answers fields of a schema.
#[derive(Debug, Serialize)]
pub struct Answerer {
    /// In the struct of all.
    pub field: String,
    /// `orders_contract::Orders`
    pub service_trait: String,
    #[serde(skip)]
    pub name: String,
}

/// The contracts of a front and of those behind it.
#[derive(Debug)]
pub struct Behind {
    pub composed: Composed,
    pub members: Vec<Answerer>,
    /// What passes to others is counted.
    pub counts: bool,
    /// The types of contracts, by their names here. Patches of one record are a type in each contract.
    types: BTreeMap<String, Vec<String>>,
    operations: BTreeMap<String, Origin>,
}

/// An operation as its own service has it.
#[derive(Debug)]
struct Origin {
    /// `orders.get_order`
    call: String,
    contract: String,
    view: OperationView,
}

/// What the schema of a service finds elsewhere; `None`: everything is its own.
pub fn behind(model: &Model, scope: &Scope, front: &Service) -> Option<Behind> {
    let composed = composed::composed(model, front)?;
    let counts = gate::counts_passing(front);
    let mut behind =
        Behind { composed, members: Vec::new(), counts, types: BTreeMap::new(), operations: BTreeMap::new() };
    for service in composed::members(model, front) {
        behind.add(model, scope, front, service);
    }
    Some(behind)
}

impl Behind {
    /// What an operation of the schema is called by: `orders.get_order`.
    pub fn call(&self, operation: &Operation) -> Option<&str> {
        Some(&self.operations.get(&operation.name)?.call)
    }

    fn add(&mut self, model: &Model, scope: &Scope, front: &Service, service: &Service) {
        let is_own = service.name == front.name;
        let contract = if is_own { "crate".to_owned() } else { contract::ident(service) };
        let whole = &self.composed.service;
        let is_here = |operation: &&Operation| match self.composed.origins.get(&operation.name) {
            Some(origin) => origin.service == service.name,
            None => is_own && model.served(&service.name, &operation.name).has(Transport::Graphql),
        };
        let here: Vec<&Operation> = whole.operations.values().filter(is_here).collect();
        if here.is_empty() {
            return;
        }
        let field = names::rust::variable(&service.name);
        self.members.push(Answerer {
            service_trait: format!("{contract}::{}", trait_name(model, scope, service)),
            name: service.name.clone(),
            field: field.clone(),
        });
        for item in scope.uses(&service.name) {
            // The first contract that has it is as good as any.
            if let Some(here) = self.named(item) {
                self.types.entry(here).or_insert_with(|| vec![format!("{contract}::{}", item.name())]);
            }
        }
        let mut types: Vec<(String, String)> = Vec::new();
        for resource in service.resources.values() {
            let mut renamed = resource.clone();
            self.composed.names.resource_itself(&service.name, &mut renamed);
            let [here, there] = [(&self.composed.model, &renamed), (model, resource)]
                .map(|(model, resource)| resources::type_names(model, resource));
            types.extend(here.into_iter().zip(there));
        }
        let mut origins = BTreeMap::new();
        for operation in here {
            let own = self.composed.origins.get(&operation.name).map_or(&operation.name, |origin| &origin.operation);
            let Some(own) = service.operations.get(own) else { continue };
            types.push((operations::response_name(operation), operations::response_name(own)));
            let view = operations::view(model, service, own);
            let call = format!("{field}.{}", view.method);
            origins.insert(operation.name.clone(), Origin { call, contract: contract.clone(), view });
        }
        self.operations.extend(origins);
        for (here, there) in types {
            let (paths, path) = (self.types.entry(here).or_default(), format!("{contract}::{there}"));
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }

    /// The name here of what a contract has.
    fn named(&self, item: &Item) -> Option<String> {
        let resource = |of: &crate::model::ResourceRef| {
            let mut of = of.clone();
            self.composed.names.resource(&mut of);
            of.resource
        };
        Some(match item {
            Item::Type(TypeRef { service: Some(service), name }) => self.composed.names.enumeration(service, name).1,
            Item::Type(TypeRef { service: None, name }) => name.clone(),
            Item::Id(of) => id_name(&resource(of)),
            Item::Resource(of) => resource(of),
            // Their fields are arguments.
            Item::Payload(_) => return None,
        })
    }
}

/// Where the types and calls of a schema are.
#[derive(Clone, Copy)]
pub struct Found<'b>(pub Option<&'b Behind>);

impl<'b> Found<'b> {
    /// Whether calls of the operation are passed on, and counted.
    pub fn counts(self, operation: &Operation) -> bool {
        let Some(behind) = self.0.filter(|behind| behind.counts) else { return false };
        behind.operations.get(&operation.name).is_some_and(|origin| origin.contract != "crate")
    }

    /// The contract's type of that name here: `crate::Order`, `orders_contract::Order`.
    pub fn ty(self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    /// The same, in each contract that has one of its own.
    pub fn all(self, name: &str) -> Vec<String> {
        let found = self.0.and_then(|behind| behind.types.get(name));
        found.cloned().unwrap_or_else(|| vec![format!("crate::{}", user(name))])
    }

    /// The type of an id.
    pub fn id(self, resource: &str) -> String {
        match self.0 {
            Some(_) => self.ty(&id_name(resource)),
            None => user(&id_name(resource)),
        }
    }

    /// The record that an operation takes, of that name here.
    pub fn taken(self, operation: &Operation, number: usize, name: &str) -> String {
        let origin = self.0.and_then(|behind| behind.operations.get(&operation.name));
        match origin.and_then(|origin| Some((origin, origin.view.params.get(number)?))) {
            Some((origin, param)) => format!("{}::{}", origin.contract, param.ty),
            None => format!("crate::{name}"),
        }
    }

    /// What an operation is called by: `get_order`, `orders.get_order`.
    pub fn call(self, operation: &Operation, method: &str) -> String {
        let origin = self.0.and_then(|behind| behind.operations.get(&operation.name));
        origin.map_or_else(|| method.to_owned(), |origin| origin.call.clone())
    }

    /// Who gets the items of a resource, as parameter and argument: `crate::Orders`, and the variable that holds it.
    pub fn getter(self, operation: &Operation) -> Option<(&'b Answerer, &'b str)> {
        let behind = self.0?;
        let origin = behind.operations.get(&operation.name)?;
        let (field, method) = origin.call.split_once('.')?;
        Some((behind.members.iter().find(|member| member.field == field)?, method))
    }
}
