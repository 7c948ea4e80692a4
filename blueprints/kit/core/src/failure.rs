use std::{any::Any, fmt, time::Duration};

use futures_util::{StreamExt, TryStreamExt, future, stream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The kinds of error. Each transport maps them by one table; what the design declares is one of the first eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The input is wrong.
    Invalid,
    /// The caller may not.
    Denied,
    /// What the call names is not there.
    NotFound,
    /// What the call would make is there already.
    Exists,
    /// The state of things does not allow it.
    Conflict,
    /// The caller's copy is old: read again first.
    Stale,
    /// Too many calls: later.
    Limited,
    /// Not now: later.
    Unavailable,
    /// The caller has not proved who they are.
    Unauthenticated,
    /// No answer by the deadline.
    Timeout,
    /// The other side does not do this.
    Unsupported,
    /// A bug, or something nobody expected.
    Internal,
}

impl Kind {
    pub const ALL: [Self; 12] = [
        Self::Invalid,
        Self::Denied,
        Self::NotFound,
        Self::Exists,
        Self::Conflict,
        Self::Stale,
        Self::Limited,
        Self::Unavailable,
        Self::Unauthenticated,
        Self::Timeout,
        Self::Unsupported,
        Self::Internal,
    ];

    /// As in designs and in every wire form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Exists => "exists",
            Self::Conflict => "conflict",
            Self::Stale => "stale",
            Self::Limited => "limited",
            Self::Unavailable => "unavailable",
            Self::Unauthenticated => "unauthenticated",
            Self::Timeout => "timeout",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
        }
    }

    /// Says nothing of the request: the same call may succeed later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Limited | Self::Unavailable | Self::Timeout)
    }

    /// Counts against the health of the one who was called.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Unavailable | Self::Timeout | Self::Internal)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with one field of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// `lines[2].quantity`.
    pub field: String,
    pub detail: String,
}

/// An error that the operation does not declare: refused input, an unreachable service, a bug.
#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    /// Safe to show to the caller.
    pub detail: String,
    /// What is wrong with which field, if the input is wrong.
    pub fields: Vec<FieldError>,
    /// When a repeat makes sense, if the other side said so.
    pub retry_after: Option<Duration>,
    /// The name of a declared error that this side does not know.
    pub code: Option<String>,
    /// The request cannot have reached the other side: even an unsafe operation may be tried again.
    pub unsent: bool,
    /// Logged at the edge and never sent.
    pub source: Option<anyhow::Error>,
}

impl Failure {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, detail, fields: Vec::new(), retry_after: None, code: None, unsent: false, source: None }
    }

    pub fn invalid(detail: impl fmt::Display) -> Self {
        Self::new(Kind::Invalid, detail.to_string())
    }

    /// Wrong input, field by field.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        let detail = match fields.as_slice() {
            [one] => format!("{}: {}", one.field, one.detail),
            many => format!("{} fields are wrong", many.len()),
        };
        Self { fields, ..Self::new(Kind::Invalid, detail) }
    }

    /// `what` is a noun with its name: `order 7`.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Kind::NotFound, format!("there is no {what}"))
    }

    pub fn stale() -> Self {
        Self::new(Kind::Stale, "it has changed since it was read")
    }

    pub fn unavailable(source: impl Into<anyhow::Error>) -> Self {
        Self::new(Kind::Unavailable, "the service is not available").caused_by(source)
    }

    pub fn timeout() -> Self {
        Self::new(Kind::Timeout, "no answer in time")
    }

    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        Self::new(Kind::Internal, "something went wrong inside the service").caused_by(source)
    }

    /// What a panic is to the caller, of what [`catch_unwind`](std::panic::catch_unwind) caught.
    pub fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text");
        Self::internal(anyhow::anyhow!("panic: {text}"))
    }

    /// The same failure, seen from the value that holds the wrong one: `outer` is its field, or its place as `[2]`.
    pub fn within(mut self, outer: impl fmt::Display) -> Self {
        if self.fields.is_empty() {
            return Self::fields(vec![FieldError { field: outer.to_string(), detail: self.detail }]);
        }
        for inner in &mut self.fields {
            let dot = if inner.field.is_empty() || inner.field.starts_with('[') { "" } else { "." };
            inner.field = format!("{outer}{dot}{}", inner.field);
        }
        Self::fields(self.fields)
    }

    pub fn unsent(mut self) -> Self {
        self.unsent = true;
        self
    }

    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    pub fn caused_by(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What an error of a service we called is to our own caller, who knows nothing of that service: its trouble is
    /// ours (`unavailable`); anything it refused is a bug of ours (`internal`).
    pub fn upstream(error: impl OperationError) -> Self {
        let retry_after = error.failure().and_then(|f| f.retry_after);
        let cause = match error.failure().and_then(|failure| failure.source.as_ref()) {
            Some(source) => anyhow::anyhow!("{error}: {source:#}"),
            None => anyhow::anyhow!("{error}"),
        };
        let mut failure = match error.kind() {
            Kind::Timeout => Self::timeout().caused_by(cause),
            kind if kind.is_transient() => Self::unavailable(cause),
            _ => Self::internal(cause),
        };
        failure.retry_after = retry_after;
        failure
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

impl std::error::Error for Failure {}

/// Only what crosses the wire makes two failures the same.
impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.detail, &self.fields) == (other.kind, &other.detail, &other.fields)
    }
}

