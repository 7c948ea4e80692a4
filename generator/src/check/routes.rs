//! Where operations live under REST (LANGUAGE §5).

use std::collections::HashMap;

use super::{Checker, types};
use crate::{
    design::{self, Word},
    diagnostic::{Diagnostic, nearest},
    fit,
    model::{
        Field, Method, Model, Operation, OperationKind, OperationRef, Resource, Route, Scalar, Segment, Service, Shape,
        Type, TypeDef, Verb, Versioning,
    },
    names::{self, rules::shown},
    source::{Span, Spanned},
};

/// First segments, after the version, that the kit serves itself.
const RESERVED: &[&str] = &["-", "graphql", "rpc", "hooks", "errors"];

/// What every path of a service begins with, where its paths say the version.
fn version(service: &Service) -> Vec<Segment> {
    names::path::version(service).iter().map(|segment| literal(segment)).collect()
}

fn literal(text: &str) -> Segment {
    Segment::Literal(text.to_owned())
}

/// `/v1/stock-levels`, `/v1/stock-levels/{product_id}`
pub(super) fn of_verb(verb: Verb, service: &Service, resource: &Resource) -> Route {
    let method = match verb {
        Verb::List | Verb::Get => Method::Get,
        Verb::Create => Method::Post,
        Verb::Replace => Method::Put,
        Verb::Patch => Method::Patch,
        Verb::Delete => Method::Delete,
    };
    let mut path = version(service);
    path.push(literal(&names::path::segment(&resource.plural)));
    if !matches!(verb, Verb::List | Verb::Create) {
        path.push(Segment::Field(resource.id.clone()));
    }
    Route { method, path, query: verb == Verb::List }
}

/// As the design says, else `GET` or `POST /v1/o`, of an item `/v1/rs/{id}/o`.
pub(super) fn of_custom(
    checker: &mut Checker,
    model: &Model,
    service: &str,
    operation: &Operation,
    rest: Option<&Spanned<design::Route>>,
) -> Route {
    // A WebSocket opens with GET (RFC 6455, 4.1), and a body is posted.
    let stream = match (operation.reads(), operation.streams()) {
        (true, true) => Some(Method::Get),
        (true, false) => Some(Method::Post),
        (false, _) => None,
    };
    let Shape::Custom { of, input, .. } = &operation.shape else {
        return Route { method: Method::Post, path: Vec::new(), query: false };
    };
    let fields = fit::input(model, input);
    let service = model.services.get(service);
    let of = of.as_ref().and_then(|name| service?.resources.get(name));
    let version = service.map(version).unwrap_or_default();
    let in_query = fields.is_none_or(|fields| fields.iter().all(|field| fits_query(model, &field.ty)));
    if let (Some(rest), Some(method)) = (rest, stream) {
        streamed(checker, operation, rest, method);
    }
    if let Some(rest) = rest {
        return written(checker, model, operation, rest, version, fields, of);
    }
    let mut path = version;
    if let Some(resource) = of {
        path.extend([literal(&names::path::segment(&resource.plural)), Segment::Field(resource.id.clone())]);
    }
    path.push(literal(&names::path::segment(&operation.name)));
    if let Some(method) = stream {
        return Route { method, path, query: false };
    }
    match operation.kind {
        OperationKind::Query if in_query => Route { method: Method::Get, path, query: true },
        _ => Route { method: Method::Post, path, query: false },
    }
}

