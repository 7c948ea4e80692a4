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

/// Checks refuse `was` so far, so its design is put beside the meaning that it has without.
#[test]
fn what_is_kept_as_an_old_version_is_told_from_what_is_not() {
    let old = understood(DESIGN);
    let changed = DESIGN.replace("u32", "string").replace("sku = ", "code = ");
    let steps = |was: &str| {
        let model = understood(&changed).model;
        let (design, found) = parse::parse(&sources(&format!("{changed}{was}")));
        assert_eq!(found, []);
        let (new, wire) = (Understood { design, model }, WireLock::default());
        let found = diff(Version { understood: &old, wire: &wire }, Version { understood: &new, wire: &wire });
        let left = found.iter().filter(|found| found.breaks() && !found.is_stepped());
        left.map(|found| found.subject.clone()).collect::<Vec<_>>()
    };
    let input = ["`code` in the input of command `place`", "`sku` in the input of command `place`"];
    let output = "`number` in the output of command `place`";
    let mut all = steps("");
    all.sort();
    assert_eq!(all, ["`Placed.number`", input[0], output, input[1]]);
    let place = "\n[services.orders.commands.place.was.1]\ninput = { sku = \"string\" }\n";
    assert_eq!(steps(place), ["`Placed.number`"]);
    let placed = "\n[services.orders.events.Placed.was.1]\npayload = { number = \"u32\" }\n";
    assert_eq!(steps(&format!("{place}{placed}")), Vec::<String>::new());
}
