use std::{fmt, str::FromStr};

/// Where a call stands in its trace: W3C Trace Context, `traceparent` version 00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

impl Trace {
    /// A new trace, sampled.
    pub fn start() -> Self {
        Self { trace_id: fastrand::u128(1..), span_id: fastrand::u64(1..), sampled: true }
    }

    /// A new span of the same trace.
    pub fn child(&self) -> Self {
        Self { span_id: fastrand::u64(1..), ..*self }
    }

    /// 32 hexadecimal digits.
    pub fn id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

/// The text is not a `traceparent`.
#[derive(Debug, PartialEq, Eq)]
pub struct NotATrace;

impl FromStr for Trace {
    type Err = NotATrace;

    fn from_str(text: &str) -> Result<Self, NotATrace> {
        fn hex(part: Option<&str>, digits: usize) -> Result<&str, NotATrace> {
            let lower_hex = |p: &&str| p.len() == digits && p.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            part.filter(lower_hex).ok_or(NotATrace)
        }
        let mut parts = text.split('-');
        let version = hex(parts.next(), 2)?;
        let trace_id = u128::from_str_radix(hex(parts.next(), 32)?, 16).map_err(|_| NotATrace)?;
        let span_id = u64::from_str_radix(hex(parts.next(), 16)?, 16).map_err(|_| NotATrace)?;
        let flags = u8::from_str_radix(hex(parts.next(), 2)?, 16).map_err(|_| NotATrace)?;
        // Version ff is invalid; version 00 has exactly four parts, later ones may have more.
        if trace_id == 0 || span_id == 0 || version == "ff" || (version == "00" && parts.next().is_some()) {
            return Err(NotATrace);
        }
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        let trace = Trace::start();
        assert_eq!(trace.to_string().parse(), Ok(trace));
        assert_eq!(trace.child().id(), trace.id());
        assert_ne!(trace.child().to_string(), trace.to_string());
        for bad in [
            "",
            "00",
            "00-00000000000000000000000000000000-0000000000000001-01",
            "00-00000000000000000000000000000001-0000000000000000-01",
            "ff-00000000000000000000000000000001-0000000000000001-01",
            "00-0000000000000000000000000000000A-0000000000000001-01",
            "00-00000000000000000000000000000001-0000000000000001-01-x",
        ] {
            assert_eq!(bad.parse::<Trace>(), Err(NotATrace), "{bad}");
        }
        assert!("01-00000000000000000000000000000001-0000000000000001-01-more".parse::<Trace>().is_ok());
    }
}
