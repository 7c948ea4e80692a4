//! A bound on what is under way at once. Nobody waits for a place: a caller that queues behind a slow service is what
//! the bulkhead is there to prevent.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of a link.
#[derive(Debug)]
pub(crate) struct Bulkhead {
    size: usize,
    free: Arc<Semaphore>,
}

/// A place, given back when it is dropped.
pub(crate) type Place = OwnedSemaphorePermit;

impl Bulkhead {
    pub(crate) fn new(size: usize) -> Self {
        let size = size.min(Semaphore::MAX_PERMITS);
        Self { size, free: Arc::new(Semaphore::new(size)) }
    }

    /// `None`: it is full.
    pub(crate) fn enter(&self) -> Option<Place> {
        self.free.clone().try_acquire_owned().ok()
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn taken(&self) -> usize {
        self.size - self.free.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_place_is_free_again() {
        let bulkhead = Bulkhead::new(2);
        let places = [bulkhead.enter(), bulkhead.enter(), bulkhead.enter()];
        assert_eq!(places.each_ref().map(Option::is_some), [true, true, false]);
        assert_eq!(bulkhead.taken(), 2);
        drop(places);
        assert_eq!(bulkhead.taken(), 0);
        assert!(bulkhead.enter().is_some());
    }

    #[test]
    fn any_size_will_do() {
        assert!(Bulkhead::new(0).enter().is_none());
        assert!(Bulkhead::new(usize::MAX).enter().is_some());
    }
}
