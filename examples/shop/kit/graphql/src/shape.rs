use serde_json::{Map, Value, json};

/// What GraphQL makes of a value of a contract, where that is not its JSON. A client turns values into it and back.
///
/// Records and unions refer to each other, in circles too, so they are statics: `Shape::Of(&MONEY)`.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Its JSON. Null is of every shape.
    Same,
    /// A number that GraphQL shows as the text of an `ID`.
    Number,
    /// One of these words, as JSON and as GraphQL write it.
    Choice(&'static [(&'static str, &'static str)]),
    Each(&'static Shape),
    /// A map, which is a list of entries: their keys and values.
    Entries(&'static Shape, &'static Shape),
    /// A record: each member's name in JSON, its name in GraphQL, its shape.
    Object(&'static [(&'static str, &'static str, Shape)]),
    /// A union: each variant's name, the field that gives it, its record.
    OneOf(&'static [(&'static str, &'static str, Shape)]),
    Of(&'static Shape),
    /// A page of a list, of such items.
    Page(&'static Shape),
    /// What an operation without output answers.
    Done,
}

/// An answer goes on where the document has stopped asking: types that contain themselves are asked for only so deep.
#[derive(Debug, PartialEq)]
pub(crate) struct Deeper;

/// Stands in a document where it stops, and so in an answer that goes on there. No name of a design begins so.
const DEEPER: &str = "_deeper";

impl Shape {
    /// A value of the contract as GraphQL takes it.
    pub(crate) fn given(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Of(shape), value) => shape.given(value),
            (Self::Choice(words), Value::String(word)) => {
                let written = words.iter().find(|(json, _)| *json == word).map(|(_, graphql)| json!(graphql));
                written.unwrap_or(Value::String(word))
            }
            (Self::Each(shape), Value::Array(items)) => items.into_iter().map(|item| shape.given(item)).collect(),
            (Self::Entries(key, shape), Value::Object(entries)) => {
                let entry = |(name, value)| json!({ "key": key.key(name), "value": shape.given(value) });
                entries.into_iter().map(entry).collect()
            }
            (Self::Object(members), Value::Object(mut value)) => {
                let member = |(json, graphql, shape): &(&str, &str, Self)| {
                    Some(((*graphql).to_owned(), shape.given(value.remove(*json)?)))
                };
                Value::Object(members.iter().filter_map(member).collect())
            }
            (Self::OneOf(variants), value) => {
                let of = variants.iter().find(|(variant, ..)| value["type"] == *variant);
                of.map_or(Value::Null, |(_, field, shape)| json!({ *field: shape.given(value) }))
            }
            (_, value) => value,
        }
    }

    /// The key of an entry, which JSON has as a text.
    fn key(&self, name: String) -> Value {
        match self {
            Self::Number => name.parse::<i64>().map_or_else(|_| json!(name), |number| json!(number)),
            shape => shape.given(Value::String(name)),
        }
    }

    /// The value of the contract that GraphQL shows so.
    pub(crate) fn shown(&self, value: Value) -> Result<Value, Deeper> {
        Ok(match (self, value) {
            (Self::Of(shape), value) => shape.shown(value)?,
            (Self::Done, _) => Value::Null,
            (Self::Number, Value::String(text)) => {
                text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))
            }
            (Self::Choice(words), Value::String(word)) => {
                let read = words.iter().find(|(_, graphql)| *graphql == word).map(|(json, _)| json!(json));
                read.unwrap_or(Value::String(word))
            }
            (Self::Each(shape), Value::Array(items)) => {
                Value::Array(items.into_iter().map(|item| shape.shown(item)).collect::<Result<_, _>>()?)
            }
            (Self::Entries(key, shape), Value::Array(entries)) => {
                let entry = |mut entry: Value| {
                    let key = match key.shown(taken(&mut entry, "key"))? {
                        Value::String(text) => text,
                        other => other.to_string(),
                    };
                    Ok((key, shape.shown(taken(&mut entry, "value"))?))
                };
                Value::Object(entries.into_iter().map(entry).collect::<Result<_, _>>()?)
            }
            (Self::Object(members), Value::Object(value)) => object(members, value, "")?.into(),
            (Self::OneOf(variants), Value::Object(mut value)) => {
                if value.contains_key(DEEPER) {
                    return Err(Deeper);
                }
                let variant = value.remove("__typename").unwrap_or_default();
                let mut read = match variants.iter().find(|(name, ..)| variant == *name) {
                    Some((_, field, Self::Of(Self::Object(members)))) => object(members, value, field)?,
                    // Newer than we are: the contract keeps it if it can.
                    _ => value,
                };
                read.insert("type".into(), variant);
                read.into()
            }
            (Self::Page(shape), mut page) => {
                let mut read = json!({ "items": Self::Each(shape).shown(taken(&mut page, "nodes"))? });
                if page["pageInfo"]["hasNextPage"] == true {
                    read["next"] = page["pageInfo"]["endCursor"].clone();
                }
                read
            }
            (_, value) => value,
        })
    }
}

/// A member of whatever a server has sent; null if it has none.
pub(crate) fn taken(value: &mut Value, member: &str) -> Value {
    value.get_mut(member).map(Value::take).unwrap_or_default()
}

/// The members of a record. Those of a variant that would clash with another one's are asked for under a name of their
/// own, the variant's field before it.
fn object(
    members: &[(&str, &str, Shape)],
    mut value: Map<String, Value>,
    variant: &str,
) -> Result<Map<String, Value>, Deeper> {
    if value.contains_key(DEEPER) {
        return Err(Deeper);
    }
    let mut read = Map::new();
    for (json, graphql, shape) in members {
        let own = if variant.is_empty() { None } else { value.remove(&format!("{variant}_{graphql}")) };
        if let Some(value) = own.or_else(|| value.remove(*graphql)) {
            read.insert((*json).to_owned(), shape.shown(value)?);
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    static UNIT: Shape = Shape::Choice(&[("eur", "EUR"), ("us_dollar", "US_DOLLAR")]);
    static MONEY: Shape = Shape::Object(&[("in_cents", "inCents", Shape::Number), ("unit", "unit", Shape::Of(&UNIT))]);
    static CARD: Shape =
        Shape::Object(&[("last_digits", "lastDigits", Shape::Same), ("more", "more", Shape::Of(&PAY))]);
    static CASH: Shape = Shape::Object(&[("last_digits", "lastDigits", Shape::Same)]);
    static PAY: Shape =
        Shape::OneOf(&[("CardPayment", "cardPayment", Shape::Of(&CARD)), ("Cash", "cash", Shape::Of(&CASH))]);
    static WHOLE: Shape = Shape::Object(&[
        ("total", "total", Shape::Of(&MONEY)),
        ("pay", "pay", Shape::Of(&PAY)),
        ("by_unit", "byUnit", Shape::Entries(&UNIT, &Shape::Each(&UNIT))),
        ("by_number", "byNumber", Shape::Entries(&Shape::Number, &Shape::Same)),
        ("any", "any", Shape::Same),
    ]);

    #[test]
    fn values_go_there_and_back() {
        let value = json!({
            "total": { "in_cents": 5, "unit": "us_dollar" },
            "pay": { "type": "CardPayment", "last_digits": "1234", "more": null },
            "by_unit": { "us_dollar": ["eur"] },
            "by_number": { "-7": "x" },
            "any": { "a_b": [null] },
        });
        let given = json!({
            "total": { "inCents": 5, "unit": "US_DOLLAR" },
            "pay": { "cardPayment": { "lastDigits": "1234", "more": null } },
            "byUnit": [{ "key": "US_DOLLAR", "value": ["EUR"] }],
            "byNumber": [{ "key": -7, "value": "x" }],
            "any": { "a_b": [null] },
        });
        assert_eq!(WHOLE.given(value.clone()), given);
        let shown = json!({
            "total": { "inCents": "5", "unit": "US_DOLLAR" },
            "pay": { "__typename": "CardPayment", "cardPayment_lastDigits": "1234", "more": null },
            "byUnit": [{ "key": "US_DOLLAR", "value": ["EUR"] }],
            "byNumber": [{ "key": -7, "value": "x" }],
            "any": { "a_b": [null] },
            "_new": 1,
        });
        assert_eq!(WHOLE.shown(shown), Ok(value));
        assert_eq!(Shape::Done.shown(json!(true)), Ok(Value::Null));
        assert_eq!(UNIT.shown(json!("NEWER")), Ok(json!("NEWER")));
    }

    #[test]
    fn an_answer_that_goes_on_where_nobody_asks_is_noticed() {
        let pay = json!({ "__typename": "CardPayment", "lastDigits": "1", "more": { "_deeper": "Cash" } });
        assert_eq!(PAY.shown(pay), Err(Deeper));
        assert_eq!(MONEY.shown(json!({ "_deeper": "Money" })), Err(Deeper));
        let ends = json!({ "__typename": "CardPayment", "lastDigits": "1", "more": null });
        assert!(PAY.shown(ends).is_ok());
    }

    #[test]
    fn whatever_a_server_sends_is_read_or_left() {
        for strange in [json!(7), json!([[]]), json!("x"), json!({ "a": [] }), json!([7, null, "x"])] {
            for shape in [WHOLE, MONEY, PAY, UNIT, Shape::Page(&UNIT), Shape::Entries(&UNIT, &UNIT), Shape::Each(&PAY)]
            {
                assert!(shape.shown(strange.clone()).is_ok(), "{shape:?} {strange}");
                shape.given(strange.clone());
            }
        }
    }

    #[test]
    fn a_page_is_items_and_the_place_of_the_next() {
        let page = |more| json!({ "nodes": ["EUR"], "pageInfo": { "hasNextPage": more, "endCursor": "c" } });
        let shape = Shape::Page(&UNIT);
        assert_eq!(shape.shown(page(true)), Ok(json!({ "items": ["eur"], "next": "c" })));
        assert_eq!(shape.shown(page(false)), Ok(json!({ "items": ["eur"] })));
    }
}
