// Yours: written once by Linkwright, never overwritten.

pub mod app;
mod route;
pub mod store;

pub use route::Route;
