//! The other side of `cargo xtask test --stage stop`: callers of a service over everything that carries it.

pub mod calls;
pub mod process;
pub mod relay;
pub mod streams;
