//! Links and their policies.

use super::{
    keys,
    operation::without_repeats,
    reader::{At, Item, Reader, TableReader},
    tree::Node,
    values::{self, batch, boolean, count, duration, rate, ratio, word},
};
use crate::{
    design::{Breaker, Link, Needs, Retry, Slo},
    diagnostic::Diagnostic,
    source::Spanned,
};

/// `[links.A.B]`
pub(super) fn links(t: &mut TableReader<'_>) -> Vec<Link> {
    let help = "links have names: write `[links.orders.inventory]`";
    let sides = t.named("links", help, |reader, side: Item| {
        let from = side.name;
        let items = reader.items(&side.path, side.node, help);
        reader.incomplete |= items.is_none();
        let items = items.unwrap_or_default().into_iter();
        items.filter_map(|item| link(reader, &from, item)).collect::<Vec<_>>()
    });
    sides.into_values().flatten().collect()
}

fn link(reader: &mut Reader, from: &Spanned<String>, item: Item) -> Option<Link> {
    let Some(to) = values::reference_of(&item.name.value) else {
        let message = format!("`{}` is not a name", item.name.value);
        let help =
            "a link is to a service, an external, an event or one operation: `[links.orders.\"inventory.restock\"]`";
        reader.report(Diagnostic::new("E108", item.name.span, message).help(help));
        return None;
    };
    let to = Spanned::new(to, item.name.span.clone());
    let mut t = reader.open(item, keys::LINK);
    Some(Link {
        from: from.clone(),
        to,
        via: t.get("via", word),
        needs: t.get("needs", needs),
        timeout: t.get("timeout", duration),
        retry: t.get("retry", retry),
        breaker: t.get("breaker", breaker),
        bulkhead: t.get("bulkhead", count),
        fallback: t
            .one_or_more("fallback", "write one, or a list: `[\"cache\", \"default\"]`", word)
            .map(|list| without_repeats(t.reader, "fallback", list)),
        delivery: t.get("delivery", word),
        dead_letter: t.get("dead_letter", boolean),
        start: t.get("start", word),
        batch: t.get("batch", batch),
        slo: t.table("slo", keys::LINK_SLO, "write a table: `{ lag = \"10s\" }`", |t| Slo {
            lag: t.get("lag", duration),
            ..Slo::default()
        }),
        head: t.close(),
    })
}

fn needs(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Needs>> {
    let help = "write a table: `{ answer = \"now\", latency = \"50ms\" }`";
    reader.table(at, node, keys::NEEDS, help, |t| Needs {
        answer: t.get("answer", word),
        latency: t.get("latency", duration),
        rate: t.get("rate", rate),
        consistency: t.get("consistency", word),
        order: t.get("order", boolean),
        replay: t.get("replay", boolean),
        readers: t.get("readers", count),
    })
}

pub(super) fn retry(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Retry>> {
    let help = "write a table: `{ attempts = 3, backoff = \"50ms..1s\" }`; `{ attempts = 1 }` does not retry";
    reader.table(at, node, keys::RETRY, help, |t| Retry {
        attempts: t.get("attempts", count),
        backoff: t.get("backoff", values::range),
    })
}

pub(super) fn breaker(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Breaker>> {
    if let Node::Boolean(boolean) = &node
        && !boolean.value
    {
        return Some(Spanned::new(Breaker::Off, boolean.span.clone()));
    }
    let help = "write `false`, or a table: `{ failure_rate = 0.5, window = 20, open_for = \"10s\" }`";
    reader.table(at, node, keys::BREAKER, help, |t| Breaker::On {
        failure_rate: t.get("failure_rate", ratio),
        window: t.get("window", count),
        open_for: t.get("open_for", duration),
    })
}
