// Yours: written once by Linkwright, never overwritten.
//! The life of an order.

pub mod app;
mod orders;
pub mod store;

pub use orders::Orders;
