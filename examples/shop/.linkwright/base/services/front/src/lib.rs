// Yours: written once by Linkwright, never overwritten.
//! What customers see, in one GraphQL schema.

pub mod app;
mod front;

pub use front::Front;
