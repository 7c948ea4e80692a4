//! The calls that an operation declares: what they are given, what comes of their answers and errors.

use std::collections::BTreeSet;

use crate::{
    contracts::shape,
    model::{
        Call, DeclaredError, ErrorKind, Fallback, Field, Input, Model, Operation, OperationKind, Output, Resource,
        Service, Shape, Transport, Type, Verb,
    },
    names,
};

use super::{
    super::{
        contract, events,
        examples::{self, Source},
        operations::{error_name, request_name},
        queue, resources,
        rust::{self, user},
    },
    sources::{answer_source, given, record_fields},
};

pub(super) fn calls(model: &Model, service: &Service, operation: &Operation, sources: &mut Vec<Source>) -> Vec<String> {
    let calls = operation.calls.iter().filter(|call| !is_sent(model, service, operation, call));
    calls.flat_map(|call| call_lines(model, service, operation, call, sources)).collect()
}

/// Whether a call is a command that a transaction sends.
fn is_sent(model: &Model, service: &Service, operation: &Operation, call: &Call) -> bool {
    let transaction = operation.kind == OperationKind::Command && events::has_store(model, service);
    transaction && queue::by_queue(model, service, &call.to)
}

/// The statements that send the commands of an operation with its transaction.
pub fn sends(model: &Model, service: &Service, operation: &Operation, sources: &[Source]) -> Vec<String> {
    let sent = operation.calls.iter().filter(|call| is_sent(model, service, operation, call));
    let line = |call: &Call| {
        let owner = model.services.get(&call.to.service)?;
        let callee = owner.operations.get(&call.to.operation)?;
        let (called, upstream) = called(model, service, owner, operation, callee, call, sources);
        Some(format!("outbox::together(&mut tx, {called}).await.map_err({upstream})?;"))
    };
    sent.filter_map(line).collect()
}

/// The call, not awaited yet, and what makes its error ours.
fn called(
    model: &Model,
    service: &Service,
    owner: &Service,
    operation: &Operation,
    callee: &Operation,
    call: &Call,
    sources: &[Source],
) -> (String, String) {
    let path = format!("{}::", contract::ident(owner));
    let ours = given(model, service, operation);
    let said = |field: &Field| mapped(model, &ours, call.with.get(&field.name)?, &field.ty, &path);
    let argument: String =
        arguments(model, owner, callee, &said, sources).iter().map(|argument| format!(", {argument}")).collect();
    let (dependency, name) = (names::rust::variable(&owner.name), names::rust::ident(&callee.name));
    let contract = contract::ident(owner);
    (format!("self.{dependency}.{name}(&cx.call(){argument})"), upstream(operation, callee, &contract))
}

/// The variable of an answer: an item is called as what it is, unless we have another of that name.
fn variable(operation: &Operation, callee: &Operation, sources: &[Source]) -> String {
    let own = match &operation.shape {
        Shape::Custom { of, .. } => of.as_deref(),
        Shape::Verb { resource, .. } => Some(resource.as_str()),
    };
    let item = match &callee.shape {
        Shape::Custom { output: Output::Resource(of), .. } => Some(&of.resource),
        Shape::Custom { of, output: Output::Item, .. } => of.as_ref(),
        Shape::Custom { .. } | Shape::Verb { verb: Verb::List | Verb::Delete, .. } => None,
        Shape::Verb { resource, .. } => Some(resource),
    };
    let is_ours = |name: &str| {
        let places = sources.iter().flat_map(|source| &source.values).map(|(_, place)| place);
        places.into_iter().any(|place| place.split('.').next() == Some(name))
    };
    let item = item.filter(|item| own != Some(item.as_str())).map(|item| names::rust::variable(item));
    item.filter(|name| !is_ours(name)).unwrap_or_else(|| names::rust::variable(&callee.name))
}

