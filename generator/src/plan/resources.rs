//! Views of a resource in its contract: the item, what creates, replaces and patches it, its pages, its queries.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    contracts::shape,
    escape,
    model::{Docs, Field, Model, Resource, ResourceRef, Type, TypeDef, Verb},
    names,
};

use super::{
    rust::{self, user},
    types::{Check, EnumView, FieldView, Types, ValueView, doc_lines, is_recursive},
};

/// How an item takes a draft over: `price`, `r#type`.
#[derive(Debug, Serialize)]
pub struct Draft {
    pub resource: String,
    pub draft: String,
    pub patch: String,
    pub fields: Vec<DraftField>,
    pub has_patch: bool,
    /// The item's type is in another crate, so a trait changes it.
    pub foreign: bool,
    pub changes: String,
}

#[derive(Debug, Serialize)]
pub struct DraftField {
    pub name: String,
    /// A copy of it: `self.name.clone()`.
    pub copy: String,
}

/// The fields of a resource, its id as the type that tells it from other ids.
pub fn typed(resource: &Resource, of: &ResourceRef) -> Vec<Field> {
    with_id(&resource.fields, resource, of)
}

/// The same of some of its fields.
pub fn with_id(fields: &[Field], resource: &Resource, of: &ResourceRef) -> Vec<Field> {
    let typed = |field: &Field| match field.name == resource.id {
        true => Field { ty: Type::Ref(of.clone()), ..field.clone() },
        false => field.clone(),
    };
    fields.iter().map(typed).collect()
}

/// The item itself, as `get` answers it.
pub fn add_item(types: &mut Types, model: &Model, of: &ResourceRef, resource: &Resource) {
    let record = types.record(model, &resource.name, &resource.name, &resource.docs, &typed(resource, of));
    let etag = FieldView {
        docs: vec!["/// The revision: one more at each change.".into()],
        attributes: Vec::new(),
        name: "etag".into(),
        ty: "Etag".into(),
    };
    types
        .records
        .push(super::types::RecordView { fields: record.fields.into_iter().chain([etag]).collect(), ..record });
}

/// The trait that changes an item whose type is in another crate.
pub fn changes_name(resource: &Resource) -> String {
    format!("{}Changes", resource.name)
}

/// Whether the item may be changed by a draft or patch.
pub fn is_changed(resource: &Resource) -> bool {
    resource.verbs.iter().any(|verb| matches!(verb, Verb::Replace | Verb::Patch))
}

/// What only the owner's contract has: inputs and pages of the resource's verbs.
pub fn add_verbs(types: &mut Types, model: &Model, of: &ResourceRef, resource: &Resource) {
    let name = &resource.name;
    let docs = |text: String| Docs { summary: text, description: String::new() };
    let has = |verb| resource.verbs.contains(&verb);
    if has(Verb::Create) {
        let view = types.record(
            model,
            &format!("New{name}"),
            name,
            &docs(format!("What one {name} is made of.")),
            &with_id(&shape::new_fields(resource), resource, of),
        );
        types.records.push(view);
    }
    let draft = shape::draft_fields(resource);
    if has(Verb::Replace) || has(Verb::Patch) {
        let docs = docs(format!("What may be changed about one {name}."));
        let view = types.record(model, &format!("{name}Draft"), name, &docs, &draft);
        types.records.push(view);
        types.drafts.push(Draft {
            resource: user(name),
            draft: user(&format!("{name}Draft")),
            patch: user(&format!("{name}Patch")),
            fields: draft.iter().map(draft_field).collect(),
            has_patch: has(Verb::Patch),
            changes: user(&changes_name(resource)),
            foreign: false,
        });
    }
    if has(Verb::Patch) {
        add_patch(types, model, name, &draft);
    }
    if has(Verb::List) {
        add_list(types, model, resource);
    }
}

fn draft_field(field: &Field) -> DraftField {
    let name = names::rust::ident(&field.name);
    let copy = if rust::is_copy(&field.ty) { format!("self.{name}") } else { format!("self.{name}.clone()") };
    DraftField { name, copy }
}

