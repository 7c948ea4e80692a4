//! What gRPC has for a call's context and errors: the part of it that needs no gRPC library.

use std::time::Duration;

use crate::Kind;

impl Kind {
    /// The status code of gRPC. Each kind has one of its own, so a kind survives the way there and back.
    pub fn grpc_code(self) -> u8 {
        match self {
            Self::Invalid => 3,
            Self::Timeout => 4,
            Self::NotFound => 5,
            Self::Exists => 6,
            Self::Denied => 7,
            Self::Limited => 8,
            Self::Conflict => 9,
            Self::Stale => 10,
            Self::Unsupported => 12,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }
}

/// The value of `grpc-timeout`: `TimeoutValue TimeoutUnit` of the specification, at most eight digits and a letter.
pub fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let are_digits = digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = are_digits.then(|| digits.parse().ok()).flatten()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn timeouts_are_read_as_the_specification_has_them() {
        for (text, span) in [
            ("2H", Duration::from_secs(7200)),
            ("3M", Duration::from_secs(180)),
            ("4S", Duration::from_secs(4)),
            ("5m", Duration::from_millis(5)),
            ("6u", Duration::from_micros(6)),
            ("7n", Duration::from_nanos(7)),
            ("99999999H", Duration::from_secs(359_999_996_400)),
        ] {
            assert_eq!(timeout(text), Some(span), "{text}");
        }
        for bad in ["", "1", "S", "1s", "-1S", "+1S", "123456789S", "1.5S", "1 S", "1é"] {
            assert_eq!(timeout(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_two_kinds_have_one_code() {
        let codes: BTreeSet<_> = Kind::ALL.into_iter().map(Kind::grpc_code).collect();
        assert!(codes.len() == Kind::ALL.len() && codes.iter().all(|code| (1..=16).contains(code)));
    }
}
