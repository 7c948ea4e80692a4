//! One operation over one kind of transport: how it is called, what it takes, what it gives, how it fails.

use super::{
    Change, Contract, Found, Kind, Place, Side,
    rules::{
        ANSWER_CHANGED, ERROR_ADDED, ERROR_DATA_ADDED, ERROR_DATA_REMOVED, ERROR_KIND_CHANGED, ERROR_REMOVED,
        FILTER_ADDED, FILTER_REMOVED, GRAPHQL_FIELD_MOVED, IDEMPOTENCY_STRENGTHENED, IDEMPOTENCY_WEAKENED,
        JSONRPC_METHOD_CHANGED, LIMIT_LOWERED, LIMIT_RAISED, REST_METHOD_CHANGED, REST_PATH_CHANGED, Rule, SORT_ADDED,
        SORT_REMOVED, STREAM_CHANGED, TYPE_CHANGED,
    },
    united,
    values::{Use, Walk},
};
use crate::{
    contracts::{graphql, openapi, openrpc, shape},
    design::Word,
    fit,
    model::{
        Field, Input, Model, Operation, OperationRef, Output, Rate, Resource, ResourceRef, Route, Safety, Segment,
        Service, Shape, StreamItem, Type, Verb,
    },
};

/// Compares an operation that both designs have there.
pub(super) fn compare(
    found: &mut Found<'_>,
    contract: Contract,
    (before, old): (&Service, &Operation),
    (after, new): (&Service, &Operation),
) {
    let at = OperationRef { service: after.name.clone(), operation: new.name.clone() };
    let here = |rule: &'static Rule, was: String, is: String| {
        Change::new(rule, Side::New(Place::Operation(at.clone()))).from(was).to(is)
    };
    for (rule, was, is) in addresses(contract.kind, (before, old), (after, new)) {
        if was != is {
            found.add(&contract, here(rule, was, is));
        }
    }
    if let Some((rule, was, is)) = limit(old.limit, new.limit) {
        found.add(&contract, here(rule, was, is));
    }
    let (was, is) = (safety(old.safety), safety(new.safety));
    match was.0.cmp(&is.0) {
        std::cmp::Ordering::Greater => found.add(&contract, here(&IDEMPOTENCY_WEAKENED, was.1.into(), is.1.into())),
        std::cmp::Ordering::Less => found.add(&contract, here(&IDEMPOTENCY_STRENGTHENED, was.1.into(), is.1.into())),
        std::cmp::Ordering::Equal => {}
    }
    errors(found, &contract, (before, old), (after, new));

    let (old_model, new_model) = (&found.old.model, &found.new.model);
    let (was, is) = (Taken::of(old_model, before, old), Taken::of(new_model, after, new));
    let (gave, gives) = (Answer::of(before, old), Answer::of(after, new));
    let used = match (&new.shape, contract.kind) {
        (Shape::Verb { verb: Verb::Patch, .. }, _) => Use::Patch,
        (_, Kind::Rest) if new.route.query => Use::Query,
        _ => Use::Input,
    };
    let mut walk = Walk::new(found, contract.clone(), before, after);
    match (stream(old), stream(new)) {
        (None, None) => walk.fields((&was.fields, was.place), (&is.fields, is.place), used),
        (Some(was), Some(is)) => walk.whole(&was, &is, Use::Input, &Place::Input(at.clone())),
        _ => walk.add(Change::new(&STREAM_CHANGED, Side::New(Place::Input(at.clone())))),
    }
    if let (Some(was), Some(is)) = (listed(before, old), listed(after, new)) {
        list(&mut walk, was, is, &at);
    }
    // What goes through the queue is not answered.
    if contract.kind != Kind::Messages {
        answers(&mut walk, gave, gives, &at);
    }
}

/// The rule for a change of a limit, what it was and what it is; `None`: nothing has changed.
pub(super) fn limit(was: Option<Rate>, is: Option<Rate>) -> Option<(&'static Rule, String, String)> {
    let is_lower = match (was, is) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(was), Some(is)) => is.calls < was.calls || is.window * was.calls > was.window * is.calls,
    };
    let text = |rate: Option<Rate>| rate.map_or_else(|| "none".to_owned(), |rate| rate.to_string());
    (was != is).then(|| (if is_lower { &LIMIT_LOWERED } else { &LIMIT_RAISED }, text(was), text(is)))
}

