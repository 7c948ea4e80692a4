//! A model as short text, to be read in a diff.

use std::fmt::Write as _;

use generator::{
    design::Word,
    fit,
    model::{
        Default, Exposure, Fallback, Field, GraphqlLimits, Input, Link, Model, Operation, OperationKind, Output,
        Payload, Policy, Resource, Route, Safety, Scalar, Segment, Service, Shape, StreamItem, Target, Transport, Type,
        TypeDef, Via,
    },
};

/// Everything a model says but its texts.
pub fn dump(model: &Model) -> String {
    let mut text = format!("system {}\n", model.name);
    for def in model.types.values() {
        let _ = match def {
            TypeDef::Record(record) => writeln!(text, "record {} {}", record.name, fields(&record.fields)),
            TypeDef::Enum(own) => writeln!(text, "enum {}: {}", own.name, own.values.join(", ")),
            TypeDef::Union(union) => writeln!(text, "union {}: {}", union.name, union.variants.join(", ")),
        };
    }
    for own in model.services.values() {
        service(&mut text, model, own);
    }
    for link in &model.links {
        let _ = writeln!(text, "link {}", self::link(link));
    }
    text
}

fn service(text: &mut String, model: &Model, service: &Service) {
    let store = format!("{:?}", service.store).to_lowercase();
    let version = match service.version {
        1 if service.newest == 1 => String::new(),
        version => format!(" version {version} by {}", service.versioning.word()),
    };
    let end = [("deprecated", service.deprecated), ("sunset", service.sunset)];
    let end: String = end.iter().filter_map(|(what, date)| Some(format!(" {what} {}", (*date)?))).collect();
    let _ = writeln!(text, "service {} [{}] store {store}{version}{end}", service.name, exposure(service.expose));
    if service.graphql != GraphqlLimits::USUAL {
        let _ = writeln!(text, "  {:?}", service.graphql);
    }
    for own in service.enums.values() {
        let _ = writeln!(text, "  enum {}: {}", own.name, own.values.join(", "));
    }
    for resource in service.resources.values() {
        self::resource(text, resource);
    }
    for operation in service.operations.values() {
        self::operation(text, model, service, operation);
    }
    for event in service.events.values() {
        let payload = match &event.payload {
            Payload::Named(name) => name.clone(),
            Payload::Resource(of) => format!("{}.{}", of.service, of.resource),
            Payload::Fields(own) => fields(own),
        };
        let key = event.key.as_ref().map(|key| format!(" key {key}")).unwrap_or_default();
        let _ = writeln!(text, "  event {} {payload}{key}", event.name);
    }
    for old in &service.old {
        self::service(text, &model.at(old), &old.service);
        for (of, map) in &old.maps {
            let map: Vec<_> = map.iter().map(|(now, then)| format!(" {now} = {then}")).collect();
            let _ = writeln!(text, "  map {of}{}", map.concat());
        }
    }
}

fn resource(text: &mut String, resource: &Resource) {
    let verbs: Vec<_> = resource.verbs.iter().map(|verb| verb.word()).collect();
    let _ = writeln!(text, "  resource {}/{} {}", resource.name, resource.plural, fields(&resource.fields));
    let _ = writeln!(text, "    id {} verbs {}", resource.id, verbs.join(" "));
    for (what, paths) in [("filter", &resource.filter), ("sort", &resource.sort)] {
        for path in paths {
            let _ = writeln!(text, "    {what} {}: {}", path.segments.join("."), ty(&path.ty));
        }
    }
}

fn operation(text: &mut String, model: &Model, service: &Service, operation: &Operation) {
    let kind = match operation.kind {
        OperationKind::Query => "query",
        OperationKind::Command => "command",
    };
    let safety = match operation.safety {
        Safety::Safe => "safe",
        Safety::Keyed => "keyed",
        Safety::Unsafe => "unsafe",
    };
    let (own, served) = (exposure(operation.expose), exposure(model.served(&service.name, &operation.name)));
    let until = operation.until.map(|until| format!(" until {until}")).unwrap_or_default();
    let route = route(&operation.route);
    let _ = writeln!(text, "  {kind} {} {safety} [{own}] served [{served}] {route}{until}", operation.name);
    if let Shape::Custom { of, input, output } = &operation.shape {
        let of = of.as_ref().map(|of| format!("of {of} ")).unwrap_or_default();
        let _ = writeln!(text, "    {of}{} -> {}", self::input(input), self::output(output));
    }
    for error in &operation.errors {
        let data = error.data.as_ref().map(|data| format!(" with {data}")).unwrap_or_default();
        let _ = writeln!(text, "    error {} {}{data}", error.name, error.kind.word());
    }
    for event in &operation.on {
        let _ = writeln!(text, "    on {}.{}", event.service, event.event);
    }
    for event in &operation.follows {
        let _ = writeln!(text, "    follows {}.{}", event.service, event.event);
    }
    for call in &operation.calls {
        let with: Vec<_> = call.with.iter().map(|(field, path)| format!(" {field} = {path}")).collect();
        let _ = writeln!(text, "    calls {}.{}{}", call.to.service, call.to.operation, with.concat());
    }
    if !operation.emits.is_empty() {
        let _ = writeln!(text, "    emits {}", operation.emits.join(" "));
    }
}

