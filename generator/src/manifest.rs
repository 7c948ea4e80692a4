//! A `Cargo.toml` as last written, as it is on disk and as it should be → one that holds both sides' changes.
//!
//! A three-way merge, key by key. Keys that Linkwright wrote and nobody touched since follow the new text; everything
//! of the user's stays, with comments and order. Only a key that both changed, and changed differently, is a clash.
//! Three habits of manifests are known here: `serde = "1"` and `serde = { version = "1" }` say the same, lists of
//! strings (`features`, `members`) are sets, and the tables of `[[bin]]` are told apart by their `name`.

use std::fmt;

use toml_edit::{ArrayOfTables, Decor, DocumentMut, InlineTable, Item, Table, TableLike, Value};

mod list;
mod same;

use same::same;

/// Why there is no merged text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// One of the texts is not TOML; the message names place and reason.
    NotToml(String),
    /// Keys that both sides changed, differently.
    Clashes(Vec<Clash>),
}

/// One key with two new values. `None`: the key was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// `dependencies.serde.version`
    pub key: String,
    pub disk: Option<String>,
    pub wanted: Option<String>,
}

/// Brings what changed from `base` to `wanted` into `disk`. An empty `base` stands for "never written before".
///
/// # Errors
///
/// If a text is not TOML, or a key was changed on both sides.
pub fn merge(base: &str, disk: &str, wanted: &str) -> Result<String, Refusal> {
    let base = document(base)?;
    let mut merged = document(disk)?;
    let wanted = document(wanted)?;
    let mut merge = Merge::default();
    merge.table("", Some(base.as_table()), merged.as_table_mut(), Some(wanted.as_table()), false);
    if !merge.clashes.is_empty() {
        return Err(Refusal::Clashes(merge.clashes));
    }
    if !merge.comments.is_empty() {
        let trailing = merged.trailing().as_str().unwrap_or_default().to_owned();
        merged.set_trailing(format!("{trailing}{}", merge.comments));
    }
    let text = merged.to_string();
    document(&text)?;
    Ok(text)
}

fn document(text: &str) -> Result<DocumentMut, Refusal> {
    text.parse().map_err(|error: toml_edit::TomlError| Refusal::NotToml(error.to_string().trim_end().to_owned()))
}

#[derive(Default)]
struct Merge {
    clashes: Vec<Clash>,
    /// The user's comments above what was removed and had nothing after it to stand above.
    comments: String,
}

impl Merge {
    /// `inline`: `disk` is an inline table or within one, and can hold values only.
    fn table(
        &mut self,
        at: &str,
        base: Option<&dyn TableLike>,
        disk: &mut dyn TableLike,
        wanted: Option<&dyn TableLike>,
        inline: bool,
    ) {
        let dependencies = at.rsplit('.').next().is_some_and(|name| name.ends_with("dependencies"));
        for key in keys(base, wanted) {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            let mut b = base.and_then(|table| table.get(&key)).cloned();
            let mut d = disk.get(&key).cloned();
            let mut w = wanted.and_then(|table| table.get(&key)).cloned();
            if dependencies && [&b, &d, &w].into_iter().flatten().any(Item::is_table_like) {
                (b, d, w) = (b.map(dependency), d.map(dependency), w.map(dependency));
            }
            if same(b.as_ref(), w.as_ref()) || same(d.as_ref(), w.as_ref()) {
                continue;
            }
            let untouched = same(d.as_ref(), b.as_ref());
            let gone = w.is_none();
            let clash = Clash { key: at.clone(), disk: d.as_ref().map(shown), wanted: w.as_ref().map(shown) };
            // A dependency is one thing: what the user added to ours means nothing once ours is gone.
            let divisible = if untouched { disk.get(&key).is_some_and(divisible) } else { !(gone && dependencies) };
            let merged = divisible
                && disk.get_mut(&key).zip(d).is_some_and(|(place, d)| {
                    *place = d;
                    self.both(&at, b.as_ref(), place, w.as_ref(), inline)
                });
            match w {
                _ if merged && !(gone && disk.get(&key).is_some_and(hollow)) => {}
                _ if !merged && !untouched => self.clashes.push(clash),
                Some(item) => put(disk, &key, item, wanted, inline),
                None => self.remove(disk, &key, base),
            }
        }
    }

