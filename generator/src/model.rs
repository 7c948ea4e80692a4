//! What a design means: names legal everywhere, references resolved, defaults filled. Only [`crate::check`] makes one.
//!
//! The model is transport-free and target-free: it holds the names of the design. How a name looks in Rust, proto,
//! GraphQL, SQL or a path is [`crate::names`]; how a type looks in each, [`crate::contracts`] and [`crate::plan`] say.

use std::time::Duration;

use indexmap::IndexMap;

mod limits;
mod links;
mod schema;
mod versions;
pub use limits::{Limits, Rate, span};
pub use schema::*;
pub use versions::{Date, OldVersion};

/// A whole system.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// `kebab-9`.
    pub name: String,
    pub docs: Docs,
    /// Paths that are left alone for good.
    pub own: Vec<String>,
    /// The records, enums and unions of `[types]` and the enums written in their fields, in the order of the design.
    /// Named scalars are resolved away.
    pub types: IndexMap<String, TypeDef>,
    /// In the order of the design.
    pub services: IndexMap<String, Service>,
    /// Every dependency: written in the design or inferred from `calls`, `on`. Sorted by (from, target).
    pub links: Vec<Link>,
}

/// The texts of a table or key. None of them is ever markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Docs {
    /// One line, or empty.
    pub summary: String,
    /// The `##` comment above it, lines joined with `\n`, or empty.
    pub description: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// `lower_snake`, as written.
    pub name: String,
    pub docs: Docs,
    pub team: Option<String>,
    /// Which version of it this is, from 1 on.
    pub version: u32,
    /// The one that the system itself speaks: its own, unless this is how a service was once.
    pub newest: u32,
    /// From when on nobody should begin to use this version, and until when it is served; as far as that is known.
    pub deprecated: Option<Date>,
    pub sunset: Option<Date>,
    /// How callers over REST choose one.
    pub versioning: Versioning,
    /// What it was before and still serves, oldest first.
    pub old: Vec<OldVersion>,
    /// What callers outside the system get.
    pub expose: Exposure,
    /// The services behind it, in the order of the design.
    pub fronts: Vec<Front>,
    /// Origins whose pages may call it: `https://app.example`, or `*` alone.
    pub cors: Vec<String>,
    pub store: Store,
    pub graphql: GraphqlLimits,
    /// On all calls of one caller.
    pub limits: Limits,
    /// Enums written in a field of this service's resources, operations and events: `OrderStatus`.
    pub enums: IndexMap<String, Enum>,
    pub resources: IndexMap<String, Resource>,
    /// Every operation: first each resource's verbs (resource by resource, in [`Verb`] order), then queries, then
    /// commands, each in the order of the design. The key is the operation's name: `list_orders`, `reserve`.
    pub operations: IndexMap<String, Operation>,
    pub events: IndexMap<String, Event>,
}

/// How callers over REST say which version they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Versioning {
    /// `/v1/orders`: always said.
    Path,
    /// `Api-Version: 1`; here and below none said is the newest.
    Header,
    /// `?version=1`
    Query,
    /// `application/vnd.shop.orders+json;version=1`
    MediaType,
}

/// A service behind a front: what it exposes over REST passes through, what it exposes at all is in a composed schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    pub service: String,
    pub policy: Policy,
}

/// What a request over GraphQL may ask for. Defaults are filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphqlLimits {
    /// Fields within fields.
    pub depth: u32,
    /// Fields in all.
    pub complexity: u32,
    /// Requests sent as one.
    pub batch: u32,
    pub aliases: u32,
    pub directives: u32,
    pub introspection: Introspection,
}

/// When the schema may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    Always,
    Development,
    Never,
}

/// Where a service keeps what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    None,
    Sqlite,
}

/// A way by which callers reach operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Rest,
    Grpc,
    Graphql,
    Jsonrpc,
    /// Commands taken from the queue.
    Queue,
}

