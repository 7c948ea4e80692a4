// Yours: written once by Linkwright, never overwritten.
//! Knows what is on the shelf, and what is promised.

pub mod app;
mod inventory;
pub mod store;

pub use inventory::Inventory;
