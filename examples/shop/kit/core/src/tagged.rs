//! Objects of one of several types, of which the member `type` tells which. What reads them sees each member once, as it
//! would those of a record: serde's own tagged enums read everything into memory first, where nobody can watch.

use std::{fmt, marker::PhantomData};

use serde::de::{
    DeserializeSeed, Deserializer, Error, MapAccess, Visitor,
    value::{MapAccessDeserializer, StrDeserializer},
};

use crate::strict::joined::Members;

/// The member that names the type.
pub const TAG: &str = "type";
/// By this name of a record a deserializer knows that one of several is wanted.
pub(crate) const UNION: &str = "one of several, by their tag";

/// One of several records, as [`union!`](crate::union) declares it.
pub trait Tagged: Sized {
    /// As they are called in [`TAG`].
    const NAMES: &'static [&'static str];

    /// The record of this name, out of the members besides the tag.
    ///
    /// # Errors
    /// They are not those of the record.
    fn read<'de, D: Deserializer<'de>>(name: &str, members: D) -> Result<Self, D::Error>;
}

/// An object into the record that its tag names.
///
/// # Errors
/// It is no object, has no tag or one that is not known, or is not of its record.
pub fn read<'de, T: Tagged, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_struct(UNION, &[TAG], Object(PhantomData))
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Tagged> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with its type")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        let mut members = TagFirst::of(members)?;
        members.next_key_seed(Name(&[TAG]))?;
        let name = members.next_value_seed(Name(T::NAMES))?;
        T::read(name, MapAccessDeserializer::new(members))
    }
}

/// A text among those that are known.
struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<&'static str, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a type")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<&'static str, E> {
        let known = self.0.iter().copied().find(|known| *known == name);
        known.ok_or_else(|| E::unknown_variant(name, self.0))
    }
}

/// The members of an object, the tag first. What stands before it is kept until it is found; mostly that is nothing.
pub(crate) struct TagFirst<A> {
    /// Until it is told.
    tag: bool,
    /// Its value is the next in the document.
    rest: Members<String, A>,
}

impl<'de, A: MapAccess<'de>> TagFirst<A> {
    pub fn of(mut members: A) -> Result<Self, A::Error> {
        let mut before = Vec::new();
        loop {
            let Some(name) = members.next_key::<String>()? else { return Err(A::Error::missing_field(TAG)) };
            if name == TAG {
                return Ok(Self { tag: true, rest: Members::new(before, members) });
            }
            before.push((name, members.next_value()?));
        }
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for TagFirst<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match std::mem::take(&mut self.tag) {
            true => seed.deserialize(StrDeserializer::new(TAG)).map(Some),
            false => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}
