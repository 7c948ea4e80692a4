use super::*;
use crate::{
    format::File,
    lock::{Entry, hash},
    plan::Stub,
};

/// One file, as `(owner, wanted, base, disk)`; unformatted and formatted text are the same.
fn one(owner: Owner, wanted: Option<&str>, base: Option<&str>, disk: Option<Found>, layout: &Cache) -> Changes {
    let path = || "a/x.rs".to_owned();
    let file = |text: &str| File { text: text.into(), hash: hash(text), owner };
    let entry = |text: &str| Entry { owner, hash: hash(text), base: Some(text.into()), told: None };
    let wanted =
        Formatted { files: wanted.map(|text| (path(), file(text))).into_iter().collect(), ..Default::default() };
    let lock = Lock { entries: base.map(|text| (path(), entry(text))).into_iter().collect() };
    let disk = Snapshot { files: disk.map(|found| (path(), found)).into_iter().collect(), ..Default::default() };
    compare(&wanted, &lock, &disk, &[], layout)
}

#[test]
fn what_a_design_adds_to_a_file_of_the_user_s_is_proposed_once() {
    let (path, base) = ("a/x.rs".to_owned(), "one\ntwo\nthree\n");
    let wanted = |text: &str| {
        let file = File { text: text.into(), hash: hash(text), owner: Owner::Yours };
        Formatted { files: [(path.clone(), file)].into(), ..Default::default() }
    };
    let entry = Entry { owner: Owner::Yours, hash: hash(base), base: Some(base.into()), told: None };
    let lock = Lock { entries: [(path.clone(), entry)].into() };
    let with = |disk: &str, text: &str, lock: &Lock| {
        let disk = Snapshot { files: [(path.clone(), Found::Text(disk.into()))].into(), ..Default::default() };
        compare(&wanted(text), lock, &disk, &[], &Cache::default())
    };
    let sync = |text: &str, lock: &Lock| with("mine\ntwo\nthree\n", text, lock);

    let first = sync("one\ntwo\nthree\nfour\n", &lock);
    let [Change { action: Action::Propose(diff), .. }] = first.files.as_slice() else { panic!("{first:?}") };
    assert!(diff.contains("+four") && !diff.contains("mine"), "from the text as it was written: {diff}");
    assert!(first.is_clean() && first.writes(Some(&lock)).iter().all(|write| write.path == lock::PATH));
    assert_eq!(first.lock.entries[&path].base.as_deref(), Some(base));
    let second = sync("one\ntwo\nthree\nfour\n", &first.lock);
    assert_eq!((&second.files, &second.lock), (&vec![], &first.lock), "said once");
    let taken = with("mine\ntwo\nthree\nfour\n", "one\ntwo\nthree\nfour\n", &second.lock);
    let entry = &taken.lock.entries[&path];
    assert_eq!((&taken.files, entry.base.as_deref(), &entry.told), (&vec![], Some("one\ntwo\nthree\nfour\n"), &None));
    let third = sync("one\ntwo\nthree\nfive\n", &second.lock);
    assert_eq!(third.files.len(), 1, "something else is");
    let back = sync(base, &third.lock);
    assert_eq!((&back.files, &back.lock), (&vec![], &lock));
}

#[test]
fn what_a_database_may_have_is_told_and_left() {
    let (path, base) = ("a/x_1.sql".to_owned(), "one\n");
    let entry = Entry { owner: Owner::Applied, hash: hash(base), base: Some(base.into()), told: None };
    let lock = Lock { entries: [(path.clone(), entry)].into() };
    let sync = |text: &str, lock: &Lock| {
        let file = File { text: text.into(), hash: hash(text), owner: Owner::Applied };
        let wanted = Formatted { files: [(path.clone(), file)].into(), ..Default::default() };
        let disk = Snapshot { files: [(path.clone(), Found::Text(base.into()))].into(), ..Default::default() };
        compare(&wanted, lock, &disk, &[], &Cache::default())
    };
    let first = sync("one\ntwo\n", &lock);
    let [change @ Change { action: Action::Propose(diff), .. }] = first.files.as_slice() else { panic!("{first:?}") };
    assert!(diff.contains("+two") && change.reason().is_some_and(|reason| reason.contains("another migration")));
    assert!(first.is_clean() && first.writes(Some(&lock)).iter().all(|write| write.path != path));
    assert_eq!(sync("one\ntwo\n", &first.lock).files, vec![], "said once");
    let second = sync("one\ntwo\nthree\n", &first.lock);
    let [Change { action: Action::Propose(diff), .. }] = second.files.as_slice() else { panic!("{second:?}") };
    assert!(diff.contains("+three") && !diff.contains("+two"), "from what was told: {diff}");
}

