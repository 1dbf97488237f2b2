//! Facts over HTTP: batches of commands, and what is kept.

mod export;
mod lists;
mod metrics;
mod read;
mod render;
mod store;
mod write;

/// What the API is called where APIs are told apart.
pub(super) const API: &str = "facts";

pub(super) use metrics::FactsMetrics;
pub(super) use read::{FactsQuery, read};
pub(super) use store::{backup, summary};
pub(super) use write::write;
