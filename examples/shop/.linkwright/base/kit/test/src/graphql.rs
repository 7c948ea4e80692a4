//! GraphQL as any caller speaks it: a request over HTTP, an answer in JSON.

use std::{fmt::Debug, time::Duration};

use anyhow::Context as _;
use axum::http::Method;
use kit::{Context, Failure, FieldError, Kind, OperationError, Wire};
use kit_http::{Incoming, Request};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::{
    Play, Script,
    provider::{Listen, Outcome},
};

/// How long it is waited at least for what a subscription has to say.
const SILENCE: Duration = Duration::from_secs(1);

/// As many calls as one answer in a test may need.
const CALLS: usize = 16;

/// A service that is asked over GraphQL.
#[derive(Clone, Debug)]
pub struct Client(kit_http::Client);

impl Client {
    /// `base` is what stands before `/graphql`.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        Ok(Self(kit_http::Client::new(base)?))
    }

    /// What the one field of a query or mutation answers. Its error is the operation's own.
    pub async fn ask<E: OperationError>(&self, cx: &Context, request: &str, variables: Value) -> Result<Value, E> {
        let body = json!({ "query": request, "variables": variables });
        let request = Request::new(Method::POST, &["graphql"]).json(&body);
        data(self.0.call::<Value, E>(cx, request).await?)
    }

    /// The same, with the error as it was carried.
    pub(crate) async fn asked(&self, cx: &Context, request: &str, variables: Value) -> Outcome {
        let body = json!({ "query": request, "variables": variables });
        let request = Request::new(Method::POST, &["graphql"]).json(&body);
        carried(self.0.call::<Value, Failure>(cx, request).await.map_err(|failure| failure.to_wire())?)
    }

    /// The first items of a subscription as the contract has them, with an error as it was carried.
    pub(crate) async fn first(
        &self,
        cx: &Context,
        request: &str,
        variables: Value,
        item: impl Fn(Value) -> Value,
        listen: &Listen,
    ) -> Result<Vec<Value>, Box<Wire>> {
        let to_wire = |failure: Failure| Box::new(failure.to_wire());
        let mut events = self.events(cx, request, variables).await.map_err(to_wire)?;
        let mut items = Vec::new();
        // It is open before anybody has looked at what is asked.
        let end = Instant::now() + listen.patience.max(SILENCE);
        while !listen.is_enough(&items)
            && let Ok(next) = timeout_at(end, events.next()).await
            && let Some(answer) = next.map_err(to_wire)?
        {
            items.push(item(carried(answer)?));
        }
        Ok(items)
    }

    /// All items of a subscription, by the context's deadline.
    pub async fn watch<E: OperationError>(
        &self,
        cx: &Context,
        request: &str,
        variables: Value,
    ) -> Result<Vec<Value>, E> {
        let items = async {
            let mut events = self.events::<E>(cx, request, variables).await?;
            let mut items = Vec::new();
            while let Some(answer) = events.next().await? {
                items.push(data::<E>(answer)?);
            }
            Ok(items)
        };
        cx.limit(items).await
    }

    /// Subscribes, and leaves after the first item or when nothing comes.
    pub async fn opens<E: OperationError>(&self, cx: &Context, request: &str, variables: Value) -> Result<(), E> {
        let mut events = self.events::<E>(cx, request, variables).await?;
        match tokio::time::timeout(SILENCE, events.next()).await {
            Ok(first) => first?.map_or(Ok(()), |answer| data(answer).map(|_| ())),
            Err(_) => Ok(()),
        }
    }

    async fn events<E: OperationError>(&self, cx: &Context, request: &str, variables: Value) -> Result<Events, E> {
        let body = json!({ "query": request, "variables": variables });
        let request = Request::new(Method::POST, &["graphql", "stream"]).json(&body);
        let response = self.0.open(cx, request, "text/event-stream").await?;
        Ok(Events { response, come: Vec::new() })
    }
}

