//! Support for several tests: processes, clients, clusters, and rendering.

#![allow(dead_code, reason = "each test program needs a part of it")]

pub(crate) mod atoms;
pub(crate) mod chance;
pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod daemon;
pub(crate) mod disk;
pub(crate) mod files;
pub(crate) mod json_schema;
pub(crate) mod listing;
pub(crate) mod network;
pub(crate) mod road;
pub(crate) mod script;
pub(crate) mod shape;
pub(crate) mod writer;
