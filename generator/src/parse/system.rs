//! The tables at the top: `[system]`, `[defaults]`, and the sections of everything else.

use super::{
    external::external,
    keys,
    link::{breaker, links, retry},
    reader::{Item, Reader},
    service::{auth, service},
    types,
    values::{count, duration, name, names, word, word_but},
};
use crate::design::{Defaults, Design, Store, System};

/// The whole design.
pub(super) fn design(reader: &mut Reader, item: Item) -> Design {
    let mut t = reader.open(item, keys::ROOT);
    t.require("system", "a design begins with `[system]` and `name = \"…\"`");
    let design = Design {
        system: t.item("system").map_or_else(System::default, |item| system(t.reader, item)),
        defaults: t.item("defaults").map_or_else(Defaults::default, |item| defaults(t.reader, item)),
        types: t.named("types", "write `[types.Money]` and its fields below it", types::type_def),
        services: t.named("services", "write `[services.orders]`", service),
        externals: t.named("externals", "write `[externals.bank]`", external),
        links: links(&mut t),
        ..Design::default()
    };
    t.close();
    design
}

fn system(reader: &mut Reader, item: Item) -> System {
    let mut t = reader.open(item, keys::SYSTEM);
    System {
        name: t.required("name", "say what the system is called: `name = \"shop\"`", name),
        include: names(&mut t, "include"),
        packs: names(&mut t, "packs"),
        own: names(&mut t, "own"),
        broker: t.get("broker", word),
        store: t.get("store", |reader, at, node| word_but(reader, at, node, &[Store::None])),
        auth: auth(&mut t),
        tls: t.get("tls", word),
        roles: names(&mut t, "roles"),
        plans: names(&mut t, "plans"),
        compat: t.get("compat", word),
        head: t.close(),
    }
}

fn defaults(reader: &mut Reader, item: Item) -> Defaults {
    let mut t = reader.open(item, keys::DEFAULTS);
    Defaults {
        timeout: t.get("timeout", duration),
        retry: t.get("retry", retry),
        breaker: t.get("breaker", breaker),
        bulkhead: t.get("bulkhead", count),
        head: t.close(),
    }
}
