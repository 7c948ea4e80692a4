//! Random designs: a seed → the text of a design that says as much as the language lets it, most of it right. What is
//! wrong with the rest is for the checker to find; what it lets pass must become a workspace that can be read.

use std::{collections::BTreeSet, fmt::Write as _};

use fastrand::Rng;
use generator::escape::toml_str;

mod types;
mod words;

/// The design of a seed: always the same.
pub fn design(seed: u64) -> String {
    let mut writer = Writer {
        rng: Rng::with_seed(seed),
        out: String::new(),
        types: Vec::new(),
        services: Vec::new(),
        taken: BTreeSet::new(),
    };
    writer.system();
    writer.types();
    let number = writer.rng.usize(1..4);
    for at in 0..number {
        writer.service(at);
    }
    for at in 0..number {
        writer.links(at);
    }
    writer.out
}

/// What was written, for later references.
struct Writer {
    rng: Rng,
    out: String,
    types: Vec<Named>,
    services: Vec<Service>,
    /// Special names of services, types, resources and events: they are given once in a design.
    taken: BTreeSet<String>,
}

/// An entry of `[types]`.
struct Named {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Record,
    Enum,
    Union,
    Scalar,
}

struct Service {
    name: String,
    store: bool,
    /// Name, and the name of its id.
    resources: Vec<String>,
    /// What others may call.
    operations: Vec<String>,
    events: Vec<String>,
    /// Whether it exposes REST, and anything over it.
    rest: bool,
    faced: bool,
    /// The services behind it.
    fronts: Vec<String>,
}

impl Writer {
    fn system(&mut self) {
        self.describe();
        let name = words::kebab(&mut self.rng);
        _ = writeln!(self.out, "[system]\nname = \"{name}\"");
        self.summary();
    }

    /// Names of what a design has once.
    fn words(&mut self) -> words::Words<'_> {
        words::Words { rng: &mut self.rng, taken: &mut self.taken }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    /// A `##` comment, on half of all things.
    fn describe(&mut self) {
        if self.rng.bool() {
            for _ in 0..self.rng.usize(1..4) {
                let line = words::line(&mut self.rng);
                _ = writeln!(self.out, "## {line}");
            }
        }
    }

    fn summary(&mut self) {
        if self.rng.bool() {
            let text = words::line(&mut self.rng);
            _ = writeln!(self.out, "summary = {}", toml_str(&text));
        }
    }

    fn service(&mut self, at: usize) {
        let name = words::service(&mut self.words(), at);
        self.out.push('\n');
        self.describe();
        _ = writeln!(self.out, "[services.{name}]");
        self.summary();
        if self.chance(30) {
            let team = words::line(&mut self.rng);
            _ = writeln!(self.out, "team = {}", toml_str(&team));
        }
        let expose: Vec<&str> =
            ["rest", "grpc", "graphql", "jsonrpc"].into_iter().filter(|_| self.rng.bool()).collect();
        _ = writeln!(self.out, "expose = {expose:?}");
        let rest = expose.contains(&"rest");
        let fronts = if rest && !expose.contains(&"graphql") { self.fronts() } else { Vec::new() };
        if !fronts.is_empty() {
            _ = writeln!(self.out, "fronts = {fronts:?}");
        }
        if self.chance(20) {
            self.out.push_str("cors = [\"https://app.example\", \"http://localhost:5173\"]\n");
        }
        let store = self.chance(70);
        _ = writeln!(self.out, "store = \"{}\"", if store { "sqlite" } else { "none" });
        self.services.push(Service {
            name,
            store,
            resources: vec![],
            operations: vec![],
            events: vec![],
            rest,
            faced: false,
            fronts,
        });
        for number in 0..if store { self.rng.usize(0..3) } else { 0 } {
            self.resource(number);
        }
        for number in 0..self.rng.usize(0..3) {
            self.event(number);
        }
        for number in 0..self.rng.usize(1..5) {
            self.operation(number);
        }
    }

