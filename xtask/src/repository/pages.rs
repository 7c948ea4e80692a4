//! A real browser opens the pages of a built workspace: [`tests/pages`](../../../tests/pages).

use std::{env, path::PathBuf};

use anyhow::Result;

use super::{child::command, judges::home, slot::Slot, test::Bench};

/// The workspace whose pages are opened: every text of it is hostile.
const OPENED: &str = "hostile";

/// Opens every page, and holds the libraries of the pages to the packages that they are from.
pub fn pages(bench: &mut Bench) -> Result<()> {
    let modules = home().join("judges/node/node_modules");
    if !modules.join("playwright-core").exists() {
        return bench.lacks("judges of others", ".ci/judges/install");
    }
    let mut libraries = command(bench.root.join(".ci/pages/libraries"), &bench.root);
    libraries.arg("--check");
    bench.step("libraries are those of their packages", libraries)?;
    let Some(browser) = browser() else {
        return bench.lacks("chromium", "apt install chromium");
    };
    let slot = Slot::new(&bench.root);
    if !slot.keep_or_make(bench, OPENED)? {
        return Ok(());
    }
    let mut browse = slot.with_target(command("node", &bench.root));
    browse.arg("tests/pages/browse.cjs").arg(&slot.workspace).arg(slot.workspace.with_file_name("pictures"));
    browse.env("NODE_PATH", modules).env("TESTBED_CHROMIUM", browser);
    bench.step(&format!("{OPENED}: pages in a browser"), browse)?;
    Ok(())
}

/// `TESTBED_CHROMIUM`, or the first that there is.
fn browser() -> Option<PathBuf> {
    if let Some(named) = env::var_os("TESTBED_CHROMIUM") {
        return Some(named.into());
    }
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}
