//! The comparison of one action under two policies.

use super::{
    ComparedAction,
    bitset::BitSet,
    classes::{PolicySide, UserClasses},
};
use crate::{
    decide::{OneSided, PairEvaluator},
    request::{Conversation, Relation},
    snapshot::{Population, Selection, Tie, UserNumber, View},
};

/// An action under both policies.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(super) struct ActionComparison<'v> {
    pub(super) old: PairEvaluator<'v>,
    pub(super) new: PairEvaluator<'v>,
    /// The users who may perform the action on a user without a tie, as far as the subject's side
    /// decides.
    pub(super) subjects: [BitSet; 2],
    /// The users on whom it may be performed without a tie, as far as their side decides.
    pub(super) others: [BitSet; 2],
    /// The users who meet each of the conditions on one user alone, before and after.
    pub(super) one_sided: [[BitSet; 4]; 2],
    /// The users whose side differs as a subject, and as the other, whatever the tie.
    pub(super) subjects_differ: BitSet,
    pub(super) others_differ: BitSet,
    /// Whether a policy says something about the two users together, besides its section `rules`.
    pub(super) is_pairwise: bool,
    /// Whether rules are evaluated.
    pub(super) rules: bool,
    /// Whether the effect of blocks differs.
    pub(super) blocks_differ: bool,
    /// Whether blocks end friendships under one policy only.
    friendships_differ: bool,
}

impl<'v> ActionComparison<'v> {
    pub(super) fn new(
        old: &'v View,
        new: &'v View,
        action: &ComparedAction,
        conversation: Option<Conversation>,
        user_classes: &UserClasses<'_>,
    ) -> Self {
        let judges = [(old, action.old), (new, action.new)]
            .map(|(view, asked)| PairEvaluator::new(view, asked, conversation));
        let [before, after] = judges.each_ref().map(PairEvaluator::one_sided);
        let bits = |selection: &Selection<'_>| BitSet::selected(selection, user_classes.users);
        let has_rules = before.rules.is_some() || after.rules.is_some();
        let reads_peers = before.reads_peers || after.reads_peers;
        let blocks_differ = before.blocks != after.blocks;
        let split = |one_sided: &OneSided<'_>| {
            [
                one_sided.subject_users(),
                one_sided.initiator_users(),
                one_sided.other_users(),
                one_sided.untied_users(),
            ]
            .map(|users| bits(&users))
        };
        let one_sided = [split(&before), split(&after)];
        let [[s_old, b_old, o_old, m_old], [s_new, b_new, o_new, m_new]] = &one_sided;
        let mut subjects_differ = differing(s_old, s_new, user_classes.users);
        // Users who may only continue conversations are distinguished whatever else excludes them.
        subjects_differ.insert_differing(b_old, b_new);
        let mut others_differ = differing(o_old, o_new, user_classes.users);
        if reads_peers {
            let modes = peers_differ(old, new, user_classes.users);
            subjects_differ.insert_all(&modes);
            others_differ.insert_all(&modes);
        }
        let friendships_differ =
            old.settings.blocks_end_friendship != new.settings.blocks_end_friendship;
        let [judge_old, judge_new] = judges;
        Self {
            old: judge_old,
            new: judge_new,
            subjects: [s_old.and(b_old).and(m_old), s_new.and(b_new).and(m_new)],
            others: [o_old.and(m_old), o_new.and(m_new)],
            one_sided,
            subjects_differ,
            others_differ,
            is_pairwise: before.is_pairwise() || after.is_pairwise(),
            rules: has_rules,
            blocks_differ: blocks_differ || friendships_differ,
            friendships_differ,
        }
    }

    /// The conditions on one user alone that a user meets, before and after, as bits.
    pub(super) fn one_sided_bits(&self, user: UserNumber) -> u8 {
        let sets = self.one_sided.iter().flatten();
        sets.fold(0, |bits, set| bits << 1 | u8::from(set.contains(user)))
    }

    /// Whether blocks end friendships under one policy only, so that ties differ.
    pub(super) fn friendships_differ(&self) -> bool {
        self.friendships_differ
    }

    /// Whether the side of some user differs, or the effect of blocks.
    pub(super) fn sides_may_differ(&self) -> bool {
        !self.subjects_differ.is_empty() || !self.others_differ.is_empty() || self.blocks_differ
    }

    /// Whether the decisions on users without a tie are the same as for another action, under both
    /// policies.
    pub(super) fn has_same_strangers(&self, other: &Self) -> bool {
        self.rules == other.rules && self.subjects == other.subjects && self.others == other.others
    }

    /// Whether this tie can make the decision differ from that without a tie, or between the
    /// policies; if not, the pair need not be judged.
    #[inline]
    pub(super) fn may_differ(
        &self,
        user_classes: &UserClasses<'_>,
        user: UserNumber,
        other: UserNumber,
        tie: Tie,
    ) -> bool {
        self.sides_differ(user, other, tie) || self.rules && user_classes.rules_differ(user, other)
    }

    /// The same without the rules.
    #[inline]
    pub(super) fn sides_differ(&self, user: UserNumber, other: UserNumber, tie: Tie) -> bool {
        self.subjects_differ.contains(user)
            || self.others_differ.contains(other)
            || self.blocks_differ
                && (tie.outgoing(Relation::Block) || tie.incoming(Relation::Block))
    }

    /// The tie seen from the other user. A reversed tie lacks the declared friendships; where those
    /// matter, the tie is looked up.
    pub(super) fn reversed(
        &self,
        population: &Population,
        user: UserNumber,
        other: UserNumber,
        tie: Tie,
    ) -> Tie {
        if self.friendships_differ {
            population.tie_with_declared(other, user)
        } else {
            tie.reversed()
        }
    }

    /// The tie of two users, with what both policies need.
    pub(super) fn tie(&self, population: &Population, user: UserNumber, other: UserNumber) -> Tie {
        if self.friendships_differ {
            population.tie_with_declared(user, other)
        } else {
            population.tie(user, other)
        }
    }

    /// Whether the action is allowed with this tie, before and after.
    pub(super) fn judge(&self, user: UserNumber, other: UserNumber, tie: Tie) -> [bool; 2] {
        [self.old.allows(user, other, tie), self.new.allows(user, other, tie)]
    }

    /// Whether the action is allowed without a tie, before and after; the two may be the same user.
    pub(super) fn as_strangers(
        &self,
        user_classes: &UserClasses<'_>,
        user: UserNumber,
        other: UserNumber,
    ) -> [bool; 2] {
        let class = user_classes.class(user_classes.class_number(other));
        [PolicySide::Old, PolicySide::New].map(|side| {
            let [subjects, others] = [&self.subjects, &self.others].map(|sets| of(sets, side));
            subjects.contains(user)
                && others.contains(other)
                && (!self.rules
                    || class.is_some_and(|class| user_classes.reaches(user, class, side)))
        })
    }
}

fn of([old, new]: &[BitSet; 2], side: PolicySide) -> &BitSet {
    match side {
        PolicySide::Old => old,
        PolicySide::New => new,
    }
}

fn differing(one: &BitSet, other: &BitSet, users: u32) -> BitSet {
    let mut differ = BitSet::nobody(users);
    differ.insert_differing(one, other);
    differ
}

fn peers_differ(old: &View, new: &View, users: u32) -> BitSet {
    let mut differ = BitSet::nobody(users);
    if !std::sync::Arc::ptr_eq(&old.population, &new.population) {
        for user in UserNumber::first(users) {
            if old.population.directory.state(user).peers()
                != new.population.directory.state(user).peers()
            {
                differ.insert(user);
            }
        }
    }
    differ
}
