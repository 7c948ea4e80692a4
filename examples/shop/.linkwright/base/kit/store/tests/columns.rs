//! Every column gives back what was put in, at its extremes, and sorts as its values do.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use kit::{Etag, json};
use kit_store::{Column, Columns, Digits, Json, Micros, Revision, Scaled, Span, Store, Text};
use proptest::{collection::vec, prelude::*};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{Encode, Row, Sqlite, Type};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Open,
    #[serde(untagged)]
    Unrecognised(String),
}

kit::id! {
    pub ItemId(uuid::Uuid)
}

/// What is read after `value` was written, and how SQLite calls what it holds.
async fn round<'q, C>(value: C) -> Result<(C::Value, String, String), sqlx::Error>
where
    C: Column + Encode<'q, Sqlite> + Type<Sqlite> + 'q,
{
    let store = Store::open(":memory:", &[]).await.unwrap();
    let row = sqlx::query("select x, typeof(x) as t, cast(x as text) as s from (select ? as x)")
        .bind(value)
        .fetch_one(store.read())
        .await?;
    Ok((row.read::<C>("x")?, row.try_get("t")?, row.try_get("s")?))
}

fn moment(text: &str) -> DateTime<Utc> {
    json::timestamp(text).unwrap()
}

#[tokio::test]
async fn texts() {
    let id = ItemId("0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77".parse().unwrap());
    let (back, held, text) = round(Text(id.clone())).await.unwrap();
    assert_eq!((back, held.as_str(), text.as_str()), (id, "text", "0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77"));
    assert_eq!(round(Text(Status::Open)).await.unwrap().2, "open");
    let newer = Status::Unrecognised("größer 'x'".into());
    assert_eq!(round(Text(newer.clone())).await.unwrap().0, newer);
    let date = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap();
    assert_eq!(round(Text(date)).await.unwrap(), (date, "text".into(), "2026-01-31".into()));
    assert!(round(Text(7)).await.is_err(), "a number has no place in a text column");
}

#[tokio::test]
async fn numbers() {
    for value in [0, 1, i64::MAX as u64 + 1, u64::MAX] {
        let (back, held, text) = round(Digits(value)).await.unwrap();
        assert_eq!((back, held.as_str(), text.len()), (value, "text", 20));
    }
    for text in ["0", "-0.01", "9999999999999999.99", "-9999999999999999.99", "12.5", "7"] {
        let value = json::decimal(text).unwrap();
        let (back, held, _) = round(Scaled::<2>(value)).await.unwrap();
        assert_eq!((back, back.scale(), held.as_str()), (value, 2, "integer"), "{text}");
    }
    assert_eq!(round(Scaled::<18>(json::decimal("0.000000000000000001").unwrap())).await.unwrap().2, "1");
    for text in ["0.001", "92233720368547758.08", "79228162514264337593543950335"] {
        assert!(round(Scaled::<2>(json::decimal(text).unwrap())).await.is_err(), "{text}");
    }
    assert_eq!(round(Revision(Etag(7))).await.unwrap(), (Etag(7), "integer".into(), "7".into()));
    assert!(round(Revision(Etag(u64::MAX))).await.is_err());
}

#[tokio::test]
async fn times() {
    for text in [
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "2026-01-31T12:00:00.5+02:00",
        "9999-12-31T23:59:59.999999Z",
    ] {
        let (back, held, text) = round(Micros(moment(text))).await.unwrap();
        assert_eq!((back, held.as_str(), text.len()), (moment(&text), "text", 27));
    }
    assert!(round(Micros(DateTime::<Utc>::MAX_UTC)).await.is_err());
    for span in [Duration::ZERO, Duration::from_micros(1), Duration::from_micros(i64::MAX as u64)] {
        assert_eq!(round(Span(span)).await.unwrap().0, span);
    }
    assert!(round(Span(Duration::MAX)).await.is_err());
}

#[tokio::test]
async fn json_and_nothing() {
    let value = serde_json::json!({"a": [1, null, "ü\u{0}"], "b": {"c": 1.5}});
    assert_eq!(round(Json(value.clone())).await.unwrap().0, value);
    assert_eq!(round(Json(vec![Some(u64::MAX), None])).await.unwrap().2, "[18446744073709551615,null]");
    assert_eq!(round(None::<Micros>).await.unwrap().0, None);
    assert_eq!(round(Some(Scaled::<2>(Decimal::ONE))).await.unwrap().0, Some(Decimal::ONE));
}

#[tokio::test]
async fn what_does_not_fit_is_an_error_that_names_the_column() {
    let store = Store::open(":memory:", &[]).await.unwrap();
    let row =
        sqlx::query("select 'x' as a, 5 as b, '2026' as c, null as 'null'").fetch_one(store.read()).await.unwrap();
    for (error, column) in [
        (row.read::<Text<uuid::Uuid>>("a").unwrap_err(), "a"),
        (row.read::<Text<String>>("b").unwrap_err(), "b"),
        (row.read::<Micros>("c").unwrap_err(), "c"),
        (row.read::<Digits>("null").unwrap_err(), "null"),
        (row.read::<Text<String>>("null").unwrap_err(), "null"),
        (row.read::<Json<String>>("null").unwrap_err(), "null"),
        (row.read::<Scaled<2>>("null").unwrap_err(), "null"),
        (row.read::<Span>("null").unwrap_err(), "null"),
        (row.read::<Json<Vec<u8>>>("missing").unwrap_err(), "missing"),
    ] {
        assert!(error.to_string().contains(column), "{error}");
    }
    assert_eq!(row.read::<Option<Json<u8>>>("null").unwrap(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    /// The order of columns is the order of values.
    #[test]
    fn columns_sort_as_their_values(pairs in vec(((any::<u64>(), any::<u64>()), (micros(), micros())), 100)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(":memory:", &[]).await.unwrap();
            for ((a, b), (c, d)) in pairs {
                let (c, d) = (DateTime::from_timestamp_micros(c).unwrap(), DateTime::from_timestamp_micros(d).unwrap());
                let query = sqlx::query("select ? < ? as a, ? < ? as b").bind(Digits(a)).bind(Digits(b)).bind(Micros(c)).bind(Micros(d));
                let row = query.fetch_one(store.read()).await.unwrap();
                assert_eq!((row.read::<bool>("a").unwrap(), row.read::<bool>("b").unwrap()), (a < b, c < d));
            }
        });
    }
}

/// Years 0001 to 9999.
fn micros() -> std::ops::Range<i64> {
    -62_135_596_800_000_000..253_402_300_800_000_000
}
