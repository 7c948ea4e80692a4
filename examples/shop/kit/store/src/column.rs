//! What values are in columns, in both directions: bind them (`.bind(Micros(at))`, `.bind(note.as_ref().map(Json))`),
//! read them ([`Columns::read`]). `String`, `bool`, `i32`, `u32`, `i64`, `f64` and `Vec<u8>` are bound and read as they
//! are.
//!
//! | value | column | |
//! |---|---|---|
//! | id, `Uuid`, `NaiveDate`, enum | TEXT, as in JSON | [`Text`] |
//! | `u64` | TEXT of 20 digits, so that it sorts | [`Digits`] |
//! | `Decimal` with s digits after the point | INTEGER × 10^s | [`Scaled`] |
//! | `DateTime<Utc>` | TEXT, 27 wide, so that it sorts | [`Micros`] |
//! | `Duration` | INTEGER, µs | [`Span`] |
//! | lists, maps, unions, optional records, JSON | TEXT, JSON | [`Json`] |
//! | `Etag` | INTEGER | [`Revision`] |

use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::{Etag, json};
use rust_decimal::Decimal;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{
    Decode, Encode, Row, Sqlite, Type, ValueRef,
    encode::IsNull,
    error::BoxDynError,
    sqlite::{SqliteArgumentsBuffer, SqliteRow, SqliteTypeInfo, SqliteValueRef},
};

/// A value whose JSON form is a string: an id, a UUID, a date, an enum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Text<T>(pub T);

/// Any value with a JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Json<T>(pub T);

/// `u64`, more than SQLite's integers hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Digits(pub u64);

/// A decimal with at most `S` digits after the point; more are an error, never rounded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Scaled<const S: u32>(pub Decimal);

/// A moment in UTC; finer than a microsecond is cut.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Micros(pub DateTime<Utc>);

/// A span of time; finer than a microsecond is cut.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Span(pub Duration);

/// The revision of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Revision(pub Etag);

/// How a column is read.
pub trait Column: for<'r> Decode<'r, Sqlite> + Type<Sqlite> {
    /// What is read.
    type Value;

    const NULLABLE: bool = false;

    fn value(self) -> Self::Value;
}

/// Reads columns: `row.read::<Text<_>>("id")?`, `row.read::<Option<Micros>>("paid_at")?`, `row.read::<String>("sku")?`.
pub trait Columns {
    /// # Errors
    /// There is no such column, or it holds something else. The message names the column. NULL is an error unless
    /// `Option` is read, where sqlx alone makes an empty text or a zero of it.
    fn read<C: Column>(&self, name: &str) -> sqlx::Result<C::Value>;
}

impl Columns for SqliteRow {
    fn read<C: Column>(&self, name: &str) -> sqlx::Result<C::Value> {
        if !C::NULLABLE && self.try_get_raw(name)?.is_null() {
            return Err(sqlx::Error::ColumnDecode { index: name.into(), source: "is NULL".into() });
        }
        self.try_get::<C, _>(name).map(C::value)
    }
}

impl<C: Column> Column for Option<C> {
    type Value = Option<C::Value>;

    const NULLABLE: bool = true;

    fn value(self) -> Self::Value {
        self.map(C::value)
    }
}

macro_rules! as_it_is {
    ($($plain:ty),+) => {$(
        impl Column for $plain {
            type Value = Self;

            fn value(self) -> Self {
                self
            }
        }
    )+};
}

as_it_is!(String, bool, i32, u32, i64, f64, Vec<u8>);

/// Column type and SQL type: what the value is bound as and read from.
macro_rules! stored_as {
    ($sql:ty: $([$($generic:tt)*] $column:ty => $value:ty),+ $(,)?) => {$(
        impl<$($generic)*> Type<Sqlite> for $column {
            fn type_info() -> SqliteTypeInfo {
                <$sql as Type<Sqlite>>::type_info()
            }

            fn compatible(info: &SqliteTypeInfo) -> bool {
                <$sql as Type<Sqlite>>::compatible(info)
            }
        }

        impl<$($generic)*> Column for $column
        where
            Self: for<'r> Decode<'r, Sqlite>,
        {
            type Value = $value;

            fn value(self) -> $value {
                self.0
            }
        }
    )+};
}

stored_as!(String: [T] Text<T> => T, [T] Json<T> => T, [] Digits => u64, [] Micros => DateTime<Utc>);
stored_as!(i64: [const S: u32] Scaled<S> => Decimal, [] Span => Duration, [] Revision => Etag);

fn text(value: SqliteValueRef<'_>) -> Result<String, BoxDynError> {
    <String as Decode<Sqlite>>::decode(value)
}

fn integer(value: SqliteValueRef<'_>) -> Result<i64, BoxDynError> {
    <i64 as Decode<Sqlite>>::decode(value)
}

impl<T: Serialize> Encode<'_, Sqlite> for Text<T> {
    fn encode_by_ref(&self, to: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        match serde_json::to_value(&self.0)? {
            Value::String(text) => Encode::<Sqlite>::encode(text, to),
            other => Err(format!("{other} is no text").into()),
        }
    }
}

impl<T: DeserializeOwned> Decode<'_, Sqlite> for Text<T> {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(serde_json::from_value(Value::String(text(value)?))?))
    }
}

impl<T: Serialize> Encode<'_, Sqlite> for Json<T> {
    fn encode_by_ref(&self, to: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(serde_json::to_string(&self.0)?, to)
    }
}

impl<T: DeserializeOwned> Decode<'_, Sqlite> for Json<T> {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(serde_json::from_str(&text(value)?)?))
    }
}

impl Encode<'_, Sqlite> for Digits {
    fn encode_by_ref(&self, to: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(format!("{:020}", self.0), to)
    }
}

impl Decode<'_, Sqlite> for Digits {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(text(value)?.parse()?))
    }
}

impl<const S: u32> Encode<'_, Sqlite> for Scaled<S> {
    fn encode_by_ref(&self, to: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        let mut scaled = self.0;
        scaled.rescale(S);
        match i64::try_from(scaled.mantissa()) {
            Ok(integer) if scaled.scale() == S && scaled == self.0 => Encode::<Sqlite>::encode(integer, to),
            _ => Err(format!("{} does not fit 18 digits, {S} of them after the point", self.0).into()),
        }
    }
}

impl<const S: u32> Decode<'_, Sqlite> for Scaled<S> {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(Decimal::try_new(integer(value)?, S)?))
    }
}

impl Encode<'_, Sqlite> for Micros {
    fn encode_by_ref(&self, to: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        let text = json::timestamp_text(&self.0);
        // Outside the years 0001 to 9999 the text is wider or signed, and would sort wrongly.
        if text.len() != 27 {
            return Err(format!("{text} is out of range").into());
        }
        Encode::<Sqlite>::encode(text, to)
    }
}

impl Decode<'_, Sqlite> for Micros {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(json::timestamp(&text(value)?)?))
    }
}

impl Encode<'_, Sqlite> for Span {
    fn encode_by_ref(&self, to: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(i64::try_from(self.0.as_micros())?, to)
    }
}

impl Decode<'_, Sqlite> for Span {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(Duration::from_micros(u64::try_from(integer(value)?)?)))
    }
}

impl Encode<'_, Sqlite> for Revision {
    fn encode_by_ref(&self, to: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(i64::try_from(self.0.0)?, to)
    }
}

impl Decode<'_, Sqlite> for Revision {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(Etag(u64::try_from(integer(value)?)?)))
    }
}
