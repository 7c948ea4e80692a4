//! Each mistake of `tests/mutants` is one that can be made: what it changes stands once in the workspace. Whether it is
//! found takes building the workspace: `cargo xtask test --thorough --stage mutants`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{collections::BTreeMap, fs, sync::Arc};

use tests::designed::{designed, files, read, repository};
use toml_edit::DocumentMut;

#[test]
fn every_mistake_applies() {
    let mut wrong = Vec::new();
    let catalogues = fs::read_dir(repository("tests/mutants")).unwrap().map(|entry| entry.unwrap().path());
    for catalogue in catalogues.filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        let name = catalogue.file_name().unwrap();
        let design = read(&repository("tests/designs").join(name)).unwrap();
        let files: BTreeMap<String, Arc<str>> = files(&designed(&design).unwrap().plan)
            .unwrap()
            .into_iter()
            .filter_map(|write| Some((write.path, write.text?)))
            .collect();
        let changes: DocumentMut = fs::read_to_string(&catalogue).unwrap().parse().unwrap();
        let tables = ["mutants", "harmless"].into_iter().flat_map(|key| changes[key].as_array_of_tables().unwrap());
        for table in tables {
            let [kind, file, find] = ["kind", "file", "find"].map(|key| table[key].as_str().unwrap());
            let count = files.get(file).map_or(0, |text| text.matches(find).count());
            if count != 1 {
                wrong.push(format!("{}, {kind}: stands {count} times in {file}:\n{find}", name.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