fn text(text: &str) -> Option<Found> {
    Some(Found::Text(text.to_owned()))
}

#[test]
fn every_owner_has_its_rules() {
    use Owner::{Generated, Library, Manifest, Seed, Vendored, Yours};
    // owner, wanted, base, disk, expected: the change's words, or "" for nothing to do
    type Case<'a> = (Owner, Option<&'a str>, Option<&'a str>, Option<&'a str>, &'a str);
    let cases: &[Case] = &[
        (Generated, Some("1"), None, None, "create"),
        (Generated, Some("1"), Some("1"), Some("1"), ""),
        (Generated, Some("2"), Some("1"), Some("1"), "update"),
        (Generated, Some("2"), Some("1"), Some("2"), ""),
        (Generated, Some("1"), Some("1"), None, "create"),
        (Generated, Some("1"), Some("1"), Some("x"), "conflict: generated, but edited"),
        (Generated, Some("2"), Some("1"), Some("x"), "conflict: generated, but edited"),
        (Generated, Some("1"), None, Some("x"), "conflict: there already is"),
        (Generated, Some("1"), None, Some("1"), ""),
        (Generated, None, Some("1"), Some("1"), "delete"),
        (Generated, None, Some("1"), Some("x"), "conflict: no longer part of the design, but"),
        (Generated, None, Some("1"), None, ""),
        (Vendored, Some("2"), Some("1"), Some("1"), "update"),
        (Vendored, Some("2"), Some("1"), Some("x"), "conflict"),
        (Vendored, None, Some("1"), Some("1"), "delete"),
        (Library, Some("1"), None, None, "create"),
        (Library, Some("1"), None, Some("1"), ""),
        (Library, Some("1"), None, Some("x"), "conflict"),
        (Library, Some("2"), Some("1"), Some("1"), "update"),
        (Library, Some("2"), Some("1"), Some("x"), "conflict"),
        (Library, None, Some("1"), Some("1"), "delete"),
        (Library, None, Some("1"), Some("x"), "conflict"),
        (Yours, Some("1"), None, None, "create"),
        (Yours, Some("2"), Some("1"), Some("1"), "propose: it is yours"),
        (Yours, Some("2"), Some("1"), Some("x"), "propose: it is yours"),
        (Yours, Some("2"), Some("1"), Some("2"), ""),
        (Yours, Some("1\n2\n3\n4\n"), Some("1\n2\n3\n"), Some("x\n2\n3\n4\n"), ""),
        (Yours, Some("2"), Some("1"), None, ""),
        (Yours, Some("1"), None, Some("x"), ""),
        (Yours, None, Some("1"), Some("x"), "keep: no longer part"),
        (Yours, None, Some("1"), Some("1"), "keep: no longer part"),
        (Yours, None, Some("1"), None, ""),
        (Seed, Some("1"), None, None, "create"),
        (Seed, Some("2"), Some("1"), Some("x"), ""),
        (Seed, Some("2"), Some("1"), None, ""),
        (Seed, None, Some("1"), Some("x"), ""),
        (Manifest, Some("a = 1\n"), None, None, "create"),
        (Manifest, Some("a = 1\n"), Some("a = 1\n"), None, "create"),
        (Manifest, Some("a = 2\n"), Some("a = 1\n"), Some("a = 1\n"), "update"),
        (Manifest, Some("a = 1\n"), Some("a = 1\n"), Some("# mine\na = 1\nb = 2\n"), ""),
        (Manifest, Some("a = 2\n"), Some("a = 1\n"), Some("# mine\na = 1\nb = 2\n"), "merge"),
        (Manifest, Some("a = 2\n"), Some("a = 1\n"), Some("a = 3\n"), "conflict: `a` is `3` here and `2`"),
        (Manifest, Some("a = 2\n"), None, Some("b = 3\n"), "merge"),
        (Manifest, Some("a = 2\n"), None, Some("a = 3\n"), "conflict: `a`"),
        (Manifest, Some("a = 2\n"), Some("a = 1\n"), Some("= ="), "conflict: it is not TOML"),
        (Manifest, None, Some("a = 1\n"), Some("a = 1\n"), "delete"),
        (Manifest, None, Some("a = 1\n"), Some("a = 3\n"), "keep: no longer part of the design; you changed it"),
    ];
    for (owner, wanted, base, disk, expected) in cases {
        let changes = one(*owner, *wanted, *base, disk.and_then(text), &Cache::default());
        let case = format!("{owner:?} wanted {wanted:?} base {base:?} disk {disk:?}: {changes:?}");
        let said: Vec<String> = changes.files.iter().map(ToString::to_string).collect();
        let said = said.join("").split_whitespace().collect::<Vec<_>>().join(" ").replacen(" a/x.rs", "", 1);
        assert!(if expected.is_empty() { said.is_empty() } else { said.starts_with(expected) }, "{said:?} in {case}");

        // Once carried out, there is nothing more to do.
        if said.starts_with("conflict") {
            continue;
        }
        let disk = match changes.files.first().map(|change| &change.action) {
            Some(Action::Create(new) | Action::Update(new) | Action::Merge(new)) => text(new),
            Some(Action::Delete) => None,
            _ => disk.and_then(text),
        };
        let wanted = Formatted {
            files: wanted
                .map(|text| ("a/x.rs".to_owned(), File { text: text.into(), hash: hash(text), owner: *owner }))
                .into_iter()
                .collect(),
            ..Default::default()
        };
        let disk = Snapshot {
            files: disk.map(|found| ("a/x.rs".to_owned(), found)).into_iter().collect(),
            ..Default::default()
        };
        let again = compare(&wanted, &changes.lock, &disk, &[], &Cache::default());
        assert_eq!((again.files, &again.lock), (vec![], &changes.lock), "second sync after {case}");
        assert_eq!(
            changes.is_clean(),
            changes.files.iter().all(|change| matches!(change.action, Action::Keep(_) | Action::Propose(_)))
        );
    }
}

