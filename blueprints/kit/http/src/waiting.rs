//! What has come over a connection and is not read yet.
//!
//! A channel would take room for all that may wait when a connection opens, and wake its reader for each item. Here the
//! reader is mostly in the same task and polled next, so the task needs no second turn.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context as Task, Poll, Waker},
};

/// Who takes what has come. Dropped: nothing more is wanted.
pub(crate) struct Reader<T>(Arc<Mutex<State<T>>>);

/// Who brings it. Dropped: there is no more.
pub(crate) struct Writer<T> {
    state: Arc<Mutex<State<T>>>,
    most: usize,
}

struct State<T> {
    items: VecDeque<T>,
    open: bool,
    wanted: bool,
    /// Who waits for an item, and who for room.
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Room for so many.
pub(crate) fn line<T>(most: usize) -> (Writer<T>, Reader<T>) {
    let state = State { items: VecDeque::new(), open: true, wanted: true, reader: None, writer: None };
    let state = Arc::new(Mutex::new(state));
    (Writer { state: state.clone(), most }, Reader(state))
}

impl<T> Writer<T> {
    /// Whether an item is still wanted, once there is room for one.
    pub(crate) async fn room(&self) -> bool {
        poll_fn(|task| {
            let mut state = lock(&self.state);
            if state.wanted && state.items.len() >= self.most {
                state.writer = Some(task.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(state.wanted)
        })
        .await
    }

    /// Adds an item. The task that calls this polls the reader next, if it is the reader's too.
    pub(crate) async fn push(&self, item: T) {
        let task = poll_fn(|task| Poll::Ready(task.waker().clone())).await;
        let mut state = lock(&self.state);
        state.items.push_back(item);
        let other = state.reader.take_if(|reader| !reader.will_wake(&task));
        drop(state);
        other.into_iter().for_each(Waker::wake);
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.open = false;
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }
}

impl<T> Reader<T> {
    /// The next item, once there is one.
    pub(crate) async fn next(&mut self) -> Option<T> {
        poll_fn(|task| self.poll(task)).await
    }

    fn poll(&mut self, task: &Task<'_>) -> Poll<Option<T>> {
        let mut state = lock(&self.0);
        let Some(item) = state.items.pop_front() else {
            if !state.open {
                return Poll::Ready(None);
            }
            if !state.reader.as_ref().is_some_and(|reader| reader.will_wake(task.waker())) {
                state.reader = Some(task.waker().clone());
            }
            return Poll::Pending;
        };
        let writer = state.writer.take();
        drop(state);
        writer.into_iter().for_each(Waker::wake);
        Poll::Ready(Some(item))
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.wanted = false;
        state.items.clear();
        let writer = state.writer.take();
        drop(state);
        writer.into_iter().for_each(Waker::wake);
    }
}

/// What is inside is whole at every moment.
fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Wake, time::Duration};

    use futures_util::FutureExt;

    use super::*;

    #[derive(Default)]
    struct Turns(std::sync::atomic::AtomicUsize);

    impl Wake for Turns {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    impl Turns {
        fn count(&self) -> usize {
            self.0.load(std::sync::atomic::Ordering::Relaxed)
        }
    }

    #[test]
    fn only_another_task_is_woken_for_an_item() {
        let (one, other) = (Arc::new(Turns::default()), Arc::new(Turns::default()));
        let wakers = [Waker::from(one.clone()), Waker::from(other.clone())];
        let [mut first, mut second] = wakers.each_ref().map(Task::from_waker);
        let (writer, mut reader) = line(2);
        assert_eq!(pin!(reader.next()).poll(&mut first), Poll::Pending);
        assert!(pin!(writer.push(1)).poll(&mut first).is_ready());
        assert_eq!((one.count(), pin!(reader.next()).poll(&mut first)), (0, Poll::Ready(Some(1))));
        assert_eq!(pin!(reader.next()).poll(&mut second), Poll::Pending);
        assert!(pin!(writer.push(2)).poll(&mut first).is_ready());
        assert_eq!((other.count(), pin!(reader.next()).poll(&mut second)), (1, Poll::Ready(Some(2))));
        assert_eq!(pin!(reader.next()).poll(&mut first), Poll::Pending);
        drop(writer);
        assert_eq!((one.count(), pin!(reader.next()).poll(&mut first)), (1, Poll::Ready(None)));
    }

    #[tokio::test]
    async fn who_brings_waits_for_room_and_hears_that_nothing_is_wanted() {
        let (writer, mut reader) = line(2);
        for item in 0..2 {
            assert!(writer.room().await);
            writer.push(item).await;
        }
        assert_eq!(writer.room().now_or_never(), None);
        let reading = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            (reader.next().await, reader)
        });
        assert!(writer.room().await, "whoever waits is woken");
        let (item, reader) = reading.await.unwrap();
        assert_eq!(item, Some(0));
        drop(reader);
        assert!(!writer.room().await);
    }
}
