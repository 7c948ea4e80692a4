//! Scalars in the forms that JSON has of them, see [`kit::json`]. `String`, `bool`, `i32` and `f64` are GraphQL's own
//! `String`, `Boolean`, `Int` and `Float`.

use std::{borrow::Cow, fmt::Display, str::FromStr, sync::Arc};

use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned, ServerResult, Value,
    parser::types::Field,
    registry::{MetaType, MetaTypeId, Registry},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{NaiveDate, Utc};
use kit::json;

/// A value as a scalar of its own: `Scalar(7u32)` is a `UInt32`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar<T>(pub T);

pub type UInt32 = Scalar<u32>;
pub type Int64 = Scalar<i64>;
pub type UInt64 = Scalar<u64>;
pub type Decimal = Scalar<rust_decimal::Decimal>;
pub type Uuid = Scalar<uuid::Uuid>;
pub type DateTime = Scalar<chrono::DateTime<Utc>>;
pub type Date = Scalar<NaiveDate>;
pub type Duration = Scalar<std::time::Duration>;
pub type Bytes = Scalar<Vec<u8>>;
pub type Json = Scalar<serde_json::Value>;

/// How a scalar looks in GraphQL.
pub trait Form: Clone + Send + Sync + 'static {
    const NAME: &str;
    const DESCRIPTION: &str;

    fn write(&self) -> Value;

    fn read(value: &Value) -> Option<Self>;
}

impl Form for u32 {
    const NAME: &str = "UInt32";
    const DESCRIPTION: &str = "An integer from 0 to 4294967295.";

    fn write(&self) -> Value {
        Value::from(*self)
    }

    fn read(value: &Value) -> Option<Self> {
        let Value::Number(number) = value else { return None };
        number.as_u64()?.try_into().ok()
    }
}

impl Form for i64 {
    const NAME: &str = "Int64";
    const DESCRIPTION: &str = "An integer of 64 bits, as a string of digits; a number is accepted.";

    fn write(&self) -> Value {
        Value::from(self.to_string())
    }

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_i64(),
            other => text(other)?.parse().ok(),
        }
    }
}

impl Form for u64 {
    const NAME: &str = "UInt64";
    const DESCRIPTION: &str = "An integer of 64 bits, not negative, as a string of digits; a number is accepted.";

    fn write(&self) -> Value {
        Value::from(self.to_string())
    }

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_u64(),
            other => text(other)?.parse().ok(),
        }
    }
}

impl Form for rust_decimal::Decimal {
    const NAME: &str = "Decimal";
    const DESCRIPTION: &str = "A decimal number, as a string: never rounded.";

    fn write(&self) -> Value {
        Value::from(self.to_string())
    }

    /// A number is refused: it may have been rounded on its way.
    fn read(value: &Value) -> Option<Self> {
        json::decimal(text(value)?).ok()
    }
}

impl Form for uuid::Uuid {
    const NAME: &str = "UUID";
    const DESCRIPTION: &str = "A universally unique identifier, RFC 9562.";

    fn write(&self) -> Value {
        Value::from(self.to_string())
    }

    fn read(value: &Value) -> Option<Self> {
        text(value)?.parse().ok()
    }
}

impl Form for chrono::DateTime<Utc> {
    const NAME: &str = "DateTime";
    const DESCRIPTION: &str = "A moment in UTC to the microsecond, RFC 3339: 2026-01-31T12:00:00.000000Z.";

    fn write(&self) -> Value {
        Value::from(json::timestamp_text(self))
    }

    fn read(value: &Value) -> Option<Self> {
        json::timestamp(text(value)?).ok()
    }
}

impl Form for NaiveDate {
    const NAME: &str = "Date";
    const DESCRIPTION: &str = "A date, ISO 8601: 2026-01-31.";

    fn write(&self) -> Value {
        Value::from(self.to_string())
    }

    fn read(value: &Value) -> Option<Self> {
        text(value)?.parse().ok()
    }
}

impl Form for std::time::Duration {
    const NAME: &str = "Duration";
    const DESCRIPTION: &str = "A span of time, ISO 8601 without years and months: P1DT2H0.5S.";

    fn write(&self) -> Value {
        Value::from(json::duration_text(*self))
    }

    fn read(value: &Value) -> Option<Self> {
        json::duration(text(value)?).ok()
    }
}

impl Form for Vec<u8> {
    const NAME: &str = "Bytes";
    const DESCRIPTION: &str = "Bytes, base64 with padding, RFC 4648.";

    fn write(&self) -> Value {
        Value::from(BASE64_STANDARD.encode(self))
    }

