use std::{collections::BTreeMap, fmt::Display};

use kit::Failure;

use crate::Mask;

/// A value and how message `M` carries it. One type may have several messages, one in each package that uses it; a
/// contract may implement this for foreign types too, since `M` is its own.
pub trait Proto<M>: Sized {
    fn encode(self) -> M;

    /// Fails with `invalid` and the path of the field that is wrong. The first one is enough: what cannot be decoded
    /// was not made by a client of this contract.
    fn decode(message: M) -> Result<Self, Failure>;
}

/// A field that must be there. Every singular field of our messages is `optional`, so absence can be told.
pub fn required<T: Proto<M>, M>(name: &str, message: Option<M>) -> Result<T, Failure> {
    field(name, message.ok_or_else(|| missing(name))?)
}

/// A field whose default stands in for an absent value.
pub fn defaulted<T: Proto<M>, M>(name: &str, message: Option<M>, value: impl FnOnce() -> T) -> Result<T, Failure> {
    message.map_or_else(|| Ok(value()), |message| field(name, message))
}

/// Any other field: optional (`Option`), repeated (`Vec`) or a map (`BTreeMap`).
pub fn field<T: Proto<M>, M>(name: &str, message: M) -> Result<T, Failure> {
    T::decode(message).map_err(|failure| failure.within(name.strip_prefix("r#").unwrap_or(name)))
}

/// The failure of a field that is not there.
pub fn missing(name: &str) -> Failure {
    Failure::invalid("missing").within(name.strip_prefix("r#").unwrap_or(name))
}

impl<T: Proto<M>, M> Proto<Option<M>> for Option<T> {
    fn encode(self) -> Option<M> {
        self.map(T::encode)
    }

    fn decode(message: Option<M>) -> Result<Self, Failure> {
        message.map(T::decode).transpose()
    }
}

impl<T: Proto<M>, M> Proto<Vec<M>> for Vec<T> {
    fn encode(self) -> Vec<M> {
        self.into_iter().map(T::encode).collect()
    }

    fn decode(message: Vec<M>) -> Result<Self, Failure> {
        let item = |(index, item)| T::decode(item).map_err(|failure| failure.within(format_args!("[{index}]")));
        message.into_iter().enumerate().map(item).collect()
    }
}

impl<K: Proto<N> + Ord, N: Ord + Display + Clone, T: Proto<M>, M> Proto<BTreeMap<N, M>> for BTreeMap<K, T> {
    fn encode(self) -> BTreeMap<N, M> {
        self.into_iter().map(|(key, value)| (key.encode(), value.encode())).collect()
    }

    fn decode(message: BTreeMap<N, M>) -> Result<Self, Failure> {
        let entry = |(key, value): (N, M)| {
            let at = |failure: Failure| failure.within(format_args!("[{key}]"));
            Ok((K::decode(key.clone()).map_err(at)?, T::decode(value).map_err(at)?))
        };
        message.into_iter().map(entry).collect()
    }
}

/// prost boxes a field on a cycle of messages that no list or map breaks; contract types do the same.
impl<T: Proto<M>, M> Proto<Box<M>> for Box<T> {
    fn encode(self) -> Box<M> {
        Box::new((*self).encode())
    }

    fn decode(message: Box<M>) -> Result<Self, Failure> {
        T::decode(*message).map(Box::new)
    }
}

/// The same for the patch of one.
impl<T: Proto<(M, Mask)>, M> Proto<(Box<M>, Mask)> for Box<T> {
    fn encode(self) -> (Box<M>, Mask) {
        let (message, mask) = (*self).encode();
        (Box::new(message), mask)
    }

    fn decode((message, mask): (Box<M>, Mask)) -> Result<Self, Failure> {
        T::decode((*message, mask)).map(Box::new)
    }
}

/// `google.protobuf.Empty`.
impl Proto<()> for () {
    fn encode(self) {}

    fn decode((): ()) -> Result<Self, Failure> {
        Ok(())
    }
}
