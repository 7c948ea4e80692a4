//! GraphQL as any caller speaks it. Calls are in JSON of the contract: what is given and shown is turned into the forms
//! of GraphQL and back, as the schemas say.

use std::collections::BTreeMap;

use kit::{Context, Failure, OperationError as _};
use serde_json::{Map, Value, json};

use super::{
    compare::text,
    description::{Asked, Operation, Verb},
    face::{Call, Outcome},
    judge::Judge,
};
use crate::graphql::Client;

pub(crate) struct GraphQl {
    client: Client,
    /// Knows the schemas that others refer to.
    judge: Judge,
    /// How operations are asked for in the schema of a front, by name.
    composed: Option<BTreeMap<String, Asked>>,
}

impl GraphQl {
    pub(crate) fn new(base: &str, components: &Value) -> anyhow::Result<Self> {
        Ok(Self { client: Client::new(base)?, judge: Judge::new(components), composed: None })
    }

    /// In the schema of a front, which may call things otherwise.
    pub(crate) fn composed(self, asked: BTreeMap<String, Asked>) -> Self {
        Self { composed: Some(asked), ..self }
    }

    /// How an operation is asked for, if it is there.
    pub(crate) fn asked<'a>(&'a self, operation: &'a Operation) -> Option<&'a Asked> {
        match &self.composed {
            Some(asked) => asked.get(&operation.name),
            None => operation.graphql.as_ref(),
        }
    }

    pub(crate) async fn call(&self, operation: &Operation, call: &Call) -> Outcome {
        let Some(asked) = self.asked(operation) else {
            return Err(Failure::invalid("it has no such operation").to_wire().into());
        };
        let variables = self.variables(operation, asked, call);
        if asked.subscription {
            let schema = operation.answer.as_ref().unwrap_or(&Value::Null);
            let shown = |item| self.shown(schema, item);
            return Ok(self.client.first(&call.cx(), &asked.document, variables, shown, &call.listen).await?.into());
        }
        let answer = self.client.asked(&call.cx(), &asked.document, variables).await?;
        Ok(match &operation.answer {
            _ if answer.is_null() => Value::Null,
            Some(_) if operation.verb == Some(Verb::List) => self.page(operation, answer),
            Some(schema) => self.shown(schema, answer),
            None => Value::Null,
        })
    }

    /// What the one field of a request shows, as it stands.
    pub(crate) async fn plain(&self, request: &str) -> Outcome {
        self.client.asked(&Context::default(), request, json!({})).await
    }

    fn variables(&self, operation: &Operation, asked: &Asked, call: &Call) -> Value {
        let mut variables = Map::new();
        if operation.takes_id {
            variables.insert("id".into(), call.id.clone());
        }
        if let Some(etag) = &call.etag {
            variables.insert("etag".into(), json!(etag));
        }
        let schema = operation.input.as_ref().unwrap_or(&Value::Null);
        let whole = asked.whole.clone();
        match (&call.input, whole) {
            (Value::Null, _) => {}
            (Value::Object(query), _) if operation.verb == Some(Verb::List) => {
                variables.extend(self.list(schema, query));
            }
            (input, Some(whole)) => _ = variables.insert(whole, self.given(schema, input)),
            (input, None) => {
                if let Value::Object(members) = self.given(schema, input) {
                    variables.extend(members);
                }
            }
        }
        variables.into()
    }

    /// `limit`, `cursor`, `sort` and the filters.
    fn list(&self, schema: &Value, query: &Map<String, Value>) -> Map<String, Value> {
        let (mut variables, mut filters) = (Map::new(), Map::new());
        for (name, value) in query {
            match name.as_str() {
                "limit" => _ = variables.insert("first".into(), value.clone()),
                "cursor" => _ = variables.insert("after".into(), value.clone()),
                "sort" => {
                    let word = |word: &str| match word.strip_prefix('-') {
                        Some(path) => shouty(path) + "_DESC",
                        None => shouty(word),
                    };
                    let words: Vec<String> = text(value).split(',').map(word).collect();
                    variables.insert("orderBy".into(), json!(words));
                }
                path => {
                    let schema = &schema["properties"][path];
                    filters.insert(camel(&path.replace('.', "_")), self.given(schema, value));
                }
            }
        }
        if !filters.is_empty() {
            variables.insert("where".into(), filters.into());
        }
        variables
    }

