//! What is asked: one call or a batch of them (sections 4 and 6 of the specification).

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{Error, Outcome};

/// Requests at most that are sent as one.
pub const BATCH: usize = 100;

/// What a body asks.
#[derive(Debug)]
pub(crate) enum Body {
    One(Request),
    Many(Vec<Request>),
}

/// One request, or why it is none.
#[derive(Debug)]
pub(crate) struct Request {
    /// What names its answer, as it was written. `None`: a notification, which has none.
    pub id: Option<Box<RawValue>>,
    pub asked: Result<Asked, Error>,
}

/// A method and what it is given.
#[derive(Debug)]
pub struct Asked {
    method: String,
    /// An object or a list.
    pub(crate) params: Option<Box<RawValue>>,
}

impl Asked {
    /// As it was written: `order.cancel`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// What a service answers that has no such method.
    ///
    /// # Errors
    /// Always: -32601.
    pub fn unknown(&self) -> Outcome {
        Err(Error::no_method(&self.method))
    }
}

impl Body {
    /// # Errors
    /// The text is no JSON, or a batch of nothing or of too much.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Error> {
        if !text.trim_ascii_start().starts_with(b"[")
            && let Ok(members) = serde_json::from_slice(text)
        {
            return Ok(Self::One(Request::of(members)));
        }
        let whole: &RawValue = serde_json::from_slice(text).map_err(Error::unreadable)?;
        if !whole.get().starts_with('[') {
            return Ok(Self::One(Request::read(whole)));
        }
        let Batch { calls, more } = serde_json::from_str(whole.get()).map_err(Error::no_request)?;
        if calls.is_empty() || more {
            return Err(Error::no_request(format!("from 1 to {BATCH} requests can be sent as one")));
        }
        Ok(Self::Many(calls.into_iter().map(Request::read).collect()))
    }
}

impl Request {
    fn read(text: &RawValue) -> Self {
        match serde_json::from_str(text.get()) {
            Ok(members) => Self::of(members),
            Err(_) => Self::refused(None, "a request is an object"),
        }
    }

    fn of(Members(members): Members<'_>) -> Self {
        let given: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        let twice = given.iter().enumerate().find(|(at, name)| given[..*at].contains(name));
        if let Some((_, name)) = twice {
            return Self::refused(None, format!("`{name}` is there twice"));
        }
        let (mut id, mut version, mut method, mut params) = (None, None, None, None);
        let mut unknown = None;
        for (name, value) in members {
            match &*name {
                "id" => id = Some(value),
                "jsonrpc" => version = Some(value),
                "method" => method = Some(value),
                "params" => params = Some(value),
                _ => unknown = unknown.or(Some(name)),
            }
        }
        if id.is_some_and(|id| id.get().starts_with(['{', '[', 't', 'f'])) {
            return Self::refused(None, "`id` is text, a number or null");
        }
        if let Some(name) = unknown {
            return Self::refused(id, format!("`{name}` is not known here"));
        }
        if text_of(version).as_deref() != Some("2.0") {
            return Self::refused(id, "`jsonrpc` is \"2.0\"");
        }
        let Some(method) = text_of(method).map(Cow::into_owned) else {
            return Self::refused(id, "`method` is text");
        };
        if params.is_some_and(|params| !params.get().starts_with(['{', '['])) {
            return Self::refused(id, "`params` is an object or a list");
        }
        let (id, params) = (id.map(ToOwned::to_owned), params.map(ToOwned::to_owned));
        Self { id, asked: Ok(Asked { method, params }) }
    }

    /// What is no request is no notification either: it is answered, with the id null where there is none.
    fn refused(id: Option<&RawValue>, why: impl ToString) -> Self {
        Self { id: Some(id.unwrap_or(RawValue::NULL).to_owned()), asked: Err(Error::no_request(why)) }
    }
}

fn text_of(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    serde_json::from_str(value?.get()).ok().map(|Text(text)| text)
}

/// A text that is where it was read, unless something in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object in their order, one that is there twice too.
pub(crate) struct Members<'de>(pub Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = from.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Object)
    }
}

/// The items of a list, and whether there are more than anyone may send.
struct Batch<'de> {
    calls: Vec<&'de RawValue>,
    more: bool,
}

impl<'de> Deserialize<'de> for Batch<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Batch<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Batch<'de>, A::Error> {
                let mut calls = Vec::new();
                while calls.len() < BATCH
                    && let Some(call) = from.next_element()?
                {
                    calls.push(call);
                }
                let mut more = false;
                while from.next_element::<IgnoredAny>()?.is_some() {
                    more = true;
                }
                Ok(Batch { calls, more })
            }
        }
        from.deserialize_seq(List)
    }
}
