// Yours: written once by Linkwright, never overwritten.
//! Packs parcels and sends them when they are paid.

pub mod app;
mod shipping;
pub mod store;

pub use shipping::Shipping;
