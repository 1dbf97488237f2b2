//! The house: its rules, and its documents, whose every block is executed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod architecture;
mod deploy;
mod docs;

#[path = "../support/mod.rs"]
mod support;
