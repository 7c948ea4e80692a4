//! The server: requests in, responses out.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response as Reply},
    routing::post,
};
use futures_util::{StreamExt, stream};
use kit::{Context, Failure, OperationError};
use kit_http::{Cx, JsonText, answer::ok};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    Asked, Error,
    request::{Body, Request},
};

/// Calls of a batch that are at work at a time.
pub const AT_ONCE: usize = 8;

/// What comes of a call: the result as JSON, or the error.
pub type Outcome = Result<Box<RawValue>, Error>;

/// Serves the methods of a service at a path. `call` finds the method and does it.
pub fn endpoint<S, F>(path: &str, service: Arc<S>, call: fn(Arc<S>, Context, Asked) -> F) -> Router
where
    S: ?Sized + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let handler = async move |State(service): State<Arc<S>>, Cx(cx): Cx, JsonText(text): JsonText| {
        respond(&service, call, &cx, &text).await
    };
    Router::new().route(path, post(handler)).with_state(service)
}

/// What an operation answered. "Done" is null.
///
/// # Errors
/// That of the operation.
pub fn answer<T: Serialize, E: OperationError>(result: Result<T, E>) -> Outcome {
    Ok(to_raw_value(&result?).map_err(Failure::internal)?)
}

/// A JSON document as it stands.
///
/// # Errors
/// It is none.
pub fn document(text: &str) -> Outcome {
    Ok(RawValue::from_string(text.to_owned()).map_err(Failure::internal)?)
}

async fn respond<S, F>(service: &Arc<S>, call: fn(Arc<S>, Context, Asked) -> F, cx: &Context, text: &[u8]) -> Reply
where
    S: ?Sized + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    match Body::read(text) {
        Err(error) => ok(&Response::new(RawValue::NULL.to_owned(), Err(error), cx)),
        Ok(Body::One(request)) => {
            let response = one(service.clone(), call, cx.clone(), request).await;
            response.map_or_else(nothing, |response| ok(&response))
        }
        Ok(Body::Many(requests)) => {
            let calls = requests.into_iter().enumerate().map(|(index, request)| {
                let key = cx.idempotency_key().map(|key| format!("{key}/{index}"));
                let cx = key.into_iter().fold(cx.call(), Context::keyed);
                one(service.clone(), call, cx, request)
            });
            let responses = stream::iter(calls).buffered(AT_ONCE).filter_map(std::future::ready);
            let responses: Vec<Response> = responses.collect().await;
            if responses.is_empty() { nothing() } else { ok(&responses) }
        }
    }
}

/// Notifications are done, and never answered.
fn nothing() -> Reply {
    StatusCode::NO_CONTENT.into_response()
}

async fn one<S, F>(
    service: Arc<S>,
    call: fn(Arc<S>, Context, Asked) -> F,
    cx: Context,
    Request { id, asked }: Request,
) -> Option<Response>
where
    S: ?Sized + Send + Sync + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let outcome = match asked {
        Ok(asked) => in_time(&cx, call(service, cx.clone(), asked)).await,
        Err(error) => Err(error),
    };
    Some(Response::new(id?, outcome, &cx))
}

/// The deadline is the edge's too; but here it ends one call of a batch, and the others are answered.
async fn in_time(cx: &Context, call: impl Future<Output = Outcome>) -> Outcome {
    let outcome = cx.limit(async { Ok::<_, Failure>(call.await) }).await;
    outcome.unwrap_or_else(|late| Err(late.into()))
}

/// Section 5 of the specification: either a result or an error.
#[derive(Serialize)]
struct Response {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
    id: Box<RawValue>,
}

impl Response {
    fn new(id: Box<RawValue>, outcome: Outcome, cx: &Context) -> Self {
        let (result, error) = match outcome {
            Ok(result) => (Some(result), None),
            Err(error) => (None, Some(error.in_trace(&cx.trace().id()))),
        };
        Self { jsonrpc: "2.0", result, error, id }
    }
}
