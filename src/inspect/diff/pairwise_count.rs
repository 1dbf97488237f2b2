//! The counts of pairs whose decision changes where a policy says something about two users together.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    count::{GAINED, LOST, PairCounts, direction_of, on_all_processors, signed},
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

/// What a pair of users who are no strangers changes in the counts: the direction if they were strangers, and the
/// one that is right.
struct PairChange {
    class: u32,
    was: Option<usize>,
    is: Option<usize>,
}

impl PairChange {
    fn correct(self, weight: i64, corrections: &mut Corrections) {
        corrections.add(self.class, self.is, weight);
        corrections.add(self.class, self.was, -weight);
    }
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
                    if let Some(change) = self.change(user, other, tie, corrections) {
                        change.correct(1, corrections);
                    }
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

    fn subtract_oneself(&self, counts: &mut PairCounts) {
        for ((user, subject), (_, other)) in self.subjects.numbers().zip(self.others.numbers()) {
            let class = self.user_classes.class_number(user);
            let openings = self.table.get(subject, other);
            if let Some(direction) = openings.direction(|side| self.rules_open(user, class, side)) {
                counts.add(class, direction, -1);
            }
        }
    }

    /// The change of the counts by two users who have this tie and their groups, if they have no other.
    fn change(
        &self,
        user: UserNumber,
        other: UserNumber,
        tie: Tie,
        corrections: &mut Corrections,
    ) -> Option<PairChange> {
        let kinds = (self.subjects.number(user), self.others.number(other));
        let left_open = self.left_open(kinds);
        if !self.may_differ(user, other, tie, left_open) {
            return None;
        }
        let class = self.user_classes.class_number(other);
        let shared = self.shared.between(self.user_classes.class_number(user), class);
        let mask = shared.map_or(0, |(_, mask)| mask);
        let apart = self.openings(kinds.0, kinds.1, mask, corrections);
        let acquainted = self.acquainted_openings(user, other, tie, (left_open, mask), corrections);
        if acquainted == Some(apart) {
            return None;
        }
        let opens = |side| self.rules_open(user, class, side);
        let was = apart.direction(opens);
        let is = match acquainted {
            Some(openings) => openings.direction(opens),
            None => direction_of(self.judge(user, other)),
        };
        (is != was).then_some(PairChange { class, was, is })
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
                    let change = self.change(user, other, Tie::NONE, corrections);
                    let is_first = || self.new.groups.shared(user, other).next() == Some(number);
                    let is_tied = || !self.new.population.tie(user, other).is_none();
                    if let Some(change) = change.filter(|_| is_first() && !is_tied()) {
                        change.correct(weight, corrections);
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
