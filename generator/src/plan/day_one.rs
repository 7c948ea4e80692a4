//! What emitted business code does before anybody has written any: it makes the declared calls, fills every input and
//! answer by field name, and takes examples for the rest.

use crate::{
    contracts::{matching, shape},
    escape,
    model::{
        Call, EventRef, Fallback, Field, Input, Model, Operation, OperationKind, Output, Payload, Resource,
        ResourceRef, Scalar, Service, Shape, StreamItem, Target, Type, TypeDef, TypeRef, Verb,
    },
    names,
};

use super::{
    events,
    operations::{error_name, request_name, response_name},
    publish, resources,
    rust::{self, id_name, user},
    service,
    types::default_value,
};

/// Variables, and the fields that each has.
pub type Sources = Vec<(String, Vec<Field>)>;

/// The statements of an operation.
pub fn body(model: &Model, service: &Service, operation: &Operation) -> Vec<String> {
    let lines = match &operation.shape {
        Shape::Custom { of, output, .. } => {
            let mut sources = vec![("input".to_owned(), input_fields(model, operation))];
            let mut lines = calls(model, service, operation, &mut sources);
            match of.as_ref().and_then(|of| service.resources.get(of)) {
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
    unnamed(moved(lines))
}

fn calls(model: &Model, service: &Service, operation: &Operation, sources: &mut Sources) -> Vec<String> {
    operation.calls.iter().flat_map(|call| call_lines(model, service, operation, call, sources)).collect()
}

/// A command on one item reads it, leaves it to the user to change, and writes it; a query reads it.
fn on_item(
    model: &Model,
    service: &Service,
    operation: &Operation,
    resource: &Resource,
    output: &Output,
    sources: &mut Sources,
) -> Vec<String> {
    let (item, module) = (names::rust::ident(&names::snake(&resource.name)), names::rust::module(&resource.name));
    sources.insert(0, (item.clone(), resource.fields.clone()));
    let answer = match output {
        Output::Item => vec![format!("Ok({item})")],
        _ => answer_lines(model, operation, sources),
    };
    let published = publish::statement(model, service, operation, Some((&item, resource)), sources);
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
            work.extend(published);
            lines.extend(publish::once(service, operation, work));
        }
    }
    lines.extend(answer);
    lines
}

fn verb_lines(model: &Model, service: &Service, operation: &Operation, verb: Verb, resource: &Resource) -> Vec<String> {
    let (item, module) = (names::rust::ident(&names::snake(&resource.name)), names::rust::module(&resource.name));
    let id = names::rust::ident(&resource.id);
    let begin = "let mut tx = self.store.begin().await?;".to_owned();
    let published = publish::statement(model, service, operation, Some((&item, resource)), &Vec::new());
    let commit = published.map_or_else(String::new, |publish| publish + "\n") + "tx.commit().await?;";
    let read = format!("let mut {item} = store::{module}::get(&mut *tx, &id).await?;");
    let update = format!("store::{module}::update(&mut tx, &mut {item}).await?;");
    let answer = format!("Ok({item})");
    match verb {
        Verb::List => {
            let mut lines = calls(model, service, operation, &mut vec![]);
            lines.push(format!("Ok(store::{module}::list(self.store.read(), &query).await?)"));
            lines
        }
        Verb::Get => {
            let mut lines = calls(model, service, operation, &mut vec![]);
            lines.push(format!("Ok(store::{module}::get(self.store.read(), &id).await?)"));
            lines
        }
        Verb::Create => {
            let mut sources = vec![("new".to_owned(), shape::new_fields(resource))];
            let made = made(model, resource, &sources, "new");
            let mut lines = vec![format!("let {item} = {made};")];
            sources = vec![(item.clone(), resource.fields.clone())];
            lines.extend(calls(model, service, operation, &mut sources));
            lines.extend([begin, format!("store::{module}::insert(&mut tx, &{item}).await?;"), commit, answer]);
            lines
        }
        Verb::Replace if resources::is_natural(resource) => {
            let sources = vec![("draft".to_owned(), shape::draft_fields(resource))];
            let made =
                made(model, resource, &sources, "draft").replace(&format!("{id}: draft.{id}"), &format!("{id}: id"));
            let mut lines = calls(model, service, operation, &mut vec![]);
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
            lines
        }
        Verb::Replace => {
            let mut lines = calls(model, service, operation, &mut vec![]);
            let check = format!("{item}.etag.check(etag)?;");
            lines.extend([begin, read, check, format!("{item}.replace(draft);"), update, commit, answer]);
            lines
        }
        Verb::Patch => {
            let mut lines = calls(model, service, operation, &mut vec![]);
            let check = format!("{item}.etag.check(etag)?;");
            lines.extend([begin, read, check, format!("{item}.patch(&patch)?;"), update, commit, answer]);
            lines
        }
        Verb::Delete => {
            let mut lines = calls(model, service, operation, &mut vec![("id".to_owned(), vec![])]);
            let read = format!("let {item} = store::{module}::get(&mut *tx, &id).await?;");
            let check = format!("{item}.etag.check(etag)?;");
            lines.extend([begin, read, check, format!("store::{module}::delete(&mut tx, &id).await?;"), commit]);
            lines.push("Ok(())".into());
            lines
        }
    }
}

/// A whole new item: what callers give, defaults, examples of what the service decides.
fn made(model: &Model, resource: &Resource, sources: &[(String, Vec<Field>)], given: &str) -> String {
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
                () => value(model, field, sources, ""),
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
    sources: &mut Sources,
) -> Vec<String> {
    let Some(callee) = model.services.get(&call.to.service).and_then(|s| s.operations.get(&call.to.operation)) else {
        return Vec::new();
    };
    let Some(owner) = model.services.get(&call.to.service) else { return Vec::new() };
    let contract = names::rust::crate_ident(&names::rust::contract_crate(&call.to.service));
    let path = format!("{contract}::");
    let argument: String =
        call_arguments(model, owner, callee, call, sources).iter().map(|argument| format!(", {argument}")).collect();
    let name = names::rust::ident(&callee.name);
    let dependency = names::rust::ident(&call.to.service);
    let upstream = upstream(operation, callee, &contract);
    let called = format!("self.{dependency}.{name}(cx{argument}).await");
    let mut lines = Vec::new();
    let answers = output_fields(model, callee);
    let stream = matches!(callee.shape, Shape::Custom { output: Output::Stream(_), .. });
    let binding = match answers {
        Some(_) => format!("let {name} = "),
        // What it is read for is the user's.
        None if stream => format!("let _{} = ", callee.name),
        None => String::new(),
    };
    if falls_back(model, &service.name, call) {
        let constant = names::rust::constant(&callee.name);
        let zero = match stream {
            true => "Box::pin(futures_util::stream::empty())".to_owned(),
            false => answer(model, owner, callee, &path),
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
    if let Some(fields) = answers {
        sources.insert(0, (name, fields));
    }
    lines
}

/// What a call takes: an id from our `<resource>_id`, a record filled by field name, examples for the rest.
fn call_arguments(model: &Model, owner: &Service, callee: &Operation, call: &Call, sources: &Sources) -> Vec<String> {
    let path = &format!("{}::", names::rust::crate_ident(&names::rust::contract_crate(&owner.name)));
    let mut all = arguments(model, owner, callee, path);
    if let (Some(resource), Some(first)) = (shape::on_item(callee), all.first_mut()) {
        let ours = format!("{}_id", names::snake(resource));
        let id = Type::Ref(shape::of_service(owner, resource));
        *first = value(model, &shape::plain(&ours, id), sources, path);
    }
    let record = match &callee.shape {
        Shape::Custom { input: Input::Named(name), .. } => Some((name.clone(), input_fields(model, callee))),
        Shape::Custom { input: Input::Fields(fields), .. } => Some((request_name(callee), fields.clone())),
        Shape::Verb { verb: Verb::Create, resource } => owner.resources.get(resource).map(|found| {
            (
                format!("New{resource}"),
                resources::with_id(&shape::new_fields(found), found, &shape::of_service(owner, resource)),
            )
        }),
        _ => None,
    };
    if let (Some((name, fields)), Some(last)) = (record, all.last_mut()) {
        let given = |field: &Field| {
            let said = call.with.get(&field.name).and_then(|ours| place(model, sources, ours));
            let value = said.unwrap_or_else(|| value(model, field, sources, path));
            format!("{}: {value}", names::rust::ident(&field.name))
        };
        *last = format!("{path}{name} {{ {} }}", fields.iter().map(given).collect::<Vec<_>>().join(", "));
    }
    all
}

/// `input.total.amount`: the place of a path that the design gives, in the first source that has it.
fn place(model: &Model, sources: &Sources, path: &str) -> Option<String> {
    sources.iter().find_map(|(source, fields)| {
        let (mut fields, mut place, mut last) = (fields.clone(), source.clone(), None);
        for segment in path.split('.') {
            let field = fields.iter().find(|field| field.name == segment)?.clone();
            place = format!("{place}.{}", names::rust::ident(segment));
            fields = match &field.ty {
                Type::Named(of) => record_fields(model, &of.name),
                _ => Vec::new(),
            };
            last = Some(field.ty);
        }
        let copy = last.is_some_and(|ty| rust::is_copy(&ty));
        Some(if copy { place } else { place + ".clone()" })
    })
}

/// How an error of a callee becomes ours: one that both declare passes on as it is, anything else is our trouble.
fn upstream(operation: &Operation, callee: &Operation, contract: &str) -> String {
    let common: Vec<_> = operation
        .errors
        .iter()
        .filter(|ours| callee.errors.iter().any(|theirs| theirs.name == ours.name && theirs.data == ours.data))
        .collect();
    if common.is_empty() {
        return "Failure::upstream".into();
    }
    let (theirs, ours) = (format!("{contract}::{}", error_name(callee)), user(&error_name(operation)));
    let arms: String = common
        .iter()
        .map(|error| match error.data {
            Some(_) => format!("{theirs}::{0}(data) => {ours}::{0}(data), ", error.name),
            None => format!("{theirs}::{0} => {ours}::{0}, ", error.name),
        })
        .collect();
    format!("|error| match error {{ {arms}other => Failure::upstream(other).into() }}")
}

fn falls_back(model: &Model, from: &str, call: &Call) -> bool {
    let to = |target: &Target| match target {
        Target::Operation { to, .. } => *to == call.to,
        Target::Service { service, .. } => *service == call.to.service,
        Target::Event(_) => false,
    };
    // The link to the operation alone counts before the one to its service.
    let mut links: Vec<_> = model.links.iter().filter(|link| link.from == from && to(&link.to)).collect();
    links.sort_by_key(|link| matches!(link.to, Target::Service { .. }));
    links.first().is_some_and(|link| link.policy.fallback.contains(&Fallback::Default))
}

fn answer_lines(model: &Model, operation: &Operation, sources: &[(String, Vec<Field>)]) -> Vec<String> {
    let Shape::Custom { output, .. } = &operation.shape else { return Vec::new() };
    let record = match output {
        Output::Named(name) => user(name),
        Output::Fields(_) => user(&response_name(operation)),
        Output::Resource(of) => return vec![format!("Ok({})", example(model, &Type::Resource(of.clone()), ""))],
        Output::Stream(item) => {
            let item = match item {
                StreamItem::Named(name) => example_of(model, name, ""),
                StreamItem::Resource(of) => example(model, &Type::Resource(of.clone()), ""),
            };
            return vec![format!("Ok(Box::pin(futures_util::stream::iter([Ok({item})])))")];
        }
        Output::None | Output::Item => return vec!["Ok(())".into()],
    };
    let fields = output_fields(model, operation).unwrap_or_default();
    vec![format!("Ok({record} {{ {} }})", filled(model, &fields, sources, ""))]
}

/// `name: input.name, total: Decimal::new(100, 2)`: each field from the first source that has one of its name and
/// type, else its default, else an example.
fn filled(model: &Model, fields: &[Field], sources: &[(String, Vec<Field>)], path: &str) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|field| format!("{}: {}", names::rust::ident(&field.name), value(model, field, sources, path)))
        .collect();
    fields.join(", ")
}

/// The value of a field, as [`filled`] finds it.
pub fn value(model: &Model, field: &Field, sources: &[(String, Vec<Field>)], path: &str) -> String {
    let source = sources.iter().find_map(|(source, fields)| {
        let found = fields.iter().find(|f| f.name == field.name && f.ty == field.ty)?;
        Some((source, found))
    });
    match (source, &field.default) {
        (Some((source, found)), _) => {
            let ident = names::rust::ident(&found.name);
            let clone = if rust::is_copy(&found.ty) { "" } else { ".clone()" };
            format!("{source}.{ident}{clone}")
        }
        (None, Some(default)) => prefixed(&default_value(&field.ty, default), path),
        (None, None) => example(model, &field.ty, path),
    }
}

/// Names of the design as another crate's.
fn prefixed(expression: &str, path: &str) -> String {
    if path.is_empty() { expression.to_owned() } else { expression.replace(super::imports::USER, path) }
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

/// Drops the names of answers that nothing is made of.
fn unnamed(mut lines: Vec<String>) -> Vec<String> {
    for at in 0..lines.len() {
        let Some((name, call)) = lines[at].strip_prefix("let ").and_then(|line| line.split_once(" = ")) else {
            continue;
        };
        let answer = call.ends_with("?;") && !name.contains(' ') && !name.starts_with('_');
        if answer && !service::mentions(&lines[at + 1..].join("\n"), name) {
            lines[at] = call.to_owned();
        }
    }
    lines
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

/// An expression that makes a valid value of the type. `path` stands before names of the design, if they are another
/// crate's.
pub fn example(model: &Model, ty: &Type, path: &str) -> String {
    let named = |name: &str| if path.is_empty() { user(name) } else { format!("{path}{name}") };
    match ty {
        Type::Scalar(scalar) => scalar_example(scalar),
        Type::Ref(resource) => {
            let id = model.services.get(&resource.service).and_then(|s| s.resources.get(&resource.resource));
            let inner = id
                .and_then(|r| r.fields.iter().find(|f| f.name == r.id))
                .map_or(Type::Scalar(Scalar::Uuid), |f| f.ty.clone());
            format!("{}({})", named(&id_name(&resource.resource)), example(model, &inner, path))
        }
        Type::Resource(of) => {
            let fields = shape::resource(model, of).map(|resource| resources::typed(resource, of)).unwrap_or_default();
            format!("{} {{ {}, etag: Etag(1) }}", named(&of.resource), filled(model, &fields, &[], path))
        }
        Type::Optional(_) => "None".into(),
        Type::Map { .. } => "BTreeMap::new()".into(),
        Type::List { min: 0, .. } => "Vec::new()".into(),
        Type::List { item, min, .. } => {
            let item = example(model, item, path);
            format!("vec![{}]", vec![item; *min as usize].join(", "))
        }
        Type::Named(TypeRef { service, name }) => {
            let first = match service {
                Some(service) => {
                    model.services.get(service).and_then(|s| s.enums.get(name)).and_then(|e| e.values.first())
                }
                None => match model.types.get(name) {
                    Some(TypeDef::Enum(found)) => found.values.first(),
                    Some(TypeDef::Union(union)) => {
                        let variant = union.variants.first().map_or("", String::as_str);
                        let inner = Type::Named(TypeRef { service: None, name: variant.into() });
                        return format!("{}::{variant}({})", named(name), example(model, &inner, path));
                    }
                    Some(TypeDef::Record(record)) => {
                        return format!("{} {{ {} }}", named(name), filled(model, &record.fields, &[], path));
                    }
                    None => None,
                },
            };
            format!("{}::{}", named(name), names::rust::variant(first.map_or("", String::as_str)))
        }
    }
}

/// An example of a record of `[types]`.
pub fn example_of(model: &Model, record: &str, path: &str) -> String {
    example(model, &Type::Named(TypeRef { service: None, name: record.into() }), path)
}

/// An example of each argument of an operation.
pub fn arguments(model: &Model, service: &Service, operation: &Operation, path: &str) -> Vec<String> {
    let named = |name: &str| if path.is_empty() { user(name) } else { format!("{path}{name}") };
    let record = |name: &str, fields: &[Field]| format!("{} {{ {} }}", named(name), filled(model, fields, &[], path));
    match &operation.shape {
        Shape::Custom { of, input, .. } => {
            let id = of.as_ref().map(|resource| {
                let of = ResourceRef { service: service.name.clone(), resource: resource.clone() };
                example(model, &Type::Ref(of), path)
            });
            let input = match input {
                Input::None => None,
                Input::Named(name) => Some(example_of(model, name, path)),
                Input::Fields(fields) => Some(record(&request_name(operation), fields)),
                Input::Payload(event) => payload(model, event, path),
            };
            id.into_iter().chain(input).collect()
        }
        Shape::Verb { verb, resource } => {
            let of = ResourceRef { service: service.name.clone(), resource: resource.clone() };
            let Some(found) = service.resources.get(resource) else { return Vec::new() };
            let id = || example(model, &Type::Ref(of.clone()), path);
            let none = || "None".to_owned();
            match verb {
                Verb::List => vec![format!("{}::default()", named(&format!("List{}", found.plural)))],
                Verb::Get => vec![id()],
                Verb::Create => {
                    vec![record(&format!("New{resource}"), &resources::with_id(&shape::new_fields(found), found, &of))]
                }
                Verb::Replace => vec![id(), record(&format!("{resource}Draft"), &shape::draft_fields(found)), none()],
                Verb::Patch => vec![id(), format!("{}::default()", named(&format!("{resource}Patch"))), none()],
                Verb::Delete => vec![id(), none()],
            }
        }
    }
}

/// An example of what an operation answers; of a stream its item.
pub fn answer(model: &Model, service: &Service, operation: &Operation, path: &str) -> String {
    let named = |name: &str| if path.is_empty() { user(name) } else { format!("{path}{name}") };
    match &operation.shape {
        Shape::Custom { of, output, .. } => match output {
            Output::None => "()".into(),
            Output::Named(name) | Output::Stream(StreamItem::Named(name)) => example_of(model, name, path),
            Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => {
                example(model, &Type::Resource(of.clone()), path)
            }
            Output::Fields(fields) => {
                format!("{} {{ {} }}", named(&response_name(operation)), filled(model, fields, &[], path))
            }
            Output::Item => {
                let resource = of.clone().unwrap_or_default();
                example(model, &Type::Resource(ResourceRef { service: service.name.clone(), resource }), path)
            }
        },
        Shape::Verb { verb, resource } => {
            let of = ResourceRef { service: service.name.clone(), resource: resource.clone() };
            let item = || example(model, &Type::Resource(of.clone()), path);
            match verb {
                Verb::List => {
                    format!(
                        "{} {{ items: vec![{}], next: Some(Cursor(\"next\".into())) }}",
                        named(&format!("{resource}Page")),
                        item()
                    )
                }
                Verb::Delete => "()".into(),
                _ => item(),
            }
        }
    }
}

/// An example of an event's payload.
pub fn payload(model: &Model, event: &EventRef, path: &str) -> Option<String> {
    let found = model.services.get(&event.service)?.events.get(&event.event)?;
    let named = |name: &str| if path.is_empty() { user(name) } else { format!("{path}{name}") };
    Some(match &found.payload {
        Payload::Named(name) => example_of(model, name, path),
        Payload::Resource(of) => example(model, &Type::Resource(of.clone()), path),
        Payload::Fields(fields) => format!("{} {{ {} }}", named(&found.name), filled(model, fields, &[], path)),
    })
}

fn scalar_example(scalar: &Scalar) -> String {
    match scalar {
        Scalar::String { min, max, pattern } => {
            let matching = pattern.as_ref().and_then(|pattern| matching::matching(pattern, *min, *max, 1));
            let length = (*min).max(7).min(max.unwrap_or(u32::MAX)) as usize;
            let text = matching.unwrap_or_else(|| "example".chars().cycle().take(length).collect());
            format!("{}.into()", escape::rust_str(&text))
        }
        Scalar::Bool => "true".into(),
        Scalar::I32 { min, max } => (*min).max(1).min(*max).to_string(),
        Scalar::I64 { min, max } => (*min).max(1).min(*max).to_string(),
        Scalar::U32 { min, max } => (*min).max(1).min(*max).to_string(),
        Scalar::U64 { min, max } => (*min).max(1).min(*max).to_string(),
        Scalar::F64 { min, max } => format!("{:?}", min.unwrap_or(f64::MIN).max(1.0).min(max.unwrap_or(f64::MAX))),
        Scalar::Decimal { scale, .. } => format!("Decimal::new(1, {scale})"),
        Scalar::Uuid => "Uuid::from_u128(1)".into(),
        Scalar::Timestamp => "DateTime::UNIX_EPOCH".into(),
        Scalar::Date => "DateTime::UNIX_EPOCH.date_naive()".into(),
        Scalar::Duration => "Duration::from_secs(60)".into(),
        Scalar::Bytes => "b\"example\".to_vec()".into(),
        Scalar::Json => "Value::Null".into(),
    }
}

fn input_fields(model: &Model, operation: &Operation) -> Vec<Field> {
    match &operation.shape {
        Shape::Custom { input: Input::Named(name), .. } => record_fields(model, name),
        Shape::Custom { input: Input::Fields(fields), .. } => fields.clone(),
        Shape::Custom { input: Input::Payload(event), .. } => {
            let found = model.services.get(&event.service).and_then(|s| s.events.get(&event.event));
            found.map(|event| events::fields(model, event)).unwrap_or_default()
        }
        _ => Vec::new(),
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
