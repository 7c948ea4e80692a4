//! Values of one version as those of the other: records by the names of their fields, enums by their values.

use indexmap::IndexMap;

use crate::{
    fit,
    model::{Field, Model, Type, TypeRef},
    names,
};

use super::{
    super::{
        examples,
        imports::USER,
        rust::{self, user},
        types::default_value,
    },
    Adapter, Conversion, Function, Members, Way,
};

impl Adapter<'_> {
    pub(super) fn members(
        &mut self,
        way: Way,
        from: &[Field],
        to: &[Field],
        map: &IndexMap<String, String>,
    ) -> Members {
        let mut members: Members =
            to.iter().map(|field| (field.name.clone(), self.member(way, field, from, map))).collect();
        let values: Vec<String> = members.iter().filter_map(|(_, value)| value.clone().ok()).collect();
        for (_, value) in &mut members {
            // What is used once is moved.
            if let Ok(value) = value
                && let Some(place) = value.strip_suffix(".clone()")
                && values.iter().filter(|other| mentions(other, place)).count() == 1
            {
                *value = place.to_owned();
            }
        }
        members
    }

    pub(super) fn member(
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
            (None, ty, Some(default)) => Ok(default_value(ty, default).replace(USER, &prefix(&to_path))),
            (None, _, None) => Err(otherwise()),
        }
    }

    /// A value of one side as one of the other.
    pub(super) fn converted(&mut self, way: Way, place: &str, from: &Type, to: &Type) -> Option<String> {
        let (from_text, to_text) = (rust::ty(from), rust::ty(to));
        if !self.differs(&from_text) && !self.differs(&to_text) {
            let path = if way == Way::Up { self.path.as_str() } else { "" };
            // What is bounded otherwise is judged when it is up.
            let alike = || (way == Way::Up && from_text == to_text).then(|| format!("{place}.clone()"));
            return examples::converted(self.now, place, from, to, path).or_else(alike);
        }
        let each = |value: String| format!("|value| {value}");
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
    pub(super) fn choice(&mut self, way: Way, of: &TypeRef) -> Option<String> {
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

    pub(super) fn alternatives(&mut self, way: Way, name: &str, pairs: Vec<(String, String)>, said: bool) -> String {
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

    pub(super) fn docs(&self, way: Way, name: &str) -> String {
        let version = self.service.version;
        match way {
            Way::Up => format!("`{name}` of version {version}, as it is now."),
            Way::Down => format!("`{name}`, as it was in version {version}."),
        }
    }

    /// Adds the function that makes a record.
    pub(super) fn add(&mut self, function: Function<'_>, members: Members) -> String {
        let Function { name, way, from, to, fallible, now } = function;
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
        let (uses, looks) = (record.contains(&format!("{parameter}.")), record.contains("now."));
        body.push(if fallible { format!("Ok({record})") } else { record });
        let parameter = if uses { parameter.to_owned() } else { format!("_{parameter}") };
        let now = now.map_or_else(String::new, |ty| format!(", {}now: {ty}", if looks { "" } else { "_" }));
        let short = to.rsplit([USER, ':']).next().unwrap_or_default().to_owned();
        let conversion = Conversion {
            docs: self.docs(way, &short),
            function: name.clone(),
            parameters: from.map_or_else(String::new, |from| format!(", {parameter}: {from}")) + &now,
            result: if fallible { format!("Result<{to}, Failure>") } else { to },
            body,
            said,
        };
        self.conversions.insert(name.clone(), conversion);
        name
    }
}

/// Where a path leads from the fields of a variable: through required records.
pub(super) fn place(model: &Model, root: &str, fields: &[Field], path: &str) -> Option<(String, Type)> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let field = fields.iter().find(|field| field.name == head)?;
    let here = format!("{root}.{}", names::rust::ident(head));
    match (rest, &field.ty) {
        (None, ty) => Some((here, ty.clone())),
        (Some(rest), Type::Named(of)) if of.service.is_none() => {
            place(model, &here, &fit::record(model, &of.name)?.fields, rest)
        }
        (Some(_), _) => None,
    }
}

/// Whether an expression takes something from a place, or from what that is in.
pub(super) fn mentions(expression: &str, place: &str) -> bool {
    let head: String = place.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    expression
        .match_indices(&head)
        .any(|(at, _)| !expression[at + head.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

pub(super) fn moved(value: &str) -> String {
    value.strip_suffix(".clone()").unwrap_or(value).to_owned()
}

pub(super) fn prefix(path: &str) -> String {
    if path.is_empty() { USER.to_string() } else { path.to_owned() }
}
