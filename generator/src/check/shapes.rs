//! What may stand in which shape: whole resources only in answers (E319), no `type` in a variant (E307), no secret in
//! an event (E310), ids that tell things apart (E509), a replace that gives all that an item has to have (E511).

use std::collections::BTreeSet;

use super::{Checker, events::check_key, types};
use crate::{
    design::{self, Body, Fields, Mark, TypeDefKind, TypeKind},
    diagnostic::Diagnostic,
    fit,
    model::{Field, Input, MapKey, Model, Resource, ResourceRef, Scalar, Shape, Type, TypeDef, Verb},
    names,
    source::Spanned,
};

pub(super) fn check(checker: &mut Checker, model: &Model) {
    variants_have_no_type(checker, model);
    variants_have_no_numbers_as_keys(checker, model);
    inputs_hold_no_resources(checker, model);
    ids(checker, model);
    items(checker, model);
    events_carry_no_secrets(checker);
}

fn variants_have_no_type(checker: &mut Checker, model: &Model) {
    let design = checker.design;
    let mut told = BTreeSet::new();
    for union in model.types.values() {
        let TypeDef::Union(union) = union else { continue };
        for variant in &union.variants {
            let Some(TypeDefKind::Record(fields)) = design.types.get(variant).map(|def| &def.kind) else { continue };
            let Some(field) = fields.values().find(|field| names::key(&field.name.value) == "type") else { continue };
            if told.insert(variant) {
                let message = format!(
                    "`{variant}` has a field `type`, which the union `{}` needs to tell its variants apart",
                    union.name
                );
                checker.error("E307", &field.name.span, message, "rename the field");
            }
        }
    }
}

/// What stands in a union is read before anybody knows which variant it is: keys of maps are texts then, and stay so.
fn variants_have_no_numbers_as_keys(checker: &mut Checker, model: &Model) {
    let design = checker.design;
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let unions = model.types.values().filter_map(|ty| match ty {
        TypeDef::Union(union) => Some(union),
        TypeDef::Record(_) | TypeDef::Enum(_) => None,
    });
    let mut open: Vec<&str> = unions.flat_map(|union| union.variants.iter().map(String::as_str)).collect();
    while let Some(name) = open.pop() {
        let Some(record) = fit::record(model, name).filter(|_| seen.insert(name)) else { continue };
        let Some(TypeDefKind::Record(written)) = design.types.get(name).map(|def| &def.kind) else { continue };
        for field in &record.fields {
            let by_number = |ty: &Type| match ty {
                Type::Map { key, .. } => matches!(key, MapKey::I32 | MapKey::I64 | MapKey::U32 | MapKey::U64),
                _ => false,
            };
            let place = written.get(&field.name).filter(|_| fit::parts(&field.ty).into_iter().any(by_number));
            if let Some(written) = place {
                let message = format!(
                    "maps with numbers as keys are not available yet in what stands in a union, as `{name}` does"
                );
                checker.error("E001", &written.ty.expr.span, message, "use texts as keys, or a list of records");
            }
        }
        open.extend(named(&record.fields));
    }
}

/// Inputs and what is stored carry ids; a whole resource stands only in answers and events.
fn inputs_hold_no_resources(checker: &mut Checker, model: &Model) {
    let design = checker.design;
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = Vec::new();
    for (name, service) in &model.services {
        let Some(written) = design.services.get(name) else { continue };
        for (resource_name, resource) in &service.resources {
            if let Some(written) = written.resources.get(resource_name) {
                whole_resource(checker, &written.fields, &resource.fields);
            }
            open.extend(named(&resource.fields));
        }
        for (operation_name, operation) in &service.operations {
            let Shape::Custom { input, .. } = &operation.shape else { continue };
            match input {
                Input::Fields(fields) => {
                    let written = written.queries.get(operation_name).or_else(|| written.commands.get(operation_name));
                    let body = written.and_then(|operation| operation.input.as_ref()).map(|input| &input.value);
                    if let Some(Body::Fields(written)) = body {
                        whole_resource(checker, written, fields);
                    }
                    open.extend(named(fields));
                }
                Input::Named(name) | Input::Stream(name) => open.push(name),
                Input::None | Input::Payload(_) => {}
            }
        }
    }
    while let Some(name) = open.pop() {
        match model.types.get_key_value(name) {
            Some((name, TypeDef::Record(record))) if reached.insert(name) => {
                if let Some(TypeDefKind::Record(written)) = design.types.get(name).map(|def| &def.kind) {
                    whole_resource(checker, written, &record.fields);
                }
                open.extend(named(&record.fields));
            }
            Some((name, TypeDef::Union(union))) if reached.insert(name) => {
                open.extend(union.variants.iter().map(String::as_str));
            }
            _ => {}
        }
    }
}

