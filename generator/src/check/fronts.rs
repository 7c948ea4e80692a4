//! Fronts: which services stand behind which (E612, E613, E615), what a composed schema cannot have (E205, E614), and which
//! pages may call a service (E705).

use std::collections::BTreeMap;

use super::{Checker, items, policies, unbuilt};
use crate::{
    contracts::composed::composed,
    design::Transport,
    model::{Front, Model, Operation},
    names::{self, generated::Generated},
    source::Spanned,
};

/// First segments of paths that are the kit's (LANGUAGE §2).
const KITS: [&str; 5] = ["-", "graphql", "rpc", "hooks", "errors"];

pub(super) fn lower(checker: &mut Checker, model: &mut Model) {
    let design = checker.design;
    for (name, service) in &design.services {
        for origin in items(&service.cors) {
            self::origin(checker, origin, items(&service.cors).len());
        }
        let Some(first) = service.fronts.first() else { continue };
        let exposes = |transport| items(&service.expose).iter().any(|item| item.value == transport);
        if !exposes(Transport::Rest) && !exposes(Transport::Graphql) {
            let message = format!("`{name}` fronts services, but exposes neither REST nor GraphQL");
            let help =
                "add `expose = [\"rest\"]`, which passes requests on, or `\"graphql\"`, which makes one schema of all";
            checker.error("E612", &first.span, message, help);
        }
        let mut fronts = Vec::new();
        for front in &service.fronts {
            behind(checker, model, name, front);
            let to_it = |link: &&crate::design::Link| {
                link.from.value == *name && link.to.value.owner.is_none() && link.to.value.name == front.value
            };
            let link = design.links.iter().find(to_it);
            let mut policy = policies::of_calls(&design.defaults, link.as_slice());
            // What it says of stand-ins is for calls.
            policy.fallback.clear();
            fronts.push(Front { service: front.value.clone(), policy });
        }
        if let Some(lowered) = model.services.get_mut(name) {
            lowered.fronts = fronts;
        }
    }
}

/// What can stand behind a gateway.
fn behind(checker: &mut Checker, model: &Model, gateway: &str, front: &Spanned<String>) {
    let name = &front.value;
    unbuilt::owner(checker, front, "service");
    let Some(service) = model.services.get(name) else { return };
    if name == gateway {
        return checker.error("E613", &front.span, format!("`{gateway}` fronts itself"), "leave it out");
    }
    if leads_to(checker, name, gateway) {
        let message = format!("`{gateway}` and `{name}` front each other");
        return checker.error(
            "E613",
            &front.span,
            message,
            "one of them is the entry: leave the other one's `fronts` out",
        );
    }
    let composes =
        model.services.get(gateway).is_some_and(|gateway| gateway.expose.has(crate::model::Transport::Graphql));
    if composes && !service.operations.values().any(Operation::is_offered) {
        let message = format!("`{gateway}` fronts `{name}`, which exposes nothing that GraphQL could carry");
        let help =
            format!("add `expose = [\"grpc\"]` to `[services.{name}]`: what a service exposes is what a front has");
        checker.error("E612", &front.span, message, help);
    }
    if !composes && !over_rest(service) {
        let message = format!("`{gateway}` fronts `{name}`, which exposes nothing over REST");
        let help = format!("add `expose = [\"rest\"]` to `[services.{name}]`: what a service exposes is what passes");
        checker.error("E612", &front.span, message, help);
    }
    if composes && !over_rest(service) {
        // Its paths are nowhere.
        return;
    }
    let segment = names::path::segment(name);
    let is_version = segment.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if is_version || KITS.contains(&segment.as_str()) {
        let message = format!("`{name}` would be at `/{segment}` of `{gateway}`, where something else is");
        checker.error("E615", &front.span, message, "rename the service");
    }
}

fn over_rest(service: &crate::model::Service) -> bool {
    service.operations.values().any(|operation| operation.expose.has(crate::model::Transport::Rest))
}

/// What cannot be in a composed schema.
pub(super) fn check(checker: &mut Checker, model: &Model) {
    // What is not understood was reported where it stands.
    if !checker.found.is_empty() {
        return;
    }
    for front in model.services.values() {
        let Some(composed) = composed(model, front) else { continue };
        let Some(first) = checker.design.services.get(&front.name).and_then(|service| service.fronts.first()) else {
            continue;
        };
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        for Generated { name, role, .. } in names::generated::of_service(&composed.model, &composed.service) {
            let given = composed
                .model
                .types
                .keys()
                .chain(composed.service.resources.keys())
                .chain(composed.service.enums.keys());
            let other = given
                .into_iter()
                .find(|given| names::key(given) == names::key(&name))
                .map(|given| format!("`{given}`"));
            let other = other.or_else(|| taken.get(&names::key(&name)).filter(|other| **other != role).cloned());
            if let Some(other) = other {
                let message =
                    format!("`{name}` is the name of {role} and of {other} in the schema of `{}`", front.name);
                checker.error("E205", &first.span, message, "rename what one of them follows from");
            }
            taken.insert(names::key(&name), role);
        }
    }
}

/// Whether a service fronts another, or one that does.
fn leads_to(checker: &Checker, from: &str, to: &str) -> bool {
    let (mut open, mut seen) = (vec![from], std::collections::BTreeSet::new());
    while let Some(name) = open.pop() {
        if !seen.insert(name) {
            continue;
        }
        for front in checker.design.services.get(name).into_iter().flat_map(|service| &service.fronts) {
            if front.value == to {
                return true;
            }
            open.push(&front.value);
        }
    }
    false
}

/// An origin as browsers send it (RFC 6454, 6.2): in lower case, without a path, without the usual port. `*` stands alone.
fn origin(checker: &mut Checker, origin: &Spanned<String>, origins: usize) {
    let text = origin.value.as_str();
    if text == "*" {
        if origins > 1 {
            checker.error("E705", &origin.span, "`*` is every origin already", "leave the others out");
        }
        return;
    }
    let usual = |scheme: &str| if scheme == "https" { ":443" } else { ":80" };
    let is_origin = text.split_once("://").is_some_and(|(scheme, authority)| {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match inner {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
            }
        };
        let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number.to_string() == port);
        matches!(scheme, "http" | "https") && is_host && port.is_none_or(is_port) && !authority.ends_with(usual(scheme))
    });
    if !is_origin {
        let message = format!("`{}` is not an origin as browsers send it", names::rules::shown(text));
        checker.error(
            "E705",
            &origin.span,
            message,
            "write scheme, host and port alone: `https://app.example`, or `*`",
        );
    }
}
