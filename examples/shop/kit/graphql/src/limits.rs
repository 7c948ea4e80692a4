use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{
    Data, ObjectType, Request, Response, Schema, SchemaBuilder, ServerError, ServerResult, SubscriptionType,
    ValidationResult, Value, Variables,
    async_trait::async_trait,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextPrepareRequest, NextRequest,
        NextSubscribe, NextValidation,
    },
    parser::{
        self,
        types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
    },
};
use futures_util::{StreamExt, stream::BoxStream};
use kit::Context;

use crate::{Batches, extent::Extent};

/// What a request may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Fields within fields.
    pub depth: usize,
    /// Fields in all.
    pub complexity: usize,
    /// Fields under another name, which can be the same one many times.
    pub aliases: usize,
    /// Requests sent as one.
    pub batch: usize,
    /// Whether the schema may be asked for. It has limits of its own then, within which tools ask.
    pub introspection: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 10, complexity: 1000, aliases: 30, batch: 10, introspection: true }
    }
}

/// Fields in all of a document that asks for nothing but the schema.
const SCHEMA_FIELDS: usize = 1000;
/// Members of types within members of types, in what asks for the schema. Tools ask for one level.
const SCHEMA_MEMBERS: usize = 2;

/// The schema with its limits and with what loads the resources that others refer to.
pub fn schema<Q, M, S>(
    builder: SchemaBuilder<Q, M, S>,
    limits: Limits,
    batches: impl IntoIterator<Item = Batches>,
) -> Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let batches = batches.into_iter().collect();
    builder.extension(Around(Arc::new(Settings { limits, batches }))).data(limits).finish()
}

struct Settings {
    limits: Limits,
    batches: Vec<Batches>,
}

struct Around(Arc<Settings>);

impl ExtensionFactory for Around {
    fn create(&self) -> Arc<dyn Extension> {
        let (operation, about_schema) = (OnceLock::new(), AtomicBool::new(false));
        Arc::new(InRequest { settings: self.0.clone(), operation, about_schema })
    }
}

/// One request on its way.
struct InRequest {
    settings: Arc<Settings>,
    /// The name of the operation that is asked for.
    operation: OnceLock<Option<String>>,
    /// It asks for nothing but the schema.
    about_schema: AtomicBool,
}

#[async_trait]
impl Extension for InRequest {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        coded(next.run(ctx).await)
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        next.run(ctx, stream).map(coded).boxed()
    }

    /// Each request has its context and its loaders. Over a WebSocket it has the connection's context only.
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let cx = match get::<Context>(&request.data) {
            Some(cx) => cx.clone(),
            None => ctx.data_opt::<Context>().map(Context::next_request).unwrap_or_default(),
        };
        for make in &self.settings.batches {
            make(&cx, &mut request.data);
        }
        request.data.insert(cx);
        self.operation.get_or_init(|| request.operation_name.clone());
        if !self.settings.limits.introspection {
            request = request.disable_introspection();
        }
        next.run(ctx, request).await
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        // The parser itself is fast; what comes after it walks through every fragment wherever it stands.
        let Extent { fields, members } = Extent::of(&parser::parse_query(query)?);
        let most = self.settings.limits.complexity.max(SCHEMA_FIELDS);
        if fields > most {
            return Err(too_much("fields", fields, most));
        }
        if members > SCHEMA_MEMBERS {
            return Err(too_much("levels of members of the schema's types", members, SCHEMA_MEMBERS));
        }
        let document = next.run(ctx, query, variables).await?;
        let operations = || document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
        let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
        let aliases: usize = operations().chain(fragments).map(aliases).sum();
        if aliases > self.settings.limits.aliases {
            return Err(too_much("aliases", aliases, self.settings.limits.aliases));
        }
        let wanted = self.operation.get().and_then(Option::as_deref);
        let operation = document.operations.iter().find(|(name, _)| name.map(|name| name.as_str()) == wanted);
        let operation = operation.or_else(|| document.operations.iter().next());
        if let Some(name) = operation.and_then(|(_, operation)| missing(&operation.node, variables)) {
            return Err(ServerError::new(format!("the variable ${name} is missing"), None));
        }
        self.about_schema.store(operations().all(is_about_schema), Ordering::Relaxed);
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        let Limits { depth, complexity, .. } = self.settings.limits;
        if !self.about_schema.load(Ordering::Relaxed) {
            if result.depth > depth {
                return Err(vec![too_much("levels", result.depth, depth)]);
            }
            if result.complexity > complexity {
                return Err(vec![too_much("fields", result.complexity, complexity)]);
            }
        }
        Ok(result)
    }

    /// Says which parts of the answer are stand-ins.
    async fn execute(&self, ctx: &ExtensionContext<'_>, operation: Option<&str>, next: NextExecute<'_>) -> Response {
        let response = next.run(ctx, operation).await;
        match ctx.data_opt::<Context>().map(|cx| cx.marks().list()) {
            Some(marks) if !marks.is_empty() => {
                let marks = marks.into_iter().map(Value::from).collect();
                response.extension("fallback", Value::List(marks))
            }
            _ => response,
        }
    }
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

fn too_much(what: &str, count: usize, limit: usize) -> ServerError {
    ServerError::new(format!("the request has {count} {what}, at most {limit} are allowed"), None)
}

/// The first variable that must be given and is not. Without this it would be an error of the field that uses it.
fn missing<'a>(operation: &'a OperationDefinition, variables: &Variables) -> Option<&'a str> {
    let given = |name: &str| variables.get(name).is_some_and(|value| *value != Value::Null);
    let missing = operation.variable_definitions.iter().map(|definition| &definition.node).find(|definition| {
        let optional = definition.var_type.node.nullable || definition.default_value.is_some();
        !optional && !given(definition.name.node.as_str())
    });
    missing.map(|definition| definition.name.node.as_str())
}

fn aliases(set: &SelectionSet) -> usize {
    let one = |selection: &Selection| match selection {
        Selection::Field(field) => usize::from(field.node.alias.is_some()) + aliases(&field.node.selection_set.node),
        Selection::InlineFragment(fragment) => aliases(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    };
    set.items.iter().map(|selection| one(&selection.node)).sum()
}

/// All fields of an operation are those of introspection. What they lead to cannot be anything else.
fn is_about_schema(set: &SelectionSet) -> bool {
    let is = |selection: &Selection| match selection {
        Selection::Field(field) => field.node.name.node.starts_with("__"),
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => false,
    };
    set.items.iter().all(|selection| is(&selection.node))
}

pub(crate) fn get<T: 'static>(data: &Data) -> Option<&T> {
    data.get(&std::any::TypeId::of::<T>()).and_then(|value| value.downcast_ref())
}
