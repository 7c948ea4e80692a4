//! Records that can have no value, because each always contains another of itself (E306).

use std::collections::{BTreeSet, HashSet};

use super::Checker;
use crate::model::{Model, Record, Type, TypeDef};

pub(super) fn check(checker: &mut Checker, model: &Model) {
    let finite = finite(model);
    for (name, def) in &model.types {
        let TypeDef::Record(record) = def else { continue };
        if finite.contains(name.as_str()) {
            continue;
        }
        // Only who is in the ring is told, not who contains one that is.
        let Some(at) = record.fields.iter().find(|field| leads_back(model, &finite, &field.ty, name)) else { continue };
        let design = checker.design;
        let Some(def) = design.types.get(name) else { continue };
        let crate::design::TypeDefKind::Record(fields) = &def.kind else { continue };
        let span = fields.get(&at.name).map_or_else(|| def.head.span(), |field| field.ty.expr.span.clone());
        let message = format!("`{name}.{}` always contains another `{name}`", at.name);
        let inner = innermost(&at.ty).unwrap_or(name);
        checker.error("E306", &span, message, format!("make it `{inner}?` or `{inner}[]`"));
    }
}

/// The type that a value of this one always contains, if any.
fn innermost(ty: &Type) -> Option<&str> {
    match ty {
        Type::Named(named) if named.service.is_none() => Some(&named.name),
        Type::List { item, min, .. } if *min > 0 => innermost(item),
        _ => None,
    }
}

/// The types that have values: all that is not proved so is not.
fn finite(model: &Model) -> HashSet<&str> {
    let mut finite = HashSet::new();
    let is_finite = |finite: &HashSet<&str>, ty: &Type| {
        // What is not in [types] has no fields.
        innermost(ty).is_none_or(|name| finite.contains(name) || !model.types.contains_key(name))
    };
    loop {
        let before = finite.len();
        for (name, def) in &model.types {
            let proved = match def {
                TypeDef::Enum(_) => true,
                TypeDef::Record(Record { fields, .. }) => fields.iter().all(|field| is_finite(&finite, &field.ty)),
                TypeDef::Union(union) => {
                    union.variants.is_empty() || union.variants.iter().any(|variant| finite.contains(variant.as_str()))
                }
            };
            if proved {
                finite.insert(name.as_str());
            }
        }
        if finite.len() == before {
            return finite;
        }
    }
}

/// Whether a value of `ty` always contains a `target`.
fn leads_back(model: &Model, finite: &HashSet<&str>, ty: &Type, target: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = innermost(ty).into_iter().collect();
    while let Some(name) = open.pop() {
        if name == target {
            return true;
        }
        if finite.contains(name) || !seen.insert(name) {
            continue;
        }
        match model.types.get(name) {
            Some(TypeDef::Record(record)) => open.extend(record.fields.iter().filter_map(|field| innermost(&field.ty))),
            Some(TypeDef::Union(union)) => open.extend(union.variants.iter().map(String::as_str)),
            _ => {}
        }
    }
    false
}
