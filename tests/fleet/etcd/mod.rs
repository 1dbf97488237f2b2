//! The store on etcd, with real nodes: the suite of all stores, and nodes that are killed, stopped
//! or cut off.

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
mod history;
mod member;
mod watch;
