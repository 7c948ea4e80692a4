use std::sync::Arc;

use kit::{Context, Failure, Operation, OperationError, Safety};
use kit_resilience::fallback;

use crate::{Broker, Message, Subscription, outbox};

/// An operation that can be asked for through the queue: sent now, done when there is somebody to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Where it waits: `inventory.restock`.
    pub queue: &'static str,
    /// The CloudEvents type: `<system>.<owner>.<command>.v<N>`.
    pub kind: &'static str,
}

impl Command {
    /// Who takes it from the queue, and so has to be declared before it is sent.
    pub fn subscription(&self) -> Subscription {
        Subscription::new(self.queue, [self.kind])
    }
}

/// The way of a service's commands into the queue.
#[derive(Clone)]
pub struct Sender {
    source: &'static str,
    broker: Arc<dyn Broker>,
}

impl Sender {
    /// `source` is the CloudEvents source of what is sent: `/<service>`.
    pub fn new(source: &'static str, broker: Arc<dyn Broker>) -> Self {
        Self { source, broker }
    }

    pub fn source(&self) -> &'static str {
        self.source
    }

    /// The command is sure to arrive if this returns without an error; inside [`outbox::together`], if the transaction
    /// is committed.
    ///
    /// # Errors
    /// `invalid` if it is too big; `unavailable` or `internal`, from the broker.
    pub async fn send(&self, message: Message) -> Result<(), Failure> {
        match outbox::hold(message) {
            None => Ok(()),
            Some(message) => self.broker.publish(&[message]).await,
        }
    }

    /// Leaves a command for later where its call has failed, as [`fallback::queue`] has it. `cx` is that of the call;
    /// if the operation has a key, the message has the same one.
    ///
    /// # Errors
    /// That of the call, where the queue does not stand in for it.
    pub async fn stand_in<E: OperationError>(
        &self,
        cx: &Context,
        operation: &Operation,
        result: Result<(), E>,
        message: impl FnOnce() -> Result<Message, Failure>,
    ) -> Result<(), E> {
        let enqueue = || {
            let message = message().map(|message| match operation.safety {
                Safety::Keyed => message.keyed(cx),
                Safety::Safe | Safety::Unsafe => message,
            });
            async { self.send(message?).await }
        };
        fallback::queue(cx, operation, result, enqueue).await
    }
}
