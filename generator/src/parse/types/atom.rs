//! One type of a type expression: scalars with their bounds, names, references, enums, maps, lists, optionals.

use super::{
    Reported, Scan,
    bounds::{bounds, digits, integer_bounds, list_bounds},
    foreign, pattern,
};
use crate::{
    design::{TypeExpr, TypeKind},
    diagnostic::{Diagnostic, nearest},
    model::Scalar,
    parse::values::reference_of,
    source::Spanned,
};

/// How many of `[]`, `?` and `map<…>` may be around each other.
const DEEPEST: usize = 8;

/// How many values an enum may have.
const MOST_VALUES: usize = 1000;
/// How many names are looked at for a suggestion.
const MOST_COMPARED: usize = 200;

const REF: &str = "write its name: `ref Product`, `ref catalogue.Product`";

pub(super) const SCALARS: [&str; 14] = [
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

/// A type: an atom and what is behind it, read left to right. `depth` counts what is around it.
pub(super) fn expression(scan: &mut Scan<'_>, depth: usize) -> Result<TypeExpr, Reported> {
    scan.space();
    let start = scan.at;
    let mut expr = atom(scan, depth)?;
    for level in depth.. {
        let suffix = scan.at;
        let kind = if scan.eat("?") {
            if matches!(expr.kind, TypeKind::Optional(_)) {
                return scan.fail("E302", suffix..scan.at, "it is optional already", "one `?` is enough");
            }
            TypeKind::Optional(Box::new(expr))
        } else if scan.eat("[") {
            let (min, max) = list_bounds(scan, suffix)?;
            TypeKind::List { item: Box::new(expr), min, max }
        } else {
            break;
        };
        if level >= DEEPEST {
            return scan.fail("E318", start..scan.at, "a type this deep", "give the inner part a name: `[types.…]`");
        }
        expr = TypeExpr { kind, span: scan.span(start..scan.at) };
    }
    Ok(expr)
}

fn atom(scan: &mut Scan<'_>, depth: usize) -> Result<TypeExpr, Reported> {
    if depth >= DEEPEST {
        return scan.fail("E318", 0..scan.at, "a type this deep", "give the inner part a name: `[types.…]`");
    }
    let start = scan.at;
    if scan.keyword("ref") {
        return reference(scan, start);
    }
    if scan.keyword("stream") {
        let help = "only a whole `input` or `output` can be a stream";
        return scan.fail("E305", start..scan.at, "`stream` inside a field", help);
    }
    let mut word = scan.word();
    // `catalogue.Product`, but not the `..` of bounds.
    let dot = scan.at;
    if !word.is_empty() && scan.eat(".") {
        if scan.word().is_empty() {
            scan.at = dot;
        }
        word = scan.slice(start..scan.at);
    }
    let kind = match word {
        "" => return scan.expected("a type", "for example `string`, `u32`, `Money`, `Line[]`, `enum(a, b)`"),
        "ref" => return scan.expected("a resource", REF),
        "enum" => enumeration(scan)?,
        "map" => map(scan, start, depth)?,
        word if SCALARS.contains(&word) => scalar(scan, word, start)?,
        word => name(scan, word, start),
    };
    Ok(TypeExpr { kind, span: scan.span(start..scan.at) })
}

fn reference(scan: &mut Scan<'_>, start: usize) -> Result<TypeExpr, Reported> {
    scan.space();
    let name_start = scan.at;
    let name = scan.take_while(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let span = scan.span(name_start..scan.at);
    match reference_of(name) {
        Some(name) => Ok(TypeExpr { kind: TypeKind::Ref(Spanned::new(name, span)), span: scan.span(start..scan.at) }),
        None => {
            scan.at = name_start;
            scan.expected("a resource", REF)
        }
    }
}

/// A name of the design: it begins with a capital, or has an owner.
fn name(scan: &mut Scan<'_>, word: &str, start: usize) -> TypeKind {
    let plain = word.to_ascii_lowercase();
    let known = scan.reader.type_names.contains(word);
    let foreign = foreign::scalar(&plain, None);
    let scalar = SCALARS.iter().copied().find(|scalar| *scalar == plain);
    let is_name =
        word.starts_with(char::is_alphabetic) && (word.contains('.') || !word.starts_with(char::is_lowercase));
    if known || is_name && foreign.is_none() && scalar.is_none() {
        return reference_of(word).map_or(TypeKind::Broken, TypeKind::Name);
    }
    let span = scan.span(start..scan.at);
    let bounds = behind(scan, foreign.is_some());
    let near = || {
        if scan.reader.is_full() {
            return None;
        }
        let names = scan.reader.type_names.iter().take(MOST_COMPARED).map(String::as_str);
        nearest(word, SCALARS.into_iter().chain(["enum", "map"]).chain(names)).map(str::to_owned)
    };
    let meant = scalar.map(str::to_owned).or_else(|| foreign::scalar(&plain, bounds)).or_else(near);
    let help = match meant {
        _ if foreign::is_nothing(word) => "what may be absent has a `?` behind its type: `string?`".to_owned(),
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("scalars are {}; names of types begin with a capital", crate::parse::reader::quoted(&SCALARS)),
    };
    scan.report(Diagnostic::new("E301", span, format!("`{word}` is not a type")).help(help));
    TypeKind::Broken
}

/// What stands in round brackets behind the name of a scalar of others. It has had its say with the name.
fn behind<'t>(scan: &mut Scan<'t>, is_scalar: bool) -> Option<&'t str> {
    let open = scan.at;
    if !is_scalar || !scan.eat("(") {
        return None;
    }
    let inner = scan.take_while(|c| c != ')');
    if !scan.eat(")") {
        scan.at = open;
        return None;
    }
    Some(inner.trim())
}

