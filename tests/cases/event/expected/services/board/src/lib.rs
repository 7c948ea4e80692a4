// Yours: written once by Linkwright, never overwritten.

pub mod app;
mod board;
pub mod store;

pub use board::Board;
