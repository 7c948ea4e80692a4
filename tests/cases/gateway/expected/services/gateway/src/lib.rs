// Yours: written once by Linkwright, never overwritten.
//! The entry.

pub mod app;
