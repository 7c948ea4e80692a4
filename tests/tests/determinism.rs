//! The same design is the same bytes, however its tables are ordered, whoever formatted the workspace last.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{collections::BTreeMap, fs, process::Command};

use generator::{
    contracts::wire::WireLock,
    disk::{create, workspace},
    plan::{self, File, Owner, Plan},
};
use tests::designed::{all, designed, designed_after, files, repository, rustfmt};
use toml_edit::DocumentMut;

fn assert_same(name: &str, one: &BTreeMap<String, File>, other: &BTreeMap<String, File>) {
    let paths = |files: &BTreeMap<String, File>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(one), paths(other), "{name}");
    for (path, file) in one {
        assert_eq!(file.text, other[path].text, "{name}: {path}");
    }
}

fn wire(plan: &Plan) -> WireLock {
    WireLock::parse(&plan.files["contracts/wire.lock"].text).expect("a wire lock")
}

#[test]
fn the_same_design_gives_the_same_bytes() {
    for (name, text) in all().expect("the designs") {
        let first = designed(&text).expect(&name).plan;
        let again = designed_after(&text, wire(&first)).expect(&name).plan;
        assert_same(&name, &first.files, &designed(&text).expect(&name).plan.files);
        // The numbers that it got are the numbers that it has.
        assert_same(&name, &first.files, &again.files);
    }
}

/// Text follows the order of tables, so that what is appended comes last; what it says does not. Only ports, which are
/// given one after another, follow it too.
#[test]
fn the_order_of_tables_moves_lines_and_changes_none() {
    for (name, text) in all().expect("the designs") {
        let first = designed(&text).expect(&name).plan;
        let backwards = backwards(&text);
        assert_ne!(text, backwards, "{name}");
        let other = designed_after(&backwards, wire(&first)).expect(&name).plan;
        let (first, other) = (lines(first), lines(other));
        assert_eq!(first.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{name}");
        for (path, lines) in &first {
            let missing = |of: &[String], from: &[String]| {
                of.iter().filter(|line| !from.contains(line)).cloned().collect::<Vec<_>>()
            };
            assert!(
                lines == &other[path],
                "{name}: {path}\n- {:#?}\n+ {:#?}",
                missing(lines, &other[path]),
                missing(&other[path], lines)
            );
        }
    }
}

/// A line by its words, since some lines list what tables are called.
fn words(line: &str) -> String {
    let mut words: Vec<_> = line.split([' ', ',', '.']).collect();
    words.sort_unstable();
    words.join(" ").trim().to_owned()
}

/// The lines of each file but the design, what is encoded of others and what others wrote, sorted, without the ports. What
/// is proposed to try is the first thing that can be, in cases as on the command line, and which items `smoke` asks about
/// depends on what it made before.
fn lines(plan: Plan) -> BTreeMap<String, Vec<String>> {
    let plain = |text: &str| {
        let ports = (0..100).map(|number| plan::port(number).to_string());
        ports.fold(text.to_owned(), |text, number| text.replace(&number, "#"))
    };
    let left_out = ["design.toml", "tests/src/bin/flows.rs"];
    let kept =
        |path: &str| !left_out.contains(&path) && !path.ends_with("descriptors.rs") && !path.ends_with("/first.toml");
    let files = plan.files.into_iter().filter(|(path, file)| kept(path) && file.owner != Owner::Library);
    files
        .map(|(path, file)| {
            let lines = plain(&file.text);
            let mut lines: Vec<String> = lines.lines().filter(|line| !line.contains("curl ")).map(words).collect();
            lines.sort();
            (plain(&path), lines)
        })
        .collect()
}

/// The design with its headers, and all that stands below each, in the opposite order.
fn backwards(text: &str) -> String {
    let mut blocks: Vec<String> = Vec::new();
    // The description of a table stands above its header.
    let mut above = String::new();
    for line in text.lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            above += &format!("{line}\n");
            continue;
        }
        if line.starts_with('[') {
            blocks.push(String::new());
        }
        let block = blocks.last_mut().expect("a design begins with a header");
        *block += &format!("{above}{line}\n");
        above.clear();
    }
    blocks.reverse();
    blocks.concat()
}

#[test]
fn backwards_is_the_same_toml() {
    let sorted = |text: &str| {
        let mut document: DocumentMut = text.parse().expect("TOML");
        document.sort_values();
        toml_edit::de::from_document::<BTreeMap<String, serde_json::Value>>(document).expect("a value")
    };
    for (name, text) in all().expect("the designs") {
        // Objects compare without order.
        assert_eq!(sorted(&text), sorted(&backwards(&text)), "{name}");
    }
}

/// Another version of rustfmt is another layout: nothing that anybody has to hear of. Its place is taken by ours with
/// settings that it can take back. It cannot where it gave up on a line that is too long, as there are in the kit.
#[test]
fn another_rustfmt_is_no_change() {
    let text = fs::read_to_string(repository("tests/designs/events.toml")).expect("a design");
    let plan = designed(&text).expect("a plan").plan;
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("eventful");
    let writes = files(&plan).expect("files");
    create::create(&root, &writes, &mut |_| Ok(()), |_| Ok::<_, generator::disk::Error>(())).expect("a workspace");

    let rust = |owner: Owner| {
        let files = plan.files.iter().filter(move |(path, file)| file.owner == owner && path.ends_with(".rs"));
        files.map(|(path, _)| root.join(path)).collect::<Vec<_>>()
    };
    let all = || [Owner::Generated, Owner::Vendored, Owner::Yours].into_iter().flat_map(rust);
    let texts = || all().map(|path| fs::read_to_string(path).expect("text")).collect::<Vec<_>>();
    let before = texts();
    for (owner, config) in [
        (Owner::Generated, "max_width=80,hard_tabs=true,use_small_heuristics=Off"),
        (Owner::Yours, "max_width=80,hard_tabs=true,use_small_heuristics=Off"),
        (Owner::Vendored, "newline_style=Windows"),
    ] {
        for file in rust(owner) {
            let mut other = Command::new("rustfmt");
            other.args(["--edition", "2024", "--config", config]).stdin(fs::File::open(&file).expect("a file"));
            // Through standard input it follows no `mod x;` into files that are another's.
            let output = other.output().expect("rustfmt");
            assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
            fs::write(file, output.stdout).expect("written");
        }
    }
    let after = texts();
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert!(changed * 3 > before.len() * 2, "{changed} of {} files look different", before.len());

    let inspection = workspace::inspect(&root, &plan, &[], rustfmt().ok().as_ref()).expect("an inspection");
    assert!(inspection.changes.is_clean(), "{:#?}", inspection.changes.files);
    assert!(workspace::sync(&inspection, &mut |_| Ok(())).expect("synced"));
    assert_eq!(texts(), after, "sync leaves the layout as it is");
}
