//! The one-sided conditions of gates: what each of two users must meet, with any other user.

use super::pair_condition::PairCondition;
use crate::{
    request::{BlockMode, Toggle},
    snapshot::{RuleBook, Selection, TagId, UserSet},
};

/// The conditions on each of two users alone, and what is left to be looked at for a pair.
///
/// Two users who are unrelated, that is without a tie, are allowed exactly if the subject and the
/// other meet their conditions and the rules, if there are any, open.
#[derive(Default, Debug)]
pub struct OneSided<'v> {
    /// The conditions on every subject.
    pub subjects: Vec<UserCondition<'v>>,
    /// The conditions on a subject who begins a conversation, that is, has none with the other yet.
    pub initiators: Vec<UserCondition<'v>>,
    /// The conditions on every resource or `member`.
    pub others: Vec<UserCondition<'v>>,
    /// The conditions on both of two unrelated users. A tie can stand in for them.
    pub unrelated: Vec<UserCondition<'v>>,
    /// The conditions on both of two users whose relations are not known: a tie can't stand in for them.
    pub related: Vec<UserCondition<'v>>,
    /// The rules that must open for users without a conversation; `None` if no rules apply.
    pub rules: Option<&'v RuleBook>,
    /// Whether ties are looked at by the peers modes of both users.
    pub reads_peers: bool,
    /// Which blocks close.
    pub blocks: ConversationBlocks,
    /// The conditions on the two together, of users without records; what sets say of known users is in no
    /// other field.
    pub pairwise: Vec<PairCondition>,
    /// Whether audiences of users' own records are read.
    pub reads_own_audiences: bool,
}

/// A condition on one user, as a set of users and as a condition on tags.
#[derive(Debug)]
pub struct UserCondition<'v> {
    /// The users who meet it; of known users alone it is exact.
    pub users: Selection<'v>,
    /// The condition on the tags of a user without a record.
    pub tags: Toggle<TagId>,
}

/// Which blocks between two users close, depending on whether they have a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConversationBlocks {
    pub existing: BlockMode,
    pub new: BlockMode,
}

impl Default for ConversationBlocks {
    fn default() -> Self {
        Self { existing: BlockMode::Off, new: BlockMode::Off }
    }
}

impl<'v> OneSided<'v> {
    /// The conditions of two gates together.
    pub(super) fn merge(mut self, other: Self) -> Self {
        let Self {
            subjects,
            initiators,
            others,
            unrelated,
            related,
            rules,
            reads_peers,
            blocks,
            pairwise,
            reads_own_audiences,
        } = other;
        self.pairwise.extend(pairwise);
        self.reads_own_audiences |= reads_own_audiences;
        self.related.extend(related);
        self.subjects.extend(subjects);
        self.initiators.extend(initiators);
        self.others.extend(others);
        self.unrelated.extend(unrelated);
        self.rules = self.rules.or(rules);
        self.reads_peers |= reads_peers;
        self.blocks.existing = self.blocks.existing.max(blocks.existing);
        self.blocks.new = self.blocks.new.max(blocks.new);
        self
    }

    /// Whether the decision on two unrelated users depends on more than their own conditions and the
    /// section `rules`.
    pub fn is_pairwise(&self) -> bool {
        !self.pairwise.is_empty() || self.reads_own_audiences
    }

    /// The users who may act on someone.
    pub fn subject_users(&self) -> Selection<'_> {
        users(&self.subjects)
    }

    /// The users who may begin a conversation, if they may act at all.
    pub fn initiator_users(&self) -> Selection<'_> {
        users(&self.initiators)
    }

    /// The users on whom someone may act.
    pub fn other_users(&self) -> Selection<'_> {
        users(&self.others)
    }

    /// The users who need no tie to communicate.
    pub fn untied_users(&self) -> Selection<'_> {
        users(&self.unrelated)
    }

    /// The conditions on a subject that is unrelated to the other user.
    pub fn unrelated_subjects(&self) -> impl Iterator<Item = &UserCondition<'v>> {
        self.subjects.iter().chain(&self.initiators).chain(&self.unrelated)
    }

    /// The conditions on a subject who begins a conversation with a user of any relations.
    pub fn related_subjects(&self) -> impl Iterator<Item = &UserCondition<'v>> {
        self.subjects.iter().chain(&self.initiators).chain(&self.related)
    }

    /// The conditions on a resource or `member` of any relations.
    pub fn related_others(&self) -> impl Iterator<Item = &UserCondition<'v>> {
        self.others.iter().chain(&self.related)
    }

    /// The conditions on a resource or `member` that is unrelated to the subject.
    pub fn unrelated_others(&self) -> impl Iterator<Item = &UserCondition<'v>> {
        self.others.iter().chain(&self.unrelated)
    }

    /// Those of `from` who may act on unrelated users, and those of `to` on whom unrelated users may act,
    /// as far as it depends on one of them alone.
    pub fn unrelated_within(&self, from: &UserSet, to: &UserSet) -> (UserSet, UserSet) {
        let within = |selection: Selection<'_>, set: &UserSet| {
            Selection::all([selection, Selection::from(set)]).within(set).into_owned()
        };
        (within(users(self.unrelated_subjects()), from), within(users(self.unrelated_others()), to))
    }
}

/// The users who meet all of some conditions.
fn users<'s, 'v: 's>(conditions: impl IntoIterator<Item = &'s UserCondition<'v>>) -> Selection<'s> {
    Selection::all(conditions.into_iter().map(|condition| condition.users.borrowed()))
}

impl<'v> UserCondition<'v> {
    /// A condition on what the store says of a user, which every user without a record meets.
    pub(super) fn of_records(users: Selection<'v>) -> Self {
        Self { users, tags: Toggle::Always(true) }
    }

    /// The users who meet all of some conditions; everybody, if there are none.
    pub(super) fn intersect(conditions: impl IntoIterator<Item = Self>) -> Selection<'v> {
        Selection::all(conditions.into_iter().map(|condition| condition.users))
    }
}
