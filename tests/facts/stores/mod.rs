//! Stores: one suite that every store passes, and the specifics of each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod command;
mod crashes;
mod embedded;
mod files;
mod first_build;
mod flips;
mod keys;
mod newer;
