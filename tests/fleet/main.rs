//! What needs etcd: the store for fleets, and daemons that share it.

mod daemons;
mod etcd;

#[path = "../laws/mod.rs"]
mod laws;
#[path = "../support/mod.rs"]
mod support;
