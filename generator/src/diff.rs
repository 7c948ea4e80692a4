//! Two designs to what has changed between them for those who call and hear, judged by what the designs mean and not by
//! their documents (LANGUAGE §9).
//!
//! A contract is a service over one kind of transport. Only what is exposed or linked is one. A change breaks a contract
//! or does not by [`rules`]; the same change may break one kind and not another.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Understood, contracts::wire::WireLock, model::Transport, source::Span};

mod operations;
mod place;
pub mod rules;
mod services;
pub mod show;
mod types;
mod values;
mod versions;
mod wire;

#[cfg(test)]
mod tests;

pub use place::Place;
pub use rules::{RULES, Rule, Severity};

/// A design of which contracts are compared.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    pub understood: &'a Understood,
    /// The numbers that its messages have; nothing if they are not known.
    pub wire: &'a WireLock,
}

/// A kind of contract, each with documents of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// OpenAPI.
    Rest,
    /// Proto.
    Grpc,
    /// GraphQL's schema definition language.
    Graphql,
    /// OpenRPC.
    Jsonrpc,
    /// AsyncAPI and JSON Schema: events, and commands through the queue.
    Messages,
}

/// What one service promises over one kind of transport.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contract {
    pub service: String,
    pub kind: Kind,
    /// Only services of the same system hold it, by their links.
    pub internal: bool,
    /// Where there are several: the service's contracts over REST and gRPC are one a version.
    pub version: Option<u32>,
}

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub rule: &'static Rule,
    /// The most severe of what it is to its contracts.
    pub severity: Severity,
    /// What it is to each contract that it concerns.
    pub contracts: BTreeMap<Contract, Severity>,
    /// What has changed: `` `note` of the input of `reserve` ``.
    pub subject: String,
    /// Where it stands: in the new design, or in the old one where it is gone.
    pub place: Side<Span>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Of which of the two designs something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side<T> {
    Old(T),
    New(T),
}

impl Difference {
    /// Whether somebody who keeps to the old contract fails.
    pub fn breaks(&self) -> bool {
        self.severity == Severity::Breaking
    }
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Rest, Self::Grpc, Self::Graphql, Self::Jsonrpc, Self::Messages];

    /// The kind of contract that describes a transport.
    pub fn of(transport: Transport) -> Self {
        match transport {
            Transport::Rest => Self::Rest,
            Transport::Grpc => Self::Grpc,
            Transport::Graphql => Self::Graphql,
            Transport::Jsonrpc => Self::Jsonrpc,
            Transport::Queue => Self::Messages,
        }
    }

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rest => "REST",
            Self::Grpc => "gRPC",
            Self::Graphql => "GraphQL",
            Self::Jsonrpc => "JSON-RPC",
            Self::Messages => "messages",
        }
    }
}

/// What has changed: what breaks first, and then in the order of the text.
pub fn diff(old: Version<'_>, new: Version<'_>) -> Vec<Difference> {
    let mut found = Found { old: old.understood, new: new.understood, scope: Scope::All, changes: BTreeMap::new() };
    services::compare(&mut found);
    wire::compare(&mut found, old.wire, new.wire);
    let mut differences = found.without_twins().into_differences();
    differences.sort_by(|a, b| (a.severity, &a.place, a.rule.id).cmp(&(b.severity, &b.place, b.rule.id)));
    differences
}

/// What is found, each change once however many contracts it is in.
struct Found<'a> {
    old: &'a Understood,
    new: &'a Understood,
    scope: Scope,
    changes: BTreeMap<Change, BTreeMap<Contract, Severity>>,
}

/// Which contracts of a service are being compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    /// Of one version: what callers outside have over REST and gRPC.
    Version,
    /// Of the newest, which is another than it was: what has no versions. Inside the system all speak the newest version
    /// and are deployed with it.
    Newest,
}

impl Scope {
    /// What a change is to a contract here, if it is in it.
    fn severity(self, contract: &Contract, severity: Severity) -> Option<Severity> {
        let versioned = matches!(contract.kind, Kind::Rest | Kind::Grpc) && !contract.internal;
        match self {
            Self::All => Some(severity),
            Self::Version => versioned.then_some(severity),
            Self::Newest if contract.internal => Some(severity.max(Severity::Notable)),
            Self::Newest => (!versioned).then_some(severity),
        }
    }
}

/// What makes two findings one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    place: Side<Place>,
    rule: &'static Rule,
    before: Option<String>,
    after: Option<String>,
}

impl Change {
    fn new(rule: &'static Rule, place: Side<Place>) -> Self {
        Self { place, rule, before: None, after: None }
    }

    /// What it was.
    fn from(self, before: impl Into<String>) -> Self {
        Self { before: Some(before.into()), ..self }
    }

    /// What it is now.
    fn to(self, after: impl Into<String>) -> Self {
        Self { after: Some(after.into()), ..self }
    }
}

impl Found<'_> {
    /// Adds a change to a contract, unless the rule says that it is none to this kind.
    fn add(&mut self, contract: &Contract, change: Change) {
        let severity = change.rule.severity(contract.kind, contract.internal);
        if let Some(severity) = severity.and_then(|severity| self.scope.severity(contract, severity)) {
            let contracts = self.changes.entry(change).or_default();
            let worst = contracts.entry(contract.clone()).or_insert(severity);
            *worst = severity.min(*worst);
        }
    }

    /// A value that goes both ways is said once to each contract, as what it is there at its worst.
    fn without_twins(mut self) -> Self {
        for (taken, given) in rules::TWINS {
            let changes: Vec<Change> = self.changes.keys().filter(|change| change.rule == *taken).cloned().collect();
            for change in changes {
                let Some(mut contracts) = self.changes.remove(&change) else { continue };
                let twin = Change { rule: given, ..change.clone() };
                if let Some(twins) = self.changes.get_mut(&twin) {
                    twins.retain(|contract, severity| contracts.get(contract).is_none_or(|worse| *severity < *worse));
                    contracts.retain(|contract, _| !twins.contains_key(contract));
                }
                self.changes.insert(change, contracts);
            }
        }
        self
    }

    fn into_differences(self) -> Vec<Difference> {
        let difference = |(change, contracts): (Change, BTreeMap<Contract, Severity>)| {
            let Change { place, rule, before, after } = change;
            let (subject, place) = match &place {
                Side::Old(place) => (place.subject(&self.old.model), Side::Old(place.span(self.old))),
                Side::New(place) => (place.subject(&self.new.model), Side::New(place.span(self.new))),
            };
            let severity = contracts.values().min().copied()?;
            Some(Difference { rule, severity, contracts, subject, place, before, after })
        };
        self.changes.into_iter().filter_map(difference).collect()
    }
}

/// The keys of both sides, each once.
fn united<'k>(old: impl Iterator<Item = &'k String>, new: impl Iterator<Item = &'k String>) -> BTreeSet<&'k str> {
    old.chain(new).map(String::as_str).collect()
}
