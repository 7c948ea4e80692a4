//! Models by hand, for tests: a shop with every shape of operation, and types of every expression.

use indexmap::IndexMap;

use crate::model::*;

mod documents;
mod everything;
mod shop;

pub(crate) use documents::{foreign, walk, wrong};
pub(crate) use everything::{everything, expressions};
pub(crate) use shop::shop;

pub(crate) fn docs(summary: &str, description: &str) -> Docs {
    Docs { summary: summary.to_owned(), description: description.to_owned() }
}

pub(crate) fn string() -> Type {
    Type::Scalar(Scalar::String { min: 0, max: None, pattern: None })
}

pub(crate) fn u32s() -> Type {
    Type::Scalar(Scalar::U32 { min: 0, max: u32::MAX })
}

pub(crate) fn money() -> Type {
    named("Money")
}

pub(crate) fn named(name: &str) -> Type {
    Type::Named(TypeRef { service: None, name: name.to_owned() })
}

pub(crate) fn list(item: Type) -> Type {
    Type::List { item: Box::new(item), min: 0, max: None }
}

pub(crate) fn optional(inner: Type) -> Type {
    Type::Optional(Box::new(inner))
}

pub(crate) fn map(key: MapKey, value: Type) -> Type {
    Type::Map { key, value: Box::new(value) }
}

pub(crate) fn resource_ref(service: &str, resource: &str) -> ResourceRef {
    ResourceRef { service: service.to_owned(), resource: resource.to_owned() }
}

pub(crate) fn event_ref(service: &str, event: &str) -> EventRef {
    EventRef { service: service.to_owned(), event: event.to_owned() }
}

pub(crate) fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.to_owned(),
        docs: Docs::default(),
        ty,
        default: None,
        unique: false,
        readonly: false,
        fixed: false,
    }
}

pub(crate) fn readonly(name: &str, ty: Type) -> Field {
    Field { readonly: true, ..field(name, ty) }
}

pub(crate) fn fixed(name: &str, ty: Type) -> Field {
    Field { fixed: true, ..field(name, ty) }
}

pub(crate) fn enumeration(name: &str, values: &[&str]) -> Enum {
    Enum { name: name.to_owned(), docs: Docs::default(), values: values.iter().map(|v| (*v).to_owned()).collect() }
}

pub(crate) fn record(name: &str, fields: Vec<Field>) -> (String, TypeDef) {
    (name.to_owned(), TypeDef::Record(Record { name: name.to_owned(), docs: Docs::default(), fields }))
}

pub(crate) fn union(name: &str, variants: &[&str]) -> (String, TypeDef) {
    let variants = variants.iter().map(|v| (*v).to_owned()).collect();
    (name.to_owned(), TypeDef::Union(Union { name: name.to_owned(), docs: Docs::default(), variants }))
}

pub(crate) fn everywhere() -> Exposure {
    [Transport::Rest, Transport::Grpc, Transport::Graphql].into_iter().collect()
}

pub(crate) fn service(name: &str) -> Service {
    Service {
        fronts: Vec::new(),
        cors: Vec::new(),
        name: name.to_owned(),
        docs: Docs::default(),
        team: None,
        version: 1,
        newest: 1,
        deprecated: None,
        sunset: None,
        versioning: Versioning::Path,
        old: Vec::new(),
        expose: everywhere(),
        store: Store::Sqlite,
        graphql: GraphqlLimits::USUAL,
        limits: Limits::default(),
        enums: IndexMap::new(),
        resources: IndexMap::new(),
        operations: IndexMap::new(),
        events: IndexMap::new(),
    }
}

fn path(text: &str) -> Vec<Segment> {
    let segment = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(field) => Segment::Field(field.to_owned()),
        None => Segment::Literal(part.to_owned()),
    };
    text.split('/').filter(|part| !part.is_empty()).map(segment).collect()
}

pub(crate) fn operation(kind: OperationKind, name: &str, route: &str, input: Input, output: Output) -> Operation {
    let (method, place) = route.split_once(' ').unwrap();
    let method = match method {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => Method::Post,
    };
    Operation {
        name: name.to_owned(),
        docs: Docs::default(),
        kind,
        shape: Shape::Custom { of: None, input, output },
        errors: Vec::new(),
        safety: if kind == OperationKind::Query { Safety::Safe } else { Safety::Keyed },
        cache: None,
        limit: None,
        on: Vec::new(),
        follows: Vec::new(),
        calls: Vec::new(),
        emits: Vec::new(),
        expose: everywhere(),
        route: Route { method, path: path(place), query: method == Method::Get },
        until: None,
    }
}

impl Service {
    pub(crate) fn with(mut self, operation: Operation) -> Self {
        self.operations.insert(operation.name.clone(), operation);
        self
    }

    pub(crate) fn with_event(mut self, event: Event) -> Self {
        self.events.insert(event.name.clone(), event);
        self
    }

    /// With all six verbs; the plural is regular, the id its first field.
    pub(crate) fn with_resource(mut self, name: &str, fields: Vec<Field>, filter: &[FieldPath], sort: &[&str]) -> Self {
        let plural = crate::names::plural(name);
        let (one, many) = (crate::names::snake(name), crate::names::snake(&plural));
        let paths =
            sort.iter().map(|sort| FieldPath { segments: sort.split('.').map(str::to_owned).collect(), ty: u32s() });
        self.resources.insert(
            name.to_owned(),
            Resource {
                name: name.to_owned(),
                plural: plural.clone(),
                docs: Docs::default(),
                id: fields[0].name.clone(),
                fields,
                verbs: Verb::ALL.to_vec(),
                filter: filter.to_vec(),
                sort: paths.collect(),
            },
        );
        let folder = crate::names::path::segment(&plural);
        for (verb, word, method, item) in [
            (Verb::List, format!("list_{many}"), "GET", ""),
            (Verb::Get, format!("get_{one}"), "GET", "/{id}"),
            (Verb::Create, format!("create_{one}"), "POST", ""),
            (Verb::Replace, format!("replace_{one}"), "PUT", "/{id}"),
            (Verb::Patch, format!("patch_{one}"), "PATCH", "/{id}"),
            (Verb::Delete, format!("delete_{one}"), "DELETE", "/{id}"),
        ] {
            let kind =
                if matches!(verb, Verb::List | Verb::Get) { OperationKind::Query } else { OperationKind::Command };
            let route = format!("{method} /v1/{folder}{item}");
            let plain = operation(kind, &word, &route, Input::None, Output::None);
            let safety = if matches!(verb, Verb::Create | Verb::Patch) { Safety::Keyed } else { Safety::Safe };
            let shape = Shape::Verb { verb, resource: name.to_owned() };
            self = self.with(Operation { shape, safety, ..plain });
        }
        self
    }
}

pub(crate) fn filter(path: &str, ty: Type) -> FieldPath {
    FieldPath { segments: path.split('.').map(str::to_owned).collect(), ty }
}

/// What a design in text means.
pub(crate) fn understood(text: &str) -> Model {
    use crate::source::{Source, Sources};
    let sources = Sources(vec![Source { path: "design.toml".into(), location: "".into(), text: text.into() }]);
    crate::understand(&sources).unwrap_or_else(|errors| {
        let line = |error: &crate::diagnostic::Diagnostic| {
            let (line, column) = sources.position(error.span.file, error.span.start);
            format!("{} {line}:{column} {}\n", error.code, error.message)
        };
        panic!("{}", errors.iter().map(line).collect::<String>())
    })
}

/// A design in text that says everything that a document has to hold.
pub(crate) fn library() -> Model {
    understood(include_str!("samples/library.toml"))
}
