//! Names in proto3, and what prost makes of them in Rust.
//!
//! No word of the design is reserved here: proto reads its own keywords as names. Types of other packages must be
//! written with a leading dot (`.google.protobuf.Timestamp`), for a service may be called `google`.

use heck::ToSnakeCase;

use super::{rust, shouty, upper_camel};
use crate::model::Verb;

/// `shop`, `orders`, 1 to `shop.orders.v1`.
pub fn package(system: &str, service: &str, version: u32) -> String {
    format!("{}.{service}.v{version}", system.replace('-', "_"))
}

/// The gRPC service of a service: `orders` to `OrdersService`.
pub fn service(service: &str) -> String {
    format!("{}Service", upper_camel(service))
}

/// The rpc of a command or query: `reserve` to `Reserve`.
pub fn rpc(operation: &str) -> String {
    upper_camel(operation)
}

/// The rpc of a verb, as AIP-131 to AIP-135 call them: `ListOrders`, `GetOrder`, `UpdateOrder`.
pub fn verb_rpc(verb: Verb, resource: &str, plural: &str) -> String {
    match verb {
        Verb::List => format!("List{plural}"),
        Verb::Get => format!("Get{resource}"),
        Verb::Create => format!("Create{resource}"),
        Verb::Replace => format!("Replace{resource}"),
        Verb::Patch => format!("Update{resource}"),
        Verb::Delete => format!("Delete{resource}"),
    }
}

/// A value of an enum: `OrderStatus`, `paid` to `ORDER_STATUS_PAID`.
pub fn enum_value(ty: &str, value: &str) -> String {
    format!("{}_{}", shouty(ty), shouty(value))
}

/// The zero of an enum: `ORDER_STATUS_UNSPECIFIED`.
pub fn enum_zero(ty: &str) -> String {
    enum_value(ty, "unspecified")
}

/// The `reason` of an error in `google.rpc.ErrorInfo`: `OutOfStock` to `OUT_OF_STOCK`.
pub fn reason(error: &str) -> String {
    shouty(error)
}

/// What prost calls a message, enum or enum value without its prefix: `HTTPServer` to `HttpServer`.
pub fn prost_type(name: &str) -> String {
    upper_camel(name)
}

/// What prost calls a field, rpc or package segment: `type` to `r#type`, `self` to `self_`.
pub fn prost_ident(name: &str) -> String {
    match name.to_snake_case() {
        name if matches!(name.as_str(), "self" | "super" | "extern" | "crate") => name + "_",
        name => rust::ident(&name),
    }
}
