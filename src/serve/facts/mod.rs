//! Facts over HTTP: batches of commands, and what is kept.

mod export;
mod keep;
mod lists;
mod metrics;
mod read;
mod told;
mod write;

/// What the API is called where APIs are told apart.
pub(super) const API: &str = "facts";

pub(super) use keep::{backup, summary};
pub(super) use metrics::FactsMetrics;
pub(super) use read::{Read, read};
pub(super) use write::write;