/// How the operation is called, each part with the rule for its change.
fn addresses(
    kind: Kind,
    (before, old): (&Service, &Operation),
    (after, new): (&Service, &Operation),
) -> Vec<(&'static Rule, String, String)> {
    match kind {
        Kind::Rest => {
            // What a path calls its parameters is nothing to who calls it.
            let same = parts(&old.route) == parts(&new.route);
            let path = if same { openapi::path(&new.route) } else { openapi::path(&old.route) };
            let method = |route: &Route| route.method.word().to_owned();
            vec![
                (&REST_PATH_CHANGED, path, openapi::path(&new.route)),
                (&REST_METHOD_CHANGED, method(&old.route), method(&new.route)),
            ]
        }
        Kind::Graphql => {
            let field =
                |service, operation| format!("{}.{}", graphql::root(operation), graphql::field(service, operation));
            vec![(&GRAPHQL_FIELD_MOVED, field(before, old), field(after, new))]
        }
        Kind::Jsonrpc => vec![(&JSONRPC_METHOD_CHANGED, openrpc::method(old), openrpc::method(new))],
        // An rpc, and the channel of a command, are called as the operation is.
        Kind::Grpc | Kind::Messages => Vec::new(),
    }
}

/// The literal parts of a path, and where parameters stand.
fn parts(route: &Route) -> Vec<Option<&str>> {
    fn part(segment: &Segment) -> Option<&str> {
        match segment {
            Segment::Literal(text) => Some(text),
            Segment::Field(_) => None,
        }
    }
    route.path.iter().map(part).collect()
}

/// The more, the freer a repeat is.
fn safety(safety: Safety) -> (u8, &'static str) {
    match safety {
        Safety::Unsafe => (0, "no"),
        Safety::Keyed => (1, "key"),
        Safety::Safe => (2, "yes"),
    }
}

fn errors(
    found: &mut Found<'_>,
    contract: &Contract,
    (before, old): (&Service, &Operation),
    (after, new): (&Service, &Operation),
) {
    let at = OperationRef { service: after.name.clone(), operation: new.name.clone() };
    let names = |operation: &'_ Operation| operation.errors.iter().map(|error| error.name.clone()).collect::<Vec<_>>();
    let (was, is) = (names(old), names(new));
    for name in united(was.iter(), is.iter()) {
        let place = || Place::Error(at.clone(), name.to_owned());
        let error = |operation: &'_ Operation| operation.errors.iter().find(|error| error.name == name).cloned();
        let (was, is) = match (error(old), error(new)) {
            (Some(was), None) => {
                found.add(contract, Change::new(&ERROR_REMOVED, Side::Old(place())).from(was.kind.word()));
                continue;
            }
            (None, Some(is)) => {
                found.add(contract, Change::new(&ERROR_ADDED, Side::New(place())).to(is.kind.word()));
                continue;
            }
            (Some(was), Some(is)) => (was, is),
            (None, None) => continue,
        };
        let here = |rule| Change::new(rule, Side::New(place()));
        if was.kind != is.kind {
            found.add(contract, here(&ERROR_KIND_CHANGED).from(was.kind.word()).to(is.kind.word()));
        }
        match (was.data, is.data) {
            (Some(was), None) => found.add(contract, here(&ERROR_DATA_REMOVED).from(was)),
            (None, Some(is)) => found.add(contract, here(&ERROR_DATA_ADDED).to(is)),
            // It travels as JSON over every transport, where the name of its type is not seen.
            (Some(was), Some(is)) => {
                let fields = |model: &Model, name: &str| fit::record(model, name).map(|record| record.fields.clone());
                let old_fields = fields(&found.old.model, &was).unwrap_or_default();
                let new_fields = fields(&found.new.model, &is).unwrap_or_default();
                let mut walk = Walk::new(found, contract.clone(), before, after).in_json();
                walk.fields((&old_fields, Place::Type(was)), (&new_fields, Place::Type(is)), Use::Output);
            }
            (None, None) => {}
        }
    }
}

/// What an operation takes, and which part of the design says so.
struct Taken {
    fields: Vec<Field>,
    place: Place,
}

impl Taken {
    fn of(model: &Model, service: &Service, operation: &Operation) -> Self {
        let at = OperationRef { service: service.name.clone(), operation: operation.name.clone() };
        match &operation.shape {
            Shape::Custom { input, .. } => {
                let place = match input {
                    Input::Named(name) | Input::Stream(name) => Place::Type(name.clone()),
                    Input::Payload(event) => Place::Event(event.clone()),
                    Input::None | Input::Fields(_) => Place::Input(at),
                };
                Self { fields: shape::request_fields(model, service, operation), place }
            }
            Shape::Verb { verb, resource: name } => {
                let of = shape::of_service(service, name);
                let id = shape::item_id(&of);
                let fields = match (service.resources.get(name), verb) {
                    (Some(resource), Verb::Create) => shape::new_fields(resource),
                    (Some(resource), Verb::Replace | Verb::Patch) => {
                        let mut fields = vec![id];
                        fields.extend(shape::draft_fields(resource).into_iter().filter(|field| field.name != "id"));
                        fields
                    }
                    (_, Verb::Get | Verb::Delete) => vec![id],
                    _ => Vec::new(),
                };
                Self { fields, place: Place::Resource(of) }
            }
        }
    }
}

/// What an operation takes one after another.
fn stream(operation: &Operation) -> Option<Type> {
    match &operation.shape {
        Shape::Custom { input: Input::Stream(item), .. } => Some(shape::named_type(item)),
        _ => None,
    }
}

