//! What emitted business code does before anybody has written any: it makes the declared calls, fills every input and
//! answer by field name, and takes examples for the rest.

use crate::{
    contracts::shape,
    model::{
        Call, DeclaredError, ErrorKind, EventRef, Fallback, Field, Input, Model, Operation, OperationKind, Output,
        Payload, Resource, ResourceRef, Scalar, Service, Shape, StreamItem, Type, TypeDef, Verb,
    },
    names,
};

use super::{
    events,
    examples::{self, Source},
    operations::{error_name, request_name, response_name},
    publish, queue, resources,
    rust::{self, id_name, user},
};

/// The statements of an operation.
pub fn body(model: &Model, service: &Service, operation: &Operation) -> Vec<String> {
    let lines = match &operation.shape {
        Shape::Custom { of, output, .. } => {
            let mut sources = vec![input(model, operation)];
            let id = of.as_ref().map(|of| Source::id("id", &shape::of_service(service, of)));
            sources.extend(id);
            let mut lines = calls(model, service, operation, &mut sources);
            match of.as_ref().and_then(|of| service.resources.get(of)) {
                _ if !operation.follows.is_empty() => lines.extend(follow_lines(model, service, operation)),
                Some(resource) => lines.extend(on_item(model, service, operation, resource, output, &mut sources)),
                None => {
                    lines.extend(publish::effect(model, service, operation, &sources));
                    lines.extend(answer_lines(model, operation, &sources));
                }
            }
            lines
        }
        Shape::Verb { verb, resource } => match service.resources.get(resource) {
            Some(resource) => verb_lines(model, service, operation, *verb, resource),
            None => Vec::new(),
        },
    };
    moved(bound(lines))
}

fn calls(model: &Model, service: &Service, operation: &Operation, sources: &mut Vec<Source>) -> Vec<String> {
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
        let (called, upstream) = called(model, owner, operation, callee, call, sources);
        Some(format!("outbox::together(&mut tx, {called}).await.map_err({upstream})?;"))
    };
    sent.filter_map(line).collect()
}

/// The call, not awaited yet, and what makes its error ours.
fn called(
    model: &Model,
    owner: &Service,
    operation: &Operation,
    callee: &Operation,
    call: &Call,
    sources: &[Source],
) -> (String, String) {
    let said = |field: &Field| call.with.get(&field.name).and_then(|ours| place(model, sources, ours));
    let argument: String =
        arguments(model, owner, callee, &said, sources).iter().map(|argument| format!(", {argument}")).collect();
    let (dependency, name) = (names::rust::ident(&owner.name), names::rust::ident(&callee.name));
    let contract = names::rust::crate_ident(&names::rust::contract_crate(&owner.name));
    (format!("self.{dependency}.{name}(&cx.call(){argument})"), upstream(operation, callee, &contract))
}

/// A command on one item reads it, leaves it to the user to change, and writes it; a query reads it.
fn on_item(
    model: &Model,
    service: &Service,
    operation: &Operation,
    resource: &Resource,
    output: &Output,
    sources: &mut Vec<Source>,
) -> Vec<String> {
    let (item, module) = (names::rust::ident(&names::snake(&resource.name)), names::rust::module(&resource.name));
    sources.insert(0, Source::item(&item, resource, &shape::of_service(service, &resource.name)));
    let answer = match output {
        Output::Item => vec![format!("Ok({item})")],
        _ => answer_lines(model, operation, sources),
    };
    let published = publish::statement(model, service, operation, sources);
    let uses_item = *output == Output::Item || answer.iter().any(|line| line.contains(&format!("{item}.")));
    let mut lines = Vec::new();
    match operation.kind {
        OperationKind::Query => {
            let binding = if uses_item { item.clone() } else { "_".to_owned() + item.trim_start_matches("r#") };
            lines.push(format!("let {binding} = store::{module}::get(self.store.read(), &id).await?;"));
        }
        OperationKind::Command => {
            lines.push("let mut tx = self.store.begin().await?;".into());
            lines.push(format!("let mut {item} = store::{module}::get(&mut *tx, &id).await?;"));
            let mut work =
                vec![format!("// Yours: what this does to the {}.", names::snake(&resource.name).replace('_', " "))];
            work.push(format!("store::{module}::update(&mut tx, &mut {item}).await?;"));
            work.extend(sends(model, service, operation, sources));
            work.extend(published);
            lines.extend(publish::once(model, service, operation, work));
        }
    }
    lines.extend(answer);
    lines
}

