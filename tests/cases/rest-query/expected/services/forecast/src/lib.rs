// Yours: written once by Linkwright, never overwritten.
//! Says what the weather will be.

pub mod app;
mod forecast;

pub use forecast::Forecast;
