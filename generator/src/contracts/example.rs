//! Types to example values, as JSON: for documents, for what services answer on their first day, for tests.
//!
//! A value keeps every bound and pattern of its type and is always the same. Where several are needed that differ (a
//! list, a `unique` field), there is an `nth` one.

use serde_json::{Map, Value, json};

use super::{matching::matching, schema::default_value, shape};
use crate::model::{Enum, Field, MapKey, Model, Resource, ResourceRef, Scalar, Type, TypeDef, TypeRef};

/// An example of that type.
pub fn value(model: &Model, ty: &Type) -> Value {
    nth_value(model, ty, "text", 0)
}

/// The `nth` example of that type. `hint` is what a text without a pattern says.
pub fn nth_value(model: &Model, ty: &Type, hint: &str, nth: u32) -> Value {
    Maker { model, within: Vec::new() }.value(ty, hint, nth).unwrap_or(Value::Null)
}

/// The `nth` example of an object of these fields, optional ones included.
pub fn object(model: &Model, fields: &[Field], nth: u32) -> Value {
    Maker { model, within: Vec::new() }.object(fields, nth).map_or(Value::Null, Value::Object)
}

/// The `nth` example of an item as every answer shows it.
pub fn item(model: &Model, resource: &Resource, nth: u32) -> Value {
    Maker { model, within: Vec::new() }.item(resource, nth).unwrap_or(Value::Null)
}

/// The id that examples refer to where ids are uuids, and the `nth` after it.
pub fn uuid(nth: u32) -> String {
    format!("0190a5c8-3f5e-7d3a-9a42-{:012x}", 0x0d2f_3c1b_5e77_u64 + u64::from(nth))
}

/// Makes one value. Nothing comes of a type that is inside itself: what is around it leaves it out.
struct Maker<'m> {
    model: &'m Model,
    within: Vec<String>,
}

impl Maker<'_> {
    fn value(&mut self, ty: &Type, hint: &str, nth: u32) -> Option<Value> {
        match ty {
            Type::Scalar(of) => Some(scalar(of, hint, nth)),
            Type::Named(of) => self.named(of, nth),
            Type::Resource(of) => self.inside(&format!("{}.{}", of.service, of.resource), |maker| {
                maker.item(shape::resource(maker.model, of)?, nth)
            }),
            Type::Ref(of) => self.reference(of, hint, nth),
            Type::List { item, min, max } => {
                let count = (*min).max(1).min(max.unwrap_or(u32::MAX));
                let items = (0..count).map(|i| self.value(item, hint, nth.wrapping_add(i))).collect::<Option<Vec<_>>>();
                items.or_else(|| (*min == 0).then(Vec::new)).map(Value::Array)
            }
            Type::Optional(inner) => Some(self.value(inner, hint, nth).unwrap_or(Value::Null)),
            Type::Map { key, value } => {
                let mut map = Map::new();
                if let Some(value) = self.value(value, hint, nth) {
                    map.insert(self.key(key, nth), value);
                }
                Some(map.into())
            }
        }
    }

    fn object(&mut self, fields: &[Field], nth: u32) -> Option<Map<String, Value>> {
        let mut object = Map::new();
        for field in fields {
            let value = match &field.default {
                Some(default) if nth == 0 => default_value(default, &field.ty),
                None if field.readonly && field.name == shape::ETAG => json!((u64::from(nth) + 1).to_string()),
                _ => self.value(&field.ty, &field.name.replace('_', " "), nth)?,
            };
            if !(value.is_null() && matches!(field.ty, Type::Optional(_))) {
                object.insert(field.name.clone(), value);
            }
        }
        Some(object)
    }

    fn item(&mut self, resource: &Resource, nth: u32) -> Option<Value> {
        Some(self.object(&shape::item_fields(resource), nth)?.into())
    }

    fn named(&mut self, of: &TypeRef, nth: u32) -> Option<Value> {
        if let Some(owner) = &of.service {
            return Some(enumeration(self.model.services.get(owner)?.enums.get(&of.name)?, nth));
        }
        match self.model.types.get(&of.name)? {
            TypeDef::Enum(of) => Some(enumeration(of, nth)),
            TypeDef::Record(record) => {
                self.inside(&record.name, |maker| maker.object(&record.fields, nth).map(Value::Object))
            }
            TypeDef::Union(union) => self.inside(&union.name, |maker| {
                let first = nth as usize % union.variants.len().max(1);
                // One may hold the union itself; another does not.
                union.variants.iter().cycle().skip(first).take(union.variants.len()).find_map(|name| {
                    let record = shape::record(maker.model, name)?;
                    let fields = maker.inside(name, |maker| maker.object(&record.fields, nth))?;
                    let mut variant = Map::from_iter([("type".to_owned(), json!(name))]);
                    variant.extend(fields);
                    Some(variant.into())
                })
            }),
        }
    }

    fn inside<T>(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.within.iter().any(|outer| outer == name) {
            return None;
        }
        self.within.push(name.to_owned());
        let made = make(self);
        self.within.pop();
        made
    }

    fn reference(&mut self, of: &ResourceRef, hint: &str, nth: u32) -> Option<Value> {
        self.value(&shape::id_type(self.model, of), hint, nth)
    }

    fn key(&mut self, key: &MapKey, nth: u32) -> String {
        match self.value(&shape::key_type(key), "key", nth) {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }
}

