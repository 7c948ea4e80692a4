//! Every name a design gives: whether some target cannot carry it (E201 to E204), and whether two of one scope meet
//! (E205). What the design itself generates is compared in [`super::collisions`].

use std::collections::HashMap;

use super::{Checker, symbols};
use crate::{
    design::{
        Body, Event, FieldType, Fields, Operation, OperationSettings, Resource, Service, TypeDefKind, TypeExpr,
        TypeKind,
    },
    diagnostic::Diagnostic,
    names::{
        self,
        rules::{self, Kind},
    },
    source::{Span, Spanned},
};

mod scope;
use scope::Scope;

pub(super) fn check(checker: &mut Checker) {
    let design = checker.design;
    if let Some(name) = &design.system.name {
        checker.name(Kind::System, name);
    }

    for path in &design.system.own {
        let leaves = path.value.split(['/', '\\']).any(|part| part == "..") || path.value.starts_with('/');
        if leaves || path.value.contains(['\\', ':']) {
            let message = format!("`{}` is not a path within the workspace", rules::shown(&path.value));
            checker.error(
                "E201",
                &path.span,
                message,
                "write it relative to the workspace, with `/`, and without `..`",
            );
        }
    }

    let mut roles = Scope::new("a caller's token");
    design.system.roles.iter().for_each(|role| roles.add(checker, Kind::Role, role));
    let mut plans = Scope::new("a caller's token");
    design.system.plans.iter().for_each(|plan| plans.add(checker, Kind::Plan, plan));

    let mut owners = Scope::new("crates, paths and environment variables");
    for service in design.services.values() {
        owners.add(checker, Kind::Service, &service.head.name);
        check_service(checker, service);
    }
    for external in design.externals.values() {
        owners.add(checker, Kind::External, &external.head.name);
        let operations = || external.queries.values().chain(external.commands.values());
        check_members(checker, operations, external.resources.values(), external.events.values());
    }
    check_types(checker);
}

fn check_service(checker: &mut Checker, service: &Service) {
    let operations = || service.queries.values().chain(service.commands.values());
    check_members(checker, operations, service.resources.values(), service.events.values());
    for feed in service.feeds.values() {
        checker.name(Kind::Feed, &feed.head.name);
    }
}

/// What a service or external owns.
fn check_members<'d, O: Iterator<Item = &'d Operation>>(
    checker: &mut Checker,
    operations: impl Fn() -> O,
    resources: impl Iterator<Item = &'d Resource> + Clone,
    events: impl Iterator<Item = &'d Event>,
) {
    let mut names = Scope::new("Rust and proto");
    for resource in resources.clone() {
        names.add(checker, Kind::Resource, &resource.head.name);
        check_resource(checker, resource);
    }
    for event in events {
        names.add(checker, Kind::Event, &event.head.name);
        check_body(checker, event.payload.as_ref());
    }

    let mut calls = Scope::new("Rust, JSON-RPC and paths");
    for operation in operations() {
        calls.add(checker, Kind::Operation, &operation.head.name);
        check_body(checker, operation.input.as_ref());
        check_body(checker, operation.output.as_ref());
        if let Some(Spanned { value: Body::Fields(fields), span }) = &operation.output {
            not_empty(checker, fields, span);
        }
        check_settings(checker, &operation.common);
    }
    check_verb_names(checker, operations(), resources.clone());
    check_errors(checker, operations(), resources);
}

