//! Messages and enums to text, with the numbers of the wire lock.

use std::fmt::Write as _;

use crate::{
    contracts::{
        shape,
        wire::{Reserved, WireLock},
    },
    escape,
    model::Docs,
};

/// One message or enum.
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) docs: Docs,
    pub(super) kind: Kind,
    pub(super) members: Vec<Member>,
}

pub(super) enum Kind {
    Message,
    /// A message whose members are alternatives, in a `oneof kind`.
    Alternatives,
    /// The members are values. The zero is not among them. An enum has the same numbers in every package that uses it:
    /// those of its `scope` in the lock.
    Enum {
        zero: String,
        scope: String,
    },
}

/// A field, or a value of an enum.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) docs: Docs,
    /// `optional ` where presence has to be said. It changes nothing on the wire.
    pub(super) presence: &'static str,
    /// `repeated Line`; empty for the value of an enum.
    pub(super) ty: String,
}

impl Definition {
    pub(super) fn text(&self, package: &str, lock: &mut WireLock) -> String {
        let scope = match &self.kind {
            Kind::Enum { scope, .. } => scope.clone(),
            Kind::Message | Kind::Alternatives => format!("{package}.{}", self.name),
        };
        let (keyword, indent) = match &self.kind {
            Kind::Message => ("message", "  "),
            Kind::Alternatives => ("message", "    "),
            Kind::Enum { .. } => ("enum", "  "),
        };
        let mut body = String::new();
        if let Kind::Enum { zero, .. } = &self.kind {
            _ = writeln!(body, "  {zero} = 0;");
        }
        if let Kind::Alternatives = &self.kind {
            body.push_str("  oneof kind {\n");
        }
        for Member { name, docs, presence, ty } in &self.members {
            let number = lock.number(&scope, name, ty);
            let space = if ty.is_empty() { "" } else { " " };
            _ = writeln!(body, "{}{indent}{presence}{ty}{space}{name} = {number};", comment(indent, docs));
        }
        if let Kind::Alternatives = &self.kind {
            body.push_str("  }\n");
        }
        let in_use: Vec<_> = self.members.iter().map(|member| (member.name.as_str(), member.ty.as_str())).collect();
        let reserved = reserved(&lock.reserved(&scope, &in_use));
        let head = comment("", &self.docs);
        match (body + &reserved).as_str() {
            "" => format!("{head}{keyword} {} {{}}\n", self.name),
            body => format!("{head}{keyword} {} {{\n{body}}}\n", self.name),
        }
    }
}

fn reserved(Reserved { numbers, names }: &Reserved) -> String {
    let mut text = String::new();
    if !numbers.is_empty() {
        let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
        _ = writeln!(text, "  reserved {};", numbers.join(", "));
    }
    if !names.is_empty() {
        let names: Vec<_> = names.iter().map(|name| escape::proto_str(name)).collect();
        _ = writeln!(text, "  reserved {};", names.join(", "));
    }
    text
}

/// The texts as comment lines, each with its line end.
pub(super) fn comment(indent: &str, docs: &Docs) -> String {
    escape::proto_comment(&shape::text(docs)).lines().map(|line| format!("{indent}{line}\n")).collect()
}