/// The types of `[types]` in the fields.
fn named(fields: &[Field]) -> impl Iterator<Item = &str> {
    fields.iter().flat_map(|field| fit::parts(&field.ty)).filter_map(|part| match part {
        Type::Named(named) if named.service.is_none() => Some(named.name.as_str()),
        _ => None,
    })
}

fn whole_resource(checker: &mut Checker, written: &Fields, fields: &[Field]) {
    for field in fields {
        let resource = fit::parts(&field.ty).into_iter().find_map(|part| match part {
            Type::Resource(of) => Some(of),
            _ => None,
        });
        let (Some(of), Some(written)) = (resource, written.get(&field.name)) else { continue };
        let message = format!("`{}` is a whole `{}`, and what is given or stored carries ids", field.name, of.resource);
        let help = format!("write `{}_id = \"ref {}.{}\"`", names::snake(&of.resource), of.service, of.resource);
        checker.error("E319", &written.ty.expr.span, message, help);
    }
}

/// Natural keys and unique fields have one value that tells things apart, and no ring of references.
fn ids(checker: &mut Checker, model: &Model) {
    let design = checker.design;
    for (service, lowered) in &model.services {
        for (name, resource) in &lowered.resources {
            let Some(written) = design.services.get(service).and_then(|s| s.resources.get(name)) else { continue };
            for field in &resource.fields {
                let Some(place) = written.fields.get(&field.name) else { continue };
                if written.id.as_ref().is_some_and(|id| id.value == field.name) {
                    check_id(checker, model, &place.name, &field.ty, name);
                } else if field.unique {
                    let ty = match &field.ty {
                        Type::Optional(item) => item,
                        ty => ty,
                    };
                    check_key(checker, model, &place.name, ty, "unique");
                }
            }
            replace_gives_all(checker, resource, &written.fields);
            let own = ResourceRef { service: service.clone(), resource: name.clone() };
            if let Some(id) = written.id.as_ref().filter(|_| is_ring(model, &own)) {
                let message = format!("the id of `{name}` is a reference that leads back to `{name}`");
                checker.error("E509", &id.span, message, "give one of them an id of its own");
            }
        }
    }
}

/// Where a replace makes its item, it gives all that the item has to have.
fn replace_gives_all(checker: &mut Checker, resource: &Resource, written: &Fields) {
    if !(resource.verbs.contains(&Verb::Replace) && fit::is_natural(resource)) {
        return;
    }
    for field in &resource.fields {
        let needs = field.fixed && field.name != resource.id && field.default.is_none();
        let place = written.get(&field.name).filter(|_| needs && !matches!(field.ty, Type::Optional(_)));
        if let Some(place) = place {
            let message = format!(
                "`replace` makes a `{}` where there is none, and cannot give it `{}`, which is `fixed`",
                resource.name, field.name
            );
            let help = match &field.ty {
                Type::Scalar(_) => "make it optional, give it a default, or leave `fixed` or the verb `replace` out",
                _ => "make it optional, or leave `fixed` or the verb `replace` out",
            };
            checker.error("E511", &place.ty.expr.span, message, help);
        }
    }
}

/// Ids stand in paths, as `ID` in GraphQL and as one field in proto, and there are many: not all that can be the key of
/// something can be one.
fn check_id(checker: &mut Checker, model: &Model, field: &Spanned<String>, ty: &Type, of: &str) {
    let is_key_alone = match ty {
        Type::Scalar(Scalar::Timestamp) => true,
        Type::Named(named) => !types::is_unknown(ty) && fit::record(model, &named.name).is_none(),
        _ => false,
    };
    if is_key_alone {
        let message = format!("`{}` cannot be the id of `{of}`: it is `{}`", field.value, fit::shown(ty));
        checker.error("E509", &field.span, message, "use a string, integer, uuid, date or `ref`");
    } else {
        check_key(checker, model, field, ty, &format!("the id of `{of}`"));
    }
}

fn is_ring(model: &Model, start: &ResourceRef) -> bool {
    let (mut at, mut seen) = (start, BTreeSet::new());
    while let Some(Type::Ref(next)) = fit::resource(model, at).and_then(|r| r.fields.first()).map(|field| &field.ty) {
        if next == start {
            return true;
        }
        if !seen.insert(next) {
            return false;
        }
        at = next;
    }
    false
}

