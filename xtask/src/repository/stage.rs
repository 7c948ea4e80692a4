//! The stages of `cargo xtask test`, one small function each.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::{
    child::{cargo, command},
    judges::judges,
    matrix,
    mutants::{self, Catalogue, Mutant},
    pages::pages,
    slot::{Slot, copy, remove},
    test::{Bench, Depth, Tool},
};

/// A part of the tests that can be run alone.
pub struct Stage {
    pub name: &'static str,
    /// What it shows when it passes.
    pub shows: &'static str,
    /// The least depth that includes it.
    pub from: Depth,
    /// An error of it is one of ours: what it tests is counted.
    pub run: fn(&mut Bench) -> Result<()>,
}

/// In the order in which they run: what fails most and fastest first.
pub const STAGES: &[Stage] = &[
    Stage { name: "fmt", shows: "all code is formatted", from: Depth::Quick, run: fmt },
    Stage { name: "lint", shows: "clippy has nothing to say", from: Depth::Full, run: lint },
    Stage {
        name: "generator",
        shows: "the generator's and the command line's own tests",
        from: Depth::Quick,
        run: generator,
    },
    Stage { name: "kit", shows: "the tests of the kit", from: Depth::Quick, run: kit },
    Stage {
        name: "cases",
        shows: "designs and what they become, broken designs, the lock files",
        from: Depth::Quick,
        run: cases,
    },
    Stage {
        name: "fuzz",
        shows: "no text is too much for the generator, and what it plans can be read",
        from: Depth::Full,
        run: fuzz,
    },
    Stage {
        name: "examples",
        shows: "committed examples are what their designs say",
        from: Depth::Quick,
        run: examples,
    },
    Stage { name: "hello", shows: "examples/hello becomes a workspace that runs", from: Depth::Quick, run: hello },
    Stage { name: "shop", shows: "examples/shop becomes a workspace that runs", from: Depth::Quick, run: shop },
    Stage {
        name: "outage",
        shows: "the shop loses nothing while its services are killed",
        from: Depth::Full,
        run: outage,
    },
    Stage {
        name: "stop",
        shows: "a service that is told to stop finishes what it has, whatever carries it",
        from: Depth::Full,
        run: stop,
    },
    Stage {
        name: "designs",
        shows: "designs of all shapes become workspaces that run",
        from: Depth::Full,
        run: designs,
    },
    Stage {
        name: "pacts",
        shows: "services write what they ask of each other and keep it, and a pact that lies is found",
        from: Depth::Full,
        run: pacts,
    },
    Stage {
        name: "matrix",
        shows: "services of all pairs of features become one workspace that runs",
        from: Depth::Full,
        run: matrix,
    },
    Stage {
        name: "judges",
        shows: "tools of others find nothing in documents and services, and find what is spoiled",
        from: Depth::Full,
        run: judges,
    },
    Stage {
        name: "pages",
        shows: "a real browser opens the pages of a workspace, and every text on them is text",
        from: Depth::Full,
        run: pages,
    },
    Stage {
        name: "mutants",
        shows: "the tests of a workspace find mistakes, and what is none they let pass",
        from: Depth::Full,
        run: mutants,
    },
    Stage { name: "install", shows: "linkwright works as an installed program", from: Depth::Full, run: install },
    Stage { name: "deny", shows: "licences and sources of all dependencies are allowed", from: Depth::Full, run: deny },
];

const RUSTFMT: Tool = Tool { name: "rustfmt", probe: &["fmt", "--version"], install: "rustup component add rustfmt" };
const CLIPPY: Tool = Tool { name: "clippy", probe: &["clippy", "--version"], install: "rustup component add clippy" };
const DENY: Tool = Tool { name: "cargo-deny", probe: &["deny", "--version"], install: "cargo install cargo-deny" };

/// The designs of `tests/designs` that become workspaces.
const DESIGNS: &[&str] = &[
    "compose", "corners", "depot", "events", "gate", "gateway", "graphql", "hostile", "jsonrpc", "limits", "queue",
    "streams", "versions",
];

/// Those in which mistakes are made: each has a file in `tests/mutants`.
const MUTATED: &[&str] = &[
    "compose", "depot", "events", "gate", "gateway", "graphql", "jsonrpc", "limits", "pacts", "queue", "streams",
    "versions",
];

/// So many mistakes are made where not all are.
const SAMPLE: usize = 6;

// Names of files are enough: `cargo fmt` shows and mends the rest.
const FMT: &[&str] = &["fmt", "--all", "--check", "--", "-l"];
const LINT: &[&str] = &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
/// What is the workspace's own: the kit is linted where it is written, and once as a part of a workspace.
const LINT_OWN: &[&str] =
    &["clippy", "--workspace", "--exclude", "kit", "--exclude", "kit-*", "--all-targets", "--", "-D", "warnings"];
