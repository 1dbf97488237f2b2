//! The recovery state of a store: what was acknowledged against what the file holds.

use super::head::{Head, RevisionMark};
use crate::store::Rollback;

/// The state of a file by its head, before and after redb opened it.
#[derive(Clone, Default, Debug)]
pub(super) struct RecoveryState {
    /// The faults that opening the store repairs, a sentence each.
    pub(super) repairs: Vec<String>,
    pub(super) rollback: Option<Rollback>,
}

const UNCLOSED: &str =
    "it was not closed (a crash, a kill or a loss of power); all of it was checked";

const UNFINISHED: &str =
    "a commit that was under way at its end was dropped; it was never acknowledged";

const HALF_MARK: &str =
    "one of the two copies of its highest revision was damaged and is written again";

impl RecoveryState {
    /// The state of a store of this revision whose head was `before`, and is `after` redb opened it.
    pub(super) fn new(before: &Head, after: &Head, revision: u64) -> Self {
        // Opening makes one commit: the commit that redb took for the newest is the other one.
        let taken = 1 - after.primary();
        let is_newest = before.transaction(1 - taken) <= before.transaction(taken);
        let is_pointed_to = before.primary() == taken;
        let mut state = Self::default();
        let mut note = |is_so: bool, what: &str| {
            if is_so {
                state.repairs.push(what.to_owned());
            }
        };
        note(!before.is_closed(), UNCLOSED);
        let stepped_back = match before.mark() {
            RevisionMark::Revision { revision: known, is_whole } => {
                note(!is_whole, HALF_MARK);
                note(known <= revision && !is_newest, UNFINISHED);
                (known > revision).then_some(Some(known))
            }
            // Without a mark, an interrupted commit can't be distinguished from a damaged one.
            RevisionMark::Absent => (!is_newest || !is_pointed_to).then_some(None),
            RevisionMark::Damaged => Some(None),
        };
        state.rollback = stepped_back.map(|known| Rollback { found: revision, known });
        state
    }
}
