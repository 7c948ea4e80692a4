use std::path::PathBuf;

use super::{Severity, Version, diff};
use crate::{
    Understood,
    contracts::wire::WireLock,
    parse,
    source::{Source, Sources},
};

const DESIGN: &str = r#"
[system]
name = "shop"

[services.orders]
expose = ["rest", "grpc"]

[services.orders.commands.place]
input = { sku = "string" }
output = { number = "u32" }
idempotent = "no"

[services.orders.events.Placed]
payload = { number = "u32" }
"#;

fn sources(text: &str) -> Sources {
    Sources(vec![Source { path: "design.toml".into(), location: PathBuf::new(), text: text.into() }])
}

fn understood(text: &str) -> Understood {
    crate::understood(parse::parse(&sources(text))).unwrap()
}

fn lock(lines: &str) -> WireLock {
    WireLock::parse(lines).unwrap()
}

#[test]
fn a_number_that_has_moved_or_is_lost_breaks_grpc() {
    let design = understood(DESIGN);
    let numbers = |old: &str, new: &str| {
        let (old, new) = (lock(old), lock(new));
        let found = diff(Version { understood: &design, wire: &old }, Version { understood: &design, wire: &new });
        let shown = |found: &super::Difference| {
            assert_eq!((found.rule.id, found.severity), ("wire-number-changed", Severity::Breaking));
            format!("{} {:?} {:?}", found.subject, found.before.as_deref(), found.after.as_deref())
        };
        found.iter().map(shown).collect::<Vec<_>>()
    };
    let sku = "shop.orders.v1.PlaceRequest 1 sku string\n";
    let moved = "shop.orders.v1.PlaceRequest 2 sku string\n";
    let more = format!("{sku}shop.orders.v1.PlaceRequest 2 note string\n");
    assert_eq!(numbers(sku, &more), Vec::<String>::new());
    // A lock that is not written yet will be written from the old one.
    assert_eq!(numbers(sku, ""), Vec::<String>::new());
    let said = "`shop.orders.v1.PlaceRequest.sku` in contracts/wire.lock";
    assert_eq!(numbers(sku, moved), [format!("{said} Some(\"1\") Some(\"2\")")]);
    assert_eq!(numbers(&more, "shop.orders.v1.PlaceRequest 2 note string\n"), [format!("{said} Some(\"1\") None")]);
}
