//! The store on etcd, with real nodes: what every store does, and what becomes of it when nodes are
//! killed, stopped or cut off.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

mod access;
mod addresses;
mod damage;
mod every_store;
mod faults;
mod member;
mod watch;

#[path = "../support/etcd.rs"]
mod cluster;
#[allow(clippy::print_stdout, clippy::type_complexity, reason = "it tells which check it is at")]
#[path = "../stores/conformance.rs"]
mod conformance;
#[allow(clippy::option_option, reason = "no write, a removal, a text")]
#[path = "../stores/model.rs"]
mod model;
#[path = "../support/road.rs"]
mod road;
#[path = "../stores/sets.rs"]
mod sets;
