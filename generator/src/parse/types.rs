//! Type expressions (LANGUAGE §3): what the string of a field, an input, an output or an entry of `[types]` says.

use super::{
    reader::{At, Item, Reader, key, quoted},
    tree::{Node, Text},
    values,
};
use crate::{
    design::{Body, Field, FieldType, Fields, Head, Mark, TypeDef, TypeDefKind, TypeExpr, TypeKind, Word},
    diagnostic::{Diagnostic, nearest},
    source::{Span, Spanned},
};

mod atom;
mod bounds;
mod default;
mod foreign;
mod pattern;
mod scan;

pub use default::{default_help, default_value, one_of};
use scan::Scan;

/// How many words after a type are looked at.
const MOST_WORDS: usize = 10;
/// How many records a union may be of.
const MOST_VARIANTS: usize = 1000;

/// Where a field stands, which decides what it may be marked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Resource,
    /// A record, an input, an output, a payload.
    Record,
    /// A scalar of `[types]`.
    Named,
}

/// What is wrong was reported; there is nothing more to say about this string.
pub(super) struct Reported;

/// The fields of a table.
pub(super) fn fields(reader: &mut Reader, at: At<'_>, node: Node, place: Place) -> Option<Spanned<Fields>> {
    let span = node.span().clone();
    let items = reader.items(at, node, "write a table: `{ name = \"string\" }`")?;
    let fields = items.into_iter().map(|item| (item.name.value.clone(), field(reader, item, place)));
    Some(Spanned::new(fields.collect(), span))
}

fn field(reader: &mut Reader, item: Item, place: Place) -> Field {
    let ty = match item.node {
        Node::Table(table) => {
            let name = camel(&item.name.value);
            let help = format!("give it a name: `[types.{name}]`, then `{} = \"{name}\"`", item.name.value);
            reader.report(Diagnostic::new("E303", table.span.clone(), "a record inside a record").help(help));
            broken(table.span)
        }
        node => {
            let span = node.span().clone();
            let help = "write a type in quotes: `\"string\"`";
            let text = values::raw(reader, &item.path, node, help);
            text.map_or_else(|| broken(span), |text| field_type(reader, &text, place))
        }
    };
    Field { name: item.name, description: item.description, ty }
}

fn broken(span: Span) -> FieldType {
    FieldType { expr: TypeExpr { kind: TypeKind::Broken, span }, marks: Vec::new(), default: None }
}

/// `type {mark} ["= " default]`
fn field_type(reader: &mut Reader, text: &Text, place: Place) -> FieldType {
    let reported = reader.diagnostics.len();
    let mut scan = Scan::new(reader, text);
    let parsed = atom::expression(&mut scan, 0).and_then(|expr| rest(&mut scan, expr, place));
    if foreign(reader, text, reported, |ours| format!("write `{ours}`")) {
        return broken(text.span.clone());
    }
    parsed.unwrap_or_else(|Reported| broken(text.span.clone()))
}

/// Where a text is a type in the notation of another language, says so in place of what was reported of it.
fn foreign(reader: &mut Reader, text: &Text, reported: usize, help: impl FnOnce(&str) -> String) -> bool {
    if reader.diagnostics.len() == reported {
        return false;
    }
    let ours = foreign::notation(&text.value).filter(|ours| is_type(reader, ours));
    let Some(ours) = ours else { return false };
    reader.diagnostics.truncate(reported);
    let message = format!("`{}` is not how types are written here", text.value.trim());
    reader.report(Diagnostic::new("E302", text.span.clone(), message).help(help(&ours)));
    true
}

/// Whether nothing is wrong with a type as it is written.
fn is_type(reader: &mut Reader, written: &str) -> bool {
    let text = Text { value: written.to_owned(), span: Span::default(), runs: Vec::new() };
    let mut apart = Reader { type_names: std::mem::take(&mut reader.type_names), ..Reader::default() };
    let mut scan = Scan::new(&mut apart, &text);
    let parsed = atom::expression(&mut scan, 0).and_then(|expr| rest(&mut scan, expr, Place::Resource));
    let is_type = parsed.is_ok() && apart.diagnostics.is_empty();
    reader.type_names = apart.type_names;
    is_type
}

/// What follows a type: marks, and a default.
fn rest(scan: &mut Scan<'_>, expr: TypeExpr, place: Place) -> Result<FieldType, Reported> {
    let mut marks: Vec<Spanned<Mark>> = Vec::new();
    let ty = scan.slice(0..scan.at).trim();
    for _ in 0..MOST_WORDS {
        scan.space();
        let start = scan.at;
        let word = scan.word();
        if !word.is_empty() {
            if let Some(mark) = mark(scan, ty, start, &marks, place) {
                marks.push(mark);
            }
            continue;
        }
        match scan.peek() {
            None => return Ok(FieldType { expr, marks, default: None }),
            Some('=') => {
                scan.eat("=");
                let default = default::given(scan, &expr)?;
                return Ok(FieldType { expr, marks, default });
            }
            Some('|') => {
                let help = "a union has a name: put it into `[types]`, and that name here";
                return scan.fail("E316", scan.at..scan.at + 1, "a union inside a field", help);
            }
            Some('<') => {
                let help =
                    "of types only `map<…>` is made of others; a list is `Line[]`, and what may be absent `Line?`";
                return scan.expected("a mark or `= default`", help);
            }
            Some('?' | '[') => {
                return scan
                    .expected("a mark or `= default`", "write `?` and `[]` right after the type: `string?`, `Line[]`");
            }
            Some(_) => {
                return scan
                    .expected("a mark or `= default`", "marks are `pii`, `secret`, `unique`, `readonly` and `fixed`");
            }
        }
    }
    scan.expected("the end", "marks are `pii`, `secret`, `unique`, `readonly` and `fixed`")
}