fn call_lines(
    model: &Model,
    service: &Service,
    operation: &Operation,
    call: &Call,
    sources: &mut Vec<Source>,
) -> Vec<String> {
    let Some(callee) = model.services.get(&call.to.service).and_then(|s| s.operations.get(&call.to.operation)) else {
        return Vec::new();
    };
    let Some(owner) = model.services.get(&call.to.service) else { return Vec::new() };
    let contract = names::rust::crate_ident(&names::rust::contract_crate(&call.to.service));
    let path = format!("{contract}::");
    let name = variable(operation, callee, sources);
    let (called, upstream) = called(model, service, owner, operation, callee, call, sources);
    let called = called + ".await";
    let mut lines = Vec::new();
    let item = shape::on_item(callee).and_then(|resource| owner.resources.get(resource));
    let unsaid = item.is_some_and(|resource| !call.with.contains_key(&resource.id));
    if unsaid && item_known(model, owner, callee, sources, "").is_none() {
        let until = if on_made(owner, callee).is_some() { "" } else { ", and this fails until somebody has made it" };
        lines.push(format!("// Yours: which one. This is the id of an example{until}."));
    }
    let answered = answer_source(model, owner, callee, &name);
    let stream = matches!(callee.shape, Shape::Custom { output: Output::Stream(_), .. });
    let binding = match answered {
        Some(_) => format!("let {name} = "),
        // What it is read for is the user's.
        None if stream => format!("let _{} = ", callee.name),
        None => String::new(),
    };
    let link = model.link(&service.name, &call.to);
    if link.is_some_and(|link| link.policy.fallback.contains(&Fallback::Default)) {
        let constant = names::rust::constant(&callee.name);
        let zero = match stream {
            true => "Box::pin(futures_util::stream::empty())".to_owned(),
            false => examples::answer(model, owner, callee, &path),
        };
        lines.push(format!("let answer = {called};"));
        lines.push(
            "// What stands in for an answer that does not come is a decision of this service: make it yours.".into(),
        );
        lines.push(format!(
            "let answer = fallback::default(cx, &{contract}::operations::{constant}, answer, || {zero});"
        ));
        lines.push(format!("{binding}answer.map_err({upstream})?;"));
    } else {
        lines.push(format!("{binding}{called}.map_err({upstream})?;"));
    }
    sources.splice(0..0, answered);
    lines
}

/// What a call takes: an id from our `<resource>_id`, a record filled by field name, examples for the rest. `said` is
/// what the design gives to a field.
pub fn arguments(
    model: &Model,
    owner: &Service,
    callee: &Operation,
    said: &dyn Fn(&Field) -> Option<String>,
    sources: &[Source],
) -> Vec<String> {
    let path = &format!("{}::", contract::ident(owner));
    let mut all = examples::arguments(model, owner, callee, path);
    let item = shape::on_item(callee).and_then(|resource| owner.resources.get(resource));
    if let (Some(resource), Some(first)) = (item, all.first_mut()) {
        let id = shape::plain(&resource.id, Type::Ref(shape::of_service(owner, &resource.name)));
        if let Some(known) = said(&id).or_else(|| item_known(model, owner, callee, sources, path)) {
            *first = known;
        }
    }
    // After the record of a replace stands the revision.
    let record = all.iter_mut().rev().nth(usize::from(matches!(callee.shape, Shape::Verb { verb: Verb::Replace, .. })));
    if let (Some((name, fields)), Some(record)) = (record_of(model, owner, callee), record) {
        let given = |field: &Field| {
            let value = said(field).unwrap_or_else(|| examples::value(model, field, sources, path));
            examples::member(&field.name, &value)
        };
        *record = format!("{path}{name} {{ {} }}", fields.iter().map(given).collect::<Vec<_>>().join(", "));
    }
    all
}

/// The id of the item that a call is about: from our `<resource>_id`, else from whatever refers to such an item.
fn item_known(model: &Model, owner: &Service, callee: &Operation, sources: &[Source], path: &str) -> Option<String> {
    let resource = shape::on_item(callee)?;
    let id = Type::Ref(shape::of_service(owner, resource));
    let by_type = || {
        let (field, _) = sources.iter().flat_map(|source| &source.values).find(|(field, _)| field.ty == id)?;
        examples::taken(model, field, sources, "")
    };
    examples::taken(model, &shape::plain(&events::item_id(resource), id.clone()), sources, path).or_else(by_type)
}

