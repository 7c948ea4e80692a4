//! What a request selects of an answer, and what GraphQL then shows of it.

use serde_json::{Map, Value, json};

use super::Document;
use crate::{model::MapKey, names};

/// What is shown of a value.
pub(super) enum Shown {
    /// True, whatever the value is.
    Done,
    /// The value as it is.
    Same,
    /// As a text.
    Id,
    /// A value of an enum, as GraphQL calls it.
    Choice,
    Each(Box<Shown>),
    /// A map: how its keys are shown, and its values unless they are too deep.
    Entries(MapKey, Option<Box<Shown>>),
    Object(Object),
    OneOf(Vec<(String, Object)>),
}

/// The name of the type, and the members that are shown.
pub(super) struct Object {
    pub name: String,
    pub members: Vec<Member>,
}

pub(super) struct Member {
    /// In JSON of the contract, and in GraphQL.
    pub names: (String, String),
    pub shown: Shown,
}

impl Object {
    /// Nothing of an object is shown where none may begin.
    pub fn some_if(self, left: usize) -> Option<Self> {
        (left > 0).then_some(self)
    }

    fn selection(&self) -> Vec<Document> {
        let member =
            |member: &Member| Document::Row(vec![Document::text(member.names.1.as_str()), member.shown.selection()]);
        // An object of which no field is shown is asked for its type.
        if self.members.is_empty() {
            vec![Document::text("__typename")]
        } else {
            self.members.iter().map(member).collect()
        }
    }

    fn data(&self, value: &Value) -> Map<String, Value> {
        if self.members.is_empty() {
            return Map::from_iter([("__typename".to_owned(), json!(self.name))]);
        }
        let member = |member: &Member| {
            let value = value.get(&member.names.0).unwrap_or(&Value::Null);
            (member.names.1.clone(), member.shown.data(value))
        };
        self.members.iter().map(member).collect()
    }
}

impl Shown {
    /// With a space before it, or nothing.
    pub fn selection(&self) -> Document {
        let spaced = |fields| Document::Row(vec![Document::text(" "), Document::braces(fields)]);
        match self {
            Self::Done | Self::Same | Self::Id | Self::Choice => Document::text(""),
            Self::Each(item) => item.selection(),
            Self::Entries(_, None) => spaced(vec![Document::text("key")]),
            Self::Entries(_, Some(value)) => {
                let value = Document::Row(vec![Document::text("value"), value.selection()]);
                spaced(vec![Document::text("key"), value])
            }
            Self::Object(object) => spaced(object.selection()),
            Self::OneOf(variants) => {
                // Those of which no field is shown are asked for their type already.
                let shown = variants.iter().map(|(_, object)| object).filter(|object| !object.members.is_empty());
                let variant = |object: &Object| {
                    Document::Row(vec![
                        Document::text(format!("... on {} ", object.name)),
                        Document::braces(object.selection()),
                    ])
                };
                spaced(std::iter::once(Document::text("__typename")).chain(shown.map(variant)).collect())
            }
        }
    }

    pub fn data(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Done, _) => json!(true),
            (_, Value::Null) | (Self::Same, _) => value.clone(),
            (Self::Id, Value::String(_)) => value.clone(),
            (Self::Id, other) => json!(other.to_string()),
            (Self::Choice, value) => json!(names::graphql::enum_value(value.as_str().unwrap_or_default())),
            (Self::Each(item), Value::Array(items)) => items.iter().map(|value| item.data(value)).collect(),
            (Self::Entries(key, value), Value::Object(entries)) => {
                let entry = |(name, inner): (&String, &Value)| {
                    let key = match key {
                        MapKey::Enum(_) => json!(names::graphql::enum_value(name)),
                        key => key_value(key, name),
                    };
                    let value = value.as_ref().map(|value| ("value".to_owned(), value.data(inner)));
                    Value::Object([("key".to_owned(), key)].into_iter().chain(value).collect())
                };
                entries.iter().map(entry).collect()
            }
            (Self::Object(object), value) => object.data(value).into(),
            (Self::OneOf(variants), value) => {
                let found = variants.iter().find(|(name, _)| value["type"] == json!(name));
                let Some((_, object)) = found else { return Value::Null };
                let mut data = Map::from_iter([("__typename".to_owned(), json!(object.name))]);
                data.extend(object.data(value));
                data.into()
            }
            (Self::Each(_) | Self::Entries(..), other) => other.clone(),
        }
    }
}

pub(super) fn member(json: &str, graphql: &str, shown: Shown) -> Member {
    Member { names: (json.to_owned(), graphql.to_owned()), shown }
}

/// A key of a map, which JSON has as a text.
pub(super) fn key_value(key: &MapKey, name: &str) -> Value {
    match key {
        MapKey::I32 | MapKey::U32 => name.parse::<i64>().map_or_else(|_| json!(name), |number| json!(number)),
        MapKey::String | MapKey::I64 | MapKey::U64 | MapKey::Uuid | MapKey::Date | MapKey::Enum(_) => json!(name),
    }
}