/// The word from `start` on, behind a type that was written so.
fn mark(scan: &mut Scan<'_>, ty: &str, start: usize, there: &[Spanned<Mark>], place: Place) -> Option<Spanned<Mark>> {
    if scan.slice(start..scan.at) == "not" {
        scan.space();
        scan.word();
    }
    let (word, span) = (scan.slice(start..scan.at), scan.span(start..scan.at));
    let words: Vec<&str> = Mark::WORDS.iter().map(|(word, _)| *word).collect();
    let Some(mark) = Mark::from_word(word) else {
        let help = match (word.to_ascii_lowercase().as_str(), nearest(word, words.iter().copied())) {
            ("required" | "mandatory" | "not_null" | "not null" | "nonnull", _) => {
                format!("write `{}`: what has no `?` is required", ty.trim_end_matches('?'))
            }
            ("optional" | "nullable" | "null", _) => format!("write `{}?`", ty.trim_end_matches('?')),
            (_, Some(word)) => format!("did you mean `{word}`?"),
            (_, None) => format!("marks are {}", quoted(&words)),
        };
        scan.report(Diagnostic::new("E312", span, format!("`{word}` is not a mark")).help(help));
        return None;
    };
    if let Some(first) = there.iter().find(|there| there.value == mark) {
        let diagnostic = Diagnostic::new("E312", span, format!("`{word}` is there twice"));
        scan.report(diagnostic.related(first.span.clone(), "first here").help("once is enough"));
        return None;
    }
    let only_resources = matches!(mark, Mark::Unique | Mark::Readonly | Mark::Fixed);
    if only_resources && place != Place::Resource {
        let message = format!("`{word}` is for the fields of resources");
        scan.report(
            Diagnostic::new("E312", span, message).help("remove it here; in a resource, write it at the field"),
        );
        return None;
    }
    Some(Spanned::new(mark, span))
}

/// An input, output or payload: a name, `stream` and a name where that may be, or a table of fields.
pub(super) fn body(reader: &mut Reader, at: At<'_>, node: Node, may_stream: bool) -> Option<Spanned<Body>> {
    if matches!(node, Node::Table(_)) {
        let fields = fields(reader, at, node, Place::Record)?;
        return Some(Spanned::new(Body::Fields(fields.value), fields.span));
    }
    let text = values::raw(reader, at, node, "write a record's name, or its fields: `{ order_id = \"uuid\" }`")?;
    let reported = reader.diagnostics.len();
    let body = body_text(&mut Scan::new(reader, &text), key(at), may_stream);
    let help = |ours: &str| match ours.bytes().all(|b| b.is_ascii_alphanumeric()) {
        true => format!("write `{} = \"{ours}\"`", key(at)),
        false => format!("give it a name: `{} = {{ value = \"{ours}\" }}`", key(at)),
    };
    foreign(reader, &text, reported, help);
    Some(Spanned::new(body.unwrap_or(Body::Broken), text.span))
}

fn body_text(scan: &mut Scan<'_>, key: &str, may_stream: bool) -> Result<Body, Reported> {
    scan.space();
    let start = scan.at;
    let stream = scan.keyword("stream").then(|| scan.span(start..start + "stream".len()));
    if let (Some(_), false) = (&stream, may_stream) {
        let help = "only an `input` or `output` can be a stream";
        return scan.fail("E305", start..scan.at, &format!("`stream` in a `{key}`"), help);
    }
    scan.space();
    let start = scan.at;
    let expr = atom::expression(scan, 0)?;
    let written = scan.slice(start..scan.at);
    scan.space();
    if scan.peek() == Some('|') {
        let help = format!("give the union a name in `[types]`; then `{key} = \"stream <name>\"` can carry it");
        return scan.fail("E316", scan.at..scan.at + 1, &format!("a union inside `{key}`"), &help);
    }
    if scan.peek().is_some() {
        return scan.expected("the end", &format!("`{key}` is a name alone; marks and defaults are for fields"));
    }
    match expr.kind {
        TypeKind::Name(name) => Ok(Body::Named { stream, name: Spanned::new(name, expr.span) }),
        TypeKind::Broken => Ok(Body::Broken),
        kind => {
            let name = if matches!(kind, TypeKind::List { .. }) { "items" } else { "value" };
            let help = match stream {
                Some(_) => "a stream carries records or unions, one after another: name one in `[types]`".to_owned(),
                None => format!("name it, so it can grow: `{key} = {{ {name} = \"{written}\" }}`"),
            };
            scan.report(Diagnostic::new("E308", expr.span, format!("{key} `{written}` is not a record")).help(help));
            Ok(Body::Broken)
        }
    }
}