impl From<anyhow::Error> for Failure {
    /// A `Failure` inside is taken out, anything else is `internal`.
    fn from(error: anyhow::Error) -> Self {
        error.downcast().unwrap_or_else(Self::internal)
    }
}

/// The error of an operation: the errors it declares, and [`Failure`]. An operation that declares none has `Failure`.
pub trait OperationError: fmt::Display + fmt::Debug + From<Failure> + Send + Sync + 'static {
    fn kind(&self) -> Kind;

    /// `None` for a declared error.
    fn failure(&self) -> Option<&Failure>;

    /// Name and data of a declared error.
    fn declared(&self) -> Option<(&'static str, Value)>;

    /// The declared error of this name, if there is one and the data fits.
    fn from_declared(name: &str, data: Value) -> Option<Self>;

    /// What every transport carries.
    fn to_wire(&self) -> Wire {
        let (code, data) = match self.declared() {
            Some((name, data)) => (Some(name.to_owned()), data),
            None => (self.failure().and_then(|f| f.code.clone()), Value::Null),
        };
        let failure = self.failure();
        Wire {
            kind: self.kind(),
            code,
            detail: failure.map_or_else(|| self.to_string(), |f| f.detail.clone()),
            fields: failure.map(|f| f.fields.clone()).unwrap_or_default(),
            data,
            retry_after: failure.and_then(|f| f.retry_after),
        }
    }

    /// The typed error; one of an unknown name becomes a failure of its kind.
    fn from_wire(wire: Wire) -> Self {
        if let Some(error) = wire.code.as_deref().and_then(|code| Self::from_declared(code, wire.data)) {
            return error;
        }
        let mut failure = Failure::new(wire.kind, wire.detail);
        failure.fields = wire.fields;
        failure.code = wire.code;
        failure.retry_after = wire.retry_after;
        failure.into()
    }
}

impl OperationError for Failure {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn failure(&self) -> Option<&Failure> {
        Some(self)
    }

    fn declared(&self) -> Option<(&'static str, Value)> {
        None
    }

    fn from_declared(_: &str, _: Value) -> Option<Self> {
        None
    }
}

/// An error between two processes: each transport carries all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    pub kind: Kind,
    /// The name of a declared error: `OutOfStock`.
    pub code: Option<String>,
    pub detail: String,
    pub fields: Vec<FieldError>,
    /// The record that a declared error brings along, else null.
    pub data: Value,
    pub retry_after: Option<Duration>,
}

/// Logs what caused a failure, which goes no further: a [fault](Kind::is_fault) as an error, or as a warning if it is one
/// that may pass by itself; anything else for those who look closely.
pub fn log_cause(error: &impl OperationError, trace_id: Option<&str>) {
    let Some(cause) = error.failure().and_then(|failure| failure.source.as_ref()) else { return };
    let cause = format!("{cause:#}");
    let kind = error.kind();
    if kind.is_fault() && !kind.is_transient() {
        tracing::error!(cause, trace_id, "{error}");
    } else if kind.is_fault() {
        tracing::warn!(cause, trace_id, "{error}");
    } else {
        tracing::debug!(cause, trace_id, "{error}");
    }
}

/// The data of a declared error as JSON. A record of the contract always has a JSON form.
pub fn data(record: &impl Serialize) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}

