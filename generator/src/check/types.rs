//! `[types]` and type expressions to the model's types: names resolved, named scalars replaced by what they stand for,
//! enums written in a field given their name.

use indexmap::IndexMap;

use super::{Checker, defaults, description, docs};
use crate::{
    design::{Body, Field, Fields, Head, Mark, Reference, TypeDefKind, TypeExpr, TypeKind},
    diagnostic::{Diagnostic, nearest},
    model::{self, Docs, Enum, MapKey, Model, Record, Scalar, Type, TypeDef, TypeRef, Union},
    names,
    source::{Span, Spanned},
};

/// Lower-case words that a type may be, for suggestions.
const SCALARS: &[&str] = &[
    "string",
    "bool",
    "i32",
    "i64",
    "u32",
    "u64",
    "f64",
    "decimal",
    "uuid",
    "timestamp",
    "date",
    "duration",
    "bytes",
    "json",
];

/// A type that was not understood and reported: nothing more is said about it.
pub(super) fn unknown() -> Type {
    Type::Named(TypeRef { service: None, name: String::new() })
}

/// Whether anything in the type is [`unknown`].
pub(super) fn is_unknown(ty: &Type) -> bool {
    match ty {
        Type::Named(named) => named.name.is_empty(),
        Type::List { item, .. } | Type::Optional(item) => is_unknown(item),
        Type::Map { key, value } => matches!(key, MapKey::Enum(named) if named.name.is_empty()) || is_unknown(value),
        Type::Scalar(_) | Type::Resource(_) | Type::Ref(_) => false,
    }
}

/// The types of the design, each followed by the enums written in its fields.
pub(super) fn lower(checker: &mut Checker, model: &mut Model) {
    let design = checker.design;
    for (name, def) in &design.types {
        match &def.kind {
            TypeDefKind::Record(fields) => {
                let mut enums = IndexMap::new();
                let fields = lower_fields(checker, fields, name, None, &mut enums);
                let record = Record { name: name.clone(), docs: docs(&def.head.docs), fields };
                model.types.insert(name.clone(), TypeDef::Record(record));
                for (enum_name, inline) in enums {
                    if design.types.contains_key(&enum_name) {
                        taken(checker, &enum_name, &def.head);
                    }
                    model.types.insert(enum_name, TypeDef::Enum(inline));
                }
            }
            TypeDefKind::Enum(values) => {
                let lowered = lower_enum(name, docs(&def.head.docs), values);
                model.types.insert(name.clone(), TypeDef::Enum(lowered));
            }
            TypeDefKind::Union(variants) => {
                let variants = variants.iter().filter_map(|variant| lower_variant(checker, name, variant)).collect();
                let union = Union { name: name.clone(), docs: docs(&def.head.docs), variants };
                model.types.insert(name.clone(), TypeDef::Union(union));
            }
            TypeDefKind::Scalar(_) | TypeDefKind::Broken => {}
        }
    }
}

fn taken(checker: &mut Checker, enum_name: &str, record: &Head) {
    let taken = checker.design.types.get(enum_name).map(|def| def.head.span());
    let message = format!("type `{enum_name}` is the name of an enum written in a field of `{}`", record.name.value);
    let span = taken.unwrap_or_else(|| record.span());
    checker.report(
        Diagnostic::new("E208", span, message)
            .help("rename the type, or use it in the field")
            .related(record.span(), "the record"),
    );
}

fn lower_enum(name: &str, docs: Docs, values: &[Spanned<String>]) -> Enum {
    Enum { name: name.to_owned(), docs, values: values.iter().map(|value| value.value.clone()).collect() }
}

fn lower_variant(checker: &mut Checker, union: &str, variant: &Spanned<Reference>) -> Option<String> {
    let name = &variant.value.name;
    let def = checker.design.types.get(name).filter(|_| variant.value.owner.is_none());
    match def.map(|def| &def.kind) {
        Some(TypeDefKind::Record(_)) => return Some(name.clone()),
        Some(TypeDefKind::Broken) => {}
        Some(_) => {
            let message = format!("`{name}` is not a record, so it cannot be a variant of `{union}`");
            checker.error("E319", &variant.span, message, "wrap it in a record");
        }
        None if checker.symbols.is_resource(name) => {
            let message = format!("`{}` is a resource; the variants of `{union}` are records", variant.value);
            checker.error("E319", &variant.span, message, "name a record of [types]");
        }
        None => checker.not_a_type(&variant.value, &variant.span, ""),
    }
    None
}

/// The fields of the record called `record`, which belongs to `home` or to nobody. Enums written in them are added to
/// `enums`.
pub(super) fn lower_fields(
    checker: &mut Checker,
    fields: &Fields,
    record: &str,
    home: Option<&str>,
    enums: &mut IndexMap<String, Enum>,
) -> Vec<model::Field> {
    fields.values().map(|field| lower_field(checker, field, record, home, enums)).collect()
}

