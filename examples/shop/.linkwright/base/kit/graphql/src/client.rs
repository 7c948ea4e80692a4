//! Operations called over GraphQL: a document made once, its variables, one field of the answer, errors turned back into
//! the operation's own.

use std::time::Duration;

use axum::http::Method;
use futures_util::stream;
use kit::{Context, Failure, FieldError, Kind, OperationError, Stream, Wire};
use kit_http::EventReader;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    Shape,
    shape::{Deeper, taken},
};

/// A service that is called over GraphQL. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client(kit_http::Client);

/// One request: a document, its variables.
#[derive(Debug)]
pub struct Request {
    document: &'static str,
    variables: Map<String, Value>,
    /// Why it cannot be sent.
    failure: Option<Failure>,
}

impl Request {
    /// For a document with one field at its root.
    pub fn new(document: &'static str) -> Self {
        Self { document, variables: Map::new(), failure: None }
    }

    /// A variable that takes a whole value; absent if that is null.
    pub fn with(mut self, variable: &str, shape: &Shape, value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(Value::Null) => {}
            Ok(value) => _ = self.variables.insert(variable.to_owned(), shape.given(value)),
            Err(error) => self.failure = Some(Failure::internal(error)),
        }
        self
    }

    /// A variable for each member of a record that is there.
    pub fn members(mut self, shape: &Shape, value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => {
                if let Value::Object(members) = shape.given(value) {
                    self.variables.extend(members);
                }
            }
            Err(error) => self.failure = Some(Failure::internal(error)),
        }
        self
    }

    /// What to list: `first`, `after`, `orderBy` by the words of `sort`, and the others in `where`.
    pub fn list(mut self, filter: &Shape, sort: &Shape, query: &impl Serialize) -> Self {
        match serde_json::to_value(query) {
            Ok(Value::Object(mut query)) => {
                let mut set = |variable: &str, value| self.variables.insert(variable.to_owned(), value);
                if let Some(limit) = query.remove("limit") {
                    set("first", limit);
                }
                if let Some(cursor) = query.remove("cursor") {
                    set("after", cursor);
                }
                if let Some(Value::String(words)) = query.remove("sort") {
                    set("orderBy", words.split(',').map(|word| sort.given(json!(word))).collect());
                }
                if !query.is_empty() {
                    set("where", filter.given(query.into()));
                }
            }
            Ok(_) => {}
            Err(error) => self.failure = Some(Failure::internal(error)),
        }
        self
    }

    fn post(self, path: &[&str]) -> Result<kit_http::Request, Failure> {
        let Self { document, variables, failure } = self;
        match failure {
            Some(failure) => Err(failure),
            None => {
                let body = json!({ "query": document, "variables": variables });
                Ok(kit_http::Request::new(Method::POST, path).json(&body))
            }
        }
    }
}