fn check_resource(checker: &mut Checker, resource: &Resource) {
    let name = &resource.head.name;
    let plural = symbols::plural(resource, &name.value);
    if let Some(written) = &resource.plural {
        // Shown as it was written, judged as it will be used.
        if let Err(refusal) = rules::check(Kind::Plural, &plural) {
            checker.error(refusal.code, &written.span, refusal.message, refusal.help);
        }
    }
    if names::key(&plural) == names::key(&name.value) && rules::check(Kind::Resource, &name.value).is_ok() {
        let span = resource.plural.as_ref().map_or(&name.span, |plural| &plural.span);
        let message =
            format!("the plural of `{name}` is `{plural}` too, so `get` and `list` collide", name = name.value);
        checker.error("E206", span, message, format!("add `plural = \"{}_list\"`", names::snake(&name.value)));
    }
    check_fields(checker, &resource.fields);
    for settings in resource.settings.values() {
        check_settings(checker, &settings.common);
    }
    if resource.id.is_none()
        && let Some(field) = resource.fields.get("id")
    {
        let message = format!("`{}` gets a field `id` by itself", name.value);
        checker.error(
            "E205",
            &field.name.span,
            message,
            "drop the field, or say `id = \"id\"` if it is the natural key",
        );
    }
    for field in resource.fields.values().filter(|field| names::key(&field.name.value) == "etag") {
        let message =
            format!("field `{}` is taken: every resource carries its revision under that name", field.name.value);
        checker.error("E203", &field.name.span, message, "say whose it is, for example `upstream_etag`");
    }
}

fn check_settings(checker: &mut Checker, settings: &OperationSettings) {
    let mut scope = Scope::new("Rust");
    for error in settings.errors.values() {
        scope.add(checker, Kind::Error, &error.name);
    }
}

/// An operation called like a verb of a resource (E207).
fn check_verb_names<'d>(
    checker: &mut Checker,
    operations: impl Iterator<Item = &'d Operation>,
    resources: impl Iterator<Item = &'d Resource>,
) {
    use crate::design::Word;
    let mut verbs = HashMap::new();
    for resource in resources {
        let name = resource.head.name.value.as_str();
        let plural = symbols::plural(resource, name);
        for verb in super::items(&resource.verbs) {
            let operation = crate::names::verb_operation(verb.value, name, &plural);
            verbs.insert(names::key(&operation), (verb.value.word(), &resource.head));
        }
    }
    for operation in operations {
        let name = &operation.head.name;
        if let Some((verb, resource)) = verbs.get(&names::key(&name.value)) {
            let message = format!("`{}` is already the `{verb}` verb of `{}`", name.value, resource.name.value);
            checker.report(
                Diagnostic::new("E207", name.span.clone(), message)
                    .help("rename the operation, or drop the verb")
                    .related(resource.span(), format!("`{}` is here", resource.name.value)),
            );
        }
    }
}

/// An error's name has one meaning in a service (E510), and no other error's name meets it (E205).
fn check_errors<'d>(
    checker: &mut Checker,
    operations: impl Iterator<Item = &'d Operation>,
    resources: impl Iterator<Item = &'d Resource>,
) {
    let verbs =
        resources.flat_map(|resource| resource.settings.values()).map(|settings| (&settings.head, &settings.common));
    let customs = operations.map(|operation| (&operation.head, &operation.common));
    let mut meanings = HashMap::new();
    for (head, settings) in customs.chain(verbs) {
        for error in settings.errors.values() {
            let Some(kind) = &error.kind else { continue };
            let with = error.with.as_ref().map(|with| with.value.to_string());
            let meaning = (error.name.value.as_str(), kind.value, with);
            let (first, place, span) = meanings
                .entry(names::key(&error.name.value))
                .or_insert_with(|| (meaning.clone(), &head.name.value, &error.name.span));
            if first.0 != meaning.0 {
                let message =
                    format!("errors `{}` and `{}` of one service are the same name in a client", first.0, meaning.0);
                let error = Diagnostic::new("E205", error.name.span.clone(), message).help("rename one");
                checker.report(error.related((*span).clone(), "the other"));
            } else if *first != meaning {
                let message = format!("error `{}` means something else in `{place}`", meaning.0);
                let error = Diagnostic::new("E510", error.name.span.clone(), message);
                let error = error
                    .help("in one service an error's name has one kind and one record: rename one, or make them equal");
                checker.report(error.related((*span).clone(), "first said here"));
            }
        }
    }
}

