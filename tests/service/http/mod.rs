//! The daemon as a real process: its endpoints, its sockets, its end, and whatever may be sent to
//! it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod activation;
mod attack;
mod audit;
mod authzen;
mod crowd;
mod facts;
mod following;
mod fuzz;
mod guard;
mod headers;
mod held;
mod host;
mod http2;
mod listeners;
mod logs;
mod native;
mod openapi;
mod pressure;
mod sockets;
mod stale;
mod start;
mod state;
mod stop;
mod tls;
mod tokens;
mod windows;
mod wire;
mod writers;
