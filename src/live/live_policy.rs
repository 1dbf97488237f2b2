//! The handle of a live policy: the served view, its files, and the outcomes of reloads.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Instant,
};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch::Receiver;

use super::{
    Clock, ViewChanges,
    current_view::CurrentView,
    facts::FactsHandle,
    files::PolicyFiles,
    guard::ReloadGuard,
    log::LogForm,
    reload_history::ReloadHistory,
    served_policy::ServedPolicy,
    staleness::Staleness,
    state::{StateDir, StateStatus},
};
use crate::request::Moment;

/// The live policy: the view being served, where its files are, and the facts that change it.
#[derive(Debug)]
pub struct Live {
    pub(super) files: Arc<PolicyFiles>,
    pub(super) served: Arc<CurrentView>,
    pub(super) facts: Option<FactsHandle>,
    pub(super) reloads: ArcSwap<ReloadHistory>,
    pub(super) reload_lock: Mutex<()>,
    pub(super) guard: ReloadGuard,
    /// The folder of the last good files; `None` if they are not kept.
    pub(super) state: Option<StateDir>,
    pub(super) log: LogForm,
    pub(super) staleness: Arc<Staleness>,
    /// The clock by which ends and windows are judged.
    pub(super) clock: Arc<dyn Clock>,
    /// The time of the last attempt to build the view of an earlier moment that failed.
    pub(super) turned_back: Mutex<Option<Instant>>,
}

impl Live {
    /// The present moment, by the clock of the policy.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The policy served now. Costs some nanoseconds, whatever a reload is doing.
    #[inline]
    pub fn served(&self) -> Guard<Arc<ServedPolicy>> {
        self.served.load()
    }

    /// A channel that signals each change of the served policy; changes in quick succession are merged.
    pub fn changes(&self) -> Receiver<()> {
        self.served.changes()
    }

    /// The changes of the served view after the one with a number, in order. Costs a lock that no decision takes.
    pub fn changes_since(&self, number: u64) -> ViewChanges {
        self.served.changes_since(number)
    }

    /// The outcomes of reloads so far.
    pub fn reloads(&self) -> Guard<Arc<ReloadHistory>> {
        self.reloads.load()
    }

    /// The handle by which facts are written; `None` if no facts are kept.
    pub fn facts(&self) -> Option<&FactsHandle> {
        self.facts.as_ref()
    }

    /// The state of the folder of the last good files; `None` if they are not kept.
    pub fn state(&self) -> Option<StateStatus> {
        self.state.as_ref().map(StateDir::status)
    }

    /// Whether what is served is confirmed by the files and by a store that others write to.
    #[inline]
    pub fn staleness(&self) -> &Arc<Staleness> {
        &self.staleness
    }

    /// The paths of the policy's files and folders.
    pub fn paths(&self) -> &[PathBuf] {
        self.files.scope().paths()
    }
}
