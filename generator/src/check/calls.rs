//! `calls`: which operations an operation calls, and with what.

use indexmap::IndexMap;

use super::{Checker, items, operations::settings, types};
use crate::{
    design,
    diagnostic::nearest,
    fit,
    model::{Call, Field, Model, Operation, OperationRef, Shape, Type, Verb},
    names::{self, rules::shown},
    source::{Span, Spanned},
};

/// The calls of an operation, in order.
pub(super) fn lower(checker: &mut Checker, list: &[Spanned<design::Call>], home: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    for call in list {
        let Some(to) = checker.operation(&call.value.call, Some(home)) else { continue };
        if to.service == home {
            let message =
                format!("calls within a service are not available yet: `{}` is of `{home}` itself", to.operation);
            checker.error("E001", &call.value.call.span, message, "call the method in the code of the service");
            continue;
        }
        calls.push(Call { to, with: mapping(checker, &call.value.with) });
    }
    calls
}

/// `with`: their field to a path of ours. Pipes are not built yet.
fn mapping(checker: &mut Checker, with: &design::Mapping) -> IndexMap<String, String> {
    let mut paths = IndexMap::new();
    for (field, mapped) in with {
        let expression = &mapped.expression;
        let path = expression.value.trim();
        if path.contains('|') {
            let message = format!("pipes in `with` are not available yet: `{}`", shown(path));
            checker.error("E001", &expression.span, message, "give the path alone");
            continue;
        }
        paths.insert(field.clone(), path.to_owned());
    }
    paths
}

/// Every `with` leads from a field of ours to one of theirs that can hold it.
pub(super) fn check(checker: &mut Checker, model: &Model) {
    let design = checker.design;
    for (home, service) in &design.services {
        for (name, settings) in settings(service) {
            let own = OperationRef { service: home.clone(), operation: name };
            for call in items(&settings.calls).iter().filter(|call| !call.value.with.is_empty()) {
                let Some(to) = checker.symbols.operation_of(&call.value.call, home) else { continue };
                check_with(checker, model, &own, &to, &call.value.with);
            }
        }
    }
}

fn check_with(checker: &mut Checker, model: &Model, own: &OperationRef, to: &OperationRef, with: &design::Mapping) {
    let Some(caller) = fit::operation(model, own) else { return };
    let callee = fit::operation(model, to).and_then(|callee| fit::taken(model, &to.service, callee));
    let (Some(theirs), Some(ours)) = (callee, ours(model, &own.service, caller)) else { return };
    for mapped in with.values() {
        let target = &mapped.target;
        let wanted = theirs.iter().find(|field| field.name == target.value);
        if wanted.is_none() {
            let message =
                format!("`{}` is not an input field of `{}.{}`", shown(&target.value), to.service, to.operation);
            no_field(
                checker,
                &target.span,
                message,
                &target.value,
                &theirs.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
            );
        }
        let path = mapped.expression.value.trim();
        if path.contains('|') {
            continue;
        }
        if is_patched(model, to, &target.value) {
            let message = format!("`with` for what a patch changes is not available yet: `{}`", shown(&target.value));
            checker.error("E001", &target.span, message, "call it with the id alone, and fill the patch in the code");
            continue;
        }
        let Some(found) = follow(checker, model, path, &ours, own, &mapped.expression.span) else { continue };
        let Some(wanted) = wanted else { continue };
        let known = !types::is_unknown(&found) && !types::is_unknown(&wanted.ty);
        if known && !fit::fits(model, &found, &wanted.ty) {
            let (has, wants) = (fit::shown(&found), fit::shown(&wanted.ty));
            let theirs = format!("`{}` of `{}.{}`", wanted.name, to.service, to.operation);
            let message = match has == wants {
                true => format!("{theirs} has narrower bounds than `{path}`"),
                false => format!("`{path}` is `{has}`, but {theirs} is `{wants}`"),
            };
            checker.error("E502", &mapped.expression.span, message, "give both the same type, bounds included");
        }
    }
}

/// Whether a field of the operation is a part of its patch.
fn is_patched(model: &Model, of: &OperationRef, field: &str) -> bool {
    let Some(Shape::Verb { verb: Verb::Patch, resource }) = fit::operation(model, of).map(|found| &found.shape) else {
        return false;
    };
    let resource = model.services.get(&of.service).and_then(|service| service.resources.get(resource));
    resource.is_some_and(|resource| resource.id != field)
}

/// What a caller has at hand: its input, the item that it makes, and the id of the item it is on as `<resource>_id`.
fn ours(model: &Model, service: &str, caller: &Operation) -> Option<Vec<Field>> {
    let (mut fields, resource): (Vec<Field>, _) = match &caller.shape {
        Shape::Custom { of, input, .. } => (fit::input(model, input)?.to_vec(), of.as_ref()),
        Shape::Verb { resource, .. } => (Vec::new(), Some(resource)),
    };
    if let Some(resource) = resource.and_then(|name| model.services.get(service)?.resources.get(name)) {
        if matches!(caller.shape, Shape::Verb { verb: Verb::Create, .. }) {
            fields.extend(resource.fields.iter().cloned());
        }
        let id = format!("{}_id", names::snake(&resource.name));
        if let Some(first) = resource.fields.first().filter(|_| !fields.iter().any(|known| known.name == id)) {
            fields.push(Field { name: id, ..first.clone() });
        }
    }
    Some(fields)
}

/// The type at the end of a path through ours; reports where it leads nowhere.
fn follow(
    checker: &mut Checker,
    model: &Model,
    path: &str,
    ours: &[Field],
    own: &OperationRef,
    span: &Span,
) -> Option<Type> {
    let mut fields = ours;
    let mut segments = path.split('.').peekable();
    let mut optional = false;
    while let Some(segment) = segments.next() {
        let Some(field) = fields.iter().find(|field| field.name == segment) else {
            let message = format!("`{}` is not an input field of `{}`", shown(segment), own.operation);
            no_field(
                checker,
                span,
                message,
                segment,
                &fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
            );
            return None;
        };
        let inner = match &field.ty {
            Type::Optional(inner) => {
                optional = true;
                inner
            }
            ty => ty,
        };
        if segments.peek().is_none() {
            return Some(if optional { Type::Optional(Box::new(inner.clone())) } else { inner.clone() });
        }
        match inner {
            ty if types::is_unknown(ty) => return None,
            Type::Named(named) if fit::record(model, &named.name).is_some() => {
                fields = fit::record(model, &named.name).map_or(&[], |record| &record.fields);
            }
            ty => {
                let message = format!("`{path}` leads through `{segment}`, which is `{}`", fit::shown(ty));
                checker.error("E504", span, message, "a path leads through records");
                return None;
            }
        }
    }
    None
}

fn no_field(checker: &mut Checker, span: &Span, message: String, wrong: &str, known: &[&str]) {
    let help = match nearest(wrong, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "there are no fields to choose from".to_owned(),
        None => format!("there are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    checker.error("E504", span, message, help);
}