fn written(
    checker: &mut Checker,
    model: &Model,
    operation: &Operation,
    rest: &Spanned<design::Route>,
    version: Vec<Segment>,
    fields: Option<&[Field]>,
    of: Option<&Resource>,
) -> Route {
    let method = rest.value.method.value;
    let mut in_path = Vec::new();
    for segment in &rest.value.path {
        let Segment::Field(name) = &segment.value else { continue };
        in_path.push(name.as_str());
        check_field(checker, model, name, &segment.span, fields, of);
    }
    if let Some(resource) = of.filter(|resource| !in_path.contains(&resource.id.as_str())) {
        let message = format!("`rest` of `{}` does not say which `{}`", operation.name, resource.name);
        checker.error("E504", &rest.span, message, format!("put `{{{}}}` into the path", resource.id));
    }
    let reads = matches!(method, Method::Get | Method::Delete);
    let without_query = fields.unwrap_or_default().iter().filter(|field| !in_path.contains(&field.name.as_str()));
    if let Some(field) = without_query.into_iter().find(|field| reads && !fits_query(model, &field.ty)) {
        let message = format!("`{}` has no body, and `{}` does not fit into a query", method.word(), field.name);
        checker.error("E504", &rest.value.method.span, message, "use `POST`");
    }
    if operation.kind == OperationKind::Command && method == Method::Get && !operation.reads() {
        let message = format!("command `{}` is a `GET`, which anything may repeat or fetch ahead", operation.name);
        checker.error("E504", &rest.value.method.span, message, "use `POST`, or make it a query");
    }
    if operation.kind == OperationKind::Query && !matches!(method, Method::Get | Method::Post) {
        let message = format!("query `{}` is a `{}`", operation.name, method.word());
        checker.error("E504", &rest.value.method.span, message, "use `GET`, or `POST` if the input needs a body");
    }
    let path = rest.value.path.iter().map(|segment| segment.value.clone());
    let query = reads && !operation.reads();
    Route { method, path: version.into_iter().chain(path).collect(), query }
}

/// How a stream of input travels says the method (E504).
fn streamed(checker: &mut Checker, operation: &Operation, rest: &Spanned<design::Route>, method: Method) {
    let said = &rest.value.method;
    if said.value != method {
        let what = if method == Method::Get { "streams both ways over a WebSocket" } else { "sends a stream" };
        let message = format!("`{}` {what}, which is no `{}`", operation.name, said.value.word());
        checker.error("E504", &said.span, message, format!("use `{}`", method.word()));
    }
}

/// A field in a path is one of the input, or the item's id, and always has one value (E504).
fn check_field(
    checker: &mut Checker,
    model: &Model,
    name: &str,
    span: &Span,
    fields: Option<&[Field]>,
    of: Option<&Resource>,
) {
    if of.is_some_and(|resource| resource.id == name) {
        return;
    }
    let Some(fields) = fields else { return };
    let Some(field) = fields.iter().find(|field| field.name == name) else {
        let known = fields.iter().map(|field| field.name.as_str()).chain(of.map(|resource| resource.id.as_str()));
        let all: Vec<_> = known.collect();
        // With one field to choose from there is little doubt.
        let meant = nearest(name, all.iter().copied()).or(if let [one] = all[..] { Some(one) } else { None });
        let help =
            meant.map_or_else(|| "add it to the input".to_owned(), |meant| format!("did you mean `{{{meant}}}`?"));
        return checker.error("E504", span, format!("`{}` is not an input field", shown(name)), help);
    };
    let single = match &field.ty {
        Type::Scalar(scalar) => !matches!(scalar, Scalar::Json | Scalar::Bytes),
        Type::Ref(_) => true,
        Type::Named(_) => is_enum(model, &field.ty) || types::is_unknown(&field.ty),
        _ => false,
    };
    if !single {
        let message = format!("`{name}` is `{}`, which does not fit into a path", fit::shown(&field.ty));
        checker.error("E504", span, message, "a path holds required scalars; leave the field to the query or body");
    }
}

/// Whether a value can be written as parameters of a query: not a record, map, union or json, nor a list of lists or of
/// what may be absent.
fn fits_query(model: &Model, ty: &Type) -> bool {
    let single = |ty: &Type| match ty {
        Type::Scalar(scalar) => *scalar != Scalar::Json,
        Type::Ref(_) => true,
        Type::Named(_) => is_enum(model, ty) || types::is_unknown(ty),
        _ => false,
    };
    match ty {
        Type::Optional(item) | Type::List { item, .. } => single(item),
        ty => single(ty),
    }
}

fn is_enum(model: &Model, ty: &Type) -> bool {
    match ty {
        Type::Named(named) if named.service.is_some() => true,
        Type::Named(named) => matches!(model.types.get(&named.name), Some(TypeDef::Enum(_))),
        _ => false,
    }
}

/// Whether it is where some version is called over JSON-RPC, whatever says the version over REST.
fn is_rpc(path: &[Segment]) -> bool {
    let [Segment::Literal(version), Segment::Literal(rpc)] = path else { return false };
    let number = version.strip_prefix('v').unwrap_or_default();
    rpc == "rpc" && !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
}

