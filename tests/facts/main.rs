//! Facts: commands, plans, stores, and what survives a crash.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod durability;
mod ends;
mod facts_commands;
mod facts_writer;
mod stores;

#[path = "../laws/mod.rs"]
mod laws;
#[path = "../support/mod.rs"]
mod support;
