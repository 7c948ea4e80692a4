//! Names in URLs and folders.

use heck::ToKebabCase;

/// A segment of a URL path: `order_page` to `order-page`, `StockLevels` to `stock-levels`.
pub fn segment(name: &str) -> String {
    name.to_kebab_case()
}

/// The folder of a service below `services`: `order-desk`.
pub fn service_folder(service: &str) -> String {
    segment(service)
}

/// The folder of a service's contract below `contracts`: `order-desk`. `contracts/shared` holds what several
/// contracts use, so a service `shared` has `contracts/shared-contract`, and so on.
pub fn contract_folder(service: &str) -> String {
    let folder = segment(service);
    match folder.strip_prefix("shared") {
        Some(rest) if rest.split("-contract").all(str::is_empty) => folder + "-contract",
        _ => folder,
    }
}