/// The record that [`data`] wrote.
pub fn record<T: DeserializeOwned>(data: Value) -> Option<T> {
    serde_json::from_value(data).ok()
}

/// What was asked for, if it is there: that there is none is no failure to who can do without it.
pub fn if_there<T>(found: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.kind == Kind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Calls at a time of [`those_found`].
const AT_ONCE: usize = 16;

/// What several calls find, in any order: made side by side, what is not there is left out.
///
/// # Errors
/// The first failure that says anything else.
pub async fn those_found<T>(
    calls: impl IntoIterator<Item = impl Future<Output = Result<T, Failure>>>,
) -> Result<Vec<T>, Failure> {
    let answers = stream::iter(calls).buffer_unordered(AT_ONCE).map(if_there);
    answers.try_filter_map(future::ok).try_collect().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum ReserveError {
        OutOfStock(u32),
        Failure(Failure),
    }

    impl fmt::Display for ReserveError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::OutOfStock(_) => f.write_str("out of stock"),
                Self::Failure(failure) => failure.fmt(f),
            }
        }
    }

    impl From<Failure> for ReserveError {
        fn from(failure: Failure) -> Self {
            Self::Failure(failure)
        }
    }

    impl OperationError for ReserveError {
        fn kind(&self) -> Kind {
            match self {
                Self::OutOfStock(_) => Kind::Conflict,
                Self::Failure(failure) => failure.kind,
            }
        }
        fn failure(&self) -> Option<&Failure> {
            match self {
                Self::Failure(failure) => Some(failure),
                Self::OutOfStock(_) => None,
            }
        }
        fn declared(&self) -> Option<(&'static str, Value)> {
            match self {
                Self::OutOfStock(left) => Some(("OutOfStock", data(left))),
                Self::Failure(_) => None,
            }
        }
        fn from_declared(name: &str, data: Value) -> Option<Self> {
            match name {
                "OutOfStock" => Some(Self::OutOfStock(record(data)?)),
                _ => None,
            }
        }
    }

    #[test]
    fn a_declared_error_comes_back_as_itself_and_an_unknown_one_as_its_kind() {
        let wire = ReserveError::OutOfStock(3).to_wire();
        assert_eq!(
            (wire.kind, wire.code.as_deref(), wire.detail.as_str()),
            (Kind::Conflict, Some("OutOfStock"), "out of stock")
        );
        assert_eq!(ReserveError::from_wire(wire.clone()), ReserveError::OutOfStock(3));
        let stranger = Failure::from_wire(wire);
        assert_eq!((stranger.kind, stranger.code.as_deref()), (Kind::Conflict, Some("OutOfStock")));
    }

    #[test]
    fn a_failure_keeps_its_fields_and_loses_its_source() {
        let field = FieldError { field: "lines[0].quantity".into(), detail: "from 1 to 9".into() };
        let failure = Failure::fields(vec![field]).caused_by(anyhow::anyhow!("secret"));
        let back = Failure::from_wire(failure.to_wire());
        assert_eq!(back, failure);
        assert!(back.source.is_none());
    }

    #[test]
    fn a_wrong_value_is_named_by_its_path() {
        let failure = Failure::invalid("missing").within("quantity").within("[2]").within("lines");
        assert_eq!(failure.detail, "lines[2].quantity: missing");
        assert_eq!(failure.fields, [FieldError { field: "lines[2].quantity".into(), detail: "missing".into() }]);
    }

    #[test]
    fn trouble_of_a_callee_is_ours_and_its_refusal_our_bug() {
        let after = |kind| Failure::upstream(Failure::new(kind, "x")).kind;
        assert_eq!(after(Kind::Limited), Kind::Unavailable);
        assert_eq!(after(Kind::Timeout), Kind::Timeout);
        assert_eq!(after(Kind::NotFound), Kind::Internal);
        assert_eq!(Failure::from(anyhow::Error::from(Failure::stale())).kind, Kind::Stale);
    }

    #[test]
    fn what_is_not_there_may_be_done_without() {
        assert_eq!(if_there(Ok(1)).unwrap(), Some(1));
        assert_eq!(if_there::<u32>(Err(Failure::not_found("order 7"))).unwrap(), None);
        assert_eq!(if_there::<u32>(Err(Failure::stale())).unwrap_err().kind, Kind::Stale);
    }
}
