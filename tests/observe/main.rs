//! Logs, metrics and traces of real daemons, as operators and their tools read them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod decision_log;
mod prometheus;
mod replay;
#[cfg(feature = "otlp")]
mod spans;
mod traces;

#[path = "../support/mod.rs"]
mod support;