fn verb_lines(model: &Model, service: &Service, operation: &Operation, verb: Verb, resource: &Resource) -> Vec<String> {
    let (item, module) = (names::rust::ident(&names::snake(&resource.name)), names::rust::module(&resource.name));
    let id = names::rust::ident(&resource.id);
    let begin = "let mut tx = self.store.begin().await?;".to_owned();
    let of = shape::of_service(service, &resource.name);
    let mut sources = match verb {
        Verb::List => Vec::new(),
        Verb::Create => vec![Source::item(&item, resource, &of)],
        Verb::Get | Verb::Replace | Verb::Patch | Verb::Delete => vec![Source::id("id", &of)],
    };
    let mut lines = calls(model, service, operation, &mut sources);
    let whole = (verb != Verb::Create).then(|| Source::item(&item, resource, &of));
    let sources: Vec<Source> = whole.into_iter().chain(sources).collect();
    let published = publish::statement(model, service, operation, &sources);
    let mut told = sends(model, service, operation, &sources);
    told.extend(published);
    let commit = told.iter().map(|line| format!("{line}\n")).collect::<String>() + "tx.commit().await?;";
    let read = format!("let mut {item} = store::{module}::get(&mut *tx, &id).await?;");
    let update = format!("store::{module}::update(&mut tx, &mut {item}).await?;");
    let answer = format!("Ok({item})");
    match verb {
        Verb::List => lines.push(format!("Ok(store::{module}::list(self.store.read(), &query).await?)")),
        Verb::Get => lines.push(format!("Ok(store::{module}::get(self.store.read(), &id).await?)")),
        Verb::Create => {
            let given = [Source::record("new", &shape::new_fields(resource))];
            let made = made(model, resource, &given, "new");
            let answered = answered(model, resource, &item, &sources);
            let mutable = if answered.is_empty() { "" } else { "mut " };
            lines.insert(0, format!("let {mutable}{item} = {made};"));
            lines.extend(answered);
            lines.extend([begin, format!("store::{module}::insert(&mut tx, &{item}).await?;"), commit, answer]);
        }
        Verb::Replace if resources::is_natural(resource) => {
            let given = [Source::record("draft", &shape::draft_fields(resource))];
            let made =
                made(model, resource, &given, "draft").replace(&format!("{id}: draft.{id}"), &format!("{id}: id"));
            lines.push(begin);
            lines.push(format!("let found = store::{module}::get(&mut *tx, &id).await.map_err(Failure::from);"));
            let into = if operation.errors.is_empty() { "" } else { ".into()" };
            lines.push(format!(
                "let {item} = match found {{
                    Ok(mut {item}) => {{
                        {item}.etag.check(etag)?;
                        {item}.replace(draft);
                        {update}
                        {item}
                    }}
                    // A caller who has a revision in mind does not mean a new one.
                    Err(missing) if missing.kind == Kind::NotFound && etag.is_none() => {{
                        let {item} = {made};
                        store::{module}::insert(&mut tx, &{item}).await?;
                        {item}
                    }}
                    Err(other) => return Err(other{into}),
                }};"
            ));
            lines.extend([commit, answer]);
        }
        Verb::Replace => {
            let check = format!("{item}.etag.check(etag)?;");
            lines.extend([begin, read, check, format!("{item}.replace(draft);"), update, commit, answer]);
        }
        Verb::Patch => {
            let check = format!("{item}.etag.check(etag)?;");
            lines.extend([begin, read, check, format!("{item}.patch(&patch)?;"), update, commit, answer]);
        }
        Verb::Delete => {
            let read = format!("let {item} = store::{module}::get(&mut *tx, &id).await?;");
            let check = format!("{item}.etag.check(etag)?;");
            let mut work = vec![read, check, format!("store::{module}::delete(&mut tx, &id).await?;")];
            work.extend(told);
            lines.push(begin);
            lines.extend(publish::once(model, service, operation, work));
            lines.push("Ok(())".into());
        }
    }
    lines
}

