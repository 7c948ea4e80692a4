//! Parameters into values, strictly: section 4.2 of the specification.

use kit::{
    Failure, FieldError, Validate,
    strict::{self, Refused},
};
use serde::{
    Serialize, Serializer,
    de::{DeserializeOwned, value::MapDeserializer},
    ser::SerializeMap,
};
use serde_json::value::RawValue;

use crate::{Asked, Error, request::Members};

impl Asked {
    /// For a method that takes nothing.
    ///
    /// # Errors
    /// There are parameters.
    pub fn nothing(&self) -> Result<(), Error> {
        let [] = self.given([])?;
        Ok(())
    }

    /// Parameters of these names, which may also be given by position, in this order.
    ///
    /// # Errors
    /// One is not known, missing, there twice, of another type, or not valid.
    pub fn params<const N: usize, T: FromParams<N>>(&self, names: [&'static str; N]) -> Result<T, Error> {
        T::from_params(self.given(names)?)
    }

    /// The fields of a record.
    ///
    /// # Errors
    /// They are given by position; one is not known, missing, of another type, or not valid.
    pub fn input<T: DeserializeOwned + Validate>(&self) -> Result<T, Error> {
        Ok(strict::json(self.named()?.as_bytes()).map_err(invalid)?)
    }

    /// The fields of a record, and beside them the `id` of the item that the method is on.
    ///
    /// # Errors
    /// As of [`input`](Self::input).
    pub fn on_item<I, T>(&self) -> Result<(I, T), Error>
    where
        I: DeserializeOwned + Validate,
        T: DeserializeOwned + Validate,
    {
        let Members(members) = serde_json::from_str(self.named()?).map_err(Failure::invalid)?;
        let (ids, rest): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| name == "id");
        let mut wrong = Vec::new();
        let id = match ids.as_slice() {
            [] | [_] => value("id", ids.first().map(|(_, id)| *id), &mut wrong),
            _ => {
                wrong.push(twice("id"));
                None
            }
        };
        let from = MapDeserializer::new(rest.into_iter().map(|(name, value)| (&**name, *value)));
        let (input, more) = strict::read::<T, _>(from, strict::detail);
        wrong.extend(more);
        match (id, input) {
            (Some(id), Ok(input)) => return Ok((id, strict::valid(input, wrong)?)),
            (_, input) => {
                let values = input.ok().and_then(|input| input.check().err());
                wrong.extend(values.into_iter().flat_map(|failure| failure.fields));
            }
        }
        Err(Failure::fields(wrong).into())
    }

    /// The parameters as an object.
    fn named(&self) -> Result<&str, Failure> {
        match self.params.as_deref().map_or("{}", RawValue::get) {
            list if list.starts_with('[') && !is_empty(list) => {
                Err(Failure::invalid("this method takes its parameters by name"))
            }
            list if list.starts_with('[') => Ok("{}"),
            object => Ok(object),
        }
    }

