//! What was acknowledged is there, whole, whatever becomes of the daemon and its disk.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod errors;
mod full;
mod kept;
mod kills;
mod shared;

#[path = "../support/atoms.rs"]
mod atoms;
#[path = "../worlds/chance.rs"]
#[allow(dead_code, reason = "others take more of it")]
mod chance;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/daemon.rs"]
mod daemon;
#[path = "../stores/disk.rs"]
#[allow(dead_code, reason = "others take more of it")]
mod disk;
#[path = "../support/script.rs"]
mod script;
#[path = "../support/writer.rs"]
mod writer;
