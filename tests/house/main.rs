//! The house: its rules, and its documents, whose every block is executed.

mod architecture;
mod docs;

#[path = "../support/mod.rs"]
mod support;
