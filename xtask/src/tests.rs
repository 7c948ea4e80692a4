//! Commands in this process, over a planner of the tests' own: exit codes and what goes to which stream.

use std::{fs, path::Path};

use clap::Parser;
use generator::{
    diagnostic::Diagnostic,
    plan::{File, Owner, Plan, Stub},
    source::{Source, Sources, Span},
};

use super::{
    Cli,
    design::{Designed, Origin},
    dispatch,
    output::Problem,
    process::Interrupts,
};

/// A line a file: `owner path text`. `stub` lines name a method of the trait `A`, `own` lines a path, a `doubt` is warned
/// of, and `wrong` is a mistake.
fn tiny(origin: &Origin) -> Result<Designed, Problem> {
    let text = match origin {
        Origin::Workspace(root) => fs::read_to_string(root.join("design.toml"))?,
        Origin::File(file) => fs::read_to_string(file)?,
        Origin::Example(_) => "generated a.md one\nyours b.rs impl A for B {}\n".to_owned(),
    };
    let mut designed = Designed {
        name: "tiny".into(),
        plan: Plan::default(),
        services: 1,
        own: vec![],
        warnings: (vec![], Sources(vec![])),
    };
    let file = |owner, text: &str| File { text: format!("{text}\n").into(), owner, origin: "test".into() };
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let (owner, path, text) = match words.as_slice() {
            ["stub", path, method] => {
                let stub =
                    Stub { of: "A".into(), method: (*method).into(), text: format!("    fn {method}(&self) {{}}") };
                designed.plan.stubs.entry((*path).into()).or_default().push(stub);
                continue;
            }
            ["own", path] => {
                designed.own.push((*path).into());
                continue;
            }
            ["doubt", ..] => {
                let source = Source { path: "design.toml".into(), location: "".into(), text: text.as_str().into() };
                designed.warnings =
                    (vec![Diagnostic::new("W08", Span::new(0, 0..5), "nothing reaches it")], Sources(vec![source]));
                continue;
            }
            ["generated", path, text] => (Owner::Generated, path, text),
            ["yours", path, text] => (Owner::Yours, path, text),
            ["manifest", path, text] => (Owner::Manifest, path, text),
            _ => {
                let source = Source { path: "design.toml".into(), location: "".into(), text: text.as_str().into() };
                let start = text.lines().take(number).map(|line| line.len() + 1).sum();
                let wrong =
                    Diagnostic::new("E101", Span::new(0, start..start + line.len()), format!("`{line}` is wrong"));
                return Err(Problem::Design(vec![wrong.help("write something else")], Sources(vec![source])));
            }
        };
        designed.plan.files.insert((*path).into(), file(owner, text));
    }
    designed
        .plan
        .files
        .insert("design.toml".into(), File { text: text.into(), owner: Owner::Yours, origin: "test".into() });
    Ok(designed)
}

struct Ended {
    code: u8,
    out: String,
    err: String,
}

/// Runs a command line. Of `--json` every line is held against the schema.
fn linkwright(arguments: &[&str]) -> Ended {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let cli = Cli::try_parse_from([&["linkwright"], arguments].concat()).unwrap_or_else(|error| panic!("{error}"));
    let exit = dispatch(cli, &mut out, &mut err, false, Interrupts::default(), tiny);
    let (out, err) = (String::from_utf8(out).expect("UTF-8"), String::from_utf8(err).expect("UTF-8"));
    assert!(!out.contains('\x1b') && !err.contains('\x1b'), "no colours were asked for");
    if arguments.contains(&"--json") {
        let schema = serde_json::from_str(include_str!("../output.schema.json")).expect("JSON");
        let schema = jsonschema::validator_for(&schema).expect("a schema");
        for line in out.lines() {
            let record = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let wrong: Vec<String> = schema.iter_errors(&record).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{line}: {wrong:?}");
        }
    }
    Ended { code: exit.code(), out, err }
}

/// A workspace of the tiny design in a temporary folder.
fn workspace(design: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tiny.toml"), design).expect("written");
    let root = folder.path().join("ws").to_str().expect("UTF-8").to_owned();
    let design = folder.path().join("tiny.toml").to_str().expect("UTF-8").to_owned();
    let ended = linkwright(&["new", &root, "--design", &design, "--vcs", "none"]);
    assert_eq!((ended.code, ended.out.trim()), (0, root.as_str()), "{}", ended.err);
    (folder, root)
}

