use std::{borrow::Cow, sync::Arc};

use super::{Directory, Own, Selection, Standings, TagId, Tie, Ties, UserSet};
use crate::request::{Condition, Switch};

/// A user, and a switch that his record sets to a condition.
pub type OwnCondition = (u32, Switch, Condition<TagId>);

/// Who there is: users, their tags, the users of each tag, and what is between users.
///
/// A clone differs in where users stand; it shares all but that.
#[derive(Clone, Debug)]
pub struct Population {
    pub directory: Directory,
    /// For each tag that users have, those who have it.
    pub members: Arc<[UserSet]>,
    pub everyone: UserSet,
    /// What records of users set, in the order of the users; those that set nothing are left out.
    pub own: Arc<[(u32, Own)]>,
    /// The switches that records set to a condition, in the order of the users.
    pub own_conditions: Arc<[OwnCondition]>,
    /// What is between users.
    pub ties: Arc<Ties>,
    /// What the population was read from, to tell whether it would be read the same again.
    pub key: [u8; 32],
    /// What it says, whatever it was read from.
    pub digest: [u8; 32],
}

impl Population {
    /// Notes where each user stands, beside his id, where decisions find it. Costs a pass over the
    /// users.
    #[must_use]
    pub fn standing_as(mut self, standings: &Standings) -> Self {
        self.directory.note(standings);
        self
    }

    /// Whether both are of the same users, wherever they stand.
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.ties, &other.ties)
    }

    /// The users who have a tag.
    pub fn members(&self, tag: TagId) -> Option<&UserSet> {
        self.members.get(tag.index())
    }

    /// The users who meet a condition: set algebra over the users of each tag, `not` being relative
    /// to all known users. Recursion is as deep as the condition, which the parsers limit.
    pub fn meeting(&self, condition: &Condition<TagId>) -> Cow<'_, UserSet> {
        self.selection(condition).of(&self.everyone)
    }

    /// What is between two users, seen from the first. Costs a search in the shorter of their rows, or
    /// nothing where it can be told from what stands beside their ids.
    #[inline]
    pub fn tie(&self, one: u32, other: u32) -> Tie {
        let row = |user: u32| (user, self.directory.row(user));
        self.ties.between(row(one), row(other))
    }

    /// What the record of a user sets, and the switches that it sets to a condition. Costs two
    /// searches.
    pub fn own(&self, user: u32) -> (Own, &[OwnCondition]) {
        let at = self.own.binary_search_by_key(&user, |&(user, _)| user);
        let own =
            at.ok().and_then(|at| self.own.get(at)).map_or_else(Own::default, |&(_, own)| own);
        let from = self.own_conditions.partition_point(|(other, ..)| *other < user);
        let to = self.own_conditions.partition_point(|(other, ..)| *other <= user);
        (own, self.own_conditions.get(from..to).unwrap_or_default())
    }

    fn selection(&self, condition: &Condition<TagId>) -> Selection<'_> {
        match condition {
            Condition::HasTag(tag) => {
                self.members(*tag).map_or_else(Selection::nobody, Selection::from)
            }
            Condition::Not(inner) => self.selection(inner).complement(),
            Condition::All(parts) => Selection::all(parts.iter().map(|part| self.selection(part))),
            Condition::Any(parts) => Selection::any(parts.iter().map(|part| self.selection(part))),
        }
    }

    pub(super) fn memory(&self) -> usize {
        let conditions = self.own_conditions.len() * size_of::<OwnCondition>();
        self.directory.memory()
            + self.members.iter().map(UserSet::memory).sum::<usize>()
            + size_of_val(&*self.own)
            + conditions
            + self.ties.memory()
    }
}
