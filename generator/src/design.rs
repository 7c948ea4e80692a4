//! What the files of a design say: one struct a table, every value with its place. [`crate::parse`] makes it, and the
//! checker turns it into a [`crate::model::Model`].
//!
//! Nothing here is resolved, inferred or defaulted: an absent key is `None` or an empty list. Files are united, and
//! maps are in the order of the text. Words (`grpc`, `at-least-once`), durations, rates, routes and type expressions
//! are read already; `allow` and map expressions stay text.
//!
//! A value with a mistake was reported when it was read. It is left out here, and its key stands in [`Head::broken`],
//! so whoever would complain that something is missing looks there first. A broken type is [`TypeKind::Broken`].

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::source::{Span, Spanned};

mod external;
mod link;
mod literal;
mod operation;
mod service;
mod type_expr;
mod words;

pub use external::*;
pub use link::*;
pub use literal::*;
pub use operation::*;
pub use service::*;
pub use type_expr::*;
pub use words::*;

/// All files of a design together.
#[derive(Clone, Debug, Default)]
pub struct Design {
    pub system: System,
    pub defaults: Defaults,
    pub types: IndexMap<String, TypeDef>,
    pub services: IndexMap<String, Service>,
    pub externals: IndexMap<String, External>,
    /// In the order of the text. No two have the same `from` and `to`.
    pub links: Vec<Link>,
    /// Something that may have named things was not understood (a broken header, a misspelt section, a file that is not
    /// there): a name that nobody declares here may well be declared there, and is not worth a report.
    pub incomplete: bool,
}

/// What every table with a name has.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The key that names the table: `orders` of `[services.orders]`. For `[system]` and `[defaults]` that word itself.
    /// Where a table has several headers (or only headers of its parts), the first place.
    pub name: Spanned<String>,
    pub docs: Docs,
    /// Keys that are there but could not be read, and keys that an unknown key was probably meant to be.
    pub broken: BTreeSet<&'static str>,
    /// The table itself is not one (`services.orders = 5`): everything in it is missing for that reason.
    pub not_a_table: bool,
}

/// The texts of a table or key.
#[derive(Clone, Debug, Default)]
pub struct Docs {
    /// One line.
    pub summary: Option<Spanned<String>>,
    /// The `##` comment above it, without the marks, lines joined with `\n`; or empty.
    pub description: String,
}

/// A list: the place of the whole, and of each item.
pub type List<T> = Spanned<Vec<Spanned<T>>>;

/// `[system]`
#[derive(Clone, Debug, Default)]
pub struct System {
    pub head: Head,
    /// What the system is called.
    pub name: Option<Spanned<String>>,
    pub include: Vec<Spanned<String>>,
    pub packs: Vec<Spanned<String>>,
    pub own: Vec<Spanned<String>>,
    pub broker: Option<Spanned<Broker>>,
    pub store: Option<Spanned<Store>>,
    pub auth: Option<List<Auth>>,
    pub tls: Option<Spanned<Tls>>,
    pub roles: Vec<Spanned<String>>,
    pub plans: Vec<Spanned<String>>,
    pub compat: Option<Spanned<Compat>>,
}

/// `[defaults]`, for every link that does not say its own.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    pub head: Head,
    pub timeout: Option<Spanned<std::time::Duration>>,
    pub retry: Option<Spanned<Retry>>,
    pub breaker: Option<Spanned<Breaker>>,
    pub bulkhead: Option<Spanned<u32>>,
}

/// An entry of `[types]`.
#[derive(Clone, Debug)]
pub struct TypeDef {
    pub head: Head,
    pub kind: TypeDefKind,
}

/// What an entry of `[types]` is.
#[derive(Clone, Debug)]
pub enum TypeDefKind {
    Record(Fields),
    /// `"CardPayment | InvoicePayment"`, at least two names.
    Union(Vec<Spanned<Reference>>),
    /// `"enum(eur, usd)"`, at least one value, none twice.
    Enum(Vec<Spanned<String>>),
    /// `"string(15..34) pii"`: a scalar, perhaps with the marks `pii` or `secret`.
    Scalar(FieldType),
    /// Reported already.
    Broken,
}

/// Fields by name, in the order of the text.
pub type Fields = IndexMap<String, Field>;

/// One field of a record, resource, input, output or payload.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: Spanned<String>,
    /// The `##` comment above it, or empty.
    pub description: String,
    pub ty: FieldType,
}

/// A name used, perhaps with its owner: `StockLevel`, `inventory.StockLevel`, `inventory.reserve`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    pub owner: Option<String>,
    pub name: String,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(owner) = &self.owner {
            write!(f, "{owner}.")?;
        }
        f.write_str(&self.name)
    }
}

/// Target field to map expression (LANGUAGE §6.4), which stays text.
pub type Mapping = IndexMap<String, Mapped>;

/// One entry of a [`Mapping`].
#[derive(Clone, Debug)]
pub struct Mapped {
    pub target: Spanned<String>,
    pub expression: Spanned<String>,
}

impl Head {
    /// Whether the absence of `key` was reported already, in one way or another.
    pub fn is_broken(&self, key: &str) -> bool {
        self.not_a_table || self.broken.contains(key)
    }

    /// Where the table is named.
    pub fn span(&self) -> Span {
        self.name.span.clone()
    }
}
