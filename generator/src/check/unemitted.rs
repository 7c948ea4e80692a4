//! What a design can mean and no blueprint emits yet: refused by name when a workspace is asked for (E001).

use crate::{
    design::{Body, Design, Fallback, Link, Operation, Transport, Via},
    diagnostic::Diagnostic,
    source::{Span, Spanned},
};

use super::items;

/// Everything in the design that would be parsed and then ignored.
pub fn refuse(design: &Design) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in design.services.values() {
        let operations = service.queries.values().chain(service.commands.values());
        operations.for_each(|own| operation(&mut found, own));
        let exposed =
            service.expose.iter().chain(service.commands.values().filter_map(|own| own.common.expose.as_ref()));
        let verbs = service.resources.values().flat_map(|own| own.settings.values());
        for list in exposed.chain(verbs.filter_map(|own| own.common.expose.as_ref())) {
            for queue in list.value.iter().filter(|item| item.value == Transport::Queue) {
                found.push(refused(&queue.span, "queued commands are"));
            }
        }
    }
    for own in &design.links {
        link(&mut found, design, own);
    }
    found
}

fn operation(found: &mut Vec<Diagnostic>, operation: &Operation) {
    let streams = matches!(&operation.output, Some(Spanned { value: Body::Named { stream: Some(_), .. }, .. }));
    if let Some(on) = operation.on.as_ref().filter(|_| streams) {
        found.push(refused(&on.span, "streams of events (`on` of a query that streams) are"));
    }
}

fn link(found: &mut Vec<Diagnostic>, design: &Design, link: &Link) {
    let target = &link.to.value;
    let to_event = target.name.starts_with(|c: char| c.is_ascii_uppercase());
    if !to_event && (target.owner.is_some() || !design.services.contains_key(&target.name)) {
        found.push(refused(&link.to.span, "links to one operation are"));
    } else if let Some(via) = link.via.as_ref().filter(|via| via.value == Via::Queue && !to_event) {
        found.push(refused(&via.span, "queued commands are"));
    }
    for fallback in items(&link.fallback).iter().filter(|fallback| fallback.value == Fallback::Queue) {
        found.push(refused(&fallback.span, "`fallback = \"queue\"` is"));
    }
    if let Some(batch) = &link.batch {
        found.push(refused(&batch.span, "`batch` is"));
    }
}

fn refused(span: &Span, what: &str) -> Diagnostic {
    Diagnostic::new("E001", span.clone(), format!("{what} not available yet")).help("leave it out for now")
}

#[cfg(test)]
mod tests {
    use crate::source::{Source, Sources};

    const DESIGN: &str = "
[system]
name = \"two\"

[services.a]
expose = [\"rest\"]

[services.a.queries.ask]
output = { text = \"string\" }

[services.b.commands.tell]
calls = [\"a.ask\"]
expose = [\"rest\"]
";

    fn refused(more: &str) -> Vec<String> {
        let text = format!("{DESIGN}{more}");
        let source = Source { path: "design.toml".into(), text: text.into(), location: "design.toml".into() };
        let found = crate::emittable(&Sources(vec![source])).err().unwrap_or_default();
        found.into_iter().map(|diagnostic| format!("{} {}", diagnostic.code, diagnostic.message)).collect()
    }

    #[test]
    fn what_would_be_ignored_is_refused_by_name() {
        assert_eq!(refused(""), [""; 0]);
        assert_eq!(
            refused("\n[links.b.\"a.ask\"]\nvia = \"rest\"\n"),
            ["E001 links to one operation are not available yet"]
        );
        assert_eq!(
            refused("\n[services.c]\nexpose = [\"queue\"]\n[services.c.commands.note]\n"),
            ["E001 queued commands are not available yet"]
        );
    }
}
