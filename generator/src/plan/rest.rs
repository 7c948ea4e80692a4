//! Views of what REST adds to an operation: its route, where the input travels, what the answer looks like.

use serde::Serialize;

use crate::{
    contracts::shape,
    escape,
    model::{Field, Method, Model, Operation, Output, Route, Scalar, Segment, Service, Shape, Type, Verb},
    names,
};

use super::operations::{self, OperationView, Param};

/// One operation under REST.
#[derive(Debug, Serialize)]
pub struct RestOperation {
    #[serde(flatten)]
    pub operation: OperationView,
    /// The function that takes its requests.
    pub handler: String,
    /// Of the handler, after `State`: `cx: Cx`, `Path(id): Path<OrderId>`.
    pub extractors: Vec<String>,
    /// The statements of the handler.
    pub body: Vec<String>,
    /// `GET`
    pub verb: &'static str,
    /// Of the client: `"v1"`, `"orders"`, `&id.to_string()`.
    pub segments: Vec<String>,
    /// What the client does before: takes apart what stands in the path and what does not.
    pub before: Vec<String>,
    /// What the client sends besides: `query(&input)`, `json(&input)`.
    pub sends: Vec<String>,
    /// The client's method: `call` or `stream`, `send` or `exchange`.
    pub call: &'static str,
    /// What it is given: `cx, request`, with an input that is a stream.
    pub given: &'static str,
}

/// All operations of one path.
#[derive(Debug, Serialize)]
pub struct RouteView {
    /// A Rust string literal, in axum's form.
    pub path: String,
    /// `get(list_orders).post(create_order)`
    pub methods: String,
}

pub fn operation(model: &Model, service: &Service, operation: &Operation) -> RestOperation {
    let view = operations::view(model, service, operation);
    let route = &operation.route;
    let mut extractors = vec![match (view.reads, view.stream) {
        (false, false) => "cx: Cx".to_owned(),
        (false, true) => "cx: Events".to_owned(),
        (true, false) => format!("upload: Upload<{}>", view.item),
        (true, true) => format!("talk: Talk<{}>", view.item),
    }];
    match &operation.shape {
        Shape::Verb { verb: Verb::Get, .. } => extractors.push("known: IfNoneMatch".into()),
        Shape::Verb { verb: Verb::List, .. } => extractors.push("target: Uri".into()),
        _ => {}
    }
    let located = located(model, operation);
    let lists = lists(model, operation);
    let (mut before, mut reads) = (Vec::new(), Vec::new());
    if view.reads {
        // The request brings nothing else.
    } else if located.is_empty() && lists.is_empty() {
        // What reads the body comes last: axum wants it there.
        let mut rest: Vec<String> = view.params.iter().map(|param| extractor(service, operation, param)).collect();
        rest.sort_by_key(|extractor| extractor.contains("Json<") || extractor.contains("MergePatch<"));
        extractors.extend(rest);
    } else {
        extractors.push("located: Located".into());
        reads.extend(view.params.iter().map(|param| read(operation, param, &located, &lists)));
        before.extend((!located.is_empty()).then(|| apart(&located)));
    }
    let sends = view.params.iter().filter_map(|param| sends(operation, param, !located.is_empty())).collect();
    RestOperation {
        handler: names::rust::handler(&operation.name),
        extractors,
        body: reads.into_iter().chain(body(service, operation, &view)).collect(),
        before,
        verb: match route.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        },
        segments: route.path.iter().map(|segment| client_segment(segment, &located)).collect(),
        sends,
        call: match (view.reads, view.stream) {
            (false, false) => "call",
            (false, true) => "stream",
            (true, false) => "send",
            (true, true) => "exchange",
        },
        given: if view.reads { "cx, request, input" } else { "cx, request" },
        operation: view,
    }
}

