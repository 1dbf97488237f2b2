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
    /// The number of the view that was served last.
    number: Mutex<u64>,
    changes: watch::Sender<()>,
    /// The thread that waits for the next end or edge of a window in the view.
    timekeeper: Mutex<Option<Thread>>,
}

impl CurrentView {
    pub(super) fn new(mut served: ServedPolicy) -> Self {
        served.number = 1;
        Self {
            now: ArcSwap::from_pointee(served),
            number: Mutex::new(1),
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
    pub(super) fn swap(&self, mut served: ServedPolicy) -> Arc<ServedPolicy> {
        let replaced = {
            // Held over the swap, so that numbers are served in order.
            let mut number = self.number.lock().unwrap_or_else(PoisonError::into_inner);
            *number += 1;
            served.number = *number;
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

    fn timekeeper(&self) -> MutexGuard<'_, Option<Thread>> {
        self.timekeeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}