    /// Merges two items part by part. False if they are not of a kind that can be merged.
    fn both(&mut self, at: &str, base: Option<&Item>, disk: &mut Item, wanted: Option<&Item>, inline: bool) -> bool {
        let inline = inline || disk.is_inline_table();
        if disk.is_table_like() && wanted.is_none_or(Item::is_table_like) {
            if let Some(disk) = disk.as_table_like_mut() {
                let base = base.and_then(Item::as_table_like);
                self.table(at, base, disk, wanted.and_then(Item::as_table_like), inline);
            }
            return true;
        }
        if disk.is_array() && wanted.is_none_or(Item::is_array) {
            let base = base.and_then(Item::as_array);
            return disk.as_array_mut().is_some_and(|disk| list::merge(base, disk, wanted.and_then(Item::as_array)));
        }
        if disk.is_array_of_tables() && wanted.is_none_or(Item::is_array_of_tables) {
            let base = base.and_then(Item::as_array_of_tables);
            let wanted = wanted.and_then(Item::as_array_of_tables);
            return disk.as_array_of_tables_mut().is_some_and(|disk| self.named(at, base, disk, wanted));
        }
        false
    }

    /// `[[bin]]`: tables known by their `name`. False if one has none, or two have the same.
    fn named(
        &mut self,
        at: &str,
        base: Option<&ArrayOfTables>,
        disk: &mut ArrayOfTables,
        wanted: Option<&ArrayOfTables>,
    ) -> bool {
        let (Some(b), Some(d), Some(w)) =
            (base.map_or(Some(vec![]), names), names(disk), wanted.map_or(Some(vec![]), names))
        else {
            return false;
        };
        for name in w.iter().chain(b.iter().filter(|name| !w.contains(name))) {
            let find =
                |tables: Option<&ArrayOfTables>| tables?.iter().find(|table| named(table) == Some(name)).cloned();
            let (b, w) = (find(base).map(Item::Table), find(wanted).map(Item::Table));
            let place = d.iter().position(|other| other == name);
            let old = place.and_then(|place| disk.get(place).cloned()).map(Item::Table);
            let at = format!("{at}.{name}");
            if same(b.as_ref(), w.as_ref()) || same(old.as_ref(), w.as_ref()) {
                continue;
            }
            match (place, w) {
                (None, Some(Item::Table(table))) if b.is_none() => disk.push(unplaced(table)),
                (Some(place), Some(Item::Table(table))) => {
                    let base = b.as_ref().and_then(Item::as_table_like);
                    if let Some(disk) = disk.get_mut(place) {
                        self.table(&at, base, disk, Some(&table), false);
                    }
                }
                (Some(_), None) if same(old.as_ref(), b.as_ref()) => disk.retain(|table| named(table) != Some(name)),
                (_, w) => {
                    self.clashes.push(Clash { key: at, disk: old.as_ref().map(shown), wanted: w.as_ref().map(shown) })
                }
            }
        }
        true
    }

    /// Removes a key of ours and keeps the comments that the user wrote above it.
    fn remove(&mut self, disk: &mut dyn TableLike, key: &str, base: Option<&dyn TableLike>) {
        let ours = base.map_or(String::new(), |base| comments(base, key));
        let kept: String =
            comments(disk, key).lines().filter(|line| !ours.contains(line)).map(|line| format!("{line}\n")).collect();
        let next = disk.iter().map(|(name, _)| name.to_owned()).skip_while(|name| name != key).nth(1);
        disk.remove(key);
        if kept.is_empty() {
            return;
        }
        let next = next.filter(|next| disk.get(next).is_some_and(Item::is_value));
        match next.and_then(|next| disk.key_mut(&next)) {
            Some(mut next) => {
                let prefix = next.leaf_decor().prefix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
                next.leaf_decor_mut().set_prefix(format!("{kept}{prefix}"));
            }
            None => self.comments.push_str(&kept),
        }
    }
}

/// Those of `wanted` in its order, then those that only `base` has.
fn keys(base: Option<&dyn TableLike>, wanted: Option<&dyn TableLike>) -> Vec<String> {
    let list = |table: Option<&dyn TableLike>| -> Vec<String> {
        table.map_or(vec![], |table| table.iter().map(|(key, _)| key.to_owned()).collect())
    };
    let mut keys = list(wanted);
    keys.extend(list(base).into_iter().filter(|key| wanted.is_none_or(|wanted| !wanted.contains_key(key))));
    keys
}

