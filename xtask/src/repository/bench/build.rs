//! The cold build of an emitted workspace beside the same build with nothing in its crates.
//!
//! One build in three steps shows both: first all crates are empty, under their own manifests and lock file, so that
//! only dependencies are built; then the kit gets its code; then all others. The sum is what a cold build costs, and
//! the first step the bare one. Then somebody edits the business code. Built as `cargo xtask dev` builds, for debugging.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};

use super::{Setup, median, remove, table::Aim, table::Row, usage};

/// An example, what its cold build may cost beside its dependencies, how many services it has, and where one of them has
/// its business code.
const EXAMPLES: [(&str, f64, f64, &str); 2] =
    [("hello", 1.25, 2.0, "services/greeter/src/greeter.rs"), ("shop", 1.5, 5.0, "services/orders/src/orders.rs")];
const EDITS: usize = 3;

pub fn measure(setup: &Setup) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, most, services, business) in EXAMPLES {
        let target = setup.scratch.join(format!("target/bench-{name}"));
        remove(&target)?;
        let workspace = setup.workspace(&format!("bench-{name}"), &["--example", name])?;
        let build = || {
            let (cpu, started) = (usage::spent()?, Instant::now());
            setup.output(setup.cargo(&workspace, &target, &["build", "--workspace", "--bins"]))?;
            anyhow::Ok((usage::spent()? - cpu, started.elapsed().as_secs_f64()))
        };
        setup.output(setup.cargo(&workspace, &target, &["fetch"]))?;
        let (kit, others): (Vec<_>, Vec<_>) =
            crates(&workspace)?.into_iter().partition(|file| file.starts_with(workspace.join("kit")));
        let (kit, others) = (empty(kit)?, empty(others)?);
        setup.say(&format!("build: {name}, its dependencies"));
        let (bare, _) = build()?;
        setup.say(&format!("build: {name}, its own code"));
        restore(&kit)?;
        let (kit, _) = build()?;
        restore(&others)?;
        let (others, _) = build()?;
        setup.say(&format!("build: {name}, edits"));
        let business = workspace.join(business);
        let edits = (0..EDITS).map(|edit| {
            let text = fs::read_to_string(&business)?;
            fs::write(&business, edited(&text, edit).context("no operation to edit")?)?;
            build()
        });
        let edits = edits.collect::<Result<Vec<_>>>()?;
        remove(&target)?;
        remove(&workspace)?;
        let row =
            |what: &str, unit, ours, bare, aim| Row { what: format!("build {name}{what}"), unit, ours, bare, aim };
        rows.extend([
            row(", cold", "CPU s", bare + kit + others, Some(bare), Some(Aim::RatioAtMost(most))),
            row(
                ", own code a service, kit included",
                "CPU s",
                (kit + others) / services,
                None,
                Some(Aim::AtMost(12.0)),
            ),
            row(", the kit alone", "CPU s", kit, None, None),
            row(", after an edit", "CPU s", median(&edits, |(cpu, _)| *cpu), None, None),
            row(", after an edit", "s", median(&edits, |(_, wall)| *wall), None, Some(Aim::AtMost(4.0))),
        ]);
    }
    Ok(rows)
}

/// The root file of each library and program in the workspace.
fn crates(workspace: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![workspace.join("tests"), workspace.join("xtask")];
    for group in ["contracts", "kit", "services"] {
        for entry in fs::read_dir(workspace.join(group))? {
            folders.push(entry?.path());
        }
    }
    let mut files = Vec::new();
    for folder in folders {
        files.extend(
            ["src/lib.rs", "src/main.rs"].map(|file| folder.join(file)).into_iter().filter(|file| file.exists()),
        );
        if let Ok(programs) = fs::read_dir(folder.join("src/bin")) {
            files.extend(programs.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?);
        }
    }
    Ok(files)
}

/// Takes the code out of files, and answers what was in them.
fn empty(files: Vec<PathBuf>) -> Result<Vec<(PathBuf, String)>> {
    let take = |file: PathBuf| {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        fs::write(&file, if file.ends_with("lib.rs") { "" } else { "fn main() {}\n" })?;
        Ok((file, text))
    };
    files.into_iter().map(take).collect()
}

fn restore(files: &[(PathBuf, String)]) -> Result<()> {
    files.iter().try_for_each(|(file, text)| fs::write(file, text)).context("cannot write the workspace")
}

/// One more statement at the start of the first operation.
fn edited(business: &str, edit: usize) -> Option<String> {
    let operation = business.find("async fn ")?;
    let body = operation + business[operation..].find("> {\n")? + "> {\n".len();
    let (before, after) = business.split_at(body);
    Some(format!("{before}        std::hint::black_box({edit});\n{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_in_the_body_of_an_operation() {
        let text = "fn new() -> Vec<u8> {\n}\n    async fn greet(\n        &self,\n    ) -> Result<A, B> {\n        x\n    }\n";
        let edited = edited(text, 7).unwrap();
        assert!(edited.contains("    ) -> Result<A, B> {\n        std::hint::black_box(7);\n        x\n"), "{edited}");
        assert_eq!(super::edited("fn main() {}", 0), None);
    }
}
