//! Signs of life on a connection that is kept open.

use std::{convert::Infallible, pin::Pin, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{Extensions, request::Parts},
};
use tokio::time::{Instant, Sleep, sleep};

use crate::resume::Streams;

/// How long a connection is silent at most, so that nobody between the two takes it for dead. Of a request it is what the
/// edge says.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat(pub Duration);

impl Heartbeat {
    /// As the edge has told it to a request.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get::<Streams>().map(|streams| streams.heartbeat).unwrap_or_default()
    }

    /// How long the other side may be silent. It is asked for a sign of life at each heartbeat, so whoever is there has been
    /// asked at least once.
    pub fn silence(self) -> Duration {
        self.0 * 2
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self(Duration::from_secs(15))
    }
}

impl<S: Sync> FromRequestParts<S> for Heartbeat {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// Waits for signs of life.
pub(crate) struct Silence {
    limit: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Silence {
    pub(crate) fn after(heartbeat: Heartbeat) -> Self {
        let limit = heartbeat.silence();
        Self { limit, timer: Box::pin(sleep(limit)) }
    }

    /// What comes next. `None`: nothing has come since this was asked, for so long that nobody is there.
    pub(crate) async fn unless<T>(&mut self, next: impl Future<Output = T>) -> Option<T> {
        let asked = Instant::now();
        let mut next = std::pin::pin!(next);
        loop {
            tokio::select! {
                biased;
                next = next.as_mut() => return Some(next),
                () = self.timer.as_mut() => {
                    // The timer is not touched for every message.
                    let end = asked + self.limit;
                    if end <= Instant::now() {
                        return None;
                    }
                    self.timer.as_mut().reset(end);
                }
            }
        }
    }
}
