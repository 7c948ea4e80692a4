// Yours: written once by Linkwright, never overwritten.

pub mod app;
mod route;
mod store;

pub use route::Route;
