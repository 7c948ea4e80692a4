//! The last good answers of queries, to stand in where a call fails.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kit::{Context, Operation, OperationError};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::fallback::mark;

/// Answers kept at most, and bytes of them and of what was asked.
const COUNT: usize = 1000;
const BYTES: usize = 8 << 20;

/// What a link's queries last answered, each by what was asked and who asked. Where a call fails with an error that says
/// nothing of the request, the answer of the last one that was the same stands in, unless it is too old. Clones are the same.
///
/// So many are kept, and so many bytes; the one that was used longest ago goes first.
#[derive(Clone, Debug)]
pub struct LastAnswers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    link: &'static str,
    stale: Duration,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<String, Answer>,
    bytes: usize,
    /// Of the last use.
    clock: u64,
    stood_in: u64,
}

#[derive(Debug)]
struct Answer {
    /// Of JSON.
    body: Vec<u8>,
    at: Instant,
    used: u64,
}

/// A question that is about to be asked.
#[derive(Debug)]
pub struct Asked<'a> {
    cx: &'a Context,
    operation: &'a Operation,
    /// `None`: it has no JSON, so nothing is kept of it.
    key: Option<String>,
    /// Stand-ins that the caller's answer had before.
    marks: usize,
}

impl<'a> Asked<'a> {
    /// `input`: all that the operation is given. An answer is for the caller whose it was: another may not see it.
    pub fn of(cx: &'a Context, operation: &'a Operation, input: &impl Serialize) -> Self {
        let key = serde_json::to_string(input).ok();
        let key = key.map(|input| format!("{} {:?} {input}", operation.name, cx.caller()));
        Self { cx, operation, key, marks: cx.marks().list().len() }
    }
}

/// What is known of the answers of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastAnswersState {
    /// Whose answers they are.
    pub answers_of: &'static str,
    pub kept: usize,
    pub bytes: usize,
    /// How often one has stood in.
    pub stood_in: u64,
}

impl LastAnswers {
    /// Of a link; none older than `stale` stands in.
    pub fn new(link: &'static str, stale: Duration) -> Self {
        Self(Arc::new(Inner { link, stale, kept: Mutex::default() }))
    }

    /// For a page about the service, a test.
    pub fn state(&self) -> LastAnswersState {
        let Inner { link, kept, .. } = &*self.0;
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        LastAnswersState { answers_of: link, kept: kept.answers.len(), bytes: kept.bytes, stood_in: kept.stood_in }
    }

