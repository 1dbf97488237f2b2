//! The commands, as processes and through what they call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod cli;
mod config;
mod diff;
mod diff_command;
mod integration;
mod replay;
mod runner;
mod surfaces;
mod testing;
mod windows;

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;
#[path = "../worlds/mod.rs"]
mod worlds;
