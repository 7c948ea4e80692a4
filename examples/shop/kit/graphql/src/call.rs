use std::{pin::Pin, time::Duration};

use async_graphql::{Error, ErrorExtensionValues, Result, Value};
use futures_util::{Stream, StreamExt};
use kit::{Context, Kind, OperationError, Validate};
use tokio::time::Instant;

use crate::{Input, Output};

/// How long a field may take whose request brings no deadline, as over a WebSocket.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// The context of the call behind a field. Several calls of a request have aliases, so each has an idempotency key of
/// its own: the alias belongs to it.
pub fn context(field: &async_graphql::Context<'_>) -> Context {
    let cx = field.data_opt::<Context>().cloned().unwrap_or_default().or_within(TIMEOUT);
    match (cx.idempotency_key(), field.field().alias()) {
        (Some(key), Some(alias)) => {
            let key = format!("{key}/{alias}");
            cx.keyed(key)
        }
        _ => cx,
    }
}

/// The context of the call that opens a subscription. The deadline of a request over events is that of the opening alone.
pub fn opening(field: &async_graphql::Context<'_>) -> Context {
    let end = field.data_opt::<Opening>().map(|Opening(end)| end.saturating_duration_since(Instant::now()));
    end.into_iter().fold(context(field), Context::within)
}

/// When a subscription has to be open.
pub(crate) struct Opening(pub Instant);

/// The input, valid.
pub fn received<T: Validate>(cx: &Context, input: impl Input<T>) -> Result<T> {
    let checked = input.read().and_then(|input| input.check().map(|()| input));
    checked.map_err(|failure| error(cx, &failure))
}

/// The view of what an operation answered.
pub fn answer<G: Output<T>, T, E: OperationError>(cx: &Context, result: std::result::Result<T, E>) -> Result<G> {
    result.map(G::of).map_err(|failed| error(cx, &failed))
}

/// The view of an item, or null if there is none.
pub fn found<G: Output<T>, T, E: OperationError>(cx: &Context, result: std::result::Result<T, E>) -> Result<Option<G>> {
    match result {
        Err(failed) if failed.kind() == Kind::NotFound => Ok(None),
        other => answer(cx, other).map(Some),
    }
}

/// True, which is what an operation without output answers.
pub fn done<E: OperationError>(cx: &Context, result: std::result::Result<(), E>) -> Result<bool> {
    result.map(|()| true).map_err(|failed| error(cx, &failed))
}

/// Lets a call that is passed on go on, or says why not.
pub fn admitted<E: OperationError>(cx: &Context, result: std::result::Result<(), E>) -> Result<()> {
    result.map_err(|failed| error(cx, &failed))
}

/// What a field shows that takes nothing from the others if it fails: null, and the error at its path.
// An error that a resolver returns leaves its field out, where GraphQL has null (June 2018, 6.4.4).
pub fn alone<G>(field: &async_graphql::Context<'_>, result: Result<G>) -> Option<G> {
    result.map_err(|error| field.add_error(field.set_error_path(error.into_server_error(field.item.pos)))).ok()
}

/// The views of a subscription's items.
pub type Items<G> = Pin<Box<dyn Stream<Item = Result<G>> + Send>>;

/// A subscription to the items of a stream.
pub fn items<G, T, E>(cx: &Context, result: std::result::Result<kit::Stream<T, E>, E>) -> Result<Items<G>>
where
    G: Output<T>,
    T: 'static,
    E: OperationError,
{
    let items = result.map_err(|failed| error(cx, &failed))?;
    let cx = cx.clone();
    Ok(Box::pin(items.map(move |item| answer(&cx, item))))
}

/// An error with the extensions `code` (the kind), `error` (the name of a declared error) and its `data`, `fields`,
/// `retryAfter` in seconds, `traceId`. What caused a failure is logged here and stays here.
pub fn error(cx: &Context, error: &impl OperationError) -> Error {
    let trace_id = cx.trace().id();
    kit::log_cause(error, Some(&trace_id));
    let wire = error.to_wire();
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", wire.kind.as_str().to_ascii_uppercase());
    extensions.set("traceId", trace_id);
    if let Some(name) = wire.code {
        extensions.set("error", name);
    }
    for (name, value) in [("data", Ok(wire.data)), ("fields", serde_json::to_value(wire.fields))] {
        let value = value.ok().and_then(|value| Value::from_json(value).ok()).unwrap_or_default();
        if value != Value::Null && value != Value::List(Vec::new()) {
            extensions.set(name, value);
        }
    }
    if let Some(pause) = wire.retry_after {
        extensions.set("retryAfter", pause.as_secs_f64());
    }
    Error { message: wire.detail, source: None, extensions: Some(extensions) }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema, SimpleObject};
    use kit::Failure;
    use serde_json::json;

    use super::*;

    struct Query;

    #[derive(SimpleObject)]
    struct Part {
        name: String,
    }

    #[Object]
    impl Query {
        async fn whole(&self, ctx: &async_graphql::Context<'_>) -> Option<Part> {
            alone(ctx, Ok(Part { name: "a".into() }))
        }

        async fn broken(&self, ctx: &async_graphql::Context<'_>) -> Option<Part> {
            alone(ctx, Err(error(&context(ctx), &Failure::new(Kind::Unavailable, "gone"))))
        }
    }

    #[tokio::test]
    async fn what_fails_alone_is_null_and_takes_nothing_along() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        for (query, data, path) in [
            ("{ whole { name } it: broken { name } }", json!({ "whole": { "name": "a" }, "it": null }), json!(["it"])),
            ("{ broken { name } }", json!({ "broken": null }), json!(["broken"])),
        ] {
            let answer = json!(schema.execute(Request::new(query)).await);
            let error = &answer["errors"][0];
            assert_eq!((&answer["data"], &error["path"]), (&data, &path), "{answer}");
            assert_eq!((&error["message"], &error["extensions"]["code"]), (&json!("gone"), &json!("UNAVAILABLE")));
        }
    }
}
