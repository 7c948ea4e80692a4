use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::SystemTime,
};

use super::{
    Error, create, find, journal,
    rustfmt::Rustfmt,
    workspace::{self, Inspection},
};
use crate::{
    changes::Action,
    format::{self, Cache},
    plan::{File, Owner, Plan, Stub},
};

mod interrupted;

/// Relative path to contents; folders have an empty name's worth of contents, the journal is left out.
type Tree = BTreeMap<String, String>;

fn tree(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
            if name == ".linkwright/journal" {
                continue;
            } else if path.is_dir() {
                tree.insert(format!("{name}/"), String::new());
                folders.push(path);
            } else {
                tree.insert(name, fs::read_to_string(&path).expect("text"));
            }
        }
    }
    tree
}

fn plan(files: &[(&str, Owner, &str)]) -> Plan {
    let file = |owner, text: &str| File { text: text.into(), owner, origin: "test".into() };
    let files = files.iter().map(|(path, owner, text)| ((*path).to_owned(), file(*owner, text))).collect();
    Plan { files, ..Plan::default() }
}

fn first() -> Plan {
    plan(&[
        ("Cargo.toml", Owner::Manifest, "[workspace]\nmembers = [\"contracts/a\"]\n"),
        ("Cargo.lock", Owner::Seed, "version = 4\n"),
        ("contracts/a/src/lib.rs", Owner::Generated, "pub  mod types;\npub fn a( ) { }\n"),
        ("contracts/a/src/types.rs", Owner::Generated, "pub struct  A;\n"),
        ("contracts/b/src/lib.rs", Owner::Generated, "pub fn b( ) { }\n"),
        ("kit/k/src/lib.rs", Owner::Vendored, "pub  fn vendored() {}\n"),
        ("services/a/src/a.rs", Owner::Yours, "impl A for S {\n    fn one() {}\n}\n"),
        ("docs/a.md", Owner::Generated, "# a\n"),
    ])
}

/// Updates, creates, merges and deletes.
fn second() -> Plan {
    let mut plan = first();
    plan.files.remove("contracts/b/src/lib.rs");
    plan.files.extend(
        self::plan(&[
            ("Cargo.toml", Owner::Manifest, "[workspace]\nmembers = [\"contracts/a\", \"contracts/c\"]\n"),
            ("contracts/a/src/types.rs", Owner::Generated, "pub struct  A { }\n"),
            ("contracts/c/src/lib.rs", Owner::Generated, "pub fn c( ) { }\n"),
            ("docs/a.md", Owner::Generated, "# b\n"),
            ("services/a/src/a.rs", Owner::Yours, "// never written\n"),
        ])
        .files,
    );
    plan
}

fn on(_: &Path) -> io::Result<()> {
    Ok(())
}

fn rustfmt() -> Option<Rustfmt> {
    static FOUND: LazyLock<Option<Rustfmt>> = LazyLock::new(|| Rustfmt::at("rustfmt"));
    assert!(FOUND.is_some(), "these tests need rustfmt");
    FOUND.clone()
}

fn make(target: &Path, plan: &Plan) -> Result<PathBuf, Error> {
    let (writes, _) = workspace::fresh(plan, &[], rustfmt().as_ref())?;
    create::create(target, &writes, &mut on, |_| Ok(()))
}

fn inspect(root: &Path, plan: &Plan) -> Inspection {
    workspace::inspect(root, plan, &[], rustfmt().as_ref()).expect("an inspection")
}

