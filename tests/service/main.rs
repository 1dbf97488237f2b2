//! The daemon: HTTP, dialects, reloads and the watching of files, with real processes.

mod dialects;
mod engine;
mod http;
mod reload;
mod watch;
mod writing;

#[path = "../support/mod.rs"]
mod support;
