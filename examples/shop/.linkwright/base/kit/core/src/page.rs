//! Lists, a page at a time.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Failure, FieldError};

/// Items of a page where the caller does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// Items of a page at most.
pub const MAX_LIMIT: u32 = 200;
/// How long a cursor may be used.
const GOOD_FOR: TimeDelta = TimeDelta::days(1);

/// Where a page ended: base64url of JSON. Good for a day and for the same filter and sort, which a hash holds it to; that
/// is against mistakes. It is no secret and not signed, so a position is input like any other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

#[derive(Serialize, Deserialize)]
struct Content<T> {
    /// Hash of filter and sort.
    q: u64,
    /// Seconds since 1970.
    t: i64,
    p: T,
}

impl Cursor {
    /// `query` is everything that decides which items are listed in which order; its JSON form counts.
    pub fn seal(query: &impl Serialize, position: &impl Serialize) -> Self {
        let content = Content { q: hash(query), t: Utc::now().timestamp(), p: position };
        Self(BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&content).unwrap_or_default()))
    }

    /// The position, if it was made for this query within the last day.
    pub fn open<T: DeserializeOwned>(&self, query: &impl Serialize) -> Result<T, Failure> {
        let refuse = |detail: &str| Failure::fields(vec![FieldError { field: "cursor".into(), detail: detail.into() }]);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| refuse("is not one of ours"))?;
        let content: Content<T> = serde_json::from_slice(&bytes).map_err(|_| refuse("is not one of ours"))?;
        if content.q != hash(query) {
            return Err(refuse("belongs to another filter or sort"));
        }
        let made = DateTime::from_timestamp(content.t, 0).unwrap_or_default();
        if Utc::now() - made > GOOD_FOR {
            return Err(refuse("is too old: start again"));
        }
        Ok(content.p)
    }
}

/// The number of items to give, or what is wrong with the number asked for.
pub fn limit(asked: Option<u32>) -> Result<u32, Failure> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(n) if (1..=MAX_LIMIT).contains(&n) => Ok(n),
        Some(_) => {
            Err(Failure::fields(vec![FieldError { field: "limit".into(), detail: format!("from 1 to {MAX_LIMIT}") }]))
        }
    }
}

/// FNV-1a of the JSON form: the same in every process and version.
fn hash(query: &impl Serialize) -> u64 {
    let bytes = serde_json::to_vec(query).unwrap_or_default();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_own_query_only() {
        let cursor = Cursor::seal(&("paid", "-placed_at"), &("2026", 7));
        assert_eq!(cursor.open::<(String, u32)>(&("paid", "-placed_at")), Ok(("2026".into(), 7)));
        assert!(cursor.open::<(String, u32)>(&("paid", "placed_at")).is_err());
        for bad in ["", "x", "e30", "\u{0}"] {
            assert!(Cursor(bad.into()).open::<(String, u32)>(&()).is_err());
        }
    }

    #[test]
    fn limits() {
        assert_eq!(limit(None), Ok(50));
        assert_eq!(limit(Some(200)), Ok(200));
        assert!(limit(Some(0)).is_err() && limit(Some(201)).is_err());
    }
}