fn enumeration(of: &Enum, nth: u32) -> Value {
    of.values.get(nth as usize % of.values.len().max(1)).map_or(Value::Null, |value| json!(value))
}

fn scalar(scalar: &Scalar, hint: &str, nth: u32) -> Value {
    match scalar {
        Scalar::String { min, max, pattern: None } => json!(text(hint, *min, *max, nth)),
        Scalar::String { min, max, pattern: Some(pattern) } => {
            json!(matching(pattern, *min, *max, nth).unwrap_or_else(|| text(hint, *min, *max, nth)))
        }
        Scalar::Bool => json!(nth.is_multiple_of(2)),
        Scalar::I32 { min, max } => {
            json!(i64::try_from(integer((*min).into(), (*max).into(), nth)).unwrap_or_default())
        }
        Scalar::U32 { min, max } => {
            json!(i64::try_from(integer((*min).into(), (*max).into(), nth)).unwrap_or_default())
        }
        Scalar::I64 { min, max } => json!(integer((*min).into(), (*max).into(), nth).to_string()),
        Scalar::U64 { min, max } => json!(integer((*min).into(), (*max).into(), nth).to_string()),
        Scalar::F64 { min, max } => json!(float(*min, *max, nth)),
        Scalar::Decimal { precision, scale } => json!(decimal(*precision, *scale, nth)),
        Scalar::Uuid => json!(uuid(nth)),
        Scalar::Timestamp => {
            let (minutes, second) = (nth / 60, nth % 60);
            let (hour, minute) = ((12 + minutes / 60) % 24, minutes % 60);
            json!(format!("2026-01-31T{hour:02}:{minute:02}:{second:02}.000000Z"))
        }
        Scalar::Date => json!(format!("{}-{:02}-{:02}", 2026 + nth / 336 % 1000, nth / 28 % 12 + 1, nth % 28 + 1)),
        Scalar::Duration => match nth {
            0..59 => json!(format!("PT{}M", nth + 1)),
            _ => json!(format!("PT{}H{}M", nth / 59 % 23 + 1, nth % 59 + 1)),
        },
        Scalar::Bytes => {
            // `example`, and three bytes more.
            const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let digit = |place: u32| char::from(DIGITS[(nth >> (6 * place)) as usize % 64]);
            match nth {
                0 => json!("ZXhhbXBsZQ=="),
                _ => json!(format!("ZXhhbXBsZSBv{}{}{}{}", digit(3), digit(2), digit(1), digit(0))),
            }
        }
        Scalar::Json => json!({ "example": nth }),
    }
}

/// The hint, cut or filled to the length, the number at its end.
fn text(hint: &str, min: u32, max: Option<u32>, nth: u32) -> String {
    let (min, max) = (min as usize, max.map_or(usize::MAX, |max| max as usize));
    let number = if nth == 0 { String::new() } else { nth.to_string() };
    let number: String = number.chars().skip(number.len().saturating_sub(max)).collect();
    let mut text: String = hint.chars().take(max - number.len()).collect();
    let missing = min.saturating_sub(text.chars().count() + number.len());
    text.extend(std::iter::repeat_n('x', missing));
    text + &number
}

/// The `nth` from 1, or from the least, on, around through the range.
fn integer(min: i128, max: i128, nth: u32) -> i128 {
    let first = 1.clamp(min, max.max(min));
    let count = (max - min).saturating_add(1).max(1);
    min + (first - min + i128::from(nth)) % count
}

fn float(min: Option<f64>, max: Option<f64>, nth: u32) -> f64 {
    let nth = f64::from(nth);
    let plain = 1.5 + nth;
    match (min, max) {
        _ if min.is_none_or(|min| min <= plain) && max.is_none_or(|max| plain <= max) => plain,
        (Some(min), Some(max)) => min + (max / (nth + 2.0) - min / (nth + 2.0)),
        (Some(min), None) => (min + nth).min(f64::MAX),
        (None, Some(max)) => (max - nth).max(f64::MIN),
        (None, None) => plain,
    }
}

/// 1.5 and up by 1, or 0.5 and up by the last digit where nothing stands before the point; all digits of the scale.
fn decimal(precision: u32, scale: u32, nth: u32) -> String {
    let unit = 10u128.saturating_pow(scale);
    let (first, step) = if precision > scale { (unit + unit / 2, unit) } else { (unit / 2, 1) };
    let number = (first + step * u128::from(nth)) % 10u128.saturating_pow(precision).max(1);
    let (whole, part) = (number / unit, number % unit);
    match scale {
        0 => whole.to_string(),
        _ => format!("{whole}.{part:0width$}", width = scale as usize),
    }
}

#[cfg(test)]
mod tests;