fn write(root: &str, path: &str, text: &str) {
    fs::write(Path::new(root).join(path), text).expect("written");
}

fn read(root: &str, path: &str) -> String {
    fs::read_to_string(Path::new(root).join(path)).expect("a file")
}

#[test]
fn new_then_check_then_sync() {
    let (_folder, root) = workspace("generated a.md one\nyours s/b.rs impl A for B {}\n");
    let check = linkwright(&["check", &root]);
    assert_eq!(
        (check.code, check.out.as_str(), check.err.as_str()),
        (0, "", ""),
        "right after new there is nothing to say"
    );

    write(
        &root,
        "design.toml",
        "generated a.md two\ngenerated c/d.md new\nyours s/b.rs impl A for C {}\nstub s/b.rs act\n",
    );
    let expected = "update    a.md\ncreate    c/d.md\npropose   s/b.rs: it is yours, so it stays; the design now asks for more\nmissing   s/b.rs:1: `act` of `A`\n    fn act(&self) {}\n";
    let proposed = "s/b.rs is yours. To take over:\n--- as it was written\n+++ as the design has it now\n@@ -1 +1 @@\n-impl A for B {}\n+impl A for C {}\n\n";
    let check = linkwright(&["check", &root]);
    let summary = format!("{proposed}sync: 1 created, 1 updated");
    assert_eq!((check.code, check.out.as_str(), check.err.trim()), (3, expected, summary.as_str()));
    let dry = linkwright(&["sync", &root, "--dry-run", "--quiet"]);
    assert_eq!((dry.code, dry.out.as_str(), dry.err.as_str()), (3, expected, ""));
    assert_eq!(read(&root, "a.md"), "one\n");

    let sync = linkwright(&["sync", &root]);
    let summary = format!("{proposed}1 created, 1 updated");
    assert_eq!((sync.code, sync.out.as_str(), sync.err.trim()), (0, expected, summary.as_str()));
    assert_eq!((read(&root, "a.md"), read(&root, "s/b.rs")), ("two\n".into(), "impl A for B {}\n".into()));
    let again = linkwright(&["sync", &format!("{root}/c")]);
    assert_eq!((again.code, again.err.trim()), (0, "Nothing to do."), "found from a folder within");

    let json = linkwright(&["--json", "check", &root]);
    let records: Vec<serde_json::Value> =
        json.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((json.code, records.len()), (0, 2));
    assert_eq!((&records[0]["record"], &records[0]["line"]), (&"missing".into(), &1.into()));
    assert_eq!((&records[1]["record"], &records[1]["applied"]), (&"summary".into(), &false.into()));

    write(&root, "design.toml", "generated a.md two\ngenerated c/d.md new\nyours s/b.rs impl A for D {}\n");
    let quiet = linkwright(&["sync", &root, "--quiet"]);
    assert!(quiet.err.contains("+impl A for D {}"), "what is said once is said: {}", quiet.err);
}

#[test]
fn a_conflict_is_shown_and_nothing_is_changed() {
    let (_folder, root) = workspace("generated a.md one\ngenerated b.md one\nmanifest Cargo.toml x = 1\n");
    write(&root, "a.md", "mine\n");
    write(&root, "Cargo.toml", "x = 2\n");
    write(&root, "design.toml", "generated a.md two\ngenerated b.md two\nmanifest Cargo.toml x = 3\n");
    for command in ["check", "sync"] {
        let ended = linkwright(&[command, &root]);
        assert_eq!(ended.code, 3);
        for part in [
            "conflict  a.md: generated, but edited by hand",
            "update    b.md",
            "conflict  Cargo.toml: `x` is `2` here and `3`",
        ] {
            assert!(ended.out.contains(part), "{part} in {}", ended.out);
        }
        for part in [
            "--- as generated\n+++ on disk",
            "-one\n+mine",
            "help: undo the edit",
            "help: give the keys the design's value",
        ] {
            assert!(ended.err.contains(part), "{part} in {}", ended.err);
        }
        assert_eq!((read(&root, "a.md"), read(&root, "b.md")), ("mine\n".into(), "one\n".into()), "after {command}");
    }
    let json = linkwright(&["sync", "--json", &root]);
    assert_eq!((json.code, json.out.lines().count()), (3, 4));
    write(
        &root,
        "design.toml",
        "generated a.md two\ngenerated b.md two\nmanifest Cargo.toml x = 3\nown a.md\nown Cargo.toml\n",
    );
    let ended = linkwright(&["sync", &root]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "update    b.md\n"));
}