/// The resource whose item a call is about, if an example does not name one: where callers give the key and can make an
/// item, the example is there. Over GraphQL they make others.
fn on_made<'m>(owner: &'m Service, callee: &Operation) -> Option<&'m Resource> {
    let resource = owner.resources.get(shape::on_item(callee)?)?;
    let makes = |operation: &Operation| match &operation.shape {
        Shape::Verb { verb: Verb::Create | Verb::Replace, resource: of } => *of == resource.name,
        _ => false,
    };
    let over = |operation: &Operation| operation.expose.has(Transport::Rest) || operation.expose.has(Transport::Grpc);
    let is_made = owner.operations.values().any(|operation| over(operation) && makes(operation));
    (!(shape::is_natural(resource) && is_made)).then_some(resource)
}

/// Whether a call is about an item of which no reference tells: an example of anything else names none.
fn is_guess(call: &Call, owner: &Service, callee: &Operation, sources: &[Source]) -> bool {
    on_made(owner, callee).is_some_and(|resource| {
        let id = Type::Ref(shape::of_service(owner, &resource.name));
        let said = call.with.get(&resource.id);
        let is_known = |field: &Field| field.ty == id && said.is_none_or(|ours| *ours == field.name);
        !sources.iter().flat_map(|source| &source.values).any(|(field, _)| is_known(field))
    })
}

/// Whether a call makes an item with something that no other may have.
fn may_be_there(owner: &Service, callee: &Operation) -> bool {
    let Shape::Verb { verb: Verb::Create, resource } = &callee.shape else { return false };
    let is_only =
        |found: &Resource| shape::is_natural(found) || shape::new_fields(found).iter().any(|field| field.unique);
    owner.resources.get(resource).is_some_and(is_only)
}

/// Whether a call makes an item that has to refer to another of the service, of which nothing tells.
fn refers_to_nothing(owner: &Service, callee: &Operation, call: &Call, sources: &[Source]) -> bool {
    let fields: Vec<&Field> = sources.iter().flat_map(|source| &source.values).map(|(field, _)| field).collect();
    let is_known = |wanted: &Field| {
        let ours = call.with.get(&wanted.name).unwrap_or(&wanted.name);
        fields.iter().any(|field| field.ty == wanted.ty && field.name == *ours)
    };
    required_keys(owner, callee).iter().any(|field| !is_known(field))
}

/// The references to items of the same service that an operation has to be given, for it makes or replaces an item.
pub fn required_keys<'m>(owner: &'m Service, operation: &Operation) -> Vec<&'m Field> {
    let Shape::Verb { verb: Verb::Create | Verb::Replace, resource } = &operation.shape else { return Vec::new() };
    let keys = owner.resources.get(resource).map(|resource| shape::required_keys(owner, resource));
    keys.into_iter().flatten().map(|(field, _)| field).collect()
}

/// Whether an operation, or one that it calls, asks for an item of which it knows no id, and so for that of an example,
/// or for a new one that may be there already or refers to one of which it knows no id.
pub fn guesses(model: &Model, service: &Service, operation: &Operation) -> bool {
    fn visit(model: &Model, service: &Service, operation: &Operation, seen: &mut BTreeSet<(String, String)>) -> bool {
        if !seen.insert((service.name.clone(), operation.name.clone())) {
            return false;
        }
        let mut sources = given(model, service, operation);
        operation.calls.iter().filter(|call| !is_sent(model, service, operation, call)).any(|call| {
            let Some(owner) = model.services.get(&call.to.service) else { return false };
            let Some(callee) = owner.operations.get(&call.to.operation) else { return false };
            let unknown = is_guess(call, owner, callee, &sources)
                || may_be_there(owner, callee)
                || refers_to_nothing(owner, callee, call, &sources);
            sources.splice(0..0, answer_source(model, owner, callee, &callee.name));
            unknown || visit(model, owner, callee, seen)
        })
    }
    visit(model, service, operation, &mut BTreeSet::new())
}

/// The record that an operation takes, and its fields.
pub fn record_of(model: &Model, owner: &Service, operation: &Operation) -> Option<(String, Vec<Field>)> {
    match &operation.shape {
        Shape::Custom { input: Input::Named(name), .. } => Some((name.clone(), record_fields(model, name))),
        Shape::Custom { input: Input::Fields(fields), .. } => Some((request_name(operation), fields.clone())),
        Shape::Verb { verb: Verb::Create, resource } => owner.resources.get(resource).map(|found| {
            (
                format!("New{resource}"),
                resources::with_id(&shape::new_fields(found), found, &shape::of_service(owner, resource)),
            )
        }),
        Shape::Verb { verb: Verb::Replace, resource } => {
            owner.resources.get(resource).map(|found| (format!("{resource}Draft"), shape::draft_fields(found)))
        }
        _ => None,
    }
}

