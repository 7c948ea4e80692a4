//! The documents of this repository: what they show works, what they point to exists.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use generator::{
    contracts::wire::WireLock,
    plan,
    source::{Source, Sources},
    understand,
};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};
use toml_edit::DocumentMut;

const DOCUMENTS: &[&str] =
    &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "blueprints/README.md", "tests/bench/README.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(document: &str) -> Result<String> {
    fs::read_to_string(root().join(document)).with_context(|| document.to_owned())
}

/// The code blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside = false;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if &*info == language => {
                inside = true;
                blocks.push(String::new());
            }
            Event::Text(code) if inside => blocks.iter_mut().last().into_iter().for_each(|block| *block += &code),
            Event::End(_) => inside = false,
            _ => {}
        }
    }
    blocks
}

#[test]
fn the_design_in_the_readme_becomes_a_workspace() -> Result<()> {
    let designs = blocks(&read("README.md")?, "toml");
    assert_eq!(designs.len(), 1);
    for text in designs {
        let source = Source { path: "design.toml".into(), location: PathBuf::new(), text: text.as_str().into() };
        let model = understand(&Sources(vec![source])).map_err(|wrong| anyhow::anyhow!("{wrong:#?}"))?;
        let plan = plan::plan(&model, &[("design.toml".into(), text)], WireLock::default())?;
        for path in ["contracts/greeter/src/service.rs", "services/door/src/door.rs", "kit/resilience/src/lib.rs"] {
            assert!(plan.files.contains_key(path), "{path} is planned");
        }
    }
    Ok(())
}

#[test]
fn links_lead_somewhere() -> Result<()> {
    for document in DOCUMENTS {
        let text = read(document)?;
        let folder = root().join(document).parent().map(Path::to_owned).context("no folder")?;
        for event in Parser::new(&text) {
            if let Event::Start(Tag::Link { dest_url, .. }) = event
                && !dest_url.contains("://")
            {
                let path = dest_url.split('#').next().unwrap_or_default();
                assert!(folder.join(path).exists(), "{document} points to {dest_url}");
            }
        }
    }
    Ok(())
}

/// Every module of the generator and every crate of the kit has its line.
#[test]
fn the_map_of_the_code_is_whole() -> Result<()> {
    let map = read("ARCHITECTURE.md")?;
    let modules = read("generator/src/lib.rs")?;
    let modules = modules.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let kit: DocumentMut = read("blueprints/kit/Cargo.toml")?.parse()?;
    let crates = kit["workspace"]["members"].as_array().context("no members")?;
    let crates = crates.iter().filter_map(|member| member.as_str());
    for name in modules.chain(crates) {
        assert!(map.contains(&format!("| `{name}`")), "ARCHITECTURE.md has no line for `{name}`");
    }
    Ok(())
}
