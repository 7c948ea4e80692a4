//! Names in Rust: as written where Rust takes them, raw (`r#type`) where it wants that.

use super::{key, path, rules, shouty, snake, upper_camel};

/// Keywords of every edition, strict and reserved. Weak ones (`union`, `default`, `raw`, `safe`) are names anywhere.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "Self", "static", "struct", "super", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Keywords that are none even as `r#…`.
pub(super) const NEVER_RAW: &[&str] = &["self", "super", "crate", "Self"];

/// A field, method, argument or variable: `order_id`, `r#type`.
pub fn ident(name: &str) -> String {
    if NEVER_RAW.contains(&name) {
        format!("{name}_")
    } else if is_keyword(name) {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

pub(super) fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// The function that takes the requests for an operation, beside the function `router` and its argument.
pub fn handler(operation: &str) -> String {
    match operation {
        "router" | "service" => format!("{operation}_"),
        _ => ident(operation),
    }
}

/// A variable for an item of a resource or for a service, `_` at its end where emitted functions have one of that name
/// themselves.
pub fn variable(name: &str) -> String {
    let name = snake(name);
    if LOCALS.contains(&name.as_str()) { name + "_" } else { ident(&name) }
}

/// Variables and functions of templates and of the first business code.
const LOCALS: &[&str] = &[
    "answer",
    "broker",
    "config",
    "consumer",
    "counters",
    "cx",
    "documents",
    "draft",
    "etag",
    "found",
    "fronts",
    "gate",
    "graphql",
    "handle",
    "health",
    "id",
    "inner",
    "input",
    "item",
    "items",
    "link",
    "message",
    "messages",
    "new",
    "next",
    "page",
    "patch",
    "policy",
    "query",
    "relay",
    "row",
    "sender",
    "service",
    "standard",
    "start",
    "state",
    "store",
    "subscription",
    "tx",
];

/// A variant of an enum: `in_transit` to `InTransit`.
pub fn variant(value: &str) -> String {
    upper_camel(value)
}

/// The id type of a resource: `OrderId`.
pub fn id_name(resource: &str) -> String {
    format!("{resource}Id")
}

/// A constant: `order_id` to `ORDER_ID`.
pub fn constant(name: &str) -> String {
    shouty(name)
}

/// A module and the stem of its file: `OrderPlaced` to `order_placed`. What cannot be a plain module or file
/// (`type`, `main`, `con`), and what a service has besides its business code (`app`, `store`, `v1`), gets a `_` at its end.
pub fn module(name: &str) -> String {
    let module = snake(name);
    let is_version = module.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if is_version
        || is_keyword(&module)
        || matches!(module.as_str(), "lib" | "main" | "app" | "store")
        || is_windows_device(&module)
    {
        return module + "_";
    }
    module
}

const PARTS: &[&str] = &["Answers", "Gate", "Gated", "Linked", "Config", "Links", "Service", "Store"];

/// The trait of a service: `order_desk` to `OrderDesk`; `OrderService` for a service `order` in whose contract
/// something is called `Order`, and `OkService` for one that is called as Rust or the kit call something. `types` are the
/// names of everything in the contract. What stands beside the trait or beside what implements it is no name for it.
pub fn service_trait<'a>(service: &str, types: impl IntoIterator<Item = &'a str>) -> String {
    let plain = upper_camel(service);
    match PARTS.contains(&plain.as_str())
        || rules::is_taken(&plain)
        || types.into_iter().any(|name| key(name) == key(&plain))
    {
        true => plain + "Service",
        false => plain,
    }
}

/// The package of a service's contract: `order_desk` to `order-desk-contract`.
pub fn contract_crate(service: &str) -> String {
    format!("{}-contract", path::segment(service))
}

/// The package of the contract of a service as it was: `order_desk` to `order-desk-v1-contract`.
pub fn old_contract_crate(service: &str, version: u32) -> String {
    format!("{}-v{version}-contract", path::segment(service))
}

/// The package of a service: `order_desk` to `order-desk`. Where that is the name of something else that cargo or
/// emitted code knows, `-service` is added; `dependencies` are the packages that emitted code depends on. `kit-service`
/// is the kit's own, so a service `kit` is `kit-app`.
pub fn service_crate(service: &str, dependencies: &[&str]) -> String {
    let name = path::segment(service);
    // `serde_service` must not meet `serde`, which became `serde-service`: whatever a suffix could make gets one too.
    let stem = name.strip_suffix("-service").map(|stem| service_crate(stem, dependencies));
    if name == "kit" {
        return "kit-app".to_owned();
    }
    if is_taken(&name, dependencies) || stem.is_some_and(|made| made == name) {
        return name + "-service";
    }
    name
}

/// The name by which Rust code calls a package: `order-desk-contract` to `order_desk_contract`.
pub fn crate_ident(package: &str) -> String {
    package.replace('-', "_")
}

fn is_taken(package: &str, dependencies: &[&str]) -> bool {
    // The second line: names of folders that cargo refuses for a binary, or makes beside it.
    const OURS: &[&str] = &["std", "core", "alloc", "test", "tests", "proc-macro", "xtask", "shared", "main", "lib"];
    const CARGO: &[&str] = &["build", "deps", "examples", "incremental", "benches", "target", "workspace"];
    OURS.contains(&package)
        || CARGO.contains(&package)
        || is_keyword(package)
        || package == "kit"
        || package.starts_with("kit-")
        || package.ends_with("-contract")
        || dependencies.iter().any(|dependency| crate_ident(dependency) == crate_ident(package))
}

/// Whether Windows has a device of that name and so no file or folder can have it, with whatever ending.
pub(super) fn is_windows_device(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("com").or_else(|| name.strip_prefix("lpt")) {
        Some(digit) => digit.len() == 1 && digit.bytes().all(|b| b.is_ascii_digit()),
        None => matches!(name.as_str(), "con" | "prn" | "aux" | "nul"),
    }
}