/// `input.total.amount`: what a path that the design gives leads to, in the first source that has it, as a value of the
/// type that is wanted.
fn mapped(model: &Model, sources: &[Source], ours: &str, wanted: &Type, path: &str) -> Option<String> {
    let (first, rest) = ours.split_once('.').unwrap_or((ours, ""));
    let (field, place) = sources.iter().flat_map(|source| &source.values).find(|(field, _)| field.name == first)?;
    let segments: Vec<&str> = rest.split('.').filter(|segment| !segment.is_empty()).collect();
    followed(model, place, &field.ty, &segments, wanted, path)
}

fn followed(model: &Model, place: &str, ty: &Type, segments: &[&str], wanted: &Type, path: &str) -> Option<String> {
    let Some((segment, rest)) = segments.split_first() else {
        return examples::converted(model, place, ty, wanted, path);
    };
    match (ty, wanted) {
        (Type::Named(of), _) => {
            let field = record_fields(model, &of.name).into_iter().find(|field| field.name == *segment)?;
            followed(model, &format!("{place}.{}", names::rust::ident(segment)), &field.ty, rest, wanted, path)
        }
        (Type::Optional(inner), Type::Optional(within)) => {
            let is_optional = leads_to_optional(model, inner, segments);
            let (and, wanted) = if is_optional { ("and_then", wanted) } else { ("map", &**within) };
            let value = followed(model, "value", inner, segments, wanted, path)?;
            let place = if rust::is_copy(ty) { place.to_owned() } else { format!("{place}.clone()") };
            Some(format!("{place}.{and}(|value| {value})"))
        }
        _ => None,
    }
}

/// Whether something optional is on the way, the end included.
fn leads_to_optional(model: &Model, ty: &Type, segments: &[&str]) -> bool {
    match (ty, segments.split_first()) {
        (Type::Optional(_), _) => true,
        (Type::Named(of), Some((segment, rest))) => record_fields(model, &of.name)
            .iter()
            .find(|field| field.name == *segment)
            .is_some_and(|field| leads_to_optional(model, &field.ty, rest)),
        _ => false,
    }
}

/// How an error of a callee becomes ours: one that both declare passes on as it is, what it does not find or has already
/// is so for us too if we have a word for that, anything else is our trouble.
fn upstream(operation: &Operation, callee: &Operation, contract: &str) -> String {
    let same =
        |ours: &&DeclaredError| callee.errors.iter().any(|theirs| theirs.name == ours.name && theirs.data == ours.data);
    let (theirs, ours) = (format!("{contract}::{}", error_name(callee)), user(&error_name(operation)));
    let passed = operation.errors.iter().filter(same).map(|error| match error.data {
        Some(_) => format!("{theirs}::{0}(data) => {ours}::{0}(data), ", error.name),
        None => format!("{theirs}::{0} => {ours}::{0}, ", error.name),
    });
    let mut arms: Vec<String> = passed.collect();
    // What the callee's kit makes of its store has no name there, but may have one with us.
    let makes = matches!(callee.shape, Shape::Verb { verb: Verb::Create, .. });
    for (kind, name, may_be) in
        [(ErrorKind::NotFound, "missing", shape::on_item(callee).is_some()), (ErrorKind::Exists, "taken", makes)]
    {
        let word = operation.errors.iter().find(|ours| ours.kind == kind && ours.data.is_none() && !same(ours));
        if let Some(error) = word.filter(|_| may_be) {
            let its = if callee.errors.is_empty() {
                format!("{name}.kind")
            } else {
                format!("kit::OperationError::kind(&{name})")
            };
            arms.push(format!("{name} if {its} == Kind::{kind:?} => {ours}::{}, ", error.name));
        }
    }
    match arms.is_empty() {
        true => "Failure::upstream".into(),
        false => format!("|error| match error {{ {}other => Failure::upstream(other).into() }}", arms.concat()),
    }
}