    /// Some of the earlier services that a gateway can be before.
    fn fronts(&mut self) -> Vec<String> {
        let behind: Vec<String> =
            self.services.iter().filter(|other| other.rest && other.faced).map(|other| other.name.clone()).collect();
        behind.into_iter().filter(|_| self.chance(40)).collect()
    }

    /// The service that is being written.
    fn own(&mut self) -> &mut Service {
        let last = self.services.len() - 1;
        &mut self.services[last]
    }

    fn resource(&mut self, number: usize) {
        let name = words::camel(&mut self.words(), "R", number);
        let service = self.own().name.clone();
        self.out.push('\n');
        self.describe();
        _ = writeln!(self.out, "[services.{service}.resources.{name}]");
        let verbs: Vec<&str> =
            ["list", "get", "create", "replace", "patch", "delete"].into_iter().filter(|_| self.chance(60)).collect();
        _ = writeln!(self.out, "verbs = {verbs:?}");
        let natural = self.chance(30);
        if natural {
            self.out.push_str("id = \"key\"\n");
        }
        let listed = verbs.contains(&"list");
        if listed {
            self.out.push_str("filter = [\"rank\", \"label\"]\nsort = [\"rank\"]\n");
        }
        let mut emits = String::new();
        if verbs.contains(&"create") && self.chance(30) {
            emits = format!("\n[services.{service}.resources.{name}.create]\nerrors = {{ Full = \"limited\" }}\n");
        }
        _ = writeln!(self.out, "\n[services.{service}.resources.{name}.fields]");
        if natural {
            let id = ["string(1..20) /[a-z]+/", "u32", "i64", "uuid", "string(1..9)", "date"];
            _ = writeln!(self.out, "key = \"{}\"", id[self.rng.usize(0..id.len())]);
        }
        self.out.push_str("rank = \"i32 = 5\"\nlabel = \"string(1..80)\"\n");
        self.fields(Some(name.clone()), 0);
        self.out.push_str(&emits);
        for verb in verbs.iter().filter(|verb| matches!(**verb, "list" | "create")) {
            let called = match *verb {
                "create" => format!("create_{}", words::snake(&name)),
                _ => continue,
            };
            self.own().operations.push(called);
        }
        self.own().faced |= !verbs.is_empty();
        self.own().resources.push(name);
    }

    fn event(&mut self, number: usize) {
        let name = words::camel(&mut self.words(), "E", number);
        let service = self.own().name.clone();
        self.out.push('\n');
        self.describe();
        _ = writeln!(self.out, "[services.{service}.events.{name}]");
        self.summary();
        let record = self.named(Kind::Record);
        let resource = self.own().resources.first().cloned();
        match (self.rng.u32(0..3), record, resource) {
            (0, Some(record), _) => _ = writeln!(self.out, "payload = \"{record}\""),
            (1, _, Some(resource)) => _ = writeln!(self.out, "payload = \"{resource}\""),
            _ => {
                _ = writeln!(
                    self.out,
                    "key = \"which\"\n\n[services.{service}.events.{name}.payload]\nwhich = \"string\""
                );
                self.fields(None, 1);
            }
        }
        self.own().events.push(name);
    }

