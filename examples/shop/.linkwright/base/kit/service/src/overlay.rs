//! Configuration from three places, the later over the earlier: the file built into the service, a file named with
//! `--config`, environment variables. Each value remembers where it came from, for messages.

use std::collections::BTreeMap;

use kit::{FieldError, strict};
use serde::de::DeserializeOwned;
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

/// The configuration so far.
pub(crate) struct Overlay {
    table: Table,
    /// `conf.toml:7` or `ORDERS__SERVER__LISTEN` by the path of the key, `server.listen`.
    sources: BTreeMap<String, String>,
}

impl Overlay {
    /// Begins with the file that is built in.
    pub(crate) fn new(built_in: &str) -> Result<Self, String> {
        let mut overlay = Self { table: Table::new(), sources: BTreeMap::new() };
        overlay.text("config.toml, as built in", built_in)?;
        Ok(overlay)
    }

    /// Puts a text over it that was read from `place`.
    pub(crate) fn text(&mut self, place: &str, text: &str) -> Result<(), String> {
        let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let wrong = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            format!("{place}:{}: {}", line(at), error.message())
        };
        let keys = DeTable::parse(text).map_err(wrong)?;
        note(keys.get_ref(), "", &mut |path, at| {
            self.sources.insert(path, format!("{place}:{}", line(at)));
        });
        merge(&mut self.table, text.parse().map_err(wrong)?);
        Ok(())
    }

    /// Sets one key to what an environment variable says: text where there is text, else as TOML writes it.
    pub(crate) fn variable(&mut self, name: &str, path: &[&str], text: &str) -> Result<(), String> {
        let Some((key, sections)) = path.split_last() else { return Ok(()) };
        let mut table = &mut self.table;
        for (depth, section) in sections.iter().enumerate() {
            let entry = table.entry(*section).or_insert_with(|| {
                self.sources.insert(sections[..=depth].join("."), name.to_owned());
                Value::Table(Table::new())
            });
            table = entry.as_table_mut().ok_or_else(|| format!("{name}: `{section}` is no section"))?;
        }
        let parsed = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
        let value = match (table.get(*key), parsed) {
            (Some(Value::String(_)), _) | (_, None) => Value::String(text.to_owned()),
            (_, Some(value)) => value,
        };
        table.insert((*key).to_owned(), value);
        self.sources.insert(path.join("."), name.to_owned());
        Ok(())
    }

    /// Whether there is such a section.
    pub(crate) fn has(&self, path: &[&str]) -> bool {
        let mut table = Some(&self.table);
        for section in path {
            table = table.and_then(|table| table.get(*section)?.as_table());
        }
        table.is_some()
    }

    /// Where the value of a key came from.
    pub(crate) fn source(&self, key: &str) -> &str {
        let mut key = key;
        loop {
            match (self.sources.get(key), key.rfind(['.', '['])) {
                (Some(source), _) => return source,
                (None, Some(parent)) => key = &key[..parent],
                (None, None) => return "configuration",
            }
        }
    }

    /// Reads one section into one value and all others into another. Otherwise, a line for each key that nobody knows
    /// and each value that does not fit.
    pub(crate) fn read<A: DeserializeOwned, B: DeserializeOwned>(&self, section: &str) -> Result<(A, B), Vec<String>> {
        let mut rest = self.table.clone();
        let own = rest.remove(section).unwrap_or_else(|| Value::Table(Table::new()));
        let (own, mut wrong) = strict::read::<A, _>(own, |error| error.message().to_owned());
        wrong.iter_mut().for_each(|wrong| {
            let dot = if wrong.field.is_empty() { "" } else { "." };
            wrong.field = format!("{section}{dot}{}", wrong.field);
        });
        let (rest, more) = strict::read::<B, _>(Value::Table(rest), |error| error.message().to_owned());
        wrong.extend(more);
        match (own, rest) {
            (Ok(own), Ok(rest)) if wrong.is_empty() => Ok((own, rest)),
            _ => Err(wrong.iter().map(|wrong| self.line(wrong)).collect()),
        }
    }

    fn line(&self, wrong: &FieldError) -> String {
        let detail = wrong.detail.replace('\n', " ");
        format!("{}: `{}`: {detail}", self.source(&wrong.field), wrong.field)
    }
}

/// Tells where each key stands.
fn note(table: &DeTable<'_>, parent: &str, tell: &mut impl FnMut(String, usize)) {
    for (key, value) in table {
        let path = if parent.is_empty() { key.get_ref().to_string() } else { format!("{parent}.{}", key.get_ref()) };
        if let DeValue::Table(table) = Spanned::get_ref(value) {
            note(table, &path, tell);
        }
        tell(path, key.span().start);
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

    #[derive(Debug, PartialEq, Deserialize)]
    struct Server {
        listen: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Rest {
        stock: Stock,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Stock {
        limit: u32,
        names: Vec<String>,
    }

    fn overlay() -> Overlay {
        Overlay::new("[server]\nlisten = \"a\"\n\n[stock]\nlimit = 3\nnames = []").unwrap()
    }

    #[test]
    fn the_later_goes_over_the_earlier() {
        let mut config = overlay();
        config.text("conf.toml", "[stock]\nlimit = 5\nnames = [\"x\"]").unwrap();
        config.variable("S__SERVER__LISTEN", &["server", "listen"], "7").unwrap();
        config.variable("S__STOCK__LIMIT", &["stock", "limit"], "9").unwrap();
        let (server, rest): (Server, Rest) = config.read("server").unwrap();
        assert_eq!(server.listen, "7", "a text stays one");
        assert_eq!(rest.stock, Stock { limit: 9, names: vec!["x".into()] });
        assert_eq!(config.source("server.listen"), "S__SERVER__LISTEN");
        assert_eq!(config.source("stock.names[0]"), "conf.toml:3");
        assert_eq!(overlay().source("stock.limit"), "config.toml, as built in:5");
    }

    #[test]
    fn what_is_wrong_names_its_source() {
        let wrong = |config: &Overlay| config.read::<Server, Rest>("server").unwrap_err();
        let mut config = overlay();
        config.text("conf.toml", "[server]\nlistn = 1\n[stok]\n").unwrap();
        config.variable("S__STOCK__LIMT", &["stock", "limt"], "9").unwrap();
        config.variable("S__SHELF__LIMIT", &["shelf", "limit"], "9").unwrap();
        assert_eq!(
            wrong(&config),
            [
                "conf.toml:2: `server.listn`: is not known here",
                "S__SHELF__LIMIT: `shelf`: is not known here",
                "S__STOCK__LIMT: `stock.limt`: is not known here",
                "conf.toml:3: `stok`: is not known here",
            ]
        );
        let mut config = overlay();
        config.text("conf.toml", "[server]\nlisten = 5\n[stock]\nlimit = -1\n").unwrap();
        assert_eq!(
            wrong(&config),
            [
                "conf.toml:2: `server.listen`: invalid type: integer `5`, expected a string",
                "conf.toml:4: `stock.limit`: invalid value: integer `-1`, expected u32",
            ]
        );
        assert_eq!(config.text("conf.toml", "\nx = ").unwrap_err().split_once(": ").unwrap().0, "conf.toml:2");
        assert!(config.variable("S__STOCK__LIMIT__X", &["stock", "limit", "x"], "1").is_err());
        assert_eq!(
            wrong(&Overlay::new("").unwrap()),
            ["configuration: `server.listen`: is missing", "configuration: `stock`: is missing",]
        );
    }
}