impl Client {
    /// `base` is what stands before `/graphql`: `http://inventory:8080`.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        Ok(Self(kit_http::Client::new(base)?))
    }

    /// Calls a query or mutation. `shape` is that of its answer.
    pub async fn call<T, E>(&self, cx: &Context, request: Request, shape: &Shape) -> Result<T, E>
    where
        T: DeserializeOwned,
        E: OperationError,
    {
        let answer = self.0.call::<Value, E>(cx, request.post(&["graphql"])?).await?;
        read(shape, data::<E>(answer)?)
    }

    /// Calls a query that shows null where there is nothing.
    pub async fn find<T, E>(&self, cx: &Context, request: Request, shape: &Shape) -> Result<T, E>
    where
        T: DeserializeOwned,
        E: OperationError,
    {
        match self.call::<Option<Value>, E>(cx, request, &Shape::Same).await? {
            Some(found) => read(shape, found),
            None => Err(Failure::not_found("there is none").into()),
        }
    }

    /// Subscribes, over server-sent events (`graphql-sse`, distinct connections). What goes wrong at the opening is an error of
    /// the first item, for the connection is there before the service is asked; the deadline is for the opening all the same.
    pub async fn watch<T, E>(&self, cx: &Context, request: Request, shape: &'static Shape) -> Result<Stream<T, E>, E>
    where
        T: DeserializeOwned + Send + 'static,
        E: OperationError,
    {
        let response = self.0.open::<E>(cx, request.post(&["graphql", "stream"])?, "text/event-stream").await?;
        let events = EventReader::new(response);
        Ok(Box::pin(stream::unfold(Some(events), move |events| async move {
            let mut events = events?;
            match item(&mut events, shape).await {
                Ok(Some(item)) => Some((Ok(item), Some(events))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })))
    }
}

/// The next item of a subscription. `None`: it was the last.
async fn item<T: DeserializeOwned, E: OperationError>(events: &mut EventReader, shape: &Shape) -> Result<Option<T>, E> {
    loop {
        let Some(event) = events.next().await? else {
            return Err(Failure::new(Kind::Unavailable, "the stream was cut off").into());
        };
        match event.name.as_str() {
            "next" => {
                let answer = serde_json::from_str(&event.data).map_err(Failure::internal)?;
                return read::<T, E>(shape, data::<E>(answer)?).map(Some);
            }
            "complete" => return Ok(None),
            _ => {}
        }
    }
}

fn read<T: DeserializeOwned, E: OperationError>(shape: &Shape, shown: Value) -> Result<T, E> {
    let strange = |why: String| Failure::internal(anyhow::anyhow!("the answer is not what was asked for: {why}"));
    let value = shape.shown(shown).map_err(|Deeper| strange("it is deeper".into()))?;
    serde_json::from_value(value).map_err(|error| strange(error.to_string()).into())
}

/// The value of the one field of an answer, or the first error.
fn data<E: OperationError>(mut answer: Value) -> Result<Value, E> {
    if let Some(error) = answer.get_mut("errors").and_then(|errors| errors.get_mut(0)) {
        return Err(E::from_wire(wire(error.take())));
    }
    match taken(&mut answer, "data") {
        Value::Object(fields) if fields.len() == 1 => Ok(fields.into_iter().next().unwrap_or_default().1),
        other => Err(Failure::internal(anyhow::anyhow!("not the data of one field: {other}")).into()),
    }
}

/// What [`error`](crate::error) has written. An error of a validator, or of another server, has no code that we know.
fn wire(mut error: Value) -> Wire {
    let mut extensions = taken(&mut error, "extensions");
    let code = extensions["code"].as_str().unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(code));
    Wire {
        kind: kind.unwrap_or(Kind::Internal),
        code: extensions["error"].as_str().map(str::to_owned),
        detail: error["message"].as_str().unwrap_or_default().to_owned(),
        fields: serde_json::from_value::<Vec<FieldError>>(taken(&mut extensions, "fields")).unwrap_or_default(),
        retry_after: extensions["retryAfter"].as_f64().and_then(|pause| Duration::try_from_secs_f64(pause).ok()),
        data: taken(&mut extensions, "data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_becomes_variables() {
        let words = Shape::Choice(&[("-placed_at", "PLACED_AT_DESC"), ("price", "PRICE")]);
        let filter = Shape::Object(&[("total.amount.gte", "totalAmountGte", Shape::Same)]);
        let query = json!({ "limit": 7, "cursor": "c", "sort": "-placed_at,price", "total.amount.gte": "1.5" });
        let request = Request::new("").list(&filter, &words, &query);
        let expected = json!({
            "first": 7, "after": "c", "orderBy": ["PLACED_AT_DESC", "PRICE"], "where": { "totalAmountGte": "1.5" },
        });
        assert_eq!(Value::Object(request.variables), expected);
        let members = Shape::Object(&[("in_all", "inAll", Shape::Same), ("note", "note", Shape::Same)]);
        let request =
            Request::new("").with("etag", &Shape::Same, &None::<u32>).members(&members, &json!({ "in_all": null }));
        assert_eq!(Value::Object(request.variables), json!({ "inAll": null }));
    }

    #[test]
    fn errors_of_others_are_internal() {
        let error = |extensions| wire(json!({ "message": "no", "extensions": extensions })).kind;
        assert_eq!(error(json!({ "code": "STALE" })), Kind::Stale);
        assert_eq!(error(json!({ "code": "GRAPHQL_VALIDATION_FAILED" })), Kind::Internal);
        assert_eq!(error(json!(null)), Kind::Internal);
        assert_eq!(wire(json!("no")).kind, Kind::Internal);
        for strange in [
            json!({}),
            json!([]),
            json!(7),
            json!({ "errors": {} }),
            json!({ "data": null }),
            json!({ "data": { "a": 1, "b": 2 } }),
        ] {
            assert_eq!(data::<Failure>(strange).map_err(|failure| failure.kind), Err(Kind::Internal));
        }
    }
}
