use async_graphql::{
    ErrorExtensionValues, Name, Pos, ServerError, Value,
    indexmap::IndexMap,
    registry::{Deprecation, MetaEnumValue, MetaType},
};

/// The name of a choice's value: `in_transit` as `IN_TRANSIT`, `other_` as `OTHER`, the sort order `-total.amount` as
/// `TOTAL_AMOUNT_DESC`.
fn name(text: &str) -> String {
    let (text, end) = text.strip_prefix('-').map_or((text, ""), |text| (text, "_DESC"));
    text.trim_end_matches('_').to_ascii_uppercase().replace('.', "_") + end
}

/// What [`choice!`](crate::choice) tells of a choice: its values as texts.
pub mod values {
    use super::{
        Deprecation, ErrorExtensionValues, IndexMap, MetaEnumValue, MetaType, Name, Pos, ServerError, Value, name,
    };

    pub fn meta<'a>(type_name: &str, description: &str, texts: impl Iterator<Item = &'a str>) -> MetaType {
        let value = |text| MetaEnumValue {
            name: name(text),
            description: None,
            deprecation: Deprecation::NoDeprecated,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            directive_invocations: Vec::new(),
        };
        MetaType::Enum {
            name: type_name.into(),
            description: (!description.is_empty()).then(|| description.into()),
            enum_values: texts.map(|text| (name(text), value(text))).collect::<IndexMap<_, _>>(),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: None,
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        }
    }

    /// The value of this name.
    pub fn find<'a, T>(known: &'a [T], text: fn(&T) -> &str, wanted: &Value) -> Option<&'a T> {
        let wanted = match wanted {
            Value::Enum(wanted) => wanted.as_str(),
            Value::String(wanted) => wanted,
            _ => return None,
        };
        known.iter().find(|value| name(text(value)) == wanted)
    }

    pub fn write(text: &str) -> Value {
        Value::Enum(Name::new(name(text)))
    }

    /// An enum of the schema has no room for values of a newer version.
    pub fn unknown(text: &str, at: Pos) -> ServerError {
        let mut error = ServerError::new(format!("the value {text:?} is newer than this schema"), Some(at));
        error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", "UNSUPPORTED");
        error
    }
}
