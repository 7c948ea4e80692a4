//! Design in, workspace out.
//!
//! ```text
//! text ─parse─▶ Design ─check─▶ Model ─plan─▶ Plan ─compare─▶ Changes ─apply─▶ disk
//! ```

pub mod changes;
pub mod diagnostic;
pub mod disk;
pub mod format;
pub mod lock;
pub mod manifest;
pub mod model;
pub mod path;
pub mod plan;
pub mod source;
