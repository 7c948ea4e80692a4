//! An old version over the present one: what goes up and what comes down, as far as the design says it.
//!
//! Types of the old contract that are as they are now pass through. Each pair that differs has a function of the trait
//! `Mapping`, with a body where names, defaults and `map` say all of it; the others are the user's.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;

use crate::{
    contracts::shape,
    fit,
    model::{Field, Model, OldVersion, Operation, Output, Resource, Service, Shape, StreamItem, Type, Verb},
    names,
};

mod lists;
mod values;

use super::{
    contract,
    imports::USER,
    operations::{self, OperationView},
    resources,
    rust::{self, user},
};
use values::place;

/// What `contract/src/adapter.rs` and `service/src/version.rs` see.
#[derive(Serialize)]
pub struct View {
    version: u32,
    service: String,
    service_trait: String,
    /// The old contract and the present one, as Rust names them.
    contract: String,
    present: String,
    present_trait: String,
    pub conversions: Vec<Conversion>,
    /// What the present service cannot do: the user writes the whole operation.
    pub gone: Vec<OperationView>,
    operations: Vec<Adapted>,
    /// There is a trait to implement.
    pub mapped: bool,
    validates: bool,
    streams: bool,
    #[serde(skip)]
    pub kept: Kept,
}

/// By resource that was different: the members that a change of then changes now.
pub type Kept = BTreeMap<String, BTreeSet<String>>;

/// A function of the trait.
#[derive(Serialize)]
pub struct Conversion {
    docs: String,
    pub function: String,
    /// `, old: NewOrder`
    parameters: String,
    result: String,
    body: Vec<String>,
    /// The design says all of it.
    pub said: bool,
}

#[derive(Serialize)]
struct Adapted {
    #[serde(flatten)]
    operation: OperationView,
    body: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the old contract to the present one.
    Up,
    Down,
}

/// What a function is called and takes.
struct Function<'a> {
    name: String,
    way: Way,
    from: Option<&'a str>,
    to: &'a str,
    fallible: bool,
    /// The item as it is now, if it is given too.
    now: Option<String>,
}

/// Members of a record, each with its value where the design says one, else one to begin with.
type Members = Vec<(String, Result<String, String>)>;

/// The adapter of an old version. `then` is the system of the time, `taken_over` the types that are as they are now.
pub fn view(
    now: &Model,
    then: &Model,
    old: &OldVersion,
    service_trait: String,
    present_trait: &str,
    taken_over: &BTreeSet<String>,
) -> Option<View> {
    let service = then.services.get(&old.service.name)?;
    let present = now.services.get(&service.name)?;
    let crate_name = contract::ident(present);
    let mut adapter = Adapter {
        now,
        then,
        old,
        service,
        present,
        path: format!("{crate_name}::"),
        taken_over,
        conversions: IndexMap::new(),
    };
    let mut gone = Vec::new();
    let mut adapted = Vec::new();
    for operation in service.operations.values() {
        let view = operations::view(then, service, operation);
        let body = present.operations.get(&operation.name).and_then(|now| adapter.operation(operation, &view, now));
        let body = body.unwrap_or_else(|| {
            gone.push(operations::view(then, service, operation));
            vec![format!("self.mapping.{}(cx{}).await", view.method, view.arguments)]
        });
        adapted.push(Adapted { operation: view, body });
    }
    let names = || service.resources.keys().filter(|name| !taken_over.contains(*name));
    let kept = names().filter_map(|name| Some((name.clone(), adapter.kept(name)?))).collect();
    let conversions: Vec<Conversion> = adapter.conversions.into_values().collect();
    Some(View {
        version: service.version,
        service: service.name.clone(),
        service_trait,
        contract: contract::ident(service),
        present_trait: format!("{crate_name}::{present_trait}"),
        present: crate_name,
        mapped: !(conversions.is_empty() && gone.is_empty()),
        validates: adapted.iter().any(|adapted| adapted.body.iter().any(|line| line.ends_with(".check()?;"))),
        streams: adapted.iter().any(|adapted| adapted.body.iter().any(|line| line.contains(".map_ok("))),
        kept,
        conversions,
        gone,
        operations: adapted,
    })
}

