//! Every key of the language, table by table. A test compares them with the JSON Schema.

/// The keys of one kind of table.
pub type Keys = &'static [&'static str];

pub const ROOT: Keys = &["system", "defaults", "types", "services", "externals", "links"];

pub const SYSTEM: Keys =
    &["name", "summary", "include", "packs", "own", "broker", "store", "auth", "tls", "roles", "plans", "compat"];

pub const DEFAULTS: Keys = &["timeout", "retry", "breaker", "bulkhead"];

pub const SERVICE: Keys = &[
    "summary",
    "team",
    "expose",
    "fronts",
    "store",
    "broker",
    "auth",
    "allow",
    "limit",
    "quota",
    "slo",
    "cors",
    "graphql",
    "versioning",
    "old",
    "replaces",
    "rollout",
    "commands",
    "queries",
    "resources",
    "events",
    "feeds",
];

pub const GRAPHQL: Keys = &["depth", "complexity", "batch", "aliases", "directives", "introspection"];
pub const OLD_VERSION: Keys = &["deprecated", "sunset"];
pub const ROLLOUT: Keys = &["share", "header", "shadow"];

/// Commands and queries of services.
pub const OPERATION: Keys = &[
    "summary",
    "input",
    "output",
    "errors",
    "of",
    "on",
    "when",
    "calls",
    "emits",
    "steps",
    "idempotent",
    "rest",
    "expose",
    "allow",
    "limit",
    "slo",
    "cache",
    "since",
    "until",
    "was",
];

pub const CALL: Keys = &["call", "with"];
pub const STEP: Keys = &["call", "with", "undo", "timeout"];

pub const RESOURCE: Keys = &[
    "summary", "fields", "id", "plural", "verbs", "list", "get", "create", "replace", "patch", "delete", "filter",
    "sort", "sourced", "snapshot", "allow", "limit", "cache", "expose", "since", "until", "was",
];

/// `list` … `delete` of a service's resource.
pub const VERB: Keys = &["calls", "emits", "errors", "allow", "limit", "cache", "slo", "idempotent", "expose"];

pub const EVENT: Keys = &["summary", "payload", "key", "keep", "broker", "compat", "was"];

pub const OPERATION_WAS: Keys = &["input", "output", "map"];
pub const RESOURCE_WAS: Keys = &["fields", "map"];
pub const EVENT_WAS: Keys = &["payload", "map"];

pub const FEED: Keys = &[
    "summary",
    "from",
    "to",
    "when",
    "map",
    "key",
    "cursor",
    "both",
    "conflict",
    "reconcile",
    "raw",
    "batch",
    "samples",
];

pub const EXTERNAL: Keys = &[
    "summary",
    "speaks",
    "url",
    "auth",
    "sign",
    "limit",
    "slo",
    "names",
    "openapi",
    "roles",
    "plan",
    "commands",
    "queries",
    "resources",
    "events",
];

pub const EXTERNAL_AUTH: Keys = &["scheme", "token_url", "scope", "header"];
pub const SIGN: Keys = &["scheme", "header", "timestamp"];
pub const WIRE: Keys = &["name", "separator", "encoding"];
pub const PAGING: Keys = &["style", "send", "read", "items"];

/// Commands and queries of externals: without what is ours to decide.
pub const EXTERNAL_OPERATION: Keys =
    &["summary", "input", "output", "errors", "idempotent", "rest", "limit", "slo", "cache", "wire", "map", "paging"];

pub const EXTERNAL_RESOURCE: Keys = &[
    "summary", "fields", "id", "plural", "verbs", "list", "get", "create", "replace", "patch", "delete", "filter",
    "sort", "limit", "cache", "wire", "map", "paging",
];

pub const EXTERNAL_VERB: Keys = &["errors", "limit", "cache", "slo", "idempotent"];

pub const EXTERNAL_EVENT: Keys = &["summary", "payload", "key", "wire", "map"];

pub const LINK: Keys = &[
    "via",
    "needs",
    "timeout",
    "retry",
    "breaker",
    "bulkhead",
    "fallback",
    "delivery",
    "dead_letter",
    "start",
    "batch",
    "slo",
];

pub const NEEDS: Keys = &["answer", "latency", "rate", "consistency", "order", "replay", "readers"];
pub const RETRY: Keys = &["attempts", "backoff"];
pub const BREAKER: Keys = &["failure_rate", "window", "open_for"];
pub const BATCH: Keys = &["size", "within"];

/// What a service, operation or external promises.
pub const SLO: Keys = &["availability", "p99", "window", "escalate"];
/// What a link promises.
pub const LINK_SLO: Keys = &["lag"];

/// All of them, by the name they have in the JSON Schema.
pub const TABLES: &[(&str, Keys)] = &[
    ("root", ROOT),
    ("system", SYSTEM),
    ("defaults", DEFAULTS),
    ("service", SERVICE),
    ("graphql", GRAPHQL),
    ("old_version", OLD_VERSION),
    ("rollout", ROLLOUT),
    ("operation", OPERATION),
    ("call", CALL),
    ("step", STEP),
    ("resource", RESOURCE),
    ("verb", VERB),
    ("event", EVENT),
    ("operation_was", OPERATION_WAS),
    ("resource_was", RESOURCE_WAS),
    ("event_was", EVENT_WAS),
    ("feed", FEED),
    ("external", EXTERNAL),
    ("external_auth", EXTERNAL_AUTH),
    ("sign", SIGN),
    ("wire", WIRE),
    ("paging", PAGING),
    ("external_operation", EXTERNAL_OPERATION),
    ("external_resource", EXTERNAL_RESOURCE),
    ("external_verb", EXTERNAL_VERB),
    ("external_event", EXTERNAL_EVENT),
    ("link", LINK),
    ("needs", NEEDS),
    ("retry", RETRY),
    ("breaker", BREAKER),
    ("batch", BATCH),
    ("slo", SLO),
    ("link_slo", LINK_SLO),
];
