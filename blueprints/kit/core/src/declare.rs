/// The error of an operation that declares errors: one variant each, then [`Failure`](crate::Failure).
///
/// ```
/// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)] pub struct Shortage { left: u32 }
/// kit::errors! {
///     /// Why `reserve` may fail.
///     pub ReserveError {
///         /// Less on the shelf than asked for.
///         OutOfStock(Shortage): Conflict = "out of stock",
///         Closed: Conflict = "closed",
///     }
/// }
/// use kit::{Kind, OperationError};
/// let error = ReserveError::OutOfStock(Shortage { left: 3 });
/// assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Conflict, "out of stock"));
/// assert_eq!(ReserveError::from_wire(error.to_wire()), error);
/// assert_eq!(ReserveError::from(kit::Failure::stale()).kind(), Kind::Stale);
/// ```
#[macro_export]
macro_rules! errors {
    ($(#[$doc:meta])* pub $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident $(($data:ty))? : $kind:ident = $text:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, PartialEq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant $(($data))?,)+
            /// What no operation declares: refused input, an unreachable service, a bug.
            Failure($crate::Failure),
        }

        impl $crate::OperationError for $name {
            fn kind(&self) -> $crate::Kind {
                match self {
                    $(Self::$variant { .. } => $crate::Kind::$kind,)+
                    Self::Failure(failure) => failure.kind,
                }
            }

            fn failure(&self) -> Option<&$crate::Failure> {
                match self {
                    Self::Failure(failure) => Some(failure),
                    _ => None,
                }
            }

            fn declared(&self) -> Option<(&'static str, $crate::Data)> {
                match self {
                    $($crate::errors!(@pattern $variant data $(($data))?) =>
                        Some((stringify!($variant), $crate::errors!(@write data $(($data))?))),)+
                    Self::Failure(_) => None,
                }
            }

            fn from_declared(name: &str, _data: $crate::Data) -> Option<Self> {
                match name {
                    $(stringify!($variant) => Some($crate::errors!(@read $variant _data $(($data))?)),)+
                    _ => None,
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$variant { .. } => f.write_str($text),)+
                    Self::Failure(failure) => failure.fmt(f),
                }
            }
        }

        impl ::std::error::Error for $name {}

        impl From<$crate::Failure> for $name {
            fn from(failure: $crate::Failure) -> Self {
                Self::Failure(failure)
            }
        }

        impl From<$crate::Cause> for $name {
            fn from(error: $crate::Cause) -> Self {
                Self::Failure(error.into())
            }
        }
    };
    (@pattern $variant:ident $found:ident ($data:ty)) => { Self::$variant($found) };
    (@pattern $variant:ident $found:ident) => { Self::$variant };
    (@write $found:ident ($data:ty)) => { $crate::data($found) };
    (@write $found:ident) => { $crate::Data::Null };
    (@read $variant:ident $found:ident ($data:ty)) => { Self::$variant($crate::record($found)?) };
    (@read $variant:ident $found:ident) => { Self::$variant };
}

/// An enum whose values are texts on the wire. A value that this version does not know is read as `Unrecognised`, which
/// input may not have.
///
/// ```
/// kit::choice! {
///     /// What money is counted in.
///     pub Currency {
///         Eur = "eur",
///         Usd = "usd",
///     }
/// }
/// let read = |text| serde_json::from_str::<Currency>(text).unwrap();
/// assert_eq!(read("\"eur\""), Currency::Eur);
/// assert_eq!(read("\"chf\""), Currency::Unrecognised("chf".into()));
/// assert!(!read("\"chf\"").is_known());
/// assert_eq!(serde_json::to_string(&read("\"chf\"")).unwrap(), "\"chf\"");
/// ```
#[macro_export]
macro_rules! choice {
    ($(#[$doc:meta])* pub $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $value,)+
            /// A value of a newer version of the contract.
            Unrecognised(String),
        }

        impl $name {
            /// Every value that this version knows, in the order of the design.
            pub const KNOWN: &[Self] = &[$(Self::$value,)+];

            /// As on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$value => $text,)+
                    Self::Unrecognised(text) => text,
                }
            }

            /// This version of the contract has the value.
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Unrecognised(_))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$value,)+
                    other => Self::Unrecognised(other.into()),
                }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(text.into())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Ok(<::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(from)?.as_ref().into())
            }
        }
    };
}

/// A union of records: an object whose member `type` names the one that it is.
///
/// ```
/// # use kit::{Validate, Violations};
/// #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// pub struct Card {
///     pub token: String,
/// }
/// # impl Validate for Card { fn validate(&self, _: &mut Violations) {} }
///
/// kit::union! {
///     pub Payment {
///         Card(Card) = "Card",
///     }
/// }
/// let paid = Payment::Card(Card { token: "t".into() });
/// let text = serde_json::to_string(&paid).unwrap();
/// assert_eq!(text, r#"{"type":"Card","token":"t"}"#);
/// assert_eq!(serde_json::from_str::<Payment>(&text).unwrap(), paid);
/// ```
#[macro_export]
macro_rules! union {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($variant:ident($record:ty) = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize)]
        #[serde(tag = "type")]
        $vis enum $name {
            $(#[serde(rename = $text)] $variant($record),)+
        }

        impl $crate::tagged::Tagged for $name {
            const NAMES: &'static [&'static str] = &[$($text,)+];

            fn read<'de, D: ::serde::Deserializer<'de>>(name: &str, members: D) -> Result<Self, D::Error> {
                match name {
                    $($text => ::serde::Deserialize::deserialize(members).map(Self::$variant),)+
                    other => Err(::serde::de::Error::unknown_variant(other, Self::NAMES)),
                }
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::tagged::read(from)
            }
        }

        impl $crate::Validate for $name {
            fn validate(&self, v: &mut $crate::Violations) {
                match self {
                    $(Self::$variant(value) => $crate::Validate::validate(value, v),)+
                }
            }
        }
    };
}
