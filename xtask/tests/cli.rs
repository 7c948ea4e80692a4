//! The built program: what only a process of its own can show.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

fn linkwright(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkwright"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    ended(&linkwright(arguments).output().expect("ran"))
}

fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }
}

#[test]
fn usage_goes_to_stderr_with_exit_code_2_and_help_to_stdout() {
    for arguments in [&[][..], &["nonsense"], &["new"], &["new", "x", "--run", "--smoke"], &["check", "--nonsense"]] {
        let (code, out, err) = run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains("Usage"), "{arguments:?}: {err}");
    }
    for arguments in [&["--version"][..], &["--help"], &["new", "--help"]] {
        let (code, out, err) = run(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        assert!(out.to_lowercase().contains("linkwright") || out.contains("Create a workspace"), "{out}");
    }
    assert_eq!(run(&["--version"]).1.trim(), format!("linkwright {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_example_becomes_a_workspace_that_is_clean() {
    let folder = Folder::new();
    let root = folder.at("hello");
    let (code, out, err) = run(&["new", &root, "--example", "hello"]);
    assert_eq!((code, out.trim()), (0, root.as_str()), "{err}");
    assert!(Path::new(&root).join(".git").is_dir());
    assert_eq!(run(&["check", &root]), (0, String::new(), String::new()));
    let within = linkwright(&["check"]).current_dir(Path::new(&root).join("services")).output().expect("ran");
    assert_eq!(ended(&within), (0, String::new(), String::new()), "the workspace is found from within");

    // The same design gives the same bytes.
    let again = folder.at("again");
    assert_eq!(run(&["new", &again, "--example", "hello", "--vcs", "none"]).0, 0);
    let mut compared = 0;
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(Path::new(&again).join(&below)).expect("a folder") {
            let path = below.join(entry.expect("an entry").file_name());
            if Path::new(&again).join(&path).is_dir() {
                folders.push(path);
            } else {
                let text = |root: &str| fs::read(Path::new(root).join(&path)).expect("a file");
                assert!(text(&again) == text(&root), "{}", path.display());
                compared += 1;
            }
        }
    }
    assert!(compared > 50);
}

#[test]
fn a_new_operation_comes_with_the_method_to_paste() {
    let folder = Folder::new();
    let root = folder.at("hello");
    assert_eq!(run(&["new", &root, "--example", "hello", "--vcs", "none"]).0, 0);
    let at = |path: &str| Path::new(&root).join(path);
    let design = fs::read_to_string(at("design.toml")).expect("a design");
    let query =
        "[services.greeter.queries.languages]\nsummary = \"How many there are.\"\noutput = { count = \"u32\" }\n";
    fs::write(at("design.toml"), format!("{design}\n{query}")).expect("written");
    let (code, out, err) = run(&["sync", &root, "--json"]);
    assert_eq!(code, 0, "{err}");
    let records = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let missing: Vec<_> = records.filter(|record| record["record"] == "missing").collect();
    assert_eq!(missing.len(), 1, "{out}");
    let text = |key: &str| missing[0][key].as_str().expect("text").to_owned();
    assert_eq!((text("trait"), text("method")), ("Greeter".into(), "languages".into()));

    // Pasted above the line it names it is where it belongs.
    let line = usize::try_from(missing[0]["line"].as_u64().expect("a line")).expect("a line");
    let old = fs::read_to_string(at(&text("path"))).expect("a file");
    let mut lines: Vec<&str> = old.lines().collect();
    assert_eq!(lines[line - 1], "}");
    let method = text("text");
    lines.insert(line - 1, &method);
    fs::write(at(&text("path")), lines.join("\n")).expect("written");
    assert_eq!(run(&["check", &root]), (0, String::new(), String::new()));
}

#[test]
fn a_mistake_in_the_design_is_shown_where_it_is() {
    let folder = Folder::new();
    let root = folder.at("hello");
    assert_eq!(run(&["new", &root, "--example", "hello", "--vcs", "none"]).0, 0);
    let design = Path::new(&root).join("design.toml");
    let text = fs::read_to_string(&design).expect("a design").replacen("[system]", "[system]\nsumary = \"x\"", 1);
    fs::write(&design, &text).expect("written");
    let line = text.lines().position(|line| line.starts_with("sumary")).expect("the line") + 1;
    for command in ["check", "sync"] {
        let (code, out, err) = run(&[command, &root]);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(err.contains(&format!("design.toml:{line}:1")) && err.contains("`summary`"), "{err}");
        assert!(!err.contains('\x1b'), "no colours off a terminal");
    }
}

/// A workspace in a repository, all of it committed.
fn committed(folder: &Folder) -> String {
    let root = folder.at("hello");
    assert_eq!(run(&["new", &root, "--example", "hello"]).0, 0);
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").current_dir(&root).args(identity).args(arguments).output().expect("git");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "hello"]);
    root
}

#[test]
fn revisions_are_compared_with_what_is_there() {
    let folder = Folder::new();
    let root = committed(&folder);
    let within = |arguments: &[&str]| {
        ended(&linkwright(arguments).current_dir(Path::new(&root).join("services")).output().expect("ran"))
    };
    let at = |name: &str| Path::new(&root).join(name);
    let design = fs::read_to_string(at("design.toml")).expect("a design");
    let none = "0 breaking, 0 notable, 0 compatible\n".to_owned();
    assert_eq!(within(&["diff", "HEAD:", "HEAD:design.toml"]), (0, String::new(), none.clone()));
    assert_eq!(within(&["diff", "HEAD:./../", ".."]).0, 1, "git reads no `..`");
    assert_eq!(within(&["check", "--against", "HEAD"]), (0, String::new(), String::new()));

    // Half of the design moves into a file of its own, and loses something.
    let links = design.find("[links.").expect("links");
    let main = design[..links].replace("[system]", "[system]\ninclude = [\"more/*.toml\"]");
    fs::create_dir(at("more")).expect("a folder");
    fs::write(at("more/links.toml"), &design[links..]).expect("written");
    fs::write(at("design.toml"), &main).expect("written");
    assert_eq!(within(&["diff", "HEAD:", ".."]), (0, String::new(), none));
    fs::write(at("design.toml"), main.replace("errors  = { Speechless = \"conflict\" }", "")).expect("written");
    let (code, out, err) = within(&["diff", "HEAD:", "..", "--quiet"]);
    assert_eq!((code, err.as_str()), (3, ""));
    assert!(out.contains("breaking[error-removed]") && out.contains("--> HEAD:design.toml:"), "{out}");
    let (code, out, err) = within(&["check", "--against", "HEAD"]);
    assert_eq!(code, 3);
    assert!(out.contains("breaking[error-removed]") && err.contains("This breaks callers of `HEAD`"), "{out}{err}");

    // What is compatible is no reason to refuse.
    fs::write(at("design.toml"), format!("{main}\n[services.door.queries.open]\noutput = {{ open = \"bool\" }}\n"))
        .expect("written");
    let (code, out, _) = within(&["diff", "HEAD:", ".."]);
    assert!(code == 0 && out.contains("compatible[operation-added]"), "{out}");
    let (_, out, err) = within(&["check", "--against", "HEAD"]);
    assert!(!out.contains("operation-added") && !err.contains("breaks"), "{out}{err}");

    for place in ["no-such-thing", "--output=/x", "HEAD:more/", "HEAD:nowhere.toml", "no-such-revision:design.toml"] {
        let (code, out, err) = within(&["diff", "--", place, "HEAD:"]);
        assert_eq!((code, out.as_str()), (1, ""), "{place}");
        assert!(err.starts_with("error: ") && err.contains(place), "{err}");
    }
}

#[test]
fn an_old_design_with_a_mistake_is_shown_where_it_is() {
    let folder = Folder::new();
    let root = committed(&folder);
    let broken = folder.at("broken.toml");
    fs::write(&broken, "[system]\nname = \"x\"\nsumary = \"y\"\n").expect("written");
    let (code, out, err) = run(&["diff", &broken, &root]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("broken.toml:3:1") && err.contains("`summary`"), "{err}");
}

#[test]
fn the_rules_can_be_read() {
    let (code, out, err) = run(&["diff", "--rules"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("| `rest-path-changed` | has another path | breaking | – | – | – | – |"), "{out}");
    assert!(out.lines().all(|line| line.matches('|').count() == 9), "{out}");
}

#[test]
fn without_rustfmt_there_is_one_warning_and_later_no_change() {
    let folder = Folder::new();
    let root = folder.at("hello");
    let new = linkwright(&["new", &root, "--vcs", "none"]).env("RUSTFMT", "no-such-program").output().expect("ran");
    let (code, _, err) = ended(&new);
    assert_eq!((code, err.matches("warning").count()), (0, 1), "{err}");
    assert_eq!(run(&["check", &root]), (0, String::new(), String::new()));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child =
        linkwright(&["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ran");
    drop(child.stdout.take());
    let (code, _, err) = ended(&child.wait_with_output().expect("ended"));
    assert_eq!((code, err.as_str()), (0, ""));
}

#[cfg(unix)]
mod children {
    use std::{
        os::unix::fs::PermissionsExt,
        thread,
        time::{Duration, Instant},
    };

    use rustix::process::{Pid, Signal, kill_process, test_kill_process};

    use super::*;

    /// Stands in for cargo: writes down what it is asked, and `xtask dev` runs until it is interrupted.
    const CARGO: &str = r#"#!/bin/sh
case "$1" in
--version) echo "cargo 1.95.0 (fake)" ;;
build) echo "$* offline=$CARGO_NET_OFFLINE in $(pwd)" >> "$LOG"; echo "from the build"; exit "${BUILD:-0}" ;;
xtask) echo "$*" >> "$LOG"
       [ "$2" = smoke ] && exit 5
       trap 'echo interrupted >> "$LOG"; exit 7' INT
       sh -c 'echo "started $$" >> "$LOG"; exec sleep 600' ;;
esac
"#;

    struct Cargo {
        folder: Folder,
        program: String,
        log: String,
    }

    impl Cargo {
        fn new() -> Self {
            let folder = Folder::new();
            let (program, log) = (folder.at("cargo"), folder.at("log"));
            fs::write(&program, CARGO).expect("written");
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
            fs::write(&log, "").expect("written");
            Self { folder, program, log }
        }

        fn linkwright(&self, arguments: &[&str]) -> Command {
            let mut command = linkwright(arguments);
            command.env("CARGO", &self.program).env("LOG", &self.log).env("PWD", "").current_dir(self.folder.0.path());
            command
        }

        fn log(&self) -> String {
            fs::read_to_string(&self.log).expect("a log")
        }
    }

    #[test]
    fn smoke_ends_as_its_child_does() {
        let cargo = Cargo::new();
        let (code, out, err) =
            ended(&cargo.linkwright(&["new", "ws", "--smoke", "--offline", "--vcs", "none"]).output().expect("ran"));
        assert_eq!(code, 5, "{err}");
        assert!(out.ends_with("/ws\nfrom the build\n"), "{out}");
        assert!(err.contains("minute") && err.contains("cores") | err.contains("one core"), "the time is said: {err}");
        let log = cargo.log();
        assert!(log.starts_with("build --workspace offline=true in ") && log.contains("/ws\n"), "{log}");
        assert!(log.contains("xtask smoke"), "{log}");
    }

    #[test]
    fn with_json_stdout_is_for_records_only() {
        let cargo = Cargo::new();
        let (_, out, err) = ended(&cargo.linkwright(&["new", "ws", "--smoke", "--json"]).output().expect("ran"));
        assert_eq!(out.lines().count(), 1, "{out}");
        assert!(out.starts_with(r#"{"record":"created""#) && err.contains("from the build"), "{out}{err}");
    }

    #[test]
    fn a_failed_build_leaves_the_workspace_and_says_how_to_go_on() {
        let cargo = Cargo::new();
        let (code, _, err) =
            ended(&cargo.linkwright(&["new", "ws", "--run"]).env("BUILD", "101").output().expect("ran"));
        assert_eq!(code, 1);
        assert!(err.contains("cd ws\n    cargo xtask dev"), "{err}");
        assert!(cargo.folder.0.path().join("ws/design.toml").is_file());
        assert!(!cargo.log().contains("xtask"), "{}", cargo.log());
    }

    #[test]
    fn without_a_compiler_nothing_is_begun() {
        let cargo = Cargo::new();
        for (compiler, expected) in
            [("no-such-compiler", "there is no `no-such-compiler`"), ("false", "does not compile and link")]
        {
            let (code, _, err) =
                ended(&cargo.linkwright(&["new", "ws", "--run"]).env("CC", compiler).output().expect("ran"));
            assert_eq!(code, 1);
            assert!(err.contains(expected) && err.contains("build-essential"), "{err}");
            assert!(!cargo.folder.0.path().join("ws").exists());
        }
    }

    #[test]
    fn an_interrupt_reaches_the_child_and_what_it_started_and_is_waited_for() {
        for signal in [Signal::INT, Signal::TERM] {
            let cargo = Cargo::new();
            let mut child = cargo.linkwright(&["new", "ws", "--run"]);
            let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ran");
            let started =
                until(|| cargo.log().lines().find_map(|line| line.strip_prefix("started ").map(str::to_owned)));
            let grandchild = started.parse().ok().and_then(Pid::from_raw).expect("an id");
            kill_process(Pid::from_child(&child), signal).expect("sent");
            let (code, _, err) = ended(&child.wait_with_output().expect("ended"));
            assert_eq!(code, 7, "as the child ended: {err}");
            assert!(cargo.log().ends_with("interrupted\n"), "{}", cargo.log());
            until(|| test_kill_process(grandchild).is_err().then_some(()));
            assert!(cargo.folder.0.path().join("ws/design.toml").is_file());
        }
    }

    /// Waits for something that must come.
    fn until<T>(mut holds: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = holds() {
                return found;
            }
            assert!(Instant::now() < end, "it never came");
            thread::sleep(Duration::from_millis(10));
        }
    }
}