fn check_body(checker: &mut Checker, body: Option<&Spanned<Body>>) {
    if let Some(Spanned { value: Body::Fields(fields), .. }) = body {
        check_fields(checker, fields);
    }
}

/// The fields of one record: each name, and whether two of them, or a field and the object that GraphQL adds to a
/// `ref`, meet.
fn check_fields(checker: &mut Checker, fields: &Fields) {
    let mut scope = Scope::new("GraphQL");
    for field in fields.values() {
        scope.add(checker, Kind::Field, &field.name);
        check_values(checker, &field.ty.expr);
    }
    for field in fields.values().filter(|field| is_ref(&field.ty)) {
        let Some(object) = names::graphql::object_of_ref(&field.name.value) else { continue };
        if let Some((taken, span)) = scope.seen.get(&names::key(&object)) {
            let message = format!("`{taken}` is taken: GraphQL has the object of `{}` there", field.name.value);
            let error = Diagnostic::new("E205", span.clone(), message).help("rename one");
            checker.report(error.related(field.name.span.clone(), "the reference"));
        }
    }
}

/// GraphQL has no type without fields (E320).
fn not_empty(checker: &mut Checker, fields: &Fields, span: &Span) {
    if fields.is_empty() {
        checker.error("E320", span, "a record of nothing", "give it a field, or leave it out");
    }
}

fn is_ref(ty: &FieldType) -> bool {
    let mut expr = &ty.expr;
    loop {
        match &expr.kind {
            TypeKind::Ref(_) => return true,
            TypeKind::Optional(item) | TypeKind::List { item, .. } => expr = item,
            _ => return false,
        }
    }
}

/// The values of enums written in a type.
fn check_values(checker: &mut Checker, expr: &TypeExpr) {
    match &expr.kind {
        TypeKind::Enum(values) => check_enum(checker, values),
        TypeKind::List { item, .. } | TypeKind::Optional(item) => check_values(checker, item),
        TypeKind::Map { key, value } => {
            if let Some(key) = key {
                check_values(checker, key);
            }
            check_values(checker, value);
        }
        TypeKind::Scalar(_) | TypeKind::Name(_) | TypeKind::Ref(_) | TypeKind::Broken => {}
    }
}

fn check_enum(checker: &mut Checker, values: &[Spanned<String>]) {
    let mut scope = Scope::new("Rust");
    for value in values {
        scope.add(checker, Kind::EnumValue, value);
    }
}

fn check_types(checker: &mut Checker) {
    let design = checker.design;
    let mut scope = Scope::new("Rust and proto");
    for ty in design.types.values() {
        scope.add(checker, Kind::Type, &ty.head.name);
        match &ty.kind {
            TypeDefKind::Record(fields) => {
                check_fields(checker, fields);
                not_empty(checker, fields, &ty.head.span());
            }
            TypeDefKind::Enum(values) => check_enum(checker, values),
            TypeDefKind::Scalar(_) | TypeDefKind::Union(_) | TypeDefKind::Broken => {}
        }
    }
    // Types have no owner and win over nothing.
    for (owner, service) in &design.services {
        let resources = service.resources.values().map(|resource| ("resource", &resource.head));
        let events = service.events.values().map(|event| ("event", &event.head));
        for (what, head) in resources.chain(events) {
            if let Some((taken, span)) = scope.seen.get(&names::key(&head.name.value)) {
                let message = format!("{what} `{}` of `{owner}` and type `{taken}` share a name", head.name.value);
                let help = match what {
                    "event" => "rename one, or write the fields as the event's `payload`",
                    _ => "rename one: a name has to say which is meant",
                };
                let error = Diagnostic::new("E205", head.span(), message).help(help);
                checker.report(error.related(span.clone(), "the type"));
            }
        }
    }
}
