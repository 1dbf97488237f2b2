//! The slot of the policy that is served now, and the signal of its changes.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::Thread,
    time::SystemTime,
};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

use super::{
    ServedPolicy,
    view_log::{ViewChanges, ViewLog},
};
use crate::snapshot::Concerned;

/// The policy served now, with a channel that signals changes.
#[derive(Debug)]
pub(super) struct CurrentView {
    now: ArcSwap<ServedPolicy>,
    /// The changes of the view that were served last.
    log: Mutex<ViewLog>,
    changes: watch::Sender<()>,
    /// The thread that waits for the next end or edge of a window in the view.
    timekeeper: Mutex<Option<Thread>>,
}

impl CurrentView {
    pub(super) fn new(mut served: ServedPolicy) -> Self {
        let log = ViewLog::new(SystemTime::now());
        served.number = log.last();
        Self {
            now: ArcSwap::from_pointee(served),
            log: Mutex::new(log),
            changes: watch::Sender::new(()),
            timekeeper: Mutex::default(),
        }
    }

    #[inline]
    pub(super) fn load(&self) -> Guard<Arc<ServedPolicy>> {
        self.now.load()
    }

    pub(super) fn load_full(&self) -> Arc<ServedPolicy> {
        self.now.load_full()
    }

    /// Serves another policy, in which the answers of those who are `concerned` may differ, and returns the one
    /// before.
    pub(super) fn swap(&self, mut served: ServedPolicy, concerned: Concerned) -> Arc<ServedPolicy> {
        let replaced = {
            // Held over the swap, so that numbers are served in order.
            let mut log = self.log();
            served.number = log.push(&served.revision, concerned);
            self.now.swap(Arc::new(served))
        };
        self.changes.send_replace(());
        if let Some(thread) = self.timekeeper().as_ref() {
            thread.unpark();
        }
        replaced
    }

    /// Wakes this thread at each change from now on.
    pub(super) fn set_timekeeper(&self, thread: Thread) {
        *self.timekeeper() = Some(thread);
    }

    /// The changes after the one with a number.
    pub(super) fn changes_since(&self, number: u64) -> ViewChanges {
        self.log().since(number)
    }

    fn log(&self) -> MutexGuard<'_, ViewLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn timekeeper(&self) -> MutexGuard<'_, Option<Thread>> {
        self.timekeeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}
