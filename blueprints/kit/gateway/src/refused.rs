//! What a link sees of an answer that says that the service is in trouble.

use std::fmt;

use axum::response::Response;
use hyper::body::Incoming;
use kit::{Failure, Kind, OperationError};
use kit_http::Problem;
use serde_json::Value;

/// A try that brought no answer, or one that counts against the service.
#[derive(Debug)]
pub(crate) struct Refused {
    pub failure: Failure,
    /// What the caller gets if no other try brings a better one; `None`: what the failure says.
    pub instead: Option<Instead>,
}

#[derive(Debug)]
pub(crate) enum Instead {
    Answer(Box<Response<Incoming>>),
    Problem(Problem),
}

impl Refused {
    pub(crate) fn by(kind: Kind, answer: Response<Incoming>) -> Self {
        let retry_after = Problem::read(answer.status(), answer.headers(), &[]).retry_after;
        let failure = Failure { retry_after, ..Failure::new(kind, format!("it answered {}", answer.status())) };
        Self { failure, instead: Some(Instead::Answer(Box::new(answer))) }
    }

    /// The fault is the caller's.
    pub(crate) fn callers(problem: Problem) -> Self {
        let failure = Failure::new(Kind::Invalid, problem.detail.clone());
        Self { failure, instead: Some(Instead::Problem(problem)) }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, instead: None }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl OperationError for Refused {
    fn kind(&self) -> Kind {
        self.failure.kind
    }

    fn failure(&self) -> Option<&Failure> {
        Some(&self.failure)
    }

    fn declared(&self) -> Option<(&'static str, Value)> {
        None
    }

    fn from_declared(_: &str, _: Value) -> Option<Self> {
        None
    }
}
