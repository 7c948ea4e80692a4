//! Values against JSON Schema.

use std::{cell::RefCell, collections::HashMap};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Judges by schemas that refer to `#/components/…` of one document.
#[derive(Debug)]
pub(crate) struct Judge {
    components: Value,
    known: RefCell<HashMap<String, Validator>>,
}

impl Judge {
    pub(crate) fn new(components: &Value) -> Self {
        Self { components: components.clone(), known: RefCell::default() }
    }

    /// What is wrong with the value, or with the schema.
    pub(crate) fn wrong(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut known = self.known.borrow_mut();
        let text = schema.to_string();
        if !known.contains_key(&text) {
            let whole = json!({ "components": self.components, "allOf": [schema] });
            match jsonschema::options().should_validate_formats(true).build(&whole) {
                Ok(validator) => _ = known.insert(text.clone(), validator),
                Err(error) => return vec![format!("the schema cannot be used: {error}")],
            }
        }
        known.get(&text).map(|validator| lines(validator, value)).unwrap_or_default()
    }

    /// The schema that is meant: references followed, of what may be null the rest.
    pub(crate) fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        // A circle has no end.
        for _ in 0..8 {
            let place = schema["$ref"].as_str().and_then(|place| place.strip_prefix("#/components"));
            let next = match place {
                Some(place) => self.components.pointer(place),
                None => schema["anyOf"].as_array().and_then(|any| any.iter().find(|option| option["type"] != "null")),
            };
            match next {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    /// The schema of a variant of a union; null if it has none of this name.
    pub(crate) fn variant<'s>(&'s self, schema: &'s Value, name: &str) -> &'s Value {
        let variants = schema["oneOf"].as_array().into_iter().flatten().map(|variant| self.resolved(variant));
        variants
            .into_iter()
            .find(|variant| variant["properties"]["type"]["const"] == json!(name))
            .unwrap_or(&Value::Null)
    }

    /// The schema that is meant for a record; of a union, that of the variant which it is.
    pub(crate) fn of_record<'s>(&'s self, schema: &'s Value, record: &Map<String, Value>) -> &'s Value {
        let schema = self.resolved(schema);
        match record.get("type").and_then(Value::as_str).filter(|_| schema["oneOf"].is_array()) {
            Some(name) => self.variant(schema, name),
            None => schema,
        }
    }

    /// What is wrong with the value by a schema that stands alone.
    pub(crate) fn alone(schema: &Value, value: &Value) -> Vec<String> {
        match jsonschema::options().should_validate_formats(true).build(schema) {
            Ok(validator) => lines(&validator, value),
            Err(error) => vec![format!("the schema cannot be used: {error}")],
        }
    }
}

fn lines(validator: &Validator, value: &Value) -> Vec<String> {
    let line = |error: jsonschema::ValidationError<'_>| match error.instance_path().as_str() {
        "" => error.to_string(),
        path => format!("{path}: {error}"),
    };
    validator.iter_errors(value).take(3).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_place_and_follows_references() {
        let judge = Judge::new(&json!({ "schemas": { "Id": { "type": "string", "format": "uuid" } } }));
        let schema = json!({ "properties": { "id": { "$ref": "#/components/schemas/Id" } }, "required": ["id"] });
        assert_eq!(
            judge.wrong(&schema, &json!({ "id": "0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77" })),
            Vec::<String>::new()
        );
        assert_eq!(judge.wrong(&schema, &json!({ "id": "x" })), ["/id: \"x\" is not a \"uuid\""]);
        assert_eq!(judge.wrong(&schema, &json!({})), ["\"id\" is a required property"]);
        let broken = judge.wrong(&json!({ "$ref": "#/nowhere" }), &json!(1));
        assert!(broken[0].starts_with("the schema cannot be used"), "{broken:?}");
    }
}
