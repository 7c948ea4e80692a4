use std::{any::TypeId, sync::Arc};

use async_graphql::{
    Data, Executor, ObjectType, Request, Response, Schema, SchemaBuilder, ServerError, SubscriptionType, Value,
};
use futures_util::{
    StreamExt, future,
    stream::{self, BoxStream},
};
use kit::Context;

use crate::{Batches, Documents, Limits, Settings};

/// The schema with its limits and with what loads the resources that others refer to.
pub fn schema<Q, M, S>(
    builder: SchemaBuilder<Q, M, S>,
    settings: Settings,
    batches: impl IntoIterator<Item = Batches>,
) -> Limited<Schema<Q, M, S>>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let Settings { limits, documents } = settings;
    Limited { schema: builder.finish(), limits, documents, batches: batches.into_iter().collect() }
}

/// A schema that executes what is within its [`Limits`]. Each request gets loaders of its own; each answer says which
/// parts of it are stand-ins, and each error has a code.
// Not an extension of async-graphql: with one, every field takes the longer way through it.
#[derive(Clone)]
pub struct Limited<E> {
    schema: E,
    pub(crate) limits: Limits,
    pub(crate) documents: Documents,
    batches: Arc<[Batches]>,
}

impl<Q, M, S> Limited<Schema<Q, M, S>>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    /// The schema in GraphQL's own language.
    pub fn sdl(&self) -> String {
        self.schema.sdl()
    }
}

impl<E> Limited<E> {
    /// The documents that callers have left here.
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// The request as it may be executed, and its context. Over a WebSocket there is the connection's only, of which it
    /// gets one of its own.
    fn admit(&self, mut request: Request, connection: Option<&Data>) -> Result<(Request, Context), ServerError> {
        self.documents.resolve(&mut request)?;
        self.limits.check(&mut request)?;
        let cx = match get::<Context>(&request.data) {
            Some(cx) => cx.clone(),
            None => connection.and_then(get::<Context>).map(Context::next_request).unwrap_or_default(),
        };
        for make in self.batches.iter() {
            make(&cx, &mut request.data);
        }
        request.data.insert(cx.clone());
        if !self.limits.introspection {
            request = request.disable_introspection();
        }
        Ok((request, cx))
    }
}

impl<E: Executor> Executor for Limited<E> {
    async fn execute(&self, request: Request) -> Response {
        match self.admit(request, None) {
            Ok((request, cx)) => finish(self.schema.execute(request).await, &cx),
            Err(refusal) => refused(refusal),
        }
    }

    fn execute_stream(&self, request: Request, connection: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        match self.admit(request, connection.as_deref()) {
            Ok((request, cx)) => {
                self.schema.execute_stream(request, connection).map(move |response| finish(response, &cx)).boxed()
            }
            Err(refusal) => stream::once(future::ready(refused(refusal))).boxed(),
        }
    }
}

fn refused(refusal: ServerError) -> Response {
    coded(Response::from_errors(vec![refusal]))
}

/// Says which parts of the answer are stand-ins.
fn finish(response: Response, cx: &Context) -> Response {
    let response = coded(response);
    let marks = cx.marks().list();
    if marks.is_empty() {
        return response;
    }
    response.extension("fallback", Value::List(marks.into_iter().map(Value::from).collect()))
}

/// Errors of resolvers have a code; any other is wrong input.
fn coded(mut response: Response) -> Response {
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", "INVALID");
        }
    }
    response
}

fn get<T: 'static>(data: &Data) -> Option<&T> {
    data.get(&TypeId::of::<T>()).and_then(|value| value.downcast_ref())
}