/// An entry of `[types]`.
pub(super) fn type_def(reader: &mut Reader, item: Item) -> TypeDef {
    let Item { name, description, path, node } = item;
    let mut head = Head { name, ..Head::default() };
    head.docs.description = description;
    let kind = match node {
        Node::Table(_) => fields(reader, &path, node, Place::Record).map(|fields| TypeDefKind::Record(fields.value)),
        node => {
            head.not_a_table = !matches!(node, Node::Text(_));
            let help = "write fields, or a union, enum or scalar in quotes: `\"enum(eur, usd)\"`";
            values::raw(reader, &path, node, help).and_then(|text| {
                let reported = reader.diagnostics.len();
                let named = named(&mut Scan::new(reader, &text), &head.name.value).ok();
                foreign(reader, &text, reported, |ours| format!("write `{ours}`"));
                named
            })
        }
    };
    TypeDef { head, kind: kind.unwrap_or(TypeDefKind::Broken) }
}

/// A union, a named enum, a named scalar.
fn named(scan: &mut Scan<'_>, name: &str) -> Result<TypeDefKind, Reported> {
    let expr = atom::expression(scan, 0)?;
    scan.space();
    if scan.peek() == Some('|') {
        return union(scan, expr);
    }
    let whole = expr.span.clone();
    let ty = rest(scan, expr, Place::Named)?;
    if let Some(default) = ty.default {
        let help = format!("write it where `{name}` is used: `\"{name} = {}\"`", default.value);
        scan.report(Diagnostic::new("E313", default.span, "a default belongs to a field").help(help));
        return Err(Reported);
    }
    let alone = |scan: &mut Scan<'_>, what: &str, help: &str| {
        scan.report(
            Diagnostic::new("E316", whole.clone(), format!("`{name}` would only be another name for {what}"))
                .help(help),
        );
        Err(Reported)
    };
    match &ty.expr.kind {
        TypeKind::Broken => Err(Reported),
        TypeKind::Scalar(_) => Ok(TypeDefKind::Scalar(ty)),
        TypeKind::Enum(values) => match ty.marks.first() {
            None => Ok(TypeDefKind::Enum(values.clone())),
            Some(mark) => {
                let message = format!("`{}` belongs to the fields that use `{name}`", mark.value.word());
                scan.report(
                    Diagnostic::new("E312", mark.span.clone(), message)
                        .help("remove it here and write it at the field"),
                );
                Ok(TypeDefKind::Enum(values.clone()))
            }
        },
        TypeKind::Name(other) => alone(scan, &format!("`{other}`"), "use that name, or give this one its own fields"),
        TypeKind::Ref(_) => alone(scan, "a reference", "write the reference at the field"),
        TypeKind::List { .. } => {
            alone(scan, "a list", "write `[]` at the field, or make it a record with a list in it")
        }
        TypeKind::Optional(_) => alone(scan, "something optional", "write `?` at the field"),
        TypeKind::Map { .. } => {
            alone(scan, "a map", "write the map at the field, or make it a record with a map in it")
        }
    }
}

fn union(scan: &mut Scan<'_>, first: TypeExpr) -> Result<TypeDefKind, Reported> {
    let mut variants = Vec::new();
    let (mut start, mut next) = (0, first);
    loop {
        if variants.len() == MOST_VARIANTS {
            let message = format!("a union of more than {MOST_VARIANTS} records");
            return scan.fail("E317", start..scan.at, &message, "group them");
        }
        match next.kind {
            TypeKind::Name(name) => {
                let first = variants.iter().find(|there: &&Spanned<crate::design::Reference>| there.value == name);
                if let Some(first) = first {
                    let diagnostic = Diagnostic::new("E317", next.span, format!("`{name}` is in the union twice"));
                    scan.report(diagnostic.related(first.span.clone(), "first here").help("remove one of them"));
                } else {
                    variants.push(Spanned::new(name, next.span));
                }
            }
            TypeKind::Broken => {}
            _ => {
                let message = format!("`{}` cannot be in a union", scan.slice(start..scan.at).trim());
                let help = "a union is of records: put it into one, and name that here";
                scan.report(Diagnostic::new("E316", next.span, message).help(help));
            }
        }
        scan.space();
        if scan.peek().is_none() {
            return if variants.len() < 2 { Err(Reported) } else { Ok(TypeDefKind::Union(variants)) };
        }
        if !scan.eat("|") {
            return scan.expected("`|` or the end", "a union is names with `|` between them; marks are for fields");
        }
        start = scan.at;
        next = atom::expression(scan, 0)?;
    }
}

/// `ship_to` to `ShipTo`, for suggestions.
fn camel(name: &str) -> String {
    let upper = |part: &str| {
        let mut chars = part.chars();
        chars.next().map(char::to_uppercase).into_iter().flatten().chain(chars).collect::<String>()
    };
    name.split('_').map(upper).collect()
}
