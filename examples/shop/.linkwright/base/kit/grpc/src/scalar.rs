//! The scalars of the design language as protobuf carries them.
//!
//! | Rust | proto |
//! |---|---|
//! | `String`, `bool`, `i32`, `i64`, `u32`, `u64`, `Vec<u8>` | as they are |
//! | `f64` | `double`, finite |
//! | `Decimal`, `Uuid`, `NaiveDate`, `Etag`, `Cursor` | `string` |
//! | `DateTime<Utc>` | `google.protobuf.Timestamp`, years 1 to 9999, cut to the microsecond |
//! | `Duration` | `google.protobuf.Duration`, not negative, cut to the microsecond |
//! | `serde_json::Value` | `google.protobuf.Value` |

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use kit::{Cursor, Etag, Failure};
use prost_types::value::Kind;
use rust_decimal::Decimal;
use serde_json::{Number, Value};
use uuid::Uuid;

use crate::Proto;

macro_rules! same {
    ($($t:ty),*) => {$(
        impl Proto<$t> for $t {
            fn encode(self) -> $t {
                self
            }

            fn decode(message: $t) -> Result<$t, Failure> {
                Ok(message)
            }
        }
    )*};
}
same!(String, bool, i32, i64, u32, u64, Vec<u8>);

macro_rules! text {
    ($($t:ty: $read:expr),*) => {$(
        impl Proto<String> for $t {
            fn encode(self) -> String {
                self.to_string()
            }

            fn decode(message: String) -> Result<$t, Failure> {
                $read(&message).map_err(Failure::from)
            }
        }
    )*};
}
text!(
    Decimal: kit::json::decimal,
    Uuid: |text: &str| text.parse().map_err(|_| Failure::invalid(format!("{text:?} is not a UUID"))),
    NaiveDate: |text: &str| text.parse().map_err(|_| Failure::invalid(format!("{text:?} is not a date as 2026-01-31"))),
    Etag: str::parse::<Etag>
);

impl Proto<f64> for f64 {
    fn encode(self) -> f64 {
        self
    }

    fn decode(message: f64) -> Result<f64, Failure> {
        if message.is_finite() { Ok(message) } else { Err(Failure::invalid("is not a finite number")) }
    }
}

impl Proto<String> for Cursor {
    fn encode(self) -> String {
        self.0
    }

    fn decode(message: String) -> Result<Self, Failure> {
        Ok(Self(message))
    }
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the range of `google.protobuf.Timestamp` and of RFC 3339.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

impl Proto<prost_types::Timestamp> for DateTime<Utc> {
    fn encode(self) -> prost_types::Timestamp {
        let nanos = self.timestamp_subsec_micros() * 1000;
        prost_types::Timestamp { seconds: self.timestamp(), nanos: i32::try_from(nanos).unwrap_or_default() }
    }

    fn decode(message: prost_types::Timestamp) -> Result<Self, Failure> {
        let nanos = u32::try_from(message.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
        let moment = nanos
            .filter(|_| SECONDS.contains(&message.seconds))
            .and_then(|nanos| DateTime::from_timestamp(message.seconds, nanos / 1000 * 1000));
        moment.ok_or_else(|| Failure::invalid("is not a moment of the years 1 to 9999"))
    }
}

/// What fits 64 bits of microseconds, as in `kit::json`.
const LONGEST: u64 = i64::MAX as u64 / 1_000_000;

impl Proto<prost_types::Duration> for Duration {
    fn encode(self) -> prost_types::Duration {
        let nanos = self.subsec_micros() * 1000;
        prost_types::Duration {
            seconds: i64::try_from(self.as_secs()).unwrap_or(i64::MAX),
            nanos: i32::try_from(nanos).unwrap_or_default(),
        }
    }

    fn decode(message: prost_types::Duration) -> Result<Self, Failure> {
        match (u64::try_from(message.seconds), u32::try_from(message.nanos)) {
            (Ok(seconds), Ok(nanos)) if seconds < LONGEST && nanos < 1_000_000_000 => {
                Ok(Self::new(seconds, nanos / 1000 * 1000))
            }
            _ => Err(Failure::invalid("is not a span of time of zero or more")),
        }
    }
}

/// Doubles are the numbers of `google.protobuf.Value`, so only integers within ±2^53 are exact, as I-JSON (RFC 7493)
/// says; those come back as integers.
impl Proto<prost_types::Value> for Value {
    fn encode(self) -> prost_types::Value {
        let kind = match self {
            Value::Null => Kind::NullValue(0),
            Value::Bool(value) => Kind::BoolValue(value),
            Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
            Value::String(text) => Kind::StringValue(text),
            Value::Array(items) => Kind::ListValue(prost_types::ListValue { values: items.encode() }),
            Value::Object(members) => Kind::StructValue(prost_types::Struct {
                fields: members.into_iter().map(|(name, value)| (name, value.encode())).collect(),
            }),
        };
        prost_types::Value { kind: Some(kind) }
    }

    fn decode(message: prost_types::Value) -> Result<Self, Failure> {
        Ok(match message.kind {
            None => return Err(Failure::invalid("is a google.protobuf.Value without a kind")),
            Some(Kind::NullValue(_)) => Value::Null,
            Some(Kind::BoolValue(value)) => Value::Bool(value),
            Some(Kind::NumberValue(number)) => Value::Number(exact(number)?),
            Some(Kind::StringValue(text)) => Value::String(text),
            Some(Kind::ListValue(list)) => Value::Array(Proto::decode(list.values)?),
            Some(Kind::StructValue(fields)) => {
                let members: std::collections::BTreeMap<String, Value> = Proto::decode(fields.fields)?;
                Value::Object(members.into_iter().collect())
            }
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole numbers within ±2^53 fit")]
fn exact(number: f64) -> Result<Number, Failure> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Number::from(number as i64));
    }
    Number::from_f64(number).ok_or_else(|| Failure::invalid("is not a finite number"))
}
