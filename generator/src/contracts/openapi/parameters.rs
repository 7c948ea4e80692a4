//! Parameters in path, query and headers.

use serde_json::{Value, json};

use super::{Writer, describe, is_conditional, is_keyed};
use crate::{
    contracts::{
        example,
        schema::{self, Side},
        shape::{self, COMPARISONS},
    },
    model::{Field, Operation, Resource, Service, Shape, Type, Verb},
};

impl Writer<'_> {
    pub(super) fn path_parameter(&mut self, field: &Field) -> Value {
        let mut parameter = self.parameter("path", field);
        parameter["required"] = json!(true);
        // An empty segment is another path.
        if let Some(schema) = parameter["schema"].as_object_mut()
            && schema.iter().all(|(name, value)| name == "maxLength" || (name == "type" && value == "string"))
        {
            schema.insert("minLength".to_owned(), json!(1));
        }
        parameter
    }

    pub(super) fn query_parameter(&mut self, field: &Field) -> Value {
        let mut parameter = self.parameter("query", field);
        if schema::is_required(field, Side::Input) && !shape::may_be_empty(field) {
            parameter["required"] = json!(true);
        }
        if let Some(default) = &field.default {
            parameter["schema"]["default"] = schema::default_value(default, &field.ty);
        }
        parameter
    }

    /// Texts, so 64-bit integers are digits here, and nothing is null.
    fn parameter(&mut self, place: &str, field: &Field) -> Value {
        let ty = match &field.ty {
            Type::Optional(inner) => inner,
            ty => ty,
        };
        let mut parameter = json!({ "name": field.name, "in": place });
        describe(&mut parameter, &shape::text(&field.docs));
        parameter["schema"] = self.schemas.of(ty, Side::Output);
        parameter["example"] = example::nth_value(self.model, ty, &field.name.replace('_', " "), 0);
        parameter
    }

    /// What `list` takes: the page, the order, the filters.
    pub(super) fn list_parameters(&mut self, resource: &Resource) -> Vec<Value> {
        let mut parameters = vec![
            json!({
                "name": "limit", "in": "query", "description": "Items of a page.",
                "schema": { "type": "integer", "minimum": 1, "maximum": 200, "default": 50 },
            }),
            json!({
                "name": "cursor", "in": "query",
                "description": "The `next` of the page before. Good for a day and for the same filters and order.",
                "schema": { "type": "string" },
            }),
        ];
        let sorts: Vec<_> = shape::sorts(resource).into_iter().flat_map(|path| [format!("-{path}"), path]).collect();
        if !sorts.is_empty() {
            parameters.push(json!({
                "name": "sort", "in": "query",
                "description": "By what to sort, `-` for downwards. Newest first if not given.",
                "style": "form", "explode": false,
                "schema": { "type": "array", "items": { "type": "string", "enum": sorts } },
                "example": [sorts[0]],
            }));
        }
        for filter in shape::filters(resource) {
            let docs = shape::summary("Any of these; repeat the parameter for several.");
            parameters.push(self.query_parameter(&Field { docs, ..shape::plain(&filter.path, filter.any()) }));
            for comparison in COMPARISONS.iter().filter(|_| filter.ordered) {
                let value = Type::Optional(Box::new(filter.ty.clone()));
                parameters.push(self.query_parameter(&shape::plain(&format!("{}.{comparison}", filter.path), value)));
            }
        }
        parameters
    }
}

/// The headers that an operation reads.
pub(super) fn headers(service: &Service, operation: &Operation) -> Vec<Value> {
    let header = |name: &str, text: &str, pattern: &str, example: &str| {
        let schema = json!({ "type": "string", "pattern": pattern });
        json!({ "name": name, "in": "header", "description": text, "schema": schema, "example": example })
    };
    let mut headers = Vec::new();
    if is_keyed(operation) {
        let text = "Names one intent: a repeat of the call with the same key, within 24 hours, has no second effect and is \
                    given the first answer. The key with another input is answered with 422, while the first call is at \
                    work with 409.";
        headers.push(header("Idempotency-Key", text, "^[!-~]{1,255}$", &example::uuid(0)));
    }
    if matches!(operation.shape, Shape::Verb { verb: Verb::Get, .. }) {
        let text = "Revisions that the caller has: answered with 304 if the item's is among them.";
        headers.push(header("If-None-Match", text, TAGS, "\"1\""));
    }
    if is_conditional(operation) {
        let text = "The revision that the caller means: answered with 412 if the item has another.";
        let pattern = if shape::places(service, operation) { ONE } else { TAG };
        headers.push(header("If-Match", text, pattern, "\"1\""));
    }
    headers
}

/// An entity tag, or any.
const TAG: &str = r#"^(?:\*|(?:W/)?"[!#-~]*")$"#;
/// An entity tag.
const ONE: &str = r#"^(?:W/)?"[!#-~]*"$"#;
/// Entity tags, or any.
const TAGS: &str = r#"^(?:\*|(?:W/)?"[!#-~]*"(?: *, *(?:W/)?"[!#-~]*")*)$"#;
