//! Records that can have no value, because each always contains another of itself (E306), or none of a sensible size
//! (E321).

use std::collections::{BTreeSet, HashMap};

use super::Checker;
use crate::{
    fit,
    model::{Field, Input, Model, Output, Payload, Shape, Type, TypeDef},
    source::Span,
};

/// The most parts that a value may need: examples, forms and columns hold all of them.
const MOST: u64 = 1000;

pub(super) fn check(checker: &mut Checker, model: &Model) {
    let sizes = fit::sizes(model);
    let design = checker.design;
    for (name, def) in &model.types {
        let TypeDef::Record(record) = def else { continue };
        if sizes.contains_key(name.as_str()) {
            if let Some(def) = design.types.get(name) {
                too_large(checker, model, &sizes, &record.fields, name, &def.head.span());
            }
            continue;
        }
        // Only who is in the ring is told, not who contains one that is.
        let Some(at) = record.fields.iter().find(|field| leads_back(model, &sizes, &field.ty, name)) else { continue };
        let Some(def) = design.types.get(name) else { continue };
        let crate::design::TypeDefKind::Record(fields) = &def.kind else { continue };
        let span = fields.get(&at.name).map_or_else(|| def.head.span(), |field| field.ty.expr.span.clone());
        let message = format!("`{name}.{}` always contains another `{name}`", at.name);
        let inner = fit::innermost(&at.ty).unwrap_or(name);
        checker.error("E306", &span, message, format!("make it `{inner}?` or `{inner}[]`"));
    }
    bodies(checker, model, &sizes);
}

/// The inputs, outputs, payloads and resources that are written in place.
fn bodies(checker: &mut Checker, model: &Model, sizes: &HashMap<&str, u64>) {
    let design = checker.design;
    for (name, service) in &model.services {
        let Some(written) = design.services.get(name) else { continue };
        for (name, resource) in &service.resources {
            let Some(written) = written.resources.get(name) else { continue };
            too_large(checker, model, sizes, &resource.fields, name, &written.head.span());
        }
        for (name, event) in &service.events {
            let (Some(written), Payload::Fields(fields)) = (written.events.get(name), &event.payload) else { continue };
            too_large(checker, model, sizes, fields, name, &written.head.span());
        }
        for (name, operation) in &service.operations {
            let written = written.queries.get(name).or_else(|| written.commands.get(name));
            let (Some(written), Shape::Custom { input, output, .. }) = (written, &operation.shape) else { continue };
            if let Input::Fields(fields) = input {
                too_large(checker, model, sizes, fields, name, &written.head.span());
            }
            if let Output::Fields(fields) = output {
                too_large(checker, model, sizes, fields, name, &written.head.span());
            }
        }
    }
}

/// Reports fields that need too much, unless a record in them does by itself.
fn too_large(
    checker: &mut Checker,
    model: &Model,
    sizes: &HashMap<&str, u64>,
    fields: &[Field],
    name: &str,
    span: &Span,
) {
    let inside = fields.iter().filter_map(|field| sizes.get(fit::innermost(&field.ty)?));
    if fit::size_of_fields(model, sizes, fields).is_some_and(|size| size > MOST)
        && inside.max().is_none_or(|size| *size <= MOST)
    {
        let message = format!("every `{name}` has more than {MOST} parts");
        checker.error("E321", span, message, "ask for less: optional records, shorter lists and strings");
    }
}

/// Whether a value of `ty` always contains a `target`.
fn leads_back(model: &Model, sizes: &HashMap<&str, u64>, ty: &Type, target: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = fit::innermost(ty).into_iter().collect();
    while let Some(name) = open.pop() {
        if name == target {
            return true;
        }
        if sizes.contains_key(name) || !seen.insert(name) {
            continue;
        }
        match model.types.get(name) {
            Some(TypeDef::Record(record)) => {
                open.extend(record.fields.iter().filter_map(|field| fit::innermost(&field.ty)))
            }
            Some(TypeDef::Union(union)) => open.extend(union.variants.iter().map(String::as_str)),
            _ => {}
        }
    }
    false
}
