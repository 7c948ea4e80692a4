//! Views of what GraphQL adds to a contract: the fields of the roots, what loads references, the types of the schema.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    contracts::{
        graphql::{self as schema, Needed, Side},
        shape,
    },
    escape,
    model::{Input, Model, Operation, Output, Service, Shape, StreamItem, Type, Verb, Via},
    names,
};

use super::{
    batch_get::{self, BatchGet},
    operations::{self, OperationView},
    rust::user,
};

mod behind;
mod client;
mod types;

use behind::Found;
pub use behind::{Answerer, Behind, behind};
pub use client::{Client, client};
use types::{Definition, Member, Types, Writer};

/// What the templates of a contract's GraphQL see.
#[derive(Debug, Serialize)]
pub struct View {
    /// The files below the module.
    pub modules: Vec<&'static str>,
    /// Others of the system call it over GraphQL.
    pub has_client: bool,
    /// Whether there is anything to ask for.
    pub has_queries: bool,
    pub queries: Vec<RootField>,
    pub mutations: Vec<RootField>,
    pub subscriptions: Vec<RootField>,
    /// Records of which the fields are arguments.
    pub arguments: Vec<Definition>,
    pub loaders: Vec<Loader>,
    /// What the roots hold: `Arc<dyn crate::Orders>`, or a struct of several.
    pub held: String,
    /// What is in that struct.
    pub members: Vec<Answerer>,
    /// A gate is too: what passes is counted.
    pub counts: bool,
    /// What makes the schema: `Query(service.clone())`, `EmptyMutation`, …
    pub roots: Vec<String>,
    /// The calls that make the loaders.
    pub batches: Vec<String>,
    /// The types of the roots.
    pub root_types: [&'static str; 3],
    /// Those of them that are declared.
    pub own_roots: Vec<&'static str>,
    pub types: Types,
}

/// A field of a root: one operation.
#[derive(Debug, Serialize)]
pub struct RootField {
    pub docs: Vec<String>,
    pub attributes: Vec<String>,
    pub method: String,
    /// After `&self`: `ctx: &Context<'_>`, `#[graphql(desc = "…")] id: Key<OrderId>`.
    pub parameters: Vec<String>,
    pub returns: String,
    /// The statements.
    pub body: Vec<String>,
}

/// What gets the resources of one kind.
#[derive(Debug, Serialize)]
pub struct Loader {
    /// `load_customer`
    pub function: String,
    pub service_trait: String,
    /// What it is made of: `service`, `services.orders`.
    #[serde(skip)]
    pub made_of: String,
    pub id: String,
    /// The method of the service.
    pub get: String,
    /// That for several, where there is one.
    pub batch: Vec<BatchGet>,
}

/// `service_trait` is that of the service; `behind`: the schema is composed.
pub fn view(model: &Model, service: &Service, service_trait: &str, behind: Option<Behind>) -> View {
    let Some(behind) = behind else {
        return view_of(&Writer { model, service, found: Found(None) }, service_trait);
    };
    let writer =
        Writer { model: &behind.composed.model, service: &behind.composed.service, found: Found(Some(&behind)) };
    // Who calls the front knows its own operations alone.
    let view = View { has_client: is_called(model, service), ..view_of(&writer, service_trait) };
    View { members: behind.members, counts: behind.counts, held: "super::Services".into(), ..view }
}

fn view_of(writer: &Writer<'_>, service_trait: &str) -> View {
    let Writer { model, service, found } = *writer;
    let definitions = schema::definitions(model, service);
    let types = Types::of(writer, &definitions);
    let inputs = !(types.given.is_empty() && types.filters.is_empty());
    let answers = !types.answers.is_empty();
    let mut view = View {
        modules: inputs
            .then_some("inputs")
            .into_iter()
            .chain(["operations"])
            .chain(answers.then_some("types"))
            .collect(),
        has_client: is_called(model, service),
        has_queries: false,
        queries: Vec::new(),
        mutations: Vec::new(),
        subscriptions: Vec::new(),
        arguments: Vec::new(),
        loaders: loaders(writer, service_trait, &definitions),
        held: format!("Arc<dyn crate::{service_trait}>"),
        members: Vec::new(),
        counts: false,
        roots: Vec::new(),
        batches: Vec::new(),
        root_types: ["Query", "EmptyMutation", "EmptySubscription"],
        own_roots: vec!["Query"],
        types,
    };
    for operation in service.operations.values().filter(|operation| schema::is_served(model, service, operation)) {
        let fields = match schema::root(operation) {
            "Query" => &mut view.queries,
            "Mutation" => &mut view.mutations,
            _ => &mut view.subscriptions,
        };
        fields.push(root_field(writer, operation));
        view.arguments.extend(arguments(writer, operation));
    }
    view.has_queries = !view.queries.is_empty();
    let mut root = |name: &'static str, index: usize, has: bool| {
        if has && index > 0 {
            view.root_types[index] = name;
            view.own_roots.push(name);
        }
        let held = if found.0.is_some() { "services" } else { "service" };
        let made = if has { format!("{name}({held}.clone())") } else { view.root_types[index].to_owned() };
        view.roots.push(made);
    };
    root("Query", 0, view.has_queries);
    root("Mutation", 1, !view.mutations.is_empty());
    root("Subscription", 2, !view.subscriptions.is_empty());
    view.batches =
        view.loaders.iter().map(|loader| format!("{}({}.clone())", loader.function, loader.made_of)).collect();
    // The last one to get the service keeps it.
    let last = view.roots.iter_mut().chain(&mut view.batches).rev().find(|made| made.contains(".clone()"));
    if let Some(made) = last {
        *made = made.replace(".clone()", "");
    }
    view
}

