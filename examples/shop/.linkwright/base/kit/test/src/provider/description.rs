//! What a contract says, as generated tests tell it to the suite.

use std::collections::BTreeMap;

use kit::Kind;
use serde::Deserialize;
use serde_json::Value;

/// One service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    pub service: String,
    /// On all operations together.
    #[serde(default)]
    pub limits: Limits,
    pub operations: Vec<Operation>,
    /// Those that others refer to first.
    pub resources: Vec<Resource>,
    /// What the service publishes, by type.
    pub events: BTreeMap<String, Event>,
    pub consumers: Vec<Consumer>,
    /// `components` of OpenAPI: the schemas that others refer to.
    pub components: Value,
}

/// What is left out is not so.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Operation {
    pub name: String,
    /// `None`: a command or query of the design.
    pub verb: Option<Verb>,
    /// Of the verb, or the one on an item of which the operation works.
    pub resource: Option<String>,
    pub takes_id: bool,
    pub rest: bool,
    pub grpc: bool,
    /// Its method over JSON-RPC.
    pub jsonrpc: Option<String>,
    /// How it is asked over GraphQL.
    pub graphql: Option<Asked>,
    /// Schemas.
    pub input: Option<Value>,
    pub answer: Option<Value>,
    pub stream: bool,
    /// Its input is a stream: `input` and each of what `examples` lists are of an item.
    pub reads: bool,
    /// It changes nothing.
    pub query: bool,
    /// A repeat is harmless.
    pub safe: bool,
    /// Callers may name their intent by a key, under which the first answer is kept.
    pub keyed: bool,
    /// Declared errors by name.
    pub errors: BTreeMap<String, DeclaredError>,
    /// What it may fail with besides.
    pub failures: Vec<Kind>,
    /// Inputs that differ.
    pub examples: Vec<Value>,
    /// Of its own.
    pub limit: Option<Limit>,
    /// Types of the events that it publishes.
    pub emits: Vec<String>,
    /// The events that its stream sends on.
    pub follows: Vec<Followed>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    pub service: Option<Limit>,
    pub quota: Option<Limit>,
}

/// So many calls of one caller in so much time.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    pub calls: u32,
    pub seconds: u64,
}

/// An event that a stream sends on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Followed {
    /// In AsyncAPI.
    pub message: String,
    /// What it is among the items of the stream, where those are a union.
    pub variant: Option<String>,
    /// The member that names the item which the operation is on.
    pub item: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verb {
    List,
    Get,
    Create,
    Replace,
    Patch,
    Delete,
}

/// A request over GraphQL.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// With variables for all that is given.
    pub document: String,
    /// The member of the variables that holds the whole input; none: each member is a variable.
    pub whole: Option<String>,
    pub subscription: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredError {
    pub kind: Kind,
    /// The schema of what it brings along.
    pub data: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resource {
    pub name: String,
    /// The member that holds the id.
    pub id: String,
    /// The caller gives the id.
    pub natural: bool,
    /// Ids that differ, and one that no item has. There are few, and no such, where few values are.
    pub ids: Vec<Value>,
    pub unknown: Option<Value>,
    /// Members that a change must not name.
    pub kept: Vec<String>,
    pub unique: Vec<String>,
    /// What may be changed.
    pub draft: Vec<Member>,
    /// Members that hold ids of items of this service.
    pub references: BTreeMap<String, String>,
    /// Those that refer to nothing else than what is there.
    pub keys: Vec<String>,
    pub filters: Vec<Filter>,
    pub sorts: Vec<Sort>,
    pub shown: Option<Shown>,
}

/// How GraphQL shows what the items of a list refer to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    pub request: String,
    pub references: Vec<Reference>,
}

/// A field that holds an id, or several, and the one beside it that shows what they refer to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    /// As in the contract: `customer_id`.
    pub member: String,
    /// `customerId`
    pub id: String,
    /// `customer`
    pub object: String,
    /// The field of it that is its id.
    pub key: String,
    /// The resource.
    pub to: String,
    pub several: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    pub name: String,
    /// Absent in an answer when it was not given.
    pub optional: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// `total.amount`
    pub path: String,
    pub order: Order,
    /// Also by `.gte`, `.gt`, `.lte`, `.lt`.
    pub ordered: bool,
    /// Values that differ.
    pub examples: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sort {
    pub path: String,
    pub order: Order,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// Numbers, texts of digits among them.
    Number,
    /// As texts, which moments and days are too.
    Text,
    /// `PT1H`
    Duration,
}

/// What a service publishes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    pub name: String,
    /// In AsyncAPI.
    pub message: String,
    /// The member that is the subject.
    pub key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consumer {
    pub operation: String,
    pub subscription: String,
    /// What fails for good is kept.
    pub dead_letter: bool,
    /// A message that comes again has no second effect.
    pub once: bool,
    /// It reads the payload, so a broken one is of no use.
    pub reads: bool,
    /// The member that names the item which the operation is on.
    pub item: Option<String>,
    /// Messages of AsyncAPI.
    pub messages: Vec<String>,
}

impl Description {
    pub(crate) fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    pub(crate) fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.name == name)
    }

    pub(crate) fn verb(&self, resource: &str, verb: Verb) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|operation| operation.verb == Some(verb) && operation.resource.as_deref() == Some(resource))
    }
}
