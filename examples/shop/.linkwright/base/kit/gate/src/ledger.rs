use async_trait::async_trait;
use kit::{Context, Failure, Intent};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Where first answers are kept: in front of a real service, its own database.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// What is kept under the caller, operation and key of this intent, unless its time is over.
    async fn find(&self, intent: &Intent) -> Result<Option<Kept>, Failure>;

    /// Keeps an answer that nobody has kept so far.
    async fn keep(&self, intent: &Intent, answer: String) -> Result<(), Failure>;
}

/// A first answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Of the input that it answers.
    pub fingerprint: String,
    /// As [`encode`] wrote it.
    pub answer: String,
}

/// What is said of an answer besides it is a part of it.
#[derive(Serialize, Deserialize)]
struct Whole<T> {
    answer: T,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    created: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    marks: Vec<String>,
}

/// An answer as it is kept, with its marks of stand-ins and that it is of something new.
///
/// # Errors
/// `internal`: it has no JSON form, or is not what the operation answers with.
pub fn encode<T: Serialize + 'static>(cx: &Context, answer: &T) -> Result<String, Failure> {
    if let Some(intent) = cx.intent().filter(|intent| !intent.answers::<T>()) {
        let (name, other) = (intent.operation.name, std::any::type_name::<T>());
        return Err(Failure::internal(std::io::Error::other(format!("`{name}` does not answer with {other}"))));
    }
    let whole = Whole { answer, created: cx.is_created(), marks: cx.marks().list() };
    serde_json::to_string(&whole).map_err(Failure::internal)
}

/// The answer, with what is said of it noted in `cx`.
pub(crate) fn decode<T: DeserializeOwned>(cx: &Context, text: &str) -> Result<T, Failure> {
    let Whole { answer, created, marks } = serde_json::from_str(text).map_err(Failure::internal)?;
    if created {
        cx.note_created();
    }
    marks.into_iter().for_each(|mark| cx.marks().add(mark));
    Ok(answer)
}