fn said(inspection: &Inspection) -> Vec<String> {
    let files = inspection.changes.files.iter();
    files.map(|change| change.to_string().split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn write(root: &Path, path: &str, text: &str) {
    fs::write(root.join(path), text).expect("written");
}

#[test]
fn a_new_workspace_is_clean_and_stays_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = make(&folder.path().join("deep/er/shop"), &first()).expect("created");
    assert_eq!(
        fs::read_to_string(root.join("contracts/a/src/lib.rs")).expect("text"),
        "pub mod types;\npub fn a() {}\n"
    );
    assert_eq!(fs::read_to_string(root.join("kit/k/src/lib.rs")).expect("text"), "pub  fn vendored() {}\n");
    assert_eq!(fs::read_dir(folder.path().join("deep/er")).expect("folder").count(), 1, "no temporary folder stays");
    assert_eq!(find(&root.join("contracts/a")).expect("found"), root.canonicalize().expect("a path"));
    assert!(matches!(find(folder.path()), Err(Error::NoWorkspace(_))));

    // Nothing needs formatting, so a rustfmt that cannot even be run does no harm: another version changes nothing.
    let none = Rustfmt { program: "/no/such/rustfmt".into(), version: String::new() };
    let inspection = workspace::inspect(&root, &first(), &[], Some(&none)).expect("no rustfmt is needed");
    assert!(inspection.changes.is_clean() && said(&inspection).is_empty(), "{:?}", said(&inspection));

    // What cargo, rustfmt and a checkout on Windows do to a workspace is no edit.
    write(&root, "Cargo.lock", "version = 4\n# cargo was here\n");
    write(&root, "contracts/a/src/types.rs", "pub\nstruct A;\r\n");
    write(&root, "docs/a.md", "# a\r\n");
    fs::create_dir_all(root.join("target/debug")).expect("created");
    let before = tree(&root);
    let inspection = inspect(&root, &first());
    assert_eq!(said(&inspection), Vec::<String>::new());
    assert!(workspace::sync(&inspection, &mut on).expect("synced"));
    assert_eq!(tree(&root), before);
}

#[test]
fn sync_brings_a_workspace_to_the_design_and_keeps_what_is_the_users() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = make(&folder.path().join("shop"), &first()).expect("created");
    write(&root, "Cargo.toml", "# mine\n[workspace]\nmembers = [\"contracts/a\", \"mine\"]\n");
    write(&root, "services/a/src/a.rs", "impl A for S {\n    fn one() { mine() }\n}\n");
    let mut plan = second();
    let stub = |method: &str| Stub { of: "A".into(), method: method.into(), text: format!("fn {method}( ) {{}}") };
    plan.stubs.insert("services/a/src/a.rs".into(), vec![stub("one"), stub("two")]);

    let inspection = inspect(&root, &plan);
    assert_eq!(
        said(&inspection),
        [
            "merge Cargo.toml",
            "update contracts/a/src/types.rs",
            "delete contracts/b/src/lib.rs",
            "create contracts/c/src/lib.rs",
            "update docs/a.md",
            "propose services/a/src/a.rs: it is yours, so it stays; the design now asks for more",
        ]
    );
    let stubs: Vec<_> = inspection.changes.stubs.iter().map(|stub| (stub.line, stub.text.as_str())).collect();
    assert_eq!(stubs, [(3, "    fn two() {}\n")]);

    let untouched = fs::metadata(root.join("contracts/a/src/lib.rs")).and_then(|file| file.modified()).expect("a time");
    let mut asked = BTreeMap::new();
    let real = root.canonicalize().expect("a path");
    let mut watch = |path: &Path| {
        asked.insert(path.to_owned(), SystemTime::now());
        Ok(())
    };
    assert!(workspace::sync(&inspection, &mut watch).expect("synced"));
    for path in ["contracts/a/src/types.rs", "contracts/c/src/lib.rs", "Cargo.toml"] {
        let path = real.join(path);
        let modified = fs::metadata(&path).and_then(|file| file.modified()).expect("a time");
        assert!(modified >= asked[&path], "{} is as old as the moment it was put there", path.display());
    }
    let after = fs::metadata(root.join("contracts/a/src/lib.rs")).and_then(|file| file.modified()).expect("a time");
    assert_eq!(after, untouched);

    let tree = tree(&root);
    assert_eq!(tree["Cargo.toml"], "# mine\n[workspace]\nmembers = [\"contracts/a\", \"mine\", \"contracts/c\"]\n");
    assert_eq!(tree["contracts/a/src/types.rs"], "pub struct A {}\n");
    assert!(tree["services/a/src/a.rs"].contains("mine()"));
    assert!(!tree.contains_key("contracts/b/"), "an emptied folder goes");
    assert!(!tree.contains_key(".linkwright/base/contracts/b/"));
    assert!(!root.join(".linkwright/journal").exists());
    assert_eq!(said(&inspect(&root, &plan)), Vec::<String>::new());
}

#[test]
fn a_conflict_changes_nothing_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = make(&folder.path().join("shop"), &first()).expect("created");
    write(&root, "contracts/a/src/types.rs", "pub struct A; // no longer Rust: {{{\n");
    let before = tree(&root);
    let inspection = inspect(&root, &second());
    assert!(!workspace::sync(&inspection, &mut on).expect("refused"));
    assert_eq!(tree(&root), before);
    let conflict = inspection.changes.conflicts().next().expect("a conflict");
    assert_eq!(conflict.0.path, "contracts/a/src/types.rs");
    assert!(conflict.1.diff.as_ref().is_some_and(|diff| diff.contains("+pub struct A; // no longer")));

    // The ways out that the conflict names.
    let own = ["contracts/a/src/types.rs".to_owned()];
    let owned = workspace::inspect(&root, &second(), &own, rustfmt().as_ref()).expect("an inspection");
    assert_eq!(owned.changes.count().conflicts, 0);
    fs::remove_file(root.join("contracts/a/src/types.rs")).expect("removed");
    assert!(workspace::sync(&inspect(&root, &second()), &mut on).expect("synced"));
    assert_eq!(said(&inspect(&root, &second())), Vec::<String>::new());
}

