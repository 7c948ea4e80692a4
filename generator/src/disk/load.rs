//! The files of a design, read from disk: the root, and what its `[system] include` names (LANGUAGE §1).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};

use crate::{
    design::Design,
    diagnostic::{Diagnostic, nearest},
    parse,
    source::{Source, Sources, Span, Spanned},
};

/// The largest file that is read: a design of two hundred services has a tenth of it.
const LARGEST: u64 = 1 << 20;
/// The most files that one design may include.
const MOST_FILES: usize = 1000;
/// How the patterns of `include` are read.
const MATCHING: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The files of a design as far as they could be read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The root first, then the included files by path. Of a file that is not UTF-8, what is before the mistake.
    pub sources: Sources,
    /// Files that could not be read, and patterns that name none.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that could not be read.
    unread: BTreeSet<usize>,
}

/// Reads the root file of a design and what it includes.
pub fn load(root: &Path) -> Loaded {
    let mut loaded = Loaded { sources: Sources::default(), diagnostics: Vec::new(), unread: BTreeSet::new() };
    let name = root.file_name().map_or_else(|| root.to_string_lossy(), |name| name.to_string_lossy()).into_owned();
    loaded.add(name, root.to_owned(), None);
    let patterns = loaded.sources.0.first().map_or_else(Vec::new, |source| parse::includes(&source.text));
    if !loaded.unread.is_empty() || patterns.is_empty() {
        return loaded;
    }
    let folder = root.parent().map_or_else(PathBuf::new, Path::to_owned);
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    let mut files = BTreeMap::new();
    for pattern in patterns {
        match included(&folder, root, &pattern) {
            Ok(found) => files.extend(found.into_iter().map(|(path, file)| (path, (file, pattern.span.clone())))),
            Err(diagnostic) => loaded.diagnostics.push(*diagnostic),
        }
    }
    for (path, (file, pattern)) in files {
        loaded.add(path, file, Some(pattern));
    }
    loaded
}

impl Loaded {
    /// The design these files say, and everything that is wrong with them and it. A design of which a file is missing is
    /// [`Design::incomplete`].
    pub fn parse(&self) -> (Design, Vec<Diagnostic>) {
        let mut diagnostics = self.diagnostics.clone();
        if self.unread.contains(&0) {
            return (Design { incomplete: true, ..Design::default() }, diagnostics);
        }
        let mut readable = self.sources.clone();
        for file in &self.unread {
            if let Some(source) = readable.0.get_mut(*file) {
                source.text = "".into();
            }
        }
        let (mut design, found) = parse::parse(&readable);
        design.incomplete |= !diagnostics.is_empty();
        diagnostics.extend(found);
        (design, diagnostics)
    }

    fn add(&mut self, path: String, location: PathBuf, pattern: Option<Span>) {
        let file = self.sources.0.len();
        let (text, problem) = match read(&location) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => (text, None),
                Err(error) => {
                    let (text, problem) = not_utf8(error);
                    (text, Some(problem))
                }
            },
            Err(problem) => (String::new(), Some(problem)),
        };
        if let Some(Unread { message, help }) = problem {
            let place = Span::new(file, text.len()..text.len());
            let message = format!("`{path}` {message}");
            // Of an included file nothing can be shown but who asked for it, unless it was read to some point.
            let diagnostic = match pattern {
                Some(pattern) if text.is_empty() => Diagnostic::new("E113", pattern, message),
                Some(pattern) => Diagnostic::new("E113", place, message).related(pattern, "included here"),
                None => Diagnostic::new("E113", place, message),
            };
            self.diagnostics.push(diagnostic.help(help));
            self.unread.insert(file);
        }
        self.sources.0.push(Source { path, location, text: text.into() });
    }
}

/// Why a file could not be read.
struct Unread {
    message: String,
    help: &'static str,
}