/// The request of an operation on an item holds its id beside the input; of `replace` and `patch` the item too (E205).
fn items(checker: &mut Checker, model: &Model) {
    let design = checker.design;
    for (service, lowered) in &model.services {
        for operation in lowered.operations.values() {
            let Shape::Custom { of: Some(of), input, .. } = &operation.shape else { continue };
            let Some(resource) = lowered.resources.get(of) else { continue };
            let fields = fit::input(model, input).unwrap_or_default();
            if let Some(field) = fields.iter().find(|field| names::key(&field.name) == names::key(&resource.id)) {
                let written = design
                    .services
                    .get(service)
                    .and_then(|s| s.commands.get(&operation.name).or_else(|| s.queries.get(&operation.name)));
                let Some(written) = written else { continue };
                let input = written.input.as_ref().map(|input| &input.span);
                let Some(span) = input.or(written.on.as_ref().map(|on| &on.span)) else { continue };
                let message = format!("`{}` is the id of the `{of}` that {} is on", field.name, fit::title(operation));
                let help = match written.input {
                    Some(_) => "leave it out: an operation with `of` gets it anyway",
                    None => "write `input` with the fields of the payload that are needed",
                };
                checker.error("E205", span, message, help);
            }
        }
        for (name, resource) in &lowered.resources {
            let asks = resource.verbs.iter().any(|verb| matches!(verb, design::Verb::Replace | design::Verb::Patch));
            if asks && names::key(name) == names::key(&resource.id) {
                let Some(written) = design.services.get(service).and_then(|s| s.resources.get(name)) else { continue };
                let Some(id) = &written.id else { continue };
                let message = format!("id `{}` and the `{name}` itself would have one name in a request", id.value);
                let error = Diagnostic::new("E205", id.span.clone(), message);
                checker.report(error.help(format!("call the field `{}_code`, say, or rename the resource", id.value)));
            }
        }
    }
}

/// A `secret` is write-only, and an event goes to everybody.
fn events_carry_no_secrets(checker: &mut Checker) {
    let design = checker.design;
    for service in design.services.values() {
        for (name, event) in &service.events {
            let Some(payload) = &event.payload else { continue };
            let (fields, named) = match &payload.value {
                Body::Fields(fields) => (Some(fields), None),
                Body::Named { name, .. } => (None, Some(name)),
                Body::Broken => continue,
            };
            if let Some(secret) = secret_below(design, fields, named.map(|name: &Spanned<_>| name.value.name.as_str()))
            {
                let message = format!("`secret` field `{secret}` would leave in event `{name}`");
                checker.error("E310", &payload.span, message, "keep it out of the payload, or mark it `pii`");
            }
        }
    }
}

/// The first field marked `secret` in these fields, in the type of that name, or below.
fn secret_below<'d>(design: &'d design::Design, fields: Option<&'d Fields>, named: Option<&'d str>) -> Option<&'d str> {
    let mut seen = BTreeSet::new();
    let mut names: Vec<&str> = named.into_iter().collect();
    let mut open: Vec<&Fields> = fields.into_iter().collect();
    loop {
        for fields in std::mem::take(&mut open) {
            for field in fields.values() {
                if field.ty.mark(Mark::Secret).is_some() {
                    return Some(&field.name.value);
                }
                let mut expr = &field.ty.expr;
                while let TypeKind::Optional(inner)
                | TypeKind::List { item: inner, .. }
                | TypeKind::Map { value: inner, .. } = &expr.kind
                {
                    expr = inner;
                }
                if let TypeKind::Name(reference) = &expr.kind {
                    let alias = design.types.get(&reference.name).map(|def| &def.kind);
                    if matches!(alias, Some(TypeDefKind::Scalar(alias)) if alias.mark(Mark::Secret).is_some()) {
                        return Some(&field.name.value);
                    }
                    names.push(&reference.name);
                }
            }
        }
        let name = names.pop()?;
        if seen.insert(name) {
            match design.types.get(name).map(|def| &def.kind) {
                Some(TypeDefKind::Record(fields)) => open.push(fields),
                Some(TypeDefKind::Union(variants)) => names.extend(variants.iter().map(|v| v.value.name.as_str())),
                _ => {
                    let resources = design.services.values().filter_map(|service| service.resources.get(name));
                    open.extend(resources.map(|resource| &resource.fields));
                }
            }
        }
    }
}