/// What a new item takes from the answers of others: fields that the service alone sets.
fn answered(model: &Model, resource: &Resource, item: &str, sources: &[Source]) -> Vec<String> {
    // The item itself is the oldest source.
    let answers = sources.split_last().map_or(&[][..], |(_, answers)| answers);
    let set = resource.fields.iter().filter(|field| field.readonly && field.name != resource.id);
    let taken = set.filter_map(|field| Some((field, examples::taken(model, field, answers)?)));
    taken.map(|(field, value)| format!("{item}.{} = {value};", names::rust::ident(&field.name))).collect()
}

/// The events that a query sends on, as items of its stream.
fn follow_lines(model: &Model, service: &Service, operation: &Operation) -> Vec<String> {
    let types: Vec<String> = operation.follows.iter().map(|event| events::seen_from(service, event)).collect();
    let listed: Vec<String> = types.iter().map(|ty| format!("{ty}::TYPE")).collect();
    let payload = if operation.errors.is_empty() { "message?.payload()" } else { "Ok(message?.payload()?)" };
    let item = match &operation.shape {
        Shape::Custom { output: Output::Stream(StreamItem::Named(union)), .. }
            if matches!(model.types.get(union), Some(TypeDef::Union(_))) =>
        {
            let last = types.len() - 1;
            let arm = |(number, event): (usize, &EventRef)| {
                let found = model.services.get(&event.service).and_then(|service| service.events.get(&event.event));
                let Some(Payload::Named(variant)) = found.map(|event| &event.payload) else { return String::new() };
                let kind = if number == last { "_".to_owned() } else { format!("{}::TYPE", types[number]) };
                format!("{kind} => {}::{variant}(message.payload()?), ", user(union))
            };
            let arms: String = operation.follows.iter().enumerate().map(arm).collect();
            format!("{{ let message = message?; Ok(match message.kind.as_str() {{ {arms} }}) }}")
        }
        _ => payload.to_owned(),
    };
    vec![
        format!("let messages = self.broker.follow(&[{}]).await?;", listed.join(", ")),
        "// Yours: which of them the caller gets.".to_owned(),
        format!("Ok(Box::pin(messages.map(|message| {item})))"),
    ]
}

/// A whole new item: what callers give, defaults, examples of what the service decides.
fn made(model: &Model, resource: &Resource, sources: &[Source], given: &str) -> String {
    let fields: Vec<String> = resource
        .fields
        .iter()
        .map(|field| {
            let ident = names::rust::ident(&field.name);
            let is_id = field.name == resource.id;
            let value = match () {
                () if is_id && resources::is_natural(resource) => format!("{given}.{ident}"),
                () if is_id => format!("{}(Uuid::now_v7())", user(&id_name(&resource.name))),
                () if field.readonly && field.default.is_none() && field.ty == Type::Scalar(Scalar::Timestamp) => {
                    "kit::json::now()".into()
                }
                () => examples::value(model, field, sources, ""),
            };
            format!("{ident}: {value}")
        })
        .collect();
    format!("{} {{ {}, etag: Etag(1) }}", user(&resource.name), fields.join(", "))
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
    let name = names::rust::ident(&callee.name);
    let (called, upstream) = called(model, owner, operation, callee, call, sources);
    let called = called + ".await";
    let mut lines = Vec::new();
    let answered = answer_source(model, owner, callee, &name);
    let binding = if answered.is_some() { format!("let {name} = ") } else { String::new() };
    let link = model.link(&service.name, &call.to);
    if link.is_some_and(|link| link.policy.fallback.contains(&Fallback::Default)) {
        let constant = names::rust::constant(&callee.name);
        let zero = examples::answer(model, owner, callee, &path);
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
    let path = &format!("{}::", names::rust::crate_ident(&names::rust::contract_crate(&owner.name)));
    let mut all = examples::arguments(model, owner, callee, path);
    if let (Some(resource), Some(first)) = (shape::on_item(callee), all.first_mut()) {
        let id = Type::Ref(shape::of_service(owner, resource));
        *first = examples::value(model, &shape::plain(&events::item_id(resource), id), sources, path);
    }
    if let (Some((name, fields)), Some(last)) = (record_of(model, owner, callee), all.last_mut()) {
        let given = |field: &Field| {
            let value = said(field).unwrap_or_else(|| examples::value(model, field, sources, path));
            format!("{}: {value}", names::rust::ident(&field.name))
        };
        *last = format!("{path}{name} {{ {} }}", fields.iter().map(given).collect::<Vec<_>>().join(", "));
    }
    all
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
        _ => None,
    }
}