impl Unread {
    fn new(message: impl Into<String>, help: &'static str) -> Self {
        Self { message: message.into(), help }
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::new("does not exist", "a design is a text file, usually `design.toml`"),
            io::ErrorKind::NotADirectory => Self::new("is below a file", "check the path"),
            io::ErrorKind::PermissionDenied => Self::new("may not be read", "give yourself the right to read it"),
            _ => Self::new(format!("cannot be read: {error}"), "check the path and the disk"),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Unread> {
    let kind = path.metadata()?;
    if kind.is_dir() {
        return Err(Unread::new("is a folder", "name a file in it, usually `design.toml`"));
    }
    // Reading from a pipe or a device may never end.
    if !kind.is_file() {
        return Err(Unread::new("is not a file", "a design is a text file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("is larger than {LARGEST} bytes (1 MiB)");
        return Err(Unread::new(message, "is it a design? Large ones are split with `[system] include`"));
    }
    Ok(bytes)
}

/// The text before the first byte that is not UTF-8, and what to say about it.
fn not_utf8(error: std::string::FromUtf8Error) -> (String, Unread) {
    let valid = error.utf8_error().valid_up_to();
    let mut bytes = error.into_bytes();
    let found = bytes.get(valid).copied().unwrap_or_default();
    let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    bytes.truncate(valid);
    let help = if utf16 { "it looks like UTF-16: save it as UTF-8" } else { "save it as UTF-8" };
    let problem = Unread::new(format!("is not UTF-8: there is a byte 0x{found:02X}"), help);
    (String::from_utf8(bytes).unwrap_or_default(), problem)
}

/// The files that a pattern names: path as shown, and place on disk.
fn included(folder: &Path, root: &Path, pattern: &Spanned<String>) -> Result<Vec<(String, PathBuf)>, Box<Diagnostic>> {
    let error =
        |code, message: String, help: String| Box::new(Diagnostic::new(code, pattern.span.clone(), message).help(help));
    let written = &pattern.value;
    let stays = Path::new(written).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if written.trim().is_empty() {
        // The reader of the design says so.
        return Ok(Vec::new());
    }
    if written.contains('\\') || !stays {
        let message = format!("`{written}` does not name files below the folder of the root file");
        return Err(error("E108", message, "write a path with `/`, without `..`: `services/*.toml`".to_owned()));
    }
    let whole = format!("{}/{written}", glob::Pattern::escape(&folder.to_string_lossy()));
    let paths = glob::glob_with(&whole, MATCHING).map_err(|wrong| {
        let message = format!("`{written}` is not a pattern: {}", wrong.msg);
        error("E108", message, "`*` is anything within a name, `**` any folders, `?` one character".to_owned())
    })?;
    let mut files = Vec::new();
    let mut is_root = false;
    for path in paths {
        let path = path.map_err(|wrong| {
            let message = format!("`{}` cannot be read: {}", wrong.path().display(), wrong.error());
            error("E113", message, "check the folder's rights".to_owned())
        })?;
        if path.file_name() == root.file_name() && path.parent().is_some_and(|parent| same_folder(parent, folder)) {
            is_root = true;
            continue;
        }
        if files.len() == MOST_FILES {
            let message = format!("`{written}` names more than {MOST_FILES} files");
            return Err(error("E108", message, "name the folder that the design is in".to_owned()));
        }
        files.push((shown(&path, folder), path));
    }
    if files.is_empty() && !is_root {
        let message = format!("`include` found no file for `{written}`");
        return Err(error("E104", message, near_miss(folder, written)));
    }
    Ok(files)
}

/// Whether a pattern of `include` names a file, both relative to the folder of the root file.
pub fn includes(pattern: &str, path: &str) -> bool {
    glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(path, MATCHING))
}

fn same_folder(a: &Path, b: &Path) -> bool {
    let plain = |path: &Path| path.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>();
    plain(a) == plain(b)
}

/// Relative to the root's folder, with `/`.
fn shown(path: &Path, folder: &Path) -> String {
    let plain: PathBuf = folder.components().filter(|part| *part != Component::CurDir).collect();
    let path = path.strip_prefix(folder).or_else(|_| path.strip_prefix(&plain)).unwrap_or(path);
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

/// What is there that is called nearly like the first part of a pattern that is not there.
fn near_miss(folder: &Path, pattern: &str) -> String {
    let mut there = folder.to_owned();
    let parts: Vec<&str> = pattern.split('/').collect();
    for (at, part) in parts.iter().enumerate() {
        if part.contains(['*', '?', '[']) {
            break;
        }
        if there.join(part).exists() {
            there.push(part);
            continue;
        }
        let names: BTreeSet<String> = there
            .read_dir()
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .collect();
        return match nearest(part, names.iter().map(String::as_str)) {
            Some(near) => {
                let what = if there.join(near).is_dir() { "folder" } else { "file" };
                let corrected = [&parts[..at], &[near], &parts[at + 1..]].concat().join("/");
                format!("there is a {what} `{near}`; write `{corrected}`")
            }
            None => format!("there is no `{}`", parts[..=at].join("/")),
        };
    }
    "patterns are relative to the folder of the root file".to_owned()
}
