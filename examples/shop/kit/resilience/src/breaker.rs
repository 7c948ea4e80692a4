//! The circuit breaker of a link.
//!
//! * **Closed**: calls pass, and the outcomes of the last ones are kept. Too many faults among them: open.
//! * **Open**: calls are refused. After a while: half-open.
//! * **Half-open**: one call passes, the probe; the others are refused. It closes the circuit or opens it again. A probe
//!   that ends without an outcome (dropped, refused by the bulkhead) is given back, and the next call is the probe. One
//!   that sends a stream is not waited for once the other side takes it: its sender might keep all others out. The next call
//!   is a probe too, and the first outcome decides.
//!
//! An outcome counts only in the state in which its call was admitted.
//!
//! It is our own because failsafe and recloser forget nothing by time, let any number of calls through when half-open
//! and never take a dropped probe back, and what tower-resilience offers outside its tower layer decides by the standard
//! library's clock, which no test can pause. It is also the part of a link whose behaviour users read about most, and
//! small enough to read here.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use kit::json::{As, Micros};
use serde::Serialize;
use tokio::time::Instant;

use crate::Breaker;

/// Whether a link lets calls through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls pass.
    Closed {
        /// Outcomes in the window.
        calls: usize,
        /// Those of them that were faults of the other side.
        faults: usize,
    },
    /// Calls are refused.
    Open {
        /// From then on the next call is let through to try.
        #[serde(with = "As::<Micros>")]
        until: DateTime<Utc>,
    },
    /// One call at a time is let through to try.
    HalfOpen {
        /// It is under way.
        probing: bool,
    },
}

#[derive(Debug)]
pub(crate) struct Circuit {
    link: &'static str,
    settings: Breaker,
    machine: Mutex<Machine>,
}

#[derive(Debug)]
struct Machine {
    phase: Phase,
    /// Of the phase: outcomes of calls that were admitted in an earlier one are not counted.
    generation: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(Window),
    Open { since: Instant, until: DateTime<Utc> },
    HalfOpen { probing: bool },
}

/// The outcomes of the last calls.
#[derive(Debug, Default)]
struct Window {
    outcomes: VecDeque<(Instant, bool)>,
    faults: usize,
}

impl Window {
    fn push(&mut self, fault: bool) {
        self.outcomes.push_back((Instant::now(), fault));
        self.faults += usize::from(fault);
    }

    fn forget(&mut self, settings: &Breaker) {
        while let Some((at, fault)) = self.outcomes.front()
            && (self.outcomes.len() > settings.window.max(1) || at.elapsed() > settings.within)
        {
            self.faults -= usize::from(*fault);
            self.outcomes.pop_front();
        }
    }

    fn is_too_bad(&self, settings: &Breaker) -> bool {
        let enough = self.outcomes.len() >= settings.least();
        enough && self.faults > 0 && self.faults as f64 / self.outcomes.len() as f64 >= settings.failure_rate
    }
}

impl Phase {
    fn state(&self) -> BreakerState {
        match self {
            Self::Closed(window) => BreakerState::Closed { calls: window.outcomes.len(), faults: window.faults },
            Self::Open { until, .. } => BreakerState::Open { until: *until },
            Self::HalfOpen { probing } => BreakerState::HalfOpen { probing: *probing },
        }
    }
}

/// A call that was let through. Dropped without an outcome it says nothing of the service.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    circuit: &'a Circuit,
    generation: u64,
    gave_way: bool,
}

impl Permit<'_> {
    /// The outcome of the call.
    pub(crate) fn record(self, fault: bool) {
        let mut machine = self.circuit.lock();
        if machine.generation == self.generation {
            self.circuit.count(&mut machine, fault);
        }
        // Before the permit is dropped, which takes the lock again.
        drop(machine);
    }

    /// Nobody is to wait for the outcome, which may take as long as the caller likes. It counts all the same.
    pub(crate) fn give_way(&mut self) {
        self.give_back();
        self.gave_way = true;
    }

    fn give_back(&self) {
        let mut machine = self.circuit.lock();
        // In its own generation, which an outcome would have ended, this was the probe.
        if machine.generation == self.generation
            && let Phase::HalfOpen { probing } = &mut machine.phase
        {
            *probing = false;
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // Another may be the probe by now.
        if !self.gave_way {
            self.give_back();
        }
    }
}

/// The circuit refuses a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// When a repeat may pass; unknown while a probe is under way.
    pub(crate) retry_after: Option<Duration>,
}

impl Circuit {
    pub(crate) fn new(link: &'static str, settings: Breaker) -> Self {
        let phase = Phase::Closed(Window::default());
        Self { link, settings, machine: Mutex::new(Machine { phase, generation: 0 }) }
    }

    /// Lets a call through, or not.
    pub(crate) fn admit(&self) -> Result<Permit<'_>, Refused> {
        let mut machine = self.lock();
        match &mut machine.phase {
            Phase::Closed(_) => {}
            Phase::Open { since, .. } => {
                let left = self.settings.open_for.saturating_sub(since.elapsed());
                if !left.is_zero() {
                    return Err(Refused { retry_after: Some(left) });
                }
                self.enter(&mut machine, Phase::HalfOpen { probing: true });
            }
            Phase::HalfOpen { probing: true } => return Err(Refused { retry_after: None }),
            Phase::HalfOpen { probing } => *probing = true,
        }
        Ok(Permit { circuit: self, generation: machine.generation, gave_way: false })
    }

    /// A fault after the answer had begun: an error inside a stream. It counts while the circuit is closed; a probe is
    /// not decided by a stream that is older than it.
    pub(crate) fn record_late_fault(&self) {
        let mut machine = self.lock();
        if matches!(machine.phase, Phase::Closed(_)) {
            self.count(&mut machine, true);
        }
    }

    /// As it is now. An open circuit becomes half-open by the first call after `until`, not by the time.
    pub(crate) fn state(&self) -> BreakerState {
        let mut machine = self.lock();
        if let Phase::Closed(window) = &mut machine.phase {
            window.forget(&self.settings);
        }
        machine.phase.state()
    }

    fn count(&self, machine: &mut Machine, fault: bool) {
        match &mut machine.phase {
            Phase::Closed(window) => {
                window.push(fault);
                window.forget(&self.settings);
                if window.is_too_bad(&self.settings) {
                    self.open(machine);
                }
            }
            Phase::HalfOpen { .. } if fault => self.open(machine),
            Phase::HalfOpen { .. } => self.enter(machine, Phase::Closed(Window::default())),
            Phase::Open { .. } => {}
        }
    }

    fn open(&self, machine: &mut Machine) {
        let open_for = chrono::TimeDelta::from_std(self.settings.open_for).unwrap_or(chrono::TimeDelta::MAX);
        let until = kit::json::now().checked_add_signed(open_for).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.enter(machine, Phase::Open { since: Instant::now(), until });
    }

    fn enter(&self, machine: &mut Machine, phase: Phase) {
        match &phase {
            Phase::Closed(_) => tracing::info!(link = self.link, "circuit closed"),
            Phase::Open { until, .. } => {
                tracing::warn!(link = self.link, was = ?machine.phase.state(), %until, "circuit open")
            }
            Phase::HalfOpen { .. } => tracing::info!(link = self.link, "circuit half-open"),
        }
        machine.phase = phase;
        machine.generation += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
