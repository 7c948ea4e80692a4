//! The generator beside the least that has to be done for the same workspace.
//!
//! Ours is the whole way of `new`, from the text of a design to the disk. Bare is, for the same bytes: all templates are
//! parsed; each file that comes of a template is rendered by handlebars, a line of it an insertion, since the real views
//! are the work of planning; rustfmt runs once over the same unformatted texts; the same files are written. What ours
//! has on top is parsing, checking, planning, documents, protobuf, hashes, and being whole or not at all.
//!
//! Each measurement is a process of its own: its CPU seconds hold those of rustfmt, its memory is the most it ever had.
//! The disk is one in memory where there is one: what a real one that others use takes of the CPU differs tenfold from
//! run to run.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use generator::{
    disk::{create, workspace},
    format::{self, Cache},
    lock::Lock,
    render::Templates,
};
use handlebars::{Handlebars, no_escape};
use serde_json::json;

use super::{Setup, Side, in_turns, median, number, table::Aim, table::Row, usage};
use crate::{
    Session,
    design::{self, Designed, Origin},
    output::{Exit, Problem},
    repository::{child::command, root},
    toolchain,
};

/// How many services the designs have that are made up.
const SIZES: [usize; 4] = [1, 10, 50, 200];

pub fn measure(setup: &Setup) -> Result<Vec<Row>> {
    let memory = Path::new("/dev/shm");
    let disk = if memory.is_dir() { memory } else { &setup.scratch };
    let folder = tempfile::tempdir_in(disk).context("cannot make a temporary folder")?;
    let mut designs: Vec<(String, PathBuf, usize)> = vec![("shop".into(), root().join("examples/shop/design.toml"), 0)];
    for size in SIZES {
        let file = folder.path().join(format!("{size}.toml"));
        fs::write(&file, synthetic(size)).with_context(|| format!("cannot write {}", file.display()))?;
        designs.push((format!("{size} service{}", if size == 1 { "" } else { "s" }), file, size));
    }
    let mut rows = Vec::new();
    let mut each = Vec::new();
    for (name, file, size) in &designs {
        setup.say(&format!("generate: {name}"));
        // The large ones take long, and so are less noisy.
        let runs = if *size > 10 { setup.runs.min(3) } else { setup.runs };
        let once = |side: &str| {
            let place = tempfile::tempdir_in(&folder)?;
            let mut once = command(&setup.program, &setup.scratch);
            once.args(["bench", "--once", side]).arg(file).arg(place.path()).env("TMPDIR", place.path());
            setup.json(once)
        };
        let (ours, bare) = in_turns(runs, |side| once(if side == Side::Ours { "ours" } else { "bare" }))?;
        let plain = (0..runs).map(|_| once("unformatted")).collect::<Result<Vec<_>>>()?;
        let cpu = |samples: &[_]| median(samples, |sample| number(sample, "cpu").unwrap_or(f64::NAN));
        let memory = median(&plain, |sample| number(sample, "memory").unwrap_or(f64::NAN));
        let is_shop = *size == 0;
        let row = |what, unit, ours, bare, aim| Row { what: format!("generate {name}{what}"), unit, ours, bare, aim };
        rows.push(row("", "CPU s", cpu(&ours), Some(cpu(&bare)), Some(Aim::RatioAtMost(2.0))));
        rows.push(row(", unformatted", "CPU s", cpu(&plain), None, is_shop.then_some(Aim::AtMost(0.2))));
        rows.push(row(", unformatted", "MB", memory, None, is_shop.then_some(Aim::AtMost(40.0))));
        each.push((*size, 1e3 * cpu(&plain) / (*size).max(1) as f64));
    }
    let each = |size| each.iter().find(|(other, _)| *other == size).map(|(_, cpu)| *cpu);
    rows.push(Row {
        what: "generate, unformatted, a service of 200 (bare: of 10)".into(),
        unit: "CPU ms",
        ours: each(200).unwrap_or(f64::NAN),
        bare: each(10),
        aim: Some(Aim::RatioAtMost(1.1)),
    });
    Ok(rows)
}

