//! Scalars and the keys of maps to JSON Schema.

use serde_json::{Value, json};

use super::{Schemas, Side};
use crate::{
    contracts::{pattern, shape},
    model::{MapKey, Scalar},
};

impl Schemas<'_> {
    pub(super) fn scalar(&mut self, scalar: &Scalar, side: Side) -> Value {
        match scalar {
            Scalar::String { min, max, pattern } => {
                let mut schema = json!({ "type": "string" });
                bounds(&mut schema, "minLength", (*min > 0).then_some(*min), "maxLength", *max);
                if let Some(pattern) = pattern.as_deref().and_then(pattern::ecma) {
                    schema["pattern"] = json!(pattern);
                }
                schema
            }
            Scalar::Bool => json!({ "type": "boolean" }),
            Scalar::I32 { min, max } => {
                json!({ "type": "integer", "format": "int32", "minimum": min, "maximum": max })
            }
            Scalar::U32 { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Scalar::I64 { min: i64::MIN, max: i64::MAX } => {
                self.wide("Int64", "int64", i64::MIN.into(), i64::MAX.into(), side)
            }
            Scalar::U64 { min: 0, max: u64::MAX } => self.wide("UInt64", "uint64", 0, u64::MAX.into(), side),
            Scalar::I64 { min, max } => digits("int64", (*min).into(), (*max).into(), side),
            Scalar::U64 { min, max } => digits("uint64", (*min).into(), (*max).into(), side),
            Scalar::F64 { min, max } => {
                let mut schema = json!({ "type": "number", "format": "double" });
                bounds(&mut schema, "minimum", *min, "maximum", *max);
                schema
            }
            Scalar::Decimal { precision, scale } => {
                json!({ "type": "string", "format": "decimal", "pattern": decimal(*precision, *scale) })
            }
            Scalar::Uuid => json!({ "type": "string", "format": "uuid" }),
            Scalar::Timestamp => json!({ "type": "string", "format": "date-time" }),
            Scalar::Date => json!({ "type": "string", "format": "date" }),
            // JSON Schema's format `duration` has no fractions of a second.
            Scalar::Duration => self.define("Duration", |_| {
                let text = "A span of time, ISO 8601 without years and months: `P1DT2H0.5S`.";
                json!({ "type": "string", "description": text, "pattern": DURATION })
            }),
            Scalar::Bytes => {
                self.define("Bytes", |_| json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64 }))
            }
            Scalar::Json => json!({}),
        }
    }

    /// A 64-bit integer without bounds of its own, said once.
    fn wide(&mut self, name: &str, format: &str, min: i128, max: i128, side: Side) -> Value {
        // No name of a design has a dot.
        let name = if side == Side::Output { name.to_owned() } else { format!("{name}.Input") };
        self.define(&name, |_| digits(format, min, max, side))
    }

    /// What the names of a map's properties must be; `None` for any.
    pub(super) fn key(&mut self, key: &MapKey) -> Option<Value> {
        Some(match key {
            MapKey::String => return None,
            MapKey::I32 => json!({ "pattern": pattern::integers(i32::MIN.into(), i32::MAX.into()) }),
            MapKey::U32 => json!({ "pattern": pattern::integers(0, u32::MAX.into()) }),
            MapKey::I64 | MapKey::U64 | MapKey::Uuid | MapKey::Date | MapKey::Enum(_) => {
                self.of(&shape::key_type(key), Side::Output)
            }
        })
    }
}

/// Sets those of the two bounds that there are.
pub(super) fn bounds<T: serde::Serialize>(schema: &mut Value, low: &str, min: Option<T>, high: &str, max: Option<T>) {
    for (name, bound) in [(low, min), (high, max)] {
        if let Some(bound) = bound {
            schema[name] = json!(bound);
        }
    }
}

/// 64-bit integers are strings, for many readers of JSON cannot hold them as numbers; where they come in, numbers are
/// accepted.
fn digits(format: &str, min: i128, max: i128, side: Side) -> Value {
    let pattern = pattern::integers(min, max);
    if side == Side::Output {
        return json!({ "type": "string", "format": format, "pattern": pattern });
    }
    let mut schema = json!({ "type": ["string", "integer"], "format": format, "pattern": pattern });
    let number = |n: i128| i64::try_from(n).map(Value::from).or_else(|_| u64::try_from(n).map(Value::from)).ok();
    bounds(&mut schema, "minimum", number(min), "maximum", number(max));
    schema
}

/// At most `precision` digits, `scale` of them after the point.
fn decimal(precision: u32, scale: u32) -> String {
    let whole = match precision.saturating_sub(scale) {
        0 => "0".to_owned(),
        1 => "[0-9]".to_owned(),
        n => format!("(?:0|[1-9][0-9]{{0,{}}})", n - 1),
    };
    match scale {
        0 => format!("^-?{whole}$"),
        1 => format!(r"^-?{whole}(?:\.[0-9])?$"),
        _ => format!(r"^-?{whole}(?:\.[0-9]{{1,{scale}}})?$"),
    }
}

/// So many digits that the microseconds fit 64 bits.
const DURATION: &str = concat!(
    r"^P(?:[0-9]{1,7}W|[0-9]{1,8}D|(?:[0-9]{1,8}D)?T(?:",
    r"[0-9]{1,7}H(?:[0-9]{1,8}M)?(?:[0-9]{1,10}(?:\.[0-9]{1,9})?S)?",
    r"|[0-9]{1,8}M(?:[0-9]{1,10}(?:\.[0-9]{1,9})?S)?",
    r"|[0-9]{1,10}(?:\.[0-9]{1,9})?S))$"
);

/// RFC 4648 §4 with padding and without bits that mean nothing.
const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
