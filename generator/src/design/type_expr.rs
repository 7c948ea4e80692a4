//! Type expressions (LANGUAGE §3) as written: names are not resolved. Every span points into the string.

use super::Reference;
use crate::{
    model::Scalar,
    source::{Span, Spanned},
};

/// What a field's string says: `decimal(12,2)[]? pii = …`.
#[derive(Clone, Debug)]
pub struct FieldType {
    pub expr: TypeExpr,
    /// No mark twice, and only where it may stand: `unique readonly fixed` in fields of resources, `pii secret` anywhere.
    pub marks: Vec<Spanned<Mark>>,
    /// The text after `= `, quotes removed. For scalars and enums written in place it is a value of the type;
    /// [`crate::parse::default_value`] reads it once a name is resolved to its scalar.
    pub default: Option<Spanned<String>>,
}

/// A type.
#[derive(Clone, Debug)]
pub struct TypeExpr {
    pub kind: TypeKind,
    pub span: Span,
}

/// The forms of a type.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// Bounds are checked and filled in.
    Scalar(Scalar),
    /// A type, or a resource.
    Name(Reference),
    /// `ref Resource`; the span is that of the name.
    Ref(Spanned<Reference>),
    /// `enum(a, b)`: at least one, none twice.
    Enum(Vec<Spanned<String>>),
    /// `map<key, value>`. A key is a scalar that may be one, an enum in place, or a name that has to be an enum.
    Map { key: Option<Box<TypeExpr>>, value: Box<TypeExpr> },
    /// `item[]`, `item[1..100]`; `min` ≤ `max`.
    List { item: Box<TypeExpr>, min: u32, max: Option<u32> },
    /// `item?`, never of an optional.
    Optional(Box<TypeExpr>),
    /// Reported already: say nothing about it.
    Broken,
}

/// What a mark says about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    Pii,
    Secret,
    Unique,
    Readonly,
    Fixed,
}

impl FieldType {
    /// The mark's place, if it is there.
    pub fn mark(&self, mark: Mark) -> Option<&Span> {
        self.marks.iter().find(|m| m.value == mark).map(|m| &m.span)
    }
}

impl TypeExpr {
    /// Whether anything in it was reported already.
    pub fn is_broken(&self) -> bool {
        match &self.kind {
            TypeKind::Broken => true,
            TypeKind::Map { key, value } => key.as_ref().is_some_and(|key| key.is_broken()) || value.is_broken(),
            TypeKind::List { item, .. } | TypeKind::Optional(item) => item.is_broken(),
            TypeKind::Scalar(_) | TypeKind::Name(_) | TypeKind::Ref(_) | TypeKind::Enum(_) => false,
        }
    }
}