    fn page(&self, operation: &Operation, answer: Value) -> Value {
        let items = operation
            .answer
            .as_ref()
            .map_or(&Value::Null, |schema| &self.judge.resolved(schema)["properties"]["items"]);
        let mut page = json!({ "items": self.shown(items, answer["nodes"].clone()) });
        if answer["pageInfo"]["hasNextPage"] == json!(true) {
            page["next"] = answer["pageInfo"]["endCursor"].clone();
        }
        page
    }

    /// A value of the contract as GraphQL takes it.
    fn given(&self, schema: &Value, value: &Value) -> Value {
        let schema = self.judge.resolved(schema);
        match value {
            Value::Array(items) => items.iter().map(|item| self.given(&schema["items"], item)).collect(),
            Value::String(word) if schema.get("enum").is_some() => json!(shouty(word)),
            Value::Object(members) if schema.get("oneOf").is_some() => {
                let variant = text(&value["type"]);
                let fields = self.judge.variant(schema, &variant);
                let members = members.iter().filter(|(name, _)| *name != "type");
                let inner = members.map(|(name, value)| (camel(name), self.given(&fields["properties"][name], value)));
                json!({ camel(&snake(&variant)): Value::Object(inner.collect()) })
            }
            Value::Object(members) if schema.get("properties").is_some() => {
                let member =
                    |(name, value): (&String, &Value)| (camel(name), self.given(&schema["properties"][name], value));
                Value::Object(members.iter().map(member).collect())
            }
            Value::Object(members) if schema["additionalProperties"].is_object() => {
                let key = self.judge.resolved(&schema["propertyNames"]);
                let entry = |(name, value): (&String, &Value)| {
                    let name = if key.get("enum").is_some() { shouty(name) } else { name.clone() };
                    let name = if is_number(key) {
                        name.parse::<i64>().map_or(json!(name), |n| json!(n))
                    } else {
                        json!(name)
                    };
                    json!({ "key": name, "value": self.given(&schema["additionalProperties"], value) })
                };
                members.iter().map(entry).collect()
            }
            other => other.clone(),
        }
    }

    /// What GraphQL shows as a value of the contract: what is null is absent.
    fn shown(&self, schema: &Value, value: Value) -> Value {
        let schema = self.judge.resolved(schema);
        match value {
            Value::Array(entries) if schema["additionalProperties"].is_object() => {
                let keys = &self.judge.resolved(&schema["propertyNames"])["enum"];
                let entry = |mut entry: Value| {
                    let key = text(&entry["key"]);
                    (
                        word(keys, &key).unwrap_or(key),
                        self.shown(&schema["additionalProperties"], entry["value"].take()),
                    )
                };
                Value::Object(entries.into_iter().map(entry).collect())
            }
            Value::Array(items) => items.into_iter().map(|item| self.shown(&schema["items"], item)).collect(),
            Value::Object(mut members) => {
                let variant = members.remove("__typename").map(|name| text(&name));
                let fields = match &variant {
                    Some(variant) if schema.get("oneOf").is_some() => self.judge.variant(schema, variant),
                    _ => schema,
                };
                // A member that is any JSON stays as it is.
                let Some(properties) = fields["properties"].as_object() else { return members.into() };
                let there = properties.iter().filter_map(|(name, schema)| {
                    let value = members.remove(&camel(name)).filter(|value| !value.is_null())?;
                    Some((name.clone(), self.shown(schema, value)))
                });
                let tag = variant.filter(|_| schema.get("oneOf").is_some());
                Value::Object(tag.map(|name| ("type".to_owned(), json!(name))).into_iter().chain(there).collect())
            }
            Value::String(shown) => match word(&schema["enum"], &shown) {
                Some(value) => json!(value),
                // An id is a text in GraphQL, whatever its type is.
                None if schema["type"] == "integer" => {
                    shown.parse::<i64>().map_or(json!(shown), |number| json!(number))
                }
                None => json!(shown),
            },
            other => other,
        }
    }
}

