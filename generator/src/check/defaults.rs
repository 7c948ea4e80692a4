//! Defaults of fields, read by the type that a name stands for. Those of types written in place were read before.

use super::Checker;
use crate::{
    design::{Field, TypeDefKind, TypeExpr, TypeKind},
    model::{self, Scalar, Type},
    names::rules::shown,
    parse,
    source::Spanned,
};

/// The default of a field as a value of its type.
pub(super) fn lower(
    checker: &mut Checker,
    default: &Spanned<String>,
    field: &Field,
    ty: &Type,
) -> Option<model::Default> {
    let text = &default.value;
    let problem = match ty {
        Type::Scalar(scalar) => match scalar_default(scalar, text) {
            Ok(value) => return Some(value),
            Err(problem) => problem,
        },
        _ if super::types::is_unknown(ty) => return None,
        Type::List { min: 0, .. } if text == "[]" => return Some(model::Default::EmptyList),
        Type::List { .. } => "the default of a list can only be `[]`, if it may be empty".to_owned(),
        Type::Named(named) => match enum_values(checker, &field.ty.expr) {
            Some(values) if values.iter().any(|value| value.value == *text) => {
                return Some(model::Default::Value(text.clone()));
            }
            Some(_) => format!("`{}` is not a value of `{}`", shown(text), named.name),
            None => format!("`{}` has no default: it is no scalar or enum", named.name),
        },
        Type::Optional(_) => "a field with a default is never absent: remove the `?`".to_owned(),
        Type::Map { .. } => "a map has no default".to_owned(),
        Type::Ref(_) => "a reference has no default".to_owned(),
        Type::Resource(_) => "a resource has no default".to_owned(),
    };
    let help = match ty {
        Type::Scalar(scalar) => parse::default_help(scalar),
        Type::List { min: 0, .. } => "write `= []`, or remove the `=`".to_owned(),
        Type::Optional(_) => "remove the `?` or the `=`".to_owned(),
        _ => enum_values(checker, &field.ty.expr).map_or_else(|| "remove the `=`".to_owned(), parse::one_of),
    };
    checker.error("E313", &default.span, problem, help);
    None
}

fn scalar_default(scalar: &Scalar, text: &str) -> Result<model::Default, String> {
    parse::default_value(scalar, text)
}

/// The values of the enum that a type is: written in place, or named.
fn enum_values<'d>(checker: &Checker<'d>, expr: &'d TypeExpr) -> Option<&'d [Spanned<String>]> {
    match &expr.kind {
        TypeKind::Enum(values) => Some(values),
        TypeKind::Name(name) => match &checker.design.types.get(&name.name)?.kind {
            TypeDefKind::Enum(values) => Some(values),
            _ => None,
        },
        _ => None,
    }
}
