//! Changing facts: one writer thread plans, commits, and updates the served view.

mod batch;
mod batch_plan;
mod ended;
mod handle;
mod history;
mod idempotency;
mod pending_requests;
mod planning_view;
mod read;
mod read_terms;
mod records;
mod shadowed;
mod store_events;
mod store_health;
mod write_metrics;
mod writer;

pub use batch::{WriteBatch, WriteReply};
pub(super) use handle::ReloadedView;
pub use handle::{FactsHandle, StoreHealth};
pub use history::HistoryRetention;
pub use idempotency::IdempotencyKey;
pub use read::ReadError;
pub(super) use records::InitialLoad;
pub use records::StoreRecords;
pub use shadowed::ShadowedEntry;
pub use write_metrics::{COMMIT_TIME_BOUNDS, CommitTimes, WriteMetrics};
pub use writer::Journal;
pub(super) use writer::{Writer, WriterOptions};
