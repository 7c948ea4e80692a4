//! Syncs that are killed, run out of room or meet another: every file is old or new, and the next sync completes it.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
};

use super::{
    super::{Error, Watch, journal, workspace},
    Tree, first, inspect, make, on, second, tree, write,
};

fn copy(from: &Path, to: &Path) {
    for (path, text) in tree(from) {
        let place = to.join(&path);
        match path.strip_suffix('/') {
            Some(_) => fs::create_dir_all(place).expect("created"),
            None => {
                fs::create_dir_all(place.parent().expect("a parent")).expect("created");
                fs::write(place, text).expect("written");
            }
        }
    }
}

/// Runs `act` and stops it before step `at` as a kill does: nothing of the code after that step runs.
fn killed(at: usize, act: impl FnOnce(Watch)) -> bool {
    let mut step = 0;
    let mut watch = |_: &Path| {
        if step == at {
            resume_unwind(Box::new("killed"));
        }
        step += 1;
        Ok(())
    };
    catch_unwind(AssertUnwindSafe(|| act(&mut watch))).is_err()
}

struct Scene {
    folder: tempfile::TempDir,
    old: Tree,
    new: Tree,
}

/// A workspace with edits of the user's, before and after an undisturbed sync to the second plan.
fn scene() -> Scene {
    // These tests flush thousands of files; in memory that is free.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
    let root = make(&folder.path().join("old"), &first()).expect("created");
    write(&root, "Cargo.toml", "# mine\n[workspace]\nmembers = [\"contracts/a\"]\n");
    write(&root, "mine.txt", "mine");
    let old = tree(&root);
    copy(&root, &folder.path().join("new"));
    let done = workspace::sync(&inspect(&folder.path().join("new"), &second()), &mut on).expect("synced");
    assert!(done);
    let new = tree(&folder.path().join("new"));
    assert!(old != new && new.contains_key("contracts/c/src/lib.rs") && !new.contains_key("contracts/b/"));
    Scene { folder, old, new }
}

/// No file is torn, and none is lost that is in both trees.
fn whole(found: &Tree, scene: &Scene, what: &str) {
    for (path, text) in found.iter().filter(|(path, _)| !path.ends_with('/')) {
        assert!([&scene.old, &scene.new].iter().any(|tree| tree.get(path) == Some(text)), "{what}: {path} is {text:?}");
    }
    for path in scene.old.keys().filter(|path| scene.new.contains_key(*path)) {
        assert!(found.contains_key(path), "{what}: {path} is gone");
    }
}

#[track_caller]
fn equal(found: &Tree, expected: &Tree, what: &str) {
    let differs = |path: &&String| found.get(*path) != expected.get(*path);
    let paths: std::collections::BTreeSet<&String> = found.keys().chain(expected.keys()).filter(differs).collect();
    assert!(paths.is_empty(), "{what}: {paths:?}");
}

fn recovers(root: &Path, scene: &Scene, what: &str) {
    journal::resume(root, &mut on).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(workspace::sync(&inspect(root, &second()), &mut on).expect("synced"), "{what}");
    equal(&tree(root), &scene.new, what);
    assert!(!root.join(".linkwright/journal").exists(), "{what}");
}

#[test]
fn a_kill_at_any_step_leaves_every_file_old_or_new_and_the_next_sync_completes_it() {
    let scene = scene();
    let (mut unfinished, mut untouched) = (0, 0);
    for at in 0.. {
        let root = scene.folder.path().join(format!("kill{at}"));
        copy(&scene.folder.path().join("old"), &root);
        let inspection = inspect(&root, &second());
        if !killed(at, |watch| drop(workspace::sync(&inspection, watch))) {
            assert_eq!(tree(&root), scene.new);
            break;
        }
        let what = format!("killed before step {at}");
        let found = tree(&root);
        whole(&found, &scene, &what);
        match journal::pending(&root).expect("readable") {
            Some(pending) => {
                assert!(pending.left <= pending.total);
                unfinished += 1;
                // The rescue itself may be killed, too.
                for again in [0, 1, 3] {
                    killed(again, |watch| drop(journal::resume(&root, watch)));
                    whole(&tree(&root), &scene, &format!("{what}, then before step {again}"));
                }
            }
            None if found == scene.new => {}
            None => {
                equal(&found, &scene.old, &format!("{what}: without a journal nothing has happened"));
                untouched += 1;
            }
        }
        recovers(&root, &scene, &what);
    }
    assert!(unfinished > 10 && untouched > 10, "{unfinished} {untouched}");
}

