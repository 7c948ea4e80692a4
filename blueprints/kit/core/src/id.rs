use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Failure;

/// The id type of a resource: a value that cannot be mistaken for another resource's. What makes one valid is said by its
/// [`Validate`](crate::Validate).
///
/// ```
/// kit::id! {
///     /// Names one order.
///     pub OrderId(uuid::Uuid)
/// }
/// impl kit::Validate for OrderId {}
///
/// let id: OrderId = "0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77".parse()?;
/// assert_eq!(serde_json::to_string(&id).unwrap(), "\"0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77\"");
/// # Ok::<(), kit::Failure>(())
/// ```
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* pub $name:ident($(#[$field:meta])* $inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name($(#[$field])* pub $inner);

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::Failure;

            fn from_str(text: &str) -> Result<Self, $crate::Failure> {
                text.parse().map(Self).map_err($crate::Failure::invalid)
            }
        }
    };
}

/// The revision of a resource: 1 when created, one more at each change. Strong, as RFC 9110 §8.8.3 has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Etag(pub u64);

impl Etag {
    /// Refuses with [`Failure::stale`] unless the caller gave no revision or this one.
    pub fn check(self, wanted: Option<Self>) -> Result<(), Failure> {
        if wanted.is_none_or(|wanted| wanted == self) { Ok(()) } else { Err(Failure::stale()) }
    }

    /// The revision after a change.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Etag {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let wrong = || Failure::invalid(format!("{text:?} is not a revision"));
        let etag = text.parse().map(Self).map_err(|_| wrong())?;
        // Nor is another way to write the same number: a tag is opaque, and compared as it stands.
        if etag.to_string() == text { Ok(etag) } else { Err(wrong()) }
    }
}

impl Serialize for Etag {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Etag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
