//! Designs on disk: what is read, and what is said about what cannot be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::Path};

use generator::{
    diagnostic::{Diagnostic, render},
    disk::load,
};

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn said(root: &Path) -> (Vec<Diagnostic>, String) {
    let files = load::load(root);
    let (design, diagnostics) = files.parse();
    assert!(design.incomplete || files.diagnostics.is_empty());
    assert!(!design.incomplete || !diagnostics.is_empty(), "what is lost is told");
    let text = render::render(&diagnostics, &files.sources, false);
    (diagnostics, text)
}

/// One diagnostic, which says this.
fn one(root: &Path, code: &str, part: &str) {
    let (diagnostics, text) = said(root);
    assert_eq!(diagnostics.len(), 1, "{text}");
    assert_eq!(diagnostics[0].code, code, "{text}");
    assert!(diagnostics[0].message.contains(part), "{text}");
    assert!(diagnostics[0].help.is_some(), "{text}");
}

#[test]
fn included_files_come_sorted_and_once() {
    let folder = folder(&[
        (
            "design.toml",
            b"[system]\nname = \"x\"\ninclude = [\"services/*.toml\", \"services/b.toml\", \"**/*.toml\", \"*.toml\"]\n",
        ),
        ("services/b.toml", b"[services.b]\n"),
        ("services/a.toml", b"[services.a]\n"),
        ("services/.hidden.toml", b"this is not TOML"),
        ("services/notes.txt", b"this is not TOML"),
        ("deep/down/c.toml", b"[services.c]\n"),
    ]);
    let files = load::load(&folder.path().join("design.toml"));
    let paths: Vec<&str> = files.sources.0.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(paths, ["design.toml", "deep/down/c.toml", "services/a.toml", "services/b.toml"]);
    let (design, diagnostics) = files.parse();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(design.services.keys().collect::<Vec<_>>(), ["c", "a", "b"]);
}

/// A folder's own name is no pattern.
#[test]
fn a_folder_may_be_called_like_a_pattern() {
    let folder = folder(&[
        ("a[b]*/design.toml", b"[system]\nname = \"x\"\ninclude = [\"more.toml\"]\n"),
        ("a[b]*/more.toml", b"[services.a]\n"),
    ]);
    let (diagnostics, text) = said(&folder.path().join("a[b]*/design.toml"));
    assert!(diagnostics.is_empty(), "{text}");
}

#[test]
fn roots_that_cannot_be_read() {
    let folder = folder(&[("file", b""), ("folder/x", b""), ("latin1.toml", b"[system]\nname = \"caf\xE9\"\n")]);
    let path = |name: &str| folder.path().join(name);
    one(&path("none.toml"), "E113", "does not exist");
    one(&path("folder"), "E113", "is a folder");
    one(&path("file/design.toml"), "E113", "is below a file");
    one(&path("latin1.toml"), "E113", "is not UTF-8: there is a byte 0xE9");
    let (diagnostics, text) = said(&path("latin1.toml"));
    assert!(text.contains("--> latin1.toml:2:12"), "{text}");
    assert!(text.contains("name = \"caf"), "{text}");
    assert_eq!(diagnostics[0].help.as_deref(), Some("save it as UTF-8"));
    fs::write(path("utf16.toml"), b"\xFF\xFE[\0s\0").unwrap();
    assert!(said(&path("utf16.toml")).1.contains("looks like UTF-16"));
}

#[test]
fn fifty_megabytes_are_not_read() {
    let folder = folder(&[]);
    let path = folder.path().join("design.toml");
    fs::File::create(&path).unwrap().set_len(50 << 20).unwrap();
    one(&path, "E113", "is larger than 1048576 bytes (1 MiB)");
    let comment = format!("[system]\nname = \"x\"\n{}", "#".repeat((1 << 20) - 20));
    assert_eq!(comment.len(), 1 << 20);
    fs::write(&path, &comment).unwrap();
    assert!(said(&path).0.is_empty());
    fs::write(&path, comment + "#").unwrap();
    one(&path, "E113", "is larger than");
}

#[test]
fn included_files_that_cannot_be_read() {
    let folder = folder(&[
        ("design.toml", b"[system]\nname = \"x\"\nbroker = \"kafak\"\ninclude = [\"*.toml\"]\n"),
        ("latin1.toml", b"[services.a]\nteam = \"caf\xE9\"\nexpose = 5\n"),
        ("folder.toml/x", b""),
        ("good.toml", b"[services.b]\nexpose = [\"gprc\"]\n"),
    ]);
    let (diagnostics, text) = said(&folder.path().join("design.toml"));
    let codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    // What could be read has its say; of what could not, nothing is guessed.
    assert_eq!(codes, ["E113", "E113", "E106", "E106"], "{text}");
    assert!(text.contains("latin1.toml:2:12") && text.contains("included here"), "{text}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 64, ..Default::default() })]

    #[test]
    fn any_bytes(root in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300), part in ".{0,100}") {
        let folder = folder(&[("any.toml", &root), ("part.toml", part.as_bytes()), ("more.toml", &root)]);
        fs::write(folder.path().join("design.toml"), "[system]\nname = \"x\"\ninclude = [\"*.toml\"]\n").unwrap();
        for root in ["any.toml", "design.toml"] {
            said(&folder.path().join(root));
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let folder = folder(&[]);
    let path = folder.path().join("design.toml");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if made.is_ok_and(|status| status.success()) {
        one(&path, "E113", "is not a file");
    }
}

#[cfg(unix)]
#[test]
fn links_in_a_circle() {
    let folder = folder(&[("design.toml", b"[system]\nname = \"x\"\ninclude = [\"loop.toml\"]\n")]);
    std::os::unix::fs::symlink("loop.toml", folder.path().join("loop.toml")).unwrap();
    let (diagnostics, text) = said(&folder.path().join("design.toml"));
    assert_eq!(diagnostics.len(), 1, "{text}");
}

#[test]
fn a_path_with_control_characters_is_shown_harmlessly() {
    let folder = folder(&[]);
    let (_, text) = said(&folder.path().join("a\u{1b}[31m\u{202e}.toml"));
    assert!(text.contains("\\u{1b}[31m\\u{202e}"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}
