//! Every folder of `broken/` is a design with a mistake (or, `W…`, a doubtful one) and what is said about it. A folder is named
//! `<code>-<what it shows>`. `UPDATE=1 cargo test -p tests --test broken` writes the expected texts anew.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use generator::{diagnostic::render, disk::load};

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("broken")
        .read_dir()
        .expect("the folder of broken designs")
        .map(|entry| entry.expect("an entry of it").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

#[test]
fn broken_designs_say_what_is_wrong() {
    let update = std::env::var_os("UPDATE").is_some();
    let folders = folders();
    assert!(!folders.is_empty());
    let mut failures = Vec::new();
    for folder in folders {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let files = load::load(&folder.join("design.toml"));
        let understood = generator::understood(files.parse());
        let diagnostics = understood.map_or_else(|mistakes| mistakes, |understood| understood.warnings());
        let text = render::render(&diagnostics, &files.sources, false);
        let code = name.split('-').next().unwrap_or_default();
        if !diagnostics.iter().any(|diagnostic| diagnostic.code == code) {
            failures.push(format!("{name}: says nothing of {code}:\n{text}"));
        }
        // A mistake of form has a right form.
        for diagnostic in
            diagnostics.iter().filter(|diagnostic| diagnostic.code.starts_with("E1")).filter(|d| d.help.is_none())
        {
            failures.push(format!("{name}: no help for {}: {}", diagnostic.code, diagnostic.message));
        }
        let expected = folder.join("expected.txt");
        if update {
            fs::write(&expected, &text).expect("to write the expected text");
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            failures.push(format!("{name}: says something else than {}:\n{text}", expected.display()));
        }
    }
    assert!(failures.is_empty(), "{}\n(UPDATE=1 accepts what is said)", failures.join("\n"));
}

/// Each code that the reader of designs can give is shown by at least one broken design.
#[test]
fn every_code_of_form_and_types_is_shown() {
    let shown: BTreeSet<String> = folders()
        .iter()
        .filter_map(|folder| Some(folder.file_name()?.to_str()?.split('-').next()?.to_owned()))
        .collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../generator/src");
    let mut missing = BTreeSet::new();
    for folder in
        ["parse", "parse/types", "parse/toml", "check", "check/links", "check/names", "check/versions", "names"]
    {
        for file in source.join(folder).read_dir().expect("the sources").flatten().filter(|file| file.path().is_file())
        {
            let text = fs::read_to_string(file.path()).expect("a source");
            for at in ["\"E", "\"W"].iter().flat_map(|start| text.match_indices(start)).map(|(at, _)| at) {
                let rest = &text[at + 1..];
                let code = &rest[..rest.find('"').unwrap_or(0).min(4)];
                if code.len() > 2 && code[1..].bytes().all(|b| b.is_ascii_digit()) && !shown.contains(code) {
                    missing.insert(code.to_owned());
                }
            }
        }
    }
    assert_eq!(missing, BTreeSet::new(), "codes without a folder in `broken/`");
}