/// The patch of a record, and of the records in it.
fn add_patch(types: &mut Types, model: &Model, record: &str, fields: &[Field]) {
    let name = user(&format!("{record}Patch"));
    if types.patches.iter().any(|known| known.name == name) {
        return;
    }
    let mut view = super::types::RecordView {
        docs: vec![format!("/// A change of one {record}: what is absent stays as it is (RFC 7396).")],
        name,
        fields: Vec::new(),
        checks: Vec::new(),
    };
    let mut inner = BTreeSet::new();
    for field in fields {
        let Patched { ty, adapter } = patched(model, record, &field.ty, &mut inner);
        let ident = names::rust::ident(&field.name);
        let attributes = format!(
            "#[serde(default, with = \"As::<Present<{adapter}>>\", skip_serializing_if = \"Option::is_none\")]"
        );
        view.fields.push(FieldView {
            docs: doc_lines(&field.docs, ""),
            attributes: vec![attributes],
            ty: format!("Option<{ty}>"),
            name: ident.clone(),
        });
        let value = match &field.ty {
            Type::Map { .. } => None,
            Type::Named(of) if !rust::is_enum(model, of) && is_record(model, &field.ty) => {
                Some("value.validate(v)".to_owned())
            }
            Type::Optional(of) if is_record(model, of) => {
                Some("v.some(value, |v, value| value.validate(v))".to_owned())
            }
            ty => rust::check(model, ty, "value", true),
        };
        if let Some(code) = value {
            let code = format!("v.some(&self.{ident}, |v, value| {code})");
            view.checks.push(Check { field: escape::rust_str(&field.name), code });
        }
    }
    types.patches.push(view);
    for record in inner {
        if let Some(TypeDef::Record(found)) = model.types.get(&record) {
            add_patch(types, model, &record, &found.fields);
        }
    }
}

/// What stands in a patch for a field, and the adapter of its JSON form.
struct Patched {
    ty: String,
    adapter: String,
}

fn patched(model: &Model, record: &str, ty: &Type, records: &mut BTreeSet<String>) -> Patched {
    let plain = |ty: &Type| Patched { ty: rust::ty(ty), adapter: rust::adapter(ty).unwrap_or_else(|| "Same".into()) };
    match ty {
        Type::Optional(inner) => {
            let Patched { ty, adapter } = patched(model, record, inner, records);
            Patched { ty: format!("Option<{ty}>"), adapter: format!("Option<{adapter}>") }
        }
        Type::Named(of) if is_record(model, ty) => {
            records.insert(of.name.clone());
            let patch = user(&format!("{}Patch", of.name));
            let ty = if is_recursive(model, record, ty) { format!("Box<{patch}>") } else { patch };
            Patched { ty, adapter: "Same".into() }
        }
        Type::Map { key, value } => {
            let Patched { ty, adapter } = plain(value);
            Patched {
                ty: format!("BTreeMap<{}, Option<{ty}>>", rust::map_key(key)),
                adapter: format!("BTreeMap<Same, Option<{adapter}>>"),
            }
        }
        other => plain(other),
    }
}

fn is_record(model: &Model, ty: &Type) -> bool {
    matches!(ty, Type::Named(of) if of.service.is_none() && matches!(model.types.get(&of.name), Some(TypeDef::Record(_))))
}

/// The records whose patches a resource needs, besides its own.
pub fn patched_records(model: &Model, resource: &Resource) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<Field> = shape::draft_fields(resource);
    while let Some(field) = open.pop() {
        let mut inner = BTreeSet::new();
        patched(model, "", &field.ty, &mut inner);
        for record in inner {
            if found.insert(record.clone())
                && let Some(TypeDef::Record(record)) = model.types.get(&record)
            {
                open.extend(record.fields.iter().cloned());
            }
        }
    }
    found
}

