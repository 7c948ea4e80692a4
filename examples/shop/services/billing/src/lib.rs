// Yours: written once by Linkwright, never overwritten.
//! Charges cards and writes invoices.

pub mod app;
mod billing;
pub mod store;

pub use billing::Billing;