fn lower_field(
    checker: &mut Checker,
    field: &Field,
    record: &str,
    home: Option<&str>,
    enums: &mut IndexMap<String, Enum>,
) -> model::Field {
    let mut inline =
        Inline { name: format!("{record}{}", names::upper_camel(&field.name.value)), field, enums, used: false };
    let ty = lower_type(checker, &field.ty.expr, home, Some(&mut inline));
    check_ref_name(checker, field, &ty);
    let default = field.ty.default.as_ref().and_then(|default| defaults::lower(checker, default, field, &ty));
    model::Field {
        name: field.name.value.clone(),
        docs: description(&field.description),
        ty,
        default,
        unique: field.ty.mark(Mark::Unique).is_some(),
        readonly: field.ty.mark(Mark::Readonly).is_some(),
        fixed: field.ty.mark(Mark::Fixed).is_some(),
    }
}

/// A `ref` field is called `…_id`, a list of them `…_ids` (E311).
fn check_ref_name(checker: &mut Checker, field: &Field, ty: &Type) {
    let (mut ty, mut several, mut optional) = (ty, false, false);
    loop {
        match ty {
            Type::Optional(item) => (ty, optional) = (item, true),
            Type::List { item, .. } => (ty, several) = (item, true),
            Type::Ref(_) => break,
            _ => return,
        }
    }
    let name = &field.name.value;
    let (ending, carries) =
        if several { ("_ids", "ids") } else { ("_id", if optional { "at most one id" } else { "an id" }) };
    if name.strip_suffix(ending).is_none_or(str::is_empty) {
        let message = format!("`{name}` is a `ref`: it carries {carries}");
        let stem = name.strip_suffix("_id").or_else(|| name.strip_suffix("_ids")).unwrap_or(name);
        checker.error("E311", &field.name.span, message, format!("call it `{stem}{ending}`"));
    }
}

/// Where enums written in a field go.
struct Inline<'a> {
    /// `<Record><Field>`
    name: String,
    field: &'a Field,
    enums: &'a mut IndexMap<String, Enum>,
    used: bool,
}

fn lower_type(checker: &mut Checker, expr: &TypeExpr, home: Option<&str>, mut inline: Option<&mut Inline>) -> Type {
    match &expr.kind {
        TypeKind::Scalar(scalar) => Type::Scalar(scalar.clone()),
        TypeKind::Name(reference) => named(checker, reference, &expr.span, home),
        TypeKind::Ref(reference) => checker.resource(reference, home).map_or_else(unknown, Type::Ref),
        TypeKind::Enum(values) => {
            inline_enum(checker, values, &expr.span, home, inline).map_or_else(unknown, Type::Named)
        }
        TypeKind::Map { key, value } => {
            let key = match key {
                Some(key) => map_key(checker, key, home, inline.as_deref_mut()),
                None => MapKey::String,
            };
            Type::Map { key, value: Box::new(lower_type(checker, value, home, inline)) }
        }
        TypeKind::List { item, min, max } => {
            Type::List { item: Box::new(lower_type(checker, item, home, inline)), min: *min, max: *max }
        }
        TypeKind::Optional(item) => match lower_type(checker, item, home, inline) {
            // A named scalar may be optional itself.
            optional @ Type::Optional(_) => optional,
            required => Type::Optional(Box::new(required)),
        },
        TypeKind::Broken => unknown(),
    }
}

fn named(checker: &mut Checker, reference: &Reference, span: &Span, home: Option<&str>) -> Type {
    let design = checker.design;
    let def = design.types.get(&reference.name).filter(|_| reference.owner.is_none());
    match def.map(|def| &def.kind) {
        Some(TypeDefKind::Scalar(alias)) => match &alias.expr.kind {
            // An alias of a name would have to be followed for ever; aliases are scalars.
            TypeKind::Name(_) | TypeKind::Enum(_) => {
                let message = format!("`{}` stands for a type that is no scalar", reference.name);
                checker.error("E319", span, message, "use that type itself");
                unknown()
            }
            _ => lower_type(checker, &alias.expr, None, None),
        },
        Some(TypeDefKind::Broken) => unknown(),
        Some(_) => Type::Named(TypeRef { service: None, name: reference.name.clone() }),
        None if checker.symbols.is_event_of(reference) => {
            checker.not_a_type(reference, span, "");
            unknown()
        }
        None if reference.owner.is_some() || checker.symbols.is_resource(&reference.name) => {
            let reference = Spanned::new(reference.clone(), span.clone());
            checker.resource(&reference, home).map_or_else(unknown, Type::Resource)
        }
        None => {
            checker.not_a_type(reference, span, "");
            unknown()
        }
    }
}

