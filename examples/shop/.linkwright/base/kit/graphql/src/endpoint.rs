use async_graphql::{Executor, parser::types::OperationType};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use futures_util::future;
use kit::Context;
use serde::Serialize;

use crate::{
    Limited,
    request::{Answer, Asked, Form, Refusal, got, posted},
    watch,
};

/// Serves a schema made by [`schema`](crate::schema).
///
/// * `POST /graphql`: a request, or several as a list; `GET /graphql`: a query. GraphQL over HTTP.
/// * `/graphql/ws`: any operation over WebSocket, protocol `graphql-transport-ws`.
/// * `POST` or `GET /graphql/stream`: a subscription as server-sent events, each `next`, at the end `complete`.
pub fn endpoint<E: Executor>(schema: Limited<E>) -> Router {
    Router::new()
        .route("/graphql", get(query).post(execute))
        .route("/graphql/ws", any(watch::socket))
        .route("/graphql/stream", get(watch::got_stream).post(watch::posted_stream))
        .with_state(schema)
}

/// The context that the edge made of the request.
pub(crate) type Cx = Option<Extension<Context>>;

async fn execute<E: Executor>(State(schema): State<Limited<E>>, cx: Cx, headers: HeaderMap, body: Bytes) -> Response {
    let Some(form) = Form::wanted(&headers) else { return not_acceptable() };
    let cx = cx.map(|Extension(cx)| cx).unwrap_or_default();
    match posted(&headers, &body, schema.limits.batch) {
        Err(refusal) => refused(form, &refusal),
        Ok(Asked::One(request)) => {
            let response = schema.execute(request.data(cx)).await;
            let answer = Answer::from(&response);
            held(written(form, answer.status(form), &answer), &response)
        }
        Ok(Asked::Many(requests)) => {
            let responses = requests.into_iter().enumerate().map(|(index, request)| {
                // As in `context`: each call has an idempotency key of its own.
                let key = cx.idempotency_key().map(|key| format!("{key}/{index}"));
                schema.execute(request.data(key.into_iter().fold(cx.clone(), Context::keyed)))
            });
            let responses = future::join_all(responses).await;
            written(form, StatusCode::OK, &responses.iter().map(Answer::from).collect::<Vec<_>>())
        }
    }
}

async fn query<E: Executor>(State(schema): State<Limited<E>>, cx: Cx, headers: HeaderMap, uri: Uri) -> Response {
    let Some(form) = Form::wanted(&headers) else { return not_acceptable() };
    let request = match got(&uri, &[OperationType::Query], &schema.documents) {
        Ok(request) => request,
        Err(refusal) => return refused(form, &refusal),
    };
    let cx = cx.map(|Extension(cx)| cx).unwrap_or_default();
    let response = schema.execute(request.data(cx)).await;
    let answer = Answer::from(&response);
    let mut written = held(written(form, answer.status(form), &answer), &response);
    // Nobody may guess (RFC 9111 §4.2.2): what is not said to hold does not.
    written.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    written
}

/// Says how long an answer holds: as long as the part of it that holds shortest, and not if anything went wrong or is a
/// stand-in. Which media type it has depends on what was asked for.
fn held(mut written: Response, response: &async_graphql::Response) -> Response {
    let seconds = response.cache_control.max_age;
    if seconds > 0 && response.errors.is_empty() && response.extensions.is_empty() {
        let headers = written.headers_mut();
        if let Ok(value) = HeaderValue::try_from(format!("max-age={seconds}")) {
            headers.insert(header::CACHE_CONTROL, value);
        }
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    written
}

pub(crate) fn refused(form: Form, refusal: &Refusal) -> Response {
    let status = refusal.status(form);
    let mut response = written(form, status, &refusal.body());
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn not_acceptable() -> Response {
    let why = "answers are application/graphql-response+json or application/json";
    refused(Form::Json, &Refusal::new(StatusCode::NOT_ACCEPTABLE, why))
}

fn written(form: Form, status: StatusCode, answer: &impl Serialize) -> Response {
    let body = serde_json::to_vec(answer).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, form.name())], body).into_response()
}