/// `(a, b)`
fn enumeration(scan: &mut Scan<'_>) -> Result<TypeKind, Reported> {
    const HELP: &str = "write the values in round brackets: `enum(open, closed)`";
    if !scan.eat("(") {
        return scan.expected("`(`", HELP);
    }
    let mut values: Vec<Spanned<String>> = Vec::new();
    loop {
        scan.space();
        if values.is_empty() && scan.peek() == Some(')') {
            return scan.fail("E317", scan.at..scan.at + 1, "an enum of nothing", HELP);
        }
        if values.len() == MOST_VALUES {
            let message = format!("an enum of more than {MOST_VALUES} values");
            return scan.fail("E317", scan.at..scan.at, &message, "is it a resource?");
        }
        let start = scan.at;
        let value = scan.take_while(|c| !c.is_whitespace() && !matches!(c, ',' | '(' | ')' | '|' | '='));
        if value.is_empty() {
            return scan.expected("a value", HELP);
        }
        let value = Spanned::new(value.to_owned(), scan.span(start..scan.at));
        match values.iter().find(|there| there.value == value.value) {
            Some(first) => {
                let diagnostic = Diagnostic::new("E317", value.span, format!("`{}` is in the enum twice", value.value));
                scan.report(diagnostic.related(first.span.clone(), "first here").help("remove one of them"));
            }
            None => values.push(value),
        }
        scan.space();
        if scan.eat(")") {
            return Ok(TypeKind::Enum(values));
        }
        if !scan.eat(",") {
            return scan.expected("`,` or `)`", HELP);
        }
    }
}