#[test]
fn a_lost_lock_or_base_is_found_again_from_equal_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = make(&folder.path().join("shop"), &first()).expect("created");
    let before = tree(&root);
    write(&root, ".linkwright/base/contracts/a/src/types.rs", "<<<<<<< a bad merge");
    fs::remove_file(root.join(".linkwright/base/contracts/a/src/lib.rs")).expect("removed");
    let inspection = inspect(&root, &first());
    assert_eq!(said(&inspection), Vec::<String>::new());
    assert!(workspace::sync(&inspection, &mut on).expect("synced"));
    // The lost base of a missing file's entry is written again because the lock knows none.
    assert_eq!(tree(&root), before);

    fs::remove_file(root.join(".linkwright/lock")).expect("removed");
    assert!(workspace::sync(&inspect(&root, &first()), &mut on).expect("synced"));
    assert_eq!(said(&inspect(&root, &second())).len(), 6);
    write(&root, ".linkwright/lock", "<<<<<<< HEAD");
    let error = workspace::inspect(&root, &first(), &[], None).expect_err("damaged").to_string();
    assert!(error.contains("restore it from version control"), "{error}");
}

#[test]
fn a_failed_creation_leaves_nothing_at_any_step() {
    let (writes, _) = workspace::fresh(&first(), &[], rustfmt().as_ref()).expect("writes");
    for target in ["shop", "a/b/shop", "empty"] {
        for at in 0.. {
            let folder = tempfile::tempdir().expect("a folder");
            fs::create_dir(folder.path().join("empty")).expect("created");
            let before = tree(folder.path());
            let mut step = 0;
            let mut watch = |_: &Path| {
                step += 1;
                if step > at { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
            };
            let result: Result<_, Error> = create::create(&folder.path().join(target), &writes, &mut watch, |_| Ok(()));
            let Err(error) = result else {
                assert!(at > writes.len() && tree(&folder.path().join(target)).contains_key("Cargo.toml"));
                break;
            };
            assert!(!error.to_string().contains("/workspace/"), "{error}");
            assert_eq!(tree(folder.path()), before, "step {at} of {target}");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let failed = |_: &Path| Err(Error::Busy(PathBuf::new()));
    assert!(create::create(&folder.path().join("x/shop"), &writes, &mut on, failed).is_err());
    assert_eq!(tree(folder.path()), Tree::new());
}

#[test]
fn places_where_no_workspace_can_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    write(folder.path(), "file", "");
    fs::create_dir_all(at("full/x")).expect("created");
    let before = tree(folder.path());
    let cases = [
        ("file", "is not a folder"),
        ("file/shop", "is not a folder"),
        ("file/a/b", "is not a folder"),
        ("full", "not empty"),
    ];
    for (target, expected) in cases {
        let error = make(&at(target), &first()).expect_err(target).to_string();
        assert!(error.contains(expected), "{target}: {error}");
    }
    assert!(create::check(Path::new(".")).is_err());
    assert!(create::check(Path::new("/")).is_err());
    assert_eq!(tree(folder.path()), before);
    #[cfg(target_os = "linux")]
    assert!(make(Path::new("/proc/shop"), &first()).expect_err("refused").to_string().contains("/proc"));
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_a_workspace() {
    let folder = tempfile::tempdir().expect("a folder");
    let outside = folder.path().join("outside");
    let root = make(&folder.path().join("shop"), &first()).expect("created");
    fs::rename(root.join("contracts"), &outside).expect("moved");
    std::os::unix::fs::symlink(&outside, root.join("contracts")).expect("linked");
    let before = tree(&outside);
    let inspection = inspect(&root, &second());
    assert!(inspection.changes.conflicts().count() >= 3, "{:?}", said(&inspection));
    assert!(!workspace::sync(&inspection, &mut on).expect("refused"));
    assert_eq!(tree(&outside), before);

    // A link that comes between looking and writing.
    fs::remove_file(root.join("contracts")).expect("removed");
    fs::rename(&outside, root.join("contracts")).expect("moved");
    let inspection = inspect(&root, &second());
    fs::rename(root.join("contracts"), &outside).expect("moved");
    std::os::unix::fs::symlink(&outside, root.join("contracts")).expect("linked");
    assert!(matches!(workspace::sync(&inspection, &mut on), Err(Error::Path { .. })));
    assert_eq!(tree(&outside), before);
    assert_eq!(journal::pending(&root).expect("readable"), None);

    // A linked file is not read through either.
    fs::remove_file(root.join("contracts")).expect("removed");
    fs::rename(&outside, root.join("contracts")).expect("moved");
    fs::rename(root.join("docs/a.md"), folder.path().join("a.md")).expect("moved");
    std::os::unix::fs::symlink(folder.path().join("a.md"), root.join("docs/a.md")).expect("linked");
    let inspection = inspect(&root, &second());
    let action = inspection.changes.files.iter().find(|change| change.path == "docs/a.md").map(|change| &change.action);
    assert!(matches!(action, Some(Action::Conflict(_))), "{action:?}");
}

#[test]
fn a_plan_cannot_write_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in ["../x", "/tmp/x", "a/../../x", ".git/config"] {
        let error = make(&folder.path().join("shop"), &plan(&[(path, Owner::Generated, "")])).expect_err(path);
        assert!(matches!(&error, Error::Path { .. }), "{error}");
    }
    assert_eq!(tree(folder.path()), Tree::new());
}

#[test]
fn rustfmt_formats_each_text_as_if_it_were_alone() {
    let good = [
        "mod  missing;\nfn a( ) { }\n",
        "pub(crate)  mod r#type ;\n#[cfg(test)]\nmod tests;\nmod  inner { mod  deeper; }\nfn a( ) { }\n",
        "#[path = \"../elsewhere.rs\"]\nmod x;\nfn b( ) { }\n",
        "fn c( ) { let x = \"mod y;\"; }\n",
        "// a\n\n\n\nfn d(){}\n",
        "",
        "mod rustfmt;\nmod x0_0;\n",
    ];
    let bad = ["fn e( {", "\u{0}", "mod a;\n}}"];
    let texts: std::collections::BTreeSet<&str> = good.iter().chain(&bad).copied().collect();
    let rustfmt = rustfmt().expect("rustfmt");
    let mut cache = Cache::default();
    let complaints = rustfmt.run(&texts, &mut cache).expect("run");
    assert_eq!(complaints.keys().map(String::as_str).collect::<Vec<_>>(), ["\u{0}", "fn e( {", "mod a;\n}}"]);
    assert!(complaints["fn e( {"].contains("unclosed"), "{complaints:?}");
    assert_eq!(cache.get(good[0]), Some("mod missing;\nfn a() {}\n"));
    assert_eq!(cache.get(good[2]), Some("#[path = \"../elsewhere.rs\"]\nmod x;\nfn b() {}\n"));
    assert_eq!(cache.get(good[4]), Some("// a\n\nfn d() {}\n"));

    // More texts than one command line takes, none of which disturbs another.
    let many: Vec<String> = (0..1000).map(|n| format!("mod m{n};\nfn f{n}( ) {{ }}\n")).collect();
    let mut cache = Cache::default();
    let none = rustfmt.run(&many.iter().map(String::as_str).collect(), &mut cache).expect("run");
    assert!(none.is_empty());
    for (n, text) in many.iter().enumerate() {
        assert_eq!(cache.get(text), Some(format!("mod m{n};\nfn f{n}() {{}}\n").as_str()));
    }
}

#[test]
fn a_text_of_ours_that_is_not_rust_is_our_bug_and_shown() {
    let plan = plan(&[("a/src/lib.rs", Owner::Generated, "fn a() {\n    let\n}\n"), ("a/x.md", Owner::Generated, "{")]);
    let error = workspace::fresh(&plan, &[], rustfmt().as_ref()).expect_err("refused").to_string();
    for part in ["a/src/lib.rs", "made by test", "bug in Linkwright", "    2 |     let"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    // Without rustfmt it is written as it is, and the caller is told how many are.
    let (writes, unformatted) = workspace::fresh(&plan, &[], None).expect("writes");
    assert_eq!((writes[0].text.as_deref(), unformatted), (Some("fn a() {\n    let\n}\n"), 1));
    assert_eq!(Rustfmt::at("no-such-rustfmt"), None);
    assert_eq!(Rustfmt::at("cargo"), None, "a program that is something else");
    assert_eq!(
        format::CONFIG.parse::<toml_edit::DocumentMut>().expect("TOML")["edition"].as_str(),
        Some(format::EDITION)
    );
}
