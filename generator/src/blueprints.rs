//! The embedded `blueprints/` and `examples/`: templates, kit crates, designs.

static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/blueprints.rs"));

/// Path from the repository's root, with `/`, and content; sorted by path.
pub fn files() -> &'static [(&'static str, &'static [u8])] {
    FILES
}

/// The text files below a folder: path relative to it, and text.
pub fn below(folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter_map(move |(path, bytes)| {
        Some((path.strip_prefix(folder)?.strip_prefix('/')?, std::str::from_utf8(bytes).ok()?))
    })
}

/// One text file.
pub fn text(path: &str) -> Option<&'static str> {
    let at = FILES.binary_search_by_key(&path, |(path, _)| path).ok()?;
    std::str::from_utf8(FILES[at].1).ok()
}
