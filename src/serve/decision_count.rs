//! The number of decisions that were made, by which waiting requests are measured.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The number of decisions that were made, shared with the connections.
#[derive(Clone, Default, Debug)]
pub(super) struct DecisionCount(Arc<AtomicU64>);

impl DecisionCount {
    pub(super) fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
