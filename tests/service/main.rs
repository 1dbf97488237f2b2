//! The daemon: HTTP, dialects, reloads and the watching of files, with real processes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod dialects;
mod engine;
mod http;
mod life_cycle;
mod reload;
mod watch;
mod writing;

#[path = "../support/mod.rs"]
mod support;
