//! Whatever a design says: understanding and planning it ends without a panic, and what becomes a plan can be read.
//!
//! `FUZZ_SECONDS` says how long each search goes on (2), `FUZZ_SEED` where it begins; every failure names the seed that
//! gives it alone: `FUZZ_SEED=… FUZZ_SECONDS=0 cargo test -p tests --test fuzz`. What was found stands in `corpus/`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Duration, Instant},
};

use fastrand::Rng;
use generator::{contracts::wire::WireLock, disk::load, plan};
use tests::{
    designed::{repository, sources},
    random, readable,
};

fn setting(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

/// What became of a design.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Refused,
    Planned,
}

/// Takes a text as far as it goes. The error is what is wrong with us.
fn take(text: &str) -> Result<Fate, String> {
    let text = text.to_owned();
    let all_the_way = AssertUnwindSafe(move || {
        let sources = sources(&text);
        _ = generator::check_text(&sources);
        let Ok(model) = generator::understand(&sources) else { return Ok(Fate::Refused) };
        let plan = plan::plan(&model, &[], WireLock::default()).map_err(|error| format!("{error:#?}"))?;
        match readable::complaints(&plan).as_slice() {
            [] => Ok(Fate::Planned),
            complaints => Err(complaints.join("\n\n")),
        }
    });
    catch_unwind(all_the_way).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(format!("panicked: {}", said.unwrap_or("?")))
    })
}

/// Tries the texts of one seed after another until the time is over; how many were planned, and how many there were.
fn search(make: impl Fn(u64) -> String) -> (u64, u64) {
    let (seconds, first) = (setting("FUZZ_SECONDS", 2), setting("FUZZ_SEED", 1));
    let start = Instant::now();
    let (mut planned, mut tried) = (0, 0);
    loop {
        let text = make(first + tried);
        match take(&text) {
            Ok(fate) => planned += u64::from(fate == Fate::Planned),
            Err(wrong) => panic!("FUZZ_SEED={}\n{text}\n\n{wrong}", first + tried),
        }
        tried += 1;
        if start.elapsed() >= Duration::from_secs(seconds) {
            println!("{tried} designs, {planned} of them planned");
            return (planned, tried);
        }
    }
}

/// Every design of the repository, right or wrong.
fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["tests/corpus", "tests/designs", "tests/models", "tests/broken", "tests/cases", "examples"]
            .map(repository)
            .into();
    while let Some(folder) = folders.pop() {
        for path in folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path()) {
            // Workspaces below `examples` and what is expected of cases are no designs.
            if path.is_dir() && !["expected", "contracts", "services", "kit"].iter().any(|name| path.ends_with(name)) {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "toml") {
                files.push((path.clone(), fs::read(&path).expect("a file")));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_corpus_is_no_trouble() {
    let mut planned = 0;
    for (path, bytes) in corpus() {
        let fate = take(&String::from_utf8_lossy(&bytes)).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
        planned += u32::from(fate == Fate::Planned);
    }
    assert!(planned > 5, "{planned}");
}

#[test]
fn any_design_becomes_what_can_be_read() {
    let (planned, tried) = search(random::design);
    // A search that is always refused finds nothing.
    assert!(tried < 20 || planned * 2 > tried, "{planned} of {tried} designs were planned");
}

/// Pieces that mean something, put where they mean nothing.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "(",
    ")",
    "<",
    ">",
    "=",
    ".",
    "..",
    ",",
    "|",
    "?",
    "/",
    "\\",
    "\\u0000",
    "#",
    "##",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{202e}",
    "\u{feff}",
    "🦀",
    "\n[types]\n",
    "\n[services.a]\n",
    "99999999999999999999",
    "1e999",
    "enum(",
    "map<",
    "stream ",
    "ref ",
    "readonly ",
    "unique ",
    "rest",
    "grpc",
    "graphql",
    "queue",
    "[]",
    "of = ",
    "on = ",
];

fn mutated(corpus: &[(PathBuf, Vec<u8>)], seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let mut bytes = corpus[rng.usize(0..corpus.len())].1.clone();
    for _ in 0..rng.usize(1..5) {
        let start = rng.usize(0..=bytes.len());
        let end = (start + rng.usize(0..30)).min(bytes.len());
        match rng.u32(0..5) {
            0 => drop(bytes.drain(start..end)),
            1 => _ = bytes.splice(start..end, PIECES[rng.usize(0..PIECES.len())].bytes()),
            2 => _ = bytes.splice(start..start, PIECES[rng.usize(0..PIECES.len())].bytes()),
            3 => {
                let other = &corpus[rng.usize(0..corpus.len())].1;
                let from = rng.usize(0..=other.len());
                let part = other[from..(from + rng.usize(0..200)).min(other.len())].to_vec();
                _ = bytes.splice(start..start, part);
            }
            _ => bytes.iter_mut().skip(start).take(3).for_each(|byte| *byte = rng.u8(..)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn any_change_of_a_design_is_no_trouble() {
    let corpus = corpus();
    search(|seed| mutated(&corpus, seed));
}

/// Files need not be text at all.
#[test]
fn any_bytes_of_a_file_are_no_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("design.toml");
    let corpus = corpus();
    for seed in 0..200 {
        let mut rng = Rng::with_seed(seed);
        let mut bytes = corpus[rng.usize(0..corpus.len())].1.clone();
        for _ in 0..rng.usize(1..9) {
            let at = rng.usize(0..=bytes.len());
            bytes.insert(at, rng.u8(..));
        }
        fs::write(&path, &bytes).expect("written");
        let files = load::load(&path);
        let text = String::from_utf8(bytes);
        let found = generator::check_files(&files);
        assert!(text.is_ok() || found.iter().any(|diagnostic| diagnostic.code == "E113"), "seed {seed}: {found:?}");
    }
}
