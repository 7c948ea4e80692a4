use proptest::prelude::*;

use super::*;

/// `(what, base, disk, wanted, expected)`
type Case<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

#[test]
fn both_sides_changes_meet() {
    let cases: &[Case] = &[
        ("untouched keys follow", "a = 1\n", "a = 1\n\n# mine\nb = 2\n", "a = 2\n", "a = 2\n\n# mine\nb = 2\n"),
        (
            "comments and quotes stay",
            "v = \"1\"\n",
            "# why\nv   =  '1' # pinned\n",
            "v = \"2\"\n",
            "# why\nv   =  \"2\" # pinned\n",
        ),
        ("the user's value stays", "a = 1\nb = 1\n", "a = 5\nb = 1\n", "a = 1\nb = 2\n", "a = 5\nb = 2\n"),
        ("a removed key stays removed", "a = 1\nb = 1\n", "b = 1\n", "a = 1\nb = 2\n", "b = 2\n"),
        (
            "ours goes, with the user's comment kept",
            "a = 1\nb = 1\n",
            "# keep me\na = 1\nb = 1\nc = 3\n",
            "b = 1\n",
            "# keep me\nb = 1\nc = 3\n",
        ),
        ("the last key's comment stays too", "a = 1\n", "# keep me\na = 1\n", "", "# keep me\n"),
        ("our comment goes with our key", "# ours\na = 1\n", "# ours\na = 1\nb = 2\n", "", "b = 2\n"),
        (
            "new keys come with their comments",
            "[dependencies]\na = \"1\"\n",
            "[dependencies]\nz = \"9\"\na = \"1\"\n\n[profile.dev]\ndebug = true\n",
            "[dependencies]\na = \"1\"\n# for b\nb = { version = \"1\", features = [\"x\"] }\n",
            "[dependencies]\nz = \"9\"\na = \"1\"\n# for b\nb = { version = \"1\", features = [\"x\"] }\n\n[profile.dev]\ndebug = true\n",
        ),
        (
            "features are sets",
            "[dependencies]\nt = { version = \"1\", features = [\"a\", \"b\"] }\n",
            "[dependencies]\nt = { version = \"1\", features = [\"mine\", \"b\", \"a\"] }\n",
            "[dependencies]\nt = { version = \"2\", features = [\"b\", \"c\"] }\n",
            "[dependencies]\nt = { version = \"2\", features = [\"mine\", \"b\", \"c\"] }\n",
        ),
        (
            "a version is a table with one key",
            "[dependencies]\nt = \"1\"\n",
            "[dependencies]\nt = { version = \"1\", features = [\"mine\"] } # why\n",
            "[dependencies]\nt = \"2\"\n",
            "[dependencies]\nt = { version = \"2\", features = [\"mine\"] } # why\n",
        ),
        (
            "and so the other way",
            "[dependencies]\nt = \"1\"\n",
            "[dependencies]\n# mine\nt = \"5\" # why\n",
            "[dependencies]\nt = { version = \"1\", features = [\"x\"] }\n",
            "[dependencies]\n# mine\nt = { version = \"5\", features = [\"x\"] } # why\n",
        ),
        (
            "what the user wrote shorter stays as written",
            "[dependencies]\nt = { version = \"1\", features = [\"x\"] }\nu = \"1\"\n",
            "[dependencies]\nt = \"1\"\nu = \"1\"\n",
            "[dependencies]\nt = { version = \"1\", features = [\"x\"] }\nu = \"2\"\n",
            "[dependencies]\nt = \"1\"\nu = \"2\"\n",
        ),
        (
            "members over several lines",
            "[workspace]\nmembers = [\n    \"a\",\n    \"b\",\n]\n",
            "[workspace]\nmembers = [\n    # first\n    \"a\",\n    \"b\",\n    \"mine\", # tail\n]\n",
            "[workspace]\nmembers = [\n    \"a\",\n    \"c\",\n]\n",
            "[workspace]\nmembers = [\n    # first\n    \"a\",\n    \"mine\", # tail\n    \"c\",\n]\n",
        ),
        (
            "no trailing comma",
            "m = [\n  \"a\"\n]\n",
            "m = [\n  \"mine\",\n  \"a\"\n]\n",
            "m = [\n  \"a\",\n  \"b\"\n]\n",
            "m = [\n  \"mine\",\n  \"a\",\n  \"b\"\n]\n",
        ),
        (
            "a comment in a list stays",
            "m = [\n  \"a\",\n  \"b\",\n]\n",
            "m = [\n  # why\n  \"a\",\n  \"b\",\n  \"c\",\n]\n",
            "m = [\n  \"b\",\n]\n",
            "m = [\n  # why\n  \"b\",\n  \"c\",\n]\n",
        ),
        (
            "a section of ours goes, the user's keys in it stay",
            "[a]\nx = 1\n[lints.rust]\nq = 1\nr = 1\n",
            "[a]\nx = 1\n[lints.rust]\nq = 1\nr = 1\nmine = 1\n",
            "[a]\nx = 1\n",
            "[a]\nx = 1\n[lints.rust]\nmine = 1\n",
        ),
        (
            "a section comes at the end",
            "a = 1\n",
            "a = 1\nb = 2\n\n[mine]\nx = 1\n",
            "a = 1\n\n[lints]\nworkspace = true\n",
            "a = 1\nb = 2\n\n[mine]\nx = 1\n\n[lints]\nworkspace = true\n",
        ),
        (
            "a section in one line takes a table's keys",
            "",
            "[dependencies]\nx = { path = \"x\" }\n",
            "[dependencies.x]\nversion = \"1\"\n",
            "[dependencies]\nx = { path = \"x\", version = \"1\" }\n",
        ),
        (
            "binaries go by name",
            "[[bin]]\nname = \"a\"\npath = \"a.rs\"\n\n[[bin]]\nname = \"b\"\npath = \"b.rs\"\n",
            "[[bin]]\nname = \"mine\"\npath = \"m.rs\"\n\n[[bin]]\nname = \"a\"\npath = \"a.rs\"\ntest = false\n\n[[bin]]\nname = \"b\"\npath = \"b.rs\"\n",
            "[[bin]]\nname = \"a\"\npath = \"src/a.rs\"\n\n[[bin]]\nname = \"c\"\npath = \"c.rs\"\n",
            "[[bin]]\nname = \"mine\"\npath = \"m.rs\"\n\n[[bin]]\nname = \"a\"\npath = \"src/a.rs\"\ntest = false\n\n[[bin]]\nname = \"c\"\npath = \"c.rs\"\n",
        ),
        (
            "never written before",
            "",
            "[package]\nname = \"x\"\n",
            "[package]\nname = \"x\"\nedition = \"2024\"\n",
            "[package]\nname = \"x\"\nedition = \"2024\"\n",
        ),
        (
            "dotted keys",
            "[package]\nversion.workspace = true\n",
            "[package]\nversion.workspace = true\nmine = 1\n",
            "[package]\nversion.workspace = true\nedition.workspace = true\n",
            "[package]\nversion.workspace = true\nmine = 1\nedition.workspace = true\n",
        ),
    ];
    for (what, base, disk, wanted, expected) in cases {
        assert_eq!(merge(base, disk, wanted).as_deref(), Ok(*expected), "{what}");
        assert_eq!(merge(wanted, expected, wanted).as_deref(), Ok(*expected), "{what}, once more");
    }
}

