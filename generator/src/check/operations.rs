//! Services, and their commands and queries.

use indexmap::IndexMap;

use super::{
    Checker,
    bodies::{self, Place},
    caches, calls, description, docs, events, items, limits, resources, routes, symbols, verbs, versions,
};
use crate::{
    design::{self, Head, Idempotent, OperationSettings, Reference, Word as _},
    diagnostic::Diagnostic,
    model::{
        DeclaredError, Enum, EventRef, Exposure, GraphqlLimits, Input, Introspection, Model, Operation, OperationKind,
        Output, Route, Safety, Service, Shape, Store, Transport, Verb, Versioning,
    },
    names,
    source::Spanned,
};

/// All services: first what they own and what happens in them, then their operations, which may use any of it.
pub(super) fn lower_services(checker: &mut Checker, model: &mut Model) {
    let design = checker.design;
    for (name, service) in &design.services {
        let mut enums = IndexMap::new();
        let resources = resources::lower(checker, model, service, &mut enums);
        let events = events::lower(checker, service, &mut enums);
        let lowered = Service {
            name: name.clone(),
            docs: docs(&service.head.docs),
            team: service.team.as_ref().map(|team| team.value.clone()),
            version: versions::which(checker.at, name, service),
            newest: versions::which(checker.at, name, service),
            versioning: service.versioning.as_ref().map_or(Versioning::Path, |versioning| versioning.value),
            deprecated: None,
            sunset: None,
            old: Vec::new(),
            expose: exposure(items(&service.expose)),
            fronts: Vec::new(),
            cors: items(&service.cors).iter().map(|origin| origin.value.clone()).collect(),
            store: store(checker, service),
            graphql: graphql(service),
            limits: limits::of_service(checker, service),
            enums,
            resources,
            operations: IndexMap::new(),
            events,
        };
        model.services.insert(name.clone(), lowered);
    }
    for (name, service) in &design.services {
        let (operations, enums) = lower_operations(checker, model, service);
        if let Some(lowered) = model.services.get_mut(name) {
            lowered.operations = operations;
            lowered.enums.extend(enums);
        }
    }
    events::check_keys(checker, model);
}

/// The limits of GraphQL, with those that are not said.
fn graphql(service: &design::Service) -> GraphqlLimits {
    let usual = GraphqlLimits::USUAL;
    let Some(Spanned { value: said, .. }) = &service.graphql else { return usual };
    let or = |said: &Option<Spanned<u32>>, usual| said.as_ref().map_or(usual, |said| said.value);
    GraphqlLimits {
        depth: or(&said.depth, usual.depth),
        complexity: or(&said.complexity, usual.complexity),
        batch: or(&said.batch, usual.batch),
        aliases: or(&said.aliases, usual.aliases),
        directives: or(&said.directives, usual.directives),
        introspection: match said.introspection.as_ref().map(|said| said.value) {
            Some(true) => Introspection::Always,
            Some(false) => Introspection::Never,
            None => usual.introspection,
        },
    }
}

/// Where a service keeps what it keeps: nowhere if it keeps nothing.
fn store(checker: &mut Checker, service: &design::Service) -> Store {
    let listens =
        service.queries.values().chain(service.commands.values()).any(|operation| !items(&operation.on).is_empty());
    let emits = settings(service).any(|(_, settings)| !items(&settings.emits).is_empty());
    let keyed = || settings(service).filter_map(|(_, s)| s.idempotent.as_ref()).find(|i| i.value == Idempotent::Key);
    let keeps = !service.resources.is_empty() || listens || emits || keyed().is_some();
    let Some(store) = &service.store else {
        return if keeps { Store::Sqlite } else { Store::None };
    };
    if store.value != design::Store::None {
        return Store::Sqlite;
    }
    let name = &service.head.name.value;
    if let Some(resource) = service.resources.values().next() {
        let message = format!("service `{name}` has `store = \"none\"` and a resource");
        let error = Diagnostic::new("E506", store.span.clone(), message).help("remove one of the two");
        checker.report(error.related(resource.head.span(), format!("`{}` is here", resource.head.name.value)));
    } else if let Some(key) = keyed() {
        let message = format!("service `{name}` has `store = \"none\"` and nowhere to keep first answers");
        let error = Diagnostic::new("E506", store.span.clone(), message).help("remove one of the two");
        checker.report(error.related(key.span.clone(), "`idempotent = \"key\"` replays the first answer"));
    }
    Store::None
}

