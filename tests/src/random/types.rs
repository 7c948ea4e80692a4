//! Random types and fields.

use std::{collections::BTreeSet, fmt::Write as _};

use generator::escape::toml_str;

use super::{
    Kind, Named, Writer,
    words::{self, Words},
};

impl Writer {
    /// `[types]`: enums and named scalars, then records, each of what was before it, then unions of records.
    pub(super) fn types(&mut self) {
        self.out.push_str("\n[types]\n");
        for number in 0..self.rng.usize(1..4) {
            let name = words::camel(&mut self.words(), "N", number);
            self.describe();
            let (kind, expression) = match self.rng.bool() {
                true => (Kind::Enum, self.enumeration()),
                false => (Kind::Scalar, self.scalar()),
            };
            _ = writeln!(self.out, "{name} = {}", toml_str(&expression));
            self.types.push(Named { name, kind });
        }
        for number in 0..self.rng.usize(1..5) {
            let name = words::camel(&mut self.words(), "T", number);
            self.out.push('\n');
            self.describe();
            _ = writeln!(self.out, "[types.{name}]");
            self.fields(None, 1);
            if self.chance(30) {
                let around = ["?", "[]", "[]?", "?[]"];
                let expression = format!("{name}{}", around[self.rng.usize(0..around.len())]);
                _ = writeln!(self.out, "again = \"{expression}\"\nby_name = \"map<{name}>\"");
            }
            self.types.push(Named { name, kind: Kind::Record });
        }
        let records: Vec<String> =
            self.types.iter().filter(|named| named.kind == Kind::Record).map(|named| named.name.clone()).collect();
        if records.len() > 1 && self.rng.bool() {
            let name = words::camel(&mut self.words(), "U", 0);
            _ = writeln!(self.out, "\n[types.Uses]\nunion = \"{name}?\"\nunions = \"{name}[]\"");
            self.types.push(Named { name: name.clone(), kind: Kind::Union });
            self.types.push(Named { name: "Uses".into(), kind: Kind::Record });
            // Above all headers: an entry of `[types]` itself.
            let entry = format!("\n[types]\n{name} = \"{}\"\n", records.join(" | "));
            self.out = self.out.replacen("\n[types]\n", &entry, 1);
        }
    }

    /// Fields of a record, so many at least; of a resource they may have its marks.
    pub(super) fn fields(&mut self, resource: Option<String>, least: usize) {
        let mut taken = BTreeSet::new();
        for number in 0..self.rng.usize(least..7) {
            let (name, expression) = match self.reference().filter(|_| self.rng.u32(0..100) < 15) {
                Some(to) => (format!("other{number}_id"), format!("ref {to}")),
                None => {
                    (words::field(&mut Words { rng: &mut self.rng, taken: &mut taken }, number), self.expression(2))
                }
            };
            let mark = match self.rng.u32(0..10) {
                0 if resource.is_some() => " readonly",
                1 if resource.is_some() => " fixed",
                2 if resource.is_some() && expression == "string" => " unique",
                _ => "",
            };
            let default = self.default(&expression).map_or(String::new(), |default| format!(" = {default}"));
            self.describe();
            _ = writeln!(self.out, "{name} = {}", toml_str(&format!("{expression}{mark}{default}")));
        }
    }

    /// A resource of any service.
    fn reference(&mut self) -> Option<String> {
        let all: Vec<String> = self
            .services
            .iter()
            .flat_map(|service| service.resources.iter().map(|resource| format!("{}.{resource}", service.name)))
            .collect();
        let at = self.rng.usize(0..all.len().max(1));
        all.get(at).cloned()
    }

    fn expression(&mut self, depth: u32) -> String {
        let atom = match self.rng.u32(0..10) {
            0 if depth > 0 => {
                let keys = ["", "string, ", "i32, ", "i64, ", "u32, ", "u64, ", "uuid, ", "date, "];
                let key = keys[self.rng.usize(0..keys.len())];
                format!("map<{key}{}>", self.expression(depth - 1))
            }
            1 => self.enumeration(),
            2..4 => {
                let kinds = [Kind::Record, Kind::Enum, Kind::Union, Kind::Scalar];
                let kind = kinds[self.rng.usize(0..kinds.len())];
                self.named(kind).unwrap_or_else(|| "bool".to_owned())
            }
            _ => self.scalar(),
        };
        match (depth, self.rng.u32(0..10)) {
            (0, _) => atom,
            (_, 0) => format!("{atom}?"),
            (_, 1) => format!("{atom}[]"),
            (_, 2) => format!("{atom}[]?"),
            (_, 3) => format!("{atom}?[]"),
            (_, 4) => format!("{atom}[1..5]"),
            (_, 5) => format!("{atom}[][]"),
            _ => atom,
        }
    }

    fn enumeration(&mut self) -> String {
        let mut words = Words { rng: &mut self.rng, taken: &mut BTreeSet::new() };
        let number = words.rng.usize(1..5);
        let values: Vec<String> = (0..number).map(|number| words::value(&mut words, number)).collect();
        format!("enum({})", values.join(", "))
    }

    fn scalar(&mut self) -> String {
        let scalars = [
            "string",
            "string(1..64)",
            "string(3..3)",
            "string(..9)",
            "string(2..)",
            "string /[a-z]+/",
            "string(1..9) /[A-Z][0-9]*/",
            "string /\"#\\/|\\{\\{x\\}\\}/",
            "bool",
            "i32",
            "i32(-5..5)",
            "i64",
            "i64(0..)",
            "u32",
            "u32(1..9)",
            "u64",
            "u64(..18446744073709551615)",
            "f64",
            "f64(0..1)",
            "f64(-0.5..)",
            "decimal",
            "decimal(12,2)",
            "decimal(18,18)",
            "decimal(1,0)",
            "uuid",
            "timestamp",
            "date",
            "duration",
            "bytes",
            "json",
        ];
        scalars[self.rng.usize(0..scalars.len())].to_owned()
    }

    /// A value of the type, on half of those that can have one.
    fn default(&mut self, expression: &str) -> Option<String> {
        if self.rng.bool() {
            return None;
        }
        let value = match expression {
            "string" => format!("'{}'", words::line(&mut self.rng)),
            "bool" => "true".into(),
            "i32" | "i64" => self.rng.i32(..).to_string(),
            "u32" | "u64" => self.rng.u32(..).to_string(),
            "f64" => ["0", "-0.0", "1e300", "0.1", "-7"][self.rng.usize(0..5)].into(),
            "decimal" => "-3.1400".into(),
            "uuid" => "0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77".into(),
            "timestamp" => "2026-01-31T12:00:00.5Z".into(),
            "date" => "2024-02-29".into(),
            "duration" => "PT1M0.5S".into(),
            _ if expression.ends_with("[]") => "[]".into(),
            _ => {
                let values = expression.strip_prefix("enum(")?.strip_suffix(')')?;
                values.split(", ").last()?.to_owned()
            }
        };
        Some(value)
    }
}
