//! Values whose JSON form is not serde's own: adapters for `#[serde(with = "As::<…>")]`, which nest
//! (`As::<Option<Vec<Digits>>>`).
//!
//! | type | JSON |
//! |---|---|
//! | `i64`, `u64` | string of digits ([`Digits`]); a number is accepted |
//! | `Decimal` | string ([`Exact`]); a number is refused, since it may have been rounded on its way |
//! | `DateTime<Utc>` | RFC 3339 with six digits and `Z` ([`Micros`]); finer is cut |
//! | `Duration` | ISO 8601 without years and months, `P1DT2H0.5S` ([`Iso8601`]) |
//! | `Vec<u8>` | base64, RFC 4648 §4 with padding ([`Base64`]) |

use std::{fmt, marker::PhantomData, str::FromStr, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde::{
    Deserialize, Deserializer, Serializer,
    de::{Error, Visitor},
};
pub use serde_with::{As, DeserializeAs, Same, SerializeAs, base64::Base64};

use crate::Failure;

/// A list in one text, its items between commas: how a query string says an order.
pub type Commas<T> = serde_with::StringWithSeparator<serde_with::formats::CommaSeparator, T>;

/// 64-bit integers, which JSON numbers do not carry safely.
pub struct Digits;

impl<T: fmt::Display> SerializeAs<T> for Digits {
    fn serialize_as<S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }
}

impl<'de, T: FromStr + TryFrom<i64> + TryFrom<u64>> DeserializeAs<'de, T> for Digits {
    fn deserialize_as<D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        struct Integer<T>(PhantomData<T>);

        impl<T: FromStr + TryFrom<i64> + TryFrom<u64>> Visitor<'_> for Integer<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer of 64 bits, as a string of digits")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
                text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
                T::try_from(value).map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(value), &self))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
                T::try_from(value).map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(value), &self))
            }
        }
        from.deserialize_any(Integer(PhantomData))
    }
}

/// Decimals, digit for digit.
pub struct Exact;

impl SerializeAs<Decimal> for Exact {
    fn serialize_as<S: Serializer>(value: &Decimal, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }
}