/// The operations in the order that [`Service::operations`] promises, and the enums written in their fields.
fn lower_operations(
    checker: &mut Checker,
    model: &Model,
    service: &design::Service,
) -> (IndexMap<String, Operation>, IndexMap<String, Enum>) {
    let mut operations = IndexMap::new();
    let mut enums = IndexMap::new();
    verbs::lower(checker, model, service, &mut operations);
    let queries = service.queries.iter().map(|query| (OperationKind::Query, query));
    let commands = service.commands.iter().map(|command| (OperationKind::Command, command));
    for (kind, (name, operation)) in queries.chain(commands) {
        let until = checker.symbols.gone_after(&service.head.name.value, name);
        checker.in_past = until.is_some();
        let lowered = lower_custom(checker, model, service, kind, operation, &mut enums);
        checker.in_past = false;
        let lowered = match until {
            // It is there for callers of old versions alone.
            Some(_) => Operation { until, expose: Exposure::default(), on: Vec::new(), ..lowered },
            None => lowered,
        };
        // A second one of that name was reported.
        operations.entry(name.clone()).or_insert(lowered);
    }
    (operations, enums)
}

fn lower_custom(
    checker: &mut Checker,
    model: &Model,
    service: &design::Service,
    kind: OperationKind,
    operation: &design::Operation,
    enums: &mut IndexMap<String, Enum>,
) -> Operation {
    let home = service.head.name.value.as_str();
    let name = &operation.head.name.value;
    let common = &operation.common;
    let events = event_list(checker, items(&operation.on), home, "on");
    let (on, follows) = match kind {
        OperationKind::Command => (events, Vec::new()),
        OperationKind::Query => (Vec::new(), events),
    };
    let of = operation.of.as_ref().and_then(|of| lower_of(checker, of, home));

    let request = format!("{}Request", names::upper_camel(name));
    let input = match (&operation.input, on.first()) {
        (Some(body), _) => bodies::input(checker, body, Place { home, record: &request, enums }),
        (None, Some(event)) => Input::Payload(event.clone()),
        // `on` that names only what is not there.
        (None, None) if kind == OperationKind::Command && !items(&operation.on).is_empty() => {
            Input::Named(String::new())
        }
        (None, None) => Input::None,
    };
    let response = format!("{}Response", names::upper_camel(name));
    let output = match &operation.output {
        Some(body) => bodies::output(checker, body, Place { home, record: &response, enums }),
        None if of.is_some() => Output::Item,
        // An item of something unknown.
        None if operation.of.is_some() => Output::Named(String::new()),
        None => Output::None,
    };

    let reads = matches!(input, Input::Stream(_));
    let streams = matches!(output, Output::Stream(_));
    if reads {
        input_stream(checker, operation);
    }
    let queued = kind == OperationKind::Command && output == Output::None && !reads;
    let expose = match &common.expose {
        Some(own) => {
            match reads {
                true => check_input_stream(checker, &own.value, name),
                false => check_queue(checker, &own.value, name, queued),
            }
            check_jsonrpc(checker, &own.value, name, reads || streams);
            exposure(&own.value)
        }
        None if kind == OperationKind::Command && (!items(&operation.on).is_empty() || operation.when.is_some()) => {
            Exposure::default()
        }
        None => exposure(items(&service.expose)),
    };
    let safety = match kind {
        OperationKind::Query => {
            query_changes_nothing(checker, operation);
            Safety::Safe
        }
        OperationKind::Command => command_safety(checker, model, home, operation),
    };
    let cache = caches::of_custom(checker, kind, &output, name, common);
    let limit = limits::of_custom(checker, common);
    // What has been read of a stream cannot be sent again.
    let safety = if reads { Safety::Unsafe } else { safety };
    let expose = if reads { expose.without(Transport::Graphql) } else { expose };
    let expose = if reads || streams { expose.without(Transport::Jsonrpc) } else { expose };
    let mut lowered = Operation {
        name: name.clone(),
        docs: docs(&operation.head.docs),
        kind,
        shape: Shape::Custom { of, input, output },
        errors: errors(checker, common, home),
        safety,
        cache,
        limit,
        on,
        follows,
        calls: calls::lower(checker, items(&common.calls), home),
        emits: match kind {
            OperationKind::Query => event_list(checker, items(&common.emits), home, "emits")
                .into_iter()
                .filter(|event| event.service == home)
                .map(|event| event.event)
                .collect(),
            OperationKind::Command => emits(checker, common, &operation.head, home),
        },
        expose: if queued { expose } else { expose.without(Transport::Queue) },
        route: Route { method: crate::model::Method::Post, path: Vec::new(), query: false },
        until: None,
    };
    lowered.route = routes::of_custom(checker, model, home, &lowered, operation.rest.as_ref());
    lowered
}