#[test]
fn a_new_layout_is_no_edit() {
    let mut layout = Cache::default();
    for (text, formatted) in [("f( )", "f()"), ("f()", "f()"), ("g( )", "g()"), ("g()", "g()"), ("f ()", "f()")] {
        layout.insert(text, formatted.to_owned());
    }
    let cases: &[(Option<&str>, &str, &str, Option<&str>)] = &[
        (Some("f()"), "f()", "f( )", None),
        (Some("g()"), "f()", "f( )", Some("update")),
        (Some("g()"), "f()", "g( )", None),
        (Some("f()"), "f()", "g( )", Some("conflict")),
        (None, "f()", "f( )", Some("delete")),
        // Another rustfmt laid the base out.
        (Some("g()"), "f ()", "f( )", Some("update")),
    ];
    for (wanted, base, disk, expected) in cases {
        let changes = one(Owner::Generated, *wanted, Some(base), text(disk), &layout);
        let said = changes.files.first().map(|change| change.action.name());
        assert_eq!(said, *expected, "wanted {wanted:?} base {base} disk {disk}");
    }
}

#[test]
fn what_is_in_the_way_stops_ours_and_not_the_users() {
    let blocks = [
        Blocked::Folder,
        Blocked::Symlink,
        Blocked::NotText,
        Blocked::Special,
        Blocked::BelowFile("a".into()),
        Blocked::BelowLink("a".into()),
    ];
    for blocked in blocks {
        for owner in [Owner::Generated, Owner::Vendored, Owner::Library, Owner::Manifest] {
            for (wanted, base) in [(Some("1"), Some("1")), (Some("1"), None), (None, Some("1"))] {
                let changes = one(owner, wanted, base, Some(Found::Blocked(blocked.clone())), &Cache::default());
                assert_eq!(changes.count().conflicts, 1, "{owner:?} {blocked:?}");
            }
        }
        for owner in [Owner::Yours, Owner::Seed] {
            let changes = one(owner, Some("1"), Some("1"), Some(Found::Blocked(blocked.clone())), &Cache::default());
            assert!(changes.is_clean(), "{owner:?} {blocked:?}");
        }
    }
}

#[test]
fn a_conflict_shows_the_edit() {
    let changes = one(Owner::Generated, Some("a\nb\n"), Some("a\nb\n"), text("a\nc\n"), &Cache::default());
    let (_, conflict) = changes.conflicts().next().expect("a conflict");
    assert_eq!(conflict.diff.as_deref(), Some("--- as generated\n+++ on disk\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"));
    let json = serde_json::to_value(&changes.files[0]).expect("serialises");
    assert_eq!((&json["action"], &json["path"]), (&"conflict".into(), &"a/x.rs".into()));
    assert!(json["help"].as_str().is_some_and(|help| help.contains("own")));
}