/// The routes of a service, in the order of their paths.
pub fn routes<'a>(operations: impl Iterator<Item = &'a Operation>) -> Vec<RouteView> {
    let mut paths: indexmap::IndexMap<String, Vec<String>> = indexmap::IndexMap::new();
    for operation in operations {
        let method = match operation.route.method {
            Method::Get => "get",
            Method::Post => "post",
            Method::Put => "put",
            Method::Patch => "patch",
            Method::Delete => "delete",
        };
        let handler = format!("{method}({})", names::rust::handler(&operation.name));
        paths.entry(path(&operation.route)).or_default().push(handler);
    }
    let view = |(path, methods): (String, Vec<String>)| RouteView {
        path: escape::rust_str(&path),
        methods: match methods.as_slice() {
            [] => String::new(),
            [first, rest @ ..] => {
                std::iter::once(format!("routing::{first}")).chain(rest.iter().map(|m| format!(".{m}"))).collect()
            }
        },
    };
    paths.into_iter().map(view).collect()
}

fn path(route: &Route) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Field(name) => format!("/{{{name}}}"),
    };
    route.path.iter().map(segment).collect()
}

/// A field of the input that stands in the path.
struct Located {
    name: String,
    /// As JSON has it: `InPath::Text("shelf")`.
    written: String,
}

/// The fields of the input in the path. The id of the item is none.
fn located(model: &Model, operation: &Operation) -> Vec<Located> {
    let fields = match &operation.shape {
        Shape::Custom { .. } => shape::input_fields(model, operation),
        Shape::Verb { .. } => Vec::new(),
    };
    let found = operation.route.path.iter().filter_map(|segment| match segment {
        Segment::Field(name) => fields.iter().find(|field| field.name == *name),
        Segment::Literal(_) => None,
    });
    let written = |field: &Field| {
        let plain = |scalar: &Scalar| {
            matches!(scalar, Scalar::Bool | Scalar::I32 { .. } | Scalar::U32 { .. } | Scalar::F64 { .. })
        };
        let is_plain = match &field.ty {
            Type::Scalar(scalar) => plain(scalar),
            Type::Ref(of) => matches!(shape::id_type(model, of), Type::Scalar(scalar) if plain(&scalar)),
            _ => false,
        };
        let kind = if is_plain { "Plain" } else { "Text" };
        Located { name: field.name.clone(), written: format!("InPath::{kind}({})", escape::rust_str(&field.name)) }
    };
    found.map(written).collect()
}

/// The fields of the input that may be lists without a parameter in the query. Others say what they are if absent.
fn lists(model: &Model, operation: &Operation) -> Vec<String> {
    if !operation.route.query {
        return Vec::new();
    }
    let mut fields = shape::input_fields(model, operation);
    fields.retain(|field| shape::may_be_empty(field) && field.default.is_none());
    fields.iter().map(|field| escape::rust_str(&field.name)).collect()
}

/// The statement that reads a parameter of the method.
fn read(operation: &Operation, Param { name, ty, .. }: &Param, located: &[Located], lists: &[String]) -> String {
    if name == "id" {
        // It may stand in the path by its own name.
        let segment = operation.route.path.iter().find_map(|segment| match segment {
            Segment::Field(field) if located.iter().all(|other| other.name != *field) => Some(field.as_str()),
            _ => None,
        });
        return format!("let id: {ty} = located.param({})?;", escape::rust_str(segment.unwrap_or("id")));
    }
    let fields: Vec<&str> = located.iter().map(|field| field.written.as_str()).collect();
    let fields = fields.join(", ");
    match operation.route.query {
        true => format!("let {name}: {ty} = located.query(&[{fields}], &[{}])?;", lists.join(", ")),
        false => format!("let {name}: {ty} = located.json(&[{fields}]).await?;"),
    }
}

/// The client's statement that takes the input apart.
fn apart(located: &[Located]) -> String {
    let names: Vec<String> = located.iter().map(|field| escape::rust_str(&field.name)).collect();
    format!("let (path, rest) = kit_http::apart(&input, [{}])?;", names.join(", "))
}

fn client_segment(segment: &Segment, located: &[Located]) -> String {
    match segment {
        Segment::Literal(text) => escape::rust_str(text),
        Segment::Field(name) => match located.iter().position(|field| field.name == *name) {
            Some(number) => format!("&path[{number}]"),
            // Whatever the id is called, the method's parameter is `id`.
            None => "&id.to_string()".into(),
        },
    }
}

