use super::{
    bitset::BitSet,
    classes::{PolicySide, UserClasses},
};
use crate::{
    decide::{Ends, PairEvaluator},
    request::{Action, BlockMode, Conversation, PeersMode, Relation},
    snapshot::{Population, Selection, Tie, View},
};

/// An action under both policies.
#[derive(Debug)]
pub(super) struct ActionComparison<'v> {
    pub(super) old: PairEvaluator<'v>,
    pub(super) new: PairEvaluator<'v>,
    /// Who may do it to someone with whom he has nothing to do, as far as it is up to him.
    pub(super) subjects: [BitSet; 2],
    /// To whom such a one may do it, as far as it is up to them.
    pub(super) others: [BitSet; 2],
    /// Who counts otherwise as a subject, and who as the other, whatever is between the two.
    pub(super) subjects_differ: BitSet,
    pub(super) others_differ: BitSet,
    /// Whether rules are asked.
    pub(super) rules: bool,
    /// Whether blocks count otherwise.
    pub(super) blocks_differ: bool,
    /// Whether blocks end friendships under one of them alone.
    friendships_differ: bool,
}

impl<'v> ActionComparison<'v> {
    pub(super) fn new(
        old: &'v View,
        new: &'v View,
        action: Action,
        conversation: Option<Conversation>,
        crowd: &UserClasses<'_>,
    ) -> Self {
        let judges = [old, new].map(|view| PairEvaluator::new(view, action, conversation));
        let [before, after] = judges.each_ref().map(PairEvaluator::ends);
        let bits = |selection: &Selection<'_>| BitSet::selected(selection, crowd.users);
        let modes = [(old, before.peers), (new, after.peers)].map(|(view, matters)| {
            let all = view.states.in_peers_mode(PeersMode::All);
            bits(&if matters { all } else { Selection::everybody() })
        });
        let has_rules = crowd.has_rules && (before.rules || after.rules);
        let blocks: [[BlockMode; 2]; 2] = [before.blocks, after.blocks];
        let is_about_peers = before.peers || after.peers;
        let split =
            |sides: Ends<'_>| [sides.subjects, sides.beginners, sides.others].map(|it| bits(&it));
        let ([s_old, b_old, o_old], [s_new, b_new, o_new]) = (split(before), split(after));
        let mut subjects_differ = differing(&s_old, &s_new, crowd.users);
        // Who may only go on with conversations is told apart whatever else keeps strangers out.
        subjects_differ.insert_differing(&b_old, &b_new);
        let mut others_differ = differing(&o_old, &o_new, crowd.users);
        if is_about_peers {
            let modes = peers_differ(old, new, crowd.users);
            subjects_differ.insert_all(&modes);
            others_differ.insert_all(&modes);
        }
        let friendships_differ =
            old.settings.blocks_end_friendship != new.settings.blocks_end_friendship;
        let [m_old, m_new] = modes;
        let [judge_old, judge_new] = judges;
        Self {
            old: judge_old,
            new: judge_new,
            subjects: [s_old.and(&b_old).and(&m_old), s_new.and(&b_new).and(&m_new)],
            others: [o_old.and(&m_old), o_new.and(&m_new)],
            subjects_differ,
            others_differ,
            rules: has_rules,
            blocks_differ: blocks[0] != blocks[1] || friendships_differ,
            friendships_differ,
        }
    }

    /// Whether it is the same of any two strangers, under both policies, as of another action.
    pub(super) fn has_same_strangers(&self, other: &Self) -> bool {
        self.rules == other.rules && self.subjects == other.subjects && self.others == other.others
    }

    /// Whether what is between two could make them come out otherwise than as strangers, or than
    /// before: if not, they need not be judged.
    #[inline]
    pub(super) fn may_differ(
        &self,
        crowd: &UserClasses<'_>,
        user: u32,
        other: u32,
        tie: Tie,
    ) -> bool {
        self.sides_differ(user, other, tie) || self.rules && crowd.rules_differ(user, other)
    }

    /// The same, the rules aside.
    #[inline]
    pub(super) fn sides_differ(&self, user: u32, other: u32, tie: Tie) -> bool {
        self.subjects_differ.contains(user)
            || self.others_differ.contains(other)
            || self.blocks_differ
                && (tie.outgoing(Relation::Block) || tie.incoming(Relation::Block))
    }

    /// What is between two users seen from the second, of whom it is known seen from the first. A
    /// reversed tie does not tell which friendships files state; where those differ, it is looked up.
    pub(super) fn reversed(&self, population: &Population, user: u32, other: u32, tie: Tie) -> Tie {
        if self.friendships_differ {
            population.tie_with_declared(other, user)
        } else {
            tie.reversed()
        }
    }

    /// What is between two users, to be judged under both policies.
    pub(super) fn tie(&self, population: &Population, user: u32, other: u32) -> Tie {
        if self.friendships_differ {
            population.tie_with_declared(user, other)
        } else {
            population.tie(user, other)
        }
    }

    /// Whether one may do it to the other if this is between them: before and after.
    pub(super) fn judge(&self, user: u32, other: u32, tie: Tie) -> [bool; 2] {
        [self.old.allows(user, other, tie), self.new.allows(user, other, tie)]
    }

    /// Whether one may do it to another with whom he has nothing to do, oneself included.
    pub(super) fn as_strangers(&self, crowd: &UserClasses<'_>, user: u32, other: u32) -> [bool; 2] {
        let class = crowd.class(crowd.class_number(other));
        [PolicySide::Old, PolicySide::New].map(|side| {
            let [subjects, others] = [&self.subjects, &self.others].map(|sets| of(sets, side));
            subjects.contains(user)
                && others.contains(other)
                && (!self.rules || class.is_some_and(|class| crowd.reaches(user, class, side)))
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
        for user in 0..users {
            if old.population.directory.state(user).peers()
                != new.population.directory.state(user).peers()
            {
                differ.insert(user);
            }
        }
    }
    differ
}
