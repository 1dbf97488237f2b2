//! Three nodes of etcd, three daemons that share them, and what becomes of all of them when some
//! fail: what was acknowledged is there, all daemons say the same after, and nobody who is blocked
//! is let through by one who knows of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail by it, and tells how much it tried"
)]

mod cut;
mod faults;
mod fleet;
mod limits;
mod retries;