/// Whether any link to the service goes over GraphQL.
pub fn is_called(model: &Model, service: &Service) -> bool {
    model.links.iter().any(|link| link.callee() == Some(&service.name) && link.via() == Some(Via::Graphql))
}

/// Where the names that the files of the module use are imported from: `types` and `inputs` have their own.
pub fn imports(view: &View, contract: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut names = contract.clone();
    names.extend(view.types.answers.iter().map(|name| (name.clone(), "super::types".to_owned())));
    names.extend(view.types.inputs.iter().map(|name| (name.clone(), "super::inputs".to_owned())));
    names
}

fn loaders(writer: &Writer<'_>, service_trait: &str, definitions: &[(String, Needed)]) -> Vec<Loader> {
    let Writer { model, service, found } = *writer;
    let get = |resource: &String| {
        let is = |operation: &&Operation| matches!(&operation.shape, Shape::Verb { verb: Verb::Get, resource: of } if of == resource);
        let operation = service.operations.values().find(is)?;
        let function = format!("load_{}", names::snake(resource));
        let id = found.id(resource);
        Some(match found.getter(operation) {
            Some((member, method)) => Loader {
                service_trait: member.service_trait.clone(),
                made_of: format!("services.{}", member.field),
                get: method.to_owned(),
                batch: Vec::new(),
                function,
                id,
            },
            None => Loader {
                service_trait: format!("crate::{service_trait}"),
                made_of: "service".into(),
                get: names::rust::ident(&operation.name),
                batch: batch_get::of(model, service, operation).into_iter().collect(),
                function,
                id,
            },
        })
    };
    referred(model, service, definitions).iter().filter_map(get).collect()
}

/// The resources that the answers of a schema refer to.
fn referred(model: &Model, service: &Service, definitions: &[(String, Needed)]) -> BTreeSet<String> {
    let references = |needed: &Needed| {
        types::shown_fields(model, service, needed).map(|fields| schema::references(service, &fields))
    };
    let all = definitions.iter().filter_map(|(_, needed)| references(needed)).flatten();
    all.map(|reference| reference.to.resource).collect()
}

/// Whether any answer of a service's schema refers to a resource of it.
pub fn refers_to(model: &Model, service: &Service, resource: &str) -> bool {
    referred(model, service, &schema::definitions(model, service)).contains(resource)
}

/// The record that holds the arguments of an operation, if they are the fields of one.
fn arguments(writer: &Writer<'_>, operation: &Operation) -> Option<Definition> {
    let view = operations::view(writer.model, writer.service, operation);
    let (number, input) =
        view.params.iter().enumerate().find(|(_, param)| matches!(param.name.as_str(), "input" | "query"))?;
    let members: Vec<Member> = match &operation.shape {
        Shape::Custom { .. } => {
            let fields = shape::input_fields(writer.model, operation);
            fields.iter().map(|field| Member::plain(&field.name, writer.boxed(&field.ty, Side::Input, None))).collect()
        }
        Shape::Verb { resource, .. } => {
            let resource = writer.service.resources.get(resource)?;
            let mut members =
                vec![Member::plain("limit", "Option<i32>".into()), Member::plain("cursor", "Option<String>".into())];
            if !resource.sort.is_empty() {
                members.push(Member::plain("sort", format!("Vec<{}>", user(&format!("{}Sort", resource.name)))));
            }
            let fields = shape::filter_fields(resource);
            members.extend(fields.iter().map(|field| Member::plain(&field.name, writer.ty(&field.ty, Side::Input))));
            members
        }
    };
    let taken = writer.found.taken(operation, number, &input.ty);
    Some(Definition::new("arguments", format!("{} for {taken}", arguments_name(operation)), members))
}

