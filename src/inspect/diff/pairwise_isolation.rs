//! Users who lost or gained all contact where a policy says something about two users together.

use std::{
    collections::HashMap,
    rc::Rc,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    bitset::BitSet,
    classes::PolicySide,
    count::on_all_processors,
    isolation::IsolationChange,
    openings::Opening,
    pairwise::{Corrections, PairwiseComparison},
    pairwise_count::SAMPLE,
    questions::PairRole,
    reached_ranks::{MAX_RANKS, ReachedRanks},
};
use crate::{
    decide::PairEvaluator,
    snapshot::{UserNumber, UserSet},
};
use smallvec::SmallVec;

/// The number of users who are looked at in one part of the work.
const PART: u32 = 1 << 12;

/// The number of candidates that are tried of each list.
const CANDIDATES: usize = 16;

/// The number up to which candidates are counted.
const MAX_COUNT: usize = 1 << 10;

/// The number of users with a shared tag who are tried one by one.
const MATES: u64 = 1 << 14;

impl PairwiseComparison<'_, '_> {
    /// The users who lost or gained all contact; among a sample of them, if the change is estimated. Runs on all
    /// processors.
    ///
    /// Costs a look at the company of each user: those who reach more strangers of a kind than they have company reach
    /// somebody. For the others it costs a few decisions, their ties, and the set of all whom they reach if need be.
    pub(super) fn isolation(&self, ranks: &[ReachedRanks; 2]) -> IsolationChange {
        let users = self.user_classes.users;
        let stride = if self.is_sampled { users.div_ceil(SAMPLE).max(1) } else { 1 };
        let part = PART.saturating_mul(stride);
        let next = AtomicU32::new(0);
        let done = Mutex::new(Vec::new());
        on_all_processors(users.div_ceil(part) as usize, &|| {
            let mut finder = ContactFinder {
                comparison: self,
                ranks,
                candidates: HashMap::default(),
                corrections: Corrections::default(),
            };
            loop {
                let from = next.fetch_add(1, Ordering::Relaxed).saturating_mul(part);
                if from >= users {
                    break;
                }
                let mut change = IsolationChange::default();
                let to = users.min(from.saturating_add(part));
                for user in (from..to).step_by(stride as usize) {
                    if self.user_classes.is_late() {
                        break;
                    }
                    finder.look_at(UserNumber(user), &mut change);
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).push((from, change));
            }
        });
        let mut parts = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        parts.sort_unstable_by_key(|&(from, _)| from);
        let mut all = IsolationChange::default();
        for (_, part) in parts {
            all.reach_nobody_now.extend(part.reach_nobody_now);
            all.reach_somebody_now.extend(part.reach_somebody_now);
            all.reached_by_nobody_now.extend(part.reached_by_nobody_now);
            all.reached_by_somebody_now.extend(part.reached_by_somebody_now);
        }
        all
    }
}

/// A search for somebody whom a user reaches, or who reaches them.
struct ContactFinder<'p, 'c, 'v> {
    comparison: &'p PairwiseComparison<'c, 'v>,
    ranks: &'p [ReachedRanks; 2],
    /// Candidates among the strangers of users of a kind, with the tag of a rank or without rules.
    candidates: HashMap<CandidateKey, Candidates, foldhash::fast::RandomState>,
    corrections: Corrections,
}

/// Users whom users of a kind reach, or who reach them, as strangers who share no tags.
#[derive(Clone, Default)]
struct Candidates {
    /// Some of them; nobody only if there is nobody.
    some: Rc<[UserNumber]>,
    /// How many there are at least.
    count: u64,
}

/// The role, the kind, the policy, and the rank of the tag.
type CandidateKey = (bool, u32, bool, Option<u32>);

impl Candidates {
    fn of(mut all: impl Iterator<Item = UserNumber>) -> Self {
        let some: Rc<[UserNumber]> = all.by_ref().take(CANDIDATES).collect();
        let count = some.len() as u64;
        Self { some, count: count + all.take(MAX_COUNT).count() as u64 }
    }
}