/// The same, with the error as it was carried.
fn carried(answer: Value) -> Outcome {
    match answer["errors"].get(0) {
        Some(error) => Err(wire(error).into()),
        None => data::<Failure>(answer).map_err(|failure| failure.to_wire().into()),
    }
}

/// The value of the one field of an answer, or the first error.
fn data<E: OperationError>(answer: Value) -> Result<Value, E> {
    if let Some(error) = answer["errors"].get(0) {
        return Err(E::from_wire(wire(error)));
    }
    match answer {
        Value::Object(mut answer) => match answer.remove("data") {
            Some(Value::Object(fields)) if fields.len() == 1 => Ok(fields.into_iter().next().unwrap_or_default().1),
            other => Err(strange(other.unwrap_or_default())),
        },
        other => Err(strange(other)),
    }
}

fn strange<E: OperationError>(answer: Value) -> E {
    Failure::internal(anyhow::anyhow!("not the data of one field: {answer}")).into()
}

fn wire(error: &Value) -> Wire {
    let extensions = &error["extensions"];
    let code = extensions["code"].as_str().unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str().to_ascii_uppercase() == code);
    Wire {
        kind: kind.unwrap_or(Kind::Internal),
        code: extensions["error"].as_str().map(str::to_owned),
        detail: error["message"].as_str().unwrap_or_default().to_owned(),
        fields: serde_json::from_value::<Vec<FieldError>>(extensions["fields"].clone()).unwrap_or_default(),
        data: extensions["data"].clone(),
        retry_after: extensions["retryAfter"].as_f64().and_then(|pause| Duration::try_from_secs_f64(pause).ok()),
    }
}

/// Server-sent events as GraphQL has them: `next` with an answer, at the end `complete`.
struct Events {
    response: Incoming,
    come: Vec<u8>,
}

impl Events {
    /// `None`: it was the last.
    async fn next(&mut self) -> Result<Option<Value>, Failure> {
        loop {
            if let Some(end) = self.come.windows(2).position(|bytes| bytes == b"\n\n") {
                let event: Vec<u8> = self.come.drain(..end + 2).collect();
                let event = String::from_utf8_lossy(&event);
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
                match line("event:") {
                    Some("next") => {
                        return serde_json::from_str(line("data:").unwrap_or_default()).map_err(Failure::internal);
                    }
                    Some("complete") => return Ok(None),
                    _ => continue,
                }
            }
            match self.response.chunk().await.map_err(Failure::unavailable)? {
                Some(chunk) => self.come.extend_from_slice(&chunk),
                None => return Err(Failure::new(Kind::Unavailable, "the subscription was cut off")),
            }
        }
    }
}

/// What an operation answers in GraphQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The answer.
    Answer,
    /// The item, or null if there is none.
    Item,
    /// The items of a subscription.
    Items,
}

