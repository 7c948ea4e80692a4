//! A deserializer around another one that watches what is read: which properties nobody wanted, and where it failed.
//! It also insists on objects for records, for which serde would take a list of the fields' values as well, and takes
//! `7.0` for the integer that it is (JSON Schema 2020-12 Validation §6.1.1).

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use crate::tagged::{TagFirst, UNION};

/// What has been seen.
#[derive(Default)]
pub(super) struct Findings {
    /// Paths of properties that the type does not have.
    pub unknown: RefCell<Vec<String>>,
    /// Path of the value that does not fit; `None` if it is the whole.
    pub place: RefCell<Option<String>>,
    /// The format has no null.
    pub no_null: bool,
}

/// Where in the document a value stands; written as `lines[2].note`, and `labels[key]` for the entries of a map.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Entry(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Entry(parent, key) => write!(f, "{parent}[{key}]"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// What the members of an object are.
#[derive(Clone, Copy, PartialEq)]
enum Object {
    /// Entries.
    Map,
    /// Fields.
    Record,
    /// The tag and the fields of the record that it names.
    Union,
}

/// Something of serde's (a deserializer, visitor, seed or access) and where in the document it is at work.
pub(super) struct Watched<'a, X> {
    inner: X,
    path: Path<'a>,
    findings: &'a Findings,
    /// What the next object is.
    object: Object,
    /// An integer is wanted, or whatever there is.
    whole: bool,
    /// Where to write the text or number that is read: it is the key of what comes next.
    key: Option<&'a mut String>,
}

impl<'a, X> Watched<'a, X> {
    pub(super) fn new(inner: X, path: Path<'a>, findings: &'a Findings) -> Self {
        Self { inner, path, findings, object: Object::Map, whole: false, key: None }
    }
}

macro_rules! deserialize {
    ($($method:ident($($name:ident: $type:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let Self { inner, path, findings, object, whole, key } = self;
            inner.$method($($name,)* Watched { inner: visitor, path, findings, object, whole, key })
        })*
    };
}

macro_rules! deserialize_whole {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let Self { inner, path, findings, object, key, .. } = self;
            inner.$method(Watched { inner: visitor, path, findings, object, whole: true, key })
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Watched<'_, D> {
    type Error = D::Error;

    deserialize! {
        deserialize_bool()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_option() deserialize_unit()
        deserialize_unit_struct(name: &'static str) deserialize_newtype_struct(name: &'static str)
        deserialize_seq() deserialize_tuple(length: usize) deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_map() deserialize_identifier()
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    deserialize_whole! {
        deserialize_any deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let Self { inner, path, findings, key, .. } = self;
        let object = if name == UNION { Object::Union } else { Object::Record };
        inner.deserialize_map(Watched { inner: visitor, path, findings, object, whole: false, key })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.findings.unknown.borrow_mut().push(self.path.to_string());
        self.inner.deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident: $type:ty)*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            if let Some(key) = self.key {
                *key = value.to_string();
            }
            self.inner.$method(value)
        })*
    };
}

macro_rules! visit_text {
    ($($method:ident: $type:ty)*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            if let Some(key) = self.key {
                // Its place is taken by the next one's.
                key.clear();
                key.push_str(&value);
            }
            self.inner.$method(value)
        })*
    };
}

/// The integer that a number with a point or an exponent is, if it has come unrounded: below 2⁵³.
fn integer(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers within ±2^53 fit")]
    (value.fract() == 0.0 && value.abs() < EXACT).then_some(value as i64)
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watched<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool: bool visit_char: char visit_f32: f32
        visit_i8: i8 visit_i16: i16 visit_i32: i32 visit_i64: i64 visit_i128: i128
        visit_u8: u8 visit_u16: u16 visit_u32: u32 visit_u64: u64 visit_u128: u128
    }

    visit_text! {
        visit_str: &str visit_borrowed_str: &'de str visit_string: String
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        match integer(value) {
            Some(whole) if self.whole => self.visit_i64(whole),
            _ => self.inner.visit_f64(value),
        }
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<V::Value, E> {
        self.inner.visit_bytes(value)
    }

    fn visit_borrowed_bytes<E: Error>(self, value: &'de [u8]) -> Result<V::Value, E> {
        self.inner.visit_borrowed_bytes(value)
    }

    fn visit_byte_buf<E: Error>(self, value: Vec<u8>) -> Result<V::Value, E> {
        self.inner.visit_byte_buf(value)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        if self.findings.no_null {
            return Err(E::custom("is empty"));
        }
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        let Self { inner, path, findings, object, whole, key } = self;
        inner.visit_some(Watched { inner: from, path, findings, object, whole, key })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        let Self { inner, path, findings, object, whole, key } = self;
        inner.visit_newtype_struct(Watched { inner: from, path, findings, object, whole, key })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Items { inner: items, next: 0, list: &self.path, findings: self.findings })
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        let Self { inner, path, findings, object, .. } = self;
        let (key, record) = (String::new(), object != Object::Map);
        if object == Object::Union {
            let members = TagFirst::of(members)?;
            return inner.visit_map(Members { inner: members, key, object: &path, findings, record });
        }
        inner.visit_map(Members { inner: members, key, object: &path, findings, record })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(variant)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Watched<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        let Self { inner, path, findings, object, whole, key } = self;
        inner.deserialize(Watched { inner: from, path, findings, object, whole, key }).inspect_err(|_| {
            // The innermost comes first.
            findings.place.borrow_mut().get_or_insert_with(|| path.to_string());
        })
    }
}

struct Items<'a, A> {
    inner: A,
    next: usize,
    list: &'a Path<'a>,
    findings: &'a Findings,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let path = Path::Item(self.list, self.next);
        self.next += 1;
        self.inner.next_element_seed(Watched::new(seed, path, self.findings))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

struct Members<'a, A> {
    inner: A,
    /// Of the value that comes next.
    key: String,
    object: &'a Path<'a>,
    findings: &'a Findings,
    record: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let key = Some(&mut self.key);
        self.inner.next_key_seed(Watched {
            inner: seed,
            path: *self.object,
            findings: self.findings,
            object: Object::Map,
            whole: false,
            key,
        })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let path = if self.record { Path::Field(self.object, &self.key) } else { Path::Entry(self.object, &self.key) };
        self.inner.next_value_seed(Watched::new(seed, path, self.findings))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}
