// Yours: written once by Linkwright, never overwritten.

pub mod app;
