//! One way to a service.

use std::{fmt::Display, pin::Pin, str::FromStr, time::Duration};

use futures_util::{StreamExt, stream};
use kit::{Context, Etag, Failure, Kind, OperationError, Stream, Trace, Wire};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::{compare::text, description::Operation, graphql::GraphQl, jsonrpc::JsonRpc, rest::Rest, session::Session};

/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(20);
/// What an operation answers, in JSON of the contract; null for "done".
pub type Outcome = Result<Value, Box<Wire>>;

/// A transport, and a client of it.
pub struct Face {
    pub(crate) transport: &'static str,
    pub(crate) way: Way,
}

pub(crate) enum Way {
    Rest(Rest),
    GraphQl(GraphQl),
    JsonRpc(JsonRpc),
    Client(Box<Ask>),
}

type Ask = dyn Fn(Call) -> Pin<Box<dyn Future<Output = Outcome>>>;

/// A call of one operation, in JSON of the contract.
#[derive(Clone, Debug)]
pub struct Call {
    /// `create_order`
    pub operation: String,
    /// Of the item that it is on.
    pub id: Value,
    pub etag: Option<String>,
    /// The intent; without one, each call is an intent of its own.
    pub key: Option<String>,
    /// An object, or null; of a stream the list of its items.
    pub input: Value,
    /// What it causes is known by it.
    pub trace: Trace,
    pub(crate) listen: Listen,
}

/// When enough of a stream is heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listen {
    /// At the latest after this span: it may be silent for as long as it likes.
    pub patience: Duration,
    /// With so many items.
    pub items: usize,
    /// With this item.
    pub until: Option<Due>,
}

/// An item that is waited for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Due {
    /// What it must have.
    pub members: Map<String, Value>,
    /// It may be shown without some of them.
    pub partly: bool,
}

impl Default for Listen {
    fn default() -> Self {
        Self { patience: Duration::from_millis(300), items: 3, until: None }
    }
}

impl Listen {
    pub(crate) fn is_enough(&self, items: &[Value]) -> bool {
        let is_due = |item: &Value| self.until.as_ref().is_some_and(|due| due.is(item));
        items.len() >= self.items || items.iter().any(is_due)
    }
}

impl Due {
    pub(crate) fn is(&self, item: &Value) -> bool {
        let is_shown = |name: &str| !self.partly || !item[name].is_null();
        let mut members = self.members.iter().filter(|(name, _)| is_shown(name));
        members.all(|(name, member)| text(&item[name.as_str()]) == text(member))
    }
}

impl Default for Call {
    fn default() -> Self {
        let (operation, input, trace) = (String::new(), Value::Null, Trace::start());
        Self { operation, id: Value::Null, etag: None, key: None, input, trace, listen: Listen::default() }
    }
}

impl Face {
    /// Over gRPC, through the generated client.
    pub fn over_grpc<F: Future<Output = Outcome> + 'static>(ask: impl Fn(Call) -> F + 'static) -> Self {
        Self { transport: "gRPC", way: Way::Client(Box::new(move |call| Box::pin(ask(call)))) }
    }

    pub(crate) fn rest(&self) -> Option<&Rest> {
        match &self.way {
            Way::Rest(rest) => Some(rest),
            Way::GraphQl(_) | Way::JsonRpc(_) | Way::Client(_) => None,
        }
    }

    pub(crate) fn jsonrpc(&self) -> Option<&JsonRpc> {
        match &self.way {
            Way::JsonRpc(jsonrpc) => Some(jsonrpc),
            Way::Rest(_) | Way::GraphQl(_) | Way::Client(_) => None,
        }
    }

    /// Whether a value may be shown without what is deep inside it.
    pub(crate) fn cuts(&self, value: &Value) -> bool {
        matches!(self.way, Way::GraphQl(_)) && (value.is_object() || value.is_array())
    }

    /// Items of a page that may always be asked for.
    pub(crate) fn most(&self) -> usize {
        match &self.way {
            Way::GraphQl(_) => 5,
            Way::Rest(_) | Way::JsonRpc(_) | Way::Client(_) => 200,
        }
    }

    pub(crate) fn serves(&self, operation: &Operation) -> bool {
        match &self.way {
            Way::Rest(_) => operation.rest,
            Way::GraphQl(graphql) => graphql.asked(operation).is_some(),
            Way::JsonRpc(_) => operation.jsonrpc.is_some(),
            Way::Client(_) => operation.grpc,
        }
    }

    pub(crate) async fn call(&self, session: &Session<'_>, operation: &Operation, call: Call) -> Outcome {
        match &self.way {
            Way::Rest(rest) => rest.call(session, operation, &call).await,
            Way::GraphQl(graphql) => graphql.call(operation, &call).await,
            Way::JsonRpc(jsonrpc) => jsonrpc.call(session, operation, &call).await,
            Way::Client(ask) => ask(call).await,
        }
    }
}

