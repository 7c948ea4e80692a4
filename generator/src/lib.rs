//! Design in, workspace out.
//!
//! ```text
//! text ─parse─▶ Design ─check─▶ Model ─plan─▶ Plan ─compare─▶ Changes ─apply─▶ disk
//! ```

pub mod blueprints;
pub mod changes;
pub mod design;
pub mod diagnostic;
pub mod disk;
pub mod escape;
pub mod format;
pub mod lock;
pub mod manifest;
pub mod model;
pub mod names;
pub mod parse;
pub mod path;
pub mod plan;
pub mod render;
pub mod source;

/// Everything that is wrong with a design, in the order of the text. Empty: it can be built.
pub fn check_text(sources: &source::Sources) -> Vec<diagnostic::Diagnostic> {
    checked(parse::parse(sources))
}

/// As [`check_text`], for a design on disk.
pub fn check_files(files: &disk::load::Loaded) -> Vec<diagnostic::Diagnostic> {
    checked(files.parse())
}

fn checked((_design, mut diagnostics): (design::Design, Vec<diagnostic::Diagnostic>)) -> Vec<diagnostic::Diagnostic> {
    diagnostics.sort_by(|a, b| (&a.span, a.code).cmp(&(&b.span, b.code)));
    diagnostics
}