/// Transports an operation is served on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure([bool; Transport::ALL.len()]);

/// A named set of things of one shape, with standard methods.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// `UpperCamel`.
    pub name: String,
    /// `UpperCamel`: `Orders`.
    pub plural: String,
    pub docs: Docs,
    /// All fields, the id first.
    pub fields: Vec<Field>,
    /// The id's field name: `id`, or the natural key.
    pub id: String,
    pub verbs: Vec<Verb>,
    /// What `list` may filter by.
    pub filter: Vec<FieldPath>,
    /// What `list` may sort by.
    pub sort: Vec<FieldPath>,
}

/// A path through required records to a scalar or enum: `total.amount`.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldPath {
    pub segments: Vec<String>,
    /// The type at its end, `Optional` if the last field is.
    pub ty: Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    List,
    Get,
    Create,
    Replace,
    Patch,
    Delete,
}

/// One operation of a service: a command, a query or a verb of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// `reserve`; of verbs `list_orders`, `get_order`, `create_order`, `replace_order`, `patch_order`, `delete_order`.
    pub name: String,
    pub docs: Docs,
    pub kind: OperationKind,
    pub shape: Shape,
    /// Declared errors, in the order of the design.
    pub errors: Vec<DeclaredError>,
    pub safety: Safety,
    /// Whole seconds for which an answer holds, so that callers and those between may keep it.
    pub cache: Option<u32>,
    /// On calls of one caller, besides the service's.
    pub limit: Option<Rate>,
    /// Events that run it.
    pub on: Vec<EventRef>,
    /// Events that it sends on: it is a query that streams.
    pub follows: Vec<EventRef>,
    /// Operations it calls, in order.
    pub calls: Vec<Call>,
    /// Events of its service that it publishes.
    pub emits: Vec<String>,
    /// What callers outside the system get. What links add is [`Model::served`].
    pub expose: Exposure,
    pub route: Route,
    /// Of a verb whose resource is gone: the last version that has it. It is served on nothing, and who calls a version
    /// that has it comes here through its adapter.
    pub until: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    Query,
    Command,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A command or query. With `of` it is on one item of that resource and gets its id; it returns the item if the
    /// design gives no output, which then is [`Output::Item`].
    Custom { of: Option<String>, input: Input, output: Output },
    /// A standard method of a resource of the same service.
    Verb { verb: Verb, resource: String },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    None,
    /// A record of `[types]`, by name.
    Named(String),
    /// Fields written at the operation: the record is called `<Operation>Request`.
    Fields(Vec<Field>),
    /// The payload of the one event of `on`, or of several that have the same payload.
    Payload(EventRef),
    /// Records or a union of `[types]`, by name, one after another.
    Stream(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// The answer is "done".
    None,
    Named(String),
    /// The resource (its name) of this or another service.
    Resource(ResourceRef),
    /// Fields written at the operation: the record is called `<Operation>Response`.
    Fields(Vec<Field>),
    /// The item of `of`.
    Item,
    /// Records, unions or resources, one after another.
    Stream(StreamItem),
}

#[derive(Clone, Debug, PartialEq)]
pub enum StreamItem {
    /// A record or union of `[types]`.
    Named(String),
    Resource(ResourceRef),
}

/// A resource of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceRef {
    pub service: String,
    pub resource: String,
}

/// An event of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventRef {
    pub service: String,
    pub event: String,
}

/// An operation of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationRef {
    pub service: String,
    pub operation: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub to: OperationRef,
    /// Their input field to a path of ours, where the design says so (`with`).
    pub with: IndexMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredError {
    /// `OutOfStock`.
    pub name: String,
    pub docs: Docs,
    pub kind: ErrorKind,
    /// A record of `[types]` sent along.
    pub data: Option<String>,
}

/// The kinds a design may declare (LANGUAGE §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorKind {
    Invalid,
    Denied,
    NotFound,
    Exists,
    Conflict,
    Stale,
    Limited,
    Unavailable,
}

