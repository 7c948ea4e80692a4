//! Numbers of proto that are not what they were.

use super::{Change, Contract, Found, Kind, Place, Side, rules::WIRE_NUMBER_CHANGED};
use crate::contracts::wire::WireLock;

/// Compares two locks: what the older one gave stays given.
pub(super) fn compare(found: &mut Found<'_>, old: &WireLock, new: &WireLock) {
    let system = found.new.model.name.replace('-', "_");
    for (scope, name, was, is) in old.moved(new) {
        // Enums have the same numbers in all packages; those of `[types]` belong to no service.
        let parts: Vec<&str> = scope.split('.').collect();
        let service = parts.get(1).filter(|_| parts.first() == Some(&system.as_str()));
        let service =
            service.filter(|service| found.new.model.services.contains_key(**service)).map(|s| (*s).to_owned());
        let place = Place::Wire(service.clone(), format!("{scope}.{name}"));
        let change = Change::new(&WIRE_NUMBER_CHANGED, Side::New(place)).from(was.to_string());
        let change = match is {
            Some(number) => change.to(number.to_string()),
            None => change,
        };
        let services = found.new.model.services.values().map(|service| service.name.clone());
        let services: Vec<String> = services.filter(|name| service.as_ref().is_none_or(|only| only == name)).collect();
        for service in services {
            found.add(&Contract { service, kind: Kind::Grpc, internal: false, version: None }, change.clone());
        }
    }
}
