//! One effect under one key.

use futures_util::future::join_all;
use kit::{Kind, Wire};
use serde_json::Value;
use uuid::Uuid;

use super::{
    description::Operation,
    face::{Call, Outcome},
    session::{Session, short},
};

/// Callers who ask for the same at the same time.
const AT_ONCE: usize = 3;

/// Asks. Where first answers are kept, several times at once under a key of its own, then with another input under it,
/// and then once more: whoever is answered has the answer of the first. Gives the outcome of the last.
pub(crate) async fn once(session: &Session<'_>, operation: &Operation, call: Call, other: &Value) -> Outcome {
    if !operation.keyed {
        return session.ask(operation, call).await;
    }
    let call = Call { key: Some(Uuid::now_v7().to_string()), ..call };
    let fail = |rule: &str, why: String| session.report.fail(&operation.name, rule, why);
    let outcomes = join_all((0..AT_ONCE).map(|_| session.ask(operation, call.clone()))).await;
    let Some(Ok(first)) = outcomes.iter().find(|outcome| outcome.is_ok()) else {
        return session.ask(operation, call).await;
    };
    for outcome in &outcomes {
        match outcome {
            Ok(answer) if answer == first => {}
            Ok(answer) => fail("one effect under one key", format!("{} and {}", short(first), short(answer))),
            Err(error) if is_at_work(error) => {}
            Err(error) => fail("one effect under one key", format!("`{}`: {}", error.kind, error.detail)),
        }
    }
    if !other.is_null() && *other != call.input {
        let another = session.ask(operation, Call { input: other.clone(), ..call.clone() }).await;
        session.expect(operation, "a key with another input", &another, Kind::Invalid);
    }
    let again = session.ask(operation, call).await;
    match &again {
        Ok(answer) if answer == first => {}
        Ok(answer) => fail("a repeat under its key", format!("{} became {}", short(first), short(answer))),
        Err(error) => fail("a repeat under its key", format!("`{}`: {}", error.kind, error.detail)),
    }
    again
}

/// The first call has not ended.
fn is_at_work(error: &Wire) -> bool {
    error.kind == Kind::Conflict && error.code.is_none()
}
