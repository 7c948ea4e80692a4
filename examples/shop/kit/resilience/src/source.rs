//! What a link knows of the input of a call.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use kit::Failure;
use tokio::sync::Notify;

/// The input of a call, if it is a stream: whether the other side has asked for it, and whether it has failed on our own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source(Option<Arc<Input>>);

#[derive(Debug, Default)]
struct Input {
    asked: Notify,
    failed: AtomicBool,
}

impl Source {
    pub fn of_input() -> Self {
        Self(Some(Arc::default()))
    }

    pub fn asked(&self) {
        if let Some(input) = &self.0 {
            input.asked.notify_one();
        }
    }

    /// Resolves once the first item has been asked for.
    pub async fn is_asked(&self) {
        match &self.0 {
            Some(input) => input.asked.notified().await,
            None => future::pending().await,
        }
    }

    pub fn note<T>(&self, item: &Result<T, Failure>) {
        if let (Some(input), true) = (&self.0, item.is_err()) {
            input.failed.store(true, Ordering::Relaxed);
        }
    }

    pub fn has_failed(&self) -> bool {
        self.0.as_ref().is_some_and(|input| input.failed.load(Ordering::Relaxed))
    }
}