#[test]
fn a_bad_design_is_said_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    fs::write(path("bad.toml"), "generated a.md one\nnonsense\n").expect("written");
    let ended = linkwright(&["new", &path("ws"), "--design", &path("bad.toml")]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    for part in
        ["error[E101]", "design.toml:2:1", "nonsense", "help: write something else", "1 mistake; nothing was written"]
    {
        assert!(ended.err.contains(part), "{part} in {}", ended.err);
    }
    assert!(!Path::new(&path("ws")).exists());
    let json = linkwright(&["new", &path("ws"), "--design", &path("bad.toml"), "--json"]);
    let record: serde_json::Value = serde_json::from_str(json.out.trim()).expect("one record");
    assert_eq!(
        (&record["record"], &record["line"], &record["code"]),
        (&"diagnostic".into(), &2.into(), &"E101".into())
    );
}

#[test]
fn what_is_doubtful_is_said_and_done() {
    let (_folder, root) = workspace("doubt this\ngenerated a.md one");
    for arguments in [&["check", &root] as &[&str], &["--quiet", "sync", &root]] {
        let ended = linkwright(arguments);
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(
            ended.err.contains("warning[W08]: nothing reaches it") && ended.err.contains("design.toml:1:1"),
            "{}",
            ended.err
        );
    }
    let ended = linkwright(&["--json", "check", &root]);
    assert!(ended.code == 0 && ended.out.contains(r#""record":"diagnostic","code":"W08""#), "{}", ended.out);
}

#[test]
fn what_cannot_be_done_fails_with_one_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    fs::create_dir(path("full")).expect("created");
    fs::write(path("full/x"), "").expect("written");
    let (full, within, nowhere) = (path("full"), path("full/x/y"), path(""));
    let missing = path("missing.toml");
    let cases: [(&[&str], &str); 5] = [
        (&["new", &full], "already exists and is not empty"),
        (&["new", &within], "is not a folder"),
        (&["check", &nowhere], "is not in a workspace"),
        (&["sync", &nowhere], "is not in a workspace"),
        (&["new", &path("ws"), "--design", &missing], ""),
    ];
    for (arguments, expected) in cases {
        let ended = linkwright(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{arguments:?}");
        assert!(ended.err.starts_with("error: ") && ended.err.contains(expected), "{arguments:?}: {}", ended.err);
        let json = linkwright(&[arguments, &["--json"]].concat());
        assert!(json.out.contains(r#"{"record":"error""#), "{}", json.out);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn a_sync_that_was_cut_short_is_said_and_completed() {
    let (_folder, root) = workspace("generated a.md one\ngenerated b.md one\n");
    write(&root, "design.toml", "generated a.md two\ngenerated b.md two\n");
    let designed = tiny(&Origin::Workspace(root.clone().into())).expect("a plan");
    let inspection =
        generator::disk::workspace::inspect(Path::new(&root), &designed.plan, &[], None).expect("inspected");
    let mut stop = |path: &Path| match path.ends_with("b.md") && !path.starts_with(format!("{root}/.linkwright")) {
        true => Err(std::io::Error::other("cut short")),
        false => Ok(()),
    };
    generator::disk::workspace::sync(&inspection, &mut stop).expect_err("cut short");
    assert_eq!((read(&root, "a.md"), read(&root, "b.md")), ("two\n".into(), "one\n".into()));
    write(&root, "b.md", "changed meanwhile\n");
    let disturbed = linkwright(&["sync", &root]);
    assert!(disturbed.code == 1 && disturbed.err.contains("`b.md` was changed after"), "{}", disturbed.err);
    write(&root, "b.md", "one\n");

    let check = linkwright(&["check", &root, "--json"]);
    assert_eq!(check.code, 3);
    assert!(check.out.starts_with(r#"{"record":"unfinished","#) && check.err.contains("`sync` completes it"));
    let sync = linkwright(&["sync", &root]);
    assert_eq!(sync.code, 0);
    assert!(sync.err.contains("Completed an earlier sync"), "{}", sync.err);
    assert_eq!((read(&root, "b.md"), linkwright(&["check", &root]).code), ("two\n".into(), 0));
}

#[test]
fn a_request_to_stop_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("a/ws");
    let cli = Cli::try_parse_from(["linkwright", "new", root.to_str().expect("UTF-8")]).expect("arguments");
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = dispatch(cli, &mut out, &mut err, false, Interrupts::requested_now(), tiny);
    assert_eq!((exit.code(), out.len()), (1, 0));
    let err = String::from_utf8_lossy(&err);
    assert_eq!(err.matches("interrupted").count(), 1, "{err}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn a_repository_is_made_as_cargo_makes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let new = |name: &str, more: &[&str]| {
        let path = folder.path().join(name).to_str().expect("UTF-8").to_owned();
        let ended = linkwright(&[&["new", &path], more].concat());
        assert_eq!(ended.code, 0, "{}", ended.err);
        Path::new(&path).join(".git").exists()
    };
    assert!(new("one", &[]));
    assert!(!new("two", &["--vcs", "none"]));
    assert!(!new("one/within", &[]), "there is one above");
    assert!(new("one/own", &["--vcs", "git"]));
    fs::write(folder.path().join("one/.gitignore"), "/ignored\n").expect("written");
    assert!(new("one/ignored", &[]), "the one above ignores it");
    assert!(!new("one/deep/er", &[]));
}

#[test]
fn examples_doctor_and_completions_have_results_on_stdout() {
    for name in ["examples", "doctor"] {
        let text = linkwright(&[name, "--quiet"]);
        assert!(!text.out.is_empty() && text.err.is_empty(), "{name}: {}", text.err);
        let json = linkwright(&[name, "--json"]);
        assert_eq!(json.out.lines().count(), text.out.lines().filter(|line| !line.starts_with(' ')).count(), "{name}");
    }
    let script = linkwright(&["completions", "bash"]);
    assert!(script.code == 0 && script.out.contains("linkwright") && script.err.is_empty());
}

#[test]
fn the_command_line_is_well_formed() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
    let wrong: [&[&str]; 6] = [
        &[],
        &["nonsense"],
        &["new"],
        &["new", "x", "--run", "--smoke"],
        &["new", "x", "--design", "a", "--example", "b"],
        &["new", "x", "--vcs", "svn"],
    ];
    for arguments in wrong {
        let error = Cli::try_parse_from([&["linkwright"], arguments].concat()).err().expect("refused");
        assert_eq!(error.exit_code(), 2, "{arguments:?}");
    }
}

#[test]
fn differences_go_to_stdout_and_their_number_to_stderr() {
    let folder = tempfile::tempdir().expect("a folder");
    let design = |name: &str, fields: &str| {
        let place = folder.path().join(name);
        let text = format!(
            "[system]\nname = \"shop\"\n[services.orders]\nexpose = [\"rest\", \"grpc\"]\n\
             [services.orders.commands.place]\ninput = {{ {fields} }}\nidempotent = \"no\"\n"
        );
        fs::write(&place, text).expect("written");
        place.to_str().expect("UTF-8").to_owned()
    };
    let old = design("old.toml", "sku = \"string\"");
    let new = design("new.toml", "sku = \"string?\", number = \"u32\"");
    let ended = linkwright(&["diff", &old, &new]);
    assert_eq!((ended.code, ended.err.as_str()), (3, "1 breaking, 0 notable, 1 compatible\n"));
    assert!(
        ended.out.starts_with("breaking[input-required-added]: `number` in the input of command `place`"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("  = breaking: orders (REST, gRPC)\n"), "{}", ended.out);

    // The other way round it loses one and asks for another.
    let ended = linkwright(&["diff", &new, &old, "--json"]);
    let records: Vec<serde_json::Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let shown = |record: &serde_json::Value| format!("{} {} {}", record["rule"], record["design"], record["severity"]);
    let shown: Vec<String> = records.iter().map(shown).collect();
    let expected = [r#""input-field-removed" "old" "breaking""#, r#""input-made-required" "new" "breaking""#];
    assert_eq!((ended.code, shown), (3, expected.map(str::to_owned).to_vec()));
    assert_eq!(linkwright(&["diff", &old, &old, "--json"]).out, "");
}
