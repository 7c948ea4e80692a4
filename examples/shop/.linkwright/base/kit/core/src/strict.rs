//! Input into values, strictly: properties that nobody knows are refused although the types themselves read tolerantly,
//! and whatever is wrong is said with the path of its field.
//!
//! Not seen are properties inside what serde reads twice: fields of an untagged or flattened type, and of one that is tagged
//! otherwise than by [`union!`](crate::union).

pub(crate) mod joined;
mod watch;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Value, de::SliceRead};

use crate::{Failure, FieldError, Validate};
use joined::Joined;
use watch::{Findings, Path, Watched};

/// Why input was not taken.
#[derive(Debug, PartialEq)]
pub enum Refused {
    /// It is not even JSON; with the reason.
    Unreadable(String),
    /// It is not what was asked for: an `invalid` failure with all that is wrong.
    Invalid(Failure),
}

/// A JSON document into a valid value.
pub fn json<T: DeserializeOwned + Validate>(text: &[u8]) -> Result<T, Refused> {
    let mut from = serde_json::Deserializer::from_slice(text);
    let read = read(&mut from, detail);
    judged(text, from, read)
}

/// A JSON object, together with members that stand elsewhere, into a valid value. One that is in the document too is
/// there twice.
pub fn json_with<T: DeserializeOwned + Validate>(text: &[u8], members: Vec<(&str, Value)>) -> Result<T, Refused> {
    let mut from = serde_json::Deserializer::from_slice(text);
    let read = read(Joined { members, document: &mut from }, detail);
    judged(text, from, read)
}

fn judged<T: Validate>(
    text: &[u8],
    mut from: serde_json::Deserializer<SliceRead<'_>>,
    (value, wrong): (serde_json::Result<T>, Vec<FieldError>),
) -> Result<T, Refused> {
    match value {
        Ok(value) => {
            from.end().map_err(|error| Refused::Unreadable(error.to_string()))?;
            valid(value, wrong).map_err(Refused::Invalid)
        }
        // Some values that do not fit count as errors of syntax: a map's key that is no number.
        Err(error) if error.is_data() || serde_json::from_slice::<IgnoredAny>(text).is_ok() => {
            Err(Refused::Invalid(Failure::fields(wrong)))
        }
        Err(error) => Err(Refused::Unreadable(error.to_string())),
    }
}

/// What an error says, without the place in the text: a field's path tells more.
pub fn detail(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map_or(text.clone(), str::to_owned)
}

/// The value if nothing is wrong with it: neither what has been found so far nor what its type demands.
pub fn valid<T: Validate>(value: T, mut wrong: Vec<FieldError>) -> Result<T, Failure> {
    wrong.extend(value.check().err().map(|failure| failure.fields).unwrap_or_default());
    if wrong.is_empty() { Ok(value) } else { Err(Failure::fields(wrong)) }
}

/// Reads from any format. Beside the value, or the error that ended the reading, comes what is wrong: the properties
/// that are not known and, in case of an error, last the value that does not fit, `detail` saying why.
pub fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
    detail: impl FnOnce(&D::Error) -> String,
) -> (Result<T, D::Error>, Vec<FieldError>) {
    watched(from, &Findings::default(), detail)
}

/// Reads a query string or form, of which these members stand elsewhere. Nothing is null there, so an empty text is no
/// number, where a reader of forms might take it for none.
pub fn form<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    members: Vec<(&str, Value)>,
    document: D,
    detail: impl FnOnce(&D::Error) -> String,
) -> (Result<T, D::Error>, Vec<FieldError>) {
    watched(Joined { members, document }, &Findings { no_null: true, ..Findings::default() }, detail)
}

fn watched<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
    findings: &Findings,
    detail: impl FnOnce(&D::Error) -> String,
) -> (Result<T, D::Error>, Vec<FieldError>) {
    let value = T::deserialize(Watched::new(from, Path::Root, findings));
    let unknown = findings.unknown.take().into_iter();
    let mut wrong: Vec<_> = unknown.map(|field| FieldError { field, detail: "is not known here".into() }).collect();
    wrong.extend(value.as_ref().err().map(|error| at(findings.place.take().unwrap_or_default(), detail(error))));
    (value, wrong)
}

