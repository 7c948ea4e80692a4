//! Types of every expression.

use indexmap::IndexMap;

use super::*;

/// Every scalar, and every way to nest types.
pub(crate) fn expressions() -> Vec<Field> {
    let scalars = [
        ("text", string()),
        ("short", Type::Scalar(Scalar::String { min: 2, max: Some(5), pattern: None })),
        ("code", Type::Scalar(Scalar::String { min: 0, max: Some(8), pattern: Some(r"[A-Z]{2}\d+".to_owned()) })),
        ("flag", Type::Scalar(Scalar::Bool)),
        ("small", Type::Scalar(Scalar::I32 { min: -5, max: i32::MAX })),
        ("wide", Type::Scalar(Scalar::I64 { min: i64::MIN, max: i64::MAX })),
        ("some_wide", Type::Scalar(Scalar::I64 { min: -100, max: 9_000_000_000 })),
        ("count", u32s()),
        ("total", Type::Scalar(Scalar::U64 { min: 0, max: u64::MAX })),
        ("ratio", Type::Scalar(Scalar::F64 { min: Some(0.0), max: Some(1.0) })),
        ("real", Type::Scalar(Scalar::F64 { min: None, max: None })),
        ("price", Type::Scalar(Scalar::Decimal { precision: 18, scale: 4 })),
        ("share", Type::Scalar(Scalar::Decimal { precision: 3, scale: 3 })),
        ("whole", Type::Scalar(Scalar::Decimal { precision: 2, scale: 0 })),
        ("key", Type::Scalar(Scalar::Uuid)),
        ("at", Type::Scalar(Scalar::Timestamp)),
        ("day", Type::Scalar(Scalar::Date)),
        ("span", Type::Scalar(Scalar::Duration)),
        ("raw", Type::Scalar(Scalar::Bytes)),
        ("any", Type::Scalar(Scalar::Json)),
        ("colour", named("Colour")),
        ("leaf", named("Leaf")),
        ("either", named("Either")),
        ("thing_id", Type::Ref(resource_ref("store", "Thing"))),
    ];
    let keys = [
        MapKey::String,
        MapKey::I32,
        MapKey::I64,
        MapKey::U32,
        MapKey::U64,
        MapKey::Uuid,
        MapKey::Date,
        MapKey::Enum(TypeRef { service: None, name: "Colour".to_owned() }),
    ];
    let mut fields = Vec::new();
    for (name, ty) in scalars {
        let wraps: [(&str, Type); 8] = [
            ("plain", ty.clone()),
            ("maybe", optional(ty.clone())),
            ("several", list(ty.clone())),
            ("maybe_several", optional(list(ty.clone()))),
            ("several_maybe", list(optional(ty.clone()))),
            ("nested", list(list(ty.clone()))),
            ("mapped", map(MapKey::String, ty.clone())),
            ("deep", optional(map(MapKey::I32, optional(list(optional(ty)))))),
        ];
        for (wrap, ty) in wraps {
            // What refers to one item is called so; several of them end in `_ids`.
            let name = match name {
                "thing_id" => format!("{wrap}_thing_ids"),
                name => format!("{wrap}_{name}"),
            };
            fields.push(field(&name, ty));
        }
    }
    for (index, key) in keys.into_iter().enumerate() {
        fields.push(field(&format!("by_key_{index}"), map(key, named("Leaf"))));
    }
    fields.push(field("tree", named("Tree")));
    fields
}

/// A service `store` whose resource `Thing`, command `swap`, query `look` and event `Swapped` use all [`expressions`].
pub(crate) fn everything() -> Model {
    use OperationKind::{Command, Query};
    let types = IndexMap::from_iter([
        ("Colour".to_owned(), TypeDef::Enum(enumeration("Colour", &["red", "dark_green", "x1"]))),
        record("Leaf", vec![field("size", u32s()), field("type_", optional(string()))]),
        record("Stem", vec![field("kind", string())]),
        // A variant may hold the union.
        record("Branch", vec![field("left", named("Either")), field("right", optional(named("Either")))]),
        union("Either", &["Branch", "Leaf", "Kind"]),
        record("Kind", vec![field("tags", list(string()))]),
        record(
            "Tree",
            vec![
                field("leaf", named("Leaf")),
                field("first", optional(named("Tree"))),
                field("rest", list(named("Tree"))),
                field("named", map(MapKey::String, named("Tree"))),
            ],
        ),
        record("Everything", expressions()),
    ]);
    let mut thing = vec![readonly("id", Type::Scalar(Scalar::Uuid))];
    thing.extend(expressions());
    let store = service("store")
        .with_resource("Thing", thing, &[filter("plain_text", string())], &["plain_count"])
        .with(operation(
            Command,
            "swap",
            "POST /v1/swap",
            Input::Named("Everything".to_owned()),
            Output::Named("Everything".to_owned()),
        ))
        .with(operation(
            Query,
            "look",
            "POST /v1/look",
            Input::Fields(vec![field("either", named("Either"))]),
            Output::Stream(StreamItem::Named("Either".to_owned())),
        ))
        .with_event(Event {
            name: "Swapped".to_owned(),
            docs: Docs::default(),
            payload: Payload::Named("Everything".to_owned()),
            key: None,
        });
    Model {
        name: "all".to_owned(),
        docs: Docs::default(),
        own: Vec::new(),
        types,
        services: IndexMap::from_iter([("store".to_owned(), store)]),
        links: Vec::new(),
    }
}
