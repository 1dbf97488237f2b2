//! Fleets of three nodes of etcd and three daemons under failures: acknowledged writes are there,
//! all daemons agree after, and no blocked user passes a daemon that knows of the block.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail by it, and tells how much it tried"
)]

mod changes;
mod copy;
mod cut;
mod faults;
mod fleet;
mod history;
mod limits;
mod retries;
