//! An old version over the present one: what goes up and what comes down, as far as the design says it.
//!
//! Types of the old contract that are as they are now pass through. Each pair that differs has a function of the trait
//! `Mapping`, with a body where names, defaults and `map` say all of it; the others are the user's.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;

use crate::{
    contracts::shape,
    model::{Field, Model, OldVersion, Operation, Output, Resource, Service, Shape, StreamItem, Type, TypeRef, Verb},
    names,
};

use super::{
    contract, examples,
    imports::USER,
    operations::{self, OperationView},
    resources,
    rust::{self, user},
    types::default_value,
};

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
                let argument = own.map_or("", |own| own.name.as_str());
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
        let function = |name: String| Function { name, way: Way::Up, from, to, fallible: true };
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
                    let (old, new) = (shape::draft_fields(old), shape::draft_fields(new));
                    (function(format!("{snake}_draft_up")), self.members(Way::Up, &old, &new, &map))
                }
                Verb::Patch => {
                    let (old, new) = (shape::draft_fields(old), shape::draft_fields(new));
                    (function(format!("{snake}_patch_up")), self.patch(&old, &new, &map))
                }
                Verb::Get | Verb::Delete => return None,
            };
            return Some(Some(self.add(function, members)));
        }
        if name != "input" {
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
                let fields =
                    |model: &Model, service: &Service, operation: &Operation| outputs(model, service, operation);
                let (new, old) = (fields(self.now, self.present, now)?, fields(self.then, self.service, then)?);
                let function =
                    Function { name: format!("{}_down", now.name), way: Way::Down, from, to, fallible: false };
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
        Some(self.add(Function { name, way: Way::Down, from: Some(&ty), to: &ty, fallible: false }, members))
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

    fn members(&mut self, way: Way, from: &[Field], to: &[Field], map: &IndexMap<String, String>) -> Members {
        let mut members: Members =
            to.iter().map(|field| (field.name.clone(), self.member(way, field, from, map))).collect();
        let values: Vec<String> = members.iter().filter_map(|(_, value)| value.clone().ok()).collect();
        for (_, value) in &mut members {
            // What is used once is moved.
            if let Ok(value) = value
                && let Some(place) = value.strip_suffix(".clone()")
                && values.iter().filter(|other| examples_mention(other, place)).count() == 1
            {
                *value = place.to_owned();
            }
        }
        members
    }

    fn member(
        &mut self,
        way: Way,
        field: &Field,
        from: &[Field],
        map: &IndexMap<String, String>,
    ) -> Result<String, String> {
        let path = match way {
            Way::Up => map.get(&field.name).cloned(),
            Way::Down => map.iter().find(|(_, path)| **path == field.name).map(|(now, _)| now.clone()),
        };
        let path = path.unwrap_or_else(|| field.name.clone());
        let to_path = if way == Way::Up { self.path.clone() } else { String::new() };
        let otherwise = || examples::value(if way == Way::Up { self.now } else { self.then }, field, &[], &to_path);
        let root = if way == Way::Up { "old" } else { "now" };
        let found = place(if way == Way::Up { self.then } else { self.now }, root, from, &path);
        match (found, &field.ty, &field.default) {
            (Some((place, ty)), ..) => self.converted(way, &place, &ty, &field.ty).ok_or_else(otherwise),
            (None, Type::Optional(_), _) => Ok("None".into()),
            (None, ty, Some(default)) => Ok(default_value(ty, default).replace(USER, &to_path_or_mark(&to_path))),
            (None, _, None) => Err(otherwise()),
        }
    }

    /// A value of one side as one of the other.
    fn converted(&mut self, way: Way, place: &str, from: &Type, to: &Type) -> Option<String> {
        let (from_text, to_text) = (rust::ty(from), rust::ty(to));
        if !self.differs(&from_text) && !self.differs(&to_text) {
            let path = if way == Way::Up { self.path.as_str() } else { "" };
            // What is bounded otherwise is judged when it is up.
            let alike = || (way == Way::Up && from_text == to_text).then(|| format!("{place}.clone()"));
            return examples::converted(self.now, place, from, to, path).or_else(alike);
        }
        let each = |value: String| match value.strip_suffix("(value)") {
            Some(_) | None => format!("|value| {value}"),
        };
        match (from, to) {
            (Type::Optional(from), Type::Optional(to)) => {
                Some(format!("{place}.map({})", each(self.converted(way, "value", from, to)?)))
            }
            (from, Type::Optional(to)) => Some(format!("Some({})", self.converted(way, place, from, to)?)),
            (Type::List { item: from, .. }, Type::List { item: to, .. }) => {
                let value = each(self.converted(way, "value", from, to)?);
                Some(format!("{place}.into_iter().map({value}).collect()"))
            }
            (Type::Named(from), Type::Named(to)) if from == to => {
                Some(format!("self.{}({place})", self.choice(way, from)?))
            }
            (Type::Resource(from), Type::Resource(to)) if from == to && way == Way::Down => {
                Some(format!("self.{}({place})", self.item(&from.resource)?))
            }
            _ => None,
        }
    }

    /// The function between the values of an enum written in a field.
    fn choice(&mut self, way: Way, of: &TypeRef) -> Option<String> {
        let (old, new) = (self.service.enums.get(&of.name)?, self.present.enums.get(&of.name)?);
        let (from, to) = if way == Way::Up { (old, new) } else { (new, old) };
        let variant = |value: &String| rust::variant(&names::rust::variant(value));
        let said = from.values.iter().all(|value| to.values.contains(value));
        let first = to.values.first().cloned().unwrap_or_default();
        let pairs = from.values.iter().map(|value| {
            let kept = if to.values.contains(value) { value } else { &first };
            (variant(value), variant(kept))
        });
        Some(self.alternatives(way, &of.name, pairs.collect(), said))
    }

    fn alternatives(&mut self, way: Way, name: &str, pairs: Vec<(String, String)>, said: bool) -> String {
        let (own, theirs) = (user(name), format!("{}{name}", self.path));
        let (from, to, parameter, end) = match way {
            Way::Up => (own, theirs, "old", "up"),
            Way::Down => (theirs, own, "now", "down"),
        };
        let mut body = vec![format!("match {parameter} {{")];
        body.extend(pairs.iter().map(|(old, new)| format!("    {from}::{old} => {to}::{new},")));
        body.push(format!("    {from}::Unrecognised(text) => {to}::Unrecognised(text),"));
        body.push("}".into());
        if !said {
            body.insert(0, "// Yours: what a value becomes that only one version has.".into());
        }
        let function = format!("{}_{end}", names::snake(name));
        let docs = self.docs(way, name);
        let conversion = Conversion {
            docs,
            function: function.clone(),
            parameters: format!(", {parameter}: {from}"),
            result: to,
            body,
            said,
        };
        self.conversions.insert(function.clone(), conversion);
        function
    }

    /// The members of what `list` takes.
    fn list(&mut self, old: &Resource, new: &Resource, map: &IndexMap<String, String>) -> Option<Members> {
        let mut members: Members = ["limit", "cursor"].map(|name| (name.into(), Ok(format!("old.{name}")))).into();
        let renamed = |path: &str| {
            let (head, rest) = path.split_once('.').map_or((path, ""), |(head, rest)| (head, rest));
            let head = map.get(head).map_or(head, String::as_str);
            if rest.is_empty() { head.to_owned() } else { format!("{head}.{rest}") }
        };
        if !new.sort.is_empty() {
            let sort = format!("{}Sort", new.name);
            let value = match (old.sort.is_empty(), self.differs(&user(&sort))) {
                (true, _) => "Vec::new()".to_owned(),
                (false, false) => "old.sort".to_owned(),
                (false, true) => {
                    let known = shape::sorts(old);
                    let variant = |path: &str| rust::variant(&names::upper_camel(&path.replace('.', "_")));
                    let pairs = shape::sorts(new).into_iter().filter(|path| known.contains(&renamed(path)));
                    let pairs = pairs.flat_map(|path| {
                        let (old, new) = (variant(&renamed(&path)), variant(&path));
                        [(old.clone(), new.clone()), (old + "Descending", new + "Descending")]
                    });
                    let pairs = pairs.collect();
                    let function = self.alternatives(Way::Up, &sort, pairs, true);
                    format!("old.sort.into_iter().map(|sort| self.{function}(sort)).collect()")
                }
            };
            members.push(("sort".into(), Ok(value)));
        }
        let olds = shape::filters(old);
        for filter in shape::filters(new) {
            let own = olds.iter().find(|own| own.path == renamed(&filter.path));
            let name = |suffix: &str| format!("{}{suffix}", filter.name);
            let value = match own {
                Some(own) => {
                    let place = format!("old.{}", names::rust::ident(&own.name));
                    let value = self.converted(Way::Up, &place, &own.any(), &filter.any());
                    value.map(|value| moved(&value)).ok_or_else(|| "Vec::new()".to_owned())
                }
                None => Ok("Vec::new()".to_owned()),
            };
            members.push((filter.name.clone(), value));
            if !filter.ordered {
                continue;
            }
            for comparison in shape::COMPARISONS {
                let one = |ty: &Type| Type::Optional(Box::new(ty.clone()));
                let value = match own.filter(|own| own.ordered) {
                    Some(own) => {
                        let place = format!("old.{}", names::rust::ident(&format!("{}_{comparison}", own.name)));
                        let value = self.converted(Way::Up, &place, &one(&own.ty), &one(&filter.ty));
                        value.map(|value| moved(&value)).ok_or_else(|| "None".to_owned())
                    }
                    None => Ok("None".to_owned()),
                };
                members.push((name(&format!("_{comparison}")), value));
            }
        }
        Some(members)
    }

    /// The members of a patch: what only the present has, stays as it is.
    fn patch(&self, old: &[Field], new: &[Field], map: &IndexMap<String, String>) -> Members {
        let member = |field: &Field| {
            let name = map.get(&field.name).unwrap_or(&field.name);
            let value = match old.iter().find(|own| own.name == *name) {
                Some(own) if rust::ty(&own.ty) == rust::ty(&field.ty) && !self.differs(&rust::ty(&field.ty)) => {
                    Ok(format!("old.{}", names::rust::ident(name)))
                }
                None if !name.contains('.') => Ok("None".to_owned()),
                _ => Err("None".to_owned()),
            };
            (field.name.clone(), value)
        };
        new.iter().map(member).collect()
    }

    fn docs(&self, way: Way, name: &str) -> String {
        let version = self.service.version;
        match way {
            Way::Up => format!("`{name}` of version {version}, as it is now."),
            Way::Down => format!("`{name}`, as it was in version {version}."),
        }
    }

    /// Adds the function that makes a record.
    fn add(&mut self, Function { name, way, from, to, fallible }: Function<'_>, members: Members) -> String {
        let theirs = |ty: &str| ty.replace(USER, &self.path);
        let (from, to, parameter) = match way {
            Way::Up => (from.map(str::to_owned), theirs(to), "old"),
            Way::Down => (from.map(theirs), to.to_owned(), "now"),
        };
        let said = members.iter().all(|(_, value)| value.is_ok());
        let mut body = Vec::new();
        let open: Vec<String> =
            members.iter().filter(|(_, value)| value.is_err()).map(|(name, _)| format!("`{name}`")).collect();
        if !said {
            body.push(format!("// Yours: the value of {}. This is an example.", open.join(", ")));
        }
        let fields = members.into_iter().map(|(name, value)| {
            let value = value.unwrap_or_else(|example| example);
            examples::member(&name, &value)
        });
        let record = format!("{to} {{ {} }}", fields.collect::<Vec<_>>().join(", "));
        let uses = record.contains(&format!("{parameter}."));
        body.push(if fallible { format!("Ok({record})") } else { record });
        let parameter = if uses { parameter.to_owned() } else { format!("_{parameter}") };
        let short = to.rsplit([USER, ':']).next().unwrap_or_default().to_owned();
        let conversion = Conversion {
            docs: self.docs(way, &short),
            function: name.clone(),
            parameters: from.map_or_else(String::new, |from| format!(", {parameter}: {from}")),
            result: if fallible { format!("Result<{to}, Failure>") } else { to },
            body,
            said,
        };
        self.conversions.insert(name.clone(), conversion);
        name
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
fn outputs(model: &Model, _service: &Service, operation: &Operation) -> Option<Vec<Field>> {
    let Shape::Custom { output, .. } = &operation.shape else { return None };
    match output {
        Output::None => Some(Vec::new()),
        Output::Fields(fields) => Some(fields.clone()),
        Output::Named(name) | Output::Stream(StreamItem::Named(name)) => {
            crate::fit::record(model, name).map(|record| record.fields.clone())
        }
        Output::Resource(of) | Output::Stream(StreamItem::Resource(of)) => {
            shape::resource(model, of).map(|resource| resources::typed(resource, of))
        }
        Output::Item => None,
    }
}

/// Where a path leads from the fields of a variable: through required records.
fn place(model: &Model, root: &str, fields: &[Field], path: &str) -> Option<(String, Type)> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let field = fields.iter().find(|field| field.name == head)?;
    let here = format!("{root}.{}", names::rust::ident(head));
    match (rest, &field.ty) {
        (None, ty) => Some((here, ty.clone())),
        (Some(rest), Type::Named(of)) if of.service.is_none() => {
            place(model, &here, &crate::fit::record(model, &of.name)?.fields, rest)
        }
        (Some(_), _) => None,
    }
}

/// Whether an expression takes something from a place, or from what that is in.
fn examples_mention(expression: &str, place: &str) -> bool {
    let head: String = place.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    expression
        .match_indices(&head)
        .any(|(at, _)| !expression[at + head.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

fn moved(value: &str) -> String {
    value.strip_suffix(".clone()").unwrap_or(value).to_owned()
}

fn to_path_or_mark(path: &str) -> String {
    if path.is_empty() { USER.to_string() } else { path.to_owned() }
}
