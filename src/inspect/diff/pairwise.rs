//! The comparison of an action where a policy says something about two users together.
//!
//! Users of whom such statements ask the same are of one kind. Between users of each two kinds who have nothing to
//! do with each other, both policies are asked once; how many pairs the section `rules` opens there is counted as
//! where there are no such statements. Then pairs that share a tag of a pattern are corrected team by team, and each
//! pair with a tie, or in a common group, by itself, where what the policies say can differ at all. Both policies are
//! asked once for all such pairs that are alike.

use std::collections::HashMap;

use super::{
    alike::{AlikePair, CommonGroups, UserTraits},
    bitset::BitSet,
    classes::{PolicySide, UserClasses},
    comparison::ActionComparison,
    count::side_by_side,
    kinds::{UserKind, UserKinds},
    openings::{AssumedEvaluators, AssumedViews, OpeningTable, Openings},
    questions::{self, PairRole, Questions},
    residues::{LeftOpen, Residues},
    shared_tags::{MAX_PATTERNS, SharedTags},
    stated::{are_stated_the_same, own_audiences_mean_the_same},
};
use crate::snapshot::{GroupView, Tie, UserNumber, View};

/// The number of decisions that each thread remembers for pairs that are alike.
const MAX_ALIKE: usize = 1 << 20;

/// Corrections of the counts by one thread, and what it found out for them.
#[derive(Default)]
pub(super) struct Corrections {
    pub(super) classes: HashMap<u32, [i64; 2], foldhash::fast::RandomState>,
    openings: HashMap<(u32, u32, u64), Openings, foldhash::fast::RandomState>,
    acquainted: HashMap<AlikePair, Openings, foldhash::fast::RandomState>,
}

impl Corrections {
    pub(super) fn add(&mut self, class: u32, direction: Option<usize>, pairs: i64) {
        let Some(direction) = direction else { return };
        let counts = self.classes.entry(class).or_default();
        counts.get_mut(direction).into_iter().for_each(|count| *count += pairs);
    }
}

/// An action under two policies, of which at least one says something about two users together.
pub(super) struct PairwiseComparison<'c, 'v> {
    pub(super) comparison: &'c ActionComparison<'v>,
    pub(super) user_classes: &'c UserClasses<'v>,
    pub(super) new: &'v View,
    pub(super) subjects: UserKinds,
    pub(super) others: UserKinds,
    pub(super) shared: SharedTags,
    pub(super) evaluators: AssumedEvaluators<'c>,
    /// Whether there are too many kinds of users, or of shared tags, to tell them all apart.
    pub(super) is_sampled: bool,
    /// Whether a condition of one of the policies asks for shared groups.
    pub(super) reads_groups: bool,
    /// Whether audiences of users' own records mean the same under both policies.
    own_audiences_are_the_same: bool,
    pub(super) table: OpeningTable,
    residues: Residues<'v>,
    traits: UserTraits,
}