/// `input.total.amount`: the place of a path that the design gives, in the first source that has it.
fn place(model: &Model, sources: &[Source], path: &str) -> Option<String> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let (field, place) = sources.iter().flat_map(|source| &source.values).find(|(field, _)| field.name == first)?;
    let (mut ty, mut place) = (field.ty.clone(), place.clone());
    for segment in rest.iter().flat_map(|rest| rest.split('.')) {
        let Type::Named(of) = &ty else { return None };
        let field = record_fields(model, &of.name).into_iter().find(|field| field.name == segment)?;
        place = format!("{place}.{}", names::rust::ident(segment));
        ty = field.ty;
    }
    Some(if rust::is_copy(&ty) { place } else { place + ".clone()" })
}

/// How an error of a callee becomes ours: one that both declare passes on as it is, what it does not find is what we do
/// not find if we have a word for that, anything else is our trouble.
fn upstream(operation: &Operation, callee: &Operation, contract: &str) -> String {
    let same =
        |ours: &&DeclaredError| callee.errors.iter().any(|theirs| theirs.name == ours.name && theirs.data == ours.data);
    let (theirs, ours) = (format!("{contract}::{}", error_name(callee)), user(&error_name(operation)));
    let passed = operation.errors.iter().filter(same).map(|error| match error.data {
        Some(_) => format!("{theirs}::{0}(data) => {ours}::{0}(data), ", error.name),
        None => format!("{theirs}::{0} => {ours}::{0}, ", error.name),
    });
    let mut arms: Vec<String> = passed.collect();
    let missing = operation.errors.iter().find(|ours| {
        ours.kind == ErrorKind::NotFound && ours.data.is_none() && shape::on_item(callee).is_some() && !same(ours)
    });
    if let Some(error) = missing {
        let kind = if callee.errors.is_empty() { "missing.kind" } else { "kit::OperationError::kind(&missing)" };
        arms.push(format!("missing if {kind} == Kind::NotFound => {ours}::{}, ", error.name));
    }
    match arms.is_empty() {
        true => "Failure::upstream".into(),
        false => format!("|error| match error {{ {}other => Failure::upstream(other).into() }}", arms.concat()),
    }
}

fn answer_lines(model: &Model, operation: &Operation, sources: &[Source]) -> Vec<String> {
    let Shape::Custom { output, .. } = &operation.shape else { return Vec::new() };
    let record = match output {
        Output::Named(name) => user(name),
        Output::Fields(_) => user(&response_name(operation)),
        Output::Resource(of) => {
            let item = sources.iter().find_map(|source| source.holds(of)).map(str::to_owned);
            let item = item.unwrap_or_else(|| examples::example(model, &Type::Resource(of.clone()), ""));
            return vec![format!("Ok({item})")];
        }
        Output::Stream(item) => {
            let item = match item {
                StreamItem::Named(name) => examples::example_of(model, name, ""),
                StreamItem::Resource(of) => examples::example(model, &Type::Resource(of.clone()), ""),
            };
            return vec![format!("Ok(Box::pin(futures_util::stream::iter([Ok({item})])))")];
        }
        Output::None | Output::Item => return vec!["Ok(())".into()],
    };
    let fields = output_fields(model, operation).unwrap_or_default();
    vec![format!("Ok({record} {{ {} }})", examples::filled(model, &fields, sources, ""))]
}

