//! Events of a service.

use indexmap::IndexMap;

use super::{
    Checker,
    bodies::{self, Place},
    docs, types,
};
use crate::{
    design,
    diagnostic::nearest,
    fit,
    model::{Enum, Event, EventRef, Model, Payload, Scalar, Type, TypeDef},
    source::Spanned,
};

pub(super) fn lower(
    checker: &mut Checker,
    service: &design::Service,
    enums: &mut IndexMap<String, Enum>,
) -> IndexMap<String, Event> {
    let home = &service.head.name.value;
    let lowered = service.events.iter().map(|(name, event)| {
        let payload = match &event.payload {
            Some(body) => bodies::payload(checker, body, Place { home, record: name, enums }),
            None => Payload::Named(String::new()),
        };
        let key = event.key.as_ref().map(|key| key.value.clone());
        (name.clone(), Event { name: name.clone(), docs: docs(&event.head.docs), payload, key })
    });
    lowered.collect()
}

/// The key of each event is a payload field that always has a value which orders (E509).
pub(super) fn check_keys(checker: &mut Checker, model: &Model) {
    let design = checker.design;
    for (owner, service) in &design.services {
        for (name, event) in &service.events {
            let Some(key) = &event.key else { continue };
            let of = EventRef { service: owner.clone(), event: name.clone() };
            let Some(fields) = fit::payload(model, &of) else { continue };
            let Some(field) = fields.iter().find(|field| field.name == key.value) else {
                let message = format!("key `{}` is not a field of the payload of `{name}`", key.value);
                let help = match nearest(&key.value, fields.iter().map(|field| field.name.as_str())) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "add it to the payload".to_owned(),
                };
                checker.error("E509", &key.span, message, help);
                continue;
            };
            check_key(checker, model, key, &field.ty, &format!("the key of `{name}`"));
        }
    }
}

/// Reports a field that cannot tell things apart: optional, a list, a record …
pub(super) fn check_key(checker: &mut Checker, model: &Model, field: &Spanned<String>, ty: &Type, what: &str) {
    let reason = match ty {
        Type::Scalar(
            Scalar::Bool
            | Scalar::F64 { .. }
            | Scalar::Bytes
            | Scalar::Json
            | Scalar::Duration
            | Scalar::Decimal { .. },
        ) => format!("a {} tells nothing apart", fit::shown(ty)),
        Type::Scalar(_) | Type::Ref(_) => return,
        _ if types::is_unknown(ty) => return,
        Type::Named(named)
            if named.service.is_some() || matches!(model.types.get(&named.name), Some(TypeDef::Enum(_))) =>
        {
            return;
        }
        Type::Named(_) | Type::Resource(_) => "it is not one value".to_owned(),
        Type::List { .. } | Type::Map { .. } => "it is not one value".to_owned(),
        Type::Optional(_) => "it may be absent".to_owned(),
    };
    let message = format!("`{}` cannot be {what}: {reason}", field.value);
    checker.error("E509", &field.span, message, "use a required string, integer, uuid, date, timestamp, enum or `ref`");
}
