//! Resources of a service: their fields with the id first, and what `list` may filter and sort by.

use indexmap::IndexMap;

use super::{Checker, docs, items, symbols, types};
use crate::{
    design::{self, Fields, Mark, TypeDefKind, TypeKind, Word},
    diagnostic::{Diagnostic, nearest},
    fit,
    model::{Docs, Enum, Field, FieldPath, Model, Resource, Scalar, Type, TypeDef, Verb, Versioning},
    names::rules::shown,
    source::Spanned,
};

/// Parameters of every `list`.
const LIST_PARAMETERS: &[&str] = &["limit", "cursor", "sort"];

pub(super) fn lower(
    checker: &mut Checker,
    model: &Model,
    service: &design::Service,
    enums: &mut IndexMap<String, Enum>,
) -> IndexMap<String, Resource> {
    let home = service.head.name.value.as_str();
    let by_query = service.versioning.as_ref().is_some_and(|own| own.value == Versioning::Query);
    let lowered = service.resources.iter().map(|(name, resource)| {
        checker.in_past = checker.symbols.gone_after(home, name).is_some();
        let mut fields = types::lower_fields(checker, &resource.fields, name, Some(home), enums);
        checker.in_past = false;
        let id = place_id(checker, resource, &mut fields);
        let lowered = Resource {
            name: name.clone(),
            plural: symbols::plural(resource, name),
            docs: docs(&resource.head.docs),
            id,
            verbs: verbs(resource),
            filter: lower_filter(checker, model, resource, &fields, by_query),
            sort: lower_sort(checker, model, resource, &fields),
            fields,
        };
        check_settings(checker, resource);
        (name.clone(), lowered)
    });
    lowered.collect()
}

/// The verbs in the order of [`Verb::ALL`].
fn verbs(resource: &design::Resource) -> Vec<Verb> {
    let mut verbs: Vec<_> = items(&resource.verbs).iter().map(|verb| verb.value).collect();
    verbs.sort();
    verbs
}

/// Puts the id first: the field that the design names, else a uuid. Gives its name.
fn place_id(checker: &mut Checker, resource: &design::Resource, fields: &mut Vec<Field>) -> String {
    let Some(id) = &resource.id else {
        // A field called `id` was reported as taken.
        fields.retain(|field| field.name != "id");
        let ty = Type::Scalar(Scalar::Uuid);
        let docs = Docs::default();
        let id = Field { name: "id".to_owned(), docs, ty, default: None, unique: false, readonly: true, fixed: false };
        fields.insert(0, id);
        return "id".to_owned();
    };
    match fields.iter().position(|field| field.name == id.value) {
        Some(at) => {
            let mut field = fields.remove(at);
            field.fixed = true;
            fields.insert(0, field);
        }
        None if resource.head.is_broken("fields") => {}
        None => {
            let message = format!("id `{}` is not a field of `{}`", shown(&id.value), resource.head.name.value);
            let help = match nearest(&id.value, fields.iter().map(|field| field.name.as_str())) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "add it to the fields, or leave `id` out for a uuid".to_owned(),
            };
            checker.error("E509", &id.span, message, help);
        }
    }
    id.value.clone()
}

/// A verb's settings without the verb (E501).
fn check_settings(checker: &mut Checker, resource: &design::Resource) {
    let Some(verbs) = &resource.verbs else { return };
    for (verb, settings) in &resource.settings {
        if !verbs.value.iter().any(|v| v.value == *verb) {
            let message = format!("`{}` has settings but is not in `verbs`", verb.word());
            let error = Diagnostic::new("E501", settings.head.span(), message).help("add it to `verbs`");
            checker.report(error.related(verbs.span.clone(), "the verbs"));
        }
    }
}

fn lower_filter(
    checker: &mut Checker,
    model: &Model,
    resource: &design::Resource,
    fields: &[Field],
    by_query: bool,
) -> Vec<FieldPath> {
    for path in &resource.filter {
        if let [segment] = path.value.0.as_slice()
            && (LIST_PARAMETERS.contains(&segment.value.as_str()) || (by_query && segment.value == "version"))
        {
            let message = format!("filter `{}` has the name of a parameter of every list", segment.value);
            checker.error("E508", &path.span, message, "rename the field");
        }
    }
    lower_paths(checker, model, &resource.filter, fields, "filter")
}

