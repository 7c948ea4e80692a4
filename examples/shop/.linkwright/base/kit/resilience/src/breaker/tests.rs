use std::time::Duration;

use proptest::prelude::*;
use tokio::time::advance;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Opens at two faults among four, within a minute, for ten seconds.
fn circuit() -> Circuit {
    Circuit::new("a → b", Breaker { failure_rate: 0.5, window: 4, within: 60 * SECOND, open_for: 10 * SECOND })
}

fn outcomes(circuit: &Circuit, faults: impl IntoIterator<Item = bool>) {
    for fault in faults {
        circuit.admit().unwrap().record(fault);
    }
}

fn is_open(circuit: &Circuit) -> bool {
    matches!(circuit.state(), BreakerState::Open { .. })
}

#[tokio::test(start_paused = true)]
async fn half_a_window_says_enough_of_a_link_that_is_called_seldom() {
    let circuit = Circuit::new("a → b", Breaker { window: 20, ..circuit().settings });
    for pause in [6, 7] {
        for _ in 0..9 {
            outcomes(&circuit, [true]);
            advance(pause * SECOND).await;
        }
        assert!(!is_open(&circuit));
        outcomes(&circuit, [true]);
        assert_eq!(is_open(&circuit), pause == 6, "every {pause} seconds");
        advance(10 * SECOND).await;
        outcomes(&circuit, [false]);
        advance(61 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn opens_at_the_rate_and_not_before_a_small_window_is_full() {
    for (faults, opens) in [
        (&[true, true, true] as &[_], false),
        (&[true, true, true, true], true),
        (&[true, false, false, true], true),
        (&[true, true, false, false], true),
        (&[true, false, false, false], false),
        (&[true, false, false, false, true], false),
        (&[true, false, false, false, true, true], true),
    ] {
        let circuit = circuit();
        outcomes(&circuit, faults.iter().copied());
        assert_eq!(is_open(&circuit), opens, "{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn old_outcomes_are_forgotten() {
    let circuit = circuit();
    outcomes(&circuit, [true, true, true]);
    advance(60 * SECOND).await;
    assert_eq!(circuit.state(), BreakerState::Closed { calls: 3, faults: 3 });
    advance(Duration::from_millis(1)).await;
    assert_eq!(circuit.state(), BreakerState::Closed { calls: 0, faults: 0 });
    outcomes(&circuit, [true, true, true]);
    assert!(!is_open(&circuit), "six faults, three of them too old");
    outcomes(&circuit, [true]);
    assert!(is_open(&circuit));
}

#[tokio::test(start_paused = true)]
async fn refuses_until_its_time_is_over_and_then_lets_one_call_through() {
    let circuit = circuit();
    outcomes(&circuit, [true; 4]);
    assert_eq!(circuit.admit().unwrap_err().retry_after, Some(10 * SECOND));
    advance(9 * SECOND).await;
    assert_eq!(circuit.admit().unwrap_err().retry_after, Some(SECOND));
    assert!(is_open(&circuit));
    advance(SECOND).await;
    assert!(is_open(&circuit), "until somebody calls");
    let probe = circuit.admit().unwrap();
    for _ in 0..3 {
        assert_eq!(circuit.admit().unwrap_err().retry_after, None, "one probe at a time");
    }
    assert_eq!(circuit.state(), BreakerState::HalfOpen { probing: true });
    probe.record(false);
    assert_eq!(circuit.state(), BreakerState::Closed { calls: 0, faults: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_opens_it_for_as_long_again() {
    let circuit = circuit();
    outcomes(&circuit, [true; 4]);
    advance(10 * SECOND).await;
    outcomes(&circuit, [true]);
    assert_eq!(circuit.admit().unwrap_err().retry_after, Some(10 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_is_given_back() {
    let circuit = circuit();
    outcomes(&circuit, [true; 4]);
    advance(10 * SECOND).await;
    for _ in 0..3 {
        drop(circuit.admit().unwrap());
        assert_eq!(circuit.state(), BreakerState::HalfOpen { probing: false });
    }
    outcomes(&circuit, [false]);
    assert_eq!(circuit.state(), BreakerState::Closed { calls: 0, faults: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_call_from_before_does_not_decide_for_the_probe() {
    let circuit = circuit();
    let old: Vec<_> = (0..4).map(|_| circuit.admit().unwrap()).collect();
    outcomes(&circuit, [true; 4]);
    advance(10 * SECOND).await;
    let probe = circuit.admit().unwrap();
    for (permit, outcome) in old.into_iter().zip([Some(false), Some(true), None, None]) {
        match outcome {
            Some(fault) => permit.record(fault),
            None => drop(permit),
        }
        circuit.record_late_fault();
        assert_eq!(circuit.state(), BreakerState::HalfOpen { probing: true });
    }
    probe.record(false);
    circuit.record_late_fault();
    assert_eq!(circuit.state(), BreakerState::Closed { calls: 1, faults: 1 }, "a stream that broke just now");
}

#[tokio::test(start_paused = true)]
async fn of_many_at_once_one_is_the_probe() {
    let circuit = std::sync::Arc::new(circuit());
    outcomes(&circuit, [true; 4]);
    advance(10 * SECOND).await;
    let calls = (0..50).map(|_| {
        let circuit = circuit.clone();
        tokio::spawn(async move {
            let Ok(permit) = circuit.admit() else { return false };
            tokio::time::sleep(SECOND).await;
            permit.record(false);
            true
        })
    });
    let mut let_through = 0;
    for call in calls.collect::<Vec<_>>() {
        let_through += usize::from(call.await.unwrap());
    }
    assert_eq!(let_through, 1);
    assert_eq!(circuit.state(), BreakerState::Closed { calls: 0, faults: 0 });
}

#[tokio::test(start_paused = true)]
async fn each_change_shows() {
    let circuit = circuit();
    assert_eq!(circuit.state(), BreakerState::Closed { calls: 0, faults: 0 });
    outcomes(&circuit, [true, true, true]);
    assert_eq!(circuit.state(), BreakerState::Closed { calls: 3, faults: 3 });
    outcomes(&circuit, [true]);
    assert!(matches!(circuit.state(), BreakerState::Open { .. }));
    advance(10 * SECOND).await;
    let probe = circuit.admit().unwrap();
    assert_eq!(circuit.state(), BreakerState::HalfOpen { probing: true });
    probe.record(false);
    assert_eq!(circuit.state(), BreakerState::Closed { calls: 0, faults: 0 });
}

/// The breaker as one would first write it down: everything is kept, and counted anew each time.
#[derive(Debug)]
struct Model {
    settings: Breaker,
    now: Duration,
    outcomes: Vec<(Duration, bool)>,
    open_since: Option<Duration>,
    half_open: bool,
    probing: bool,
    changes: u32,
}

impl Model {
    fn window(&self) -> (usize, usize) {
        let last = self.outcomes.iter().rev().take(self.settings.window);
        let recent: Vec<_> = last.filter(|(at, _)| self.now - *at <= self.settings.within).collect();
        (recent.len(), recent.iter().filter(|(_, fault)| *fault).count())
    }

    fn go(&mut self, open_since: Option<Duration>, half_open: bool) {
        (self.open_since, self.half_open, self.probing) = (open_since, half_open, half_open);
        self.outcomes.clear();
        self.changes += 1;
    }

    fn admit(&mut self) -> bool {
        if let Some(since) = self.open_since {
            if self.now < since + self.settings.open_for {
                return false;
            }
            self.go(None, true);
            return true;
        }
        let refused = self.half_open && self.probing;
        self.probing = self.half_open;
        !refused
    }

    fn record(&mut self, fault: bool) {
        if self.half_open {
            self.go(fault.then_some(self.now), false);
            return;
        }
        self.outcomes.push((self.now, fault));
        let (calls, faults) = self.window();
        let least = self.settings.window.min(5.max(self.settings.window / 2));
        if calls >= least && faults > 0 && faults as f64 / calls as f64 >= self.settings.failure_rate {
            self.go(Some(self.now), false);
        }
    }

    fn agrees(&self, state: &BreakerState) -> bool {
        match state {
            BreakerState::Closed { calls, faults } => {
                self.open_since.is_none() && !self.half_open && self.window() == (*calls, *faults)
            }
            BreakerState::Open { .. } => self.open_since.is_some(),
            BreakerState::HalfOpen { probing } => self.half_open && self.probing == *probing,
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Call,
    /// One of the calls under way ends; with `None` it is dropped.
    End(prop::sample::Index, Option<bool>),
    BrokenStream,
    /// One of the calls under way is not waited for any more.
    GivesWay(prop::sample::Index),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Call),
        4 => (any::<prop::sample::Index>(), prop::option::weighted(0.8, any::<bool>())).prop_map(|(i, end)| Step::End(i, end)),
        1 => Just(Step::BrokenStream),
        1 => any::<prop::sample::Index>().prop_map(Step::GivesWay),
        2 => (0u64..30).prop_map(Step::Wait),
    ]
}

fn settings() -> impl Strategy<Value = Breaker> {
    let rate = prop::sample::select(vec![0.25, 0.5, 0.75, 1.0]);
    (rate, 1usize..16, 1u64..60, 0u64..40).prop_map(|(failure_rate, window, within, open_for)| Breaker {
        failure_rate,
        window,
        within: Duration::from_millis(within),
        open_for: Duration::from_millis(open_for),
    })
}

async fn agree(settings: Breaker, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let circuit = Circuit::new("a → b", settings.clone());
    let (now, outcomes) = (Duration::ZERO, Vec::new());
    let mut model = Model { settings, now, outcomes, open_since: None, half_open: false, probing: false, changes: 0 };
    let mut under_way = Vec::new();
    for step in steps {
        match step {
            Step::Call => {
                let (permit, admitted) = (circuit.admit(), model.admit());
                prop_assert_eq!(permit.is_ok(), admitted);
                under_way.extend(permit.map(|permit| (permit, model.changes, true)));
            }
            Step::End(index, outcome) if !under_way.is_empty() => {
                let (permit, changes, awaited) = under_way.swap_remove(index.index(under_way.len()));
                let counts = changes == model.changes;
                match outcome {
                    Some(fault) => permit.record(fault),
                    None => drop(permit),
                }
                match outcome {
                    Some(fault) if counts => model.record(fault),
                    None if counts && awaited => model.probing = false,
                    _ => {}
                }
            }
            Step::GivesWay(index) if !under_way.is_empty() => {
                let index = index.index(under_way.len());
                let (permit, changes, awaited) = &mut under_way[index];
                if std::mem::take(awaited) {
                    permit.give_way();
                    model.probing &= *changes != model.changes;
                }
            }
            Step::End(..) | Step::GivesWay(_) => {}
            Step::BrokenStream => {
                circuit.record_late_fault();
                if model.open_since.is_none() && !model.half_open {
                    model.record(true);
                }
            }
            Step::Wait(millis) => {
                advance(Duration::from_millis(millis)).await;
                model.now += Duration::from_millis(millis);
            }
        }
        prop_assert!(model.agrees(&circuit.state()), "{:?} is not {:?}", circuit.state(), model);
    }
    Ok(())
}

proptest! {
    #[test]
    fn does_what_a_naive_model_does(settings in settings(), steps in prop::collection::vec(step(), 0..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(agree(settings, steps))?;
    }
}