/// Two operations of one service at one place (E209), or one at a place of the kit's.
pub(super) fn check(checker: &mut Checker, model: &Model) {
    for service in model.services.values() {
        let mut seen: HashMap<(Method, String), &Operation> = HashMap::new();
        for operation in service.operations.values().filter(|operation| !operation.is_past()) {
            let place = |operation: &Operation| OperationRef {
                service: service.name.clone(),
                operation: operation.name.clone(),
            };
            if let Some(Segment::Literal(first)) = operation.route.path.get(version(service).len())
                && (RESERVED.contains(&first.as_str()) || is_rpc(&operation.route.path))
            {
                let message = format!("paths below `{first}` are served by every service itself");
                let help = match operation.shape {
                    Shape::Verb { .. } => "give the resource another `plural`",
                    Shape::Custom { .. } => "rename the operation or give it `rest = …`",
                };
                let span = checker.rest_span(&place(operation));
                checker.error("E209", &span, message, help);
            }
            if service.versioning == Versioning::Query && operation.route.query {
                version_is_free(checker, model, operation, &place(operation));
            }
            let shape = |named: bool| path_text(&operation.route.path, named);
            match seen.get(&(operation.route.method, shape(false))) {
                None => {
                    seen.insert((operation.route.method, shape(false)), operation);
                }
                // Two operations whose names meet were reported for that.
                Some(first) if names::key(&first.name) == names::key(&operation.name) => {}
                Some(first) => {
                    let message = format!(
                        "{} and {} are both `{} {}`",
                        fit::title(operation),
                        fit::title(first),
                        operation.route.method.word(),
                        shape(true)
                    );
                    let help = "rename one or give it `rest = …`";
                    let error = Diagnostic::new("E209", checker.rest_span(&place(operation)), message).help(help);
                    let related = checker.rest_span(&place(first));
                    checker.report(error.related(related, "the other"));
                }
            }
        }
    }
}

/// The query says the version under a name that nothing else has (E508).
fn version_is_free(checker: &mut Checker, model: &Model, operation: &Operation, of: &OperationRef) {
    let Shape::Custom { input, .. } = &operation.shape else { return };
    if fit::input(model, input).unwrap_or_default().iter().any(|field| field.name == "version") {
        let message = format!("`version` of {} is the parameter that says the version", fit::title(operation));
        let span = checker.operation_span(of);
        checker.error("E508", &span, message, "rename the field, or let a header say the version");
    }
}

/// `/v1/orders/{id}`; without names `/v1/orders/{}`, by which routers tell paths apart.
fn path_text(path: &[Segment], named: bool) -> String {
    let segments = path.iter().map(|segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Field(name) if named => format!("/{{{name}}}"),
        Segment::Field(_) => "/{}".to_owned(),
    });
    segments.collect()
}

impl Checker<'_> {
    /// Where the route of an operation is said, else where the operation is.
    fn rest_span(&self, of: &OperationRef) -> Span {
        let service = self.design.services.get(&of.service);
        let custom = service.and_then(|s| s.queries.get(&of.operation).or_else(|| s.commands.get(&of.operation)));
        match custom.and_then(|operation| operation.rest.as_ref()) {
            Some(rest) => rest.span.clone(),
            None => self.operation_span(of),
        }
    }

    /// Where an operation is named; of a verb its settings, else its resource.
    pub(super) fn operation_span(&self, of: &OperationRef) -> Span {
        let nowhere = || Span::new(0, 0..0);
        let Some(service) = self.design.services.get(&of.service) else { return nowhere() };
        let custom = service.queries.get(&of.operation).or_else(|| service.commands.get(&of.operation));
        if let Some(custom) = custom {
            return custom.head.span();
        }
        for (name, resource) in &service.resources {
            let plural = super::symbols::plural(resource, name);
            for verb in Verb::ALL {
                if crate::names::verb_operation(verb, name, &plural) == of.operation {
                    let settings = resource.settings.get(&verb).map(|settings| settings.head.span());
                    return settings.unwrap_or_else(|| resource.head.span());
                }
            }
        }
        service.head.span()
    }
}
