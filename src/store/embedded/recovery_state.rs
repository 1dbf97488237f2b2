//! The state in which a store was found: what was acknowledged against what is there.

use super::head::{Head, RevisionMark};
use crate::store::Rollback;

/// What the head of a file tells of how it was left, and of what redb made of it.
#[derive(Clone, Default, Debug)]
pub(super) struct RecoveryState {
    /// What opening it puts right, a sentence each.
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
    /// That of a store of a revision whose head was `before`, and is `after` redb has opened it.
    pub(super) fn new(before: &Head, after: &Head, revision: u64) -> Self {
        // In opening, redb commits once: the commit that it took for the newest is the other one.
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
            // Without a mark, a commit that was cut off can't be told from one that is damaged.
            RevisionMark::Absent => (!is_newest || !is_pointed_to).then_some(None),
            RevisionMark::Damaged => Some(None),
        };
        state.rollback = stepped_back.map(|known| Rollback { found: revision, known });
        state
    }
}