/// The resource that an operation lists.
fn listed<'s>(service: &'s Service, operation: &Operation) -> Option<&'s Resource> {
    match &operation.shape {
        Shape::Verb { verb: Verb::List, resource } => service.resources.get(resource),
        _ => None,
    }
}

/// By what a list is filtered and sorted.
fn list(walk: &mut Walk<'_, '_>, was: &Resource, is: &Resource, at: &OperationRef) {
    let of = ResourceRef { service: at.service.clone(), resource: is.name.clone() };
    let paths = |resource: &Resource| -> Vec<String> {
        shape::filters(resource).into_iter().map(|filter| filter.path).collect()
    };
    let (old, new) = (paths(was), paths(is));
    for path in united(old.iter(), new.iter()) {
        let place = || Place::Filter(of.clone(), path.to_owned());
        let filter = |resource| shape::filters(resource).into_iter().find(|filter| filter.path == path);
        match (filter(was), filter(is)) {
            (Some(_), None) => walk.add(Change::new(&FILTER_REMOVED, Side::Old(place()))),
            (None, Some(_)) => walk.add(Change::new(&FILTER_ADDED, Side::New(place()))),
            (Some(was), Some(is)) => {
                walk.ty(&was.any(), &is.any(), Use::Input, &Place::Resource(of.clone()).field(path))
            }
            (None, None) => {}
        }
    }
    let (old, new) = (shape::sorts(was), shape::sorts(is));
    for path in united(old.iter(), new.iter()) {
        let place = || Place::Sort(of.clone(), path.to_owned());
        let has = |paths: &[String]| paths.iter().any(|other| other == path);
        match (has(&old), has(&new)) {
            (true, false) => walk.add(Change::new(&SORT_REMOVED, Side::Old(place()))),
            (false, true) => walk.add(Change::new(&SORT_ADDED, Side::New(place()))),
            _ => {}
        }
    }
}

/// What an operation gives.
enum Answer {
    Done,
    /// Written at the operation.
    Fields(Vec<Field>),
    Value(Type),
    /// Of a list.
    Page(Type),
    Stream(Type),
}

impl Answer {
    fn of(service: &Service, operation: &Operation) -> Self {
        let item = |name: &str| Type::Resource(shape::of_service(service, name));
        match &operation.shape {
            Shape::Custom { output, of, .. } => match (output, of) {
                (Output::None, _) | (Output::Item, None) => Self::Done,
                (Output::Item, Some(of)) => Self::Value(item(of)),
                (Output::Named(name), _) => Self::Value(shape::named_type(name)),
                (Output::Resource(of), _) => Self::Value(Type::Resource(of.clone())),
                (Output::Fields(fields), _) => Self::Fields(fields.clone()),
                (Output::Stream(StreamItem::Named(name)), _) => Self::Stream(shape::named_type(name)),
                (Output::Stream(StreamItem::Resource(of)), _) => Self::Stream(Type::Resource(of.clone())),
            },
            Shape::Verb { verb: Verb::Delete, .. } => Self::Done,
            Shape::Verb { verb: Verb::List, resource } => Self::Page(item(resource)),
            Shape::Verb { resource, .. } => Self::Value(item(resource)),
        }
    }
}

fn answers(walk: &mut Walk<'_, '_>, was: Answer, is: Answer, at: &OperationRef) {
    let place = Place::Output(at.clone());
    let here = |rule| Change::new(rule, Side::New(place.clone()));
    match (was, is) {
        (Answer::Done, Answer::Done) => {}
        (Answer::Stream(was), Answer::Stream(is))
        | (Answer::Page(was), Answer::Page(is))
        | (Answer::Value(was), Answer::Value(is)) => walk.whole(&was, &is, Use::Output, &place),
        (Answer::Stream(_), _) | (_, Answer::Stream(_)) => walk.add(here(&STREAM_CHANGED)),
        (Answer::Done, _) | (_, Answer::Done) => walk.add(here(&ANSWER_CHANGED)),
        (Answer::Page(_), _) | (_, Answer::Page(_)) => walk.add(here(&TYPE_CHANGED)),
        (Answer::Fields(was), Answer::Fields(is)) => {
            walk.fields((&was, place.clone()), (&is, place), Use::Output);
        }
        // What is written in place is a type of its own, which proto and GraphQL call by its name.
        (Answer::Fields(was), Answer::Value(is)) => match walk.new_fields(&is).filter(|_| walk.is_json()) {
            Some((is, at)) => walk.fields((&was, place), (&is, at), Use::Output),
            None => walk.add(here(&TYPE_CHANGED).to(fit::shown(&is))),
        },
        (Answer::Value(was), Answer::Fields(is)) => match walk.old_fields(&was).filter(|_| walk.is_json()) {
            Some((was, at)) => walk.fields((&was, at), (&is, place), Use::Output),
            None => walk.add(here(&TYPE_CHANGED).from(fit::shown(&was))),
        },
    }
}