fn arguments_name(operation: &Operation) -> String {
    names::upper_camel(&operation.name) + "Arguments"
}

fn root_field(writer: &Writer<'_>, operation: &Operation) -> RootField {
    let view = operations::view(writer.model, writer.service, operation);
    let name = match &operation.shape {
        Shape::Custom { .. } => names::graphql::field(&operation.name),
        Shape::Verb { verb, resource } => {
            let plural = writer.service.resources.get(resource).map_or("", |resource| &resource.plural);
            names::graphql::verb_field(*verb, resource, plural)
        }
    };
    let method = match &operation.shape {
        Shape::Custom { .. } => operation.name.clone(),
        Shape::Verb { .. } => names::snake(&name),
    };
    let (given, read) = match &operation.shape {
        Shape::Custom { of, input, .. } => custom_parameters(writer, operation, of.as_deref(), input),
        Shape::Verb { verb, resource } => verb_parameters(writer, operation, *verb, resource),
    };
    let (returns, answer) = returned(writer, operation, &view);
    let mut attributes = types::attributes([types::renamed(&method, &name), writer.cache(operation)]);
    // Clippy counts the receiver.
    if given.len() + 2 > 7 {
        attributes.push("#[allow(clippy::too_many_arguments, reason = \"they are those of the schema\")]".into());
    }
    let mut body = body(&view, &writer.found.call(operation, &view.method), &read, answer);
    if writer.found.counts(operation) {
        // What cannot be read counts for nothing.
        body.insert(body.len() - 1, "kit_graphql::admitted(&cx, self.0.gate.admit_passing(&cx).await)?;".into());
    }
    if given.iter().any(|parameter| parameter.contains(WHERE)) {
        body.insert(1, "let filter = filter.unwrap_or_default();".into());
    }
    // Where null may stand, and of a composed schema everywhere.
    let may_fail_alone =
        (writer.service.composes() || returns.starts_with("Option<")) && schema::root(operation) != "Subscription";
    let returns = match may_fail_alone {
        true => alone(&mut body, &returns),
        false => format!("Result<{returns}>"),
    };
    RootField {
        docs: types::docs(&operation.docs),
        attributes,
        method: names::rust::ident(&method),
        parameters: std::iter::once("ctx: &Context<'_>".to_owned()).chain(given).collect(),
        returns,
        body,
    }
}

/// Makes a field of it that fails alone: null, with the error beside it.
fn alone(body: &mut Vec<String>, returns: &str) -> String {
    body.insert(1, "let answer = async {".into());
    body.push("};".into());
    let is_optional = returns.starts_with("Option<");
    body.push(format!("kit_graphql::alone(ctx, answer.await){}", if is_optional { ".flatten()" } else { "" }));
    if is_optional { returns.to_owned() } else { format!("Option<{returns}>") }
}

fn body(view: &OperationView, called: &str, read: &[String], answer: &str) -> Vec<String> {
    let OperationView { params, arguments, .. } = view;
    let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
    let names = if names.len() == 1 { names.concat() } else { format!("({})", names.join(", ")) };
    let read = match read {
        [] => None,
        [one] => Some(format!("let {names} = kit_graphql::received(&cx, {one})?;")),
        many => Some(format!("let {names} = kit_graphql::received(&cx, ({}))?;", many.join(", "))),
    };
    let call = format!("kit_graphql::{answer}(&cx, cx.limit(self.0.{called}(&cx{arguments})).await)");
    let context = if view.stream { "opening" } else { "context" };
    std::iter::once(format!("let cx = kit_graphql::{context}(ctx);")).chain(read).chain([call]).collect()
}

/// The parameters of a resolver, and what of them makes each argument of the operation.
fn custom_parameters(
    writer: &Writer<'_>,
    operation: &Operation,
    of: Option<&str>,
    input: &Input,
) -> (Vec<String>, Vec<String>) {
    let (mut parameters, mut read) = (Vec::new(), Vec::new());
    if let Some(resource) = of {
        parameters.push(id_parameter(writer, resource));
        read.push("id".to_owned());
    }
    if *input != Input::None {
        let fields = shape::input_fields(writer.model, operation);
        let mut shorthand = Vec::new();
        for field in &fields {
            let ident = names::rust::ident(&field.name);
            // These are names of the macro's or of this function's own.
            let taken = matches!(field.name.as_str(), "ctx" | "cx" | "field_name");
            let variable = if taken { format!("{ident}_") } else { ident.clone() };
            shorthand.push(if taken { format!("{ident}: {variable}") } else { ident });
            parameters.push(writer.parameter(field, &variable));
        }
        read.push(format!("{} {{ {} }}", arguments_name(operation), shorthand.join(", ")));
    }
    (parameters, read)
}

