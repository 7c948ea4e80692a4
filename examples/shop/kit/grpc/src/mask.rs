use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use kit::Failure;
use prost_types::FieldMask;

use crate::{Proto, field, missing};

/// Which fields a patch changes: the paths of a `google.protobuf.FieldMask`. Without a mask those that the message has
/// (AIP-134); `*` names all. An entry of a map is ``labels.`key` `` (AIP-161), the ticks may be left out.
#[derive(Debug, PartialEq)]
pub struct Mask(Option<Vec<String>>);

impl Default for Mask {
    /// Names nothing.
    fn default() -> Self {
        Self(Some(Vec::new()))
    }
}

impl From<Option<FieldMask>> for Mask {
    fn from(mask: Option<FieldMask>) -> Self {
        Self(mask.map(|mask| mask.paths))
    }
}

impl From<Mask> for Option<FieldMask> {
    fn from(mask: Mask) -> Self {
        mask.0.map(|paths| FieldMask { paths })
    }
}

/// Whether a field of a message is there.
pub trait Populated {
    fn populated(&self) -> bool;
}

impl<M> Populated for Option<M> {
    fn populated(&self) -> bool {
        self.is_some()
    }
}

impl<M> Populated for Vec<M> {
    fn populated(&self) -> bool {
        !self.is_empty()
    }
}

impl<N, M> Populated for BTreeMap<N, M> {
    fn populated(&self) -> bool {
        !self.is_empty()
    }
}

/// What [`patch!`](crate::patch) does with one field.
impl Mask {
    /// Refuses paths that lead nowhere. `true`: paths may go into the field.
    pub fn check(&self, fields: &[(&str, bool)]) -> Result<(), Failure> {
        let known = |path: &str| match path.split_once('.') {
            None => path == "*" || fields.iter().any(|(name, _)| plain(name) == path),
            Some((first, _)) => fields.iter().any(|(name, deep)| *deep && plain(name) == first),
        };
        match self.0.iter().flatten().find(|path| !known(path)) {
            Some(path) => {
                Err(Failure::invalid(format!("{path:?} is no field that can be changed")).within("update_mask"))
            }
            None => Ok(()),
        }
    }

    /// A field that is replaced as a whole.
    pub fn put<T: Proto<M>, M: Default>(&mut self, name: &str, value: Option<T>) -> M {
        let Some(value) = value else { return M::default() };
        self.name(plain(name).to_owned());
        value.encode()
    }

    /// The entries of a map, each set or removed.
    pub fn put_entries<K, N, T, M>(&mut self, name: &str, entries: Option<BTreeMap<K, Option<T>>>) -> BTreeMap<N, M>
    where
        K: Proto<N>,
        N: Ord + Display,
        T: Proto<M>,
    {
        let mut message = BTreeMap::new();
        for (key, value) in entries.into_iter().flatten() {
            let key = key.encode();
            self.name(format!("{}.`{key}`", plain(name)));
            if let Some(value) = value {
                message.insert(key, value.encode());
            }
        }
        message
    }

    /// A record that has a patch of its own.
    pub fn put_record<P: Proto<(M, Self)>, M>(&mut self, name: &str, patch: Option<Option<P>>) -> Option<M> {
        let Some(patch) = patch? else {
            self.name(plain(name).to_owned());
            return None;
        };
        let (message, inner) = patch.encode();
        for path in inner.0.into_iter().flatten() {
            self.name(format!("{}.{path}", plain(name)));
        }
        Some(message)
    }

    /// The twin of [`Mask::put`].
    pub fn take<T: Proto<M>, M: Populated>(&self, name: &str, message: M) -> Result<Option<T>, Failure> {
        if self.names(name, message.populated()) { field(name, message).map(Some) } else { Ok(None) }
    }

    /// [`Mask::take`] of a field that cannot be cleared.
    pub fn required<T: Proto<M>, M>(&self, name: &str, message: Option<M>) -> Result<Option<T>, Failure> {
        match self.take::<Option<T>, _>(name, message)? {
            Some(None) => Err(missing(name)),
            other => Ok(other.flatten()),
        }
    }

    /// The twin of [`Mask::put_entries`].
    pub fn entries<K, N, T, M>(
        &self,
        name: &str,
        mut message: BTreeMap<N, M>,
    ) -> Result<Option<BTreeMap<K, Option<T>>>, Failure>
    where
        K: Proto<N> + Ord,
        N: Ord + Display + Clone + FromStr,
        T: Proto<M>,
    {
        if self.names(name, message.populated()) {
            let all: BTreeMap<K, T> = field(name, message)?;
            return Ok(Some(all.into_iter().map(|(key, value)| (key, Some(value))).collect()));
        }
        let mut entries = BTreeMap::new();
        for key in self.inner(name) {
            let text = key.strip_prefix('`').and_then(|key| key.strip_suffix('`')).unwrap_or(key);
            let key: N =
                text.parse().map_err(|_| Failure::invalid(format!("update_mask: {text:?} is no key of {name}")))?;
            let value = field(&format!("{name}[{text}]"), message.remove(&key))?;
            entries.insert(field(name, key)?, value);
        }
        Ok((!entries.is_empty()).then_some(entries))
    }

    /// The twin of [`Mask::put_record`] for a record that cannot be cleared.
    pub fn record<P: Proto<(M, Self)>, M: Default>(
        &self,
        name: &str,
        message: Option<M>,
    ) -> Result<Option<P>, Failure> {
        match self.nullable(name, message)? {
            Some(None) => Err(missing(name)),
            other => Ok(other.flatten()),
        }
    }

    /// The twin of [`Mask::put_record`].
    pub fn nullable<P, M>(&self, name: &str, message: Option<M>) -> Result<Option<Option<P>>, Failure>
    where
        P: Proto<(M, Self)>,
        M: Default,
    {
        let inner: Vec<_> = self.inner(name).map(str::to_owned).collect();
        let patch = if self.names(name, message.is_some()) {
            // Named as a whole, it is what the message has of it.
            message.map(|message| (message, Self(None)))
        } else if inner.is_empty() {
            return Ok(None);
        } else {
            Some((message.unwrap_or_default(), Self(Some(inner))))
        };
        patch.map(|patch| field(name, patch)).transpose().map(Some)
    }

    fn name(&mut self, path: String) {
        self.0.get_or_insert_default().push(path);
    }

    fn names(&self, name: &str, populated: bool) -> bool {
        match &self.0 {
            None => populated,
            Some(paths) => paths.iter().any(|path| path == "*" || path == plain(name)),
        }
    }

    /// The paths within a field.
    fn inner(&self, name: &str) -> impl Iterator<Item = &str> {
        let paths = self.0.iter().flatten();
        paths.filter_map(move |path| path.strip_prefix(plain(name))?.strip_prefix('.'))
    }
}

fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}
