//! What every name in a design stands for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checker, versions};
use crate::{
    design::{Design, Reference, Resource, Service, Verb, Word},
    diagnostic::{Diagnostic, nearest},
    model::{EventRef, OperationRef, ResourceRef},
    names,
    source::Spanned,
};

/// Names to their owners.
pub(super) struct Symbols<'d> {
    services: BTreeSet<&'d str>,
    externals: BTreeSet<&'d str>,
    /// Owners whose table could not be read: they may own anything.
    opaque: BTreeSet<&'d str>,
    /// Names may be declared where nothing could be read: one that is not found is not worth a report.
    incomplete: bool,
    resources: BTreeMap<String, Vec<&'d str>>,
    events: BTreeMap<String, Vec<&'d str>>,
    /// Commands, queries, and the verbs that resources have.
    operations: BTreeMap<String, Vec<&'d str>>,
    /// Operations that a resource would have with one verb more: name and owner to that verb and resource.
    absent: BTreeMap<(String, &'d str), (Verb, &'d str)>,
    /// Resources and verbs that only versions before have, by owner and name, and the last such version.
    gone: BTreeMap<(&'d str, String), u32>,
    types: BTreeSet<&'d str>,
}

/// What a reference looks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sought {
    Resource,
    Event,
    Operation,
}

impl Sought {
    /// How one is declared.
    fn declare(self, owner: &str, name: &str) -> String {
        let table = match self {
            Self::Resource => "resources",
            Self::Event => "events",
            Self::Operation => "commands",
        };
        format!("declare it: `[services.{owner}.{table}.{name}]`")
    }

    fn what(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Event => "event",
            Self::Operation => "operation",
        }
    }
}

impl<'d> Symbols<'d> {
    /// The names of a design, in which a service may be as it was in a version.
    pub(super) fn of(design: &'d Design, at: Option<(&str, u32)>) -> Self {
        let mut symbols = Self {
            services: design.services.keys().map(String::as_str).collect(),
            externals: design.externals.keys().map(String::as_str).collect(),
            opaque: BTreeSet::new(),
            incomplete: design.incomplete,
            resources: BTreeMap::new(),
            events: BTreeMap::new(),
            operations: BTreeMap::new(),
            absent: BTreeMap::new(),
            gone: BTreeMap::new(),
            types: design.types.keys().map(String::as_str).collect(),
        };
        for (name, service) in &design.services {
            let operations = service.queries.keys().chain(service.commands.keys());
            symbols.add(name, service.head.not_a_table, operations, service.events.keys(), &service.resources);
            symbols.add_gone(name, service, versions::which(at, name, service));
        }
        for (name, external) in &design.externals {
            let operations = external.queries.keys().chain(external.commands.keys());
            let opaque = external.head.not_a_table || external.openapi.is_some();
            symbols.add(name, opaque, operations, external.events.keys(), &external.resources);
        }
        symbols
    }

