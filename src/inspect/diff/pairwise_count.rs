//! The counts of pairs whose decision changes where a policy says something about two users together.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    bitset::BitSet,
    classes::PolicySide,
    count::{GAINED, LOST, Lanes, PairCounts, direction_of, on_all_processors, signed},
    openings::{Opening, Openings},
    pairwise::{Corrections, PairwiseComparison},
    teams,
};
use crate::snapshot::{GroupNumber, Tie, UserNumber};

/// The number of users whose changes stand for those of all, if the change is estimated.
pub(super) const SAMPLE: u32 = 1 << 11;

/// The number of users whose ties are corrected in one part of the work.
const PART: usize = 1 << 12;

/// The pairs that an action gained and lost.
#[derive(Debug)]
pub(super) struct PairwiseCounts {
    /// By the class of the user on whom the action is performed.
    pub(super) pairs: PairCounts,
    /// Whether some of the pairs are estimated.
    pub(super) is_estimate: bool,
}

impl PairwiseComparison<'_, '_> {
    /// Counts all pairs whose decision changes. Runs on all processors.
    /// The change among more than `group_pairs` pairs that share a group is estimated.
    pub(super) fn count(&self, group_pairs: u64) -> PairwiseCounts {
        let mut counts =
            PairwiseCounts { pairs: PairCounts::none(self.user_classes), is_estimate: false };
        if self.is_sampled {
            self.count_sample(&mut counts);
            return counts;
        }
        self.count_strangers(&mut counts.pairs);
        self.subtract_oneself(&mut counts.pairs);
        if !self.shared.is_empty() {
            let tags: Vec<_> = self.shared.iter().collect();
            self.correct(&mut counts.pairs, tags.len(), &|at, corrections| {
                if let Some(&(tag, mask)) = tags.get(at) {
                    teams::correct(self, tag, mask, corrections);
                }
            });
        }
        let users = self.user_classes.users as usize;
        self.correct(&mut counts.pairs, users.div_ceil(PART), &|at, corrections| {
            let part = at * PART..users.min((at + 1) * PART);
            for user in part.filter_map(|it| Some(UserNumber(u32::try_from(it).ok()?))) {
                for (other, tie) in self.new.population.ties_of(user) {
                    self.correct_pair(user, other, tie, 1, corrections);
                }
            }
        });
        if self.reads_groups {
            counts.is_estimate = self.correct_groups(&mut counts.pairs, group_pairs);
        }
        counts
    }

    /// Adds the corrections of so many parts of the work, done on all processors.
    fn correct(
        &self,
        counts: &mut PairCounts,
        parts: usize,
        work: &(dyn Fn(usize, &mut Corrections) + Sync),
    ) {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        on_all_processors(parts, &|| {
            let mut corrections = Corrections::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= parts || self.user_classes.is_late() {
                    break;
                }
                work(at, &mut corrections);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push(corrections.classes);
        });
        for (class, pairs) in
            done.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten()
        {
            for (direction, pairs) in pairs.into_iter().enumerate() {
                counts.add(class, direction, pairs);
            }
        }
    }

    /// Counts all pairs as if no users had ties, groups or shared tags, those of a user with themself included.
    fn count_strangers(&self, counts: &mut PairCounts) {
        let mut by_kind: Vec<HashMap<u32, i64>> = vec![HashMap::new(); self.others.len()];
        for (user, kind) in self.others.numbers() {
            if let Some(classes) = by_kind.get_mut(kind as usize) {
                *classes.entry(self.user_classes.class_number(user)).or_default() += 1;
            }
        }
        for (column, kinds) in self.table.columns() {
            if self.user_classes.is_late() {
                break;
            }
            let Some(lanes) = self.lanes(&column) else { continue };
            let mut users = vec![0; self.user_classes.classes.len()];
            for classes in kinds.iter().filter_map(|&kind| by_kind.get(kind as usize)) {
                for (&class, &count) in classes {
                    users.get_mut(class as usize).into_iter().for_each(|users| *users += count);
                }
            }
            counts.add_lanes(&lanes, &users, self.user_classes);
        }
    }