/// The tests that hold services to their pacts.
const VERIFIED: &str = "keeps_its_pacts";
const TEST: &[&str] = &["test", "--workspace", "--no-fail-fast"];

fn fmt(bench: &mut Bench) -> Result<()> {
    if bench.has(RUSTFMT)? {
        bench.step("the repository", cargo(&bench.root, FMT))?;
        bench.step("the kit", cargo(&kit_folder(bench), FMT))?;
        bench.step("what judges pacts", cargo(&verifier_folder(bench), FMT))?;
        // Members of workspaces that are made, so no cargo finds them here.
        let members =
            ["tests/bench/src/main.rs", "tests/stop/desk.rs", "tests/stop/src/lib.rs", "tests/stop/tests/stop.rs"];
        let mut rustfmt = command("rustfmt", &bench.root);
        rustfmt.args(["--edition", "2024", "--check", "-l"]).args(members);
        bench.step("what is laid into workspaces", rustfmt)?;
    }
    Ok(())
}

fn lint(bench: &mut Bench) -> Result<()> {
    if bench.has(CLIPPY)? {
        bench.step("the repository", cargo(&bench.root, LINT))?;
        let tasks =
            ["clippy", "--package", "xtask", "--all-targets", "--features", "repository", "--", "-D", "warnings"];
        bench.step("its own tasks", cargo(&bench.root, &tasks))?;
        bench.step("the kit", cargo(&kit_folder(bench), LINT))?;
        bench.step("what judges pacts", cargo(&verifier_folder(bench), LINT))?;
    }
    Ok(())
}

fn generator(bench: &mut Bench) -> Result<()> {
    let arguments =
        ["test", "--no-fail-fast", "--package", "generator", "--package", "xtask", "--features", "xtask/repository"];
    bench.step("generator and xtask", cargo(&bench.root, &arguments))?;
    Ok(())
}

fn kit(bench: &mut Bench) -> Result<()> {
    bench.step("the kit", cargo(&kit_folder(bench), TEST))?;
    Ok(())
}

fn cases(bench: &mut Bench) -> Result<()> {
    bench.step("tests", cargo(&bench.root, &["test", "--no-fail-fast", "--package", "tests"]))?;
    Ok(())
}

fn fuzz(bench: &mut Bench) -> Result<()> {
    bench.search("random designs", cargo(&bench.root, &["test", "--package", "tests", "--test", "fuzz"]))?;
    Ok(())
}

fn hello(bench: &mut Bench) -> Result<()> {
    workspace(bench, "hello")
}

fn shop(bench: &mut Bench) -> Result<()> {
    workspace(bench, "shop")
}

/// With the programs that the stage before it has built, or builds them.
fn outage(bench: &mut Bench) -> Result<()> {
    let slot = Slot::new(&bench.root);
    let shop = slot.programs(bench, "shop")?;
    let bazaar = slot.programs(bench, "gateway")?;
    let fair = slot.programs(bench, "compose")?;
    if let (Some(shop), Some(bazaar), Some(fair)) = (shop, bazaar, fair) {
        let orders = if bench.depth == Depth::Thorough { "100000" } else { "2000" };
        let arguments = ["test", "--package", "tests", "--test", "outage", "--", "--nocapture", "--test-threads=1"];
        let mut test = cargo(&bench.root, &arguments);
        test.env("SHOP_PROGRAMS", shop)
            .env("BAZAAR_PROGRAMS", bazaar)
            .env("FAIR_PROGRAMS", fair)
            .env("SHOP_ORDERS", orders);
        bench.step("kill -9 under load, a breaker, a page, a gateway and a schema in an outage", test)?;
    }
    Ok(())
}

/// Callers of ours in the workspace of a service that takes as long as they say.
fn stop(bench: &mut Bench) -> Result<()> {
    let slot = Slot::new(&bench.root);
    if !slot.make(bench, "stop", &[])? {
        return Ok(());
    }
    let written = bench.root.join("tests/stop");
    let place = |path: &str| slot.workspace.join("services").join(path);
    copy(&written, &place("stop"))?;
    fs::rename(place("stop/desk.rs"), place("desk/src/desk.rs")).context("cannot lay code into the workspace")?;
    if bench.has(CLIPPY)? {
        let lint = ["clippy", "--package", "stop", "--package", "desk", "--all-targets", "--", "-D", "warnings"];
        bench.step("stop: clippy", slot.cargo(&lint))?;
    }
    if bench.step("stop: build", slot.cargo(&["build", "--bin", "desk"]))? {
        bench.step("over everything that carries it", slot.cargo(&["test", "--package", "stop", "--test", "stop"]))?;
    }
    Ok(())
}

