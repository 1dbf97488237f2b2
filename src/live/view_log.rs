//! The log of changes of the served view: which answers each of them may have changed.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::snapshot::Concerned;

/// A change of the served view.
#[derive(Debug)]
pub struct ViewChange {
    /// The number of the view that is served since.
    pub number: u64,
    /// Its revision.
    pub revision: String,
    /// Those whose answers may differ from those of the view before.
    pub concerned: Concerned,
}

/// The changes since a view.
#[derive(Clone, Debug)]
pub enum ViewChanges {
    /// All of them, in order.
    All(Vec<Arc<ViewChange>>),
    /// No view of that number was served lately, or ever; the number of the view that is served now.
    Unknown(u64),
}

/// The latest changes, within bounds.
#[derive(Debug)]
pub(super) struct ViewLog {
    last: u64,
    /// Their numbers are consecutive, up to the last.
    changes: VecDeque<Arc<ViewChange>>,
    /// The length of the names in all of them, in bytes.
    names: usize,
}

/// The most changes that are kept, and the greatest length of the names of users and groups in them, in bytes.
const MAX_CHANGES: usize = 4096;
const MAX_NAMES: usize = 4 << 20;

impl ViewLog {
    /// A log that begins at a time. The number of the first view is made of it: those that another process served,
    /// before this one or beside it, are not among the numbers of this one.
    pub(super) fn new(now: SystemTime) -> Self {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        // Exact as a number of JSON for some centuries.
        let last = u64::try_from(since.as_micros()).unwrap_or(1).max(1);
        Self { last, changes: VecDeque::new(), names: 0 }
    }

    /// The number of the view that is served.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Adds a change, and returns the number of its view.
    pub(super) fn push(&mut self, revision: &str, concerned: Concerned) -> u64 {
        self.last += 1;
        self.names += names(&concerned);
        let change = ViewChange { number: self.last, revision: revision.to_owned(), concerned };
        self.changes.push_back(Arc::new(change));
        while self.changes.len() > MAX_CHANGES || self.names > MAX_NAMES {
            let Some(oldest) = self.changes.pop_front() else { break };
            self.names -= names(&oldest.concerned);
        }
        self.last
    }

    /// The changes after the view with a number.
    pub(super) fn since(&self, number: u64) -> ViewChanges {
        let behind = self.last.checked_sub(number).and_then(|it| usize::try_from(it).ok());
        match behind.and_then(|behind| self.changes.len().checked_sub(behind)) {
            Some(first) => ViewChanges::All(self.changes.iter().skip(first).cloned().collect()),
            None => ViewChanges::Unknown(self.last),
        }
    }
}

fn names(concerned: &Concerned) -> usize {
    concerned.users().iter().chain(concerned.groups()).map(String::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(log: &ViewLog, since: u64) -> Option<Vec<u64>> {
        match log.since(since) {
            ViewChanges::All(changes) => Some(changes.iter().map(|it| it.number).collect()),
            ViewChanges::Unknown(last) => {
                assert_eq!(last, log.last());
                None
            }
        }
    }

    #[test]
    fn what_is_kept_is_known() {
        let mut log = ViewLog::new(SystemTime::now());
        let first = log.last();
        assert_eq!(numbers(&log, first), Some(vec![]));
        for unknown in [0, first - 1, first + 1, u64::MAX] {
            assert_eq!(numbers(&log, unknown), None);
        }
        assert_eq!(log.push("r", Concerned::default()), first + 1);
        log.push("r", Concerned::all());
        assert_eq!(numbers(&log, first), Some(vec![first + 1, first + 2]));
        assert_eq!(numbers(&log, first + 1), Some(vec![first + 2]));
        for _ in 0..MAX_CHANGES {
            log.push("r", Concerned::default());
        }
        assert_eq!(numbers(&log, first + 1), None);
        assert_eq!(numbers(&log, first + 2).unwrap().len(), MAX_CHANGES);
    }

    #[test]
    fn few_changes_of_many_names_are_kept() {
        let mut log = ViewLog::new(SystemTime::now());
        let first = log.last();
        let mut many = Concerned::default();
        (0..Concerned::MAX_NAMES).for_each(|user| many.add_user(&format!("{user:0>128}")));
        for _ in 0..=MAX_NAMES / (128 * Concerned::MAX_NAMES) {
            log.push("r", many.clone());
        }
        assert_eq!(numbers(&log, first), None);
        assert!(numbers(&log, first + 1).is_some());
    }
}
