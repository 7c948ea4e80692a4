//! Merge patch (RFC 7396) for struct fields: `Option<T>` for a field that cannot be null, `Option<Option<T>>` for one
//! that can, both with `#[serde(default, with = "As::<Present<…>>", skip_serializing_if = "Option::is_none")]`.

use serde::{Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_with::{DeserializeAs, SerializeAs};

use crate::{Failure, Validate, strict};

/// Adapter for the outer `Option` of a patch field: a field that is there is `Some`, whatever its value, where plain
/// serde reads `null` as absent. `F` is the adapter of the value within.
pub struct Present<F>(std::marker::PhantomData<F>);

impl<T, F: SerializeAs<T>> SerializeAs<Option<T>> for Present<F> {
    fn serialize_as<S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => F::serialize_as(value, to),
            None => to.serialize_none(),
        }
    }
}

impl<'de, T, F: DeserializeAs<'de, T>> DeserializeAs<'de, Option<T>> for Present<F> {
    fn deserialize_as<D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        F::deserialize_as(from).map(Some)
    }
}

/// What a patch makes of everything that may be changed about an item.
///
/// # Errors
/// `invalid` if the result is not a valid draft: a required field was cleared, a bound is broken.
pub fn apply<D: Serialize + DeserializeOwned + Validate>(draft: &D, patch: &impl Serialize) -> Result<D, Failure> {
    let mut value = serde_json::to_value(draft).map_err(Failure::internal)?;
    merge(&mut value, serde_json::to_value(patch).map_err(Failure::internal)?);
    let text = serde_json::to_vec(&value).map_err(Failure::internal)?;
    strict::json(&text).map_err(|refused| match refused {
        strict::Refused::Unreadable(detail) => Failure::invalid(detail),
        strict::Refused::Invalid(failure) => failure,
    })
}

/// Takes the change over, if there is one.
pub fn set<T>(field: &mut T, change: Option<T>) {
    if let Some(value) = change {
        *field = value;
    }
}

/// What a merge patch makes of a value: objects merge member by member, null removes, anything else replaces.
pub fn merge(target: &mut serde_json::Value, patch: serde_json::Value) {
    let serde_json::Value::Object(changes) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = serde_json::Value::Object(serde_json::Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(serde_json::Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{As, Digits, Same};
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct ItemPatch {
        #[serde(default, with = "As::<Present<Same>>", skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, with = "As::<Present<Option<Digits>>>", skip_serializing_if = "Option::is_none")]
        size: Option<Option<i64>>,
    }

    #[test]
    fn absent_null_and_value_are_three_things() {
        let read = |text| serde_json::from_str::<ItemPatch>(text);
        for (text, patch) in [
            ("{}", ItemPatch { name: None, size: None }),
            (r#"{"size":null}"#, ItemPatch { name: None, size: Some(None) }),
            (r#"{"name":"a","size":"7"}"#, ItemPatch { name: Some("a".into()), size: Some(Some(7)) }),
        ] {
            assert_eq!(read(text).unwrap(), patch);
            assert_eq!(serde_json::to_string(&patch).unwrap(), text);
        }
        assert!(read(r#"{"name":null}"#).is_err(), "null for a required field is an error");
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct ItemDraft {
        name: String,
        #[serde(default, with = "As::<Option<Digits>>", skip_serializing_if = "Option::is_none")]
        size: Option<i64>,
    }

    impl Validate for ItemDraft {
        fn validate(&self, v: &mut crate::Violations) {
            v.at("name", |v| v.length(&self.name, 1..=3));
        }
    }

    #[test]
    fn a_patch_gives_a_valid_draft_or_says_why_not() {
        let draft = ItemDraft { name: "a".into(), size: Some(7) };
        let patch = |name: Option<&str>, size| ItemPatch { name: name.map(Into::into), size };
        assert_eq!(apply(&draft, &patch(Some("b"), Some(None))), Ok(ItemDraft { name: "b".into(), size: None }));
        assert_eq!(apply(&draft, &patch(None, None)).as_ref(), Ok(&draft));
        assert!(apply(&draft, &patch(Some("long"), None)).is_err());
    }

    #[test]
    fn the_examples_of_rfc_7396() {
        for (mut target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            merge(&mut target, patch);
            assert_eq!(target, result);
        }
    }
}
