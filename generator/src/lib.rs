//! Design in, workspace out.
//!
//! ```text
//! text ─parse─▶ Design ─check─▶ Model ─plan─▶ Plan ─compare─▶ Changes ─apply─▶ disk
//! ```

pub mod contracts;
pub mod design;
pub mod diagnostic;
pub mod escape;
pub mod model;
pub mod names;
pub mod plan;
pub mod source;
