//! Values as messages and back.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kit_grpc::Proto;
use prost::Message;
use serde_json::{Value, json};

use crate::{contract::*, pb};

pub fn item() -> Item {
    let money = |amount: &str, currency| Money { amount: kit::json::decimal(amount).unwrap(), currency };
    let part = |name: &str, inner| Part { name: name.into(), inner };
    Item {
        id: "0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77".parse().unwrap(),
        price: money("1.50", Currency::Eur),
        stock: i64::MIN,
        since: kit::json::timestamp("0001-01-01T00:00:00.000001Z").unwrap(),
        lead: Duration::from_micros(1_000_001),
        extra: json!({"a": [null, true, "x", 9_007_199_254_740_992_i64, -9_007_199_254_740_992_i64, 0.5], "b": {}}),
        picture: vec![0, 255],
        weight: -0.5,
        best_before: Some("2026-02-28".parse().unwrap()),
        accepted: vec![Currency::Usd, Currency::Unrecognised("7".into())],
        tags: Some(vec![]),
        notes: vec![None, Some(String::new())],
        rows: vec![vec![], vec!["a".into(), "b".into()]],
        bins: [(Currency::Eur, 1), (Currency::Unrecognised("chf".into()), u32::MAX)].into(),
        prices: [("2026-01-31".parse().unwrap(), money("-0.001", Currency::Usd))].into(),
        history: [(-1, vec!["x".into()])].into(),
        part: Some(part("a", Some(Box::new(part("b", None))))),
        source: Source::Made(Made { batch: u64::MAX }),
        r#type: 0,
    }
}

#[test]
fn every_type_comes_back_from_the_wire() {
    let message: pb::Item = item().encode();
    let bytes = message.encode_to_vec();
    assert_eq!(Item::decode(pb::Item::decode(&*bytes).unwrap()), Ok(item()));
}

#[test]
fn an_absent_field_takes_its_default_and_absent_and_empty_lists_differ() {
    let message = pb::Item { r#type: None, tags: None, ..item().encode() };
    let read = Item::decode(message).unwrap();
    assert_eq!((read.r#type, read.tags), (7, None));
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let timestamp = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
    let duration = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
    let number = |number| prost_types::Value { kind: Some(prost_types::value::Kind::NumberValue(number)) };
    let list = |values| prost_types::value::Kind::ListValue(prost_types::ListValue { values });
    type Spoil = fn(&mut pb::Item);
    let cases: [(&str, Spoil); _] = [
        ("id: missing", |m| m.id = None),
        ("id: \"7\" is not a UUID", |m| m.id = Some("7".into())),
        ("price: missing", |m| m.price = None),
        ("price.amount: missing", |m| m.price = Some(pb::Money { currency: Some(1), ..pb::Money::default() })),
        ("price.amount: \"1e3\" is not a decimal number", |m| {
            m.price = Some(pb::Money { amount: Some("1e3".into()), currency: Some(1) });
        }),
        ("price.currency: is not specified", |m| {
            m.price = Some(pb::Money { amount: Some("1".into()), currency: Some(0) });
        }),
        ("accepted[1]: is not specified", |m| m.accepted = vec![1, 0]),
        ("prices[soon]: \"soon\" is not a date as 2026-01-31", |m| {
            m.prices = [("soon".to_owned(), pb::Money::default())].into();
        }),
        ("prices[2026-01-01].amount: missing", |m| {
            m.prices = [("2026-01-01".to_owned(), pb::Money::default())].into();
        }),
        ("part.inner.name: missing", |m| {
            m.part = Some(pb::Part { name: Some("a".into()), inner: Some(Box::default()) });
        }),
        ("source.kind: missing", |m| m.source = Some(pb::Source { kind: None })),
        ("source.from: missing", |m| {
            m.source = Some(pb::Source { kind: Some(pb::source::Kind::Bought(pb::Bought::default())) });
        }),
        ("weight: is not a finite number", |m| m.weight = Some(f64::NAN)),
        ("extra: is a google.protobuf.Value without a kind", |m| m.extra = Some(prost_types::Value::default())),
    ];
    for (detail, spoil) in cases {
        let mut message = item().encode();
        spoil(&mut message);
        let failure = Item::decode(message).unwrap_err();
        assert_eq!((failure.detail.as_str(), failure.kind), (detail, kit::Kind::Invalid));
        assert_eq!(detail.split_once(": ").unwrap().0, failure.fields[0].field);
    }
    for since in
        [timestamp(253_402_300_800, 0), timestamp(-62_135_596_801, 0), timestamp(0, -1), timestamp(0, 1_000_000_000)]
    {
        let failure = Item::decode(pb::Item { since, ..item().encode() }).unwrap_err();
        assert_eq!(failure.detail, "since: is not a moment of the years 1 to 9999");
    }
    for lead in [duration(-1, 0), duration(0, -1), duration(i64::MAX, 0), duration(0, 1_000_000_000)] {
        assert!(Item::decode(pb::Item { lead, ..item().encode() }).is_err(), "{lead:?}");
    }
    let extra = Some(prost_types::Value { kind: Some(list(vec![number(1.0), number(f64::INFINITY)])) });
    let failure = Item::decode(pb::Item { extra, ..item().encode() }).unwrap_err();
    assert_eq!(failure.detail, "extra[1]: is not a finite number");
}

#[test]
fn finer_than_a_microsecond_is_cut() {
    let since = DateTime::<Utc>::decode(prost_types::Timestamp { seconds: 1, nanos: 1_999 }).unwrap();
    assert_eq!(since.timestamp_subsec_nanos(), 1_000);
    let lead = Duration::decode(prost_types::Duration { seconds: 1, nanos: 1_999 }).unwrap();
    assert_eq!(lead, Duration::from_micros(1_000_001));
    let encoded: prost_types::Timestamp = DateTime::from_timestamp(-1, 999_999_999).unwrap().encode();
    assert_eq!((encoded.seconds, encoded.nanos), (-1, 999_999_000));
}

#[test]
fn whole_numbers_stay_whole_and_others_do_not_become_so() {
    for value in [json!(0), json!(-1), json!(0.1), json!(1e300), json!(u32::MAX), Value::Null] {
        let message: prost_types::Value = value.clone().encode();
        assert_eq!(Value::decode(message), Ok(value));
    }
}

#[test]
fn a_record_may_be_empty() {
    #[derive(Debug, PartialEq)]
    struct Nothing {}
    struct Empty {}
    kit_grpc::message!(Nothing = Empty {});
    let message: Empty = Nothing {}.encode();
    assert_eq!(Nothing::decode(message), Ok(Nothing {}));
}
