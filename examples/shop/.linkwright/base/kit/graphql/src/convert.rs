use std::{borrow::Cow, collections::BTreeMap};

use async_graphql::{InputType, InputValueError, InputValueResult, MaybeUndefined, Value, registry::Registry};
use kit::{Cursor, Etag, Failure};

use crate::{Json, Key, Scalar};

/// What GraphQL shows of a `T`.
pub trait Output<T> {
    fn of(value: T) -> Self;
}

/// The `T` that GraphQL input means.
pub trait Input<T> {
    /// Fails with `invalid` and the path of the field.
    fn read(self) -> Result<T, Failure>;
}

/// A field of an input object.
pub fn field<T>(name: &str, input: impl Input<T>) -> Result<T, Failure> {
    input.read().map_err(|failure| failure.within(name.strip_prefix("r#").unwrap_or(name)))
}

macro_rules! same {
    ($($t:ty),*) => {$(
        impl Output<$t> for $t {
            fn of(value: $t) -> $t {
                value
            }
        }

        impl Input<$t> for $t {
            fn read(self) -> Result<$t, Failure> {
                Ok(self)
            }
        }
    )*};
}
same!(String, bool, i32, f64);

macro_rules! wrapped {
    ($($t:ident),*) => {$(
        impl<T> Output<T> for $t<T> {
            fn of(value: T) -> Self {
                Self(value)
            }
        }

        impl<T> Input<T> for $t<T> {
            fn read(self) -> Result<T, Failure> {
                Ok(self.0)
            }
        }
    )*};
}
wrapped!(Scalar, Key);

/// `first` of a list is an `Int`, as Relay has it; the contract's limit is not negative.
impl Input<u32> for i32 {
    fn read(self) -> Result<u32, Failure> {
        self.try_into().map_err(|_| Failure::invalid(format!("is {self}, not at least 0")))
    }
}

macro_rules! tuple {
    ($($g:ident: $t:ident),+) => {
        impl<$($g: Input<$t>, $t),+> Input<($($t,)+)> for ($($g,)+) {
            #[allow(non_snake_case, reason = "a tuple's fields are called like their types")]
            fn read(self) -> Result<($($t,)+), Failure> {
                let ($($g,)+) = self;
                Ok(($($g.read()?,)+))
            }
        }
    };
}
tuple!(G: T);
tuple!(G: T, H: U);
tuple!(G: T, H: U, I: V);

impl Output<Etag> for String {
    fn of(value: Etag) -> Self {
        value.to_string()
    }
}

impl Input<Etag> for String {
    fn read(self) -> Result<Etag, Failure> {
        self.parse()
    }
}

impl Output<Cursor> for String {
    fn of(value: Cursor) -> Self {
        value.0
    }
}

impl Input<Cursor> for String {
    fn read(self) -> Result<Cursor, Failure> {
        Ok(Cursor(self))
    }
}

/// A required JSON value may be null, so its field is nullable.
impl Output<serde_json::Value> for Option<Json> {
    fn of(value: serde_json::Value) -> Self {
        (!value.is_null()).then_some(Scalar(value))
    }
}

impl Input<serde_json::Value> for Option<Json> {
    fn read(self) -> Result<serde_json::Value, Failure> {
        Ok(self.map(|Scalar(value)| value).unwrap_or_default())
    }
}

impl<G: Output<T>, T> Output<Option<T>> for Option<G> {
    fn of(value: Option<T>) -> Self {
        value.map(G::of)
    }
}

impl<G: Input<T>, T> Input<Option<T>> for Option<G> {
    fn read(self) -> Result<Option<T>, Failure> {
        self.map(G::read).transpose()
    }
}

impl<G: Output<T>, T> Output<Vec<T>> for Vec<G> {
    fn of(value: Vec<T>) -> Self {
        value.into_iter().map(G::of).collect()
    }
}

impl<G: Input<T>, T> Input<Vec<T>> for Vec<G> {
    fn read(self) -> Result<Vec<T>, Failure> {
        let item = |(index, item): (usize, G)| item.read().map_err(|failure| failure.within(format_args!("[{index}]")));
        self.into_iter().enumerate().map(item).collect()
    }
}

/// A map is a list of its entries, which GraphQL has no maps for.
impl<G: Output<(K, T)>, K, T> Output<BTreeMap<K, T>> for Vec<G> {
    fn of(value: BTreeMap<K, T>) -> Self {
        value.into_iter().map(G::of).collect()
    }
}

impl<G: Input<(K, T)>, K: Ord, T> Input<BTreeMap<K, T>> for Vec<G> {
    fn read(self) -> Result<BTreeMap<K, T>, Failure> {
        let mut map = BTreeMap::new();
        for (index, entry) in self.into_iter().enumerate() {
            let (key, value) = entry.read().map_err(|failure| failure.within(format_args!("[{index}]")))?;
            if map.insert(key, value).is_some() {
                return Err(Failure::invalid("is given twice").within("key").within(format_args!("[{index}]")));
            }
        }
        Ok(map)
    }
}

impl<G: Output<T>, T> Output<Box<T>> for Box<G> {
    fn of(value: Box<T>) -> Self {
        Self::new(G::of(*value))
    }
}

impl<G: Input<T>, T> Input<Box<T>> for Box<G> {
    fn read(self) -> Result<Box<T>, Failure> {
        (*self).read().map(Box::new)
    }
}

/// A field of a patch that can be cleared: absent keeps, null clears.
impl<G: Input<T>, T> Input<Option<Option<T>>> for MaybeUndefined<G> {
    fn read(self) -> Result<Option<Option<T>>, Failure> {
        match self {
            Self::Undefined => Ok(None),
            Self::Null => Ok(Some(None)),
            Self::Value(value) => value.read().map(|value| Some(Some(value))),
        }
    }
}

/// A field of a patch that cannot be cleared: absent keeps, null is refused. In the schema it is nullable all the same,
/// since only nullable fields can be left out.
#[derive(Debug)]
pub struct Change<G>(MaybeUndefined<G>);

impl<G: Input<T>, T> Input<Option<T>> for Change<G> {
    fn read(self) -> Result<Option<T>, Failure> {
        match self.0 {
            MaybeUndefined::Undefined => Ok(None),
            MaybeUndefined::Null => Err(Failure::invalid("cannot be null")),
            MaybeUndefined::Value(value) => value.read().map(Some),
        }
    }
}

impl<G: InputType> InputType for Change<G> {
    type RawValueType = G::RawValueType;

    fn type_name() -> Cow<'static, str> {
        G::type_name()
    }

    fn qualified_type_name() -> String {
        MaybeUndefined::<G>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        MaybeUndefined::<G>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        InputType::parse(value).map(Self).map_err(InputValueError::propagate)
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.0.as_raw_value()
    }
}
