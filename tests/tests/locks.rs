//! The lock files, the generator's, that of every emitted workspace, and that of what judges pacts: what is banned from all,
//! and where they must agree.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result};
use toml_edit::DocumentMut;

const LOCKS: &[&str] = &["Cargo.lock", "blueprints/kit/Cargo.lock", "blueprints/verifier/Cargo.lock"];

/// As in deny.toml, which says why.
const BANNED: &[&str] = &["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl", "openssl-sys"];

struct Package {
    name: String,
    version: String,
    source: Option<String>,
}

fn packages(lock: &str) -> Result<Vec<Package>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(lock);
    let document: DocumentMut = fs::read_to_string(&path).with_context(|| path.display().to_string())?.parse()?;
    let packages = document["package"].as_array_of_tables().context("no packages")?;
    let text = |package: &toml_edit::Table, key| Some(package.get(key)?.as_str()?.to_owned());
    packages
        .iter()
        .map(|package| {
            let name = text(package, "name").context("a package without name")?;
            let version = text(package, "version").context("a package without version")?;
            Ok(Package { name, version, source: text(package, "source") })
        })
        .collect()
}

#[test]
fn what_is_banned_is_in_none() -> Result<()> {
    let deny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deny.toml");
    let deny: DocumentMut = fs::read_to_string(deny)?.parse()?;
    let denied = deny["bans"]["deny"].as_array().context("no bans")?;
    let denied: Vec<_> = denied.iter().filter_map(|ban| ban.as_inline_table()?.get("crate")?.as_str()).collect();
    assert_eq!(denied, BANNED, "deny.toml and this test ban the same");
    for lock in LOCKS {
        for package in packages(lock)? {
            assert!(!BANNED.contains(&package.name.as_str()), "{lock} has {}", package.name);
        }
    }
    Ok(())
}

#[test]
fn everything_comes_from_the_registry_or_is_ours() -> Result<()> {
    for lock in LOCKS {
        for Package { name, source, .. } in packages(lock)? {
            assert!(source.is_none_or(|source| source.starts_with("registry+")), "{lock}: {name} comes from elsewhere");
        }
    }
    Ok(())
}

#[test]
fn they_agree_on_protobuf() -> Result<()> {
    let [generator, workspace] = [packages(LOCKS[0])?, packages(LOCKS[1])?];
    let versions = |packages: &[Package], name: &str| -> BTreeSet<String> {
        packages.iter().filter(|package| package.name == name).map(|package| package.version.clone()).collect()
    };
    for name in ["prost", "prost-types"] {
        let here = versions(&generator, name);
        assert_eq!(here.len(), 1, "{name}: {here:?}");
        assert_eq!(here, versions(&workspace, name), "{name}");
    }
    // What tonic-prost-build writes, tonic-prost runs: they are released together.
    assert_eq!(versions(&generator, "tonic-prost-build"), versions(&workspace, "tonic-prost"));
    Ok(())
}
