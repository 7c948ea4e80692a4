//! Design in, workspace out.
//!
//! ```text
//! text ─parse─▶ Design ─check─▶ Model ─plan─▶ Plan ─compare─▶ Changes ─apply─▶ disk
//! ```

pub mod blueprints;
pub mod diagnostic;
pub mod model;
pub mod plan;
pub mod render;
pub mod source;
