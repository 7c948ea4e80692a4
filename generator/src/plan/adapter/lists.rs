//! What the methods of a resource take: lists and patches, of which everything may be left out.

use indexmap::IndexMap;

use crate::{
    contracts::shape,
    fit,
    model::{Field, Model, Resource, Type},
    names,
};

use super::{
    super::{
        rust::{self, user},
        types::is_recursive,
    },
    Adapter, Function, Members, Way,
    values::moved,
};

impl Adapter<'_> {
    /// The members of what `list` takes.
    pub(super) fn list(&mut self, old: &Resource, new: &Resource, map: &IndexMap<String, String>) -> Option<Members> {
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
    pub(super) fn patch(&mut self, old: &[Field], new: &[Field], map: &IndexMap<String, String>) -> Members {
        let mut members = Members::new();
        for field in new {
            let name = map.get(&field.name).unwrap_or(&field.name);
            let place = format!("old.{}", names::rust::ident(name));
            let value = match old.iter().find(|own| own.name == *name) {
                Some(own) if own.ty == field.ty && self.own_patch(&own.ty).is_some() => {
                    self.patched(&own.ty, &place).ok_or_else(|| "None".to_owned())
                }
                Some(own) if rust::ty(&own.ty) == rust::ty(&field.ty) && !self.differs(&rust::ty(&field.ty)) => {
                    Ok(place)
                }
                // What patches take apart is not what these types are.
                Some(own) if !is_apart(self.now, &own.ty) && !is_apart(self.now, &field.ty) => self
                    .converted(Way::Up, "value", &own.ty, &field.ty)
                    .map(|value| format!("{place}.map(|value| {})", moved(&value)))
                    .ok_or_else(|| "None".to_owned()),
                None if !name.contains('.') => Ok("None".to_owned()),
                _ => Err("None".to_owned()),
            };
            members.push((field.name.clone(), value));
        }
        members
    }

    /// The record that a patch changes in part, if its patch is of the old contract.
    fn own_patch(&self, ty: &Type) -> Option<String> {
        let inner = match ty {
            Type::Optional(inner) => inner,
            ty => ty,
        };
        let Type::Named(of) = inner else { return None };
        let is_record = of.service.is_none() && fit::record(self.now, &of.name).is_some();
        (is_record && self.differs(&user(&format!("{}Patch", of.name)))).then(|| of.name.clone())
    }

    /// A patch of a record as one of the present contract.
    fn patched(&mut self, ty: &Type, place: &str) -> Option<String> {
        let record = self.own_patch(ty)?;
        let fields = fit::record(self.now, &record)?.fields.clone();
        if fields.iter().any(|field| is_recursive(self.now, &record, &field.ty)) {
            return None;
        }
        let members = self.patch(&fields, &fields, &IndexMap::new());
        let (name, ty_name) = (format!("{}_patch_up", names::snake(&record)), user(&format!("{record}Patch")));
        let from = Some(ty_name.as_str());
        let function = Function { name, way: Way::Up, from, to: &ty_name, fallible: false, now: None };
        let one = format!("|value| self.{}(value)", self.add(function, members));
        Some(match ty {
            Type::Optional(_) => format!("{place}.map(|value| value.map({one}))"),
            _ => format!("{place}.map({one})"),
        })
    }
}

/// Whether a patch changes the value in part: a record, or a map.
fn is_apart(model: &Model, ty: &Type) -> bool {
    match ty {
        Type::Optional(inner) => is_apart(model, inner),
        Type::Map { .. } => true,
        Type::Named(of) => of.service.is_none() && fit::record(model, &of.name).is_some(),
        _ => false,
    }
}
