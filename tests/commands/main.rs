//! The commands, as processes and through what they call.

mod cli;
mod diff;
mod diff_command;
mod integration;
mod replay;
mod runner;
mod testing;

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;
#[path = "../worlds/mod.rs"]
mod worlds;
