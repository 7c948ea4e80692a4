//! Retries in proportion to calls: each call pays in, each retry takes out.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::Budget;

/// What one retry costs; a call pays in its share of it.
const RETRY: u64 = 1000;

/// The retries that a link has left.
#[derive(Debug)]
pub(crate) struct Balance {
    deposit: u64,
    most: u64,
    now: AtomicU64,
}

impl Balance {
    pub(crate) fn new(budget: &Budget) -> Self {
        // A float becomes the nearest integer there is: nothing for a negative one or NaN.
        let deposit = ((budget.share * RETRY as f64).round() as u64).min(RETRY * u64::from(u32::MAX));
        let most = RETRY * u64::from(budget.reserve);
        Self { deposit, most, now: AtomicU64::new(most) }
    }

    /// For each call.
    pub(crate) fn pay_in(&self) {
        let _ = self.now.fetch_update(Relaxed, Relaxed, |now| Some((now + self.deposit).min(self.most)));
    }

    /// For each retry: whether it may be made.
    pub(crate) fn take_out(&self) -> bool {
        self.now.fetch_update(Relaxed, Relaxed, |now| now.checked_sub(RETRY)).is_ok()
    }

    /// Whole retries.
    pub(crate) fn left(&self) -> u64 {
        self.now.load(Relaxed) / RETRY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_retries_than_the_reserve_and_the_share_of_the_calls() {
        let balance = Balance::new(&Budget { share: 0.2, reserve: 10 });
        let mut retries = 0;
        for call in 1..=1000 {
            balance.pay_in();
            while balance.take_out() {
                retries += 1;
            }
            assert!(retries <= 10 + call / 5, "{retries} retries in {call} calls");
        }
        assert_eq!(retries, 10 + 1000 / 5 - 1, "the first call finds the reserve full");
    }

    #[test]
    fn no_more_is_saved_up_than_the_reserve() {
        let balance = Balance::new(&Budget { share: 1.0, reserve: 2 });
        for _ in 0..100 {
            balance.pay_in();
        }
        assert_eq!(balance.left(), 2);
        assert_eq!([(); 3].map(|()| balance.take_out()), [true, true, false]);
    }

    #[test]
    fn a_share_that_is_no_share_gives_nothing() {
        for share in [0.0, -1.0, f64::NAN] {
            let balance = Balance::new(&Budget { share, reserve: 0 });
            balance.pay_in();
            assert!(!balance.take_out(), "{share}");
        }
        let balance = Balance::new(&Budget { share: f64::INFINITY, reserve: u32::MAX });
        balance.pay_in();
        assert_eq!(balance.left(), u64::from(u32::MAX));
    }
}
