//! The facts API: batches of commands, reads of records, the export, and the store.

mod export;
mod history;
mod lists;
mod metrics;
mod read;
mod render;
mod store;
mod write;

pub(super) use export::export;
pub(super) use history::history;
pub(super) use lists::{conversations, groups, users};
pub(super) use metrics::FactsMetrics;
pub(super) use read::{group, rule, rules, user};
pub(super) use store::{backup, summary};
pub(super) use write::write;
