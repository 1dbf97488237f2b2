//! Tests that need etcd: the store for fleets, and daemons that share it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod daemons;
mod etcd;

#[path = "../laws/mod.rs"]
mod laws;
#[path = "../support/mod.rs"]
mod support;
