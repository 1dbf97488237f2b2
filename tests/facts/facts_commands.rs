//! Commands: their reading, and their effects.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod any;
mod cases;
mod double;
mod limits;
mod properties;
mod reading;
