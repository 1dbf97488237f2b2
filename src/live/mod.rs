//! The one view that is served, and its single writer.
//!
//! When to look (`watch`), what to make of it (`compile`) and where it is held (here) are apart. A
//! reload reads one consistent set of files, compiles it on the caller's thread, and swaps the view
//! whole. A policy with errors never replaces a good one, nor does one that may open more than its authors
//! meant (`guard`); the last good files can be kept over restarts (`state`).
//!
//! Invariant: a reader takes no lock and never waits for a reload; what a reload replaces is freed
//! on the reloading thread.

mod archive;
mod clock;
mod current_view;
pub mod facts;
mod file_writers;
mod files;
mod fs_events;
mod guard;
mod live_policy;
mod log;
mod passing_time;
mod reload;
mod reload_changes;
mod reload_history;
mod served_policy;
mod staleness;
mod start;
mod state;
mod swap;
mod timekeeper;
mod view_log;
mod watch;
mod watch_options;

pub use clock::{Clock, SystemClock};
pub use files::PolicyFiles;
pub use guard::{HeldPolicy, HoldReason, ReloadGuard};
pub use live_policy::Live;
pub use log::LogForm;
pub use reload_history::{LatestReload, ReloadHistory, ReloadOutcome, Trigger};
pub use served_policy::ServedPolicy;
pub use staleness::{Freshness, Lapse, OnStale, StaleInput, Staleness, StalenessOptions};
pub use start::{LiveOptions, StartError, StartMode, StartOutcome, StateOptions};
pub use state::{StateError, StateStatus};
pub use swap::Swap;
pub use timekeeper::Timekeeper;
pub use view_log::{ViewChange, ViewChanges};
pub use watch::Watch;
pub use watch_options::WatchOptions;
