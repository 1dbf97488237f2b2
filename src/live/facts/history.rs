//! The history of commands: what a batch adds to it, and the removal of what is too old.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use tracing::warn;

use crate::{
    facts::{
        ChangeSet, Command, CommandOutcome, HistoryEntry, HistoryId, HistoryQuery, HistoryRecord,
        StoredHistory, UnixMillis,
    },
    request::Moment,
    store::{CommitResult, Store, StoreError},
};

/// How long the history is kept.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum HistoryRetention {
    /// None is kept: commands add nothing, and what there is, is removed.
    #[default]
    Off,
    /// Entries are kept for this long.
    For(Duration),
}

impl HistoryRetention {
    /// The time of the oldest entry that is kept; `None` if none is.
    pub fn oldest(self, now: Moment) -> Option<UnixMillis> {
        match self {
            Self::Off => None,
            Self::For(kept) => {
                let kept = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX);
                Some(now.millis().saturating_sub(kept))
            }
        }
    }
}

/// The sequence numbers of entries: two daemons of a fleet begin at different ones.
#[derive(Debug)]
pub(super) struct HistoryNumbers {
    is_kept: bool,
    next: u64,
}

impl HistoryNumbers {
    pub(super) fn new(retention: HistoryRetention) -> Self {
        // Half of the numbers are left before they would begin again.
        let next = RandomState::new().hash_one(std::process::id()) >> 1;
        Self { is_kept: retention != HistoryRetention::Off, next }
    }

    /// The entry of a command that took effect; `None` if no history is kept, or it changed nothing.
    pub(super) fn entry(
        &mut self,
        command: &Command,
        by: &str,
        outcome: &CommandOutcome,
        at: UnixMillis,
    ) -> Option<HistoryRecord> {
        if !self.is_kept || !outcome.changed {
            return None;
        }
        let id = HistoryId::new(at, self.next);
        self.next = self.next.wrapping_add(1);
        Some(HistoryRecord { id, entry: HistoryEntry::new(command, by, outcome, at) })
    }

    /// The entries of another history that are kept, in order, each once.
    pub(super) fn imported(&self, given: &[HistoryRecord]) -> Vec<HistoryRecord> {
        let mut entries = if self.is_kept { given.to_vec() } else { Vec::new() };
        entries.sort_by_key(|record| record.id);
        entries.dedup_by_key(|record| record.id);
        entries
    }
}

/// The removal of entries that are too old, a page at a time.
#[derive(Debug)]
pub(super) struct HistorySweeper {
    retention: HistoryRetention,
    swept: Instant,
    /// Whether there may be more to remove.
    has_more: bool,
}

/// The greatest number of entries that are removed at once.
const PAGE: usize = 1000;

/// The intervals between two removals: where there may be more to remove, and else.
const SWEEP_SOON: Duration = Duration::from_millis(100);
const SWEEP_LATER: Duration = Duration::from_secs(10);

impl HistorySweeper {
    pub(super) fn new(retention: HistoryRetention) -> Self {
        Self { retention, swept: Instant::now(), has_more: false }
    }

    /// The time until the next removal.
    pub(super) fn wait(&self) -> Duration {
        let interval = if self.has_more { SWEEP_SOON } else { SWEEP_LATER };
        interval.saturating_sub(self.swept.elapsed())
    }

    /// Removes a page of entries that are too old, if it is time for that. Several daemons of a fleet may
    /// do so at once.
    pub(super) fn sweep(&mut self, store: &dyn Store, now: Moment) {
        if !self.wait().is_zero() {
            return;
        }
        self.swept = Instant::now();
        let before = self.retention.oldest(now).unwrap_or(UnixMillis::MAX);
        match remove(store, before) {
            Ok(removed) => self.has_more = removed == page(store),
            Err(error) => {
                self.has_more = false;
                warn!(%error, "old entries of the history could not be removed");
            }
        }
    }
}

fn page(store: &dyn Store) -> usize {
    store.most_history(0).map_or(PAGE, |most| most.min(PAGE))
}

/// Removes entries from before a time; returns how many.
fn remove(store: &dyn Store, before: UnixMillis) -> Result<usize, StoreError> {
    let old = store.history(&HistoryQuery::before(before, page(store)))?;
    let expired: Vec<HistoryRecord> =
        old.entries.into_iter().map(|StoredHistory { record, .. }| record).collect();
    let count = expired.len();
    if count == 0 {
        return Ok(0);
    }
    // Nothing is read, so that it can't be stale.
    let (CommitResult::Committed(_) | CommitResult::Stale) =
        store.commit(&[ChangeSet { expired, ..ChangeSet::default() }])?;
    Ok(count)
}
