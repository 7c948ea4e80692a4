#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail by panicking")]

use proptest::{
    prelude::{Just, Strategy, any, prop_oneof, proptest},
    prop_assert, prop_assert_eq,
};

use super::{rules::Kind, *};
use crate::model::Verb;

/// Valid names in `lower_snake`, keywords and device names among them.
fn snake_name() -> impl Strategy<Value = String> {
    const ODD: &[&str] =
        &["type", "gen", "yield", "async", "self_", "con", "main", "http_2_url", "http2_url", "x", "a_1_b", "true"];
    prop_oneof![
        3 => "[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,5}){0,3}_?",
        1 => proptest::sample::select(ODD).prop_map(str::to_owned),
    ]
}

/// Valid names in `UpperCamel`.
fn camel_name() -> impl Strategy<Value = String> {
    prop_oneof!["([A-Z][a-z0-9]{0,4}){1,4}", "[A-Z][A-Za-z0-9]{0,12}"]
}

fn is_rust_ident(name: &str) -> bool {
    // syn does not know yet that `gen` is a keyword.
    name != "gen" && syn::parse_str::<syn::Ident>(name).is_ok()
}

/// A name in GraphQL, proto and C, and so in every schema language here.
fn is_plain_ident(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_package(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

proptest! {
    /// Conversions keep letters, digits and their order: two names meet only if their keys are equal.
    #[test]
    fn conversions_keep_the_key(snake_name in snake_name(), camel_name in camel_name()) {
        let converted = |name: &str| {
            [
                upper_camel(name), lower_camel(name), snake(name), shouty(name), path::segment(name), rust::variant(name),
                rust::constant(name), rust::module(name), proto::rpc(name), proto::prost_type(name), proto::reason(name),
                graphql::field(name), graphql::enum_value(name), sql::table(name),
            ]
        };
        for name in [&snake_name, &camel_name] {
            for other in converted(name) {
                prop_assert_eq!(key(&other), key(name), "{} became {}", name, other);
            }
        }
        prop_assert_eq!(key(rust::ident(&snake_name).trim_start_matches("r#")), key(&snake_name));
        prop_assert_eq!(key(proto::prost_ident(&snake_name).trim_start_matches("r#")), key(&snake_name));
    }

    #[test]
    fn converted_names_are_valid(name in snake_name(), ty in camel_name(), version in any::<u32>()) {
        for ident in [
            rust::ident(&name), rust::variant(&name), rust::module(&name), rust::module(&ty), rust::constant(&name),
            proto::prost_ident(&name), proto::prost_type(&ty), rust::crate_ident(&rust::contract_crate(&name)),
            rust::service_trait(&name, [ty.as_str()]),
        ] {
            prop_assert!(is_rust_ident(&ident), "{}", ident);
        }
        for ident in [
            name.clone(), ty.clone(), graphql::field(&name), graphql::enum_value(&name), proto::rpc(&name),
            proto::enum_value(&ty, &name), proto::enum_zero(&ty), proto::service(&name), variable(&name),
        ] {
            prop_assert!(is_plain_ident(&ident), "{}", ident);
        }
        for segment in proto::package("web-shop", &name, version).split('.') {
            prop_assert!(is_plain_ident(segment), "{}", segment);
        }
        for package in [rust::contract_crate(&name), rust::service_crate(&name, &[]), path::segment(&name)] {
            prop_assert!(is_package(&package), "{}", package);
        }
    }

    /// Of services with different keys no two packages or folders meet, whatever else is called how.
    #[test]
    fn packages_do_not_meet(a in service_name(), b in service_name()) {
        const DEPENDENCIES: &[&str] = &["serde", "tokio", "async-graphql", "orders"];
        let packages = |name: &str| [rust::service_crate(name, DEPENDENCIES), rust::contract_crate(name)];
        for package in packages(&a) {
            prop_assert!(!DEPENDENCIES.contains(&package.as_str()) && package != "shared");
            if key(&a) != key(&b) {
                prop_assert!(!packages(&b).contains(&package), "{} and {} both make {}", a, b, package);
            }
        }
        prop_assert!(path::contract_folder(&a) != "shared");
        if key(&a) != key(&b) {
            prop_assert!(path::contract_folder(&a) != path::contract_folder(&b));
        }
    }

    #[test]
    fn any_text_is_judged(name in ".{0,80}") {
        for kind in ALL {
            if rules::check(*kind, &name).is_ok() {
                prop_assert!(!name.is_empty() && name.len() <= rules::LONGEST && name.is_ascii());
                prop_assert!(is_plain_ident(&name.replace('-', "_")));
            }
        }
        plural(&name);
        rules::shown(&name);
    }

    #[test]
    fn well_formed_names_are_accepted(name in "[a-z]{5,9}(_[a-z0-9]{3,9}){1,3}_?", ty in "Q[a-z]{3,9}([A-Z][a-z]{1,9}){1,3}") {
        for kind in [Kind::Service, Kind::Operation, Kind::Field, Kind::EnumValue] {
            prop_assert_eq!(rules::check(kind, &name), Ok(()));
        }
        for kind in [Kind::Type, Kind::Resource, Kind::Event, Kind::Error] {
            prop_assert_eq!(rules::check(kind, &ty), Ok(()));
        }
    }
}

/// Names of services that are out for trouble.
fn service_name() -> impl Strategy<Value = String> {
    let stem =
        proptest::sample::select(vec!["serde", "shared", "orders", "tests", "kit", "type", "build", "async_graphql"]);
    let end = prop_oneof![Just(""), Just("_service"), Just("_contract"), Just("_http")];
    (stem, proptest::collection::vec(end, 0..4)).prop_map(|(stem, ends)| stem.to_owned() + &ends.concat())
}

const ALL: &[Kind] = &[
    Kind::System,
    Kind::Service,
    Kind::External,
    Kind::Operation,
    Kind::Feed,
    Kind::Field,
    Kind::EnumValue,
    Kind::Type,
    Kind::Resource,
    Kind::Plural,
    Kind::Event,
    Kind::Error,
    Kind::Role,
    Kind::Plan,
];

#[test]
fn plurals() {
    for (one, many) in [
        ("Order", "Orders"),
        ("Category", "Categories"),
        ("Box", "Boxes"),
        ("Day", "Days"),
        ("Address", "Addresses"),
        ("Batch", "Batches"),
        ("Dish", "Dishes"),
        ("Path", "Paths"),
        ("StockLevel", "StockLevels"),
        ("OrderStatus", "OrderStatuses"),
        ("Y", "Ys"),
        ("Series", "Series"),
        ("TimeSeries", "TimeSeries"),
        ("Person", "Persons"),
    ] {
        assert_eq!(plural(one), many);
    }
}

#[test]
fn packages_of_services() {
    let dependencies = &["serde", "async-graphql"];
    for (service, package) in [
        ("orders", "orders"),
        ("order_desk", "order-desk"),
        ("orders_service", "orders-service"),
        ("serde", "serde-service"),
        ("serde_service", "serde-service-service"),
        ("async_graphql", "async-graphql-service"),
        ("test", "test-service"),
        ("proc_macro", "proc-macro-service"),
        ("kit", "kit-app"),
        ("kit_app", "kit-app-service"),
        ("kit_http", "kit-http-service"),
        ("kitchen", "kitchen"),
        ("orders_contract", "orders-contract-service"),
        ("shared", "shared-service"),
        ("type", "type-service"),
    ] {
        assert_eq!(rust::service_crate(service, dependencies), package);
    }
    assert_eq!(rust::contract_crate("order_desk"), "order-desk-contract");
    assert_eq!(path::contract_folder("shared"), "shared-contract");
    assert_eq!(path::contract_folder("shared_desk"), "shared-desk");
}

#[test]
fn names_in_targets() {
    assert_eq!(rust::ident("type"), "r#type");
    assert_eq!(rust::ident("self"), "self_");
    assert_eq!(rust::variant("self_"), "Self_");
    assert_eq!(rust::module("main"), "main_");
    assert_eq!(rust::module("OrderPlaced"), "order_placed");
    assert_eq!(rust::service_trait("orders", ["Order"]), "Orders");
    assert_eq!(rust::service_trait("order", ["Line", "Order"]), "OrderService");
    assert_eq!(rust::service_trait("ok", ["Line"]), "OkService");
    assert_eq!(proto::package("web-shop", "orders", 1), "web_shop.orders.v1");
    assert_eq!(proto::enum_value("OrderStatus", "in_transit"), "ORDER_STATUS_IN_TRANSIT");
    assert_eq!(proto::verb_rpc(Verb::Patch, "Order", "Orders"), "UpdateOrder");
    assert_eq!(proto::prost_type("HTTPServer"), "HttpServer");
    assert_eq!(proto::prost_ident("extern"), "extern_");
    assert_eq!(graphql::field("http_2_url"), "http2Url");
    assert_eq!(graphql::verb_field(Verb::List, "StockLevel", "StockLevels"), "stockLevels");
    assert_eq!(graphql::object_of_ref("product_id").as_deref(), Some("product"));
    assert_eq!(graphql::object_of_ref("product_ids").as_deref(), Some("products"));
    assert_eq!(graphql::object_of_ref("product"), None);
    assert_eq!(sql::quoted("order"), "\"order\"");
    assert_eq!(sql::column(&["price", "amount"]), "price_amount");
    assert_eq!((variable("order_desk"), variable("http_2_")), ("ORDER_DESK".into(), "HTTP_2_".into()));
    assert_eq!(event_type("shop", "orders", "OrderPlaced", 1), "shop.orders.OrderPlaced.v1");
}

#[test]
fn refused_names() {
    let long = "a".repeat(300);
    for (kind, name, code) in [
        (Kind::Type, "Größe", "E201"),
        (Kind::Service, "café", "E201"),
        (Kind::Service, "../../x", "E201"),
        (Kind::Service, "", "E201"),
        (Kind::Service, &long, "E201"),
        (Kind::Service, "Orders", "E201"),
        (Kind::Service, "or__ders", "E201"),
        (Kind::Service, "_orders", "E201"),
        (Kind::Service, "9orders", "E201"),
        (Kind::System, "web_shop", "E201"),
        (Kind::System, "web-", "E201"),
        (Kind::Event, "order_placed", "E201"),
        (Kind::Event, "Order_Placed", "E201"),
        (Kind::Field, "a\u{7}b", "E201"),
        (Kind::Field, "self", "E202"),
        (Kind::Type, "Self", "E202"),
        (Kind::EnumValue, "super", "E202"),
        (Kind::Service, "con", "E203"),
        (Kind::Service, "broker", "E203"),
        (Kind::Type, "Aux", "E203"),
        (Kind::Operation, "lpt1", "E203"),
        (Kind::Type, "Option", "E203"),
        (Kind::Error, "Err", "E203"),
        (Kind::Resource, "Id", "E203"),
        (Kind::Error, "Failure", "E203"),
        (Kind::EnumValue, "unspecified", "E204"),
        (Kind::EnumValue, "unrecognised", "E204"),
    ] {
        let refusal = rules::check(kind, name).expect_err(name);
        assert_eq!(refusal.code, code, "{name}: {refusal:?}");
    }
    assert_eq!(rules::check(Kind::System, "CON").unwrap_err().code, "E201");
    assert_eq!(rules::check(Kind::Event, "order_placed").unwrap_err().help, "write `OrderPlaced`");
}

#[test]
fn odd_names_that_can_be_carried() {
    for (kind, name) in [
        (Kind::Field, "type"),
        (Kind::Field, "con"),
        (Kind::Field, "message"),
        (Kind::EnumValue, "none"),
        (Kind::EnumValue, "true"),
        (Kind::Operation, "match"),
        (Kind::Service, "serde"),
        (Kind::Service, "shared"),
        (Kind::Type, "Type"),
        (Kind::Type, "Message"),
        (Kind::Error, "NotFound"),
        (Kind::System, "web-shop-2"),
        (Kind::Field, "self_"),
        (Kind::Field, "com10"),
    ] {
        assert_eq!(rules::check(kind, name), Ok(()), "{name}");
    }
}
