//! The files: one for each two services.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// With this set to `write`, files that say something else are overwritten.
const WISH: &str = "PACTS";
/// The member of `metadata` by which a file is known to be written by tests.
const MARK: &str = "linkwright";

/// What one service asks of another, as it is found out.
#[derive(Debug)]
pub struct Pact {
    folder: PathBuf,
    consumer: String,
    provider: String,
    interactions: RefCell<Vec<Value>>,
}

impl Pact {
    /// `folder` holds the files.
    pub fn between(folder: &str, consumer: &str, provider: &str) -> Self {
        let (folder, interactions) = (PathBuf::from(folder), RefCell::default());
        Self { folder, consumer: consumer.to_owned(), provider: provider.to_owned(), interactions }
    }

    pub(crate) fn add(&self, interaction: Value) {
        self.interactions.borrow_mut().push(interaction);
    }

    /// Writes the file, if it is not there yet.
    ///
    /// # Errors
    /// It is there and says something else.
    pub fn write(self) -> Result<()> {
        let mut interactions = self.interactions.into_inner();
        interactions.sort_by_key(description);
        let pact = json!({
            "consumer": { "name": self.consumer },
            "provider": { "name": self.provider },
            "interactions": interactions,
            "metadata": { "pactSpecification": { "version": "4.0" }, MARK: { "written": "by the contract tests" } },
        });
        let name = format!("{}-{}.json", self.consumer, self.provider);
        let path = self.folder.join(&name);
        let is_wished = std::env::var(WISH).is_ok_and(|wish| wish == "write");
        let found = match fs::read_to_string(&path) {
            Ok(text) if !is_wished => serde_json::from_str(&text).with_context(|| format!("tests/pacts/{name}"))?,
            _ => return put(&self.folder, &path, &format!("{pact:#}\n")),
        };
        let stale = stale(&found, &pact);
        if !stale.is_empty() {
            let (consumer, provider) = (&self.consumer, &self.provider);
            bail!(
                "tests/pacts/{name} is not what `{consumer}` asks of `{provider}` now: {}. \
                 If it is to be so: cargo xtask pacts --write",
                stale.join(", ")
            );
        }
        Ok(())
    }
}

fn description(interaction: &Value) -> String {
    interaction["description"].as_str().unwrap_or_default().to_owned()
}

/// What differs: interactions by their descriptions, each with the parts that are others.
fn stale(found: &Value, pact: &Value) -> Vec<String> {
    let list = |pact: &Value| pact["interactions"].as_array().cloned().unwrap_or_default();
    let (old, new) = (list(found), list(pact));
    let of = |list: &[Value], name: &str| list.iter().find(|other| description(other) == name).cloned();
    let gone =
        old.iter().map(description).filter(|name| of(&new, name).is_none()).map(|name| format!("{name} is gone"));
    let changed = new.iter().filter_map(|interaction| {
        let name = description(interaction);
        match of(&old, &name) {
            None => Some(format!("{name} is new")),
            Some(other) => {
                let parts = interaction.as_object().into_iter().flatten();
                let parts: Vec<&str> =
                    parts.filter(|(part, value)| other[*part] != **value).map(|(p, _)| &**p).collect();
                (!parts.is_empty()).then(|| format!("{name} has another {}", parts.join(" and ")))
            }
        }
    });
    let mut stale: Vec<String> = gone.chain(changed).collect();
    if stale.is_empty() && found != pact {
        stale.push("it was edited".to_owned());
    }
    stale
}

/// A file is old or new, never torn: others may read it now.
fn put(folder: &Path, path: &Path, text: &str) -> Result<()> {
    let shown = || path.display().to_string();
    fs::create_dir_all(folder).with_context(shown)?;
    let half = path.with_extension("half");
    fs::write(&half, text).with_context(shown)?;
    fs::rename(&half, path).with_context(shown)
}

/// The pacts of a folder, each with the name of its file.
pub(crate) fn all(folder: &str) -> Result<Vec<(String, Value)>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let text = fs::read_to_string(&path).with_context(|| format!("tests/pacts/{name}"))?;
        let pact = serde_json::from_str(&text).with_context(|| format!("tests/pacts/{name} is no JSON"))?;
        Ok((name, pact))
    };
    paths.into_iter().map(read).collect()
}

/// Whether each file names a service that is held to it, and those that tests have written are written still. `written`
/// are the pairs of which tests write, `providers` the services that are verified.
///
/// # Errors
/// One is not.
pub fn complete(folder: &str, written: &[(&str, &str)], providers: &[&str]) -> Result<()> {
    for (name, pact) in all(folder)? {
        let side = |side: &str| pact[side]["name"].as_str().unwrap_or_default();
        let (consumer, provider) = (side("consumer"), side("provider"));
        if !providers.contains(&provider) {
            bail!(
                "tests/pacts/{name}: {provider:?} is no service that answers anybody; there is {}",
                providers.join(", ")
            );
        }
        if !pact["metadata"][MARK].is_null() && !written.contains(&(consumer, provider)) {
            bail!("tests/pacts/{name}: `{consumer}` asks nothing of `{provider}` any more; delete the file");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pact(folder: &Path, path: &str) -> Pact {
        let pact = Pact::between(&folder.display().to_string(), "front", "orders");
        pact.add(json!({ "description": "get_order over REST", "request": { "path": path } }));
        pact
    }

    #[test]
    fn what_is_there_is_not_overwritten_and_a_difference_is_named() {
        let folder = tempfile::tempdir().unwrap();
        pact(folder.path(), "/a").write().unwrap();
        let path = folder.path().join("front-orders.json");
        let first = fs::read_to_string(&path).unwrap();
        pact(folder.path(), "/a").write().unwrap();
        let error = pact(folder.path(), "/b").write().unwrap_err().to_string();
        assert!(error.contains("`front` asks of `orders` now: get_order over REST has another request"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        fs::write(&path, first.replace("by the contract tests", "by me")).unwrap();
        assert!(pact(folder.path(), "/a").write().unwrap_err().to_string().contains("it was edited"));
    }

    #[test]
    fn a_file_of_nobody_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display().to_string();
        pact(folder.path(), "/a").write().unwrap();
        complete(&at, &[("front", "orders")], &["orders"]).unwrap();
        let error =
            |written: &[(&str, &str)], providers: &[&str]| complete(&at, written, providers).unwrap_err().to_string();
        assert!(error(&[], &["orders"]).contains("`front` asks nothing of `orders` any more"));
        assert!(error(&[("front", "orders")], &["stock"]).contains("\"orders\" is no service"));
        fs::write(folder.path().join("z.json"), "{").unwrap();
        assert!(error(&[("front", "orders")], &["orders"]).starts_with("tests/pacts/z.json is no JSON"));
    }
}
