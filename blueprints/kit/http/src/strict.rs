//! Requests into values, strictly: unknown properties are refused although the types themselves read tolerantly, and
//! whatever is wrong is said with the path of the field.

use std::fmt::Display;

use kit::{Failure, FieldError, Validate};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_ignored::Path;

use crate::Problem;

/// A JSON document into a valid value.
pub(crate) fn json<T: DeserializeOwned + Validate>(text: &[u8]) -> Result<T, Problem> {
    let mut from = serde_json::Deserializer::from_slice(text);
    let read = read::<T, _>(&mut from);
    if read.value.is_ok() {
        from.end().map_err(|error| Problem::unreadable(format!("the body is no JSON document: {error}")))?;
    }
    read.finish(|error| {
        if !error.is_data() {
            return Err(Problem::unreadable(format!("the body is no JSON document: {error}")));
        }
        // The path costs time, so it is looked for only when it is needed.
        let place = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(text));
        let text = error.to_string();
        let detail =
            text.strip_suffix(&format!(" at line {} column {}", error.line(), error.column())).unwrap_or(&text);
        Ok(at(place.err().map(|error| error.path().to_string()), detail))
    })
}

/// A query string into a valid value; parameters repeat for lists.
pub(crate) fn query<T: DeserializeOwned + Validate>(text: &str) -> Result<T, Problem> {
    let from = || serde_html_form::Deserializer::from_bytes(text.as_bytes());
    read::<T, _>(from()).finish(|error| {
        let place = serde_path_to_error::deserialize::<_, T>(from());
        Ok(at(place.err().map(|error| error.path().to_string()), &error.to_string()))
    })
}

struct Read<T, E> {
    value: Result<T, E>,
    unknown: Vec<FieldError>,
}

fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Read<T, D::Error> {
    let mut unknown = Vec::new();
    let value = serde_ignored::deserialize(from, |path| {
        unknown.push(FieldError { field: field(&path), detail: "is not known here".into() });
    });
    Read { value, unknown }
}

impl<T: Validate, E: Display> Read<T, E> {
    /// `explain` tells where an error is, or that the whole text cannot be read.
    fn finish(self, explain: impl FnOnce(E) -> Result<FieldError, Problem>) -> Result<T, Problem> {
        let mut wrong = self.unknown;
        match self.value {
            Ok(value) => {
                wrong.extend(value.check().err().map(|failure| failure.fields).unwrap_or_default());
                if wrong.is_empty() {
                    return Ok(value);
                }
            }
            Err(error) => wrong.push(explain(error)?),
        }
        Err(Failure::fields(wrong).into())
    }
}

/// Serde names a missing field in the text only, and the place is that of the record around it.
fn at(place: Option<String>, detail: &str) -> FieldError {
    let place = place.filter(|path| path != ".").unwrap_or_default();
    match detail.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(name) if place.is_empty() => FieldError { field: name.into(), detail: "is missing".into() },
        Some(name) => FieldError { field: format!("{place}.{name}"), detail: "is missing".into() },
        None => FieldError { field: place, detail: detail.into() },
    }
}

/// `lines[2].note`.
fn field(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", field(parent)),
        Path::Map { parent, key } => match field(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => field(parent),
    }
}