#[test]
fn only_a_key_that_both_changed_differently_clashes() {
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("a = 1\n", "a = 2\n", "a = 3\n", &["a"]),
        ("a = 1\n", "a = 2\n", "a = 2\n", &[]),
        ("a = 1\n", "", "a = 2\n", &["a"]),
        ("a = 1\n", "a = 2\n", "", &["a"]),
        ("", "a = 2\n", "a = 1\n", &["a"]),
        ("[d]\nx = 1\ny = 1\n", "[d]\nx = 2\ny = 2\n", "[d]\nx = 3\ny = 3\n", &["d.x", "d.y"]),
        (
            "[dependencies]\nx = \"1\"\n",
            "[dependencies]\nx = { version = \"1\", features = [\"m\"] }\n",
            "[dependencies]\n",
            &["dependencies.x"],
        ),
        (
            "[dependencies]\nx = \"1\"\n",
            "[dependencies]\nx = \"1.5\"\n",
            "[dependencies]\nx = \"2\"\n",
            &["dependencies.x"],
        ),
        ("a = [1]\n", "a = [2]\n", "a = [3]\n", &["a"]),
        (
            "[[bin]]\nname = \"a\"\npath = \"1\"\n",
            "[[bin]]\nname = \"a\"\npath = \"2\"\n",
            "[[bin]]\nname = \"a\"\npath = \"3\"\n",
            &["bin.a.path"],
        ),
    ];
    for (base, disk, wanted, expected) in cases {
        let found = match merge(base, disk, wanted) {
            Ok(_) => vec![],
            Err(Refusal::Clashes(clashes)) => clashes.into_iter().map(|clash| clash.key).collect(),
            Err(refusal) => panic!("{refusal:?}"),
        };
        assert_eq!(found, *expected, "{base:?} {disk:?} {wanted:?}");
    }
    assert!(matches!(merge("", "a = ", ""), Err(Refusal::NotToml(_))));
}

