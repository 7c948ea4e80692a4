use std::{
    collections::BTreeMap,
    fmt::{Debug, Display, Write as _},
    ops::{Bound, RangeBounds},
};

use regex::Regex;
use rust_decimal::Decimal;

use crate::{Etag, Failure, FieldError};

/// What a value must fulfil beyond its type: lengths, ranges, patterns, digits.
pub trait Validate {
    fn validate(&self, v: &mut Violations) {
        let _ = v;
    }

    /// All that is wrong with the value, as one `invalid` failure.
    fn check(&self) -> Result<(), Failure> {
        let mut v = Violations::default();
        self.validate(&mut v);
        v.result()
    }

    /// The same for what others tell: a value of an enum that this version does not know yet is no fault of theirs.
    fn check_told(&self) -> Result<(), Failure> {
        let mut v = Violations { unknown_values: true, ..Violations::default() };
        self.validate(&mut v);
        v.result()
    }
}

/// The arguments of an operation that are no record.
macro_rules! arguments {
    ($($t:ident),*) => {
        impl<$($t: Validate),*> Validate for ($($t,)*) {
            #[allow(non_snake_case, unused_variables, reason = "a tuple's fields are called like their types")]
            fn validate(&self, v: &mut Violations) {
                let ($($t,)*) = self;
                $($t.validate(v);)*
            }
        }
    };
}
arguments!();
arguments!(A);
arguments!(A, B);
arguments!(A, B, C);

impl<T: Validate> Validate for Option<T> {
    fn validate(&self, v: &mut Violations) {
        v.some(self, |v, value| value.validate(v));
    }
}

impl Validate for Etag {}

/// Any value of them will do.
macro_rules! plain {
    ($($t:ty),*) => {
        $(impl Validate for $t {})*
    };
}
plain!(bool, i32, i64, u32, u64, f64, String, uuid::Uuid);

/// What is wrong so far, and where in the value we are.
#[derive(Debug, Default)]
pub struct Violations {
    path: String,
    found: Vec<FieldError>,
    /// Values of enums that this version does not know are let through.
    unknown_values: bool,
}

impl Violations {
    pub fn result(self) -> Result<(), Failure> {
        if self.found.is_empty() { Ok(()) } else { Err(Failure::fields(self.found)) }
    }

    /// Goes into a field.
    pub fn at(&mut self, field: &str, check: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(field);
        check(self);
        self.path.truncate(length);
    }

    /// Goes into an id. One that is no field of anything is called `id`.
    pub fn id(&mut self, check: impl FnOnce(&mut Self)) {
        if self.path.is_empty() { self.at("id", check) } else { check(self) }
    }

    /// Goes into each item of a list.
    pub fn each<T>(&mut self, list: &[T], check: impl Fn(&mut Self, &T)) {
        for (index, item) in list.iter().enumerate() {
            self.within(index, |v| check(v, item));
        }
    }

    /// Goes into each value of a map.
    pub fn values<K: Display, T>(&mut self, map: &BTreeMap<K, T>, check: impl Fn(&mut Self, &T)) {
        for (key, value) in map {
            self.within(key, |v| check(v, value));
        }
    }

    fn within(&mut self, index: impl Display, check: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        let _ = write!(self.path, "[{index}]");
        check(self);
        self.path.truncate(length);
    }

    /// Goes into a value if there is one.
    pub fn some<T>(&mut self, value: &Option<T>, check: impl FnOnce(&mut Self, &T)) {
        if let Some(value) = value {
            check(self, value);
        }
    }

    /// Length in Unicode code points.
    pub fn length(&mut self, text: &str, range: impl RangeBounds<u32>) {
        let count = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        if !range.contains(&count) {
            self.add(format!("is {count} characters long, not {}", words(&range)));
        }
    }

    /// The whole text matches.
    pub fn pattern(&mut self, text: &str, pattern: &Regex) {
        if !pattern.is_match(text) {
            self.add(format!("does not match {}", pattern.as_str()));
        }
    }

    /// Numbers.
    pub fn range<T: PartialOrd + Debug>(&mut self, value: &T, range: impl RangeBounds<T>) {
        if !range.contains(value) {
            self.add(format!("is {value:?}, not {}", words(&range)));
        }
    }

    /// JSON, proto and GraphQL carry no NaN or infinity alike, so none is accepted.
    pub fn finite(&mut self, value: f64) {
        if !value.is_finite() {
            self.add("is not a finite number".into());
        }
    }

