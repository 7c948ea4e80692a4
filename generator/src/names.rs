//! A name of the design to the name it has in each target (LANGUAGE §2).
//!
//! Every conversion is mechanical and changes only case and separators, never letters, digits or their order. So two
//! names can meet in a target only if their [`key`]s are equal, and that is what `check` refuses.

pub mod generated;
pub mod graphql;
pub mod jsonrpc;
pub mod path;
mod plural;
pub mod proto;
pub mod rules;
pub mod rust;
pub mod sql;

use heck::{ToLowerCamelCase, ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

pub use plural::plural;

use crate::{design::Word as _, model::Verb};

/// By what names are judged equal: the letters and digits in lower case (`http_2_url` and `http2_url` are `http2url`).
pub fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// `order_placed` to `OrderPlaced`; `self_` to `Self_`, for `Self` is no name in Rust.
pub fn upper_camel(name: &str) -> String {
    match name.to_upper_camel_case() {
        name if name == "Self" => name + "_",
        name => name,
    }
}

/// `order_placed` to `orderPlaced`.
pub fn lower_camel(name: &str) -> String {
    name.to_lower_camel_case()
}

/// `OrderPlaced` to `order_placed`.
pub fn snake(name: &str) -> String {
    name.to_snake_case()
}

/// `OrderPlaced` to `ORDER_PLACED`: constants, error reasons.
pub fn shouty(name: &str) -> String {
    name.to_shouty_snake_case()
}

/// The operation that a verb is: `list_orders`, `get_order`.
pub fn verb_operation(verb: Verb, resource: &str, plural: &str) -> String {
    let name = if verb == Verb::List { plural } else { resource };
    format!("{}_{}", verb.word(), snake(name))
}

/// What the environment variables of a service or external begin with, as the kit reads them: `INVENTORY` of
/// `INVENTORY_URL`; every `_` stays.
pub fn variable(service: &str) -> String {
    service.to_uppercase()
}

/// The CloudEvents `type` of an event: `shop.orders.OrderPlaced.v1`.
pub fn event_type(system: &str, owner: &str, event: &str, version: u32) -> String {
    format!("{system}.{owner}.{event}.v{version}")
}

#[cfg(test)]
mod tests;
