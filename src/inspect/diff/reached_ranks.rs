//! The tags by which rules let each user reach somebody, some of them.

use super::{
    bitset::{BitSet, members},
    classes::{PolicySide, UserClasses},
};
use crate::snapshot::UserNumber;

/// The number of ranks that are kept of each user.
pub(super) const MAX_RANKS: usize = 8;

/// The ranks of the tags by which the rules of a policy let each user reach somebody: the first ones.
#[derive(Clone, Debug)]
pub(super) struct ReachedRanks {
    of: Vec<[u32; MAX_RANKS]>,
}

impl ReachedRanks {
    /// Those before and after.
    pub(super) fn of_both(classes: &UserClasses<'_>) -> [Self; 2] {
        let old = Self::of(classes, PolicySide::Old);
        let new = if classes.rules_are_the_same() {
            old.clone()
        } else {
            Self::of(classes, PolicySide::New)
        };
        [old, new]
    }

    /// Costs a pass over the users by whom each tag is reached.
    fn of(classes: &UserClasses<'_>, side: PolicySide) -> Self {
        let mut ranks = Self { of: vec![[u32::MAX; MAX_RANKS]; classes.users as usize] };
        // Those who have as many as are kept.
        let mut full = BitSet::nobody(classes.users);
        for (rank, reachers) in (0_u32..u32::MAX).zip(&classes.reachers) {
            for (at, word) in reachers.on(side).words() {
                for user in members(at, word & !full.word(at)) {
                    let Some(known) = ranks.of.get_mut(user.index()) else { continue };
                    if let Some(free) = known.iter_mut().find(|it| **it == u32::MAX) {
                        *free = rank;
                    }
                    if !known.contains(&u32::MAX) {
                        full.insert(user);
                    }
                }
            }
        }
        ranks
    }

    pub(super) fn of_user(&self, user: UserNumber) -> impl Iterator<Item = u32> + '_ {
        let ranks = self.of.get(user.index()).into_iter().flatten();
        ranks.copied().filter(|&rank| rank != u32::MAX)
    }
}
