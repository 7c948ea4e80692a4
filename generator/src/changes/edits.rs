//! Any change of the design on top of any edit of the user's: nothing of the user's is lost.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Action, Cache, Found, Snapshot, compare};
use crate::{
    format::{File, Formatted},
    lock::{self, Lock, hash},
    plan::Owner,
};

const PATHS: [(&str, Owner); 10] = [
    ("a.md", Owner::Generated),
    ("b/c.md", Owner::Generated),
    ("kit/k.txt", Owner::Vendored),
    ("kit/l.js", Owner::Library),
    ("s/one.txt", Owner::Yours),
    ("s/two.txt", Owner::Yours),
    ("s/three.sql", Owner::Applied),
    ("Cargo.toml", Owner::Manifest),
    ("s/Cargo.toml", Owner::Manifest),
    ("Cargo.lock", Owner::Seed),
];

type Disk = BTreeMap<String, String>;

/// For each path whether it is planned, and which of three texts it has.
fn design() -> impl Strategy<Value = Vec<Option<usize>>> {
    prop::collection::vec(prop::option::weighted(0.8, 0..3usize), PATHS.len())
}

/// For each path what the user does to it: nothing, edit, delete, write what any design would say.
fn edits() -> impl Strategy<Value = Vec<(u8, usize)>> {
    prop::collection::vec((0..8u8, 0..3usize), PATHS.len())
}

fn text(owner: Owner, version: usize) -> String {
    if owner == Owner::Manifest {
        format!("[package]\nversion = \"{version}\"\n")
    } else {
        format!("version {version}\n")
    }
}

fn planned(design: &[Option<usize>]) -> Formatted {
    let files = PATHS.iter().zip(design).filter_map(|((path, owner), version)| {
        let text = text(*owner, (*version)?);
        Some(((*path).to_owned(), File { hash: hash(&text), text: text.into(), owner: *owner }))
    });
    Formatted { files: files.collect(), ..Formatted::default() }
}

fn edited(owner: Owner, text: &str) -> String {
    if owner == Owner::Manifest { format!("# mine\n{text}\n[mine]\nkey = 1\n") } else { format!("{text}mine\n") }
}

/// What `sync` does: nothing if there is a conflict. Answers whether there was none.
fn sync(design: &Formatted, disk: &mut Disk) -> bool {
    let before = disk.get(lock::PATH).map(|text| Lock::parse(text, |path| disk.get(path).cloned()).expect("a lock"));
    let files = disk.iter().map(|(path, text)| (path.clone(), Found::Text(text.clone()))).collect();
    let snapshot = Snapshot { files, ..Snapshot::default() };
    let changes = compare(design, &before.clone().unwrap_or_default(), &snapshot, &[], &Cache::default());
    if changes.conflicts().next().is_some() {
        return false;
    }
    for write in changes.writes(before.as_ref()) {
        match write.text {
            Some(text) => disk.insert(write.path, text.to_string()),
            None => disk.remove(&write.path),
        };
    }
    true
}

fn said(design: &Formatted, disk: &Disk) -> Vec<Action> {
    let lock = Lock::parse(&disk[lock::PATH], |path| disk.get(path).cloned()).expect("a lock");
    let files = disk.iter().map(|(path, text)| (path.clone(), Found::Text(text.clone()))).collect();
    let changes = compare(design, &lock, &Snapshot { files, ..Snapshot::default() }, &[], &Cache::default());
    changes.files.into_iter().map(|change| change.action).collect()
}

proptest! {
    #[test]
    fn nothing_of_the_users_is_lost(designs in prop::collection::vec(design(), 2..5), edits in prop::collection::vec(edits(), 4)) {
        let mut disk = Disk::new();
        prop_assert!(sync(&planned(&designs[0]), &mut disk), "an empty folder has no conflicts");
        for (design, edits) in designs[1..].iter().zip(&edits) {
            for ((path, owner), (edit, version)) in PATHS.iter().zip(edits) {
                match (edit, disk.get(*path).cloned()) {
                    (0, Some(old)) => { disk.insert((*path).into(), edited(*owner, &old)); }
                    (1, Some(_)) => { disk.remove(*path); }
                    (2, _) => { disk.insert((*path).into(), text(*owner, *version)); }
                    _ => {}
                }
            }
            disk.insert("mine.txt".into(), "mine".into());
            let before = disk.clone();
            let design = planned(design);
            if !sync(&design, &mut disk) {
                prop_assert_eq!(&disk, &before, "a conflict changes nothing");
                // The user gives in and takes the files away, all but his own.
                for (path, owner) in PATHS {
                    if !matches!(owner, Owner::Yours | Owner::Applied | Owner::Seed) {
                        disk.remove(path);
                    }
                }
                prop_assert!(sync(&design, &mut disk), "what the help says settles every conflict");
            }
            for ((path, owner), now) in PATHS.iter().map(|file| (file, disk.get(file.0))) {
                let was = before.get(*path);
                match owner {
                    Owner::Yours | Owner::Applied | Owner::Seed if was.is_some() => {
                        prop_assert_eq!(now, was, "{} is the user's", path);
                    }
                    Owner::Generated | Owner::Vendored | Owner::Library => match design.files.get(*path) {
                        Some(file) => prop_assert_eq!(now.map(String::as_str), Some(&*file.text), "{} follows the design", path),
                        // A file that Linkwright never wrote is none of its business.
                        None => prop_assert!(now.is_none() || now == was, "{}", path),
                    },
                    _ => {}
                }
            }
            prop_assert_eq!(disk.get("mine.txt").map(String::as_str), Some("mine"));
            prop_assert_eq!(said(&design, &disk), vec![], "a second sync has nothing to do");
        }
    }
}