fn inline_enum(
    checker: &mut Checker,
    values: &[Spanned<String>],
    span: &Span,
    home: Option<&str>,
    inline: Option<&mut Inline>,
) -> Option<TypeRef> {
    let Some(inline) = inline else {
        checker.error("E319", span, "an enum cannot be written here", "give it a name in [types]");
        return None;
    };
    if inline.used {
        let message = format!("two enums in `{}` would both be called `{}`", inline.field.name.value, inline.name);
        checker.error("E205", span, message, "give them names in [types]");
        return None;
    }
    inline.used = true;
    let lowered = lower_enum(&inline.name, description(&inline.field.description), values);
    inline.enums.insert(inline.name.clone(), lowered);
    Some(TypeRef { service: home.map(str::to_owned), name: inline.name.clone() })
}

fn map_key(checker: &mut Checker, expr: &TypeExpr, home: Option<&str>, inline: Option<&mut Inline>) -> MapKey {
    let ty = lower_type(checker, expr, home, inline);
    match ty {
        Type::Scalar(Scalar::String { min: 0, max: None, pattern: None }) => MapKey::String,
        Type::Scalar(Scalar::I32 { min: i32::MIN, max: i32::MAX }) => MapKey::I32,
        Type::Scalar(Scalar::I64 { min: i64::MIN, max: i64::MAX }) => MapKey::I64,
        Type::Scalar(Scalar::U32 { min: u32::MIN, max: u32::MAX }) => MapKey::U32,
        Type::Scalar(Scalar::U64 { min: u64::MIN, max: u64::MAX }) => MapKey::U64,
        Type::Scalar(Scalar::Uuid) => MapKey::Uuid,
        Type::Scalar(Scalar::Date) => MapKey::Date,
        Type::Scalar(
            Scalar::String { .. } | Scalar::I32 { .. } | Scalar::I64 { .. } | Scalar::U32 { .. } | Scalar::U64 { .. },
        ) => {
            checker.error("E304", &expr.span, "the key of a map has no bounds", "leave the bounds out");
            MapKey::String
        }
        Type::Named(named) if is_enum(checker, &named) => MapKey::Enum(named),
        other => {
            if !is_unknown(&other) {
                let message = "a map's key must be a string, integer, uuid, date or enum";
                checker.error("E304", &expr.span, message, "use a list of records");
            }
            MapKey::String
        }
    }
}

/// Whether a name is an enum, or [`unknown`].
fn is_enum(checker: &Checker, named: &TypeRef) -> bool {
    let def = checker.design.types.get(&named.name).filter(|_| named.service.is_none());
    // What is not in [types] and came so far was written in a field.
    def.is_none_or(|def| matches!(def.kind, TypeDefKind::Enum(_)))
}

impl Checker<'_> {
    /// Reports a name that stands where a type should (E301), or something else by that name (E319). `before` is what
    /// stands before the name where that is more than a quote: `output = "stream `.
    pub(super) fn not_a_type(&mut self, reference: &Reference, span: &Span, before: &str) {
        let name = &reference.name;
        if self.symbols.is_event(name) {
            let message = format!("`{reference}` is an event, not a type");
            return self.error("E319", span, message, self.instead_of_event(reference, before));
        }
        let message = format!("`{}` is not a type", names::rules::shown(&reference.to_string()));
        let design = self.design;
        let resources = design.services.values().flat_map(|service| service.resources.keys());
        let names = design.types.keys().chain(resources).map(String::as_str).chain(SCALARS.iter().copied());
        match nearest(name, names) {
            Some(meant) => self.error("E301", span, message, format!("did you mean `{meant}`?")),
            None => self.error("E301", span, message, format!("declare it: `[types.{}]`", names::rules::shown(name))),
        }
    }

    /// What to write where an event was written for what it carries.
    fn instead_of_event(&self, reference: &Reference, before: &str) -> String {
        let Reference { owner, name } = reference;
        let mut owners =
            self.design.services.values().filter(|s| owner.as_ref().is_none_or(|owner| *owner == s.head.name.value));
        let event = owners.find_map(|service| service.events.get(name));
        let here = |record: &str| if before.is_empty() { record.to_owned() } else { format!("{before}{record}\"") };
        if let Some(Spanned { value: Body::Named { name: payload, .. }, .. }) = event.and_then(|e| e.payload.as_ref()) {
            return format!(
                "it carries `{payload}`: write `{}`",
                here(&payload.value.to_string()),
                payload = payload.value
            );
        }
        let record = format!("{name}Details");
        format!(
            "give what it carries a name: its fields in `[types.{record}]`, `payload = \"{record}\"` in the event, `{}` here",
            here(&record)
        )
    }
}