    fn read(value: &Value) -> Option<Self> {
        BASE64_STANDARD.decode(text(value)?).ok()
    }
}

impl Form for serde_json::Value {
    const NAME: &str = "JSON";
    const DESCRIPTION: &str = "Any JSON value; integers within ±2^53, RFC 7493.";

    fn write(&self) -> Value {
        Value::from_json(self.clone()).unwrap_or_default()
    }

    fn read(value: &Value) -> Option<Self> {
        value.clone().into_json().ok()
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

impl<T: Form> Scalar<T> {
    fn meta() -> MetaType {
        MetaType::Scalar {
            name: T::NAME.into(),
            description: Some(T::DESCRIPTION.into()),
            is_valid: Some(Arc::new(|value| T::read(value).is_some())),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            specified_by_url: None,
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        }
    }
}

impl<T: Form> InputType for Scalar<T> {
    type RawValueType = T;

    fn type_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::Scalar, |_| Self::meta())
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let value = value.unwrap_or_default();
        T::read(&value).map(Self).ok_or_else(|| InputValueError::expected_type(value))
    }

    fn to_value(&self) -> Value {
        self.0.write()
    }

    fn as_raw_value(&self) -> Option<&T> {
        Some(&self.0)
    }
}

impl<T: Form> OutputType for Scalar<T> {
    fn type_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Scalar, |_| Self::meta())
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(self.0.write())
    }
}

/// The id of a resource, GraphQL's `ID`.
#[derive(Clone, Debug, PartialEq)]
pub struct Key<T>(pub T);

impl<T> InputType for Key<T>
where
    T: FromStr<Err: Display> + Display + Send + Sync,
{
    type RawValueType = T;

    fn type_name() -> Cow<'static, str> {
        <ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let ID(text) = InputType::parse(value).map_err(InputValueError::propagate)?;
        text.parse().map(Self).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::from(self.0.to_string())
    }

    fn as_raw_value(&self) -> Option<&T> {
        Some(&self.0)
    }
}

impl<T: Display + Send + Sync> OutputType for Key<T> {
    fn type_name() -> Cow<'static, str> {
        <ID as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::from(self.0.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both<T: Form + PartialEq + std::fmt::Debug>(value: T, written: &str) {
        let text = serde_json::to_string(&value.write()).unwrap();
        assert_eq!(text, written);
        assert_eq!(T::read(&serde_json::from_str(written).unwrap()), Some(value), "{written}");
    }

    #[test]
    fn every_form_comes_back() {
        both(u32::MAX, "4294967295");
        both(i64::MIN, "\"-9223372036854775808\"");
        both(u64::MAX, "\"18446744073709551615\"");
        both(json::decimal("1.50").unwrap(), "\"1.50\"");
        both(uuid::Uuid::nil(), "\"00000000-0000-0000-0000-000000000000\"");
        both(json::timestamp("2026-01-31T12:00:00Z").unwrap(), "\"2026-01-31T12:00:00.000000Z\"");
        both("2026-02-28".parse::<NaiveDate>().unwrap(), "\"2026-02-28\"");
        both(std::time::Duration::from_millis(1500), "\"PT1.5S\"");
        both(vec![0_u8, 255], "\"AP8=\"");
        both(serde_json::json!({"a": [1, null, "x", 0.5]}), r#"{"a":[1,null,"x",0.5]}"#);
    }

    #[test]
    fn what_is_no_value_is_refused() {
        fn refuses<T: Form>(values: &[&str]) {
            for value in values {
                assert!(T::read(&serde_json::from_str(value).unwrap()).is_none(), "{} {value}", T::NAME);
            }
        }
        refuses::<u32>(&["-1", "4294967296", "1.5", "\"1\"", "true", "null"]);
        refuses::<i64>(&["9223372036854775808", "1.5", "\"1.5\"", "\"\""]);
        refuses::<u64>(&["-1", "\"-1\"", "\"18446744073709551616\""]);
        refuses::<rust_decimal::Decimal>(&["1.10", "1", "\"1e3\"", "\"\""]);
        refuses::<uuid::Uuid>(&["\"7\"", "7"]);
        refuses::<chrono::DateTime<Utc>>(&["\"2026-01-31\"", "0"]);
        refuses::<NaiveDate>(&["\"2026-02-29\""]);
        refuses::<std::time::Duration>(&["\"-PT1S\"", "\"P1Y\"", "1"]);
        refuses::<Vec<u8>>(&["\"AP8\"", "[0, 255]"]);
        assert_eq!(i64::read(&Value::from(7)), Some(7), "a number is accepted");
    }
}