/// Text of a manifest whose sections and keys come from small sets, so that the sides meet.
fn manifest() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    prop::collection::vec((0..3usize, 0..5usize, 0..6usize), 0..8)
}

const SECTIONS: [&str; 3] = ["package", "dependencies", "lints.rust"];
const VALUES: [&str; 6] = [
    "1",
    "\"1\"",
    "{ version = \"1\" }",
    "{ version = \"2\", features = [\"a\"] }",
    "[\"a\", \"b\"]",
    "[\"b\", \"c\"]",
];

fn written(entries: &[(usize, usize, usize)], prefix: &str, comment: bool) -> String {
    let mut text = String::new();
    for (section, name) in SECTIONS.iter().enumerate() {
        let mut seen = Vec::new();
        text.push_str(&format!("[{name}]\n"));
        for (_, key, value) in entries.iter().filter(|entry| entry.0 == section) {
            if !seen.contains(key) {
                seen.push(*key);
                if comment {
                    text.push_str(&format!("# about {name}.{prefix}{key}\n"));
                }
                text.push_str(&format!("{prefix}{key} = {}\n", VALUES[*value]));
            }
        }
    }
    text
}

fn parsed(text: &str) -> DocumentMut {
    text.parse().expect("TOML")
}

proptest! {
    #[test]
    fn nothing_of_the_users_is_lost(base in manifest(), edits in manifest(), extra in manifest(), wanted in manifest()) {
        let base_text = written(&base, "k", false);
        let wanted_text = written(&wanted, "k", false);
        // The user edits some of our keys, deletes those the edits do not name, and adds keys with comments.
        let kept: Vec<_> = base.iter().filter(|entry| entry.2 % 2 == 0).copied().collect();
        let ours = written(&[edits, kept].concat(), "k", true);
        let mut disk = ours.clone();
        for section in SECTIONS {
            let added = written(&extra, "mine", true);
            let lines: Vec<&str> = added.split(&format!("[{section}]\n")).nth(1).unwrap_or("").lines()
                .take_while(|line| !line.starts_with('[')).collect();
            disk = disk.replacen(&format!("[{section}]\n"), &format!("[{section}]\n{}\n", lines.join("\n")), 1);
        }
        match merge(&base_text, &disk, &wanted_text) {
            Err(Refusal::NotToml(message)) => prop_assert!(false, "{message}"),
            Err(Refusal::Clashes(clashes)) => prop_assert!(clashes.iter().all(|clash| !clash.key.contains("mine"))),
            Ok(merged) => {
                let (merged_doc, disk_doc, base_doc, wanted_doc) = (parsed(&merged), parsed(&disk), parsed(&base_text), parsed(&wanted_text));
                let comments = |text: &str| { let mut lines: Vec<String> = text.lines().filter(|l| l.trim_start().starts_with('#')).map(str::to_owned).collect(); lines.sort(); lines };
                prop_assert_eq!(comments(&merged), comments(&disk), "every comment is the user's and stays\n{}\n->\n{}", disk, merged);
                for section in SECTIONS {
                    let at = |document: &DocumentMut, key: &str| {
                        section.split('.').try_fold(document.as_item().clone(), |item, part| item.get(part).cloned())
                            .and_then(|item| item.get(key).cloned())
                            .map(|item| if section == "dependencies" { dependency(item) } else { item })
                    };
                    for key in (0..5).flat_map(|n| [format!("mine{n}"), format!("k{n}")]) {
                        let (b, d, w, m) = (at(&base_doc, &key), at(&disk_doc, &key), at(&wanted_doc, &key), at(&merged_doc, &key));
                        if same(b.as_ref(), w.as_ref()) {
                            prop_assert!(same(m.as_ref(), d.as_ref()), "{} is the user's: {:?} -> {:?}", key, d, m);
                        } else if same(b.as_ref(), d.as_ref()) {
                            prop_assert!(same(m.as_ref(), w.as_ref()), "{} follows the design", key);
                        }
                    }
                }
                prop_assert_eq!(merge(&wanted_text, &merged, &wanted_text), Ok(merged.clone()), "a second merge changes nothing");
            }
        }
    }

    #[test]
    fn any_text_is_merged_or_refused(base in ".{0,60}", disk in ".{0,60}", wanted in ".{0,60}") {
        let _ = merge(&base, &disk, &wanted);
    }
}
