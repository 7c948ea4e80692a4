//! Names in GraphQL. Nothing but a leading `__` is reserved in its syntax, and no name of a design begins so.

use super::{lower_camel, shouty};
use crate::model::Verb;

/// A field, argument or custom operation: `order_page` to `orderPage`.
pub fn field(name: &str) -> String {
    lower_camel(name)
}

/// An enum value: `in_transit` to `IN_TRANSIT`.
pub fn enum_value(value: &str) -> String {
    shouty(value)
}

/// The root field of a verb: `orders`, `order`, `createOrder`, …
pub fn verb_field(verb: Verb, resource: &str, plural: &str) -> String {
    match verb {
        Verb::List => lower_camel(plural),
        Verb::Get => lower_camel(resource),
        Verb::Create => format!("create{resource}"),
        Verb::Replace => format!("replace{resource}"),
        Verb::Patch => format!("patch{resource}"),
        Verb::Delete => format!("delete{resource}"),
    }
}

/// The field beside a `ref` that holds the object itself, as a name of the design: `product_id` to `product`,
/// `product_ids` to `products`. A field that is not called `…_id` or `…_ids` has none.
pub fn object_of_ref(field: &str) -> Option<String> {
    let name = match field.strip_suffix("_id") {
        Some(stem) => stem.to_owned(),
        None => format!("{}s", field.strip_suffix("_ids")?),
    };
    (!name.is_empty()).then_some(name)
}

/// The input twin of a record or union: `Address` to `AddressInput`.
pub fn input(ty: &str) -> String {
    format!("{ty}Input")
}

/// An entry of a map: `Price` to `PriceEntry`.
pub fn entry(ty: &str) -> String {
    format!("{ty}Entry")
}

/// A page of a resource: `OrderConnection`.
pub fn connection(resource: &str) -> String {
    format!("{resource}Connection")
}

/// An item of a page of a resource: `OrderEdge`.
pub fn edge(resource: &str) -> String {
    format!("{resource}Edge")
}