fn extractor(service: &Service, operation: &Operation, Param { name, ty, .. }: &Param) -> String {
    match &operation.shape {
        Shape::Verb { verb, .. } => match (verb, name.as_str()) {
            (_, "id") => format!("Path(id): Path<{ty}>"),
            (Verb::Replace, "etag") if shape::places(service, operation) => "IfMatchOne(etag): IfMatchOne".into(),
            (_, "etag") => "IfMatch(etag): IfMatch".into(),
            (Verb::List, _) => format!("Query({name}): Query<{ty}>"),
            (Verb::Patch, _) => format!("MergePatch({name}): MergePatch<{ty}>"),
            _ => format!("Json({name}): Json<{ty}>"),
        },
        Shape::Custom { .. } if name == "id" => format!("Path(id): Path<{ty}>"),
        Shape::Custom { .. } if operation.route.query => format!("Query({name}): Query<{ty}>"),
        Shape::Custom { .. } => format!("Json({name}): Json<{ty}>"),
    }
}

fn sends(operation: &Operation, Param { name, .. }: &Param, apart: bool) -> Option<String> {
    match &operation.shape {
        _ if name == "id" || operation.reads() => None,
        _ if apart && operation.route.query => Some("query(&rest)".into()),
        _ if apart => Some("json(&rest)".into()),
        Shape::Verb { .. } if name == "etag" => Some("if_match(etag)".into()),
        Shape::Verb { verb: Verb::List, .. } => Some(format!("query(&{name})")),
        Shape::Verb { verb: Verb::Patch, .. } => Some(format!("merge_patch(&{name})")),
        Shape::Custom { .. } if operation.route.query => Some(format!("query(&{name})")),
        _ => Some(format!("json(&{name})")),
    }
}

fn body(
    service: &Service,
    operation: &Operation,
    OperationView { method, arguments, stream, output, .. }: &OperationView,
) -> Vec<String> {
    let call = match (operation.reads(), stream) {
        (true, true) => {
            return vec![format!("talk.answer(|cx, input| async move {{ service.{method}(&cx, input).await }}).await")];
        }
        (true, false) => format!("upload.read(|cx, input| async move {{ service.{method}(&cx, input).await }})"),
        (false, _) => format!("service.{method}(&cx{arguments})"),
    };
    if *stream {
        return vec![format!("cx.answer({call}).await")];
    }
    if output == "()" {
        return vec![format!("{call}.await?;"), "Ok(answer::done())".into()];
    }
    let answer = match &operation.shape {
        Shape::Verb { verb: Verb::List, .. } => "answer::page(&target, answer.next.as_ref(), &answer)".to_owned(),
        Shape::Verb { verb: Verb::Get, .. } => "known.answer(answer.etag, &answer)".into(),
        Shape::Verb { verb: Verb::Create, resource } => {
            format!("answer::created({}, answer.etag, &answer)", place(service, resource))
        }
        Shape::Verb { resource, .. } if shape::places(service, operation) => {
            format!("answer::placed(&cx, {}, answer.etag, &answer)", place(service, resource))
        }
        Shape::Verb { .. } | Shape::Custom { output: Output::Item | Output::Resource(_), .. } => {
            "answer::tagged(answer.etag, &answer)".into()
        }
        Shape::Custom { .. } => "answer::ok(&answer)".into(),
    };
    let answer = match operation.cache.filter(|_| operation.route.method == Method::Get) {
        Some(seconds) => format!("answer::fresh(&cx, {seconds}, {answer})"),
        None => answer,
    };
    vec![format!("let answer = {call}.await?;"), format!("Ok({answer})")]
}

/// The segments of the path at which the answered item is.
fn place(service: &Service, resource: &str) -> String {
    let (plural, id) = service.resources.get(resource).map_or(("", ""), |r| (&r.plural, &r.id));
    let segments = names::path::version(service).into_iter().chain([names::path::segment(plural)]);
    let segments: String = segments.map(|segment| escape::rust_str(&segment) + ", ").collect();
    format!("&[{segments}&answer.{}.to_string()]", names::rust::ident(id))
}
