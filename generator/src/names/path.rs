//! Names in URLs and folders.

use heck::ToKebabCase;

use crate::model::{Service, Versioning};

/// A segment of a URL path: `order_page` to `order-page`, `StockLevels` to `stock-levels`.
pub fn segment(name: &str) -> String {
    name.to_kebab_case()
}

/// The segment that says a version, where paths do: `v2`.
pub fn version(service: &Service) -> Option<String> {
    (service.versioning == Versioning::Path).then(|| format!("v{}", service.version))
}

/// Where a version of a service is called over JSON-RPC, as segments, whatever else says the version.
pub fn rpc(service: &Service) -> [String; 2] {
    [format!("v{}", service.version), "rpc".to_owned()]
}

/// The media type of what a service says and is told: `application/vnd.shop.orders+json`.
pub fn media_type(system: &str, service: &str) -> String {
    format!("application/vnd.{system}.{}+json", segment(service))
}

/// The folder of a service below `services`: `order-desk`.
pub fn service_folder(service: &str) -> String {
    segment(service)
}

/// The folder of the contract of a service as it was: `orders-v1`.
pub fn old_contract_folder(service: &str, version: u32) -> String {
    format!("{}-v{version}", segment(service))
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