    fn add(
        &mut self,
        owner: &'d str,
        opaque: bool,
        operations: impl Iterator<Item = &'d String>,
        events: impl Iterator<Item = &'d String>,
        resources: &'d indexmap::IndexMap<String, Resource>,
    ) {
        if opaque {
            self.opaque.insert(owner);
        }
        let put = |table: &mut BTreeMap<String, Vec<&'d str>>, name: &str| {
            let owners = table.entry(name.to_owned()).or_default();
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        };
        operations.for_each(|name| put(&mut self.operations, name));
        events.for_each(|name| put(&mut self.events, name));
        for (name, resource) in resources {
            put(&mut self.resources, name);
            let plural = plural(resource, name);
            for verb in Verb::ALL {
                let operation = names::verb_operation(verb, name, &plural);
                // Unreadable verbs: any of them may be meant.
                if resource.verbs.as_ref().is_none_or(|verbs| verbs.value.iter().any(|v| v.value == verb)) {
                    put(&mut self.operations, &operation);
                } else {
                    self.absent.insert((operation, owner), (verb, name));
                }
            }
        }
    }

    fn add_gone(&mut self, owner: &'d str, service: &'d Service, version: u32) {
        let ended = |until: &Option<Spanned<u32>>| until.as_ref().map(|until| until.value).filter(|it| *it < version);
        for (name, operation) in service.queries.iter().chain(&service.commands) {
            self.gone.extend(ended(&operation.until).map(|until| ((owner, name.clone()), until)));
        }
        for (name, resource) in &service.resources {
            let Some(until) = ended(&resource.until) else { continue };
            let plural = plural(resource, name);
            let verbs = resource.verbs.iter().flat_map(|verbs| &verbs.value);
            let verbs = verbs.map(|verb| names::verb_operation(verb.value, name, &plural));
            self.gone.extend(verbs.chain([name.clone()]).map(|name| ((owner, name), until)));
        }
    }

    /// The last version of a service that has a resource or an operation, if that is over.
    pub(super) fn gone_after(&self, owner: &str, name: &str) -> Option<u32> {
        self.gone.get(&(owner, name.to_owned())).copied()
    }

    pub(super) fn is_service(&self, name: &str) -> bool {
        self.services.contains(name)
    }

    pub(super) fn is_external(&self, name: &str) -> bool {
        self.externals.contains(name)
    }

    pub(super) fn is_event(&self, name: &str) -> bool {
        self.events.contains_key(name)
    }

    /// Whether a reference with an owner is to an event.
    pub(super) fn is_event_of(&self, reference: &Reference) -> bool {
        let owners = self.events.get(&reference.name);
        reference.owner.as_deref().is_some_and(|owner| owners.is_some_and(|owners| owners.contains(&owner)))
    }

    pub(super) fn is_operation(&self, name: &str) -> bool {
        self.operations.contains_key(name)
    }

    /// All events, each once.
    pub(super) fn events(&self) -> impl Iterator<Item = &str> {
        self.events.keys().map(String::as_str)
    }

    pub(super) fn is_resource(&self, name: &str) -> bool {
        self.resources.contains_key(name)
    }

    /// Services and externals.
    pub(super) fn owners(&self) -> impl Iterator<Item = &'d str> {
        self.services.iter().chain(&self.externals).copied()
    }

    fn table(&self, sought: Sought) -> &BTreeMap<String, Vec<&'d str>> {
        match sought {
            Sought::Resource => &self.resources,
            Sought::Event => &self.events,
            Sought::Operation => &self.operations,
        }
    }

    /// The service that owns what `reference` names, seen from inside `home`. `Err(None)`: there is nothing to say,
    /// either because it was said elsewhere or because an external owns it.
    fn owner(
        &self,
        sought: Sought,
        reference: &Spanned<Reference>,
        home: Option<&str>,
    ) -> Result<&'d str, Option<Diagnostic>> {
        let Reference { owner, name } = &reference.value;
        let owners = self.table(sought).get(name).map_or(&[][..], Vec::as_slice);
        let found = match owner {
            Some(owner) => match owners.iter().find(|o| *o == owner) {
                Some(found) => *found,
                None => return Err(self.not_owned(sought, reference, owner)),
            },
            None => match (owners.iter().find(|o| Some(**o) == home), owners) {
                (Some(home), _) => home,
                (None, [one]) => one,
                (None, []) => return Err(self.not_found(sought, reference, home)),
                (None, several) => {
                    let choices: Vec<_> = several.iter().map(|owner| format!("`{owner}.{name}`")).collect();
                    let message = format!("`{name}` could be {}", choices.join(" or "));
                    return Err(Some(Diagnostic::new("E402", reference.span.clone(), message).help("write which")));
                }
            },
        };
        if self.externals.contains(found) && !self.services.contains(found) { Err(None) } else { Ok(found) }
    }

    /// The operation that a name stands for, without a word if there is none.
    pub(super) fn operation_of(&self, reference: &Spanned<Reference>, home: &str) -> Option<OperationRef> {
        let service = self.owner(Sought::Operation, reference, Some(home)).ok()?.to_owned();
        Some(OperationRef { service, operation: reference.value.name.clone() })
    }

    fn not_owned(&self, sought: Sought, reference: &Spanned<Reference>, owner: &str) -> Option<Diagnostic> {
        let name = &reference.value.name;
        if self.incomplete || self.opaque.contains(owner) {
            return None;
        }
        if !self.services.contains(owner) && !self.externals.contains(owner) {
            let message = format!("no service or external is called `{}`", names::rules::shown(owner));
            let error = Diagnostic::new("E401", reference.span.clone(), message);
            return Some(error.help(match nearest(owner, self.owners()) {
                Some(meant) => format!("did you mean `{meant}.{name}`?"),
                None => format!("declare it: `[services.{}]`", names::rules::shown(owner)),
            }));
        }
        if self.externals.contains(owner) && !self.services.contains(owner) {
            return None;
        }
        let message = format!("`{owner}` has no {} `{}`", sought.what(), names::rules::shown(name));
        let error = Diagnostic::new("E401", reference.span.clone(), message);
        if let (Sought::Operation, Some((verb, resource))) = (sought, self.absent_verb(name, owner)) {
            return Some(error.help(format!("add `{}` to the verbs of `{resource}`", verb.word())));
        }
        let its =
            self.table(sought).iter().filter(|(_, owners)| owners.contains(&owner)).map(|(name, _)| name.as_str());
        let elsewhere = self.table(sought).get(name).and_then(|owners| owners.first());
        Some(error.help(match (nearest(name, its), elsewhere) {
            (Some(meant), _) => format!("did you mean `{owner}.{meant}`?"),
            (None, Some(other)) => format!("`{other}` has one: `{other}.{name}`"),
            (None, None) if sought == Sought::Resource && self.types.contains(name.as_str()) => {
                format!("types have no owner: write `{name}`")
            }
            (None, None) => sought.declare(owner, &names::rules::shown(name)),
        }))
    }

    fn not_found(&self, sought: Sought, reference: &Spanned<Reference>, home: Option<&str>) -> Option<Diagnostic> {
        let name = &reference.value.name;
        if self.incomplete || !self.opaque.is_empty() {
            return None;
        }
        let message = format!("no {} is called `{}`", sought.what(), names::rules::shown(name));
        let error = Diagnostic::new("E401", reference.span.clone(), message);
        let absent = self.absent.iter().find(|((operation, _), _)| operation == name);
        if let (Sought::Operation, Some((_, (verb, resource)))) = (sought, absent) {
            return Some(error.help(format!("add `{}` to the verbs of `{resource}`", verb.word())));
        }
        let meant = nearest(name, self.table(sought).keys().map(String::as_str));
        Some(error.help(match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if sought == Sought::Resource && self.types.contains(name.as_str()) => {
                format!("`{name}` is a type; only resources have ids to refer to")
            }
            None => sought.declare(home.unwrap_or("<service>"), &names::rules::shown(name)),
        }))
    }

    fn absent_verb(&self, operation: &str, owner: &str) -> Option<(Verb, &'d str)> {
        self.absent.iter().find(|((o, w), _)| o == operation && *w == owner).map(|(_, found)| *found)
    }
}