fn examples(bench: &mut Bench) -> Result<()> {
    let mut check = command(&bench.linkwright, &bench.root);
    check.args(["examples", "--check"]);
    bench.silent_step("check has nothing to say", check)?;
    Ok(())
}

/// All designs, or those that `DESIGNS` names: `streams,queue`.
fn designs(bench: &mut Bench) -> Result<()> {
    let wanted = env::var("DESIGNS").ok();
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|wanted| wanted == name));
    for name in DESIGNS.iter().filter(|name| is_wanted(name)) {
        workspace(bench, name)?;
    }
    Ok(())
}

/// Pacts that are written by hand are as good as others: each of `tests/pacts/true` is kept, each of `tests/pacts/lying`
/// fails, for what the file beside it says.
fn pacts(bench: &mut Bench) -> Result<()> {
    workspace(bench, "pacts")?;
    let slot = Slot::new(&bench.root);
    bench.step("what services ask of each other is kept", slot.cargo(&["xtask", "pacts"]))?;
    let folder = slot.workspace.join("tests/pacts");
    // The tests of the workspace have failed, which is counted.
    if !folder.exists() {
        return Ok(());
    }
    for (kind, lies) in [("true", false), ("lying", true)] {
        let written = bench.root.join("tests/pacts").join(kind);
        for file in fs::read_dir(&written).with_context(|| format!("cannot read {}", written.display()))? {
            let file = file?.path();
            let Some(name) = file.file_name().filter(|_| file.extension().is_some_and(|end| end == "json")) else {
                continue;
            };
            let place = folder.join(name);
            fs::copy(&file, &place).with_context(|| format!("cannot write {}", place.display()))?;
            bench.judge(&format!("a {kind} pact: {}", name.display()), || {
                let said = slot.cargo(&["xtask", "pacts"]).output().context("cannot run cargo")?;
                let text = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
                ensure!(said.status.success() != lies, "it is {}:\n{text}", if lies { "believed" } else { "not kept" });
                let due = fs::read_to_string(file.with_extension("txt")).unwrap_or_default();
                let missing: Vec<&str> = due.lines().filter(|line| !text.contains(line)).collect();
                ensure!(missing.is_empty(), "without a word of {}:\n{text}", missing.join(", "));
                Ok(())
            })?;
            fs::remove_file(&place)?;
        }
    }
    Ok(())
}

fn matrix(bench: &mut Bench) -> Result<()> {
    let design = bench.root.join("target/workspaces/matrix.toml");
    fs::write(&design, matrix::design()).with_context(|| format!("cannot write {}", design.display()))?;
    workspace(bench, "matrix")
}

/// All mistakes in all designs, or a few in one; or of all those that `MUTANTS` speaks of: `dead letter, queue: another`.
fn mutants(bench: &mut Bench) -> Result<()> {
    let read = |root: &Path, name: &str| Catalogue::read(&root.join("tests/mutants").join(name).with_extension("toml"));
    if let Ok(wanted) = env::var("MUTANTS") {
        let wanted: Vec<&str> = wanted.split(',').map(str::trim).collect();
        let mut is_any = false;
        for name in MUTATED {
            let is_wanted = |mutant: &Mutant| {
                let full = format!("{name}: {}", mutant.kind);
                wanted.iter().any(|wanted| full.contains(wanted))
            };
            let Catalogue { mut mutants, mut harmless } = read(&bench.root, name)?;
            mutants.retain(is_wanted);
            harmless.retain(is_wanted);
            if !mutants.is_empty() || !harmless.is_empty() {
                is_any = true;
                mutated(bench, name, &Catalogue { mutants, harmless })?;
            }
        }
        ensure!(is_any, "no mistake in tests/mutants is called {}", wanted.join(" or "));
        return Ok(());
    }
    if bench.depth == Depth::Thorough {
        for name in MUTATED {
            mutated(bench, name, &read(&bench.root, name)?)?;
        }
        return Ok(());
    }
    let mut rng = bench.rng("MUTANTS_SEED")?;
    let name = MUTATED[rng.usize(..MUTATED.len())];
    let Catalogue { mutants, harmless } = read(&bench.root, name)?;
    let some = Catalogue { mutants: rng.choose_multiple(mutants, SAMPLE), harmless: rng.choose_multiple(harmless, 1) };
    mutated(bench, name, &some)
}

