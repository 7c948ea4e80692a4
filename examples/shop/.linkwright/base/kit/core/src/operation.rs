/// What a link has to know of an operation.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    pub service: &'static str,
    pub name: &'static str,
    pub safety: Safety,
}

/// Whether a call may be repeated after it may have reached the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// A repeat has the effect of one call, by the nature of the operation.
    Safe,
    /// A repeat has the effect of one call if it carries the same idempotency key.
    Keyed,
    /// A repeat may do the work twice.
    Unsafe,
}
