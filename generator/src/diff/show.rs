//! Differences as people read them, and as programs do. Pure: nothing is printed here.

use std::collections::BTreeMap;

use annotate_snippets::{Level, Renderer};
use serde::Serialize;

use super::{Contract, Difference, Kind, Severity, Side, rules::RULES};
use crate::{
    diagnostic::render::{self, Lines, Place, Said},
    source::Sources,
};

/// A difference for programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry<'d> {
    /// The rule's id.
    pub rule: &'static str,
    /// To the contract that suffers most.
    pub severity: Severity,
    /// In one line.
    pub message: String,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<&'d str>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<&'d str>,
    /// What it is to whom.
    pub contracts: Vec<Concerned<'d>>,
    /// Whether the place is in the old design or in the new one.
    pub design: &'static str,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
}

/// A contract that a difference concerns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Concerned<'d> {
    /// Whose.
    pub service: &'d str,
    /// Of which version, where the service has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// `REST`, `gRPC`, `GraphQL`, `messages`.
    pub kind: &'static str,
    /// Only services of the same system hold it.
    pub internal: bool,
    /// To this contract.
    pub severity: Severity,
}

/// The two designs, for showing their lines.
pub struct Texts<'s> {
    old: Lines<'s>,
    new: Lines<'s>,
}

impl<'s> Texts<'s> {
    pub fn new(old: &'s Sources, new: &'s Sources) -> Self {
        Self { old: Lines::of(old), new: Lines::of(new) }
    }

    /// For programs.
    pub fn entry<'d>(&self, difference: &'d Difference) -> Entry<'d> {
        let concerned = |(contract, severity): (&'d Contract, &Severity)| Concerned {
            service: &contract.service,
            version: contract.version,
            kind: contract.kind.name(),
            internal: contract.internal,
            severity: *severity,
        };
        let (design, place) = match &difference.place {
            Side::Old(span) => ("old", self.old.place(span)),
            Side::New(span) => ("new", self.new.place(span)),
        };
        Entry {
            rule: difference.rule.id,
            severity: difference.severity,
            message: message(difference),
            before: difference.before.as_deref(),
            after: difference.after.as_deref(),
            contracts: difference.contracts.iter().map(concerned).collect(),
            design,
            place,
        }
    }

    /// `breaking[rest-path-changed]: …`, the place, the line, what was and is, and to whom it matters.
    pub fn render(&self, difference: &Difference, color: bool) -> String {
        let (lines, span) = match &difference.place {
            Side::Old(span) => (&self.old, span),
            Side::New(span) => (&self.new, span),
        };
        let level = match difference.severity {
            Severity::Breaking => Level::ERROR,
            Severity::Notable => Level::WARNING,
            Severity::Compatible => Level::INFO,
        };
        let mut notes = Vec::new();
        for (name, text) in [("before", &difference.before), ("after", &difference.after)] {
            notes.extend(text.as_ref().map(|text| (Level::NOTE.with_name(name), text.clone())));
        }
        for severity in [Severity::Breaking, Severity::Notable, Severity::Compatible] {
            let contracts = difference.contracts.iter().filter(|(_, found)| **found == severity);
            let contracts: Vec<&Contract> = contracts.map(|(contract, _)| contract).collect();
            if !contracts.is_empty() {
                notes.push((Level::NOTE.with_name(severity.word()), listed(&contracts)));
            }
        }
        let said = Said {
            level: level.with_name(difference.severity.word()),
            code: difference.rule.id,
            message: &message(difference),
            span,
            related: &[],
            notes,
        };
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        render::message(said, lines, &render::sized(renderer)) + "\n"
    }
}

impl Severity {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Notable => "notable",
            Self::Compatible => "compatible",
        }
    }
}

fn message(difference: &Difference) -> String {
    format!("{} {}", difference.subject, difference.rule.says)
}

/// `orders (REST, gRPC), billing (gRPC within the system)`
fn listed(contracts: &[&Contract]) -> String {
    let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Contract { service, version, kind, internal } in contracts {
        let service = version.map_or(service.clone(), |version| format!("{service} v{version}"));
        let within = if *internal { " within the system" } else { "" };
        let kinds = services.entry(service).or_default();
        let kind = format!("{}{within}", kind.name());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let services = services.iter().map(|(service, kinds)| format!("{service} ({})", kinds.join(", ")));
    services.collect::<Vec<_>>().join(", ")
}

/// The table of the rules, in Markdown: what each is to each kind of contract, and why.
pub fn rules() -> String {
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let mut text = format!("| rule | what has changed | {} | why |\n", kinds.join(" | "));
    text += &format!("|---|---|{}---|\n", "---|".repeat(kinds.len()));
    for rule in RULES {
        let severity = |kind: &Kind| rule.severity(*kind, false).map_or("–", Severity::word);
        let severities: Vec<&str> = Kind::ALL.iter().map(severity).collect();
        text += &format!("| `{}` | {} | {} | {} |\n", rule.id, rule.says, severities.join(" | "), rule.why);
    }
    text
}
