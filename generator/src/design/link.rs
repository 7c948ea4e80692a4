//! `[links.A.B]`: A depends on B.

use std::time::Duration;

use super::{Answer, Consistency, Delivery, DurationRange, Fallback, Head, List, Rate, Reference, Slo, Start, Via};
use crate::source::Spanned;

/// `[links.A.B]`; the name of its head is B as written.
#[derive(Clone, Debug)]
pub struct Link {
    pub head: Head,
    /// A service or external.
    pub from: Spanned<String>,
    /// A service, an external, an event, or one operation.
    pub to: Spanned<Reference>,
    pub via: Option<Spanned<Via>>,
    pub needs: Option<Spanned<Needs>>,
    pub timeout: Option<Spanned<Duration>>,
    pub retry: Option<Spanned<Retry>>,
    pub breaker: Option<Spanned<Breaker>>,
    pub bulkhead: Option<Spanned<u32>>,
    /// At least one, none twice.
    pub fallback: Option<List<Fallback>>,
    pub delivery: Option<Spanned<Delivery>>,
    pub dead_letter: Option<Spanned<bool>>,
    pub start: Option<Spanned<Start>>,
    pub batch: Option<Spanned<Batch>>,
    /// `{ lag }` only.
    pub slo: Option<Spanned<Slo>>,
}

/// `needs = { answer, latency, rate, consistency, order, replay, readers }`
#[derive(Clone, Debug, Default)]
pub struct Needs {
    pub answer: Option<Spanned<Answer>>,
    pub latency: Option<Spanned<Duration>>,
    pub rate: Option<Spanned<Rate>>,
    pub consistency: Option<Spanned<Consistency>>,
    pub order: Option<Spanned<bool>>,
    pub replay: Option<Spanned<bool>>,
    pub readers: Option<Spanned<u32>>,
}

/// `retry = { attempts, backoff }`
#[derive(Clone, Debug, Default)]
pub struct Retry {
    /// The first one included, so at least 1.
    pub attempts: Option<Spanned<u32>>,
    pub backoff: Option<Spanned<DurationRange>>,
}

/// `breaker = { failure_rate, window, open_for }` or `false`
#[derive(Clone, Debug)]
pub enum Breaker {
    Off,
    On {
        /// Above 0, at most 1.
        failure_rate: Option<Spanned<f64>>,
        /// Calls looked at, at least 1.
        window: Option<Spanned<u32>>,
        open_for: Option<Spanned<Duration>>,
    },
}

/// `batch = { size, within }`
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// At least 1.
    pub size: Option<Spanned<u32>>,
    pub within: Option<Spanned<Duration>>,
}
