//! One design in which everything meets everything: a service for each row of [`rows`], so that every two of the values
//! below are in one service at least. To test more, add a value and say in [`Cell`] what it writes.

use std::fmt::Write as _;

use super::pairs::{self, Dimension, Row};

/// What a service of the matrix is made of.
const DIMENSIONS: &[Dimension] = &[
    // What callers outside reach it by.
    ("exposure", &["none", "rest", "grpc", "graphql", "jsonrpc", "all"]),
    // What it does.
    ("shape", &["query", "command", "stream", "upload", "talk", "resource", "item"]),
    // How the next service reaches it, and whether that link says anything of its own.
    ("link", &["rest", "grpc", "graphql", "jsonrpc", "queue"]),
    ("policy", &["given", "remembered", "default"]),
    ("store", &["sqlite", "none"]),
    // How it hears of events.
    ("delivery", &["deaf", "at-least-once", "at-most-once", "followed"]),
    // Whether it has a list.
    ("paging", &["paged", "whole"]),
];

/// The rows of the matrix.
fn rows() -> Vec<Row> {
    pairs::rows(DIMENSIONS, allowed)
}

/// Without a store nothing is kept, GraphQL has no word for a stream of input, and JSON-RPC for none.
fn allowed(row: &[&str]) -> bool {
    let cell = Cell::of(row);
    match (cell.link, cell.shape) {
        ("graphql", "upload" | "talk") | ("jsonrpc", "stream" | "upload" | "talk") => false,
        _ => cell.store != "none" || !cell.keeps(),
    }
}

/// One row, by name.
struct Cell<'a> {
    exposure: &'a str,
    shape: &'a str,
    link: &'a str,
    policy: &'a str,
    store: &'a str,
    delivery: &'a str,
    paging: &'a str,
}

