use std::{
    any::TypeId,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{Context, Operation};

/// What a call with an idempotency key means to be the only one of: an operation, asked by a caller under a key. The
/// gate before a service makes it, and whoever keeps the answer says so here.
#[derive(Debug)]
pub struct Intent {
    pub operation: &'static Operation,
    /// [`Caller::id`](crate::Caller::id).
    pub caller: String,
    pub key: Arc<str>,
    /// Of the input: a repeat has the same.
    pub fingerprint: String,
    /// How long the answer is kept.
    pub window: Duration,
    answer: TypeId,
    kept: AtomicBool,
}

impl Intent {
    /// What `cx` means, if it has a key. `T` is what the operation answers.
    pub fn of<T: 'static>(
        cx: &Context,
        operation: &'static Operation,
        fingerprint: impl FnOnce() -> String,
        window: Duration,
    ) -> Option<Self> {
        Some(Self {
            operation,
            caller: cx.caller().id().to_owned(),
            key: cx.idempotency_key()?.into(),
            fingerprint: fingerprint(),
            window,
            answer: TypeId::of::<T>(),
            kept: AtomicBool::new(false),
        })
    }

    /// Whether the operation answers with a `T`.
    pub fn answers<T: 'static>(&self) -> bool {
        self.answer == TypeId::of::<T>()
    }

    /// The answer is kept, or will be once a transaction is committed.
    pub fn note_kept(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    pub fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }
}
