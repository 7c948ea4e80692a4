//! What the tests of this crate share.

pub mod designed;
pub mod dump;
pub mod random;
pub mod readable;
