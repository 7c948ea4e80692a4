//! What verbs and operations on one item do with the store.

use crate::{
    contracts::shape,
    model::{Model, Operation, OperationKind, Output, Resource, Scalar, Service, Type, Verb},
    names,
};

use super::{
    super::{
        examples::{self, Source},
        publish, resources,
        rust::{id_name, user},
    },
    answer_lines,
    calls::{calls, sends},
    sources::given,
};

/// A command on one item reads it, leaves it to the user to change, and writes it; a query reads it.
pub(super) fn on_item(
    model: &Model,
    service: &Service,
    operation: &Operation,
    resource: &Resource,
    output: &Output,
    sources: &mut Vec<Source>,
) -> Vec<String> {
    let (item, module) = (names::rust::variable(&resource.name), names::rust::module(&resource.name));
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
            lines.extend(answer);
        }
        OperationKind::Command => {
            lines.push("let mut tx = self.store.begin().await?;".into());
            lines.push(format!("let mut {item} = store::{module}::get(&mut *tx, &id).await?;"));
            let named = names::snake(&resource.name).replace('_', " ");
            lines.push(format!("// Yours: what this does to the {named}."));
            lines.push(format!("store::{module}::update(&mut tx, &mut {item}).await?;"));
            lines.extend(sends(model, service, operation, sources));
            lines.extend(published);
            lines.extend(publish::committed(model, service, operation, answer));
        }
    }
    lines
}

pub(super) fn verb_lines(
    model: &Model,
    service: &Service,
    operation: &Operation,
    verb: Verb,
    resource: &Resource,
) -> Vec<String> {
    let (item, module) = (names::rust::variable(&resource.name), names::rust::module(&resource.name));
    let id = names::rust::ident(&resource.id);
    let begin = "let mut tx = self.store.begin().await?;".to_owned();
    let of = shape::of_service(service, &resource.name);
    let mut sources = given(model, service, operation);
    let mut lines = calls(model, service, operation, &mut sources);
    let whole = (verb != Verb::Create).then(|| Source::item(&item, resource, &of));
    let sources: Vec<Source> = whole.into_iter().chain(sources).collect();
    let published = publish::statement(model, service, operation, &sources);
    let mut told = sends(model, service, operation, &sources);
    told.extend(published);
    let read = format!("let mut {item} = store::{module}::get(&mut *tx, &id).await?;");
    let update = format!("store::{module}::update(&mut tx, &mut {item}).await?;");
    let answer = || publish::committed(model, service, operation, vec![format!("Ok({item})")]);
    let revised = if resources::comes_again(resource) { "mut " } else { "" };
    let insert = format!("store::{module}::insert(&mut tx, &{revised}{item}).await?;");
    match verb {
        Verb::List => lines.push(format!("Ok(store::{module}::list(self.store.read(), &query).await?)")),
        Verb::Get => lines.push(format!("Ok(store::{module}::get(self.store.read(), &id).await?)")),
        Verb::Create => {
            let given = [Source::record("new", &shape::new_fields(resource))];
            let made = made(model, resource, &given, "new");
            let answered = answered(model, resource, &item, &sources);
            let mutable = if answered.is_empty() { revised } else { "mut " };
            lines.insert(0, format!("let {mutable}{item} = {made};"));
            lines.extend(answered);
            lines.extend([begin, insert]);
            lines.extend(told);
            lines.extend(answer());
        }
        Verb::Replace if shape::is_natural(resource) => {
            let given = [Source::record("draft", &shape::draft_fields(resource))];
            let made = made(model, resource, &given, "draft")
                .replace(&format!("{id}: draft.{id}"), &examples::member(&resource.id, "id"));
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
                        let {revised}{item} = {made};
                        {insert}
                        cx.note_created();
                        {item}
                    }}
                    Err(other) => return Err(other{into}),
                }};"
            ));
            lines.extend(told);
            lines.extend(answer());
        }
        Verb::Replace => {
            let check = format!("{item}.etag.check(etag)?;");
            lines.extend([begin, read, check, format!("{item}.replace(draft);"), update]);
            lines.extend(told);
            lines.extend(answer());
        }
        Verb::Patch => {
            let check = format!("{item}.etag.check(etag)?;");
            lines.extend([begin, read, check, format!("{item}.patch(&patch)?;"), update]);
            lines.extend(told);
            lines.extend(answer());
        }
        Verb::Delete => {
            let read = format!("let {item} = store::{module}::get(&mut *tx, &id).await?;");
            let check = format!("{item}.etag.check(etag)?;");
            lines.extend([begin, read, check, format!("store::{module}::delete(&mut tx, &id).await?;")]);
            lines.extend(told);
            lines.extend(publish::committed(model, service, operation, vec!["Ok(())".into()]));
        }
    }
    lines
}

/// What a new item takes from the answers of others: fields that the service alone sets.
fn answered(model: &Model, resource: &Resource, item: &str, sources: &[Source]) -> Vec<String> {
    // The item itself is the oldest source.
    let answers = sources.split_last().map_or(&[][..], |(_, answers)| answers);
    let set = resource.fields.iter().filter(|field| field.readonly && field.name != resource.id);
    let taken = set.filter_map(|field| Some((field, examples::taken(model, field, answers, "")?)));
    taken.map(|(field, value)| format!("{item}.{} = {value};", names::rust::ident(&field.name))).collect()
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
                () if is_id && shape::is_natural(resource) => format!("{given}.{ident}"),
                () if is_id => format!("{}(Uuid::now_v7())", user(&id_name(&resource.name))),
                () if field.readonly && field.default.is_none() && field.ty == Type::Scalar(Scalar::Timestamp) => {
                    "kit::json::now()".into()
                }
                () => examples::value(model, field, sources, ""),
            };
            examples::member(&field.name, &value)
        })
        .collect();
    format!("{} {{ {}, etag: Etag(1) }}", user(&resource.name), fields.join(", "))
}
