//! So many calls in so much time.

use std::{str::FromStr, sync::Arc, time::Duration};

use kit::{Span, Standing};
use serde::{Deserialize, Deserializer, de::Error};

/// So many calls in so much time: `60/1m`. All of them may come at once; then each is restored after its share of the time.
///
/// This is the generic cell rate algorithm of ITU-T I.371: of a caller nothing is known but the moment at which they will
/// have all their calls again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    calls: u32,
    window: Duration,
}

impl Rate {
    /// `None`: no calls, or no time.
    pub fn new(calls: u32, window: Duration) -> Option<Self> {
        let is_one = calls > 0 && !(window / calls).is_zero() && window <= Duration::from_hours(24 * 366);
        is_one.then_some(Self { calls, window })
    }

    /// One more call at `now`, by a caller whose calls are all restored at `full`; both since any moment. It is let in, and
    /// the answer is when all are restored then.
    ///
    /// # Errors
    /// It is one too many, for so long.
    pub fn take(self, full: Duration, now: Duration) -> Result<Duration, Duration> {
        let full = full.max(now) + self.share();
        match full.checked_sub(now + self.share() * self.calls) {
            None | Some(Duration::ZERO) => Ok(full),
            Some(wait) => Err(wait),
        }
    }

    /// Calls that may come at `now`, of a caller whose calls are all restored at `full`.
    pub fn remaining(self, full: Duration, now: Duration) -> u32 {
        let free = (now + self.share() * self.calls).saturating_sub(full).as_nanos() / self.share().as_nanos();
        u32::try_from(free).unwrap_or(u32::MAX).min(self.calls)
    }

    /// Where a caller stands at `now` whose calls are all restored at `full`.
    pub fn standing(self, name: Arc<str>, full: Duration, now: Duration) -> Standing {
        let (remaining, restored) = (self.remaining(full, now), full.saturating_sub(now));
        Standing { name, calls: self.calls, window: self.window, remaining, restored }
    }

    /// The time in which one call is restored.
    fn share(self) -> Duration {
        self.window / self.calls
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rate = text.split_once('/').and_then(|(calls, window)| {
            let digits = calls.bytes().all(|byte| byte.is_ascii_digit());
            Self::new(digits.then(|| calls.parse().ok())??, window.parse::<Span>().ok()?.0)
        });
        rate.ok_or_else(|| format!("{text:?} is not so many calls in so much time as \"60/1m\""))
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn reads_what_designs_write() {
        for (text, calls, window) in [("60/1m", 60, 60_000), ("1/1s", 1, 1000), ("10000/1d", 10_000, 86_400_000)] {
            assert_eq!(text.parse(), Ok(Rate { calls, window: ms(window) }));
        }
        for bad in
            ["", "60", "/1m", "60/", "0/1m", "60/0s", "-1/1s", "+1/1s", "1.5/1s", "60/m", "60 / 1m", "4294967296/1d"]
        {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    /// What comes when, and what is left after it: the burst, and how it is restored.
    #[test]
    fn burst_and_refill() {
        let rate: Rate = "4/1s".parse().unwrap();
        let mut full = ms(0);
        for (now, outcome) in [
            // Four at once, and no more.
            (0, Ok(3)),
            (0, Ok(2)),
            (0, Ok(1)),
            (0, Ok(0)),
            (0, Err(250)),
            (100, Err(150)),
            // One is restored each quarter of a second; who is refused loses nothing by it.
            (250, Ok(0)),
            (251, Err(249)),
            (1000, Ok(2)),
            // After the whole time there are all.
            (9000, Ok(3)),
        ] {
            let got = rate.take(full, ms(now)).map(|next| {
                full = next;
                rate.remaining(full, ms(now))
            });
            assert_eq!(got, outcome.map_err(ms), "at {now} ms");
        }
    }

    proptest! {
        /// Whatever comes when: in no span of time are there more than the burst and what it restores.
        #[test]
        fn never_more_than_it_says(calls in 1u32..20, window in 100u64..5000, steps in prop::collection::vec(0u64..700, 1..200)) {
            let rate = Rate::new(calls, ms(window)).unwrap();
            let (mut now, mut full, mut let_in) = (ms(5), ms(0), Vec::new());
            for step in steps {
                now += ms(step);
                match rate.take(full, now) {
                    Ok(next) => {
                        prop_assert!(rate.remaining(full, now) > 0);
                        full = next;
                        let_in.push(now);
                    }
                    Err(wait) => {
                        prop_assert_eq!(rate.remaining(full, now), 0);
                        prop_assert!(rate.take(full, now + wait).is_ok(), "after the wait it is let in");
                    }
                }
            }
            for (index, start) in let_in.iter().enumerate() {
                for (more, end) in let_in[index..].iter().enumerate() {
                    let most = f64::from(calls) * (1.0 + (*end - *start).as_secs_f64() / ms(window).as_secs_f64());
                    prop_assert!((more + 1) as f64 <= most + 0.001, "{} in {:?}", more + 1, *end - *start);
                }
            }
        }
    }
}
