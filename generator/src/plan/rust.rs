//! How types look in emitted Rust: the type itself, its serde adapter, the check of its bounds, an example of it.

use crate::contracts::shape;
use crate::model::{MapKey, Model, Scalar, Type, TypeDef, TypeRef};

pub use crate::names::rust::id_name;

use super::imports::{OWN, USER};

/// A type name of the design, marked for [`super::imports`].
pub fn user(name: &str) -> String {
    format!("{USER}{name}")
}

/// A variant, marked for [`super::imports`].
pub fn variant(name: &str) -> String {
    format!("{OWN}{name}")
}

/// `Vec<Option<Money>>`.
pub fn ty(ty: &Type) -> String {
    match ty {
        Type::Scalar(scalar) => scalar_type(scalar).into(),
        Type::Named(name) => user(&name.name),
        Type::Resource(resource) => user(&resource.resource),
        Type::Ref(resource) => user(&id_name(&resource.resource)),
        Type::List { item, .. } => format!("Vec<{}>", self::ty(item)),
        Type::Optional(inner) => format!("Option<{}>", self::ty(inner)),
        Type::Map { key, value } => format!("BTreeMap<{}, {}>", map_key(key), self::ty(value)),
    }
}

fn scalar_type(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::String { .. } => "String",
        Scalar::Bool => "bool",
        Scalar::I32 { .. } => "i32",
        Scalar::I64 { .. } => "i64",
        Scalar::U32 { .. } => "u32",
        Scalar::U64 { .. } => "u64",
        Scalar::F64 { .. } => "f64",
        Scalar::Decimal { .. } => "Decimal",
        Scalar::Uuid => "Uuid",
        Scalar::Timestamp => "DateTime<Utc>",
        Scalar::Date => "NaiveDate",
        Scalar::Duration => "Duration",
        Scalar::Bytes => "Vec<u8>",
        Scalar::Json => "Value",
    }
}

pub fn map_key(key: &MapKey) -> String {
    match key {
        MapKey::String => "String".into(),
        MapKey::I32 => "i32".into(),
        MapKey::I64 => "i64".into(),
        MapKey::U32 => "u32".into(),
        MapKey::U64 => "u64".into(),
        MapKey::Uuid => "Uuid".into(),
        MapKey::Date => "NaiveDate".into(),
        MapKey::Enum(name) => user(&name.name),
    }
}

/// The `serde_with` adapter of a type whose JSON form is not serde's own: `Option<Digits>`.
pub fn adapter(ty: &Type) -> Option<String> {
    match ty {
        Type::Scalar(Scalar::I64 { .. } | Scalar::U64 { .. }) => Some("Digits".into()),
        Type::Scalar(Scalar::Decimal { .. }) => Some("Exact".into()),
        Type::Scalar(Scalar::Timestamp) => Some("Micros".into()),
        Type::Scalar(Scalar::Duration) => Some("Iso8601".into()),
        Type::Scalar(Scalar::Bytes) => Some("Base64".into()),
        Type::Scalar(_) | Type::Named(_) | Type::Resource(_) | Type::Ref(_) => None,
        Type::List { item, .. } => adapter(item).map(|item| format!("Vec<{item}>")),
        Type::Optional(inner) => adapter(inner).map(|inner| format!("Option<{inner}>")),
        Type::Map { value, .. } => adapter(value).map(|value| format!("BTreeMap<Same, {value}>")),
    }
}