impl ContactFinder<'_, '_, '_> {
    fn look_at(&mut self, user: UserNumber, change: &mut IsolationChange) {
        let sides = [PolicySide::Old, PolicySide::New];
        let company = if self.comparison.is_sampled { u64::MAX } else { self.company(user) };
        match sides.map(|side| self.has_contact((user, company), PairRole::Subject, side)) {
            [true, false] => change.reach_nobody_now.push(user),
            [false, true] => change.reach_somebody_now.push(user),
            _ => {}
        }
        match sides.map(|side| self.has_contact((user, company), PairRole::Other, side)) {
            [true, false] => change.reached_by_nobody_now.push(user),
            [false, true] => change.reached_by_somebody_now.push(user),
            _ => {}
        }
    }

    fn evaluator(&self, side: PolicySide) -> &PairEvaluator<'_> {
        match side {
            PolicySide::Old => &self.comparison.comparison.old,
            PolicySide::New => &self.comparison.comparison.new,
        }
    }

    /// The number of users to whom a user may be no stranger, they themself among them: at most so many of the
    /// candidates can be shut to them all the same.
    fn company(&self, user: UserNumber) -> u64 {
        let comparison = self.comparison;
        let tied = comparison.new.population.ties_of(user).len() as u64;
        let class = comparison.user_classes.class_number(user);
        let tags = comparison.shared.of_class(class).iter();
        let mates = tags.filter_map(|&(tag, _)| comparison.new.population.members(tag));
        let groups = comparison.new.groups.numbers_of(user).filter(|_| comparison.reads_groups);
        let fellows = groups.filter_map(|group| comparison.new.groups.get(group));
        let fellows: u64 = fellows.map(|group| group.members().len() as u64).sum();
        1 + tied + mates.map(UserSet::len).sum::<u64>() + fellows
    }

    /// Whether somebody else is reached by the user, or reaches them.
    fn has_contact(
        &mut self,
        (user, company): (UserNumber, u64),
        role: PairRole,
        side: PolicySide,
    ) -> bool {
        if self.comparison.is_sampled {
            return self.is_anybody_left(user, role, side);
        }
        let (kind, is_able) = self.kind_of(user, role, side);
        let is_open = is_able && self.comparison.table.is_open_to(kind, role, side);
        let ranks = if is_open { self.ranks_of(user, role, side) } else { SmallVec::new() };
        // Whether there can be no candidates but those that are tried.
        let mut is_known = ranks.len() < MAX_RANKS;
        let lists = is_open.then_some(None).into_iter().chain(ranks.into_iter().map(Some));
        for rank in lists {
            let candidates = self.candidates(kind, role, side, rank);
            if candidates.count > company {
                return true;
            }
            if candidates.some.is_empty() {
                continue;
            }
            is_known = false;
            if candidates.some.iter().any(|&it| self.allows(user, it, role, side)) {
                return true;
            }
        }
        let mut acquainted = self.comparison.acquainted(user);
        if acquainted.any(|other| self.allows(user, other, role, side)) {
            return true;
        }
        if !is_able {
            return false;
        }
        // Without candidates, a stranger must share a tag.
        match self.mates(user).filter(|_| is_known) {
            Some(mates) => mates.into_iter().any(|mate| {
                self.may_be_open(user, mate, role, side) && self.allows(user, mate, role, side)
            }),
            None => self.is_anybody_left(user, role, side),
        }
    }

    /// Whether the policy can be open between a user and a stranger who shares a tag with them.
    fn may_be_open(
        &mut self,
        user: UserNumber,
        mate: UserNumber,
        role: PairRole,
        side: PolicySide,
    ) -> bool {
        let comparison = self.comparison;
        let [one, other] = [user, mate].map(|user| comparison.user_classes.class_number(user));
        let mask = comparison.shared.between(one, other).map_or(0, |(_, mask)| mask);
        let (subject, other) = match role {
            PairRole::Subject => (user, mate),
            PairRole::Other => (mate, user),
        };
        let kinds = (comparison.subjects.number(subject), comparison.others.number(other));
        let openings = comparison.openings(kinds.0, kinds.1, mask, &mut self.corrections);
        openings.of(side) != Opening::Shut
    }

    /// The kind of a user, and whether they may take part in the action with a stranger at all.
    fn kind_of(&self, user: UserNumber, role: PairRole, side: PolicySide) -> (u32, bool) {
        let kinds = match role {
            PairRole::Subject => &self.comparison.subjects,
            PairRole::Other => &self.comparison.others,
        };
        let number = kinds.number(user);
        let is_able = kinds.kinds.get(number as usize).is_some_and(|kind| {
            let [old, new] = kind.is_able;
            if side == PolicySide::Old { old } else { new }
        });
        (number, is_able)
    }

    fn allows(
        &self,
        user: UserNumber,
        other: UserNumber,
        role: PairRole,
        side: PolicySide,
    ) -> bool {
        let evaluator = self.evaluator(side);
        user != other
            && match role {
                PairRole::Subject => evaluator.allows_acquainted(user, other),
                PairRole::Other => evaluator.allows_acquainted(other, user),
            }
    }

    /// The exact answer, by the set of all.
    fn is_anybody_left(&self, user: UserNumber, role: PairRole, side: PolicySide) -> bool {
        let evaluator = self.evaluator(side);
        let all = match role {
            PairRole::Subject => evaluator.reached(user),
            PairRole::Other => evaluator.reaching(user),
        };
        let all = BitSet::selected(&all, self.comparison.user_classes.users);
        all.len() > u64::from(all.contains(user))
    }

    /// The ranks of some tags by which rules let the user reach somebody, or somebody reach them; of all, if they
    /// are fewer than [`MAX_RANKS`].
    fn ranks_of(&self, user: UserNumber, role: PairRole, side: PolicySide) -> SmallVec<[u32; 8]> {
        let classes = self.comparison.user_classes;
        match role {
            PairRole::Subject => {
                let [old, new] = self.ranks;
                let ranks = if side == PolicySide::Old { old } else { new };
                ranks.of_user(user).collect()
            }
            PairRole::Other => {
                let class = classes.class(classes.class_number(user));
                class.map_or_else(SmallVec::new, |class| {
                    class.ranks.iter().take(MAX_RANKS).copied().collect()
                })
            }
        }
    }

    /// The strangers whom users of the kind reach by the tag of a rank, or without rules.
    fn candidates(
        &mut self,
        kind: u32,
        role: PairRole,
        side: PolicySide,
        rank: Option<u32>,
    ) -> Candidates {
        let comparison = self.comparison;
        let key = (role == PairRole::Subject, kind, side == PolicySide::Old, rank);
        let known = self.candidates.entry(key).or_insert_with(|| {
            let opening = |other: UserNumber| {
                let openings = match role {
                    PairRole::Subject => {
                        comparison.table.get(kind, comparison.others.number(other))
                    }
                    PairRole::Other => {
                        comparison.table.get(comparison.subjects.number(other), kind)
                    }
                };
                openings.of(side)
            };
            let Some(rank) = rank else {
                let kinds = match role {
                    PairRole::Subject => &comparison.others.kinds,
                    PairRole::Other => &comparison.subjects.kinds,
                };
                let open = kinds.iter().filter(|kind| opening(kind.some[0]) == Opening::Open);
                return Candidates {
                    count: open.clone().map(|kind| u64::from(kind.users)).sum(),
                    some: open.flat_map(|kind| kind.some).take(CANDIDATES).collect(),
                };
            };
            let Some(reachers) = comparison.user_classes.reachers.get(rank as usize) else {
                return Candidates::default();
            };
            let is_open = |other: &UserNumber| opening(*other) != Opening::Shut;
            match role {
                PairRole::Subject => {
                    let members = comparison.new.population.members(reachers.tag);
                    let members = members.into_iter().flat_map(UserSet::iter);
                    Candidates::of(members.filter(is_open))
                }
                PairRole::Other => Candidates::of(reachers.on(side).iter().filter(is_open)),
            }
        });
        known.clone()
    }

    /// The users who share a tag of a pattern with a user; `None` if they are too many.
    fn mates(&self, user: UserNumber) -> Option<Vec<UserNumber>> {
        let comparison = self.comparison;
        let tags = comparison.shared.of_class(comparison.user_classes.class_number(user));
        let members = tags.iter().filter_map(|&(tag, _)| comparison.new.population.members(tag));
        let count: u64 = members.clone().map(UserSet::len).sum();
        (count <= MATES).then(|| members.flat_map(UserSet::iter).collect())
    }
}
