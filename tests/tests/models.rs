//! Every folder of `models/` is a design that is right, and what it means. `UPDATE=1 cargo test -p tests --test models`
//! writes the expected texts anew.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{fs, path::Path};

use generator::{diagnostic::render, disk::load};
use tests::dump::dump;

#[test]
fn examples_are_right() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let designs: Vec<_> =
        examples.read_dir().expect("the examples").flatten().map(|e| e.path().join("design.toml")).collect();
    assert!(designs.iter().any(|design| design.exists()), "there are examples");
    for design in designs.iter().filter(|design| design.exists()) {
        let files = load::load(design);
        if let Err(found) = generator::understand_files(&files) {
            panic!("{}:\n{}", design.display(), render::render(&found, &files.sources, false));
        }
    }
}

#[test]
fn designs_mean_what_they_should() {
    let update = std::env::var_os("UPDATE").is_some();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let mut failures = Vec::new();
    let mut folders: Vec<_> =
        models.read_dir().expect("the folder of models").flatten().map(|entry| entry.path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    for folder in folders {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let files = load::load(&folder.join("design.toml"));
        let text = match generator::understand_files(&files) {
            Ok(model) => dump(&model),
            Err(found) => {
                failures.push(format!("{name} is refused:\n{}", render::render(&found, &files.sources, false)));
                continue;
            }
        };
        let expected = folder.join("model.txt");
        if update {
            fs::write(&expected, &text).expect("to write the expected text");
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            failures.push(format!("{name} means something else than {}:\n{text}", expected.display()));
        }
    }
    assert!(failures.is_empty(), "{}\n(UPDATE=1 accepts what it means)", failures.join("\n"));
}
