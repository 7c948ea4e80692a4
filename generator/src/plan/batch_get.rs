//! Reads of several items at once: what an answer of GraphQL refers to costs one query, however many items refer to it.

use serde::Serialize;

use crate::{
    model::{Model, Operation, Service, Shape, Store, Transport, Verb},
    names,
};

use super::{
    contract, graphql,
    rust::{id_name, user},
};

/// A method that reads several items, beside the one that reads one.
#[derive(Debug, Serialize)]
pub struct BatchGet {
    /// `batch_get_orders`
    pub method: String,
    /// `OrderId`
    pub id: String,
    /// The field of the item.
    pub key: String,
    /// `Order`
    pub item: String,
    /// Of the store.
    pub module: String,
}

/// The batch of an operation that gets an item, where the schema of its service refers to such items, and where its store
/// answers for them: what else the operation asks, or fails by, is the business of one item.
pub fn of(model: &Model, service: &Service, operation: &Operation) -> Option<BatchGet> {
    let Shape::Verb { verb: Verb::Get, resource } = &operation.shape else { return None };
    let resource = service.resources.get(resource)?;
    let method = format!("batch_get_{}", names::snake(&resource.plural));
    let is_plain = operation.calls.is_empty() && operation.errors.is_empty() && service.store == Store::Sqlite;
    let is_present = !service.is_old() && !service.composes() && !service.operations.contains_key(&method);
    let is_wanted = || contract::serves(model, service, Transport::Graphql);
    (is_plain && is_present && is_wanted() && graphql::refers_to(model, service, &resource.name)).then(|| BatchGet {
        method,
        id: user(&id_name(&resource.name)),
        key: names::rust::ident(&resource.id),
        item: user(&resource.name),
        module: names::rust::module(&resource.name),
    })
}
