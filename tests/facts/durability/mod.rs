//! Durability: acknowledged writes are complete after any failure of the daemon and its disk.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail by it, and tells how much it tried"
)]

mod errors;
mod full;
mod kept;
mod kills;
mod shared;
