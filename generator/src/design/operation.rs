//! Commands and queries, of services and externals, and what the verbs of resources share with them.

use std::time::Duration;

use indexmap::IndexMap;

use super::{
    ErrorKind, Fields, Head, Idempotent, List, Mapping, PagingStyle, Rate, Reference, Route, Schedule, Transport, Was,
};
use crate::source::{Span, Spanned};

/// `[services.S.commands.o]`, `[services.S.queries.o]`, and the same of externals.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    pub head: Head,
    pub input: Option<Spanned<Body>>,
    pub output: Option<Spanned<Body>>,
    /// `errors calls emits idempotent expose allow limit slo cache`
    pub common: OperationSettings,
    pub of: Option<Spanned<Reference>>,
    pub on: Option<List<Reference>>,
    pub when: Option<Spanned<Schedule>>,
    /// A saga.
    pub steps: Option<List<Step>>,
    pub rest: Option<Spanned<Route>>,
    pub since: Option<Spanned<u32>>,
    pub until: Option<Spanned<u32>>,
    /// `was.N`, by version.
    pub was: IndexMap<u32, Spanned<Was>>,
    /// Externals only.
    pub wire: Option<Spanned<Wire>>,
    pub map: Option<Spanned<Mapping>>,
    pub paging: Option<Spanned<Paging>>,
}

/// What operations and the verbs of resources both say.
#[derive(Clone, Debug, Default)]
pub struct OperationSettings {
    pub errors: IndexMap<String, ErrorDeclaration>,
    pub calls: Option<List<Call>>,
    pub emits: Option<List<Reference>>,
    pub idempotent: Option<Spanned<Idempotent>>,
    /// Given and empty differs from absent.
    pub expose: Option<List<Transport>>,
    /// Each entry as written: `customer if item.customer == caller.sub`.
    pub allow: Option<List<String>>,
    pub limit: Option<Spanned<Limit>>,
    pub slo: Option<Spanned<Slo>>,
    pub cache: Option<Spanned<Duration>>,
}

/// An input, output or payload.
#[derive(Clone, Debug)]
pub enum Body {
    /// A name: of a record, a resource, an event's payload; a union in a stream.
    Named {
        /// The word `stream`, where it stands. Never in a payload.
        stream: Option<Span>,
        name: Spanned<Reference>,
    },
    /// Fields written in place.
    Fields(Fields),
    /// Not a record (E308) or unreadable; reported already.
    Broken,
}

/// `OutOfStock = "conflict with Shortage"`
#[derive(Clone, Debug)]
pub struct ErrorDeclaration {
    pub name: Spanned<String>,
    /// The `##` comment above it, or empty.
    pub description: String,
    /// `None`: reported already.
    pub kind: Option<Spanned<ErrorKind>>,
    /// The record that is sent along.
    pub with: Option<Spanned<Reference>>,
}

/// An entry of `calls`: `"inventory.reserve"` or `{ call, with }`.
#[derive(Clone, Debug)]
pub struct Call {
    pub call: Spanned<Reference>,
    /// Their input field = map expression over ours.
    pub with: Mapping,
}

/// An entry of `steps`: `{ call, with, undo, timeout }`.
#[derive(Clone, Debug)]
pub struct Step {
    pub call: Spanned<Reference>,
    pub with: Mapping,
    pub undo: Option<Spanned<Reference>>,
    pub timeout: Option<Spanned<Duration>>,
}

/// `slo = { availability, p99, window, escalate }`; of links `{ lag }`.
#[derive(Clone, Debug, Default)]
pub struct Slo {
    /// Percent, above 0 and below 100.
    pub availability: Option<Spanned<f64>>,
    pub p99: Option<Spanned<Duration>>,
    pub window: Option<Spanned<Duration>>,
    /// Whom to wake, in order.
    pub escalate: Vec<Spanned<String>>,
    /// Links only.
    pub lag: Option<Spanned<Duration>>,
}

/// `wire`: what an external calls it (operation, table, event type, operationId, file pattern).
#[derive(Clone, Debug, Default)]
pub struct Wire {
    pub name: Option<Spanned<String>>,
    /// Of CSV files; one character.
    pub separator: Option<Spanned<String>>,
    /// Of CSV files: `utf-8`, `windows-1252` …
    pub encoding: Option<Spanned<String>>,
}

/// `paging = { style, send, read, items }`
#[derive(Clone, Debug, Default)]
pub struct Paging {
    pub style: Option<Spanned<PagingStyle>>,
    /// The parameter that carries the position.
    pub send: Option<Spanned<String>>,
    /// Where the next position stands in an answer.
    pub read: Option<Spanned<String>>,
    /// Where the items stand in an answer.
    pub items: Option<Spanned<String>>,
}

/// The value of `limit` and `quota`: `"60/1m"`, or by plan.
#[derive(Clone, Debug)]
pub enum Limit {
    All(Rate),
    /// Plan (or `anyone`) to rate.
    ByPlan(IndexMap<String, PlanRate>),
}

/// One entry of a limit by plan.
#[derive(Clone, Debug)]
pub struct PlanRate {
    pub plan: Spanned<String>,
    pub rate: Spanned<Rate>,
}