fn lower_sort(checker: &mut Checker, model: &Model, resource: &design::Resource, fields: &[Field]) -> Vec<FieldPath> {
    for path in &resource.sort {
        if is_pii(checker.design, &resource.fields, &path.value) {
            let name = joined(&path.value);
            let message = format!("cannot sort by `{name}`: it is `pii` and stored encrypted");
            checker.error("E507", &path.span, message, "filter by it (equality), sort by something else");
        }
    }
    lower_paths(checker, model, &resource.sort, fields, "sort")
}

fn joined(path: &design::FieldPath) -> String {
    path.0.iter().map(|segment| segment.value.as_str()).collect::<Vec<_>>().join(".")
}

fn lower_paths(
    checker: &mut Checker,
    model: &Model,
    paths: &[Spanned<design::FieldPath>],
    fields: &[Field],
    purpose: &str,
) -> Vec<FieldPath> {
    let mut lowered = Vec::new();
    for path in paths {
        let name = joined(&path.value);
        let ty = match end_of(model, &path.value, fields) {
            Ok(Some(ty)) => ty,
            Ok(None) => continue,
            Err((reason, help)) => {
                checker.error("E503", &path.span, format!("cannot {purpose} by `{name}`: {reason}"), help);
                continue;
            }
        };
        let segments: Vec<_> = path.value.0.iter().map(|segment| segment.value.clone()).collect();
        lowered.push(FieldPath { segments, ty });
    }
    lowered
}

/// The type at the end of a path; `Ok(None)` if it is unknown, else why it cannot be used and what could.
fn end_of<'m>(
    model: &'m Model,
    path: &design::FieldPath,
    mut fields: &'m [Field],
) -> Result<Option<Type>, (String, String)> {
    let mut segments = path.0.iter().peekable();
    while let Some(segment) = segments.next() {
        let Some(field) = fields.iter().find(|field| field.name == segment.value) else {
            let help = match nearest(&segment.value, fields.iter().map(|field| field.name.as_str())) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "name a field of the resource".to_owned(),
            };
            return Err((format!("there is no field `{}`", shown(&segment.value)), help));
        };
        if types::is_unknown(&field.ty) {
            return Ok(None);
        }
        if segments.peek().is_none() {
            return comparable(model, &field.ty, &joined(path)).map(|()| Some(field.ty.clone()));
        }
        let inside = match &field.ty {
            Type::Named(named) => fit::record(model, &named.name),
            _ => None,
        };
        match inside {
            Some(record) => fields = &record.fields,
            None => {
                let help = "a path leads through required records to a scalar".to_owned();
                return Err((format!("`{}` is `{}`", field.name, fit::shown(&field.ty)), help));
            }
        }
    }
    Ok(None)
}

/// Whether values of the type can be compared by a store.
fn comparable(model: &Model, ty: &Type, path: &str) -> Result<(), (String, String)> {
    let help = "use a scalar field".to_owned();
    let reason = match ty {
        Type::Optional(item) => return comparable(model, item, path),
        Type::Scalar(Scalar::Json) => "json has no order",
        Type::Scalar(Scalar::Bytes) => "bytes have no order",
        Type::Scalar(_) | Type::Ref(_) => return Ok(()),
        Type::Named(named) => match model.types.get(&named.name).filter(|_| named.service.is_none()) {
            Some(TypeDef::Record(record)) => {
                let inner = record.fields.first().map_or("", |field| &field.name);
                return Err((
                    format!("`{}` is a record", record.name),
                    format!("name a field in it, like `{path}.{inner}`"),
                ));
            }
            Some(TypeDef::Union(_)) => "a union has no order",
            Some(TypeDef::Enum(_)) | None => return Ok(()),
        },
        Type::List { .. } => "a list has no order",
        Type::Map { .. } => "a map has no order",
        Type::Resource(_) => "a resource has no order",
    };
    Err((reason.to_owned(), help))
}

/// Whether anything on the path is marked `pii`, in the field or in the named scalar it has.
fn is_pii<'d>(design: &'d design::Design, mut fields: &'d Fields, path: &design::FieldPath) -> bool {
    for segment in &path.0 {
        let Some(field) = fields.get(&segment.value) else { return false };
        if field.ty.mark(Mark::Pii).is_some() {
            return true;
        }
        let mut expr = &field.ty.expr;
        while let TypeKind::Optional(item) = &expr.kind {
            expr = item;
        }
        let TypeKind::Name(name) = &expr.kind else { return false };
        match design.types.get(&name.name).map(|def| &def.kind) {
            Some(TypeDefKind::Record(inner)) => fields = inner,
            Some(TypeDefKind::Scalar(alias)) => return alias.mark(Mark::Pii).is_some(),
            _ => return false,
        }
    }
    false
}