/// `<type>`, `<key, type>`
fn map(scan: &mut Scan<'_>, start: usize, depth: usize) -> Result<TypeKind, Reported> {
    const HELP: &str = "write `map<u32>`, or with a key `map<uuid, u32>`";
    if !scan.eat("<") {
        return scan.expected("`<`", HELP);
    }
    let first = expression(scan, depth + 1)?;
    scan.space();
    let (key, value) = if scan.eat(",") { (Some(first), expression(scan, depth + 1)?) } else { (None, first) };
    scan.space();
    if !scan.eat(">") {
        let help = format!("write `{}>`", scan.slice(start..scan.at).trim_end());
        return scan.expected("`>`", &help);
    }
    let wrong = key.as_ref().and_then(|key| match &key.kind {
        TypeKind::Name(_) | TypeKind::Enum(_) | TypeKind::Broken => None,
        TypeKind::Scalar(scalar) if *scalar == Scalar::String { min: 0, max: None, pattern: None } => None,
        TypeKind::Scalar(Scalar::Uuid | Scalar::Date) => None,
        TypeKind::Scalar(scalar)
            if ["i32", "i64", "u32", "u64"].iter().any(|name| unbounded(name).as_ref() == Some(scalar)) =>
        {
            None
        }
        TypeKind::Scalar(
            Scalar::String { .. } | Scalar::I32 { .. } | Scalar::I64 { .. } | Scalar::U32 { .. } | Scalar::U64 { .. },
        ) => Some((key, "a key has no bounds", "write the bare type; bounds belong to values")),
        _ => Some((key, "a key must be a string, integer, uuid, date or enum", "use a list of records")),
    });
    if let Some((key, why, help)) = wrong {
        let message = format!("`{}`: {why}", scan.slice(start..scan.at));
        scan.report(Diagnostic::new("E304", key.span.clone(), message).help(help));
        return Ok(TypeKind::Broken);
    }
    Ok(TypeKind::Map { key: key.map(Box::new), value: Box::new(value) })
}

/// A scalar as it is without bounds.
fn unbounded(name: &str) -> Option<Scalar> {
    Some(match name {
        "string" => Scalar::String { min: 0, max: None, pattern: None },
        "bool" => Scalar::Bool,
        "i32" => Scalar::I32 { min: i32::MIN, max: i32::MAX },
        "i64" => Scalar::I64 { min: i64::MIN, max: i64::MAX },
        "u32" => Scalar::U32 { min: 0, max: u32::MAX },
        "u64" => Scalar::U64 { min: 0, max: u64::MAX },
        "f64" => Scalar::F64 { min: None, max: None },
        "decimal" => Scalar::Decimal { precision: 18, scale: 4 },
        "uuid" => Scalar::Uuid,
        "timestamp" => Scalar::Timestamp,
        "date" => Scalar::Date,
        "duration" => Scalar::Duration,
        "bytes" => Scalar::Bytes,
        "json" => Scalar::Json,
        _ => return None,
    })
}

/// A scalar from behind its name on.
fn scalar(scan: &mut Scan<'_>, word: &str, start: usize) -> Result<TypeKind, Reported> {
    let Some(mut scalar) = unbounded(word) else { return Ok(TypeKind::Broken) };
    let open = scan.at;
    if scan.eat("(") {
        match &mut scalar {
            Scalar::String { min, max, .. } => {
                let given = bounds(scan, ")", open, "write lengths: `string(1..64)`")?;
                (*min, *max) = (given.0.unwrap_or(0), given.1);
                if given.1 == Some(0) {
                    return scan.fail(
                        "E314",
                        open..scan.at,
                        "a string of nothing",
                        "it has room for one character at least",
                    );
                }
            }
            Scalar::I32 { min, max } => integer_bounds(scan, open, min, max)?,
            Scalar::I64 { min, max } => integer_bounds(scan, open, min, max)?,
            Scalar::U32 { min, max } => integer_bounds(scan, open, min, max)?,
            Scalar::U64 { min, max } => integer_bounds(scan, open, min, max)?,
            Scalar::F64 { min, max } => (*min, *max) = bounds(scan, ")", open, "write both ends: `f64(0..1)`")?,
            Scalar::Decimal { precision, scale } => {
                let Some(given) = digits(scan, start)? else { return Ok(TypeKind::Broken) };
                (*precision, *scale) = given;
            }
            _ => {
                let message = format!("`{word}` has no bounds");
                return scan.fail("E314", open..scan.at, &message, &format!("write `{word}`"));
            }
        }
    }
    if let Scalar::String { pattern, .. } = &mut scalar {
        let here = scan.at;
        scan.space();
        match scan.peek() {
            Some('/') => *pattern = Some(pattern::read(scan)?),
            _ => scan.at = here,
        }
    }
    Ok(TypeKind::Scalar(scalar))
}
