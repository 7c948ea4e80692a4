use serde::{Deserialize, Serialize};
use sqlx::{
    Decode, Encode, Sqlite, Type, TypeInfo, ValueRef,
    encode::IsNull,
    error::BoxDynError,
    sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef},
};

/// A value as SQLite holds it: what a cursor keeps of the columns sorted by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Raw {
    #[serde(rename = "n")]
    Null,
    #[serde(rename = "i")]
    Integer(i64),
    /// The bits of an `f64`, which JSON would not carry exactly.
    #[serde(rename = "r")]
    Real(u64),
    #[serde(rename = "t")]
    Text(String),
}

impl Type<Sqlite> for Raw {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }

    fn compatible(_: &SqliteTypeInfo) -> bool {
        true
    }
}

impl Decode<'_, Sqlite> for Raw {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.is_null() {
            return Ok(Self::Null);
        }
        Ok(match value.type_info().name() {
            "TEXT" => Self::Text(Decode::<Sqlite>::decode(value)?),
            "REAL" => Self::Real(<f64 as Decode<Sqlite>>::decode(value)?.to_bits()),
            "INTEGER" | "BOOLEAN" => Self::Integer(Decode::<Sqlite>::decode(value)?),
            other => return Err(format!("a list cannot be sorted by a column of {other}").into()),
        })
    }
}

impl Encode<'_, Sqlite> for Raw {
    fn encode_by_ref(&self, to: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(integer) => Encode::<Sqlite>::encode(*integer, to),
            Self::Real(bits) => Encode::<Sqlite>::encode(f64::from_bits(*bits), to),
            Self::Text(text) => Encode::<Sqlite>::encode(text.clone(), to),
        }
    }
}
