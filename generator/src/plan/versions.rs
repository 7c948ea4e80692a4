//! Contracts of old versions: which of their types are the present ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    contracts::shape,
    escape,
    model::{Model, OldVersion, Service, Transport, Versioning},
    names,
    scope::Scope,
};

use super::{
    PlanError, Planner, adapter, contract,
    imports::USER,
    operations::{self, ErrorView},
    resources,
    rust::user,
    types::Types,
};

/// Does something for each old version, with the system in which it was the present one.
pub fn each<'a>(
    planner: &mut Planner<'a>,
    mut plan: impl FnMut(&mut Planner<'a>, &'a Service) -> Result<(), PlanError>,
) -> Result<(), PlanError> {
    for (model, name) in planner.systems {
        let Some(service) = model.services.get(name) else { continue };
        let present = std::mem::replace(&mut planner.model, model);
        let scope = std::mem::replace(&mut planner.scope, Scope::of(model));
        let planned = plan(planner, service);
        planner.model = present;
        planner.scope = scope;
        planned?;
    }
    Ok(())
}

/// The systems in which a service is as it was, each with that service.
pub fn systems(model: &Model) -> Vec<(Model, String)> {
    let old = model.services.values().flat_map(|service| &service.old);
    old.map(|old| (model.at(old), old.service.name.clone())).collect()
}

/// The version that a service is of, if that is an old one.
pub fn of<'m>(present: &'m Model, service: &Service) -> Option<&'m OldVersion> {
    let old = &present.services.get(&service.name).filter(|_| service.is_old())?.old;
    old.iter().find(|old| old.service.version == service.version)
}

/// How callers over REST choose a version, as the kit's `By`; empty where paths say it.
pub fn by(model: &Model, service: &Service) -> String {
    match service.versioning {
        Versioning::Path => String::new(),
        Versioning::Header => "Header".into(),
        Versioning::Query => "Query".into(),
        Versioning::MediaType => {
            format!("MediaType({})", escape::rust_str(&names::path::media_type(&model.name, &service.name)))
        }
    }
}

/// The routes of versions of a service over REST: an expression for each contract and what stands behind it.
pub fn rest(service: &Service, behind: &[(String, String)]) -> Vec<String> {
    let router = |contract: &str, argument: &str| format!("{contract}::rest::router({argument})");
    if service.versioning == Versioning::Path {
        return behind.iter().map(|(contract, argument)| router(contract, argument)).collect();
    }
    let version = |(contract, argument): &(String, String)| {
        format!("({contract}::rest::VERSION, {})", router(contract, argument))
    };
    let versions: Vec<String> = behind.iter().map(version).collect();
    if versions.is_empty() {
        Vec::new()
    } else {
        vec![format!("kit_http::version::choose(vec![{}])", versions.join(", "))]
    }
}

/// How the present service stands in for an old version of it.
pub fn adapter(planner: &Planner<'_>, old: &OldVersion, taken_over: &BTreeSet<String>) -> Option<adapter::View> {
    let (present, then) = (planner.present, planner.model);
    let now = present.services.get(&old.service.name)?;
    let service_trait = user(&contract::trait_name(then, &planner.scope, &old.service));
    let present_trait = contract::trait_name(present, &Scope::of(present), now);
    adapter::view(present, then, old, service_trait, &present_trait, taken_over)
}

/// Takes out what is as it is now, and gives its names: those types are taken over from the present contract.
pub fn take_over(
    planner: &mut Planner<'_>,
    service: &Service,
    types: &mut Types,
    errors: &mut Vec<ErrorView>,
) -> BTreeSet<String> {
    let present = planner.present;
    let Some(now) = present.services.get(&service.name) else { return BTreeSet::new() };
    let scope = Scope::of(present);
    let mut now_types = Types::default();
    let wire = contract::over_grpc(present, now).then_some(&mut planner.wire);
    everything(present, &scope, now, &mut now_types, wire);
    let now_errors: Vec<ErrorView> = now.operations.values().filter_map(operations::errors).collect();
    let mut same = same(&written(&now_types, &now_errors), &written(types, errors), |name| {
        // What carries a patch by a message and its mask is for the crate of the patch to say.
        let carried = contract::serves(planner.model, service, Transport::Grpc);
        carried && types.patches.iter().any(|patch| patch.name == *name)
    });
    let is_own = |name: &String| !same.contains(name);
    types.ids.retain(|own| is_own(&own.name));
    types.enums.retain(|own| is_own(&own.name));
    types.unions.retain(|own| is_own(&own.name));
    types.records.retain(|own| is_own(&own.name));
    types.lists.retain(|own| is_own(&own.name));
    types.patches.retain(|own| is_own(&own.name));
    // Nobody changes an item but its service, which knows only the present one.
    types.drafts.clear();
    errors.retain(|own| is_own(&own.name));
    let text = json!([types.records, types.lists, types.patches, types.ids]).to_string();
    types.defaults.retain(|own| text.contains(&own.function));
    types.patterns.retain(|own| text.contains(&own.name));
    same = same.iter().map(|name| name.trim_start_matches(USER).to_owned()).collect();
    same
}

/// Every type of a contract, be it shared or not.
fn everything(
    model: &Model,
    scope: &Scope,
    service: &Service,
    types: &mut Types,
    mut wire: Option<&mut crate::contracts::wire::WireLock>,
) {
    for item in scope.uses(&service.name) {
        types.add(model, item, wire.as_deref_mut());
    }
    for resource in service.resources.values() {
        resources::add_verbs(types, model, &shape::of_service(service, &resource.name), resource);
    }
    contract::add_bodies(types, model, service);
}

/// Each type, as it is written.
fn written(types: &Types, errors: &[ErrorView]) -> BTreeMap<String, String> {
    fn all<T: Serialize>(list: &[T]) -> Vec<Value> {
        list.iter().map(|view| json!(view)).collect()
    }
    let views = [
        all(&types.ids),
        all(&types.enums),
        all(&types.unions),
        all(&types.records),
        all(&types.lists),
        all(&types.patches),
        all(errors),
    ];
    let named = |view: Value| Some((view["name"].as_str()?.to_owned(), view.to_string()));
    views.into_iter().flatten().filter_map(named).collect()
}

/// What is written the same and mentions only such.
fn same(
    now: &BTreeMap<String, String>,
    then: &BTreeMap<String, String>,
    is_own: impl Fn(&String) -> bool,
) -> BTreeSet<String> {
    let alike = |(name, text): &(&String, &String)| now.get(*name) == Some(*text) && !is_own(name);
    let mut same: BTreeSet<String> = then.iter().filter(alike).map(|(name, _)| name.clone()).collect();
    loop {
        let differs = |name: &String| {
            then.get(name)
                .is_some_and(|text| mentioned(text).any(|other| then.contains_key(&other) && !same.contains(&other)))
        };
        let gone: Vec<String> = same.iter().filter(|name| differs(name)).cloned().collect();
        if gone.is_empty() {
            return same;
        }
        gone.iter().for_each(|name| _ = same.remove(name));
    }
}

/// The type names of the design in a text, marked.
fn mentioned(text: &str) -> impl Iterator<Item = String> {
    text.split(USER).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        format!("{USER}{}", &rest[..end])
    })
}
