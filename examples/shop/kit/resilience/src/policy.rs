//! The settings of a link, as plain data.

use std::time::Duration;

/// How a link treats its calls, in the order of effect, from the caller inwards. The defaults are those of the design
/// language.
///
/// # What the caller sees
///
/// **The other side is slow.** A try is given up after [`timeout`](Policy::timeout) and counts as a fault. What may be
/// repeated is tried again after a pause, up to [`Retry::attempts`] times in all, so the caller waits
/// [`total`](Policy::total) at most, and never past its own deadline; then it has `timeout`. While many calls wait, the
/// [`bulkhead`](Policy::bulkhead) fills up; a try that finds no place in it fails at once with `limited`, so that one
/// slow service cannot hold all of this one's memory and connections. It may be repeated like any other. Streams are open
/// for as long as somebody likes, so they have [places](Policy::streams) of their own and take none of the calls'.
///
/// **The other side fails.** `unavailable`, `timeout` and `limited` are tried again; everything else is an answer and
/// goes to the caller as it is. A `Retry-After` is waited for if that leaves time for another try; else the caller has
/// the error at once and may wait itself. Once [`Breaker::failure_rate`] of the last tries have failed, of up to
/// [`Breaker::window`] and at least half as many within [`Breaker::within`], the circuit opens: for [`Breaker::open_for`]
/// every call fails at once with `unavailable`, and says when to come back. Then one call is let through, and what becomes
/// of it closes the circuit or opens it again.
///
/// **The other side is gone.** As above, only faster: each try fails at once, the circuit opens with the
/// [least](Breaker::least) that count, and from then on a call costs nothing. A request that cannot have left is repeated
/// whatever the operation.
///
/// **With a fallback** the caller sees none of these three errors, but an answer that is marked as a stand-in
/// ([`fallback`](crate::fallback)).
///
/// # What is tried again
///
/// An operation that is [`Safe`](kit::Safety::Safe); one that is [`Keyed`](kit::Safety::Keyed), with the same
/// idempotency key on every try; an [`Unsafe`](kit::Safety::Unsafe) one only if the failure is
/// [`unsent`](kit::Failure::unsent). An open circuit ends the call. A stream is tried again only until it opens.
///
/// # What counts as a fault of the other side
///
/// The kinds of [`Kind::is_fault`](kit::Kind::is_fault): `unavailable`, `timeout`, `internal`. Not a full bulkhead,
/// nor a call that was dropped, nor a timeout of a try that had less than [`timeout`](Policy::timeout) because the
/// caller's deadline was near: they say nothing of the service.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub retry: Retry,
    /// `None`: the other side is called however often it fails.
    pub breaker: Option<Breaker>,
    /// Tries under way at once, over all operations of the link. Nobody waits for a place, and none is held during the
    /// pause between two tries.
    pub bulkhead: usize,
    /// Streams open at once, of input and output, over all operations of the link. One more is refused as a call is.
    pub streams: usize,
    /// For each try: from entering the bulkhead to the answer, or to the opening of a stream. Keep it below the deadlines
    /// that callers come with: where those always end first, the breaker never learns of a service that hangs.
    pub timeout: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            retry: Retry::default(),
            breaker: Some(Breaker::default()),
            bulkhead: 64,
            streams: Self::streams_beside(64),
            timeout: Duration::from_secs(1),
        }
    }
}

impl Policy {
    /// How many streams there may be beside so many calls, where nothing else is said. Almost always a stream waits, while a
    /// call is work.
    pub fn streams_beside(bulkhead: usize) -> usize {
        bulkhead.saturating_mul(10)
    }

    /// The longest a call can take: all tries and the pauses between them. The caller's own deadline may end it sooner.
    pub fn total(&self) -> Duration {
        let tries = self.retry.attempts.max(1);
        self.timeout.saturating_mul(tries).saturating_add(self.retry.backoff.sum(tries - 1))
    }
}

/// When a failed try is followed by another.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Tries of one call, the first included. 1 (or 0): no retries.
    pub attempts: u32,
    pub backoff: Backoff,
    pub budget: Budget,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 3, backoff: Backoff::default(), budget: Budget::default() }
    }
}

