//! Facts: commands, plans, stores, and what survives a crash.

mod durability;
mod facts_commands;
mod facts_writer;
mod stores;

#[path = "../laws/mod.rs"]
mod laws;
#[path = "../support/mod.rs"]
mod support;