    /// The terms to count for each user of the kinds with a column of openings; `None` if nothing changes.
    fn lanes(&self, column: &[Openings]) -> Option<Lanes> {
        use Opening::{ByRules, Open, Shut};

        let rules_differ = !self.user_classes.rules_are_the_same();
        let may_change = |openings: &Openings| {
            openings.old != openings.new || openings.old == Opening::ByRules && rules_differ
        };
        if !column.iter().any(may_change) {
            return None;
        }
        let mut lanes = Lanes::none();
        for (openings, kind) in column.iter().zip(&self.subjects.kinds) {
            if let (false, Some(direction)) =
                (openings.depends_on_rules(), openings.direction(|_| false))
                && let Some(plain) = lanes.plain.get_mut(direction)
            {
                *plain += i64::from(kind.users);
            }
        }
        let users_with = |old: Opening, new: Opening| {
            let wanted = Openings { old, new };
            column.contains(&wanted).then(|| {
                let mut users = BitSet::nobody(self.user_classes.users);
                for (user, kind) in self.subjects.numbers() {
                    if column.get(kind as usize) == Some(&wanted) {
                        users.insert(user);
                    }
                }
                users
            })
        };
        if let Some(users) = users_with(Shut, ByRules) {
            lanes.reaching(GAINED, users, PolicySide::New);
        }
        if let Some(users) = users_with(ByRules, Shut) {
            lanes.reaching(LOST, users, PolicySide::Old);
        }
        if let Some(users) = users_with(Open, ByRules) {
            lanes.left.push((LOST, 1, PolicySide::New, users));
        }
        if let Some(users) = users_with(ByRules, Open) {
            lanes.left.push((GAINED, 1, PolicySide::Old, users));
        }
        if rules_differ && let Some(users) = users_with(ByRules, ByRules) {
            lanes.apart = Some(users.and(&self.user_classes.differ));
        }
        Some(lanes)
    }

    fn subtract_oneself(&self, counts: &mut PairCounts) {
        for ((user, subject), (_, other)) in self.subjects.numbers().zip(self.others.numbers()) {
            let class = self.user_classes.class_number(user);
            let openings = self.table.get(subject, other);
            if let Some(direction) = openings.direction(|side| self.rules_open(user, class, side)) {
                counts.add(class, direction, -1);
            }
        }
    }

    /// Corrects the count for two users who are no strangers.
    fn correct_pair(
        &self,
        user: UserNumber,
        other: UserNumber,
        tie: Tie,
        weight: i64,
        corrections: &mut Corrections,
    ) {
        let kinds = (self.subjects.number(user), self.others.number(other));
        if !self.may_differ(user, other, tie, kinds) {
            return;
        }
        let class = self.user_classes.class_number(other);
        let shared = self.shared.between(self.user_classes.class_number(user), class);
        let mask = shared.map_or(0, |(_, mask)| mask);
        let openings = self.openings(kinds.0, kinds.1, mask, corrections);
        let was = openings.direction(|side| self.rules_open(user, class, side));
        let is = direction_of(self.judge(user, other));
        if is != was {
            corrections.add(class, is, weight);
            corrections.add(class, was, -weight);
        }
    }

    /// Corrects the counts for pairs without a tie that share a group. Of more pairs than can be judged one by
    /// one, a part of the members of each group stands for all; returns whether that was so.
    fn correct_groups(&self, counts: &mut PairCounts, group_pairs: u64) -> bool {
        let groups: Vec<GroupNumber> = self.new.groups.iter().map(|(group, _)| group).collect();
        let size = |group: &GroupNumber| {
            let members = self.new.groups.get(*group).map_or(0, |group| group.members().len());
            (members as u64).saturating_mul(members as u64)
        };
        let pairs = groups.iter().map(size).fold(0_u64, u64::saturating_add);
        let stride = pairs.div_ceil(group_pairs.max(1)).max(1);
        let weight = i64::try_from(stride).unwrap_or(i64::MAX);
        self.correct(counts, groups.len(), &|at, corrections| {
            let Some(&number) = groups.get(at) else { return };
            let Some(group) = self.new.groups.get(number) else { return };
            for user in group.members().filter(|&user| is_in_sample(number, user, stride)) {
                for other in group.members().filter(|&other| other != user) {
                    let mut shared = self.new.groups.shared(user, other);
                    let is_first = shared.next() == Some(number);
                    if is_first && self.new.population.tie(user, other).is_none() {
                        self.correct_pair(user, other, Tie::NONE, weight, corrections);
                    }
                }
            }
        });
        stride > 1
    }

    /// Counts who lost and gained some of the users, who stand for all if there are more.
    fn count_sample(&self, counts: &mut PairwiseCounts) {
        let users = self.user_classes.users;
        let stride = users.div_ceil(SAMPLE).max(1);
        let chosen: Vec<UserNumber> = (0..users).step_by(stride as usize).map(UserNumber).collect();
        self.correct(&mut counts.pairs, chosen.len(), &|at, corrections| {
            let Some(&other) = chosen.get(at) else { return };
            let class = self.user_classes.class_number(other);
            let [before, after] = self.reaching(other);
            for (direction, changed) in
                [(GAINED, after.minus(&before)), (LOST, before.minus(&after))]
            {
                let oneself = i64::from(changed.contains(other));
                let pairs = (signed(changed.len()) - oneself) * i64::from(stride);
                corrections.add(class, Some(direction), pairs);
            }
        });
        counts.is_estimate = stride > 1;
    }
}

/// Whether a member of a group is one of those who stand for `stride` members each, the same in every run.
fn is_in_sample(group: GroupNumber, user: UserNumber, stride: u64) -> bool {
    // The finalizer of SplitMix64, so that no order among members makes a difference.
    let mut mixed =
        (u64::from(group.0) << 32 | u64::from(user.0)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).is_multiple_of(stride)
}
