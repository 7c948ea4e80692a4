//! Design in, workspace out.
//!
//! ```text
//! text ─parse─▶ Design ─check─▶ Model ─plan─▶ Plan ─compare─▶ Changes ─apply─▶ disk
//! ```

pub mod blueprints;
pub mod changes;
pub mod check;
pub mod contracts;
pub mod design;
pub mod diagnostic;
pub mod diff;
pub mod disk;
pub mod escape;
pub mod fit;
pub mod format;
pub mod lock;
pub mod manifest;
pub mod model;
pub mod names;
pub mod parse;
pub mod path;
pub mod plan;
pub mod render;
mod scope;
pub mod source;

use design::Design;
use diagnostic::Diagnostic;
use disk::load::Loaded;
use model::Model;
use source::Sources;

/// A design as it is written, and what it means.
#[derive(Clone, Debug)]
pub struct Understood {
    pub design: Design,
    pub model: Model,
}

impl Understood {
    /// What is no mistake, and probably not meant, in the order of the text. Codes begin with `W`.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        check::warnings(&self.design, &self.model)
    }
}

/// Reads a design and says what it means.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text. What could not be read is not checked for its meaning,
/// everything else is.
pub fn understand(sources: &Sources) -> Result<Model, Vec<Diagnostic>> {
    understood(parse::parse(sources)).map(|understood| understood.model)
}

/// As [`understand`], for a design on disk.
///
/// # Errors
/// As [`understand`]; files that could not be read are among what is wrong.
pub fn understand_files(files: &Loaded) -> Result<Model, Vec<Diagnostic>> {
    understood(files.parse()).map(|understood| understood.model)
}

/// Everything that is wrong with a design, in the order of the text. Empty: it has a meaning.
pub fn check_text(sources: &Sources) -> Vec<Diagnostic> {
    understand(sources).err().unwrap_or_default()
}

/// As [`check_text`], for a design on disk.
pub fn check_files(files: &Loaded) -> Vec<Diagnostic> {
    understand_files(files).err().unwrap_or_default()
}

/// As [`understand`] and [`understand_files`], of what [`parse::parse`] or [`Loaded::parse`] has read, for who needs to
/// know too where things stand.
///
/// # Errors
/// As [`understand`].
pub fn understood((design, mut diagnostics): (Design, Vec<Diagnostic>)) -> Result<Understood, Vec<Diagnostic>> {
    let (model, found) = check::check(&design);
    diagnostics.extend(found);
    match model {
        Some(model) if diagnostics.is_empty() => Ok(Understood { design, model }),
        _ => {
            diagnostics.sort_by(|a, b| (&a.span, a.code, &a.message).cmp(&(&b.span, b.code, &b.message)));
            diagnostics.dedup();
            Err(diagnostics)
        }
    }
}
