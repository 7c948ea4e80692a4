//! A small contract as the generator writes it, executed and over real sockets.

mod contract;
mod graphql;
mod http;
mod operations;
mod store;
mod streams;
mod types;
