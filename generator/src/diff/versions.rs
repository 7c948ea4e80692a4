//! The versions of a service: what was a contract in one design is looked for in the other under the same number, whether
//! it is the newest there or kept as an old one (LANGUAGE §9).

use std::collections::BTreeMap;

use super::{
    Change, Found, Place, Scope, Side,
    rules::{VERSION_ADDED, VERSION_ENDED, VERSION_REMOVED},
    services,
};
use crate::{Understood, model::Service};

/// Compares all versions of a service.
pub(super) fn compare(found: &mut Found<'_>, before: &Service, after: &Service) {
    if before.newest == after.newest {
        services::present(found, before, after);
    } else {
        within(found, Scope::Newest, |found| services::present(found, before, after));
    }
    let (was, is) = (served(found.old, before), served(found.new, after));
    for (version, then) in &was {
        let Some(now) = is.get(version) else {
            let ended = before.old.iter().any(|old| old.service.version == *version && old.service.sunset.is_some());
            let rule = if ended { &VERSION_ENDED } else { &VERSION_REMOVED };
            let change =
                || Change::new(rule, Side::New(Place::Service(after.name.clone()))).from(format!("v{version}"));
            let then = services::contracts(&then.model, &before.name);
            within(found, Scope::Version, |found| services::all(found, then.clone(), change));
            continue;
        };
        // Where the newest is the same, it has been compared already.
        if *version == before.newest && *version == after.newest {
            continue;
        }
        let mut inner =
            Found { old: then, new: now, scope: Scope::Version, changes: std::mem::take(&mut found.changes) };
        if let (Some(then), Some(now)) = (then.model.services.get(&before.name), now.model.services.get(&after.name)) {
            services::present(&mut inner, then, now);
        }
        found.changes = inner.changes;
    }
    for (version, now) in is.iter().filter(|(version, _)| !was.contains_key(version)) {
        let change =
            || Change::new(&VERSION_ADDED, Side::New(Place::Service(after.name.clone()))).to(format!("v{version}"));
        let now = services::contracts(&now.model, &after.name);
        within(found, Scope::Version, |found| services::all(found, now.clone(), change));
    }
}

fn within(found: &mut Found<'_>, scope: Scope, work: impl FnOnce(&mut Found<'_>)) {
    let outer = std::mem::replace(&mut found.scope, scope);
    work(found);
    found.scope = outer;
}

/// The versions of a service that are served, each in a system of its own.
fn served(of: &Understood, service: &Service) -> BTreeMap<u32, Understood> {
    let old = service
        .old
        .iter()
        .map(|old| (old.service.version, Understood { design: of.design.clone(), model: of.model.at(old) }));
    old.chain([(service.newest, of.clone())]).collect()
}
