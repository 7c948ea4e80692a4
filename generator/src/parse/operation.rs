//! Commands and queries, and what the verbs of resources share with them.

use indexmap::IndexMap;

use super::{
    keys,
    reader::{At, Item, Reader, TableReader},
    route::route,
    tree::Node,
    types::body,
    values::{self, count, duration, line, mapping, name, reference, schedule, word},
};
use crate::{
    design::{
        Call, ErrorDeclaration, ErrorKind, List, Mapping, Operation, OperationSettings, Paging, Step, Transport, Was,
        Wire, Word,
    },
    diagnostic::{Diagnostic, nearest},
    source::Spanned,
};

/// Whose table it is: services and externals say different things about the same things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Service,
    /// With `openapi`, everything but `wire` comes from there.
    External {
        openapi: bool,
    },
}

pub(super) fn operation(reader: &mut Reader, item: Item, owner: Owner) -> Operation {
    let keys = match owner {
        Owner::Service => keys::OPERATION,
        Owner::External { .. } => keys::EXTERNAL_OPERATION,
    };
    let mut t = reader.open(item, keys);
    let mut operation = Operation {
        input: t.get("input", |reader, at, node| body(reader, at, node, true)),
        output: t.get("output", |reader, at, node| body(reader, at, node, true)),
        rest: t.get("rest", route),
        ..Operation::default()
    };
    match owner {
        Owner::Service => {
            operation.common = settings(&mut t);
            operation.of = t.get("of", reference);
            operation.on = references(&mut t, "on");
            operation.when = t.get("when", schedule);
            operation.steps =
                t.list("steps", "write a list: `[{ call = \"network.submit\", undo = \"network.cancel\" }]`", step);
            operation.since = t.get("since", count);
            operation.until = t.get("until", count);
            operation.was = t.versions("was", keys::OPERATION_WAS, |t| Was {
                input: t.get("input", |reader, at, node| body(reader, at, node, true)),
                output: t.get("output", |reader, at, node| body(reader, at, node, true)),
                map: t.get("map", mapping),
                ..Was::default()
            });
        }
        Owner::External { .. } => {
            operation.common = external_settings(&mut t);
            operation.wire = t.get("wire", wire);
            operation.map = t.get("map", mapping);
            operation.paging = t.get("paging", paging);
        }
    }
    operation.head = t.close();
    operation
}

/// What operations and verbs of services both say.
pub(super) fn settings(t: &mut TableReader<'_>) -> OperationSettings {
    let calls = t.list("calls", "write a list: `[\"inventory.reserve\"]`", call);
    OperationSettings {
        calls,
        emits: references(t, "emits"),
        expose: expose(t),
        allow: allow(t),
        ..external_settings(t)
    }
}

/// What operations and verbs of externals both say.
pub(super) fn external_settings(t: &mut TableReader<'_>) -> OperationSettings {
    OperationSettings {
        errors: errors(t),
        idempotent: t.get("idempotent", word),
        limit: t.get("limit", values::limit),
        slo: t.get("slo", values::slo),
        cache: t.get("cache", duration),
        ..OperationSettings::default()
    }
}

pub(super) fn expose(t: &mut TableReader<'_>) -> Option<List<Transport>> {
    distinct(t, "expose", "write a list: `[\"rest\", \"grpc\"]`", word)
}

pub(super) fn allow(t: &mut TableReader<'_>) -> Option<List<String>> {
    t.list("allow", "write a list: `[\"clerk\", \"customer if item.customer == caller.sub\"]`", name)
}

pub(super) fn references(t: &mut TableReader<'_>, key: &'static str) -> Option<List<crate::design::Reference>> {
    distinct(t, key, "write a list: `[\"OrderPlaced\"]`", reference)
}