fn is_number(schema: &Value) -> bool {
    schema["type"] == "integer"
        || schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("[0-9]") && schema["format"].is_null())
}

/// The value of an enum that GraphQL calls so.
fn word(values: &Value, shown: &str) -> Option<String> {
    let values = values.as_array()?.iter().filter_map(Value::as_str);
    values.into_iter().find(|value| shouty(value) == shown).map(str::to_owned)
}

/// `http_2_url` as `http2Url`.
fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        camel += &(first.to_ascii_uppercase() + rest);
    }
    camel
}

/// `in_transit` as `IN_TRANSIT`.
fn shouty(name: &str) -> String {
    let words: Vec<String> =
        name.split(['_', '.']).filter(|word| !word.is_empty()).map(str::to_ascii_uppercase).collect();
    words.join("_")
}

/// `USPrice` as `us_price`.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let begins = before.is_some_and(|before| !before.is_ascii_uppercase())
            || before.is_some() && letters.get(index + 1).is_some_and(|after| after.is_ascii_lowercase());
        if letter.is_ascii_uppercase() && begins {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graphql() -> GraphQl {
        let money = json!({ "properties": { "in_cents": { "type": "integer" }, "unit": { "$ref": "#/components/schemas/Unit" } } });
        let card = json!({ "properties": { "type": { "const": "CardPayment" }, "last_digits": { "type": "string" } } });
        let schemas = json!({
            "Unit": { "type": "string", "enum": ["eur", "us_dollar"] }, "Money": money, "Pay.Card": card,
            "Pay": { "oneOf": [{ "$ref": "#/components/schemas/Pay.Card" }] },
        });
        GraphQl::new("http://127.0.0.1:1", &json!({ "schemas": schemas })).unwrap()
    }

    #[tokio::test]
    async fn values_go_there_and_back() {
        let graphql = graphql();
        let schema = json!({ "properties": {
            "total": { "anyOf": [{ "$ref": "#/components/schemas/Money" }, { "type": "null" }] },
            "pay": { "$ref": "#/components/schemas/Pay" },
            "by_unit": { "type": "object", "propertyNames": { "$ref": "#/components/schemas/Unit" }, "additionalProperties": { "type": "integer" } },
            "any": {},
        } });
        let value = json!({
            "total": { "in_cents": 5, "unit": "us_dollar" },
            "pay": { "type": "CardPayment", "last_digits": "1234" },
            "by_unit": { "us_dollar": 1 },
            "any": { "a_b": [null] },
        });
        let given = json!({
            "total": { "inCents": 5, "unit": "US_DOLLAR" },
            "pay": { "cardPayment": { "lastDigits": "1234" } },
            "byUnit": [{ "key": "US_DOLLAR", "value": 1 }],
            "any": { "a_b": [null] },
        });
        assert_eq!(graphql.given(&schema, &value), given);
        let shown = json!({
            "total": { "inCents": "5", "unit": "US_DOLLAR" },
            "pay": { "__typename": "CardPayment", "lastDigits": "1234" },
            "byUnit": [{ "key": "US_DOLLAR", "value": 1 }],
            "any": { "a_b": [null] },
            "more": null,
        });
        assert_eq!(graphql.shown(&schema, shown), value);
    }

    #[test]
    fn names() {
        assert_eq!((camel("http_2_url").as_str(), camel("x").as_str()), ("http2Url", "x"));
        assert_eq!((shouty("in_transit").as_str(), shouty("total.amount").as_str()), ("IN_TRANSIT", "TOTAL_AMOUNT"));
        assert_eq!((snake("USPrice").as_str(), snake("CardPayment").as_str()), ("us_price", "card_payment"));
    }
}
