//! Services and their feeds.

use super::{
    keys,
    operation::{Owner, allow, distinct, expose, operation},
    reader::{At, Item, Reader, TableReader},
    resource::{event, resource},
    tree::Node,
    values::{self, batch, boolean, count, date, limit, mapping, name, schedule, share, slo, word},
};
use crate::{
    design::{Auth, Endpoint, Feed, FeedWhen, GraphqlLimits, List, OldVersion, Rollout, Service},
    diagnostic::Diagnostic,
    source::Spanned,
};

pub(super) fn service(reader: &mut Reader, item: Item) -> Service {
    let mut t = reader.open(item, keys::SERVICE);
    let own = Owner::Service;
    Service {
        team: t.get("team", name),
        expose: expose(&mut t),
        fronts: distinct(&mut t, "fronts", "write a list: `[\"catalogue\", \"orders\"]`", name)
            .map_or_else(Vec::new, |list| list.value),
        store: t.get("store", word),
        broker: t.get("broker", word),
        auth: auth(&mut t),
        allow: allow(&mut t),
        limit: t.get("limit", limit),
        quota: t.get("quota", limit),
        slo: t.get("slo", slo),
        cors: distinct(&mut t, "cors", "write a list of origins: `[\"https://shop.example\"]`", name),
        graphql: t.table("graphql", keys::GRAPHQL, "write a table: `{ depth = 8 }`", |t| GraphqlLimits {
            depth: t.get("depth", count),
            complexity: t.get("complexity", count),
            batch: t.get("batch", count),
            aliases: t.get("aliases", count),
            directives: t.get("directives", count),
            introspection: t.get("introspection", boolean),
        }),
        versioning: t.get("versioning", word),
        old: t.versions("old", keys::OLD_VERSION, |t| OldVersion {
            deprecated: t.get("deprecated", date),
            sunset: t.get("sunset", date),
        }),
        replaces: t.get("replaces", name),
        rollout: t.table("rollout", keys::ROLLOUT, "write a table: `{ share = 10 }`", |t| Rollout {
            share: t.get("share", share),
            header: t.get("header", name),
            shadow: t.get("shadow", boolean),
        }),
        commands: t.named("commands", COMMANDS, |reader, item| operation(reader, item, own)),
        queries: t.named("queries", QUERIES, |reader, item| operation(reader, item, own)),
        resources: t.named("resources", RESOURCES, |reader, item| resource(reader, item, own)),
        events: t.named("events", EVENTS, |reader, item| event(reader, item, own)),
        feeds: t.named("feeds", "feeds have names: write `[services.orders.feeds.to_crm]`", feed),
        head: t.close(),
    }
}

pub(super) const COMMANDS: &str = "commands have names: write `[services.orders.commands.cancel]`";
pub(super) const QUERIES: &str = "queries have names: write `[services.orders.queries.open]`";
pub(super) const RESOURCES: &str = "resources have names: write `[services.orders.resources.Order]`";
pub(super) const EVENTS: &str = "events have names: write `[services.orders.events.OrderPlaced]`";

pub(super) fn auth(t: &mut TableReader<'_>) -> Option<List<Auth>> {
    distinct(t, "auth", "write a list: `[\"oidc\"]`", word)
}

fn feed(reader: &mut Reader, item: Item) -> Feed {
    const FROM: &str = "say where it comes from: a resource, an event, a query, or `\"file:imports/x.csv\"`";
    const TO: &str = "say where it goes: a resource, an event, or `\"file:exports/x-{date}.csv\"`";
    const WHEN: &str = "say when: `\"changes\"`, `\"every 5m\"` or five cron fields";
    let mut t = reader.open(item, keys::FEED);
    Feed {
        from: t.required("from", FROM, endpoint),
        to: t.required("to", TO, endpoint),
        when: t.required("when", WHEN, feed_when),
        map: t.get("map", mapping),
        key: t.one_or_more("key", "write a field, or a list of fields: `[\"country\", \"number\"]`", name),
        cursor: t.get("cursor", name),
        both: t.get("both", boolean),
        conflict: t.get("conflict", word),
        reconcile: t.get("reconcile", schedule),
        raw: t.get("raw", boolean),
        batch: t.get("batch", batch),
        samples: t.get("samples", name),
        head: t.close(),
    }
}

fn endpoint(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Endpoint>> {
    if let Node::Text(text) = &node
        && text.value.starts_with("file:")
    {
        let file = name(reader, at, node)?;
        let path = file.value.strip_prefix("file:").unwrap_or_default();
        if ![".csv", ".ndjson", ".json"].iter().any(|kind| path.strip_suffix(kind).is_some_and(|stem| !stem.is_empty()))
        {
            let message = format!("`{path}` is not a file a feed can read or write");
            reader
                .report(Diagnostic::new("E108", file.span, message).help("it ends with `.csv`, `.ndjson` or `.json`"));
            return None;
        }
        return Some(Spanned::new(Endpoint::File(path.to_owned()), file.span));
    }
    let reference = values::reference(reader, at, node)?;
    Some(Spanned::new(Endpoint::Reference(reference.value), reference.span))
}

fn feed_when(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<FeedWhen>> {
    match node {
        Node::Text(text) if text.value == "changes" => Some(Spanned::new(FeedWhen::Changes, text.span)),
        node => {
            let schedule = schedule(reader, at, node)?;
            Some(Spanned::new(FeedWhen::Schedule(schedule.value), schedule.span))
        }
    }
}
