//! Design in, workspace out.
//!
//! ```text
//! text ─parse─▶ Design ─check─▶ Model ─plan─▶ Plan ─compare─▶ Changes ─apply─▶ disk
//! ```

pub mod check;
pub mod design;
pub mod diagnostic;
pub mod fit;
pub mod model;
pub mod names;
pub mod parse;
pub mod plan;
pub mod source;