struct Adapter<'m> {
    now: &'m Model,
    then: &'m Model,
    old: &'m OldVersion,
    service: &'m Service,
    present: &'m Service,
    /// `orders_contract::`
    path: String,
    taken_over: &'m BTreeSet<String>,
    conversions: IndexMap<String, Conversion>,
}

impl Adapter<'_> {
    /// The body of an operation; `None` if what it does now is too different.
    fn operation(&mut self, then: &Operation, view: &OperationView, now: &Operation) -> Option<Vec<String>> {
        let present = operations::view(self.now, self.present, now);
        if view.stream != present.stream || view.error != present.error || self.differs(&view.error) {
            return None;
        }
        let mut lines = Vec::new();
        let mut arguments = String::new();
        for param in &present.params {
            let own = view.params.iter().find(|own| own.name == param.name);
            if let Some(up) = self.up(then, now, &param.name, own.map(|own| own.ty.as_str()), &param.ty)? {
                let mut argument = own.map_or("", |own| own.name.as_str()).to_owned();
                if param.name == "draft"
                    && let Some(read) = self.base(now)
                {
                    lines.extend(read);
                    argument += ", now";
                }
                lines.push(format!("let {} = self.mapping.{up}({argument})?;", param.name));
                lines.push(format!("{}.check()?;", param.name));
            }
            arguments += &format!(", {}", param.name);
        }
        let call = format!("self.present.{}(cx{arguments}).await", present.method);
        match self.down(then, now, view, &present)? {
            Down::Same => lines.push(call),
            Down::Nothing => lines.extend([format!("{call}?;"), "Ok(())".into()]),
            Down::Made(function) => lines.extend([format!("{call}?;"), format!("Ok(self.mapping.{function}())")]),
            Down::Item(function) => {
                lines.extend([format!("let answer = {call}?;"), format!("Ok(self.mapping.{function}(answer))")])
            }
            Down::Page(page, function) => lines.extend([
                format!("let page = {call}?;"),
                format!("let items = page.items.into_iter().map(|item| self.mapping.{function}(item)).collect();"),
                format!("Ok({page} {{ items, next: page.next }})"),
            ]),
            Down::Stream(function) => lines.extend([
                "let mapping = self.mapping.clone();".to_owned(),
                format!("let answers = {call}?;"),
                format!("Ok(Box::pin(answers.map_ok(move |answer| mapping.{function}(answer))))"),
            ]),
        }
        Some(lines)
    }

    /// The statements that read the item which a replace is of. What an old version cannot say of it stays as it was read,
    /// so nobody may have changed it in between.
    fn base(&self, now: &Operation) -> Option<[String; 2]> {
        let Shape::Verb { verb: Verb::Replace, resource } = &now.shape else { return None };
        let resource = self.present.resources.get(resource)?;
        let is_get = |operation: &&Operation| matches!(&operation.shape, Shape::Verb { verb: Verb::Get, resource: of } if *of == resource.name);
        let get = self.present.operations.values().find(is_get).filter(|get| get.errors.is_empty())?;
        let call = format!("self.present.{}(&cx.part(), id.clone()).await", names::rust::ident(&get.name));
        Some(match shape::is_natural(resource) {
            false => [format!("let now = {call}?;"), "let etag = etag.or(Some(now.etag));".into()],
            true => [
                format!("let now = kit::if_there({call})?;"),
                "let etag = etag.or_else(|| now.as_ref().map(|now| now.etag));".into(),
            ],
        })
    }

    /// The function that makes an argument of now; `Some(None)`: it is the same.
    fn up(
        &mut self,
        then: &Operation,
        now: &Operation,
        name: &str,
        from: Option<&str>,
        to: &str,
    ) -> Option<Option<String>> {
        if from == Some(to) && !self.differs(to) {
            return Some(None);
        }
        let function = |name: String| Function { name, way: Way::Up, from, to, fallible: true, now: None };
        if let Shape::Verb { verb, resource } = &now.shape {
            let (old, new) = (self.service.resources.get(resource)?, self.present.resources.get(resource)?);
            let of = shape::of_service(self.service, resource);
            let snake = names::snake(resource);
            let map = self.map(resource);
            let (function, members) = match verb {
                Verb::List => {
                    let function = function(format!("{}_up", operations::view(self.now, self.present, now).name));
                    (function, self.list(old, new, &map)?)
                }
                Verb::Create => {
                    let fields = |of_it: &Resource| resources::with_id(&shape::new_fields(of_it), of_it, &of);
                    (function(format!("new_{snake}_up")), self.members(Way::Up, &fields(old), &fields(new), &map))
                }
                Verb::Replace => {
                    let (old_fields, fields) = (shape::draft_fields(old), shape::draft_fields(new));
                    let mut members = self.members(Way::Up, &old_fields, &fields, &map);
                    let mut function = function(format!("{snake}_draft_up"));
                    if self.base(now).is_some() {
                        let item = format!("{}{resource}", self.path);
                        let is_there = !shape::is_natural(new);
                        let then = |field: &Field| {
                            let path = map.get(&field.name).unwrap_or(&field.name);
                            place(self.then, "old", &old_fields, path).is_some()
                        };
                        for ((_, value), field) in members.iter_mut().zip(&fields).filter(|(_, field)| !then(field)) {
                            let place = format!("now.{}", names::rust::ident(&field.name));
                            // Nobody said that it goes.
                            let copied =
                                if rust::is_copy(&field.ty) { place.clone() } else { format!("{place}.clone()") };
                            *value = match (is_there, &field.ty, &value) {
                                (true, ..) => Ok(place),
                                (false, Type::Optional(_), _) => Ok(format!("now.as_ref().and_then(|now| {copied})")),
                                (false, _, Ok(otherwise)) => {
                                    Ok(format!("now.as_ref().map_or({otherwise}, |now| {copied})"))
                                }
                                (false, _, Err(_)) => continue,
                            };
                        }
                        function.now = Some(if is_there { item } else { format!("Option<{item}>") });
                    }
                    (function, members)
                }
                Verb::Patch => {
                    let (old, new) = (shape::draft_fields(old), shape::draft_fields(new));
                    (function(format!("{snake}_patch_up")), self.patch(&old, &new, &map))
                }
                Verb::Get | Verb::Delete => return None,
            };
            return Some(Some(self.add(function, members)));
        }
        if name != "input" || to.contains("Stream<") || from.is_some_and(|from| from.contains("Stream<")) {
            return None;
        }
        let fields = |model: &Model, operation: &Operation| shape::input_fields(model, operation);
        let (old, new) = (fields(self.then, then), fields(self.now, now));
        let members = self.members(Way::Up, &old, &new, &self.map(&now.name));
        Some(Some(self.add(function(format!("{}_up", now.name)), members)))
    }

    fn down(
        &mut self,
        then: &Operation,
        now: &Operation,
        view: &OperationView,
        present: &OperationView,
    ) -> Option<Down> {
        let is_page = matches!(then.shape, Shape::Verb { verb: Verb::List, .. });
        if view.output == present.output && !(self.differs(&view.output)) {
            return Some(Down::Same);
        }
        if view.output == "()" {
            return Some(Down::Nothing);
        }
        let item = |shape: &Shape, service: &Service| match shape {
            Shape::Verb { resource, .. } => Some(shape::of_service(service, resource)),
            Shape::Custom { of: Some(of), output: Output::Item, .. } => Some(shape::of_service(service, of)),
            Shape::Custom { output: Output::Resource(of) | Output::Stream(StreamItem::Resource(of)), .. } => {
                Some(of.clone())
            }
            Shape::Custom { .. } => None,
        };
        let function = match (item(&then.shape, self.service), item(&now.shape, self.present)) {
            (Some(old), Some(new)) if old == new && old.service == self.service.name => self.item(&old.resource)?,
            _ => {
                let to = &view.output;
                let from = (present.output != "()").then_some(present.output.as_str());
                let (new, old) = (outputs(self.now, now)?, outputs(self.then, then)?);
                let function = Function {
                    name: format!("{}_down", now.name),
                    way: Way::Down,
                    from,
                    to,
                    fallible: false,
                    now: None,
                };
                let members = self.members(Way::Down, &new, &old, &self.map(&now.name));
                self.add(function, members)
            }
        };
        Some(match (is_page, view.stream, present.output == "()") {
            (true, ..) => Down::Page(view.output.clone(), function),
            (_, true, _) => Down::Stream(function),
            (_, _, true) => Down::Made(function),
            _ => Down::Item(function),
        })
    }

    /// The function that takes an item down.
    fn item(&mut self, resource: &str) -> Option<String> {
        let name = format!("{}_down", names::snake(resource));
        if self.conversions.contains_key(&name) {
            return Some(name);
        }
        let (old, new) = (self.service.resources.get(resource)?, self.present.resources.get(resource)?);
        let of = shape::of_service(self.service, resource);
        let (new, old) = (resources::typed(new, &of), resources::typed(old, &of));
        let mut members = self.members(Way::Down, &new, &old, &self.map(resource));
        members.push(("etag".into(), Ok("now.etag".into())));
        let ty = user(resource);
        Some(self.add(Function { name, way: Way::Down, from: Some(&ty), to: &ty, fallible: false, now: None }, members))
    }

    /// What may be changed about an item of then, and comes back as it was given.
    fn kept(&mut self, resource: &str) -> Option<BTreeSet<String>> {
        let (old, new) = (self.service.resources.get(resource)?, self.present.resources.get(resource)?);
        let (old, new) = (shape::draft_fields(old), shape::draft_fields(new));
        let map = self.map(resource);
        let kept = old.iter().filter(|field| {
            let now = map.iter().find(|(_, path)| **path == field.name).map_or(&field.name, |(now, _)| now);
            let found = new.iter().find(|own| own.name == *now);
            found.is_some_and(|now| {
                self.member(Way::Up, now, &old, &map).is_ok() && self.member(Way::Down, field, &new, &map).is_ok()
            })
        });
        Some(kept.map(|field| field.name.clone()).collect())
    }

    fn map(&self, of: &str) -> IndexMap<String, String> {
        self.old.maps.get(of).cloned().unwrap_or_default()
    }

    /// Whether a type mentions any that was something else, or was not there.
    fn differs(&self, ty: &str) -> bool {
        let names = ty.split(USER).skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next());
        names.flatten().any(|name| !self.taken_over.contains(name))
    }
}

/// How an answer comes down.
enum Down {
    Same,
    /// Then there was none.
    Nothing,
    /// Now there is none.
    Made(String),
    Item(String),
    /// The type of the page, and the function of its items.
    Page(String, String),
    Stream(String),
}

/// The fields of what an operation answers, if that is a record.
fn outputs(model: &Model, operation: &Operation) -> Option<Vec<Field>> {
    let Shape::Custom { output, .. } = &operation.shape else { return None };
    match output {
        Output::None => Some(Vec::new()),
        Output::Fields(fields) => Some(fields.clone()),
        Output::Named(name) | Output::Stream(StreamItem::Named(name)) => {
            fit::record(model, name).map(|record| record.fields.clone())
        }
        Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => {
            shape::resource(model, of).map(|resource| resources::typed(resource, of))
        }
        Output::Item => None,
    }
}