/// Whether a repeat is harmless (LANGUAGE §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Queries, `list`, `get`, `replace`, `delete`, commands `idempotent = "yes"`.
    Safe,
    /// `create`, `patch`, commands `idempotent = "key"`.
    Keyed,
    Unsafe,
}

/// Where an operation lives under REST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    /// From the version on, where that is part of it: `/v1/orders/{id}/cancel`.
    pub path: Vec<Segment>,
    /// Fields of the input that travel in the query; the rest of the input is the body.
    pub query: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    Literal(String),
    /// An input field, or the id of the item.
    Field(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What happened in a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    pub docs: Docs,
    pub payload: Payload,
    /// Payload field: same key, same order.
    pub key: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// A record of `[types]`.
    Named(String),
    Resource(ResourceRef),
    /// Fields written at the event: the record is called like the event.
    Fields(Vec<Field>),
}

/// One service depends on another service's operations or on one of its events.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The service that depends.
    pub from: String,
    pub to: Target,
    pub policy: Policy,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// All operations of a service that no more specific link names.
    Service {
        service: String,
        via: Via,
    },
    /// One operation.
    Operation {
        to: OperationRef,
        via: Via,
    },
    Event(EventRef),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    Rest,
    Grpc,
    Jsonrpc,
    Graphql,
    Queue,
}

/// How a link behaves when the other side is slow, failing or gone. Defaults are filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Per attempt.
    pub timeout: Duration,
    pub retry: Retry,
    pub breaker: Option<Breaker>,
    /// Calls in flight.
    pub bulkhead: u32,
    /// In the order of the design; the first that fits answers.
    pub fallback: Vec<Fallback>,
    /// Messages only.
    pub delivery: Delivery,
    pub dead_letter: bool,
    /// Messages taken at once.
    pub batch: Batch,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// The first one included.
    pub attempts: u32,
    pub backoff: (Duration, Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    pub failure_rate: f64,
    pub window: u32,
    pub open_for: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub size: u32,
    pub within: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    Cache,
    Queue,
    Default,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    AtLeastOnce,
    AtMostOnce,
}

impl Model {
    /// Every operation, with its service.
    pub fn operations(&self) -> impl Iterator<Item = (&Service, &Operation)> {
        self.services
            .values()
            .flat_map(|service| service.operations.values().map(move |operation| (service, operation)))
    }
}

impl Service {
    /// Whether requests over REST pass through it to those behind it.
    pub fn passes(&self) -> bool {
        !self.fronts.is_empty() && self.expose.has(Transport::Rest)
    }

    /// Whether its schema is composed of its own operations and those of the services behind it.
    pub fn composes(&self) -> bool {
        !self.fronts.is_empty() && self.expose.has(Transport::Graphql)
    }
}

impl Operation {
    /// Whether a schema composed by a front can have it: callers outside get it, and its input is one message.
    pub fn is_offered(&self) -> bool {
        self.expose.without(Transport::Queue).any() && !self.reads()
    }

    /// Whether only old versions have it: the present one does their work, and shows it to nobody.
    pub fn is_past(&self) -> bool {
        self.until.is_some()
    }

    /// Whether a caller gets more than "done".
    pub fn answers(&self) -> bool {
        match &self.shape {
            Shape::Custom { output, .. } => *output != Output::None,
            Shape::Verb { verb, .. } => *verb != Verb::Delete,
        }
    }

    /// Whether its answer can be kept: a query's, unless it is a stream.
    pub fn can_be_cached(&self) -> bool {
        self.kind == OperationKind::Query && self.answers() && !self.streams() && !self.reads()
    }

    /// Whether it can be sent now and done later: a command without output, whose input is one message.
    pub fn can_be_queued(&self) -> bool {
        self.kind == OperationKind::Command && !self.answers() && !self.reads()
    }

