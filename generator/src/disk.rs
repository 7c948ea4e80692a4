//! Everything that touches the file system.

pub mod load;
