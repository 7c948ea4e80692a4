//! What tests ask of documents.

/// What is wrong with a value, by the schema at that place of a document; formats are checked too.
pub(crate) fn wrong(document: &serde_json::Value, pointer: &str, value: &serde_json::Value) -> Vec<String> {
    let mut schema = document.clone();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    // Under a name of our own, for a place may have characters that a reference has to escape.
    schema["x-target"] = document.pointer(pointer).unwrap().clone();
    schema["$ref"] = "#/x-target".into();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect()
}

/// Calls `see` with every object of a document and its place.
pub(crate) fn walk(
    value: &serde_json::Value,
    pointer: &str,
    see: &mut impl FnMut(&str, &serde_json::Map<String, serde_json::Value>),
) {
    match value {
        serde_json::Value::Object(object) => {
            see(pointer, object);
            for (name, value) in object {
                walk(value, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), see);
            }
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(item, &format!("{pointer}/{index}"), see));
        }
        _ => {}
    }
}

/// One of the schemas of others under `tests/foreign`.
pub(crate) fn foreign(name: &str) -> jsonschema::Validator {
    let path = format!("{}/tests/foreign/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}