impl<'de> DeserializeAs<'de, Decimal> for Exact {
    fn deserialize_as<D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
        decimal(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// Reads a decimal without rounding it.
pub fn decimal(text: &str) -> Result<Decimal, Failure> {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let shaped = match plain.split_once('.') {
        Some((whole, rest)) => digits(whole) && digits(rest),
        None => digits(plain),
    };
    let number = if shaped { Decimal::from_str_exact(text).ok() } else { None };
    number.ok_or_else(|| Failure::invalid(format!("{text:?} is not a decimal number")))
}

/// Moments in UTC, to the microsecond.
pub struct Micros;

impl SerializeAs<DateTime<Utc>> for Micros {
    fn serialize_as<S: Serializer>(value: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&timestamp_text(value))
    }
}

impl<'de> DeserializeAs<'de, DateTime<Utc>> for Micros {
    fn deserialize_as<D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
        timestamp(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// `2026-01-31T12:00:00.000000Z`: 27 characters, so that texts sort as moments do.
pub fn timestamp_text(moment: &DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Reads RFC 3339 with any offset; finer than a microsecond is cut. Years 0001 to 9999.
pub fn timestamp(text: &str) -> Result<DateTime<Utc>, Failure> {
    let moment = DateTime::parse_from_rfc3339(text).ok().and_then(|moment| cut(moment.to_utc()));
    moment.ok_or_else(|| Failure::invalid(format!("{text:?} is not a moment as 2026-01-31T12:00:00Z")))
}

/// This moment, to the microsecond: what is stored is what was answered.
pub fn now() -> DateTime<Utc> {
    cut(Utc::now()).unwrap_or_default()
}

fn cut(moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
    use chrono::Datelike;
    let cut = DateTime::from_timestamp_micros(moment.timestamp_micros())?;
    (1..=9999).contains(&cut.year()).then_some(cut)
}

/// Spans of time, to the microsecond, never negative.
pub struct Iso8601;

impl SerializeAs<Duration> for Iso8601 {
    fn serialize_as<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&duration_text(*value))
    }
}

impl<'de> DeserializeAs<'de, Duration> for Iso8601 {
    fn deserialize_as<D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        duration(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// `P1DT2H3M0.5S`, `PT0S`.
pub fn duration_text(span: Duration) -> String {
    let (seconds, micros) = (span.as_secs(), span.subsec_micros());
    let (days, hours, minutes, seconds) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let mut text = String::from("P");
    if days > 0 {
        text += &format!("{days}D");
    }
    let mut time = String::new();
    if hours > 0 {
        time += &format!("{hours}H");
    }
    if minutes > 0 {
        time += &format!("{minutes}M");
    }
    if micros > 0 {
        time += format!("{seconds}.{micros:06}").trim_end_matches('0');
        time.push('S');
    } else if seconds > 0 {
        time += &format!("{seconds}S");
    }
    if !time.is_empty() {
        text = text + "T" + &time;
    }
    if text == "P" { "PT0S".into() } else { text }
}

/// Reads ISO 8601 durations of weeks, days, hours, minutes and seconds; finer than a microsecond is cut.
pub fn duration(text: &str) -> Result<Duration, Failure> {
    parse_duration(text).ok_or_else(|| Failure::invalid(format!("{text:?} is not a span of time as P1DT2H30M")))
}

fn parse_duration(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let (date_seconds, _) = components(date, &[('W', 604_800), ('D', 86_400)], false)?;
    let (time_seconds, micros) = components(time, &[('H', 3600), ('M', 60), ('S', 1)], true)?;
    let seconds = date_seconds.checked_add(time_seconds)?;
    // What fits 64 bits of microseconds, as every store and wire form does.
    (seconds < i64::MAX as u64 / 1_000_000).then(|| Duration::new(seconds, micros * 1000))
}

/// Whole seconds and the microseconds of a fraction, which only seconds may have.
fn components(mut text: &str, units: &[(char, u64)], fraction: bool) -> Option<(u64, u32)> {
    let (mut seconds, mut micros) = (0u64, 0);
    for &(unit, size) in units {
        let Some((number, rest)) = text.split_once(unit) else { continue };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || (number.contains('.') && part.is_empty()) {
            return None;
        }
        if !part.is_empty() {
            if !fraction || unit != 'S' {
                return None;
            }
            micros = format!("{part:0<6.6}").parse().ok()?;
        }
        seconds = seconds.checked_add(whole.parse::<u64>().ok()?.checked_mul(size)?)?;
        text = rest;
    }
    text.is_empty().then_some((seconds, micros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Values {
        #[serde(with = "As::<Digits>")]
        signed: i64,
        #[serde(with = "As::<Vec<Option<Digits>>>")]
        unsigned: Vec<Option<u64>>,
        #[serde(with = "As::<Exact>")]
        price: Decimal,
        #[serde(with = "As::<Option<Micros>>")]
        at: Option<DateTime<Utc>>,
        #[serde(with = "As::<Iso8601>")]
        span: Duration,
        #[serde(with = "As::<Base64>")]
        raw: Vec<u8>,
    }

    #[test]
    fn extremes_go_out_and_come_back() {
        let values = Values {
            signed: i64::MIN,
            unsigned: vec![Some(u64::MAX), None],
            price: decimal("123456789012.50").unwrap(),
            at: Some(timestamp("9999-12-31T23:59:59.999999999Z").unwrap()),
            span: Duration::from_micros(93_784_500_000),
            raw: vec![0, 255, 62],
        };
        let text = serde_json::to_string(&values).unwrap();
        assert_eq!(
            text,
            r#"{"signed":"-9223372036854775808","unsigned":["18446744073709551615",null],"price":"123456789012.50","at":"9999-12-31T23:59:59.999999Z","span":"P1DT2H3M4.5S","raw":"AP8+"}"#
        );
        assert_eq!(serde_json::from_str::<Values>(&text).unwrap(), values);
    }

    #[test]
    fn numbers_are_read_as_64_bit_integers_but_not_as_decimals() {
        let read = |signed: &str, price: &str| {
            serde_json::from_str::<Values>(&format!(
                r#"{{"signed":{signed},"unsigned":[7],"price":{price},"at":null,"span":"PT0S","raw":""}}"#
            ))
        };
        assert!(read("-5", "\"1.10\"").is_ok());
        assert!(read("1.5", "\"1.10\"").is_err());
        assert!(read("5", "1.10").is_err());
        for bad in
            ["\"1e3\"", "\"+1\"", "\"1.\"", "\".5\"", "\"\"", "\"1_000\"", "\"99999999999999999999999999999999\""]
        {
            assert!(read("5", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations() {
        for (text, micros) in [("PT0S", 0), ("P1D", 86_400_000_000), ("PT0.000001S", 1), ("P1DT1M", 86_460_000_000)] {
            assert_eq!(duration(text).unwrap(), Duration::from_micros(micros), "{text}");
            assert_eq!(duration_text(Duration::from_micros(micros)), text);
        }
        assert_eq!(duration("P2W").unwrap(), Duration::from_secs(1_209_600));
        for bad in [
            "",
            "P",
            "PT",
            "P1Y",
            "P1M",
            "PT1.5H",
            "P1.5D",
            "-PT1S",
            "PT1S1M",
            "PTS",
            "P99999999999999999999D",
            "PT1.S",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
