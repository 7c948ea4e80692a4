//! A small contract as the generator writes it, executed and over real sockets.

mod client;
mod contract;
mod graphql;
mod http;
mod limits;
mod operations;
mod store;
mod streams;
mod types;
