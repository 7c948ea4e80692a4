#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::contracts::samples::understood;

/// A system with these services, and a front before these.
fn front(services: &[&str], fronts: &[&str]) -> Composed {
    let mut text = "[system]\nname = \"shop\"\n[types.Money]\namount = \"u32\"\n".to_owned();
    for service in services {
        text += &format!(
            "
            [services.{service}]
            expose = [\"rest\"]
            [services.{service}.resources.Item]
            verbs = [\"list\", \"get\", \"create\"]
            sort = [\"size\"]
            [services.{service}.resources.Item.fields]
            size = \"u32\"
            price = \"Money\"
            kind = \"enum(a, b)\"
            shelf_id = \"ref left.Shelf?\"
            [services.{service}.queries.status]
            output = {{ item = \"Item\" }}
            [services.{service}.queries.inside]
            output = {{ price = \"Money\" }}
            expose = []
            "
        );
    }
    text += "[services.left.resources.Shelf]\nverbs = [\"get\"]\nfields = { place = \"string\" }\n";
    text += &format!("[services.front]\nexpose = [\"graphql\"]\nfronts = {fronts:?}\n");
    let model = understood(&text);
    let composed = composed(&model, model.services.get("front").unwrap()).unwrap();
    // What is said of one schema is said by a parser that knows nothing of us.
    async_graphql_parser::parse_schema(composed.graphql()).unwrap();
    composed
}

fn fields(composed: &Composed) -> Vec<String> {
    composed.graphql().lines().map(str::trim_end).map(str::to_owned).collect()
}

#[test]
fn the_later_gets_its_service_in_front() {
    let composed = front(&["left", "right"], &["left", "right"]);
    let text = composed.graphql();
    for line in
        ["): ItemConnection", "): Item", "status: StatusResponse", "): RightItem", "rightStatus: RightStatusResponse"]
    {
        assert!(text.contains(&format!("  {line}\n")), "{line}\n{text}");
    }
    // What refers to another service leads there, and what nobody outside reaches is nowhere.
    assert!(
        text.contains(
            "type RightItem {\n  id: ID!\n  size: UInt32!\n  price: Money!\n  kind: RightItemKind!\n  shelfId: ID\n"
        ),
        "{text}"
    );
    assert!(text.contains("  etag: String!\n  shelf: Shelf\n}"), "{text}");
    assert!(!text.contains("inside"), "{text}");
    let origin = composed.origins.get("list_right_items").unwrap();
    assert_eq!((origin.service.as_str(), origin.operation.as_str()), ("right", "list_items"));
}

#[test]
fn a_service_at_the_end_renames_nothing() {
    let before = fields(&front(&["left", "right"], &["right", "left"]));
    let after = fields(&front(&["left", "right", "last"], &["right", "left", "last"]));
    let gone: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    assert_eq!(gone, Vec::<&String>::new());
}

#[test]
fn all_that_is_not_behind_is_called_as_its_owners() {
    let text = front(&["left", "right"], &["right"]).graphql();
    assert!(text.contains("  shelfId: ID\n"), "{text}");
    assert!(!text.contains("  shelf: "), "{text}");
}