    /// Whether its input is a stream.
    pub fn reads(&self) -> bool {
        matches!(self.shape, Shape::Custom { input: Input::Stream(_), .. })
    }

    /// Whether its output is a stream.
    pub fn streams(&self) -> bool {
        matches!(self.shape, Shape::Custom { output: Output::Stream(_), .. })
    }

    /// Whether no side of it is a stream, for which JSON-RPC has no form.
    pub fn is_unary(&self) -> bool {
        !self.streams() && !self.reads()
    }
}

impl GraphqlLimits {
    /// What one has where nothing is said.
    pub const USUAL: Self = Self {
        depth: 10,
        complexity: 1000,
        batch: 10,
        aliases: 30,
        directives: 30,
        introspection: Introspection::Development,
    };
}

impl Breaker {
    /// What one has where nothing is said.
    pub const USUAL: Self = Self { failure_rate: 0.5, window: 20, open_for: Duration::from_secs(10) };
}

impl Policy {
    /// What a call has where nothing is said.
    pub fn call() -> Self {
        Self {
            timeout: Duration::from_secs(1),
            retry: Retry { attempts: 3, backoff: (Duration::from_millis(50), Duration::from_secs(1)) },
            breaker: Some(Breaker::USUAL),
            bulkhead: 64,
            fallback: Vec::new(),
            delivery: Delivery::AtLeastOnce,
            dead_letter: true,
            batch: Batch { size: 1, within: Duration::ZERO },
        }
    }

    /// What a message has where nothing is said. Its attempt may make calls with retries of their own, so it has longer
    /// than one call.
    pub fn message() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            retry: Retry { attempts: 5, backoff: (Duration::from_millis(100), Duration::from_secs(60)) },
            ..Self::call()
        }
    }

    /// Whether a command that cannot be called is left in the queue.
    pub fn queues(&self) -> bool {
        self.steps_in(Fallback::Queue)
    }

    /// Whether a query that cannot be called is answered as the last time.
    pub fn caches(&self) -> bool {
        self.steps_in(Fallback::Cache)
    }

    /// Where a default comes first, that answers everything.
    fn steps_in(&self, fallback: Fallback) -> bool {
        self.fallback.iter().take_while(|own| **own != Fallback::Default).any(|own| *own == fallback)
    }
}

impl Transport {
    pub const ALL: [Self; 5] = [Self::Rest, Self::Grpc, Self::Graphql, Self::Jsonrpc, Self::Queue];

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rest => "REST",
            Self::Grpc => "gRPC",
            Self::Graphql => "GraphQL",
            Self::Jsonrpc => "JSON-RPC",
            Self::Queue => "queue",
        }
    }

    /// As designs and modules spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Grpc => "grpc",
            Self::Graphql => "graphql",
            Self::Jsonrpc => "jsonrpc",
            Self::Queue => "queue",
        }
    }
}

impl Exposure {
    pub fn has(self, transport: Transport) -> bool {
        self.0[transport as usize]
    }

    /// Whether there is any transport in it.
    pub fn any(self) -> bool {
        self.0.contains(&true)
    }

    pub fn transports(self) -> impl Iterator<Item = Transport> {
        Transport::ALL.into_iter().filter(move |transport| self.has(*transport))
    }

    pub fn insert(&mut self, transport: Transport) {
        self.0[transport as usize] = true;
    }

    pub fn without(mut self, transport: Transport) -> Self {
        self.0[transport as usize] = false;
        self
    }
}

impl FromIterator<Transport> for Exposure {
    fn from_iter<T: IntoIterator<Item = Transport>>(transports: T) -> Self {
        let mut exposure = Self::default();
        transports.into_iter().for_each(|transport| exposure.insert(transport));
        exposure
    }
}

impl Verb {
    pub const ALL: [Self; 6] = [Self::List, Self::Get, Self::Create, Self::Replace, Self::Patch, Self::Delete];
}