/// Pauses that double, each shortened by chance to between half and all of it, so that callers that failed together do
/// not come back together.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    /// Before the first retry.
    pub first: Duration,
    /// No pause is longer, except for a `Retry-After`, to which the pause is added.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(50), most: Duration::from_secs(1) }
    }
}

impl Backoff {
    /// The pause before a retry, by chance; retries count from 1.
    pub fn pause(&self, retry: u32) -> Duration {
        let full = self.full(retry);
        (full / 2).saturating_add((full / 2).mul_f64(fastrand::f64()))
    }

    fn full(&self, retry: u32) -> Duration {
        let doublings = retry.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.most)
    }

    /// The longest that so many retries can pause in all.
    fn sum(&self, retries: u32) -> Duration {
        const DOUBLING: u32 = 32;
        let doubling = (1..=retries.min(DOUBLING)).fold(Duration::ZERO, |sum, n| sum.saturating_add(self.full(n)));
        doubling.saturating_add(self.full(DOUBLING).saturating_mul(retries.saturating_sub(DOUBLING)))
    }
}

/// Retries in proportion to calls, over all operations of the link, so that a service in trouble does not get a
/// multiple of its load on top.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Retries for each call, in the long run.
    pub share: f64,
    /// Retries that may be saved up; there from the start.
    pub reserve: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { share: 0.2, reserve: 10 }
    }
}

/// When a link stops calling a service that keeps failing.
#[derive(Clone, Debug, PartialEq)]
pub struct Breaker {
    /// The share of faults at which the circuit opens, above 0 to 1.
    pub failure_rate: f64,
    /// The rate is taken over the last so many tries, and not before there were [half](Breaker::least) as many.
    pub window: usize,
    /// Tries longer ago are forgotten: yesterday's faults do not open today's circuit. A link with fewer than the
    /// [least](Breaker::least) in this time never opens it; its callers find out by themselves.
    pub within: Duration,
    /// How long nothing is called before one call may try.
    pub open_for: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failure_rate: 0.5, window: 20, within: Duration::from_secs(60), open_for: Duration::from_secs(10) }
    }
}

impl Breaker {
    /// Tries from which on the rate says something: half a window, and a few at least, or one fault among two would do.
    pub fn least(&self) -> usize {
        (self.window / 2).max(5).min(self.window).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_the_most_and_lie_between_half_and_all_of_it() {
        let backoff = Backoff { first: Duration::from_millis(50), most: Duration::from_millis(300) };
        for (retry, full) in [(1, 50), (2, 100), (3, 200), (4, 300), (5, 300), (u32::MAX, 300)] {
            let full = Duration::from_millis(full);
            let pauses: Vec<_> = (0..1000).map(|_| backoff.pause(retry)).collect();
            assert!(pauses.iter().all(|pause| (full / 2..=full).contains(pause)), "{retry}");
            let (least, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
            assert!(*longest - *least > full / 4, "they differ: {least:?} to {longest:?}");
        }
    }

    #[test]
    fn the_rate_is_taken_from_half_a_window_on_and_not_of_a_few() {
        for (window, least) in [(0, 1), (1, 1), (4, 4), (8, 5), (20, 10), (21, 10), (1000, 500)] {
            assert_eq!(Breaker { window, ..Breaker::default() }.least(), least, "{window}");
        }
    }

    #[test]
    fn the_total_is_all_tries_and_the_longest_pauses() {
        let total = |attempts, first, most| {
            let retry = Retry { attempts, backoff: Backoff { first, most }, ..Retry::default() };
            Policy { retry, timeout: SECOND, ..Policy::default() }.total()
        };
        assert_eq!(Policy::default().total(), Duration::from_millis(3150));
        for attempts in [0, 1] {
            assert_eq!(total(attempts, SECOND, SECOND), SECOND);
        }
        assert_eq!(total(5, SECOND, 3 * SECOND), (5 + 1 + 2 + 3 + 3) * SECOND);
        assert_eq!(total(101, SECOND, 2 * SECOND), (101 + 1 + 99 * 2) * SECOND);
        assert_eq!(total(u32::MAX, Duration::MAX, Duration::MAX), Duration::MAX);
        assert!(Backoff { first: Duration::MAX, most: Duration::MAX }.pause(9) > Duration::MAX / 3);
    }
}
