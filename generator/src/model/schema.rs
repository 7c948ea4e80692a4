//! Types of values: what `[types]` and the fields of records, inputs, outputs, resources and payloads say.

use super::{Docs, ResourceRef};

/// What a value is (LANGUAGE §3).
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Scalar(Scalar),
    Named(TypeRef),
    /// A whole resource, as `get` answers it. Only in outputs and payloads.
    Resource(ResourceRef),
    /// The id of a resource.
    Ref(ResourceRef),
    List {
        item: Box<Type>,
        min: u32,
        max: Option<u32>,
    },
    /// Never directly inside another `Optional`.
    Optional(Box<Type>),
    Map {
        key: MapKey,
        value: Box<Type>,
    },
}

/// A record, enum or union.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeRef {
    /// The service whose [`super::Service::enums`] holds it; `None` for [`super::Model::types`].
    pub service: Option<String>,
    pub name: String,
}

/// A scalar and its bounds. Both ends of a range belong to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Lengths in Unicode code points; `pattern` is a regular expression that must match the whole string.
    String {
        min: u32,
        max: Option<u32>,
        pattern: Option<String>,
    },
    Bool,
    I32 {
        min: i32,
        max: i32,
    },
    I64 {
        min: i64,
        max: i64,
    },
    U32 {
        min: u32,
        max: u32,
    },
    U64 {
        min: u64,
        max: u64,
    },
    /// Finite; `None` where there is no bound.
    F64 {
        min: Option<f64>,
        max: Option<f64>,
    },
    /// `precision` ≤ 18 digits in all, `scale` of them after the point.
    Decimal {
        precision: u32,
        scale: u32,
    },
    Uuid,
    /// Microseconds, UTC.
    Timestamp,
    Date,
    /// Microseconds, not negative.
    Duration,
    Bytes,
    Json,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapKey {
    String,
    I32,
    I64,
    U32,
    U64,
    Uuid,
    Date,
    Enum(TypeRef),
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeDef {
    Record(Record),
    Enum(Enum),
    Union(Union),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub name: String,
    pub docs: Docs,
    pub fields: Vec<Field>,
}

/// Written in `[types]`, or in a field and then called `<Record><Field>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    pub name: String,
    pub docs: Docs,
    /// `lower_snake`, in order.
    pub values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Union {
    pub name: String,
    pub docs: Docs,
    /// Records of [`super::Model::types`], in order.
    pub variants: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// `lower_snake`, the wire name in JSON.
    pub name: String,
    pub docs: Docs,
    pub ty: Type,
    /// Fills an absent input field. Already checked against the type.
    pub default: Option<Default>,
    pub unique: bool,
    /// Set by the service alone.
    pub readonly: bool,
    /// Given at creation only.
    pub fixed: bool,
}

/// A default value, by the type of its field.
#[derive(Clone, Debug, PartialEq)]
pub enum Default {
    /// Strings, and every scalar whose JSON form is text (decimal, uuid, timestamp, date, duration), in that form.
    Text(String),
    Bool(bool),
    Integer(i128),
    Float(f64),
    /// A value of the enum.
    Value(String),
    /// `[]`.
    EmptyList,
}
