// Yours: written once by Linkwright, never overwritten.

pub mod app;
mod desk;
pub mod store;

pub use desk::Desk;
