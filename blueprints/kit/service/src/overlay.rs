//! Configuration from three places, the later over the earlier: the file built into the service, a file named with
//! `--config`, environment variables `<SERVICE>__SECTION__KEY`. Only keys that the built-in file has, or that a
//! section of it may have, are taken.

use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// A configuration and, for messages, where each part of it came from.
pub struct Overlay {
    table: Table,
}

impl Overlay {
    /// Begins with the file that is built in.
    pub fn new(built_in: &str) -> Result<Self> {
        Ok(Self { table: built_in.parse().context("config.toml, as built in")? })
    }

    /// Puts a file over it.
    pub fn file(&mut self, path: &str) -> Result<()> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
        merge(&mut self.table, text.parse().with_context(|| path.to_owned())?);
        Ok(())
    }

    /// Puts environment variables over it: those that begin with `prefix` and two underscores.
    pub fn environment(&mut self, prefix: &str, variables: impl Iterator<Item = (String, String)>) -> Result<()> {
        let prefix = format!("{prefix}__");
        for (name, text) in variables {
            if let Some(path) = name.strip_prefix(&prefix) {
                let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
                self.set(&path, &text).with_context(|| format!("environment variable {name}"))?;
            }
        }
        Ok(())
    }

    /// Sets one value from text, by the type of the value that is there.
    pub fn set(&mut self, path: &[String], text: &str) -> Result<()> {
        let Some((key, sections)) = path.split_last() else { bail!("names no key") };
        let mut table = &mut self.table;
        for section in sections {
            let entry = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
            table = entry.as_table_mut().ok_or_else(|| anyhow!("`{section}` is no section"))?;
        }
        let value = match table.get(key) {
            Some(Value::String(_)) => Value::String(text.into()),
            // A number, a list, true: as TOML writes it. Anything else is text.
            _ => format!("v = {text}")
                .parse::<Table>()
                .ok()
                .and_then(|mut t| t.remove("v"))
                .unwrap_or(Value::String(text.into())),
        };
        table.insert(key.clone(), value);
        Ok(())
    }

    /// Whether the built-in file has this section.
    pub fn has(&self, path: &[&str]) -> bool {
        let mut table = &self.table;
        path.iter().all(|section| match table.get(*section).and_then(Value::as_table) {
            Some(found) => {
                table = found;
                true
            }
            None => false,
        })
    }

    /// Reads two configurations out of one, the runtime's and the service's own. A key that neither knows is an error.
    pub fn read<A: DeserializeOwned, B: DeserializeOwned>(&self) -> Result<(A, B)> {
        let mut ours = Vec::new();
        let a = serde_ignored::deserialize(self.table.clone(), |path| ours.push(path.to_string()))?;
        let mut unknown = Vec::new();
        let b = serde_ignored::deserialize(self.table.clone(), |path| unknown.push(path.to_string()))?;
        // What the runtime ignores as a whole, the service may know in part.
        unknown.retain(|path| ours.iter().any(|other| path == other || path.starts_with(&format!("{other}."))));
        ours.retain(|path| path.contains('.') && path.starts_with("server."));
        unknown.extend(ours);
        match unknown.first() {
            Some(key) => bail!("unknown key `{key}`"),
            None => Ok((a, b)),
        }
    }
}

fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Ours {
        server: Server,
    }

    #[derive(Debug, Deserialize)]
    struct Server {
        listen: String,
    }

    #[derive(Debug, Deserialize)]
    struct Theirs {
        stock: Stock,
    }

    #[derive(Debug, Deserialize)]
    struct Stock {
        limit: u32,
    }

    fn overlay() -> Overlay {
        Overlay::new("[server]\nlisten = \"a\"\n[stock]\nlimit = 3").unwrap()
    }

    fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn the_environment_wins_and_keeps_the_type() {
        let mut config = overlay();
        config
            .environment(
                "SHOP",
                variables(&[("SHOP__SERVER__LISTEN", "7"), ("SHOP__STOCK__LIMIT", "9"), ("HOME", "x")]),
            )
            .unwrap();
        let (ours, theirs): (Ours, Theirs) = config.read().unwrap();
        assert_eq!((ours.server.listen.as_str(), theirs.stock.limit), ("7", 9));
    }

    #[test]
    fn keys_that_nobody_knows_are_errors() {
        for name in ["SHOP__SERVER__LISTN", "SHOP__STOCK__LIMT", "SHOP__STOK__LIMIT"] {
            let mut config = overlay();
            config.environment("SHOP", variables(&[(name, "1")])).unwrap();
            let error = config.read::<Ours, Theirs>().unwrap_err();
            assert!(error.to_string().contains("unknown key"), "{name}: {error}");
        }
        let mut config = overlay();
        config.environment("SHOP", variables(&[("SHOP__STOCK__LIMIT", "many")])).unwrap();
        assert!(config.read::<Ours, Theirs>().is_err());
        assert!(overlay().environment("SHOP", variables(&[("SHOP__STOCK__LIMIT__X", "1")])).is_err());
    }
}
