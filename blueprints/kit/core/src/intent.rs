use std::{
    any::TypeId,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use uuid::Uuid;

use crate::{Context, Failure, Operation};

/// The name space of the keys that follow from a key (RFC 9562, 5.5).
const CALLS: Uuid = Uuid::from_u128(0x5f1c_7ab1_8f5e_4d0e_9a53_2f5b_6f0d_c4e7);

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
    /// The calls that the work has made so far, and how often each.
    calls: Mutex<HashMap<Uuid, u32>>,
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
            calls: Mutex::default(),
        })
    }

    /// Whether the operation answers with a `T`.
    pub fn answers<T: 'static>(&self) -> bool {
        self.answer == TypeId::of::<T>()
    }

    /// The key of the next call that the work makes of an operation, with this input. Work that has failed and is done again
    /// for the same intent calls under the same keys as before, so what it had reached is not done twice. Among calls with
    /// one input the first, the second … have each their own.
    ///
    /// # Errors
    /// `internal`: the input has no JSON form.
    pub fn next_key(&self, operation: &Operation, input: &impl Serialize) -> Result<String, Failure> {
        let (caller, key, ours) = (&self.caller, &*self.key, self.operation);
        let all = (ours.service, ours.name, caller, key, operation.service, operation.name, input);
        let call = Uuid::new_v5(&CALLS, &serde_json::to_vec(&all).map_err(Failure::internal)?);
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let number = calls.entry(call).and_modify(|number| *number += 1).or_default();
        Ok(Uuid::new_v5(&call, &number.to_be_bytes()).to_string())
    }

    /// The answer is kept, or will be once a transaction is committed.
    pub fn note_kept(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    pub fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Safety;

    static OURS: Operation = Operation { service: "orders", name: "place", safety: Safety::Keyed };
    static OTHER: Operation = Operation { service: "orders", name: "change", safety: Safety::Keyed };
    static PAY: Operation = Operation { service: "bank", name: "pay", safety: Safety::Keyed };
    static SEND: Operation = Operation { service: "bank", name: "send", safety: Safety::Keyed };

    #[test]
    fn work_that_is_done_again_calls_under_the_same_keys() {
        let intent = |operation, key: &str| {
            let window = Duration::from_secs(1);
            Intent::of::<()>(&Context::default().keyed(key), operation, String::new, window).unwrap()
        };
        let keys = |intent: &Intent, inputs: &[u32]| -> Vec<String> {
            inputs.iter().map(|input| intent.next_key(&PAY, input).unwrap()).collect()
        };
        let first = keys(&intent(&OURS, "k"), &[1, 2, 1]);
        assert_eq!(keys(&intent(&OURS, "k"), &[1, 2, 1]), first);
        assert_eq!(keys(&intent(&OURS, "k"), &[2, 1, 1]), [&*first[1], &first[0], &first[2]], "in any order");
        let others = [
            intent(&OURS, "k").next_key(&SEND, &1).unwrap(),
            intent(&OTHER, "k").next_key(&PAY, &1).unwrap(),
            intent(&OURS, "l").next_key(&PAY, &1).unwrap(),
        ];
        let all: std::collections::BTreeSet<&String> = first.iter().chain(&others).collect();
        assert_eq!(all.len(), 6, "{all:?}");
    }
}