impl Checker<'_> {
    /// The resource that a name stands for, seen from inside the service `home`.
    pub(super) fn resource(&mut self, reference: &Spanned<Reference>, home: Option<&str>) -> Option<ResourceRef> {
        let service = self.owner(Sought::Resource, reference, home)?;
        Some(ResourceRef { service, resource: reference.value.name.clone() })
    }

    /// The event that a name stands for.
    pub(super) fn event(&mut self, reference: &Spanned<Reference>, home: Option<&str>) -> Option<EventRef> {
        let service = self.owner(Sought::Event, reference, home)?;
        Some(EventRef { service, event: reference.value.name.clone() })
    }

    /// The operation that a name stands for.
    pub(super) fn operation(&mut self, reference: &Spanned<Reference>, home: Option<&str>) -> Option<OperationRef> {
        let service = self.owner(Sought::Operation, reference, home)?;
        Some(OperationRef { service, operation: reference.value.name.clone() })
    }

    fn owner(&mut self, sought: Sought, reference: &Spanned<Reference>, home: Option<&str>) -> Option<String> {
        match self.symbols.owner(sought, reference, home) {
            Ok(service) => {
                self.is_there(sought, reference, service);
                Some(service.to_owned())
            }
            Err(diagnostic) => {
                self.found.extend(diagnostic);
                None
            }
        }
    }

    /// What refers to something is no longer there than that is (E807).
    fn is_there(&mut self, sought: Sought, reference: &Spanned<Reference>, owner: &str) {
        let name = &reference.value.name;
        let Some(until) = self.symbols.gone_after(owner, name).filter(|_| !self.in_past) else { return };
        let help = match sought {
            Sought::Resource => format!(
                "let the operation or resource that needs it end too (`until = {until}`), or write its fields, or the type \
                 of its id"
            ),
            Sought::Operation => "use what is still there".to_owned(),
            // No event is called like a resource of its service.
            Sought::Event => return,
        };
        let message = format!("`{owner}` has `{name}` until version {until}, and this needs it in later ones");
        self.error("E807", &reference.span, message, help);
    }
}

/// The plural of a resource in `UpperCamel`: as the design says, else regular.
pub(super) fn plural(resource: &Resource, name: &str) -> String {
    match &resource.plural {
        Some(plural) => names::upper_camel(&plural.value),
        None => names::plural(name),
    }
}