    /// Keeps a good answer, or lets one stand in: mark `inventory.get_item=cache;age=12`, in seconds. An answer that is, or has
    /// in it, a stand-in itself is not kept, so that none is older than it says.
    pub fn or_last<T, E>(&self, asked: Asked<'_>, result: Result<T, E>) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: OperationError,
    {
        let Asked { cx, operation, key, marks } = asked;
        let Some(key) = key else { return result };
        match result {
            Ok(answer) => {
                if cx.marks().list().len() == marks {
                    self.keep(key, &answer);
                }
                Ok(answer)
            }
            Err(error) if error.kind().is_transient() => match self.last(&key) {
                Some((answer, age)) => {
                    mark(cx, operation, &format!("cache;age={}", age.as_secs()), &error);
                    Ok(answer)
                }
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn keep(&self, key: String, answer: &impl Serialize) {
        let Ok(body) = serde_json::to_vec(answer) else { return };
        let size = key.len() + body.len();
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(&key);
        if size > BYTES {
            return;
        }
        kept.clock += 1;
        kept.bytes += size;
        let answer = Answer { body, at: Instant::now(), used: kept.clock };
        kept.answers.insert(key, answer);
        while kept.answers.len() > COUNT || kept.bytes > BYTES {
            let oldest = kept.answers.iter().min_by_key(|(_, answer)| answer.used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            kept.forget(&oldest);
        }
    }

    fn last<T: DeserializeOwned>(&self, key: &str) -> Option<(T, Duration)> {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let clock = kept.clock;
        let answer = kept.answers.get_mut(key)?;
        let age = answer.at.elapsed();
        if age > self.0.stale {
            kept.forget(key);
            return None;
        }
        answer.used = clock;
        let value = serde_json::from_slice(&answer.body).ok()?;
        kept.stood_in += 1;
        Some((value, age))
    }
}

impl Kept {
    fn forget(&mut self, key: &str) {
        self.bytes -= self.answers.remove(key).map_or(0, |answer| key.len() + answer.body.len());
    }
}

#[cfg(test)]
mod tests {
    use kit::{Failure, Kind, Safety};

    use super::*;

    static LOOK: Operation = Operation { service: "inventory", name: "look", safety: Safety::Safe };
    static COUNT_ALL: Operation = Operation { service: "inventory", name: "count", safety: Safety::Safe };

    fn down() -> Result<String, Failure> {
        Err(Failure::new(Kind::Unavailable, "down"))
    }

    fn ask(answers: &LastAnswers, cx: &Context, input: u32, result: Result<&str, Failure>) -> Result<String, Failure> {
        answers.or_last(Asked::of(cx, &LOOK, &(input,)), result.map(str::to_owned))
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_good_answer_to_the_same_question_stands_in_with_its_age() {
        let answers = LastAnswers::new("orders → inventory", Duration::from_secs(60));
        let cx = Context::default();
        assert!(answers.or_last(Asked::of(&cx, &LOOK, &(1,)), down()).is_err(), "nothing is known yet");
        for text in ["old", "new"] {
            assert_eq!(ask(&answers, &cx, 1, Ok(text)), Ok(text.into()));
        }
        tokio::time::sleep(Duration::from_secs(12)).await;
        assert_eq!(answers.or_last(Asked::of(&cx, &LOOK, &(1,)), down()), Ok("new".into()));
        assert_eq!(cx.marks().list(), ["inventory.look=cache;age=12"]);
        assert!(answers.or_last(Asked::of(&cx, &LOOK, &(2,)), down()).is_err(), "another question");
        assert!(answers.or_last(Asked::of(&cx, &COUNT_ALL, &(1,)), down()).is_err(), "another operation");
        let refused = Err(Failure::not_found("gone"));
        assert!(ask(&answers, &cx, 1, refused).is_err(), "that says something of the request");
        tokio::time::sleep(Duration::from_secs(49)).await;
        assert!(answers.or_last(Asked::of(&cx, &LOOK, &(1,)), down()).is_err(), "it is too old");
        assert_eq!(answers.state().stood_in, 1);
        assert_eq!((answers.state().kept, answers.state().bytes), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stand_in_is_not_kept_as_an_answer() {
        let answers = LastAnswers::new("orders → inventory", Duration::from_secs(60));
        let cx = Context::default();
        let asked = Asked::of(&cx, &LOOK, &(1,));
        cx.marks().add("stock.list=default");
        assert!(answers.or_last::<_, Failure>(asked, Ok("made up".to_owned())).is_ok());
        assert_eq!(answers.state().kept, 0);
        assert!(ask(&answers, &cx, 1, Ok("real")).is_ok(), "what stood in before is not of this answer");
        assert_eq!(answers.state().kept, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_has_bounds() {
        let answers = LastAnswers::new("orders → inventory", Duration::from_secs(60));
        let cx = Context::default();
        for number in 0..u32::try_from(COUNT).unwrap() + 10 {
            assert!(ask(&answers, &cx, number, Ok("x")).is_ok());
        }
        assert_eq!(answers.state().kept, COUNT);
        assert!(answers.or_last(Asked::of(&cx, &LOOK, &(0,)), down()).is_err(), "the oldest went");
        let long = "x".repeat(BYTES / 3);
        for number in 0..9 {
            assert!(ask(&answers, &cx, number, Ok(&long)).is_ok());
        }
        let state = answers.state();
        assert!(state.bytes <= BYTES && state.kept == 2, "{state:?}");
        assert!(ask(&answers, &cx, 8, Ok(&"x".repeat(BYTES + 1))).is_ok());
        assert_eq!(answers.state().kept, 1, "and what it took the place of is no answer any more");
    }
}