    /// At most `precision` digits, `scale` of them after the point; never rounded.
    pub fn digits(&mut self, value: &Decimal, precision: u32, scale: u32) {
        let whole = value.trunc().abs().mantissa().to_string().trim_start_matches('0').len();
        if value.normalize().scale() > scale || whole > (precision - scale) as usize {
            self.add(format!("has more than {} digits before or {scale} after the point", precision - scale));
        }
    }

    /// The number of items.
    pub fn items(&mut self, count: usize, range: impl RangeBounds<usize>) {
        if !range.contains(&count) {
            self.add(format!("has {count} items, not {}", words(&range)));
        }
    }

    /// Values of an enum that this version knows.
    pub fn known(&mut self, known: bool) {
        if !known && !self.unknown_values {
            self.add("is none of the values allowed".into());
        }
    }

    fn add(&mut self, detail: String) {
        self.found.push(FieldError { field: self.path.clone(), detail });
    }
}

fn words<T: Debug>(range: &impl RangeBounds<T>) -> String {
    let end = match range.end_bound() {
        Bound::Included(end) => Some(format!("{end:?}")),
        Bound::Excluded(end) => Some(format!("less than {end:?}")),
        Bound::Unbounded => None,
    };
    match (range.start_bound(), end) {
        (Bound::Included(start) | Bound::Excluded(start), Some(end)) => format!("from {start:?} to {end}"),
        (Bound::Included(start) | Bound::Excluded(start), None) => format!("at least {start:?}"),
        (Bound::Unbounded, Some(end)) => format!("at most {end}"),
        (Bound::Unbounded, None) => "any".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Line {
        sku: String,
        quantity: u32,
    }

    struct Order {
        lines: Vec<Line>,
        note: Option<String>,
        total: Decimal,
    }

    impl Validate for Line {
        fn validate(&self, v: &mut Violations) {
            v.at("sku", |v| v.length(&self.sku, 1..=3));
            v.at("quantity", |v| v.range(&self.quantity, 1..=9));
        }
    }

    impl Validate for Order {
        fn validate(&self, v: &mut Violations) {
            v.at("lines", |v| {
                v.items(self.lines.len(), 1..);
                v.each(&self.lines, |v, line| line.validate(v));
            });
            v.at("note", |v| v.some(&self.note, |v, note| v.length(note, ..=2)));
            v.at("total", |v| v.digits(&self.total, 5, 2));
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_its_path() {
        let line = |sku: &str, quantity| Line { sku: sku.into(), quantity };
        let order = Order {
            lines: vec![line("ab", 1), line("", 10)],
            note: Some("äöü".into()),
            total: crate::json::decimal("1000.001").unwrap(),
        };
        let failure = order.check().unwrap_err();
        let fields: Vec<_> = failure.fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["lines[1].sku", "lines[1].quantity", "note", "total"]);
        let order = Order { lines: vec![line("ab", 1)], note: None, total: crate::json::decimal("-999.990").unwrap() };
        assert_eq!(order.check(), Ok(()));
        assert!(Order { lines: vec![], ..order }.check().is_err());
    }

    #[test]
    fn what_is_told_may_be_of_a_newer_version_but_not_out_of_bounds() {
        struct Told(bool, u32);
        impl Validate for Told {
            fn validate(&self, v: &mut Violations) {
                v.at("kind", |v| v.known(self.0));
                v.at("count", |v| v.range(&self.1, ..=9));
            }
        }
        assert!(Told(false, 9).check().is_err());
        assert_eq!(Told(false, 9).check_told(), Ok(()));
        assert!(Told(true, 10).check_told().is_err());
    }

    #[test]
    fn an_id_is_called_as_its_field_or_id() {
        #[derive(Clone)]
        struct Sku(String);
        struct Box(Sku);
        impl Validate for Sku {
            fn validate(&self, v: &mut Violations) {
                v.id(|v| v.length(&self.0, ..=2));
            }
        }
        impl Validate for Box {
            fn validate(&self, v: &mut Violations) {
                v.at("sku", |v| self.0.validate(v));
            }
        }
        let long = Sku("abc".into());
        let failure = (long.clone(), Box(long)).check().unwrap_err();
        let fields: Vec<_> = failure.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, ["id", "sku"]);
    }

    #[test]
    fn each_argument_is_checked() {
        let arguments = |quantity| ((), Some(Line { sku: "ab".into(), quantity }), Some(Etag(1)));
        assert_eq!(arguments(9).check(), Ok(()));
        let failure = arguments(10).check().unwrap_err();
        assert_eq!(failure.fields[0].field, "quantity");
    }
}
