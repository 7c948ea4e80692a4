//! Requests into values, strictly: unknown properties are refused although the types themselves read tolerantly, and
//! whatever is wrong is said with the path of the field.

use std::fmt::Display;

use kit::{Failure, FieldError, Validate};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{
    Problem,
    watch::{Findings, Path, Watched},
};

/// A JSON document into a valid value.
pub(crate) fn json<T: DeserializeOwned + Validate>(text: &[u8]) -> Result<T, Problem> {
    let unreadable = |error| Problem::unreadable(format!("the body is no JSON document: {error}"));
    let mut from = serde_json::Deserializer::from_slice(text);
    let (value, findings) = read::<T, _>(&mut from);
    match value {
        Ok(value) => {
            from.end().map_err(unreadable)?;
            valid(value, findings)
        }
        Err(error) if error.is_data() => {
            let place = format!(" at line {} column {}", error.line(), error.column());
            Err(refuse(error.to_string().trim_end_matches(&place), findings))
        }
        Err(error) => Err(unreadable(error)),
    }
}

/// A query string into a valid value; parameters repeat for lists.
pub(crate) fn query<T: DeserializeOwned + Validate>(text: &str) -> Result<T, Problem> {
    let (value, findings) = read::<T, _>(serde_html_form::Deserializer::from_bytes(text.as_bytes()));
    match value {
        Ok(value) => valid(value, findings),
        Err(error) => Err(refuse(error, findings)),
    }
}

fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> (Result<T, D::Error>, Findings) {
    let findings = Findings::default();
    (T::deserialize(Watched::new(from, Path::Root, &findings)), findings)
}

fn valid<T: Validate>(value: T, findings: Findings) -> Result<T, Problem> {
    let mut wrong = unknown(&findings);
    wrong.extend(value.check().err().map(|failure| failure.fields).unwrap_or_default());
    if wrong.is_empty() { Ok(value) } else { Err(Failure::fields(wrong).into()) }
}

/// Serde stops at the first value that does not fit; what was unknown before it is said as well.
fn refuse(error: impl Display, findings: Findings) -> Problem {
    let mut wrong = unknown(&findings);
    let (place, detail) = (findings.place.take().unwrap_or_default(), error.to_string());
    wrong.push(match named(&detail) {
        Some((what, name)) if place.is_empty() => FieldError { field: name.into(), detail: what.into() },
        Some((what, name)) => FieldError { field: format!("{place}.{name}"), detail: what.into() },
        None => FieldError { field: place, detail },
    });
    Failure::fields(wrong).into()
}

/// Of a missing or repeated field serde gives the name in the text, and as place the record around it.
fn named(detail: &str) -> Option<(&'static str, &str)> {
    let missing = detail.strip_prefix("missing field `").and_then(|rest| Some(("is missing", rest.strip_suffix('`')?)));
    missing.or_else(|| {
        detail.strip_prefix("duplicate field `").and_then(|rest| Some(("is there twice", rest.strip_suffix('`')?)))
    })
}

fn unknown(findings: &Findings) -> Vec<FieldError> {
    let unknown = findings.unknown.take();
    unknown.into_iter().map(|field| FieldError { field, detail: "is not known here".into() }).collect()
}