fn lower_of(checker: &mut Checker, of: &Spanned<Reference>, home: &str) -> Option<String> {
    let found = checker.resource(of, Some(home))?;
    if found.service != home {
        let message =
            format!("`{}` belongs to `{}`; an operation is on an item of its own service", of.value, found.service);
        checker.error("E403", &of.span, message, format!("call `{}`, or declare the operation there", found.service));
        return None;
    }
    Some(found.resource)
}

/// Resolves a list of events; each stands in it once.
fn event_list(checker: &mut Checker, list: &[Spanned<Reference>], home: &str, key: &str) -> Vec<EventRef> {
    let mut events = Vec::new();
    for reference in list {
        let Some(event) = checker.event(reference, Some(home)) else { continue };
        if events.contains(&event) {
            let message = format!("`{}` is in `{key}` twice", reference.value);
            checker.error("E111", &reference.span, message, "once is enough");
            continue;
        }
        events.push(event);
    }
    events
}

/// The events that an operation publishes: only those of its own service (E403).
pub(super) fn emits(checker: &mut Checker, settings: &OperationSettings, head: &Head, home: &str) -> Vec<String> {
    let list = items(&settings.emits);
    let mut own = Vec::new();
    for event in event_list(checker, list, home, "emits") {
        if event.service == home {
            own.push(event.event);
            continue;
        }
        let place = list.iter().find(|reference| reference.value.name == event.event);
        let span = place.map_or_else(|| head.span(), |reference| reference.span.clone());
        let message = format!("`{home}` emits `{}`, which belongs to `{}`", event.event, event.service);
        let help = format!("only its owner may emit an event: call `{}`, or declare your own", event.service);
        checker.error("E403", &span, message, help);
    }
    own
}

/// The errors that an operation declares.
pub(super) fn errors(checker: &mut Checker, settings: &OperationSettings, home: &str) -> Vec<DeclaredError> {
    let lowered = settings.errors.iter().filter_map(|(name, error)| {
        let data = error.with.as_ref().and_then(|with| bodies::error_data(checker, with, home));
        let kind = error.kind.as_ref()?.value;
        Some(DeclaredError { name: name.clone(), docs: description(&error.description), kind, data })
    });
    lowered.collect()
}

/// What the command says; else its first answer is kept, where there is anything to keep it in. A stream is resumed, and
/// cannot be kept (E505).
fn command_safety(checker: &mut Checker, model: &Model, home: &str, command: &design::Operation) -> Safety {
    let stored = model.services.get(home).is_some_and(|service| service.store != Store::None);
    let streams = [&command.input, &command.output]
        .into_iter()
        .flatten()
        .any(|body| matches!(body.value, design::Body::Named { stream: Some(_), .. }));
    match &command.common.idempotent {
        Some(idempotent) => {
            if streams && idempotent.value == Idempotent::Key {
                let message = format!("`{}` streams, and a stream is no answer to be kept", command.head.name.value);
                let help = "drop `idempotent`, or answer with a record";
                checker.error("E505", &idempotent.span, message, help);
            }
            safety(idempotent.value)
        }
        None if stored && !streams => Safety::Keyed,
        None => Safety::Unsafe,
    }
}

/// What `idempotent` says.
pub(super) fn safety(idempotent: Idempotent) -> Safety {
    match idempotent {
        Idempotent::Yes => Safety::Safe,
        Idempotent::Key => Safety::Keyed,
        Idempotent::No => Safety::Unsafe,
    }
}