    fn operation(&mut self, number: usize) {
        let service = self.own().name.clone();
        let name = words::operation(&mut self.words(), number);
        let query = self.rng.bool();
        let kind = if query { "queries" } else { "commands" };
        self.out.push('\n');
        self.describe();
        _ = writeln!(self.out, "[services.{service}.{kind}.{name}]");
        self.summary();
        let of = self.own().resources.first().cloned().filter(|_| self.rng.u32(0..100) < 30);
        if let Some(of) = &of {
            _ = writeln!(self.out, "of = \"{of}\"");
        }
        if self.chance(40) {
            let record = self.named(Kind::Record).map_or(String::new(), |record| format!(" with {record}"));
            let kinds = ["invalid", "denied", "not_found", "exists", "conflict", "stale", "limited", "unavailable"];
            let kind = kinds[self.rng.usize(0..kinds.len())];
            _ = writeln!(self.out, "errors = {{ Bad{number} = \"{kind}{record}\", Worse{number} = \"conflict\" }}");
        }
        let heard = self.heard().filter(|_| !query && of.is_none() && self.rng.u32(0..100) < 40);
        let reads = heard.is_none() && of.is_none() && self.chance(15);
        if let Some(event) = &heard {
            _ = writeln!(self.out, "on = [\"{event}\"]");
        }
        if !query {
            if let Some(event) = self.own().events.first().cloned().filter(|_| self.rng.bool()) {
                _ = writeln!(self.out, "emits = [\"{event}\"]");
            }
            let idempotent = if self.own().store { ["yes", "no", "key"] } else { ["yes", "no", "no"] };
            let idempotent = if reads { "no" } else { idempotent[self.rng.usize(0..3)] };
            _ = writeln!(self.out, "idempotent = \"{idempotent}\"");
        }
        if let Some((owner, called)) = self.callable().filter(|_| self.rng.u32(0..100) < 50) {
            _ = writeln!(self.out, "calls = [\"{owner}.{called}\"]");
        }
        let mut tables = Vec::new();
        for side in if heard.is_some() { vec!["output"] } else { vec!["input", "output"] } {
            let streams = if side == "input" { reads } else { query && self.chance(25) };
            let kind_of_item = if self.rng.bool() { Kind::Record } else { Kind::Union };
            let item = self.named(kind_of_item);
            match (self.rng.u32(0..4), self.named(Kind::Record), item) {
                (_, _, Some(item)) if streams => _ = writeln!(self.out, "{side} = \"stream {item}\""),
                (0, Some(record), _) => _ = writeln!(self.out, "{side} = \"{record}\""),
                (1, ..) => {}
                (2, ..) if side == "input" => self.out.push_str("input = {}\n"),
                _ => tables.push(side),
            }
        }
        for side in tables {
            _ = writeln!(self.out, "\n[services.{service}.{kind}.{name}.{side}]");
            self.fields(None, 1);
        }
        self.own().faced |= heard.is_none();
        self.own().operations.push(name);
    }

    /// An operation of an earlier service.
    fn callable(&mut self) -> Option<(String, String)> {
        let earlier = self.services.len() - 1;
        let owner = &self.services[self.rng.usize(0..earlier.max(1))];
        let called = owner.operations.get(self.rng.usize(0..owner.operations.len().max(1)))?;
        (earlier > 0).then(|| (owner.name.clone(), called.clone()))
    }

    /// An event of an earlier service, or of this one.
    fn heard(&mut self) -> Option<String> {
        let owner = &self.services[self.rng.usize(0..self.services.len())];
        let event = owner.events.get(self.rng.usize(0..owner.events.len().max(1)))?;
        Some(format!("{}.{event}", owner.name))
    }

    fn links(&mut self, at: usize) {
        for other in 0..self.services.len() {
            if other == at || !self.chance(40) || self.services[other].operations.is_empty() {
                continue;
            }
            let (from, to) = (&self.services[at].name, &self.services[other].name);
            // What passes through goes by REST, and nothing stands in for it.
            if self.services[at].fronts.contains(to) {
                continue;
            }
            _ = writeln!(self.out, "\n[links.{from}.{to}]");
            _ = writeln!(self.out, "via = \"{}\"", ["rest", "grpc", "jsonrpc"][self.rng.usize(0..3)]);
            for line in [
                "timeout = \"250ms\"\n",
                "retry = { attempts = 2, backoff = \"1ms..9ms\" }\n",
                "breaker = false\n",
                "bulkhead = 1\n",
                "fallback = \"default\"\n",
            ] {
                if self.chance(30) {
                    self.out.push_str(line);
                }
            }
        }
    }

    /// The name of any type of a kind.
    fn named(&mut self, kind: Kind) -> Option<String> {
        let names: Vec<&String> =
            self.types.iter().filter(|named| named.kind == kind).map(|named| &named.name).collect();
        let at = self.rng.usize(0..names.len().max(1));
        names.get(at).map(|name| (*name).clone())
    }
}
