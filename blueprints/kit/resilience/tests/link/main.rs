//! Links from outside, on a clock that stands still: time passes only where everything waits.

mod breaker;
mod contract;
mod fallback;
mod order;
mod retry;
mod streams;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kit::{Context, Failure, Kind, Operation, Safety};
use kit_resilience::{Backoff, Breaker, Budget, Policy, Retry};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

const SAFE: Operation = Operation { service: "b", name: "look", safety: Safety::Safe };
const KEYED: Operation = Operation { service: "b", name: "make", safety: Safety::Keyed };
const UNSAFE: Operation = Operation { service: "b", name: "shoot", safety: Safety::Unsafe };

/// A second for each of three tries, hardly a pause, no breaker, all the retries one could want.
fn policy() -> Policy {
    Policy {
        retry: Retry {
            attempts: 3,
            backoff: Backoff { first: 2 * MS, most: 4 * MS },
            budget: Budget { share: 1.0, reserve: 1000 },
        },
        breaker: None,
        bulkhead: 64,
        streams: 640,
        timeout: SECOND,
    }
}

/// Opens at the first faults that fill the window.
fn breaker(window: usize) -> Option<Breaker> {
    Some(Breaker { failure_rate: 1.0, window, within: 60 * SECOND, open_for: 10 * SECOND })
}

fn once(policy: Policy) -> Policy {
    Policy { retry: Retry { attempts: 1, ..policy.retry.clone() }, ..policy }
}

/// What the other side does with one try.
#[derive(Clone, Debug)]
enum Reply {
    Answers,
    /// After a while: with an hour, practically never.
    Takes(Duration),
    Fails(Kind),
    /// Fails before anything has left.
    Unsent,
    /// Fails with a `Retry-After`.
    Later(Duration),
    /// The first try is still at work.
    AtWork,
}

/// The other side, with a reply for each try; the last one stands for all that follow.
#[derive(Debug)]
struct Callee {
    replies: Vec<Reply>,
    seen: Mutex<Vec<Try>>,
}

/// A try as the other side saw it.
#[derive(Clone, Debug)]
struct Try {
    at: Instant,
    cx: Context,
}

impl Callee {
    fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self { replies: replies.into_iter().collect(), seen: Mutex::default() }
    }

    async fn answer(&self, cx: Context) -> Result<usize, Failure> {
        let number = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(Try { at: Instant::now(), cx });
            seen.len()
        };
        match &self.replies[number.min(self.replies.len()) - 1] {
            Reply::Answers => Ok(number),
            Reply::Takes(time) => {
                sleep(*time).await;
                Ok(number)
            }
            Reply::Fails(kind) => Err(Failure::new(*kind, "as told")),
            Reply::Unsent => Err(Failure::new(Kind::Unavailable, "no connection").unsent()),
            Reply::AtWork => Err(Failure::new(Kind::Conflict, "at work").retry_after(MS)),
            Reply::Later(pause) => Err(Failure::new(Kind::Limited, "as told").retry_after(*pause)),
        }
    }

    fn tries(&self) -> Vec<Try> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn kind<T>(result: Result<T, Failure>) -> Option<Kind> {
    result.err().map(|failure| failure.kind)
}