fn id_parameter(writer: &Writer<'_>, resource: &str) -> String {
    let of = shape::of_service(writer.service, resource);
    writer.parameter(&shape::item_id(&of), "id")
}

fn verb_parameters(
    writer: &Writer<'_>,
    operation: &Operation,
    verb: Verb,
    resource: &str,
) -> (Vec<String>, Vec<String>) {
    let id = || id_parameter(writer, resource);
    let etag =
        || format!("#[graphql(desc = {})] etag: Option<String>", escape::rust_str(&escape::markdown(schema::ETAG)));
    let read = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let new = format!("input: {}", user(&names::graphql::input(&format!("New{resource}"))));
    let draft = format!("input: {}", user(&names::graphql::input(resource)));
    let patch = format!("set: {}", user(&format!("{resource}Patch")));
    match verb {
        Verb::List => list_parameters(writer, operation, resource),
        Verb::Get => (vec![id()], read(&["id"])),
        Verb::Create => (vec![new], read(&["input"])),
        Verb::Replace => (vec![id(), draft, etag()], read(&["id", "input", "etag"])),
        Verb::Patch => (vec![id(), patch, etag()], read(&["id", "set", "etag"])),
        Verb::Delete => (vec![id(), etag()], read(&["id", "etag"])),
    }
}

/// Begins the parameter with the filter of a list; `where` is no name in Rust.
const WHERE: &str = "#[graphql(name = \"where\")] filter: ";

fn list_parameters(writer: &Writer<'_>, operation: &Operation, resource: &str) -> (Vec<String>, Vec<String>) {
    let desc = |text: &str| escape::rust_str(&escape::markdown(text));
    let mut parameters = vec![
        format!("#[graphql(desc = {})] first: Option<i32>", desc(schema::FIRST)),
        format!("#[graphql(desc = {})] after: Option<String>", desc(schema::AFTER)),
    ];
    let mut members = vec!["limit: first".to_owned(), "cursor: after".to_owned()];
    let Some(found) = writer.service.resources.get(resource) else { return (parameters, Vec::new()) };
    if !found.filter.is_empty() {
        parameters.push(format!("{WHERE}Option<{}>", user(&format!("{resource}Filter"))));
    }
    if !found.sort.is_empty() {
        parameters.push(format!("order_by: Option<Vec<{}>>", user(&format!("{resource}Sort"))));
        members.push("sort: order_by.unwrap_or_default()".to_owned());
    }
    let fields = shape::filter_fields(found);
    members.extend(fields.iter().map(|field| {
        let name = names::rust::ident(&field.name);
        let or = if matches!(field.ty, Type::Optional(_)) { "" } else { ".unwrap_or_default()" };
        format!("{name}: filter.{name}{or}")
    }));
    (parameters, vec![format!("{} {{ {} }}", arguments_name(operation), members.join(", "))])
}

/// What a resolver gives, and the kit's function that makes it.
fn returned(writer: &Writer<'_>, operation: &Operation, view: &OperationView) -> (String, &'static str) {
    let shown = |ty: Type| writer.ty(&ty, Side::Output);
    let item = |resource: &str| shown(Type::Resource(shape::of_service(writer.service, resource)));
    match &operation.shape {
        Shape::Verb { verb: Verb::List, resource } => (user(&names::graphql::connection(resource)), "answer"),
        Shape::Verb { verb: Verb::Get, resource } => (format!("Option<{}>", item(resource)), "found"),
        Shape::Verb { verb: Verb::Delete, .. } => ("bool".into(), "done"),
        Shape::Verb { resource, .. } => (item(resource), "answer"),
        Shape::Custom { output, .. } => match output {
            Output::None => ("bool".into(), "done"),
            Output::Named(name) => (shown(shape::named_type(name)), "answer"),
            Output::Resource(of) => (shown(Type::Resource(of.clone())), "answer"),
            Output::Fields(_) => (view.output.clone(), "answer"),
            Output::Item => match shape::on_item(operation) {
                Some(resource) => (item(resource), "answer"),
                None => ("bool".into(), "done"),
            },
            Output::Stream(StreamItem::Named(name)) => (format!("Items<{}>", shown(shape::named_type(name))), "items"),
            Output::Stream(StreamItem::Resource(of)) => {
                (format!("Items<{}>", shown(Type::Resource(of.clone()))), "items")
            }
        },
    }
}