/// A query that emits, runs on an event without streaming, or says whether it may be repeated (E505).
fn query_changes_nothing(checker: &mut Checker, query: &design::Operation) {
    let name = &query.head.name.value;
    if let Some(first) = items(&query.common.emits).first() {
        let message = format!("query `{name}` emits an event");
        let help = format!(
            "a query changes nothing: make it a command; or, to pass on what happens, write `on = [\"{}\"]` and \
             `output = \"stream …\"`",
            first.value
        );
        checker.error("E505", &first.span, message, help);
    }
    let streams = matches!(
        query.output.as_ref().map(|output| &output.value),
        Some(design::Body::Named { stream: Some(_), .. } | design::Body::Broken)
    );
    if let Some(on) = query.on.as_ref().filter(|on| !on.value.is_empty() && !streams && !query.head.is_broken("output"))
    {
        let message = format!("query `{name}` runs on an event but has nowhere to send it");
        checker.error("E505", &on.span, message, "give it `output = \"stream …\"`, or make it a command");
    }
    if let Some(idempotent) = &query.common.idempotent {
        let message = format!("query `{name}` says `idempotent`");
        checker.error(
            "E505",
            &idempotent.span,
            message,
            "a query changes nothing, so it is always safe to repeat: drop it",
        );
    }
}

/// What an operation cannot be whose input is a stream (E512).
fn input_stream(checker: &mut Checker, operation: &design::Operation) {
    let name = &operation.head.name.value;
    if let Some(of) = &operation.of {
        let message = format!("`{name}` is on one `{}` and takes a stream, which has no room for its id", of.value);
        checker.error("E512", &of.span, message, "drop `of`, and give the items a field with the id");
    }
    if let Some(on) = operation.on.as_ref().filter(|on| !on.value.is_empty()) {
        let message = format!("`{name}` runs on events, which come one by one, and takes a stream");
        checker.error("E512", &on.span, message, "drop `on`, or take the payload of one event");
    }
    // A key is refused for what it would keep.
    if let Some(said) = operation.common.idempotent.as_ref().filter(|said| said.value == Idempotent::Yes) {
        let message = format!("`{name}` takes a stream, and what has been read of it cannot be sent again");
        checker.error("E512", &said.span, message, "drop `idempotent`: nobody repeats it");
    }
}

/// Transports that cannot carry a stream of input, asked for by the operation itself (E606).
fn check_input_stream(checker: &mut Checker, own: &[Spanned<design::Transport>], operation: &str) {
    let carries = |transport| matches!(transport, design::Transport::Rest | design::Transport::Grpc);
    for transport in own.iter().filter(|transport| !carries(transport.value)) {
        let message = format!("`{}` cannot carry `{operation}`, whose input is a stream", transport.value.word());
        checker.error("E606", &transport.span, message, "use `grpc` or `rest`");
    }
}

/// What each operation of a service says besides its shape, with its name: queries, commands, verbs.
pub(super) fn settings(service: &design::Service) -> impl Iterator<Item = (String, &OperationSettings)> {
    let customs = service.queries.iter().chain(&service.commands).map(|(name, custom)| (name.clone(), &custom.common));
    let verbs = service.resources.iter().flat_map(|(name, resource)| {
        let plural = symbols::plural(resource, name);
        let named = move |(verb, settings): (&Verb, _)| (crate::names::verb_operation(*verb, name, &plural), settings);
        resource.settings.iter().map(|(verb, settings)| (verb, &settings.common)).map(named)
    });
    customs.chain(verbs)
}

/// What a list of transports exposes.
pub(super) fn exposure(list: &[Spanned<design::Transport>]) -> Exposure {
    let transport = |item: &Spanned<design::Transport>| match item.value {
        design::Transport::Rest => Transport::Rest,
        design::Transport::Grpc => Transport::Grpc,
        design::Transport::Graphql => Transport::Graphql,
        design::Transport::Jsonrpc => Transport::Jsonrpc,
        design::Transport::Queue => Transport::Queue,
    };
    list.iter().map(transport).collect()
}

/// An operation that itself asks for the queue must have no answer (E601).
pub(super) fn check_queue(checker: &mut Checker, own: &[Spanned<design::Transport>], operation: &str, queued: bool) {
    if let Some(queue) = own.iter().find(|item| item.value == design::Transport::Queue).filter(|_| !queued) {
        let message = format!("`{operation}` is exposed on the queue, which gives no answer");
        checker.error("E601", &queue.span, message, "expose it otherwise, or make it a command without output");
    }
}

/// An operation that itself asks for JSON-RPC must not stream (E606).
fn check_jsonrpc(checker: &mut Checker, own: &[Spanned<design::Transport>], operation: &str, streams: bool) {
    if let Some(item) = own.iter().find(|item| item.value == design::Transport::Jsonrpc).filter(|_| streams) {
        let message = format!("`{operation}` is exposed on JSON-RPC, which has no streams");
        checker.error("E606", &item.span, message, "use `rest`, `grpc` or `graphql`");
    }
}