/// Of a missing or repeated field serde gives the name in the text, and as place the record around it.
fn at(place: String, detail: String) -> FieldError {
    for (words, meaning) in [("missing field `", "is missing"), ("duplicate field `", "is there twice")] {
        if let Some(name) = detail.strip_prefix(words).and_then(|rest| rest.strip_suffix('`')) {
            let field = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
            return FieldError { field, detail: meaning.into() };
        }
    }
    FieldError { field: place, detail }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::*;
    use crate::{
        Violations,
        json::{As, Digits, Same},
        patch::Present,
    };

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Line {
        #[serde(with = "As::<Digits>")]
        quantity: u64,
        #[serde(default)]
        note: Option<String>,
    }

    #[derive(Debug, PartialEq, Default, Deserialize)]
    #[serde(default)]
    struct Order {
        lines: Vec<Line>,
        gift: Option<Box<Line>>,
        labels: BTreeMap<String, Line>,
        shelves: BTreeMap<i64, Vec<u32>>,
        #[serde(with = "As::<Present<Option<Same>>>")]
        code: Option<Option<String>>,
        anything: serde_json::Value,
    }

    impl Validate for Order {
        fn validate(&self, v: &mut Violations) {
            v.at("lines", |v| v.items(self.lines.len(), ..3));
        }
    }

    crate::union! {
        Part {
            One(Line) = "Line",
            Many(Many) = "Many",
        }
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Many {
        parts: Vec<Part>,
        last: Option<Box<Part>>,
    }

    impl Validate for Line {
        fn validate(&self, v: &mut Violations) {
            v.at("quantity", |v| v.range(&self.quantity, ..=99));
        }
    }

    impl Validate for Many {
        fn validate(&self, v: &mut Violations) {
            v.at("parts", |v| v.each(&self.parts, |v, part| part.validate(v)));
        }
    }

    #[test]
    fn of_one_of_several_each_member_is_seen_wherever_the_tag_stands() {
        let wrong = |text: &str| wrong::<Part>(text);
        for text in [
            r#"{"type":"Line","quantity":"1"}"#,
            r#"{"quantity":7,"note":null,"type":"Line"}"#,
            r#"{"parts":[{"quantity":1,"type":"Line"},{"type":"Many","parts":[]}],"type":"Many"}"#,
        ] {
            assert_eq!(wrong(text), Vec::<String>::new(), "{text}");
            let read: Part = serde_json::from_str(text).unwrap();
            assert_eq!(json(text.as_bytes()), Ok(read.clone()), "{text}");
            assert_eq!(serde_json::from_value::<Part>(serde_json::to_value(&read).unwrap()).unwrap(), read, "{text}");
        }
        for (text, fields) in [
            (r#"{"type":"Line","quantity":1,"x":1}"#, vec!["x: is not known here"]),
            (r#"{"x":{"y":1},"quantity":1,"z":1,"type":"Line"}"#, vec!["x: is not known here", "z: is not known here"]),
            (
                r#"{"last":{"x":1,"type":"Line","quantity":1},"type":"Many","parts":[{"quantity":1,"y":2,"type":"Line"}]}"#,
                vec!["last.x: is not known here", "parts[0].y: is not known here"],
            ),
            (r#"{"quantity":1}"#, vec!["type: is missing"]),
            (r#"{"type":"Line","quantity":1,"type":"Line"}"#, vec!["type: is not known here"]),
            (r#"{"type":"Line"}"#, vec!["quantity: is missing"]),
            (r#"{"quantity":1,"type":"Line","quantity":1}"#, vec!["quantity: is there twice"]),
            (r#"{"type":"Other"}"#, vec!["type: unknown variant `Other`, expected `Line` or `Many`"]),
            (r#"{"type":1}"#, vec!["type: invalid type: integer `1`, expected the name of a type"]),
            (r#"["Line"]"#, vec![": invalid type: sequence, expected an object with its type"]),
            (
                r#"{"type":"Many","parts":[{"quantity":true,"type":"Line"}]}"#,
                vec![
                    "parts[0].quantity: invalid type: boolean `true`, expected an integer of 64 bits, as a string of digits",
                ],
            ),
            (
                r#"{"type":"Many","parts":[{"quantity":100,"type":"Line"}]}"#,
                vec!["parts[0].quantity: is 100, not at most 99"],
            ),
        ] {
            assert_eq!(wrong(text), fields, "{text}");
        }
    }

    fn wrong<T: DeserializeOwned + Validate>(text: &str) -> Vec<String> {
        match json::<T>(text.as_bytes()) {
            Ok(_) => Vec::new(),
            Err(Refused::Invalid(failure)) => {
                failure.fields.into_iter().map(|f| format!("{}: {}", f.field, f.detail)).collect()
            }
            Err(Refused::Unreadable(_)) => vec!["unreadable".into()],
        }
    }

    #[test]
    fn what_fits_is_taken() {
        for text in [
            "{}",
            r#"{"lines":[{"quantity":"1"},{"note":null,"quantity":2}],"gift":{"quantity":3}}"#,
            r#"{"labels":{"a":{"quantity":1}},"shelves":{"-7":[1,2]},"code":null}"#,
            r#"{"anything":{"deep":[{"er":1}]}}"#,
        ] {
            assert_eq!(wrong::<Order>(text), Vec::<String>::new(), "{text}");
        }
        let read: Order = json(br#"{"labels":{"a":{"quantity":1}},"shelves":{"-7":[1,2]},"code":null}"#).unwrap();
        assert_eq!((read.labels["a"].quantity, &read.shelves[&-7], read.code), (1, &vec![1, 2], Some(None)));
        // An integer by any other name.
        let read: Order = json(br#"{"gift":{"quantity":7.0},"shelves":{"1":[2.0,3e2]}}"#).unwrap();
        assert_eq!((read.gift.unwrap().quantity, &read.shelves[&1]), (7, &vec![2, 300]));
    }

    #[test]
    fn what_does_not_is_refused_with_its_path() {
        for (text, fields) in [
            ("", vec!["unreadable"]),
            ("{}}", vec!["unreadable"]),
            (r#"{"lines":[{"quantity":1}"#, vec!["unreadable"]),
            ("[]", vec![": invalid type: sequence, expected struct Order"]),
            (r#"{"gift":[1]}"#, vec!["gift: invalid type: sequence, expected struct Line"]),
            (
                r#"{"more":1,"lines":[{"quantity":1,"x":{}}]}"#,
                vec!["more: is not known here", "lines[0].x: is not known here"],
            ),
            (r#"{"labels":{"a b":{"quantity":1,"x":1}}}"#, vec!["labels[a b].x: is not known here"]),
            (r#"{"shelves":{"-7":[1,-1]}}"#, vec!["shelves[-7][1]: invalid value: integer `-1`, expected u32"]),
            (r#"{"shelves":{"1":[1.5]}}"#, vec!["shelves[1][0]: invalid type: floating point `1.5`, expected u32"]),
            (r#"{"shelves":{"1":[-1.0]}}"#, vec!["shelves[1][0]: invalid value: integer `-1`, expected u32"]),
            (
                r#"{"gift":{"quantity":1e16}}"#,
                vec![
                    "gift.quantity: invalid type: floating point `1e+16`, expected an integer of 64 bits, as a string of digits",
                ],
            ),
            (r#"{"shelves":{"x":[]}}"#, vec!["shelves: invalid value: expected key to be a number in quotes"]),
            (r#"{"gift":{}}"#, vec!["gift.quantity: is missing"]),
            (r#"{"gift":{"quantity":1,"quantity":2}}"#, vec!["gift.quantity: is there twice"]),
            (
                r#"{"x":1,"lines":[{"quantity":true}]}"#,
                vec![
                    "x: is not known here",
                    "lines[0].quantity: invalid type: boolean `true`, expected an integer of 64 bits, as a string of digits",
                ],
            ),
            (
                r#"{"x":1,"lines":[{"quantity":1},{"quantity":1},{"quantity":1}]}"#,
                vec!["x: is not known here", "lines: has 3 items, not at most less than 3"],
            ),
        ] {
            assert_eq!(wrong::<Order>(text), fields, "{text}");
        }
    }
}
