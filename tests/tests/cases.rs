//! Every folder of `cases/` is a small design, the files of its workspace that the case is about (patterns in
//! `shows.txt`), and these files as they are written. Who changes a template sees here what comes of it.
//! `UPDATE=1 cargo test -p tests --test cases` writes them anew.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tests::designed::{designed, files, read, repository};

type Tree = BTreeMap<String, Arc<str>>;

/// The files that a case shows.
fn shown(case: &Path) -> Tree {
    let design = read(&case.join("design.toml")).expect("a design");
    let plan = designed(&design).unwrap_or_else(|error| panic!("{}: {error:#}", case.display())).plan;
    let written = files(&plan).expect("files");
    let patterns = fs::read_to_string(case.join("shows.txt")).expect("what the case shows");
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
    let mut tree = Tree::new();
    for line in patterns.lines() {
        let pattern = glob::Pattern::new(line).expect("a pattern");
        let found = written.iter().filter(|write| pattern.matches_with(&write.path, options));
        let found: Vec<_> = found.map(|write| (write.path.clone(), write.text.clone().unwrap_or_default())).collect();
        assert!(!found.is_empty(), "{}: there is no {line}", case.display());
        tree.extend(found);
    }
    tree
}

/// What is below a folder, if it is there.
fn tree(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders: Vec<PathBuf> = root.is_dir().then(|| root.to_owned()).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for path in folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below").to_str().expect("UTF-8").replace('\\', "/");
                tree.insert(name, fs::read_to_string(&path).expect("text").into());
            }
        }
    }
    tree
}

#[test]
fn designs_become_what_is_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut failures = Vec::new();
    let mut cases = 0;
    for case in repository("tests/cases").read_dir().expect("the cases").map(|entry| entry.expect("a case").path()) {
        cases += 1;
        let (shown, expected) = (shown(&case), case.join("expected"));
        if update {
            _ = fs::remove_dir_all(&expected);
            for (path, text) in &shown {
                let place = expected.join(path);
                fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
                fs::write(place, &**text).expect("written");
            }
            continue;
        }
        let expected = tree(&expected);
        for path in shown.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>() {
            let place = format!("{}/{path}", case.display());
            match (expected.get(path), shown.get(path)) {
                (Some(expected), Some(shown)) if expected == shown => {}
                (Some(expected), Some(shown)) => failures.push(format!("{place} differs:\n{}", first(expected, shown))),
                (None, _) => failures.push(format!("{place} is new")),
                (_, None) => failures.push(format!("{place} is no longer there")),
            }
        }
    }
    assert!(cases >= 5, "{cases}");
    assert!(failures.is_empty(), "{}\n(UPDATE=1 accepts what comes out)", failures.join("\n"));
}

/// The first line that differs.
fn first(expected: &str, shown: &str) -> String {
    let mut lines = expected.lines().zip(shown.lines()).enumerate();
    match lines.find(|(_, (expected, shown))| expected != shown) {
        Some((at, (expected, shown))) => format!("line {}\n- {expected}\n+ {shown}", at + 1),
        None => "one is longer".to_owned(),
    }
}
