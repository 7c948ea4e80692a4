//! Resources and events, of services and externals.

use super::{
    keys,
    operation::{Owner, allow, distinct, expose, external_settings, paging, references, settings, wire},
    reader::{At, Item, Reader, TableReader},
    tree::Node,
    types::{Place, body, fields},
    values::{self, count, duration, field_path, mapping, name, word},
};
use crate::{
    design::{Body, Event, FieldPath, Fields, Resource, Verb, VerbSettings, Was, Word},
    source::Spanned,
};

pub(super) fn resource(reader: &mut Reader, item: Item, owner: Owner) -> Resource {
    let keys = match owner {
        Owner::Service => keys::RESOURCE,
        Owner::External { .. } => keys::EXTERNAL_RESOURCE,
    };
    let mut t = reader.open(item, keys);
    if owner != (Owner::External { openapi: true }) {
        t.require("fields", "say what it holds: `fields = { name = \"string\" }`");
        t.require(
            "verbs",
            "say what callers may do: `verbs = [\"list\", \"get\", \"create\"]`, or `[]` to keep it inside",
        );
    }
    let mut resource = Resource {
        fields: t.get("fields", resource_fields).map_or_else(Fields::new, |fields| fields.value),
        verbs: distinct(&mut t, "verbs", "write a list: `[\"list\", \"get\"]`", word),
        id: t.get("id", name),
        plural: t.get("plural", name),
        settings: Verb::WORDS
            .iter()
            .filter_map(|(key, verb)| Some((*verb, verb_settings(&mut t, key, owner)?)))
            .collect(),
        filter: paths(&mut t, "filter"),
        sort: paths(&mut t, "sort"),
        limit: t.get("limit", values::limit),
        cache: t.get("cache", duration),
        ..Resource::default()
    };
    match owner {
        Owner::Service => {
            resource.sourced = references(&mut t, "sourced");
            resource.snapshot = t.get("snapshot", count);
            resource.allow = allow(&mut t);
            resource.expose = expose(&mut t);
            resource.since = t.get("since", count);
            resource.until = t.get("until", count);
            resource.was = t.versions("was", keys::RESOURCE_WAS, |t| Was {
                fields: t.get("fields", resource_fields),
                map: t.get("map", mapping),
                ..Was::default()
            });
        }
        Owner::External { .. } => {
            resource.wire = t.get("wire", wire);
            resource.map = t.get("map", mapping);
            resource.paging = t.get("paging", paging);
        }
    }
    resource.head = t.close();
    resource
}

fn resource_fields(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Fields>> {
    fields(reader, at, node, Place::Resource)
}

/// `create = { … }`
fn verb_settings(t: &mut TableReader<'_>, key: &'static str, owner: Owner) -> Option<VerbSettings> {
    let item = t.item(key)?;
    let keys = match owner {
        Owner::Service => keys::VERB,
        Owner::External { .. } => keys::EXTERNAL_VERB,
    };
    let mut t = t.reader.open(item, keys);
    let common = match owner {
        Owner::Service => settings(&mut t),
        Owner::External { .. } => external_settings(&mut t),
    };
    Some(VerbSettings { common, head: t.close() })
}

fn paths(t: &mut TableReader<'_>, key: &'static str) -> Vec<Spanned<FieldPath>> {
    distinct(t, key, "write a list of fields: `[\"status\", \"total.amount\"]`", field_path)
        .map_or_else(Vec::new, |list| list.value)
}

pub(super) fn event(reader: &mut Reader, item: Item, owner: Owner) -> Event {
    let keys = match owner {
        Owner::Service => keys::EVENT,
        Owner::External { .. } => keys::EXTERNAL_EVENT,
    };
    let mut t = reader.open(item, keys);
    if owner != (Owner::External { openapi: true }) {
        t.require(
            "payload",
            "say what it carries: `payload = { order_id = \"uuid\" }`, or the name of a record or resource",
        );
    }
    let mut event = Event { payload: t.get("payload", payload), key: t.get("key", name), ..Event::default() };
    match owner {
        Owner::Service => {
            event.keep = t.get("keep", duration);
            event.broker = t.get("broker", word);
            event.compat = t.get("compat", word);
            event.was = t.versions("was", keys::EVENT_WAS, |t| Was {
                payload: t.get("payload", payload),
                map: t.get("map", mapping),
                ..Was::default()
            });
        }
        Owner::External { .. } => {
            event.wire = t.get("wire", wire);
            event.map = t.get("map", mapping);
        }
    }
    event.head = t.close();
    event
}

fn payload(reader: &mut Reader, at: At<'_>, node: Node) -> Option<Spanned<Body>> {
    body(reader, at, node, false)
}
