//! The slot of the policy that is served now, and the signal of its changes.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

use super::ServedPolicy;

/// The policy served now, with a channel that signals changes.
#[derive(Debug)]
pub(super) struct CurrentView {
    now: ArcSwap<ServedPolicy>,
    changes: watch::Sender<()>,
}

impl CurrentView {
    pub(super) fn new(served: ServedPolicy) -> Self {
        Self { now: ArcSwap::from_pointee(served), changes: watch::Sender::new(()) }
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
        replaced
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}
