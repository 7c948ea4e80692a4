//! How often one caller may call.

use std::{fmt, time::Duration};

use super::{Operation, Service};

/// So many calls in so much time, both above zero: `60/1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub calls: u32,
    pub window: Duration,
}

/// How many calls one caller may make of all operations of a service together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub limit: Option<Rate>,
    /// The same over a long time.
    pub quota: Option<Rate>,
}

impl Service {
    /// Whether calls of the operation count: for itself, or for the service.
    pub fn counts(&self, operation: &Operation) -> bool {
        let Limits { limit, quota } = self.limits;
        operation.limit.or(limit).or(quota).is_some()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.calls, span(self.window))
    }
}

/// As designs and configuration write it: `300ms`, `2s`.
pub fn span(span: Duration) -> String {
    let ms = span.as_millis();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
        if ms > 0 && ms.is_multiple_of(size) {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}