/// Drops the variable of an answer that nothing looks at.
fn bound(lines: Vec<String>) -> Vec<String> {
    let looked_at = |at: usize, name: &str| {
        let others = lines.iter().enumerate().filter(|(other, _)| *other != at);
        others.into_iter().any(|(_, line)| mentions(line, name))
    };
    let kept = |(at, line): (usize, &String)| match line.strip_prefix("let ").and_then(|rest| rest.split_once(" = ")) {
        Some((name, value)) if value.ends_with("?;") && name != "mut tx" && !looked_at(at, name) => value.to_owned(),
        _ => line.clone(),
    };
    lines.iter().enumerate().map(kept).collect()
}

/// The text uses the variable.
pub fn mentions(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(|c: char| part(c) || c == '.') && !text[at + name.len()..].starts_with(part)
    })
}

/// Drops the `.clone()` of what is used only once.
fn moved(lines: Vec<String>) -> Vec<String> {
    let all = lines.join("\n");
    let once = |line: String| {
        let mut line = line;
        let mut from = 0;
        while let Some(at) = line[from..].find(".clone()").map(|at| at + from) {
            let start = line[..at]
                .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.' || c == '#'))
                .map_or(0, |i| i + 1);
            let place = line[start..at].to_owned();
            from = at + 1;
            if all.matches(&format!("{place}.clone()")).count() == 1 && !used_after(&all, &place) {
                line.replace_range(at..at + ".clone()".len(), "");
            }
        }
        line
    };
    lines.into_iter().map(once).collect()
}

/// The variable of a place is used as a whole after the place was cloned, so that nothing can be moved out of it.
fn used_after(text: &str, place: &str) -> bool {
    let cloned = format!("{place}.clone()");
    let rest = text.split_once(&cloned).map_or("", |(_, rest)| rest);
    let root = place.split('.').next().unwrap_or(place);
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '#';
    rest.match_indices(root).any(|(at, _)| {
        let (before, after) = (&rest[..at], &rest[at + root.len()..]);
        let whole = root == place || !after.starts_with('.');
        whole && !before.ends_with(|c: char| part(c) || c == '.') && !after.starts_with(|c: char| part(c) || c == ':')
    })
}

/// What the operation is given.
fn input(model: &Model, operation: &Operation) -> Source {
    if let Shape::Custom { input: Input::Payload(event), .. } = &operation.shape
        && let Some(found) = model.services.get(&event.service).and_then(|service| service.events.get(&event.event))
    {
        return match &found.payload {
            Payload::Resource(of) => item_source(model, of, "input"),
            Payload::Named(_) | Payload::Fields(_) => Source::record("input", &events::fields(model, found)),
        };
    }
    Source::record("input", &shape::input_fields(model, operation))
}

/// A variable with the answer of an operation, if it is one record or item.
fn answer_source(model: &Model, owner: &Service, operation: &Operation, variable: &str) -> Option<Source> {
    let own = |resource: &str| Some(item_source(model, &shape::of_service(owner, resource), variable));
    match &operation.shape {
        Shape::Custom { output: Output::Resource(of), .. } => Some(item_source(model, of, variable)),
        Shape::Custom { of: Some(resource), output: Output::Item, .. } => own(resource),
        Shape::Custom { .. } => Some(Source::record(variable, &output_fields(model, operation)?)),
        Shape::Verb { verb: Verb::List | Verb::Delete, .. } => None,
        Shape::Verb { resource, .. } => own(resource),
    }
}

fn item_source(model: &Model, of: &ResourceRef, variable: &str) -> Source {
    match shape::resource(model, of) {
        Some(resource) => Source::item(variable, resource, of),
        None => Source::record(variable, &[]),
    }
}

fn output_fields(model: &Model, operation: &Operation) -> Option<Vec<Field>> {
    match &operation.shape {
        Shape::Custom { output: Output::Named(name), .. } => Some(record_fields(model, name)),
        Shape::Custom { output: Output::Fields(fields), .. } => Some(fields.clone()),
        _ => None,
    }
}

fn record_fields(model: &Model, name: &str) -> Vec<Field> {
    match model.types.get(name) {
        Some(TypeDef::Record(record)) => record.fields.clone(),
        _ => Vec::new(),
    }
}