/// Sets a key: in place if it is there, as `wanted` writes it if not.
fn put(disk: &mut dyn TableLike, key: &str, item: Item, wanted: Option<&dyn TableLike>, inline: bool) {
    let replaces_value = disk.get(key).is_some_and(Item::is_value);
    let mut item = match item {
        item if inline || replaces_value => item.into_value().map_or_else(|item| item, Item::Value),
        Item::Table(table) => Item::Table(unplaced(table)),
        Item::ArrayOfTables(tables) => Item::ArrayOfTables(tables.into_iter().map(unplaced).collect()),
        item => item,
    };
    match disk.get_mut(key) {
        Some(old) => {
            if let (Some(old), Some(new)) = (old.as_value(), item.as_value_mut()) {
                *new.decor_mut() = old.decor().clone();
            }
            *old = item;
        }
        None => match wanted.and_then(|wanted| wanted.key(key)) {
            Some(key) if !inline => {
                disk.entry_format(key).or_insert(item);
            }
            _ => {
                // In `{ a = 1 }` the space before the brace belongs to the last value.
                let last = disk.iter().map(|(key, _)| key.to_owned()).last();
                let last = last.and_then(|last| disk.get_mut(&last)?.as_value_mut());
                if let (Some(last), Some(new)) = (last, item.as_value_mut()) {
                    new.decor_mut().clear();
                    if let Some(suffix) = last.decor().suffix().and_then(|raw| raw.as_str()).map(str::to_owned) {
                        last.decor_mut().set_suffix("");
                        *new.decor_mut() = Decor::new(" ", suffix);
                    }
                }
                disk.insert(key, item);
            }
        },
    }
}

/// Whether an item is merged by its parts even if only we changed it, for the comments between them.
fn divisible(item: &Item) -> bool {
    item.is_table_like() || item.is_array_of_tables() || item.is_array() && item.to_string().contains('#')
}

/// A table of another document has a place there; here it follows its siblings, after a blank line.
fn unplaced(mut table: Table) -> Table {
    table.set_position(None);
    let prefix = table.decor().prefix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
    if !prefix.starts_with('\n') {
        table.decor_mut().set_prefix(format!("\n{prefix}"));
    }
    for (_, item) in table.iter_mut() {
        if let Item::Table(inner) = item {
            *inner = unplaced(std::mem::take(inner));
        }
    }
    table
}

/// `"1"` as `{ version = "1" }`; everything else as it is.
fn dependency(item: Item) -> Item {
    match item {
        Item::Value(Value::String(version)) => {
            let decor = version.decor().clone();
            let mut table = InlineTable::new();
            table.insert("version", Value::from(version.into_value()));
            *table.decor_mut() = decor;
            Item::Value(Value::InlineTable(table))
        }
        item => item,
    }
}

fn hollow(item: &Item) -> bool {
    item.as_table_like().is_some_and(|table| table.is_empty()) || item.as_array().is_some_and(|array| array.is_empty())
}

fn named(table: &Table) -> Option<&str> {
    table.get("name")?.as_str()
}

fn names(tables: &ArrayOfTables) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for table in tables {
        let name = named(table)?.to_owned();
        if names.contains(&name) {
            return None;
        }
        names.push(name);
    }
    Some(names)
}

/// The comment lines above a key or a table's header.
fn comments(table: &dyn TableLike, key: &str) -> String {
    let above_key = table.key(key).and_then(|key| key.leaf_decor().prefix()).and_then(|raw| raw.as_str());
    let above_table = table.get(key).and_then(Item::as_table).and_then(|table| table.decor().prefix()?.as_str());
    let lines = [above_key, above_table].into_iter().flatten().flat_map(str::lines).map(str::trim);
    lines.filter(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// A value as one line.
fn shown(item: &Item) -> String {
    let value = item.clone().into_value().map(|mut value| {
        value.decor_mut().clear();
        value.to_string()
    });
    let text = value.unwrap_or_else(|item| item.to_string());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |value: &Option<String>| value.as_ref().map_or("removed".to_owned(), |value| format!("`{value}`"));
        write!(f, "`{}` is {} here and {} in the design's workspace", self.key, side(&self.disk), side(&self.wanted))
    }
}

#[cfg(test)]
mod tests;