impl<'a> Cell<'a> {
    fn of(row: &[&'a str]) -> Self {
        let value = |name: &str| {
            let at = DIMENSIONS.iter().position(|(dimension, _)| *dimension == name);
            at.and_then(|at| row.get(at)).copied().unwrap_or_default()
        };
        Self {
            exposure: value("exposure"),
            shape: value("shape"),
            link: value("link"),
            policy: value("policy"),
            store: value("store"),
            delivery: value("delivery"),
            paging: value("paging"),
        }
    }

    fn keeps(&self) -> bool {
        matches!(self.shape, "resource" | "item") || self.paging == "paged"
    }

    /// Whether the link to it has an answer that it can remember.
    fn remembers(&self) -> bool {
        self.policy == "remembered" && self.link != "queue" && (self.shape == "query" || self.paging == "paged")
    }
}

/// The design: `source`, which all that are not deaf hear, and the services `m01`, `m02` … .
pub fn design() -> String {
    let rows = rows();
    let mut text = START.to_owned();
    for (at, row) in rows.iter().enumerate() {
        let before = if at == 0 { rows.len() } else { at };
        let before_row = &rows[before - 1];
        service(&mut text, at + 1, &Cell::of(row), &format!("m{before:02}"), &Cell::of(before_row));
    }
    gateway(&mut text, &rows);
    text
}

/// One entry to all that REST reaches.
fn gateway(text: &mut String, rows: &[Row]) {
    let is_reached = |row: &Row| matches!(Cell::of(row).exposure, "rest" | "all");
    let reached = rows.iter().enumerate().filter(|(_, row)| is_reached(row));
    let fronts: Vec<String> = reached.map(|(at, _)| format!("m{:02}", at + 1)).collect();
    _ = writeln!(text, "\n[services.gate]\nexpose = [\"rest\"]\ncors = [\"*\"]\nfronts = {fronts:?}");
}

const START: &str = r#"[system]
name = "matrix"
summary = "All that can meet in a service meets in one of these."

[types.Reading]
text = "string(1..64)"
level = "u32 = 1"
at = "timestamp?"

[types.Shortage]
left = "u32"

[types.Sample]
number = "u64"
words = "string[]"

[types.Note]
text = "string(1..64)"
level = "u32?"

[services.source]
expose = ["rest"]

[services.source.commands.note]
input = { text = "string(1..64)" }
emits = ["Noted"]

[services.source.events.Noted]
payload = { text = "string(1..64)", level = "u32" }
key = "text"
"#;

/// A service, and its link to the service before it, which calls that one's operation.
fn service(text: &mut String, number: usize, cell: &Cell<'_>, before: &str, called: &Cell<'_>) {
    let name = format!("m{number:02}");
    let Cell { exposure, shape, link, policy, store, delivery, paging } = cell;
    let expose = match *exposure {
        "none" => "[]",
        "rest" => "[\"rest\"]",
        "grpc" => "[\"grpc\"]",
        "graphql" => "[\"graphql\"]",
        "jsonrpc" => "[\"jsonrpc\"]",
        _ => "[\"rest\", \"grpc\", \"graphql\", \"jsonrpc\"]",
    };
    _ = write!(
        text,
        "\n## {exposure}, {shape}, {link}, {policy}, {store}, {delivery}, {paging}\n[services.{name}]\n\
         expose = {expose}\nstore = \"{store}\"\n{}",
        operation(&name, cell)
    );
    if cell.keeps() {
        text.push_str(&resource(&name, cell));
    }
    let callee = match (called.link, called.shape) {
        ("queue", _) => Some("run"),
        (_, "query") => Some("ask"),
        (_, "command") => Some("tell"),
        (_, "stream") => Some("watch"),
        (_, "upload") => Some("pour"),
        (_, "talk") => Some("talk"),
        // An item must be there before something can be done with it.
        (_, "resource" | "item") => Some("create_thing"),
        _ => None,
    };
    if let Some(callee) = callee.filter(|_| *exposure != "none") {
        let mut calls = vec![format!("{before}.{callee}")];
        // Of what keeps things the list is remembered: it is asked for without knowing an item.
        if called.remembers() && called.shape != "query" {
            calls.push(format!("{before}.list_things"));
        }
        _ = write!(text, "\n[services.{name}.commands.relay]\ncalls = {calls:?}\nidempotent = \"no\"\n");
    }
    _ = write!(text, "\n[links.{name}.{before}]\nvia = \"{}\"\n", called.link);
    text.push_str(match (called.policy, called.link, called.shape) {
        ("given", "queue", _) => GIVEN_TO_QUEUES,
        ("given", _, "upload" | "talk") => GIVEN_TO_INPUTS,
        ("given", ..) => GIVEN,
        ("remembered", ..) if called.remembers() => REMEMBERED,
        _ => "",
    });
    if *link == "queue" {
        _ = write!(
            text,
            "\n[services.{name}.commands.run]\ninput = {{ text = \"string(1..64)\", at = \"timestamp?\" }}\n\
             expose = [\"queue\"]\n"
        );
    }
    match *delivery {
        "deaf" => {}
        "followed" => {
            _ = write!(
                text,
                "\n[services.{name}.queries.heed]\ninput = {{ text = \"string?\" }}\noutput = \"stream Note\"\n\
                 on = [\"source.Noted\"]\n"
            );
        }
        _ => {
            _ = write!(
                text,
                "\n[services.{name}.commands.hear]\non = [\"source.Noted\"]\n\n\
                 [links.{name}.\"source.Noted\"]\ndelivery = \"{delivery}\"\n"
            );
        }
    }
}

/// What a queue keeps to.
const GIVEN_TO_QUEUES: &str = r#"timeout = "3s"
retry = { attempts = 2, backoff = "10ms..50ms" }
"#;

/// What has been read of a stream cannot be sent again.
const GIVEN_TO_INPUTS: &str = r#"timeout = "3s"
breaker = { failure_rate = 0.9, window = 10, open_for = "1s" }
bulkhead = 8
fallback = ["default"]
"#;

const GIVEN: &str = r#"timeout = "3s"
retry = { attempts = 2, backoff = "10ms..50ms" }
breaker = { failure_rate = 0.9, window = 10, open_for = "1s" }
bulkhead = 8
fallback = ["default"]
"#;

const REMEMBERED: &str = "fallback = [\"cache\"]\n";

/// What the service does beside keeping things.
fn operation(name: &str, cell: &Cell<'_>) -> String {
    match cell.shape {
        "query" => format!(
            "\n[services.{name}.queries.ask]\ninput = \"Reading\"\noutput = {{ answer = \"string\", sum = \"i64\", more = \"Sample?\" }}\n\
             errors = {{ Unknown = \"not_found\", TooMuch = \"limited with Shortage\" }}\n"
        ),
        "command" => {
            let idempotent = if cell.store == "none" { "yes" } else { "key" };
            format!(
                "\n[services.{name}.commands.tell]\ninput = {{ reading = \"Reading\", note = \"string?\" }}\nidempotent = \"{idempotent}\"\n"
            )
        }
        "stream" => format!(
            "\n[services.{name}.queries.watch]\ninput = {{ from = \"u32 = 0\" }}\noutput = \"stream Sample\"\nerrors = {{ Closed = \"unavailable\" }}\n"
        ),
        "upload" => format!(
            "\n[services.{name}.commands.pour]\ninput = \"stream Sample\"\noutput = {{ samples = \"u64\", note = \"string?\" }}\n\
             errors = {{ Full = \"limited\" }}\n"
        ),
        "talk" => format!(
            "\n[services.{name}.commands.talk]\ninput = \"stream Sample\"\noutput = \"stream Reading\"\nerrors = {{ Deaf = \"conflict with Shortage\" }}\n"
        ),
        "item" => format!(
            "\n[services.{name}.commands.mark]\nof = \"Thing\"\ninput = {{ colour = \"enum(red, blue)\" }}\nerrors = {{ Marked = \"conflict\" }}\n"
        ),
        _ => String::new(),
    }
}

/// What the service keeps.
fn resource(name: &str, cell: &Cell<'_>) -> String {
    let mut verbs = match cell.shape {
        "resource" => vec!["get", "create", "replace", "patch", "delete"],
        _ => vec!["get", "create"],
    };
    let mut more = "";
    if cell.paging == "paged" {
        verbs.insert(0, "list");
        more = "filter = [\"label\", \"weight\"]\nsort = [\"weight\", \"made_at\"]\n";
    }
    let fields =
        r#"{ label = "string(1..40)", weight = "decimal(8,3)", note = "string?", made_at = "timestamp readonly" }"#;
    format!("\n[services.{name}.resources.Thing]\nverbs = {verbs:?}\n{more}fields = {fields}\n")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use generator::{
        contracts::wire::WireLock,
        diagnostic::render,
        plan,
        source::{Source, Sources},
    };

    use super::*;

    #[test]
    fn every_pair_is_in_a_service_and_there_are_not_too_many() {
        let rows = rows();
        assert!((42..=48).contains(&rows.len()), "{}", rows.len());
        for (a, b) in pairs::pairs(DIMENSIONS, &allowed) {
            let holds =
                |row: &Row, (dimension, value): (usize, usize)| row[dimension] == DIMENSIONS[dimension].1[value];
            assert!(rows.iter().any(|row| holds(row, a) && holds(row, b)), "{a:?} {b:?}");
        }
        assert!(rows.iter().all(|row| allowed(row)));
    }

    #[test]
    fn it_becomes_a_workspace() {
        let text = design();
        let sources = Sources(vec![Source { path: "design.toml".into(), location: PathBuf::new(), text: text.into() }]);
        let model = generator::understand(&sources)
            .unwrap_or_else(|found| panic!("{}", render::render(&found, &sources, false)));
        let plan = plan::plan(&model, &[], WireLock::default()).expect("a plan");
        assert!(plan.files.contains_key("services/m25/src/m25.rs"));
    }
}
