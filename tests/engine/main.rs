//! Decisions: compiled policies, gates, sets, lists, proofs and impact, against an independent
//! oracle.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail by it"
)]

mod against_oracle;
mod between;
mod both_directions;
mod compiled;
mod directory;
mod findings;
mod flips;
mod following;
mod gates;
mod merging;
mod packing;
mod policies;
mod presets;
mod proofs;
mod properties;
mod sets;
mod shadowed;
mod windows;

#[path = "../../src/snapshot/bit_field.rs"]
mod bit_field;
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;
#[path = "../worlds/mod.rs"]
mod worlds;