/// One measurement, in this process.
pub fn once(session: &mut Session, side: &str, design: &Path, folder: &Path) -> Result<Exit, Problem> {
    let rustfmt = if side == "unformatted" { None } else { toolchain::rustfmt() };
    let designed = design::plan(&Origin::File(design.to_owned()))?;
    let (writes, _) = workspace::fresh(&designed.plan, &designed.own, rustfmt.as_ref())?;
    let cpu = if side == "bare" {
        let before = usage::spent()?;
        render(&designed)?;
        let texts = format::missing(&designed.plan, &Lock::default(), &Cache::default());
        if let Some(rustfmt) = rustfmt {
            rustfmt.run(&texts, &mut Cache::default())?;
        }
        for write in &writes {
            let file = folder.join(&write.path);
            fs::create_dir_all(file.parent().unwrap_or(folder))?;
            fs::write(&file, write.text.as_deref().unwrap_or_default())?;
        }
        usage::spent()? - before
    } else {
        create::create(&folder.join("workspace"), &writes, &mut |_| Ok(()), |_| Ok::<(), Problem>(()))?;
        usage::spent()?
    };
    writeln!(session.output.out, "{}", json!({ "cpu": cpu, "memory": usage::peak("self")? }))?;
    Ok(Exit::Done)
}

/// As many bytes as the plan has of each template, through handlebars.
fn render(designed: &Designed) -> Result<()> {
    Templates::new()?;
    let mut engine = Handlebars::new();
    engine.register_escape_fn(no_escape);
    engine.register_template_string("lines", "{{#each lines}}{{this}}\n{{/each}}")?;
    for file in designed.plan.files.values().filter(|file| file.origin.ends_with(".hbs")) {
        let lines: Vec<&str> = file.text.lines().collect();
        let text = engine.render("lines", &json!({ "lines": lines }))?;
        if text.trim_end() != file.text.trim_end() {
            bail!("the baseline of {} has other bytes", file.origin);
        }
    }
    Ok(())
}

/// Services in a row: each keeps things, says when one is made, answers a query, and asks the one before it.
fn synthetic(size: usize) -> String {
    let mut text = "[system]\nname = \"synthetic\"\n".to_owned();
    for number in 0..size {
        let name = format!("s{number:03}");
        _ = write!(
            text,
            r#"
[services.{name}]
summary = "One of many."
expose = ["rest"]

[services.{name}.queries.ask]
input = {{ text = "string(1..64)", level = "u32 = 1" }}
output = {{ answer = "string", sum = "i64" }}
errors = {{ Unknown = "not_found" }}

[services.{name}.resources.Thing]
verbs = ["list", "get", "create"]
fields = {{ label = "string(1..40)", weight = "decimal(8,3)", note = "string?" }}
create = {{ emits = ["Made"] }}

[services.{name}.events.Made]
payload = "Thing"
key = "id"
"#
        );
        if let Some(before) = number.checked_sub(1) {
            _ = write!(
                text,
                "\n[services.{name}.commands.relay]\ncalls = [\"s{before:03}.ask\"]\nidempotent = \"no\"\n\
                 \n[links.{name}.s{before:03}]\nvia = \"rest\"\n"
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use generator::{
        diagnostic::render,
        source::{Source, Sources},
    };

    use super::*;

    #[test]
    fn designs_of_any_size_have_a_meaning() {
        for size in [1, 3] {
            let text = synthetic(size);
            let sources =
                Sources(vec![Source { path: "design.toml".into(), location: PathBuf::new(), text: text.into() }]);
            let model = generator::understand(&sources)
                .unwrap_or_else(|found| panic!("{}", render::render(&found, &sources, false)));
            assert_eq!(model.services.len(), size);
        }
    }
}
