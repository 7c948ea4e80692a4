//! What the tests share.

pub mod dump;
