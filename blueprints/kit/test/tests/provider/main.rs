//! The suite around a small service that can be told to make one mistake: right, it passes; wrong, the line names the
//! operation, the transport and the rule.

mod notes;

use std::fs;

use kit_test::provider::{Provider, Setting, prove};
use notes::{Mistake, router};
use serde::Deserialize;

#[derive(Deserialize)]
struct Config {}

/// What the suite says of a service with this mistake.
async fn said(mistake: Mistake, case: &str) -> String {
    let contract = tempfile::tempdir().expect("a folder");
    fs::write(contract.path().join("openapi.json"), notes::openapi().to_string()).expect("a document");
    fs::write(contract.path().join("case.toml"), case).expect("a case");
    let folder = contract.path().display().to_string();
    let description = notes::description().to_string();
    let start = async || {
        let setting = Setting {
            name: "notes",
            config: "[server]\nlisten = \"127.0.0.1:0\"",
            description: &description,
            contract: &folder,
            cases: &folder,
            links: Vec::new(),
        };
        Provider::start(setting, async move |_: Config, _| Ok(router(mistake))).await
    };
    prove(start, async |provider| provider.over_rest()).await.map_or_else(|error| error.to_string(), |()| String::new())
}

#[tokio::test]
async fn a_service_that_keeps_its_contract_passes() {
    let case = r#"
        [[steps]]
        call = "create_note"
        input = { text = "tea" }
        save = { note = "id" }
        [[steps]]
        call = "list_notes"
        input = { text = ["tea"] }
        expect = { items = [{ id = "{note}", text = "tea" }] }
        [[steps]]
        call = "get_note"
        id = "0190a5c8-3f5e-7d3a-9a42-000000000000"
        error = "not_found"
    "#;
    assert_eq!(said(Mistake::None, case).await, "");
}

#[tokio::test]
async fn each_mistake_is_named() {
    for (mistake, line) in [
        (Mistake::Created200, "notes.create_note over REST: status: 200 is not declared"),
        (Mistake::Location, "notes.create_note over REST: Location: /v1/note/"),
        (Mistake::Etag, "notes.patch_note over REST: ETag: the item has changed and is still of revision"),
        (Mistake::Stale, "notes.patch_note over REST: If-Match of another revision: `stale` was due"),
        (Mistake::Filter, "notes.list_notes over REST: filter `text`: "),
        (Mistake::Twice, "notes.list_notes over REST: paging: "),
        (Mistake::Cursor, "notes.list_notes over REST: a cursor without `text` used with it: `invalid` was due"),
        (Mistake::Undeleted, "notes.get_note over REST: what was deleted is gone: `not_found` was due"),
        (Mistake::Again, "notes.delete_note over REST: delete again: `not_found` was due"),
        (Mistake::Missing, "notes.get_note over REST: schema of the answer: \"text\" is a required property"),
        (Mistake::Document, "notes.openapi over REST: the document: what is served"),
        (Mistake::Undeclared, "notes.get_note over REST: declared errors: failed with `denied`"),
        (Mistake::Same, "notes.create_note over REST: `text` is unique: `exists` was due"),
        (Mistake::Unchecked, "notes.create_note over REST: `text` too long: `invalid` was due"),
    ] {
        let said = said(mistake, "").await;
        assert!(said.contains(line), "{mistake:?}: {said}");
    }
}

#[tokio::test]
async fn a_case_that_fails_is_named_with_its_line() {
    let case = "[[steps]]\ncall = \"create_note\"\ninput = { text = \"tea\" }\nexpect = { text = \"coffee\" }";
    let said = said(Mistake::None, case).await;
    assert!(
        said.contains("notes.create_note over REST: case.toml:2: `text`: \"coffee\" was expected, it is \"tea\""),
        "{said}"
    );
}

#[tokio::test]
async fn a_case_file_that_cannot_be_read_says_where() {
    let said = said(Mistake::None, "[[steps]]\ncall = \"crate_note\"").await;
    assert_eq!(said, "case.toml:2: notes has no operation `crate_note`");
}