    /// The values of these names.
    fn given<const N: usize>(&self, names: [&'static str; N]) -> Result<[Given; N], Failure> {
        let mut given = names.map(|name| Given { name, value: None });
        let text = self.params.as_deref().map_or("{}", RawValue::get);
        if text.starts_with('[') {
            let values: Vec<Box<RawValue>> = serde_json::from_str(text).map_err(Failure::invalid)?;
            if values.len() > N {
                return Err(Failure::invalid(format!(
                    "{} parameters were given, and {N} at most are taken",
                    values.len()
                )));
            }
            given.iter_mut().zip(values).for_each(|(given, value)| given.value = Some(value));
            return Ok(given);
        }
        let Members(members) = serde_json::from_str(text).map_err(Failure::invalid)?;
        let mut wrong = Vec::new();
        for (name, value) in members {
            match given.iter_mut().find(|given| given.name == name) {
                Some(Given { value: Some(_), .. }) => wrong.push(twice(&name)),
                Some(given) => given.value = Some(value.to_owned()),
                None => wrong.push(FieldError { field: name.into_owned(), detail: "is not known here".into() }),
            }
        }
        if wrong.is_empty() { Ok(given) } else { Err(Failure::fields(wrong)) }
    }
}

/// A parameter, if it is there.
#[derive(Debug)]
pub struct Given {
    name: &'static str,
    value: Option<Box<RawValue>>,
}

/// Values of `N` parameters: a tuple.
pub trait FromParams<const N: usize>: Sized {
    /// # Errors
    /// Everything that is wrong with any of them.
    fn from_params(given: [Given; N]) -> Result<Self, Error>;
}

macro_rules! tuple {
    ($n:literal: $($t:ident),*) => {
        impl<$($t: DeserializeOwned + Validate),*> FromParams<$n> for ($($t,)*) {
            #[allow(non_snake_case, reason = "a tuple's fields are called like their types")]
            fn from_params(given: [Given; $n]) -> Result<Self, Error> {
                let mut wrong = Vec::new();
                let [$($t),*] = given;
                $(let $t = value($t.name, $t.value.as_deref(), &mut wrong);)*
                match ($($t,)*) {
                    ($(Some($t),)*) => Ok(($($t,)*)),
                    _ => Err(Failure::fields(wrong).into()),
                }
            }
        }

        impl<$($t: Serialize),*> Serialize for Named<$n, ($($t,)*)> {
            #[allow(non_snake_case, reason = "a tuple's fields are called like their types")]
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let Self { names, values: ($($t,)*) } = self;
                let mut map = to.serialize_map(Some($n))?;
                let mut names = names.iter();
                $(if let Some(name) = names.next() {
                    map.serialize_entry(name, $t)?;
                })*
                map.end()
            }
        }
    };
}

impl Serialize for Named<0, ()> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_map(Some(0))?.end()
    }
}

tuple!(1: A);
tuple!(2: A, B);
tuple!(3: A, B, C);

/// One value, or what is wrong with it. One that is absent is read as null, which only optional ones may be.
fn value<T: DeserializeOwned + Validate>(
    name: &str,
    text: Option<&RawValue>,
    wrong: &mut Vec<FieldError>,
) -> Option<T> {
    let failure = match strict::json(text.map_or("null", RawValue::get).as_bytes()) {
        Ok(value) => return Some(value),
        Err(_) if text.is_none() => {
            wrong.push(FieldError { field: name.into(), detail: "is missing".into() });
            return None;
        }
        Err(refused) => invalid(refused),
    };
    if failure.fields.is_empty() {
        wrong.push(FieldError { field: name.into(), detail: failure.detail });
    } else {
        // Fields of a record are called as they are over every transport, and the value itself by its name.
        wrong.extend(failure.fields.into_iter().map(|FieldError { field, detail }| FieldError {
            field: if field.is_empty() { name.into() } else { field },
            detail,
        }));
    }
    None
}

/// The text was read as JSON before: what is unreadable now is nested too deeply, or no text of Unicode.
fn invalid(refused: Refused) -> Failure {
    match refused {
        Refused::Invalid(failure) => failure,
        Refused::Unreadable(why) => Failure::invalid(why),
    }
}

fn twice(name: &str) -> FieldError {
    FieldError { field: name.into(), detail: "is there twice".into() }
}

fn is_empty(list: &str) -> bool {
    serde_json::from_str::<[(); 0]>(list).is_ok()
}

/// Parameters of these names, as a client sends them. Values that are absent are null.
pub fn named<const N: usize, T>(names: [&'static str; N], values: T) -> Named<N, T> {
    Named { names, values }
}

/// Made by [`named`].
#[derive(Clone, Debug)]
pub struct Named<const N: usize, T> {
    names: [&'static str; N],
    values: T,
}

/// The fields of a record and the `id` of the item that the method is on, as a client sends them.
pub fn on_item<I: Serialize, T: Serialize>(id: I, input: T) -> impl Serialize {
    OnItem { id, input }
}

#[derive(Serialize)]
struct OnItem<I, T> {
    id: I,
    #[serde(flatten)]
    input: T,
}