/// One request of an operation, and what is expected of it.
#[derive(Clone, Debug)]
pub struct Case<I, O> {
    /// For messages.
    pub what: &'static str,
    /// With the input as its arguments.
    pub request: &'static str,
    pub input: I,
    pub shows: Shows,
    /// What the operation answers; of a stream its items.
    pub answer: O,
    /// What comes of that.
    pub data: Value,
    /// The errors that the operation declares: name, kind and data.
    pub errors: Vec<(&'static str, Kind, Value)>,
}

impl<I: Clone + Debug + PartialEq, O: Debug + PartialEq> Case<I, O> {
    /// Checks that the question, the answer, the declared errors and failures of every kind are carried, and that a
    /// call is given up at its deadline.
    ///
    /// # Panics
    /// If they are not: it is for tests.
    pub async fn check<E>(self, client: &Client, script: &Script<I, O, E>)
    where
        E: OperationError + PartialEq,
    {
        let Self { what, request, input, shows, answer, data, errors } = self;
        let ask = |cx: Context, _: I| async move {
            match shows {
                Shows::Answer | Shows::Item => client.ask::<E>(&cx, request, Value::Null).await,
                Shows::Items => client.watch(&cx, request, Value::Null).await.map(Value::Array),
            }
        };
        let got = script.hears(what, || input.clone(), Ok(answer), ask).await;
        assert_eq!(got, Ok(data), "{what}: the answer");
        for (name, kind, data) in errors {
            let error = || E::from_declared(name, data.clone()).unwrap_or_else(|| panic!("{what}: no error {name}"));
            assert_eq!(error().kind(), kind, "{what}: the kind of {name}");
            let got = script.hears(what, || input.clone(), Err(error()), ask).await;
            assert_eq!(got, Err(error()), "{what}: the declared error");
        }
        for kind in Kind::ALL {
            let failure = || E::from(Failure::new(kind, "as the script says"));
            let got = script.hears(what, || input.clone(), Err(failure()), ask).await;
            let expected = match (shows, kind) {
                (Shows::Item, Kind::NotFound) => Ok(Value::Null),
                _ => Err(failure()),
            };
            assert_eq!(got, expected, "{what}: a failure of kind {kind}");
        }
        script.times_out(what, || input.clone(), ask).await;
    }
}

/// A value that stands in a test as JSON.
pub fn example<T: DeserializeOwned>(value: Value) -> anyhow::Result<T> {
    serde_json::from_value(value.clone()).with_context(|| format!("no such value: {value}"))
}

/// Lets the next calls of an operation all have this answer.
///
/// # Errors
/// It is none of the operation's.
pub fn answers<I, O, E>(script: &Script<I, O, E>, answer: &Value) -> anyhow::Result<()>
where
    O: DeserializeOwned,
    E: From<Failure>,
{
    for _ in 0..CALLS {
        script.next(Play::Answer(Ok(example(answer.clone())?)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::post};

    use super::*;
    use crate::Server;

    #[test]
    fn an_answer_is_its_one_field_or_its_error() {
        let read = data::<Failure>;
        assert_eq!(read(json!({ "data": { "order": null } })), Ok(Value::Null));
        for strange in [json!({}), json!([]), json!({ "data": null }), json!({ "data": { "a": 1, "b": 2 } })] {
            assert_eq!(read(strange).map_err(|failure| failure.kind), Err(Kind::Internal));
        }
        let extensions = json!({ "code": "LIMITED", "error": "Busy", "retryAfter": 1.5, "fields": [{ "field": "a", "detail": "b" }] });
        let failure = read(json!({ "data": null, "errors": [{ "message": "later", "extensions": extensions }] }));
        let failure = failure.expect_err("an error");
        assert_eq!(
            (failure.kind, failure.detail.as_str(), failure.code.as_deref()),
            (Kind::Limited, "later", Some("Busy"))
        );
        assert_eq!((failure.retry_after, failure.fields.len()), (Some(Duration::from_millis(1500)), 1));
    }

    #[tokio::test]
    async fn items_are_read_to_the_end_and_a_cut_is_noticed() -> anyhow::Result<()> {
        let item = |number: u32| format!("event: next\ndata: {{\"data\":{{\"ticks\":{number}}}}}\n\n");
        let whole = format!("{}:\n\n{}event: complete\ndata: \n\n", item(1), item(2));
        for (body, expected) in [
            (whole, Ok(vec![json!(1), json!(2)])),
            (item(1), Err(Kind::Unavailable)),
            ("event: next\ndata: {\n\n".to_owned(), Err(Kind::Internal)),
        ] {
            let server = Server::start(Router::new().route("/graphql/stream", post(async move || body))).await?;
            let client = Client::new(&server.url)?;
            let cx = Context::default();
            let items = client.watch::<Failure>(&cx, "subscription { ticks }", Value::Null).await;
            assert_eq!(items.map_err(|failure| failure.kind), expected);
            let first = client.opens::<Failure>(&cx, "subscription { ticks }", Value::Null).await;
            assert_eq!(first.is_ok(), expected != Err(Kind::Internal));
        }
        Ok(())
    }
}