#[test]
fn own_paths_are_left_alone() {
    let file = File { text: "new".into(), hash: hash("new"), owner: Owner::Generated };
    let wanted = Formatted {
        files: [("docs/a.md".to_owned(), file.clone()), ("docs2/a.md".to_owned(), file)].into(),
        ..Default::default()
    };
    let entry = Entry { owner: Owner::Generated, hash: hash("old"), base: Some("old".into()), told: None };
    let lock = Lock { entries: [("docs/a.md".to_owned(), entry.clone()), ("docs/b.md".to_owned(), entry)].into() };
    let changes = compare(&wanted, &lock, &Snapshot::default(), &["docs".to_owned()], &Cache::default());
    assert_eq!(changes.files.iter().map(|change| change.path.as_str()).collect::<Vec<_>>(), ["docs2/a.md"]);
    assert_eq!(changes.lock.entries.get("docs/a.md"), lock.entries.get("docs/a.md"), "kept for the day `own` ends");
}

#[test]
fn writes_follow_the_changes_and_keep_the_records() {
    let file = |text: &str, owner| File { text: text.into(), hash: hash(text), owner };
    let entry = |text: &str, owner| Entry { owner, hash: hash(text), base: Some(text.into()), told: None };
    let wanted = Formatted {
        files: [
            ("new".to_owned(), file("n", Owner::Generated)),
            ("same".to_owned(), file("s", Owner::Generated)),
            ("Cargo.lock".to_owned(), file("l", Owner::Seed)),
        ]
        .into(),
        ..Default::default()
    };
    let before = Lock {
        entries: [("gone".to_owned(), entry("g", Owner::Generated)), ("same".to_owned(), entry("s", Owner::Generated))]
            .into(),
    };
    let disk = Snapshot {
        files: [("gone", "g"), ("same", "s")].map(|(path, t)| (path.to_owned(), Found::Text(t.into()))).into(),
        ..Default::default()
    };
    let changes = compare(&wanted, &before, &disk, &[], &Cache::default());
    let writes = changes.writes(Some(&before));
    let paths: Vec<_> = writes.iter().map(|write| (write.path.as_str(), write.text.as_deref())).collect();
    let lock = changes.lock.render();
    assert_eq!(
        paths,
        [
            ("Cargo.lock", Some("l")),
            ("gone", None),
            ("new", Some("n")),
            (".linkwright/base/gone", None),
            (".linkwright/base/new", Some("n")),
            (".linkwright/lock", Some(lock.as_str())),
        ]
    );
}

#[test]
fn missing_methods_are_found_by_text() {
    let implementation = "use x;\n\nimpl Inventory for Service {\n    async fn get(&self) {\n        reserve();\n    }\n\n    // fn release(&self)\n}\n\nimpl Other for Service {}\n";
    // (sources, expected path:line and methods)
    type Sources<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, Sources, &[&str])] = &[
        ("two lack", &[("s/src/app.rs", implementation)], &["s/src/app.rs:9 reserve", "s/src/app.rs:9 release"]),
        (
            "moved",
            &[
                ("s/src/app.rs", "mod i;"),
                ("s/src/i.rs", "impl contracts::Inventory for S {\nfn get() {} fn reserve() {}\nfn release() {}\n}"),
            ],
            &[],
        ),
        (
            "moved and lacking",
            &[("s/src/i.rs", "impl Inventory for S {\nfn get() {}\nfn reserved() {}\nfn release() {}\n}\n")],
            &["s/src/i.rs:5 reserve"],
        ),
        (
            "a name elsewhere",
            &[
                ("s/src/app.rs", "impl Inventory for S {\nfn get() {}\nfn release() {}\n}\n"),
                ("s/src/store.rs", "impl Store { fn reserve() {} }"),
            ],
            &["s/src/app.rs:4 reserve"],
        ),
        ("no implementation", &[("s/src/app.rs", "impl MyInventory for S {}")], &[]),
        ("deleted", &[], &[]),
    ];
    let stub =
        |method: &str| Stub { of: "Inventory".into(), method: method.into(), text: format!("    fn {method}() {{}}") };
    let stubs = BTreeMap::from([("s/src/app.rs".to_owned(), ["get", "reserve", "release"].map(stub).to_vec())]);
    let wanted = Formatted { stubs, ..Default::default() };
    for (name, sources, expected) in cases {
        let sources = sources.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let disk = Snapshot { sources: [("s/src/app.rs".to_owned(), sources)].into(), ..Default::default() };
        let changes = compare(&wanted, &Lock::default(), &disk, &[], &Cache::default());
        let found: Vec<String> =
            changes.stubs.iter().map(|stub| format!("{}:{} {}", stub.path, stub.line, stub.method)).collect();
        assert_eq!(found, *expected, "{name}");
        assert!(changes.is_clean(), "{name}: what the user has to write is no change of ours");
    }
}
