//! The slot of the policy that is served now, and the signal of its changes.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::Thread,
};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

use super::ServedPolicy;

/// The policy served now, with a channel that signals changes.
#[derive(Debug)]
pub(super) struct CurrentView {
    now: ArcSwap<ServedPolicy>,
    changes: watch::Sender<()>,
    /// The thread that waits for the next end or edge of a window in the view.
    timekeeper: Mutex<Option<Thread>>,
}

impl CurrentView {
    pub(super) fn new(served: ServedPolicy) -> Self {
        Self {
            now: ArcSwap::from_pointee(served),
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

    /// Serves another policy, and returns the one before.
    pub(super) fn swap(&self, served: ServedPolicy) -> Arc<ServedPolicy> {
        let replaced = self.now.swap(Arc::new(served));
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

    fn timekeeper(&self) -> MutexGuard<'_, Option<Thread>> {
        self.timekeeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}