/// The statement that checks the bounds of `value` (a place expression), or nothing if every value of the type is
/// valid. `reference` says that `value` is a reference already.
pub fn check(model: &Model, ty: &Type, value: &str, reference: bool) -> Option<String> {
    let borrowed = if reference { value.to_owned() } else { format!("&{value}") };
    match ty {
        Type::Scalar(scalar) => scalar_check(scalar, value, &borrowed, reference),
        Type::Named(name) if is_enum(model, name) => Some(format!("v.known({value}.is_known())")),
        Type::Named(_) => Some(format!("{value}.validate(v)")),
        Type::Resource(_) => None,
        // An id knows what makes it valid.
        Type::Ref(of) => check(model, &shape::id_type(model, of), "id", false).map(|_| format!("{value}.validate(v)")),
        Type::Optional(inner) => {
            let inner = check(model, inner, "value", true)?;
            Some(format!("v.some({borrowed}, |v, value| {inner})"))
        }
        Type::List { item, min, max } => {
            let items = bounds(*min, *max).map(|range| format!("v.items({value}.len(), {range})"));
            let each = check(model, item, "item", true).map(|item| format!("v.each({borrowed}, |v, item| {item})"));
            both(items, each)
        }
        Type::Map { key, value: inner } => {
            let keys =
                matches!(key, MapKey::Enum(_)).then(|| format!("v.known({value}.keys().all(|key| key.is_known()))"));
            let values =
                check(model, inner, "value", true).map(|inner| format!("v.values({borrowed}, |v, value| {inner})"));
            both(keys, values)
        }
    }
}

fn both(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{{ {first}; {second}; }}")),
        (one, other) => one.or(other),
    }
}

fn scalar_check(scalar: &Scalar, value: &str, borrowed: &str, reference: bool) -> Option<String> {
    let plain = if reference { format!("*{value}") } else { value.to_owned() };
    match scalar {
        Scalar::String { min, max, pattern } => {
            let length = bounds(*min, *max).map(|range| format!("v.length({borrowed}, {range})"));
            let pattern = pattern.as_ref().map(|p| format!("v.pattern({borrowed}, &{})", pattern_name(p)));
            both(length, pattern)
        }
        Scalar::I32 { min, max } => range(borrowed, (*min).into(), (*max).into(), i32::MIN.into(), i32::MAX.into()),
        Scalar::I64 { min, max } => range(borrowed, (*min).into(), (*max).into(), i64::MIN.into(), i64::MAX.into()),
        Scalar::U32 { min, max } => range(borrowed, (*min).into(), (*max).into(), 0, u32::MAX.into()),
        Scalar::U64 { min, max } => range(borrowed, (*min).into(), (*max).into(), 0, u64::MAX.into()),
        Scalar::F64 { min, max } => {
            let finite = Some(format!("v.finite({plain})"));
            let bounded = match (min, max) {
                (None, None) => None,
                (Some(min), None) => Some(format!("{min:?}..")),
                (None, Some(max)) => Some(format!("..={max:?}")),
                (Some(min), Some(max)) => Some(format!("{min:?}..={max:?}")),
            };
            both(finite, bounded.map(|range| format!("v.range({borrowed}, {range})")))
        }
        Scalar::Decimal { precision, scale } => Some(format!("v.digits({borrowed}, {precision}, {scale})")),
        Scalar::Bool
        | Scalar::Uuid
        | Scalar::Timestamp
        | Scalar::Date
        | Scalar::Duration
        | Scalar::Bytes
        | Scalar::Json => None,
    }
}

/// The static that holds a compiled pattern: equal patterns share one.
pub fn pattern_name(pattern: &str) -> String {
    let hash = pattern.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    format!("PATTERN_{hash:08X}")
}

fn range(value: &str, min: i128, max: i128, lowest: i128, highest: i128) -> Option<String> {
    let range = match (min > lowest, max < highest) {
        (false, false) => return None,
        (true, false) => format!("{min}.."),
        (false, true) => format!("..={max}"),
        (true, true) => format!("{min}..={max}"),
    };
    Some(format!("v.range({value}, {range})"))
}

fn bounds(min: u32, max: Option<u32>) -> Option<String> {
    match (min, max) {
        (0, None) => None,
        (_, None) => Some(format!("{min}..")),
        (0, Some(max)) => Some(format!("..={max}")),
        (_, Some(max)) => Some(format!("{min}..={max}")),
    }
}

/// The name stands for an enum, not for a record or union.
pub fn is_enum(model: &Model, name: &TypeRef) -> bool {
    name.service.is_some() || matches!(model.types.get(&name.name), Some(TypeDef::Enum(_)))
}

/// Clippy wants no `clone` of these.
pub fn is_copy(ty: &Type) -> bool {
    match ty {
        Type::Scalar(scalar) => !matches!(scalar, Scalar::String { .. } | Scalar::Bytes | Scalar::Json),
        Type::Optional(inner) => is_copy(inner),
        _ => false,
    }
}
