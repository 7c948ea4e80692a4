//! A design as it is or was: in a folder, a file, or a revision of the repository around us.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use generator::{
    Understood,
    contracts::wire::WireLock,
    diff::Version,
    disk::{load, load::Loaded},
    parse,
    source::Sources,
};

use crate::{
    design::{ROOT, WIRE, wire},
    output::Problem,
    vcs::Snapshot,
};

/// A design, what it means, and the numbers that it has.
pub struct Designed {
    pub sources: Sources,
    understood: Understood,
    wire: WireLock,
}

impl Designed {
    /// As it is compared.
    pub fn version(&self) -> Version<'_> {
        Version { understood: &self.understood, wire: &self.wire }
    }

    /// What stands at a place as people write it: a folder, a file, `REV` or `REV:PATH`.
    pub fn at(place: &str) -> Result<Self, Problem> {
        let path = Path::new(place);
        if path.is_dir() {
            return Self::of_folder(path, &format!("{}/", place.trim_end_matches('/')));
        }
        if path.exists() {
            let shown = place.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            return Self::of(load::load(path), WireLock::default(), &shown);
        }
        Self::of_revision(Path::new("."), place)
    }

    /// The design of a folder on disk, shown with a prefix.
    pub fn of_folder(folder: &Path, shown: &str) -> Result<Self, Problem> {
        Self::of(load::load(&folder.join(ROOT)), wire(folder)?, shown)
    }

    /// The design of a revision: of the folder that git is asked in, or at the path behind the colon, which begins at the
    /// root of the repository or, with `./`, at that folder.
    pub fn of_revision(here: &Path, place: &str) -> Result<Self, Problem> {
        let (revision, path) = place.split_once(':').unwrap_or((place, "./"));
        let Some(snapshot) = Snapshot::of(here, revision)? else {
            return Err(anyhow::anyhow!("`{place}` is no folder, file or revision here").into());
        };
        let path = match path.strip_prefix("./") {
            Some(below) => snapshot.prefix()? + below,
            None => path.to_owned(),
        };
        let (folder, root) = match path.rsplit_once('/') {
            Some((folder, name)) if name.ends_with(".toml") => (format!("{folder}/"), name.to_owned()),
            None if path.ends_with(".toml") => (String::new(), path),
            _ if path.is_empty() || path.ends_with('/') => (path, ROOT.to_owned()),
            _ => (format!("{path}/"), ROOT.to_owned()),
        };
        let is_design = root == ROOT;
        let (loaded, wire) = extracted(&snapshot, &folder, &root).with_context(|| format!("cannot read `{place}`"))?;
        Self::of(loaded, if is_design { wire } else { WireLock::default() }, &format!("{revision}:{folder}"))
    }

    fn of(mut loaded: Loaded, wire: WireLock, shown: &str) -> Result<Self, Problem> {
        for source in &mut loaded.sources.0 {
            source.path.insert_str(0, shown);
        }
        match generator::understood(loaded.parse()) {
            Ok(understood) => Ok(Self { sources: loaded.sources, understood, wire }),
            Err(diagnostics) => Err(Problem::Design(diagnostics, loaded.sources)),
        }
    }
}

/// A design of a revision, read as every other is: from a folder, into which its files are laid.
fn extracted(snapshot: &Snapshot, folder: &str, root: &str) -> anyhow::Result<(Loaded, WireLock)> {
    let files = snapshot.files(folder)?;
    if !files.iter().any(|file| file == root) {
        bail!("there is no `{folder}{root}`");
    }
    let read = |file: &str| snapshot.read(&format!("{folder}{file}"));
    let text = read(root)?;
    let patterns = parse::includes(&String::from_utf8_lossy(&text));
    let place = tempfile::tempdir().context("cannot make a temporary folder")?;
    fs::write(place.path().join(root), text)?;
    for file in files.iter().filter(|file| patterns.iter().any(|pattern| load::includes(&pattern.value, file))) {
        let to = place.path().join(file);
        fs::create_dir_all(to.parent().unwrap_or(place.path()))?;
        fs::write(to, read(file)?)?;
    }
    let wire = match files.iter().any(|file| file == WIRE) {
        true => WireLock::parse(&String::from_utf8_lossy(&read(WIRE)?)).unwrap_or_default(),
        false => WireLock::default(),
    };
    Ok((load::load(&place.path().join(root)), wire))
}