#[test]
fn a_full_disk_at_any_step_is_said_and_leaves_every_file_old_or_new() {
    let scene = scene();
    for at in 0.. {
        let root = scene.folder.path().join(format!("full{at}"));
        copy(&scene.folder.path().join("old"), &root);
        let inspection = inspect(&root, &second());
        let mut step = 0;
        let mut watch = |_: &Path| {
            step += 1;
            if step > at { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        };
        let Err(error) = workspace::sync(&inspection, &mut watch) else { break };
        assert!(matches!(&error, Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull), "{error}");
        whole(&tree(&root), &scene, &format!("full at step {at}"));
        if journal::pending(&root).expect("readable").is_none() && tree(&root) == scene.old {
            assert!(!root.join(".linkwright/journal").exists(), "nothing is left behind at step {at}");
        }
        recovers(&root, &scene, &format!("full at step {at}"));
    }
}

#[test]
fn a_file_changed_after_a_kill_is_not_overwritten() {
    let scene = scene();
    let root = scene.folder.path().join("old");
    let inspection = inspect(&root, &second());
    let first_step = |root: &Path| journal::pending(root).expect("readable").is_some();
    let at = (0..).find(|at| {
        let probe = scene.folder.path().join(format!("probe{at}"));
        copy(&root, &probe);
        let inspection = inspect(&probe, &second());
        killed(*at, |watch| drop(workspace::sync(&inspection, watch)));
        first_step(&probe)
    });
    assert!(killed(at.expect("a step"), |watch| drop(workspace::sync(&inspection, watch))));
    write(&root, "docs/a.md", "the user's\n");
    let error = journal::resume(&root, &mut on).expect_err("refused");
    assert!(matches!(&error, Error::Disturbed { path } if path == "docs/a.md"), "{error}");
    assert_eq!(fs::read_to_string(root.join("docs/a.md")).expect("text"), "the user's\n");
    fs::remove_file(root.join("docs/a.md")).expect("removed");
    write(&root, "docs/a.md", &scene.old["docs/a.md"]);
    recovers(&root, &scene, "once the file is back");
}

#[test]
fn a_file_saved_while_a_sync_is_at_work_is_not_overwritten() {
    let scene = scene();
    let root = scene.folder.path().join("old");
    let inspection = inspect(&root, &second());
    write(&root, "docs/a.md", "the user's\n");
    let error = workspace::sync(&inspection, &mut on).expect_err("refused");
    assert!(matches!(&error, Error::Changed { path } if path == "docs/a.md"), "{error}");
    write(&root, "docs/a.md", &scene.old["docs/a.md"]);
    recovers(&root, &scene, "once the file is back");
}

#[test]
fn one_sync_at_a_time() {
    let scene = scene();
    let root = scene.folder.path().join("old");
    let inspection = inspect(&root, &second());
    let mut busy = false;
    let mut watch = |path: &Path| {
        if path.ends_with("draft") {
            busy = matches!(workspace::sync(&inspection, &mut on), Err(Error::Busy(_)));
        }
        Ok(())
    };
    assert!(workspace::sync(&inspection, &mut watch).expect("synced"));
    assert!(busy);
    assert_eq!(tree(&root), scene.new);
}
