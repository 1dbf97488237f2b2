//! Compiled barriers: the users of each side.

use super::{TagId, UserSet, UserTags, WatchIndex, watch_index::WatchTags};
use crate::request::{Barrier, Condition};

/// The barriers of a policy, in the order of their names.
#[derive(Clone, Default, Debug)]
pub struct Barriers {
    pub all: Vec<CompiledBarrier>,
    /// The barriers by the tags of a user who may meet one of their sides.
    index: WatchIndex,
}

/// A barrier with the users of its sides.
#[derive(Clone, Debug)]
pub struct CompiledBarrier {
    pub barrier: Barrier<TagId>,
    /// The users who meet the first side, and those who meet the second.
    pub sides: [UserSet; 2],
    /// The place among all barriers.
    pub number: usize,
}

impl Barriers {
    /// The barriers with the users of their sides.
    pub fn new(all: Vec<CompiledBarrier>) -> Self {
        let either: Vec<Condition<TagId>> = all
            .iter()
            .map(|it| Condition::Any(vec![it.barrier.from.clone(), it.barrier.to.clone()]))
            .collect();
        let index = WatchIndex::of(either.iter().map(WatchTags::Condition));
        Self { all, index }
    }

    /// Whether a barrier also concerns who is in a group already.
    pub fn concern_groups(&self) -> bool {
        self.all.iter().any(|it| it.barrier.in_groups)
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether a barrier, one side of which a user with these tags may meet, passes a test. Costs a search
    /// for each tag, and the test of each candidate.
    #[inline]
    pub fn any_candidate(
        &self,
        tags: UserTags<'_>,
        test: impl Fn(&CompiledBarrier) -> bool,
    ) -> bool {
        !self.all.is_empty()
            && self.index.any_candidate(tags, |number| self.all.get(number).is_some_and(&test))
    }

    pub(super) fn memory(&self) -> usize {
        let sides = self.all.iter().flat_map(|it| &it.sides);
        sides.map(UserSet::memory).sum::<usize>() + self.index.memory()
    }
}