/// A list in which nothing is twice.
pub(super) fn distinct<T: PartialEq>(
    t: &mut TableReader<'_>,
    key: &'static str,
    help: &str,
    item: impl FnMut(&mut Reader, At<'_>, Node) -> Option<Spanned<T>>,
) -> Option<List<T>> {
    let list = t.list(key, help, item)?;
    Some(without_repeats(t.reader, key, list))
}

pub(super) fn without_repeats<T: PartialEq>(reader: &mut Reader, key: &str, list: List<T>) -> List<T> {
    let mut once: Vec<Spanned<T>> = Vec::new();
    for item in list.value {
        match once.iter().find(|there| there.value == item.value) {
            Some(first) => {
                let diagnostic = Diagnostic::new("E111", item.span, format!("`{key}` says this twice"));
                reader.report(diagnostic.related(first.span.clone(), "first here").help("once is enough"));
            }
            None => once.push(item),
        }
    }
    Spanned::new(once, list.span)
}

/// `{ OutOfStock = "conflict with Shortage" }`
fn errors(t: &mut TableReader<'_>) -> IndexMap<String, ErrorDeclaration> {
    t.named("errors", "write a table: `{ OutOfStock = \"conflict\" }`", |reader, item| {
        let help = "write its kind in quotes, and what is sent along: `\"conflict\"`, `\"conflict with Shortage\"`";
        let mut declaration =
            ErrorDeclaration { name: item.name, description: item.description, kind: None, with: None };
        let Some(text) = values::raw(reader, &item.path, item.node, help) else { return declaration };
        let (kind, with) = match text.value.split_once(' ') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text.value.as_str(), None),
        };
        let words: Vec<&str> = ErrorKind::WORDS.iter().map(|(word, _)| *word).collect();
        declaration.kind = ErrorKind::from_word(kind).map(|value| Spanned::new(value, text.place(0, kind.len())));
        if declaration.kind.is_none() {
            let help = match nearest(kind, words.iter().copied()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("kinds are {}", super::reader::quoted(&words)),
            };
            let message = format!("`{kind}` is not a kind of error");
            reader.report(Diagnostic::new("E106", text.place(0, kind.len()), message).help(help));
        }
        if let Some(rest) = with {
            let record = rest.trim_start().strip_prefix("with ").map(str::trim);
            match record.and_then(values::reference_of) {
                Some(reference) => {
                    let start = text.value.len() - rest.len() + rest.rfind(&reference.to_string()).unwrap_or(0);
                    let end = start + reference.to_string().len();
                    declaration.with = Some(Spanned::new(reference, text.place(start, end)));
                }
                None => {
                    let message = format!("`{}` does not say what is sent along", text.value);
                    reader.report(Diagnostic::new("E108", text.span.clone(), message).help(help));
                }
            }
        }
        declaration
    })
}

/// `"inventory.reserve"` or `{ call, with }`
fn call(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Call>> {
    if !matches!(node, Node::Table(_)) {
        let call = reference(reader, at, node)?;
        let span = call.span.clone();
        return Some(Spanned::new(Call { call, with: Mapping::new() }, span));
    }
    let call = reader.table(at, node, keys::CALL, "", |t| {
        let call = t.required("call", "say what is called: `call = \"inventory.reserve\"`", reference);
        let with = t.get("with", mapping).map_or_else(Mapping::new, |with| with.value);
        call.map(|call| Call { call, with })
    })?;
    Some(Spanned::new(call.value?, call.span))
}

/// `{ call, with, undo, timeout }`
fn step(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Step>> {
    let help = "write a table: `{ call = \"network.submit\", undo = \"network.cancel\" }`";
    let step = reader.table(at, node, keys::STEP, help, |t| {
        let call = t.required("call", "say what is called: `call = \"network.submit\"`", reference);
        let with = t.get("with", mapping).map_or_else(Mapping::new, |with| with.value);
        let (undo, timeout) = (t.get("undo", reference), t.get("timeout", duration));
        call.map(|call| Step { call, with, undo, timeout })
    })?;
    Some(Spanned::new(step.value?, step.span))
}

/// What an external calls it: a name, or a table with more.
pub(super) fn wire(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Wire>> {
    if !matches!(node, Node::Table(_)) {
        let name = name(reader, at, node)?;
        let span = name.span.clone();
        return Some(Spanned::new(Wire { name: Some(name), ..Wire::default() }, span));
    }
    reader.table(at, node, keys::WIRE, "", |t| Wire {
        name: t.required("name", "say what it is called there: `name = \"orders-*.csv\"`", name),
        separator: t.get("separator", separator),
        encoding: t.get("encoding", name),
    })
}

fn separator(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<String>> {
    let text = line(reader, at, node)?;
    if text.value.chars().count() != 1 {
        let message = format!("`{}` is not one character", text.value);
        reader.report(Diagnostic::new("E108", text.span, message).help("write one character: `\";\"`"));
        return None;
    }
    Some(text)
}

pub(super) fn paging(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Paging>> {
    let help = "write a table: `{ style = \"cursor\", send = \"after\", read = \"next\", items = \"data\" }`";
    reader.table(at, node, keys::PAGING, help, |t| Paging {
        style: t.required("style", "say how it cuts lists: `style = \"cursor\"`", word),
        send: t.get("send", name),
        read: t.get("read", name),
        items: t.get("items", name),
    })
}
