//! An object of which some members come first and from elsewhere, and the others out of a document, as one: what is there
//! twice is seen, wherever it stands.

use serde::{
    de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};
use serde_json::Value;

pub(super) struct Joined<'m, D> {
    pub members: Vec<(&'m str, Value)>,
    pub document: D,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Joined<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self { members, document } = self;
        document.deserialize_map(Joining { members, visitor })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Joining<'m, V> {
    members: Vec<(&'m str, Value)>,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Joining<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, document: A) -> Result<V::Value, A::Error> {
        let Self { members, visitor } = self;
        visitor.visit_map(Members::new(members, document))
    }
}

/// The members of such an object.
pub(crate) struct Members<N, A> {
    members: std::vec::IntoIter<(N, Value)>,
    /// Of the member whose name was read last.
    value: Option<Value>,
    document: A,
}

impl<N, A> Members<N, A> {
    /// These, and then those of the document.
    pub fn new(members: Vec<(N, Value)>, document: A) -> Self {
        Self { members: members.into_iter(), value: None, document }
    }
}

impl<'de, N: AsRef<str>, A: MapAccess<'de>> MapAccess<'de> for Members<N, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some((name, value)) = self.members.next() else { return self.document.next_key_seed(seed) };
        self.value = Some(value);
        seed.deserialize(StrDeserializer::new(name.as_ref())).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(value).map_err(A::Error::custom),
            None => self.document.next_value_seed(seed),
        }
    }
}
