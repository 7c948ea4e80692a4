use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kit::{Cause, Context, Failure, Intent, Kind, Operation, OperationError, Origin};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    ledger::{Ledger, decode, encode},
    limit::{Counters, Limited, Limits},
};

/// How long an answer is kept for a caller who waits for it …
const DAY: Duration = Duration::from_hours(24);
/// … and for a message, which may come again once a broker has been away for a weekend.
const WEEK: Duration = Duration::from_hours(7 * 24);
/// Nobody needs a longer key.
const LONGEST: usize = 512;
/// When to ask again while the first call is at work.
const SOON: Duration = Duration::from_millis(100);

/// What every call of a service passes. Clones are the same gate.
#[derive(Clone, Default)]
pub struct Gate {
    ledger: Option<Arc<dyn Ledger>>,
    limited: Option<Arc<Limited>>,
    /// The intents at work in this process, with the fingerprints of their inputs.
    at_work: Arc<Mutex<HashMap<Named, String>>>,
}

/// An operation, a caller, a key.
type Named = (&'static str, String, Arc<str>);

/// A call before the gate.
pub struct Call<'a> {
    gate: &'a Gate,
    cx: &'a Context,
    operation: &'static Operation,
    fingerprint: Option<String>,
}

impl Gate {
    /// Keeps first answers there.
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger: Some(ledger), ..Self::default() }
    }

    /// Counts the calls of `operations` of a service, unless that is off.
    ///
    /// # Errors
    /// A limit is on what is none of them.
    pub fn limited(
        self,
        service: &str,
        limits: &Limits,
        operations: &[&'static Operation],
        counters: Arc<dyn Counters>,
    ) -> Result<Self, Cause> {
        let limited = Limited::new(service, limits, operations, counters)?;
        Ok(Self { limited: limits.enabled.then(|| Arc::new(limited)), ..self })
    }

    /// Counts a call, and notes in `cx` where its caller stands.
    ///
    /// # Errors
    /// `limited`, with the time to wait: it is one too many.
    pub async fn admit(&self, cx: &Context, operation: &'static Operation) -> Result<(), Failure> {
        match &self.limited {
            Some(limited) => limited.admit(cx, Some(operation)).await,
            None => Ok(()),
        }
    }

    /// As [`admit`](Self::admit), for what is passed on to others: it counts in what all calls count in.
    ///
    /// # Errors
    /// As for [`admit`](Self::admit).
    pub async fn admit_passing(&self, cx: &Context) -> Result<(), Failure> {
        match &self.limited {
            Some(limited) => limited.admit(cx, None).await,
            None => Ok(()),
        }
    }

    /// A call with this input: all of the operation's parameters.
    ///
    /// # Errors
    /// `invalid`: the key is too long. `internal`: the input has no JSON form.
    pub fn call<'a>(
        &'a self,
        cx: &'a Context,
        operation: &'static Operation,
        input: &impl Serialize,
    ) -> Result<Call<'a>, Failure> {
        let fingerprint = match cx.idempotency_key() {
            None => None,
            Some(key) if key.len() > LONGEST => {
                return Err(Failure::invalid(format!("the idempotency key is longer than {LONGEST} bytes")));
            }
            Some(_) => Some(fingerprint(input)?),
        };
        Ok(Call { gate: self, cx, operation, fingerprint })
    }
}

impl Call<'_> {
    /// Does the work, unless its answer is known: under one key, what is asked for happens once. Without a key it is the
    /// work and nothing else.
    ///
    /// # Errors
    /// Those of the work. `invalid`: the key was used with another input; `conflict`, with the time to ask again: its
    /// first call is still at work; `unavailable` or `internal`, from the ledger.
    pub async fn once<T, E, F>(self, work: impl FnOnce(Context) -> F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned + 'static,
        E: OperationError,
        F: Future<Output = Result<T, E>>,
    {
        let Self { gate, cx, operation, fingerprint } = self;
        let window = match cx.origin() {
            Origin::Message => WEEK,
            _ => DAY,
        };
        let intent = Intent::of::<T>(cx, operation, || fingerprint.unwrap_or_default(), window);
        let (Some(intent), Some(ledger)) = (intent.map(Arc::new), &gate.ledger) else { return work(cx.clone()).await };
        let _at_work = gate.enter(&intent)?;
        if let Some(kept) = ledger.find(&intent).await? {
            if kept.fingerprint != intent.fingerprint {
                return Err(another().into());
            }
            tracing::debug!(operation = operation.name, key = %intent.key, "answered as before");
            return Ok(decode(cx, &kept.answer)?);
        }
        let cx = cx.clone().meaning(intent.clone());
        let answer = work(cx.clone()).await?;
        if !intent.is_kept() {
            let kept = async { ledger.keep(&intent, encode(&cx, &answer)?).await };
            // The work is done, and its caller should know.
            if let Err(failure) = kept.await {
                let cause = failure.source.as_ref().map(ToString::to_string);
                tracing::warn!(operation = operation.name, %failure, cause, "an answer was not kept");
            }
        }
        Ok(answer)
    }
}

impl Gate {
    /// The intent is at work, for as long as what is returned lives.
    fn enter(&self, intent: &Intent) -> Result<AtWork<'_>, Failure> {
        let named: Named = (intent.operation.name, intent.caller.clone(), intent.key.clone());
        match self.at_work.lock().unwrap_or_else(PoisonError::into_inner).entry(named.clone()) {
            Entry::Occupied(other) if *other.get() != intent.fingerprint => Err(another()),
            Entry::Occupied(_) => Err(still_at_work()),
            Entry::Vacant(place) => {
                place.insert(intent.fingerprint.clone());
                Ok(AtWork { gate: self, named })
            }
        }
    }
}

struct AtWork<'a> {
    gate: &'a Gate,
    named: Named,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.gate.at_work.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.named);
    }
}

/// The first call of a key is at work, here or in another process.
pub fn still_at_work() -> Failure {
    Failure::new(Kind::Conflict, "the first call with this idempotency key is still at work").retry_after(SOON)
}

fn another() -> Failure {
    Failure::invalid("this idempotency key was used with another input")
}

/// SHA-256 of the input's JSON, in which members have one order.
fn fingerprint(input: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_vec(input).map_err(Failure::internal)?;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(&text) {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}