fn input(input: &Input) -> String {
    match input {
        Input::None => "()".to_owned(),
        Input::Named(name) => name.clone(),
        Input::Stream(name) => format!("stream {name}"),
        Input::Fields(own) => fields(own),
        Input::Payload(event) => format!("payload of {}.{}", event.service, event.event),
    }
}

fn output(output: &Output) -> String {
    match output {
        Output::None => "done".to_owned(),
        Output::Named(name) => name.clone(),
        Output::Resource(of) => format!("{}.{}", of.service, of.resource),
        Output::Fields(own) => fields(own),
        Output::Item => "the item".to_owned(),
        Output::Stream(StreamItem::Named(name)) => format!("stream {name}"),
        Output::Stream(StreamItem::Resource(of)) => format!("stream {}.{}", of.service, of.resource),
    }
}

fn route(route: &Route) -> String {
    let path: String = route
        .path
        .iter()
        .map(|segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Field(name) => format!("/{{{name}}}"),
        })
        .collect();
    format!("{} {path}{}", route.method.word(), if route.query { "?" } else { "" })
}

fn fields(fields: &[Field]) -> String {
    let fields: Vec<_> = fields
        .iter()
        .map(|field| {
            let mut text = format!("{}: {}", field.name, ty(&field.ty));
            for (mark, word) in [(field.unique, "unique"), (field.readonly, "readonly"), (field.fixed, "fixed")] {
                if mark {
                    let _ = write!(text, " {word}");
                }
            }
            if let Some(default) = &field.default {
                let _ = write!(text, " = {}", self::default(default));
            }
            text
        })
        .collect();
    format!("{{ {} }}", fields.join(", "))
}

fn default(default: &Default) -> String {
    match default {
        Default::Text(text) => format!("{text:?}"),
        Default::Bool(value) => value.to_string(),
        Default::Integer(value) => value.to_string(),
        Default::Float(value) => value.to_string(),
        Default::Value(value) => value.clone(),
        Default::EmptyList => "[]".to_owned(),
    }
}

fn ty(ty: &Type) -> String {
    match ty {
        Type::Scalar(Scalar::String { min, max, pattern }) => {
            let bounds = match (min, max) {
                (0, None) => String::new(),
                (min, None) => format!("({min}..)"),
                (min, Some(max)) => format!("({min}..{max})"),
            };
            format!("string{bounds}{}", pattern.as_ref().map(|pattern| format!(" /{pattern}/")).unwrap_or_default())
        }
        Type::Scalar(Scalar::Decimal { precision, scale }) => format!("decimal({precision},{scale})"),
        Type::Scalar(Scalar::U32 { min, max }) if (*min, *max) != (u32::MIN, u32::MAX) => format!("u32({min}..{max})"),
        Type::Scalar(Scalar::I32 { min, max }) if (*min, *max) != (i32::MIN, i32::MAX) => format!("i32({min}..{max})"),
        Type::Named(named) => {
            named.service.as_ref().map(|service| format!("{service}/")).unwrap_or_default() + &named.name
        }
        Type::List { item, min: 0, max: None } => format!("{}[]", self::ty(item)),
        Type::List { item, min, max } => {
            format!("{}[{min}..{}]", self::ty(item), max.map(|max| max.to_string()).unwrap_or_default())
        }
        Type::Optional(item) => format!("{}?", self::ty(item)),
        Type::Map { .. } | Type::Scalar(_) | Type::Resource(_) | Type::Ref(_) => fit::shown(ty),
    }
}

fn exposure(exposure: Exposure) -> String {
    exposure.transports().map(Transport::word).collect::<Vec<_>>().join(" ")
}

fn link(link: &Link) -> String {
    let target = match &link.to {
        Target::Service { service, via } => format!("{service} via {}", word(*via)),
        Target::Operation { to, via } => format!("{}.{} via {}", to.service, to.operation, word(*via)),
        Target::Event(event) => format!("event {}.{}", event.service, event.event),
    };
    format!("{} -> {target}\n  {}", link.from, policy(&link.policy))
}

fn word(via: Via) -> &'static str {
    match via {
        Via::Rest => "rest",
        Via::Grpc => "grpc",
        Via::Graphql => "graphql",
        Via::Jsonrpc => "jsonrpc",
        Via::Queue => "queue",
    }
}

fn policy(policy: &Policy) -> String {
    let (min, max) = policy.retry.backoff;
    let breaker = policy.breaker.map_or("off".to_owned(), |breaker| {
        format!("{} of {} for {:?}", breaker.failure_rate, breaker.window, breaker.open_for)
    });
    let fallback: String = policy
        .fallback
        .iter()
        .map(|fallback| match fallback {
            Fallback::Cache => " cache",
            Fallback::Queue => " queue",
            Fallback::Default => " default",
        })
        .collect();
    format!(
        "timeout {:?} retry {} {min:?}..{max:?} breaker {breaker} bulkhead {} fallback{fallback} {:?} dead_letter {} batch {} {:?}",
        policy.timeout,
        policy.retry.attempts,
        policy.bulkhead,
        policy.delivery,
        policy.dead_letter,
        policy.batch.size,
        policy.batch.within,
    )
}