impl Call {
    /// Who asks, by when, under which key.
    pub fn cx(&self) -> Context {
        let cx = Context::default().in_trace(self.trace).within(LIMIT);
        match &self.key {
            Some(key) => cx.keyed(key.as_str()),
            None => cx,
        }
    }

    /// The id as the operation's parameter.
    ///
    /// # Errors
    /// `invalid` if it is none.
    pub fn id<T: FromStr<Err: Display>>(&self) -> Result<T, Box<Wire>> {
        text(&self.id).parse().map_err(|error: T::Err| Failure::invalid(error).to_wire().into())
    }

    /// The input as the operation's parameter. One that is not given is a record without members.
    ///
    /// # Errors
    /// `invalid` if it is none.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Box<Wire>> {
        let input = if self.input.is_null() { Value::Object(Map::new()) } else { self.input.clone() };
        serde_json::from_value(input).map_err(|error| Failure::invalid(error).to_wire().into())
    }

    /// The input as the stream that the operation reads: its items one after another, up to one that is none.
    ///
    /// # Errors
    /// `invalid` if it is no list.
    pub fn items<T: DeserializeOwned + Send + 'static>(&self) -> Result<Stream<T, Failure>, Box<Wire>> {
        let Value::Array(items) = &self.input else { return Err(Failure::invalid("no list").to_wire().into()) };
        let item = |(number, item): (usize, &Value)| {
            let wrong = |error| Failure::invalid(error).within(format_args!("[{number}]"));
            serde_json::from_value(item.clone()).map_err(wrong)
        };
        let items: Vec<_> = items.iter().enumerate().map(item).collect();
        Ok(Box::pin(stream::iter(items)))
    }

    /// The revision as the operation's parameter.
    ///
    /// # Errors
    /// `invalid` if it is none.
    pub fn etag(&self) -> Result<Option<Etag>, Box<Wire>> {
        self.etag.as_deref().map(str::parse).transpose().map_err(|failure: Failure| failure.to_wire().into())
    }
}

/// What comes of a call that the client does not know.
///
/// # Errors
/// `unsupported`.
pub fn unknown(call: &Call) -> Outcome {
    Err(Failure::new(Kind::Unsupported, format!("`{}` is not served here", call.operation)).to_wire().into())
}

/// What a client has got.
///
/// # Errors
/// That of the operation.
pub fn answer<T: Serialize, E: OperationError>(result: Result<T, E>) -> Outcome {
    match result {
        Ok(answer) => serde_json::to_value(answer).map_err(|error| Failure::internal(error).to_wire().into()),
        Err(error) => Err(error.to_wire().into()),
    }
}

/// Any error of any operation, as it was told.
#[derive(Debug)]
pub(crate) struct Told(Wire);

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl From<Failure> for Told {
    fn from(failure: Failure) -> Self {
        Self(failure.to_wire())
    }
}

impl OperationError for Told {
    fn kind(&self) -> Kind {
        self.0.kind
    }

    fn failure(&self) -> Option<&Failure> {
        None
    }

    fn declared(&self) -> Option<(&'static str, Value)> {
        None
    }

    fn from_declared(_: &str, _: Value) -> Option<Self> {
        None
    }

    fn to_wire(&self) -> Wire {
        self.0.clone()
    }

    fn from_wire(wire: Wire) -> Self {
        Self(wire)
    }
}

/// The first items of a stream, as many as the call asks for.
///
/// # Errors
/// That of the operation.
pub async fn first<T: Serialize, E: OperationError>(call: &Call, items: Result<Stream<T, E>, E>) -> Outcome {
    let mut stream = items.map_err(|error| error.to_wire())?;
    let mut items = Vec::new();
    let end = Instant::now() + call.listen.patience;
    while !call.listen.is_enough(&items)
        && let Ok(Some(item)) = timeout_at(end, stream.next()).await
    {
        items.push(answer(item)?);
    }
    Ok(items.into())
}
