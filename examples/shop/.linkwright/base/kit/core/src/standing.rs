use std::{sync::Arc, time::Duration};

/// Where a caller stands with a limit on calls, as the fields `RateLimit` and `RateLimit-Policy` say it
/// (draft-ietf-httpapi-ratelimit-headers-11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the limit is on: `orders`, `orders.place`.
    pub name: Arc<str>,
    /// So many calls …
    pub calls: u32,
    /// … in so much time.
    pub window: Duration,
    /// Calls that may come now.
    pub remaining: u32,
    /// In how long there will be all of them again.
    pub restored: Duration,
}
