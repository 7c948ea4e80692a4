use std::time::Duration;

use kit::{Kind, OperationError};
use kit_resilience::Backoff;

use crate::Verdict;

/// Nobody is waited for any longer, whatever their `Retry-After` says: the message would be as good as lost.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How a link to messages treats what fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Deliveries of a message, the first included, before it is given up.
    pub attempts: u32,
    /// Between two deliveries of a message; others are not kept waiting.
    pub backoff: Backoff,
    pub guarantee: Guarantee,
    /// Whether a message that is given up is kept as a dead letter. If not, it is lost and counted.
    pub dead_letter: bool,
    /// Messages worked on at the same time, where they are not taken in batches.
    pub concurrency: usize,
    pub batch: Batch,
    /// How long the work on one message may take: past that it is dropped, which counts as a failed attempt.
    pub timeout: Duration,
    /// How long after its consumer vanished a message comes again. A consumer that is alive extends it.
    pub lease: Duration,
}

/// Messages taken at once: each is worked on for itself, all at the same time; they are settled together, and only then
/// the next batch is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// At most as many. With one, there are no batches.
    pub size: usize,
    /// How long the first waits for others.
    pub within: Duration,
}

/// What is promised of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guarantee {
    /// Acknowledged after the work: it may be done twice, never lost.
    #[default]
    AtLeastOnce,
    /// Acknowledged before the work: it may be lost, never done twice.
    AtMostOnce,
}

/// What the design language says of a link to messages that says nothing: emitted services write down what differs.
impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 5,
            backoff: Backoff { first: Duration::from_millis(100), most: Duration::from_secs(60) },
            guarantee: Guarantee::default(),
            dead_letter: true,
            concurrency: 16,
            batch: Batch { size: 1, within: Duration::ZERO },
            timeout: Duration::from_secs(30),
            lease: Duration::from_secs(30),
        }
    }
}

impl Policy {
    /// What an error of this attempt means for the message. One that says when to come again is never for good.
    pub(crate) fn verdict(&self, attempt: u32, error: &impl OperationError) -> Verdict {
        let asked = error.failure().and_then(|failure| failure.retry_after);
        match error.kind() {
            // An earlier attempt did the work and could not say so.
            Kind::Exists if attempt > 1 => Verdict::Ack,
            Kind::Exists
            | Kind::Invalid
            | Kind::Denied
            | Kind::NotFound
            | Kind::Conflict
            | Kind::Unauthenticated
            | Kind::Unsupported
                if asked.is_none() =>
            {
                Verdict::DeadLetter { reason: reason(error) }
            }
            _ if attempt >= self.attempts => {
                Verdict::DeadLetter { reason: format!("{} (attempt {attempt} of {})", reason(error), self.attempts) }
            }
            _ => {
                let after = asked.unwrap_or_default().min(LONGEST) + self.backoff.pause(attempt);
                Verdict::Retry { after, reason: reason(error) }
            }
        }
    }
}

/// With the cause, which only those who run the system see.
fn reason(error: &impl OperationError) -> String {
    match error.failure().and_then(|failure| failure.source.as_ref()) {
        Some(cause) => format!("{error}: {cause:#}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use kit::Failure;

    use super::*;

    #[test]
    fn every_kind_has_its_end() {
        let end = |kind, attempt| match Policy::default().verdict(attempt, &Failure::new(kind, "x")) {
            Verdict::Ack => "ack",
            Verdict::Retry { .. } => "retry",
            Verdict::Release => "release",
            Verdict::DeadLetter { .. } => "dead",
        };
        for (kind, first, second, last) in [
            (Kind::Invalid, "dead", "dead", "dead"),
            (Kind::Denied, "dead", "dead", "dead"),
            (Kind::NotFound, "dead", "dead", "dead"),
            (Kind::Exists, "dead", "ack", "ack"),
            (Kind::Conflict, "dead", "dead", "dead"),
            (Kind::Stale, "retry", "retry", "dead"),
            (Kind::Limited, "retry", "retry", "dead"),
            (Kind::Unavailable, "retry", "retry", "dead"),
            (Kind::Unauthenticated, "dead", "dead", "dead"),
            (Kind::Timeout, "retry", "retry", "dead"),
            (Kind::Unsupported, "dead", "dead", "dead"),
            (Kind::Internal, "retry", "retry", "dead"),
        ] {
            assert_eq!([end(kind, 1), end(kind, 2), end(kind, 5)], [first, second, last], "{kind}");
        }
    }

    #[test]
    fn what_a_design_need_not_say() {
        let Policy { attempts, backoff, guarantee, dead_letter, batch, timeout, .. } = Policy::default();
        assert_eq!((attempts, guarantee, dead_letter, batch.size), (5, Guarantee::AtLeastOnce, true, 1));
        assert_eq!((backoff.first, backoff.most), (Duration::from_millis(100), Duration::from_secs(60)));
        assert_eq!(timeout, Duration::from_secs(30));
    }

    #[test]
    fn a_retry_waits_at_least_as_long_as_it_was_asked_to() {
        let asked = Duration::from_secs(7);
        let error = Failure::new(Kind::Limited, "x").retry_after(asked);
        let Verdict::Retry { after, .. } = Policy::default().verdict(1, &error) else { unreachable!() };
        assert!(after > asked && after <= asked + Duration::from_millis(100), "{after:?}");
        let error = error.retry_after(Duration::MAX);
        let Verdict::Retry { after, .. } = Policy::default().verdict(1, &error) else { unreachable!() };
        assert!(after <= LONGEST + Duration::from_millis(100), "{after:?}");
        // An earlier delivery is still at work.
        let error = Failure::new(Kind::Conflict, "x").retry_after(asked);
        assert!(matches!(Policy::default().verdict(1, &error), Verdict::Retry { .. }));
        assert!(matches!(Policy::default().verdict(5, &error), Verdict::DeadLetter { .. }));
    }
}
