//! The one view that is served, and its one writer.
//!
//! When to look (`watch`), what to make of it (`compile`) and where it is held (here) are apart. A
//! reload reads one consistent set of files, compiles it on the caller's thread, and swaps the view
//! whole. A policy with errors never replaces a good one, nor does one that opens what nobody may have
//! meant to open (`guard`); the last good files can be kept over restarts (`state`).
//!
//! Invariant: a reader takes no lock and never waits for a reload; what a reload replaces is freed
//! on the reloading thread.

mod archive;
mod current_view;
pub mod facts;
mod file_writers;
mod files;
mod fs_events;
mod guard;
mod log;
mod reload;
mod start;
mod state;
mod watch;

pub use files::PolicyFiles;
pub use guard::{HeldPolicy, HoldReason, ReloadGuard};
pub use log::LogForm;
pub use reload::{ReloadHistory, Trigger};
pub use start::{LiveOptions, StartError, StartMode, StartOutcome, StateOptions};
pub use state::{StateError, StateStatus};
pub use watch::{Watch, WatchOptions};

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch::Receiver;

use crate::{
    compile::Declarations,
    diagnostic::{Code, Report},
    snapshot::View,
};
use current_view::CurrentView;
use state::StateDir;

/// A policy as it is being served.
#[derive(Debug)]
pub struct ServedPolicy {
    pub view: View,
    /// What files state that facts can't change; there is one if there are facts.
    pub declarations: Option<Arc<Declarations>>,
    /// The revision as it is written, since every answer carries it.
    pub revision: String,
    /// When it began to be served.
    pub since: SystemTime,
}

impl ServedPolicy {
    fn new(view: View, basis: Option<Arc<Declarations>>) -> Self {
        Self {
            revision: view.revision.to_string(),
            view,
            declarations: basis,
            since: SystemTime::now(),
        }
    }
}

/// What became of the latest attempt to read the files.
#[derive(Clone, Debug)]
pub struct LatestReload {
    pub outcome: ReloadOutcome,
    pub at: SystemTime,
    pub took: Duration,
    /// What is wrong with the files as they are now; warnings too.
    pub report: Report,
    /// Why the policy was not taken by itself, and what it would have changed.
    pub held: Option<HeldPolicy>,
}

impl LatestReload {
    /// Whether it failed over files that could not be read, whatever they say.
    fn is_unreadable(&self) -> bool {
        let mut diagnostics = self.report.diagnostics.iter();
        self.outcome == ReloadOutcome::Refused
            && diagnostics.any(|it| matches!(it.code, Code::Unreadable | Code::StillWritten))
    }
}

/// What a reload did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReloadOutcome {
    /// The files hold another policy, and it is served now.
    Swapped,
    /// The files say what is being served already.
    Unchanged,
    /// The files hold errors: the last good policy goes on being served.
    Refused,
    /// The files hold a policy that is not taken by itself: the last good one goes on being served until
    /// someone insists.
    Held,
}

impl ReloadOutcome {
    /// The stable text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Swapped => "swapped",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Held => "held",
        }
    }

    /// Whether what is served is what the files say.
    pub fn is_current(self) -> bool {
        matches!(self, Self::Swapped | Self::Unchanged)
    }
}

/// The policy that is served, and how it came to be.
#[derive(Debug)]
pub struct Live {
    files: Arc<PolicyFiles>,
    served: Arc<CurrentView>,
    facts: Option<facts::FactsHandle>,
    reloads: ArcSwap<ReloadHistory>,
    reload_lock: Mutex<()>,
    guard: ReloadGuard,
    /// Where the last good files are kept, if they are.
    state: Option<StateDir>,
    log: LogForm,
}

impl Live {
    /// What is served now. Costs some nanoseconds, whatever a reload is doing.
    #[inline]
    pub fn served(&self) -> Guard<Arc<ServedPolicy>> {
        self.served.load()
    }

    /// Tells of each change of what is served, of several at once where they come fast.
    pub fn changes(&self) -> Receiver<()> {
        self.served.changes()
    }

    /// What became of reloads so far.
    pub fn reloads(&self) -> Guard<Arc<ReloadHistory>> {
        self.reloads.load()
    }

    /// What facts are written to, if they are kept.
    pub fn facts(&self) -> Option<&facts::FactsHandle> {
        self.facts.as_ref()
    }

    /// Where the last good files are kept, and whether they could be; `None` if they are not.
    pub fn state(&self) -> Option<StateStatus> {
        self.state.as_ref().map(StateDir::status)
    }

    /// Where the files are.
    pub fn paths(&self) -> &[PathBuf] {
        self.files.scope().paths()
    }
}
