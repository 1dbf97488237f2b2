//! Three nodes of etcd, three daemons that share them, and what becomes of all of them when some
//! fail: what was acknowledged is there, all daemons say the same after, and nobody who is blocked
//! is let through by one who knows of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod cut;
mod faults;
mod fleet;
mod limits;
mod retries;

#[path = "../support/atoms.rs"]
mod atoms;
#[path = "../worlds/chance.rs"]
#[allow(dead_code, reason = "others take more of it")]
mod chance;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/etcd.rs"]
mod cluster;
#[path = "../support/daemon.rs"]
mod daemon;
#[path = "../support/network.rs"]
mod network;
#[path = "../support/road.rs"]
mod road;
#[path = "../support/script.rs"]
mod script;
#[path = "../support/writer.rs"]
mod writer;