impl<'c, 'v> PairwiseComparison<'c, 'v> {
    /// The comparison; `None` if both policies say the same, so that no decision differs. With more than
    /// `kind_pairs` pairs of kinds, some of the users stand for all.
    ///
    /// Costs a look at each user, and four decisions for each pair of kinds.
    pub(super) fn new(
        comparison: &'c ActionComparison<'v>,
        user_classes: &'c UserClasses<'v>,
        views: [&'v View; 2],
        assumed: &'c AssumedViews,
        kind_pairs: usize,
    ) -> Option<Self> {
        let judges = [&comparison.old, &comparison.new];
        if !comparison.sides_may_differ()
            && user_classes.rules_are_the_same()
            && are_stated_the_same(views, judges)
        {
            return None;
        }
        let [old, new] = views;
        let evaluators = AssumedEvaluators::of(assumed, judges);
        let shut = evaluators.shut.each_ref();
        let stated = [(old, shut[0]), (new, shut[1])];
        let kinds = |able, role| {
            UserKinds::of(views, user_classes, &Questions::of(stated, role), able, role)
        };
        let (subjects, others) =
            side_by_side(&|| kinds(&comparison.subjects, PairRole::Subject), &|| {
                kinds(&comparison.others, PairRole::Other)
            });
        let patterns = questions::shared_patterns(stated);
        let (shared, traits) =
            side_by_side(&|| SharedTags::of(new, &patterns, user_classes), &|| {
                UserTraits::of(views, comparison, user_classes.users)
            });
        let is_sampled = subjects.len().saturating_mul(others.len()) > kind_pairs
            || patterns.len() > MAX_PATTERNS
            || shared.has_too_many_pairs();
        let nobody = UserKinds::NONE;
        let of_kinds = if is_sampled { [&nobody; 2] } else { [&subjects, &others] };
        Some(Self {
            reads_groups: stated.iter().any(|(view, it)| questions::reads_groups(view, it)),
            own_audiences_are_the_same: own_audiences_mean_the_same(views, judges),
            table: OpeningTable::of(&evaluators, of_kinds, &shared, &|| user_classes.is_late()),
            residues: Residues::of(new, &evaluators, of_kinds),
            traits,
            comparison,
            user_classes,
            new,
            subjects,
            others,
            shared,
            evaluators,
            is_sampled,
        })
    }

    /// The openings between strangers of two kinds who share tags with this mask.
    pub(super) fn openings(
        &self,
        subject: u32,
        other: u32,
        mask: u64,
        known: &mut Corrections,
    ) -> Openings {
        if mask == 0 {
            return self.table.get(subject, other);
        }
        *known.openings.entry((subject, other, mask)).or_insert_with(|| {
            let kinds = (self.subject_kind(subject), self.other_kind(other));
            let (Some(subject), Some(other)) = kinds else { return Openings::SHUT };
            self.evaluators.of_kinds(subject, other, &self.shared, mask)
        })
    }

    fn subject_kind(&self, kind: u32) -> Option<&UserKind> {
        self.subjects.kinds.get(kind as usize)
    }

    fn other_kind(&self, kind: u32) -> Option<&UserKind> {
        self.others.kinds.get(kind as usize)
    }

    /// Whether what the section `rules` lists lets a user reach those of a class.
    #[inline]
    pub(super) fn rules_open(&self, user: UserNumber, class: u32, side: PolicySide) -> bool {
        let class = self.user_classes.class(class);
        class.is_some_and(|class| self.user_classes.reaches(user, class, side))
    }

    /// What statements leave open between users of two kinds; `None` if their own audiences decide.
    #[inline]
    pub(super) fn left_open(&self, (subjects, others): (u32, u32)) -> Option<LeftOpen> {
        let (subject, other) = (self.subject_kind(subjects)?, self.other_kind(others)?);
        self.residues.between((subjects, subject), (others, other))
    }

    /// Whether the policies can differ on two users who are no strangers, or on them as strangers.
    #[inline]
    pub(super) fn may_differ(
        &self,
        user: UserNumber,
        other: UserNumber,
        tie: Tie,
        left_open: Option<LeftOpen>,
    ) -> bool {
        !self.own_audiences_are_the_same
            || left_open.is_none_or(|it| it.differs)
            || self.comparison.sides_differ(user, other, tie)
            || self.user_classes.rules_differ(user, other)
    }

    /// The openings between two users who are no strangers; `None` if they are not known from pairs that are alike.
    /// Costs four decisions for the first of those.
    #[inline]
    pub(super) fn acquainted_openings(
        &self,
        user: UserNumber,
        other: UserNumber,
        tie: Tie,
        (left_open, shared): (Option<LeftOpen>, u64),
        known: &mut Corrections,
    ) -> Option<Openings> {
        let group = match CommonGroups::of(self.new, user, other, self.reads_groups) {
            CommonGroups::None => None,
            CommonGroups::Of(matrix) => Some(matrix),
            CommonGroups::Several => return None,
        };
        if self.comparison.friendships_differ() {
            return None;
        }
        let alike = AlikePair {
            residue: left_open?.number,
            traits: [self.traits.number(user), self.traits.number(other)],
            tie: tie.to_bytes(),
            shared,
            group,
        };
        if let Some(&openings) = known.acquainted.get(&alike) {
            return Some(openings);
        }
        if known.acquainted.len() >= MAX_ALIKE {
            return None;
        }
        let openings = self.evaluators.acquainted(user, other, tie);
        known.acquainted.insert(alike, openings);
        Some(openings)
    }

    /// Whether the action is allowed, before and after. Each view has the friendships that its policy leaves.
    pub(super) fn judge(&self, user: UserNumber, other: UserNumber) -> [bool; 2] {
        [&self.comparison.old, &self.comparison.new]
            .map(|evaluator| evaluator.allows_acquainted(user, other))
    }

    /// The users who are no strangers to a user: with a tie, or in a group with them.
    pub(super) fn acquainted(&self, user: UserNumber) -> impl Iterator<Item = UserNumber> + '_ {
        let tied = self.new.population.ties_of(user).map(|(other, _)| other);
        let groups = self.new.groups.numbers_of(user).filter(|_| self.reads_groups);
        let members = groups.filter_map(|group| self.new.groups.get(group));
        tied.chain(members.flat_map(GroupView::members)).filter(move |&other| other != user)
    }

    /// The users who may act on a user, before and after.
    pub(super) fn reaching(&self, other: UserNumber) -> [BitSet; 2] {
        [&self.comparison.old, &self.comparison.new]
            .map(|it| BitSet::selected(&it.reaching(other), self.user_classes.users))
    }
}