/// Makes mistakes in the workspace of a design.
fn mutated(bench: &mut Bench, name: &str, catalogue: &Catalogue) -> Result<()> {
    let slot = Slot::new(&bench.root);
    if !slot.keep_or_make(bench, name)? {
        return Ok(());
    }
    let thorough = bench.depth == Depth::Thorough;
    // Where pacts are what is tested, they are verified too.
    let last: &[&str] = if name == "pacts" { &["--", "--include-ignored"] } else { &["--", "--skip", VERIFIED] };
    let test = |more: &[&str]| {
        let mut test = slot.cargo(&["test", "--package", "tests", "--test", "contracts"]);
        // Many builds are worth what the next ones start from; a few are not.
        test.args(more).args(last).env("CARGO_INCREMENTAL", if thorough { "1" } else { "0" });
        test.env("PACT_VERIFIER", slot.target.join("debug/pact-verifier"));
        test
    };
    if name == "pacts" && !bench.step("pacts: written and kept", slot.cargo(&["xtask", "pacts"]))? {
        return Ok(());
    }
    if !bench.step(&format!("{name}: the tests pass without mistakes"), test(&[]))? {
        return Ok(());
    }
    for mutant in &catalogue.mutants {
        let what = format!("{name}: {}: {}", mutant.kind, mutant.file);
        bench.judge(&what, || mutants::found(&slot.workspace, mutant, test))?;
    }
    for change in &catalogue.harmless {
        bench
            .judge(&format!("{name}: harmless: {}", change.kind), || mutants::passed(&slot.workspace, change, test))?;
    }
    Ok(())
}

/// The installed program has nothing but itself: it is called far from the repository.
fn install(bench: &mut Bench) -> Result<()> {
    let place = bench.root.join("target/install");
    let mut install = cargo(&bench.root, &["install", "--debug", "--locked", "--force", "--path", "xtask", "--root"]);
    install.arg(&place);
    if bench.step("cargo install", install)? {
        let folder = bench.root.join("target/workspaces/installed");
        remove(&folder)?;
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut new = command(place.join("bin/linkwright"), &folder);
        new.args(["new", "hello", "--example", "hello", "--vcs", "none"]);
        bench.step("linkwright new", new)?;
    }
    Ok(())
}

fn deny(bench: &mut Bench) -> Result<()> {
    if bench.has(DENY)? {
        let config = bench.root.join("deny.toml");
        let judge = ("what judges pacts", verifier_folder(bench));
        for (what, folder) in [("the repository", bench.root.clone()), ("the kit", kit_folder(bench)), judge] {
            let mut deny = cargo(&folder, &["deny", "--all-features", "--config"]);
            deny.arg(&config).args(["check", "bans", "licenses", "sources"]);
            bench.step(what, deny)?;
        }
    }
    Ok(())
}

fn kit_folder(bench: &Bench) -> PathBuf {
    bench.root.join("blueprints/kit")
}

fn verifier_folder(bench: &Bench) -> PathBuf {
    bench.root.join("blueprints/verifier")
}

/// Makes a workspace, drives it, and holds it to what every emitted workspace promises. In
/// `tests/written/NAME/SERVICE` are cases that a user might write beside the one that is emitted.
fn workspace(bench: &mut Bench, name: &str) -> Result<()> {
    let slot = Slot::new(&bench.root);
    if !slot.make(bench, name, &["--smoke"])? {
        return Ok(());
    }
    if bench.has(RUSTFMT)? {
        bench.step("fmt", slot.cargo(FMT))?;
    }
    // A newcomer need not wait for what says nothing of whether it works.
    if bench.depth > Depth::Quick && bench.has(CLIPPY)? {
        // The example with most of the kit.
        let lint = if name == "shop" { LINT } else { LINT_OWN };
        bench.step("clippy", slot.cargo(lint))?;
    }
    let cases = bench.root.join("tests/written").join(name);
    if cases.exists() {
        write_cases(&cases, &slot.workspace)?;
    }
    let has_pacts = slot.workspace.join("tests/verifier").exists();
    // What only `cargo xtask pacts` runs is not skipped here.
    let rest: &[&str] = if has_pacts { &["--", "--skip", VERIFIED] } else { &[] };
    bench.step("its own tests", slot.cargo(&[&["xtask", "test", "--no-fail-fast"], rest].concat()))?;
    let mut check = command(&bench.linkwright, &slot.workspace);
    check.arg("check");
    // What is doubtful in a design it says all the same.
    bench.step("check finds nothing to do", check)?;
    Ok(())
}

fn write_cases(cases: &Path, workspace: &Path) -> Result<()> {
    for service in fs::read_dir(cases).with_context(|| format!("cannot read {}", cases.display()))? {
        let service = service?;
        let folder = workspace.join("services").join(service.file_name()).join("tests/cases");
        for case in fs::read_dir(service.path())? {
            let case = case?;
            let to = folder.join(case.file_name());
            fs::copy(case.path(), &to).with_context(|| format!("cannot write {}", to.display()))?;
        }
    }
    Ok(())
}