fn add_list(types: &mut Types, model: &Model, resource: &Resource) {
    let (name, plural) = (&resource.name, &resource.plural);
    let mut view = super::types::RecordView {
        docs: vec![format!("/// Which {plural} to list, and in which order.")],
        name: user(&format!("List{plural}")),
        fields: Vec::new(),
        checks: vec![Check {
            field: "\"limit\"".into(),
            code: "v.some(&self.limit, |v, value| v.range(value, 1..=kit::page::MAX_LIMIT))".into(),
        }],
    };
    let mut field = |docs: &str, name: &str, ty: String, attribute: String| {
        let docs = if docs.is_empty() { Vec::new() } else { vec![format!("/// {docs}")] };
        view.fields.push(FieldView { docs, attributes: vec![format!("#[serde({attribute})]")], name: name.into(), ty });
    };
    let absent = "default, skip_serializing_if = \"Option::is_none\"";
    field("Items of a page.", "limit", "Option<u32>".into(), absent.into());
    field("Where the page before ended.", "cursor", "Option<Cursor>".into(), absent.into());
    if !resource.sort.is_empty() {
        let sort = user(&format!("{name}Sort"));
        field(
            "The first weighs most; newest first if there is none.",
            "sort",
            format!("Vec<{sort}>"),
            format!("default, with = \"As::<Commas<{sort}>>\", skip_serializing_if = \"Vec::is_empty\""),
        );
    }
    for filter in shape::filters(resource) {
        let list = filter.any();
        let attribute = |ty: &Type, wire: &str, ident: &str, skip: &str| {
            let mut attribute = String::from("default");
            if wire != ident {
                attribute += &format!(", rename = {}", escape::rust_str(wire));
            }
            if let Some(adapter) = rust::adapter(ty) {
                attribute += &format!(", with = \"As::<{adapter}>\"");
            }
            attribute
                + &format!(", skip_serializing_if = \"{skip}::is_empty\"")
                    .replace("Option::is_empty", "Option::is_none")
        };
        let ident = names::rust::ident(&filter.name);
        field("Any of these.", &ident, rust::ty(&list), attribute(&list, &filter.path, &filter.name, "Vec"));
        if filter.ordered {
            let value = Type::Optional(Box::new(filter.ty.clone()));
            for comparison in shape::COMPARISONS {
                let name = format!("{}_{comparison}", filter.name);
                let wire = format!("{}.{comparison}", filter.path);
                field("", &names::rust::ident(&name), rust::ty(&value), attribute(&value, &wire, &name, "Option"));
            }
        }
    }
    for filter in shape::filters(resource) {
        let list = filter.any();
        if let Some(code) = rust::check(model, &list, &format!("self.{}", names::rust::ident(&filter.name)), false) {
            view.checks.push(Check { field: escape::rust_str(&filter.path), code });
        }
    }
    if !resource.sort.is_empty() {
        view.checks.push(Check {
            field: "\"sort\"".into(),
            code: "v.each(&self.sort, |v, sort| v.known(sort.is_known()))".into(),
        });
        types.enums.push(sort(resource));
    }
    types.lists.push(view);
    types.records.push(super::types::RecordView {
        docs: vec![format!("/// A page of {plural}.")],
        name: user(&format!("{name}Page")),
        fields: vec![
            FieldView {
                docs: Vec::new(),
                attributes: Vec::new(),
                name: "items".into(),
                ty: format!("Vec<{}>", user(name)),
            },
            FieldView {
                docs: vec!["/// Where the next page begins; none after the last.".into()],
                attributes: vec![format!("#[serde({absent})]")],
                name: "next".into(),
                ty: "Option<Cursor>".into(),
            },
        ],
        checks: Vec::new(),
    });
}

/// `OrderSort`: each path upwards and downwards.
fn sort(resource: &Resource) -> EnumView {
    let mut values = Vec::new();
    for path in shape::sorts(resource) {
        let variant = rust::variant(&names::upper_camel(&path.replace('.', "_")));
        values.push(ValueView { text: escape::rust_str(&path), variant: variant.clone() });
        values.push(ValueView { text: escape::rust_str(&format!("-{path}")), variant: variant + "Descending" });
    }
    EnumView {
        docs: vec![format!("/// What {} are sorted by.", resource.plural)],
        name: user(&format!("{}Sort", resource.name)),
        values,
        grpc: Vec::new(),
    }
}

/// Every type that the verbs of a resource bring along in its contract.
pub fn type_names(model: &Model, resource: &Resource) -> Vec<String> {
    let name = &resource.name;
    let has = |verb| resource.verbs.contains(&verb);
    let mut names = Vec::new();
    if has(Verb::Create) {
        names.push(format!("New{name}"));
    }
    if has(Verb::Replace) || has(Verb::Patch) {
        names.push(format!("{name}Draft"));
    }
    if has(Verb::Patch) {
        names.push(format!("{name}Patch"));
        names.extend(patched_records(model, resource).into_iter().map(|record| record + "Patch"));
    }
    if has(Verb::List) {
        names.push(format!("{name}Page"));
        names.push(format!("List{}", resource.plural));
        if !resource.sort.is_empty() {
            names.push(format!("{name}Sort"));
        }
    }
    names
}

/// The kinds of `kit_grpc::patch!`: `required name, optional note, record price`.
pub fn patch_members(model: &Model, fields: &[Field]) -> String {
    let kind = |ty: &Type| match ty {
        Type::Optional(inner) if is_record(model, inner) => "nullable",
        Type::Optional(_) => "optional",
        Type::List { .. } => "repeated",
        Type::Map { .. } => "map",
        ty if is_record(model, ty) => "record",
        _ => "required",
    };
    let members = fields.iter().map(|f| format!("{} {}", kind(&f.ty), names::rust::ident(&f.name)));
    members.collect::<Vec<_>>().join(", ")
}

/// A key that may come again after its item was deleted: the revisions of the next one go on, so that no ETag means two
/// things.
pub fn comes_again(resource: &Resource) -> bool {
    shape::is_natural(resource) && resource.verbs.contains(&Verb::Delete)
}
