//! `Cargo.toml` files: built with `toml_edit`, never templated.
//!
//! Versions stand in one place, `blueprints/kit/Cargo.toml`; what a crate depends on is read off its own text.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use crate::blueprints;

use super::PlanError;

/// The dependency table of the kit: names and what the workspace manifest says of them.
#[derive(Debug)]
pub struct Versions {
    manifest: DocumentMut,
    /// Kit crate (`kit-http`) to its folder (`http`).
    pub kit: BTreeMap<String, String>,
}

impl Versions {
    pub fn read() -> Result<Self, PlanError> {
        let manifest = kit_manifest("Cargo.toml")?;
        let mut kit = BTreeMap::new();
        for (name, item) in table(&manifest, "workspace")
            .and_then(|w| w.get("dependencies")?.as_table())
            .into_iter()
            .flat_map(|t| t.iter())
        {
            if let Some(folder) = item.get("path").and_then(Item::as_str) {
                kit.insert(name.to_owned(), folder.to_owned());
            }
        }
        Ok(Self { manifest, kit })
    }

    /// What the workspace manifest of the kit says of a dependency.
    fn entry(&self, name: &str) -> Option<&Item> {
        table(&self.manifest, "workspace")?.get("dependencies")?.get(name)
    }

    /// Every name in the table.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let table = table(&self.manifest, "workspace").and_then(|w| w.get("dependencies")?.as_table());
        table.into_iter().flat_map(|table| table.iter().map(|(name, _)| name))
    }

    /// The kit crates that these crates need, directly or through each other.
    pub fn kit_closure(&self, wanted: impl IntoIterator<Item = String>) -> Result<BTreeSet<String>, PlanError> {
        let mut found = BTreeSet::new();
        let mut open: Vec<String> = wanted.into_iter().collect();
        while let Some(name) = open.pop() {
            if let Some(folder) = self.kit.get(&name)
                && found.insert(name.clone())
            {
                open.extend(dependencies(&kit_manifest(&format!("{folder}/Cargo.toml"))?));
            }
        }
        Ok(found)
    }
}

fn kit_manifest(path: &str) -> Result<DocumentMut, PlanError> {
    let path = format!("blueprints/kit/{path}");
    let text = blueprints::text(&path).ok_or_else(|| PlanError::Blueprint(path.clone(), "is missing".into()))?;
    text.parse().map_err(|e: toml_edit::TomlError| PlanError::Blueprint(path, e.to_string()))
}

fn table<'a>(manifest: &'a DocumentMut, name: &str) -> Option<&'a Table> {
    manifest.get(name)?.as_table()
}

/// Everything a manifest takes from its workspace, for any platform.
pub fn dependencies(manifest: &DocumentMut) -> BTreeSet<String> {
    let platforms = manifest.get("target").and_then(Item::as_table_like).into_iter().flat_map(|t| t.iter());
    let tables = platforms.filter_map(|(_, item)| item.as_table_like()).chain([manifest.as_table() as &dyn TableLike]);
    let mut found = BTreeSet::new();
    for table in tables {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let names = table.get(section).and_then(Item::as_table_like);
            found.extend(names.into_iter().flat_map(|names| names.iter()).map(|(name, _)| name.to_owned()));
        }
    }
    found
}

/// The crates among `known` (as packages, `kit-http`) that Rust text mentions.
pub fn mentioned<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let heads = path_heads(text);
    let mut found: BTreeSet<String> = known
        .into_iter()
        .filter(|package| heads.contains(package.replace('-', "_").as_str()))
        .map(str::to_owned)
        .collect();
    // These macros of the kit write `serde` in the crate that calls them.
    if text.contains("kit::id!") || text.contains("kit::choice!") {
        found.insert("serde".into());
    }
    found
}

/// The first segments of the paths in a text: `kit_http` of `kit_http::Json`.
fn path_heads(text: &str) -> BTreeSet<&str> {
    let mut heads = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let mut rest = line;
        while let Some(at) = rest.find("::") {
            let head = rest[..at].rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
            let before = &rest[..at - head.len()];
            if !head.is_empty() && !before.ends_with("::") {
                heads.insert(head);
            }
            rest = &rest[at + 2..];
            if head.is_empty() {
                // `::prost::Message`: the head comes now.
                continue;
            }
            // What follows is no head.
            let tail = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            if !rest[tail..].starts_with("::") {
                rest = &rest[tail..];
            } else {
                rest = rest.get(tail + 2..).unwrap_or_default();
            }
        }
    }
    heads
}

