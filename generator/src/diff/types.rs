//! Bounds of values, and types as people read them.

use crate::{
    contracts::shape,
    fit,
    model::{Model, Scalar, Type},
};

/// How the values of a type are to those of another that it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    /// Some of them.
    Narrower,
    /// All of them, and more.
    Wider,
    /// Neither.
    Apart,
}

impl Relation {
    /// Of whether each is within the other: the new in the old, the old in the new.
    fn of(new_in_old: bool, old_in_new: bool) -> Self {
        match (new_in_old, old_in_new) {
            (true, true) => Self::Same,
            (true, false) => Self::Narrower,
            (false, true) => Self::Wider,
            (false, false) => Self::Apart,
        }
    }
}

/// Of lengths.
pub(super) fn ranges(old: (u32, Option<u32>), new: (u32, Option<u32>)) -> Relation {
    let end = |end: Option<u32>| end.unwrap_or(u32::MAX);
    let within = |a: (u32, Option<u32>), b: (u32, Option<u32>)| a.0 >= b.0 && end(a.1) <= end(b.1);
    Relation::of(within(new, old), within(old, new))
}

/// Of scalars as JSON writes them, or as it is taken.
pub(super) fn relation(old: &Scalar, new: &Scalar, is_taken: bool) -> Relation {
    Relation::of(is_within(new, old, is_taken), is_within(old, new, is_taken))
}

/// Whether every value of one scalar is written as one of another.
fn is_within(from: &Scalar, to: &Scalar, is_taken: bool) -> bool {
    let within = |a: (i128, i128), b: (i128, i128)| a.0 >= b.0 && a.1 <= b.1;
    if let (Some(a), Some(b)) = (number(from), number(to)) {
        return within(a, b);
    }
    // Where it is taken, a number will do for a string of digits.
    if let (Some(a), Some(b)) = (number(from), digits(to).filter(|_| is_taken)) {
        return within(a, b);
    }
    match (from, to) {
        (_, Scalar::Json) => true,
        // Any text is one.
        (from, Scalar::String { min: 0, max: None, pattern: None }) => is_text(from),
        (from, to) => fit::fits_scalar(from, to),
    }
}

/// The range of integers that are written as numbers.
fn number(scalar: &Scalar) -> Option<(i128, i128)> {
    match *scalar {
        Scalar::I32 { min, max } => Some((min.into(), max.into())),
        Scalar::U32 { min, max } => Some((min.into(), max.into())),
        _ => None,
    }
}

/// The range of integers that are written as strings.
fn digits(scalar: &Scalar) -> Option<(i128, i128)> {
    match *scalar {
        Scalar::I64 { min, max } => Some((min.into(), max.into())),
        Scalar::U64 { min, max } => Some((min.into(), max.into())),
        _ => None,
    }
}

fn is_text(scalar: &Scalar) -> bool {
    match scalar {
        Scalar::Bool | Scalar::I32 { .. } | Scalar::U32 { .. } | Scalar::F64 { .. } | Scalar::Json => false,
        Scalar::String { .. } | Scalar::I64 { .. } | Scalar::U64 { .. } | Scalar::Decimal { .. } => true,
        Scalar::Uuid | Scalar::Timestamp | Scalar::Date | Scalar::Duration | Scalar::Bytes => true,
    }
}

/// A reference as the id that it carries.
pub(super) fn carried(model: &Model, ty: &Type) -> Type {
    match ty {
        Type::Ref(of) => shape::id_type(model, of),
        ty => ty.clone(),
    }
}

/// A type as the design writes it, with its bounds.
pub(super) fn shown(ty: &Type) -> String {
    match ty {
        Type::Scalar(scalar) => fit::shown(ty) + &bounds(scalar),
        Type::List { item, min: 0, max: None } => shown(item) + "[]",
        Type::List { item, min, max } => {
            format!("{}[{min}..{}]", shown(item), max.map_or_else(String::new, |max| max.to_string()))
        }
        Type::Optional(item) => shown(item) + "?",
        ty => fit::shown(ty),
    }
}

fn bounds(scalar: &Scalar) -> String {
    let end = |end: Option<u32>| end.map_or_else(String::new, |end| end.to_string());
    let range = |min: &dyn ToString, max: &dyn ToString| format!("({}..{})", min.to_string(), max.to_string());
    match scalar {
        Scalar::String { min, max, pattern } => {
            let lengths = if *min > 0 || max.is_some() { format!("({min}..{})", end(*max)) } else { String::new() };
            lengths + &pattern.as_ref().map_or_else(String::new, |pattern| format!(" /{pattern}/"))
        }
        Scalar::I32 { min, max } if (*min, *max) != (i32::MIN, i32::MAX) => range(min, max),
        Scalar::I64 { min, max } if (*min, *max) != (i64::MIN, i64::MAX) => range(min, max),
        Scalar::U32 { min, max } if (*min, *max) != (0, u32::MAX) => range(min, max),
        Scalar::U64 { min, max } if (*min, *max) != (0, u64::MAX) => range(min, max),
        Scalar::F64 { min, max } if min.is_some() || max.is_some() => {
            let end = |end: &Option<f64>| end.map_or_else(String::new, |end| end.to_string());
            format!("({}..{})", end(min), end(max))
        }
        Scalar::Decimal { precision, scale } => format!("({precision},{scale})"),
        _ => String::new(),
    }
}
