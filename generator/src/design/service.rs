//! `[services.S]`, its resources, events and feeds. Resources and events of externals are the same structs.

use std::time::Duration;

use indexmap::IndexMap;

use super::{
    Auth, Batch, Body, Broker, Compat, Conflict, Date, Fields, Head, Limit, List, Mapping, Operation,
    OperationSettings, Paging, Reference, Schedule, Slo, Store, Transport, Verb, Versioning, Wire,
};
use crate::source::Spanned;

/// `[services.S]`
#[derive(Clone, Debug, Default)]
pub struct Service {
    pub head: Head,
    pub team: Option<Spanned<String>>,
    pub expose: Option<List<Transport>>,
    pub fronts: Vec<Spanned<String>>,
    pub store: Option<Spanned<Store>>,
    pub broker: Option<Spanned<Broker>>,
    pub auth: Option<List<Auth>>,
    pub allow: Option<List<String>>,
    pub limit: Option<Spanned<Limit>>,
    pub quota: Option<Spanned<Limit>>,
    pub slo: Option<Spanned<Slo>>,
    /// Allowed origins.
    pub cors: Option<List<String>>,
    pub graphql: Option<Spanned<GraphqlLimits>>,
    pub versioning: Option<Spanned<Versioning>>,
    /// `old.N`, by version.
    pub old: IndexMap<u32, Spanned<OldVersion>>,
    pub replaces: Option<Spanned<String>>,
    pub rollout: Option<Spanned<Rollout>>,
    pub commands: IndexMap<String, Operation>,
    pub queries: IndexMap<String, Operation>,
    pub resources: IndexMap<String, Resource>,
    pub events: IndexMap<String, Event>,
    pub feeds: IndexMap<String, Feed>,
}

/// `graphql = { depth, complexity, batch, aliases, introspection }`
#[derive(Clone, Debug, Default)]
pub struct GraphqlLimits {
    pub depth: Option<Spanned<u32>>,
    pub complexity: Option<Spanned<u32>>,
    pub batch: Option<Spanned<u32>>,
    pub aliases: Option<Spanned<u32>>,
    pub directives: Option<Spanned<u32>>,
    pub introspection: Option<Spanned<bool>>,
}

/// `old.N = { deprecated, sunset }`
#[derive(Clone, Debug, Default)]
pub struct OldVersion {
    pub deprecated: Option<Spanned<Date>>,
    pub sunset: Option<Spanned<Date>>,
}

/// `rollout = { share, header, shadow }`
#[derive(Clone, Debug, Default)]
pub struct Rollout {
    /// Percent, 0 to 100.
    pub share: Option<Spanned<f64>>,
    pub header: Option<Spanned<String>>,
    pub shadow: Option<Spanned<bool>>,
}

/// `[services.S.resources.R]`, `[externals.X.resources.R]`
#[derive(Clone, Debug, Default)]
pub struct Resource {
    pub head: Head,
    /// Required; empty only if that was reported.
    pub fields: Fields,
    /// The field that is the natural key.
    pub id: Option<Spanned<String>>,
    pub plural: Option<Spanned<String>>,
    /// Required; `None` only if that was reported. No verb twice.
    pub verbs: Option<List<Verb>>,
    /// `list` … `delete`: what a verb does besides.
    pub settings: IndexMap<Verb, VerbSettings>,
    pub filter: Vec<Spanned<FieldPath>>,
    pub sort: Vec<Spanned<FieldPath>>,
    pub sourced: Option<List<Reference>>,
    pub snapshot: Option<Spanned<u32>>,
    pub allow: Option<List<String>>,
    pub limit: Option<Spanned<Limit>>,
    pub cache: Option<Spanned<Duration>>,
    pub expose: Option<List<Transport>>,
    pub since: Option<Spanned<u32>>,
    pub until: Option<Spanned<u32>>,
    pub was: IndexMap<u32, Spanned<Was>>,
    /// Externals only.
    pub wire: Option<Spanned<Wire>>,
    pub map: Option<Spanned<Mapping>>,
    pub paging: Option<Spanned<Paging>>,
}

/// A verb's own table: `create = { calls = […], emits = […] }`. The name of its head is the verb.
#[derive(Clone, Debug, Default)]
pub struct VerbSettings {
    pub head: Head,
    /// `calls emits errors allow limit cache slo idempotent expose`
    pub common: OperationSettings,
}

/// A path of fields: `total.amount`. At least one segment.
#[derive(Clone, Debug, Default)]
pub struct FieldPath(pub Vec<Spanned<String>>);

/// Two paths are the same wherever they stand.
impl PartialEq for FieldPath {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(|segment| &segment.value).eq(other.0.iter().map(|segment| &segment.value))
    }
}

/// `was.N`: what differed in version N.
#[derive(Clone, Debug, Default)]
pub struct Was {
    /// Operations only.
    pub input: Option<Spanned<Body>>,
    /// Operations only.
    pub output: Option<Spanned<Body>>,
    /// Resources only.
    pub fields: Option<Spanned<Fields>>,
    /// Events only.
    pub payload: Option<Spanned<Body>>,
    /// Present field = old expression.
    pub map: Option<Spanned<Mapping>>,
}

/// `[services.S.events.E]`, `[externals.X.events.E]`
#[derive(Clone, Debug, Default)]
pub struct Event {
    pub head: Head,
    /// Required; `None` only if that was reported. Never a stream.
    pub payload: Option<Spanned<Body>>,
    /// The payload field that orders: same key, same order.
    pub key: Option<Spanned<String>>,
    pub keep: Option<Spanned<Duration>>,
    pub broker: Option<Spanned<Broker>>,
    pub compat: Option<Spanned<Compat>>,
    pub was: IndexMap<u32, Spanned<Was>>,
    /// Externals only.
    pub wire: Option<Spanned<Wire>>,
    pub map: Option<Spanned<Mapping>>,
}

/// `[services.S.feeds.f]`
#[derive(Clone, Debug, Default)]
pub struct Feed {
    pub head: Head,
    /// Required, as are `to` and `when`; `None` only if that was reported.
    pub from: Option<Spanned<Endpoint>>,
    pub to: Option<Spanned<Endpoint>>,
    pub when: Option<Spanned<FeedWhen>>,
    pub map: Option<Spanned<Mapping>>,
    /// Target fields that identify a row.
    pub key: Option<List<String>>,
    pub cursor: Option<Spanned<String>>,
    pub both: Option<Spanned<bool>>,
    pub conflict: Option<Spanned<Conflict>>,
    pub reconcile: Option<Spanned<Schedule>>,
    pub raw: Option<Spanned<bool>>,
    pub batch: Option<Spanned<Batch>>,
    /// A folder of pairs.
    pub samples: Option<Spanned<String>>,
}

/// An end of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A resource, an event or a query.
    Reference(Reference),
    /// `file:exports/x-{date}.csv`, without `file:`.
    File(String),
}

/// When a feed moves data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedWhen {
    /// `changes`: capture and follow.
    Changes,
    Schedule(Schedule),
}