/// A member of the emitted workspace.
#[derive(Debug, Default)]
pub struct Member {
    pub name: String,
    pub description: String,
    pub dependencies: BTreeSet<String>,
    pub dev_dependencies: BTreeSet<String>,
    /// Features on top of the workspace's: (dependency, features).
    pub features: Vec<(&'static str, &'static [&'static str])>,
    /// What holds no tests: cargo builds and links no empty ones.
    pub untested: Vec<Target>,
}

/// What cargo builds of a member.
#[derive(Debug)]
pub enum Target {
    Library,
    Program { name: String, path: &'static str },
}

impl Member {
    pub fn manifest(&self) -> DocumentMut {
        let mut manifest = DocumentMut::new();
        let mut package = Table::new();
        package["name"] = value(&self.name);
        if !self.description.is_empty() {
            package["description"] = value(&self.description);
        }
        for inherited in ["version", "edition", "rust-version", "publish"] {
            package[inherited] = inherit();
        }
        manifest["package"] = Item::Table(package);
        let mut programs = ArrayOfTables::new();
        for target in &self.untested {
            let mut table = Table::new();
            match target {
                Target::Library => {
                    table["doctest"] = value(false);
                    table["test"] = value(false);
                    manifest["lib"] = Item::Table(table);
                }
                Target::Program { name, path } => {
                    table["name"] = value(name);
                    table["path"] = value(*path);
                    table["test"] = value(false);
                    programs.push(table);
                }
            }
        }
        if !programs.is_empty() {
            manifest["bin"] = Item::ArrayOfTables(programs);
        }
        manifest["dependencies"] = self.table(&self.dependencies, &[]);
        let dev: BTreeSet<String> = self.dev_dependencies.difference(&self.dependencies).cloned().collect();
        let extended = self.features.iter().any(|(name, _)| self.dev_dependencies.contains(*name));
        if !dev.is_empty() || extended {
            manifest["dev-dependencies"] = self.table(&dev, &self.features);
        }
        let mut lints = Table::new();
        lints["workspace"] = value(true);
        manifest["lints"] = Item::Table(lints);
        manifest
    }

    fn table(&self, names: &BTreeSet<String>, features: &[(&str, &[&str])]) -> Item {
        let mut table = Table::new();
        for name in names {
            table[name.as_str()] = inherit();
        }
        for (name, features) in features {
            let mut entry = InlineTable::new();
            entry.insert("workspace", true.into());
            entry.insert("features", Value::Array(features.iter().copied().collect::<Array>()));
            table[*name] = value(entry);
        }
        table.sort_values();
        Item::Table(table)
    }
}

/// `{ workspace = true }`, written `name.workspace = true`.
fn inherit() -> Item {
    let mut table = Table::new();
    table.set_dotted(true);
    table["workspace"] = value(true);
    Item::Table(table)
}

/// The manifest of the workspace itself. `used` are all dependencies of all members; `local` are the crates of the
/// workspace that others depend on, with their folders.
pub fn workspace(versions: &Versions, used: &BTreeSet<String>, local: &BTreeMap<String, String>) -> DocumentMut {
    let mut manifest = DocumentMut::new();
    let mut workspace = Table::new();
    workspace["resolver"] = value("3");
    workspace["members"] =
        value(["contracts/*", "kit/*", "services/*", "tests", "xtask"].into_iter().collect::<Array>());
    let mut package = Table::new();
    package["version"] = value("0.1.0");
    package["edition"] = value("2024");
    package["rust-version"] = value("1.95");
    package["publish"] = value(false);
    workspace["package"] = Item::Table(package);

    let mut dependencies = Table::new();
    for name in used {
        let entry = match local.get(name) {
            Some(folder) => {
                let mut entry = InlineTable::new();
                entry.insert("path", folder.into());
                Some(value(entry))
            }
            None => versions.entry(name).cloned(),
        };
        if let Some(mut entry) = entry {
            if let Some(entry) = entry.as_value_mut() {
                entry.decor_mut().clear();
            }
            dependencies[name.as_str()] = entry;
        }
    }
    workspace["dependencies"] = Item::Table(dependencies);
    let mut lints = Table::new();
    lints.set_implicit(true);
    let mut rust = Table::new();
    rust["unsafe_code"] = value("forbid");
    lints["rust"] = Item::Table(rust);
    let mut clippy = Table::new();
    // A type is as deep and as large, and a method called, as the design says.
    for lint in ["large_enum_variant", "result_large_err", "type_complexity", "wrong_self_convention"] {
        clippy[lint] = value("allow");
    }
    lints["clippy"] = Item::Table(clippy);
    workspace["lints"] = Item::Table(lints);
    manifest["workspace"] = Item::Table(workspace);
    if let Some(profile) = versions.manifest.get("profile") {
        manifest["profile"] = profile.clone();
    }
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dependencies_off_the_text() {
        let text = "use kit_http::{Json, Cx};\n// use axum::no;\nfn f() -> std::sync::Arc<uuid::Uuid> { kit::choice! {} }\n    let x = a::tokio::b(::prost::M);";
        let found = mentioned(text, ["kit", "kit-http", "axum", "prost", "uuid", "tokio", "serde"]);
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["kit", "kit-http", "prost", "serde", "uuid"]);
    }
}
