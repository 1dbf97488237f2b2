//! Users who lost or gained all contact by a change of policy.

use super::{
    bitset::{BitSet, members},
    classes::{PolicySide, UserClasses},
    comparison::ActionComparison,
};
use crate::{
    decide::PairEvaluator,
    snapshot::{Population, Tie, UserNumber, UserSet},
};

/// The users who lost or gained all contact: who reached somebody and now reach nobody, or the
/// reverse; and likewise for being reached.
#[derive(Clone, Default, Debug)]
pub struct IsolationChange {
    /// Each list is in order.
    pub reach_nobody_now: Vec<UserNumber>,
    pub reach_somebody_now: Vec<UserNumber>,
    pub reached_by_nobody_now: Vec<UserNumber>,
    pub reached_by_somebody_now: Vec<UserNumber>,
}

/// The users who, under one policy, reach or are reached by at least one user without a tie to
/// them.
#[derive(Debug)]
pub(super) struct StrangerReach {
    reach: BitSet,
    reached: BitSet,
}

/// The number of users up to which candidates are kept as a list.
const FEW: u64 = 256;

/// The users who lost or gained all contact by an action between users.
///
/// Costs a look at the ties of each user who neither reaches nor is reached by a user without a
/// tie.
pub(super) fn isolation_change(
    comparison: &ActionComparison<'_>,
    population: &Population,
    [old, new]: &[StrangerReach; 2],
) -> IsolationChange {
    let ties = |user: UserNumber| population.ties_of(user);
    let users = population.directory.len();
    let everybody = || UserNumber::first(users);
    // The result for users without a tie is incomplete if a user has too many ties.
    let is_known = |user: UserNumber| FEW > ties(user).len() as u64;
    let reach = |user: UserNumber, judge: &PairEvaluator<'_>| {
        ties(user).any(|(other, tie)| judge.allows(user, other, tie))
            || !is_known(user)
                && everybody().any(|it| {
                    it != user && judge.allows(user, it, comparison.tie(population, user, it))
                })
    };
    let reached = |user: UserNumber, judge: &PairEvaluator<'_>| {
        ties(user).any(|(other, tie)| {
            judge.allows(other, user, comparison.reversed(population, user, other, tie))
        }) || !is_known(user)
            && everybody().any(|it| {
                it != user && judge.allows(it, user, comparison.tie(population, it, user))
            })
    };
    let [reach_nobody_now, reach_somebody_now] =
        differing(comparison, users, [&old.reach, &new.reach], reach);
    let [reached_by_nobody_now, reached_by_somebody_now] =
        differing(comparison, users, [&old.reached, &new.reached], reached);
    IsolationChange {
        reach_nobody_now,
        reach_somebody_now,
        reached_by_nobody_now,
        reached_by_somebody_now,
    }
}

/// The users who had somebody and now have nobody, and the reverse; `tied` says whether a user has
/// somebody among those with a tie.
fn differing(
    comparison: &ActionComparison<'_>,
    users: u32,
    [old, new]: [&BitSet; 2],
    tied: impl Fn(UserNumber, &PairEvaluator<'_>) -> bool,
) -> [Vec<UserNumber>; 2] {
    let (mut lost, mut gained) = (Vec::new(), Vec::new());
    for ((at, before), (_, after)) in old.words().zip(new.words()) {
        for user in members(at, !(before & after)) {
            if user.0 >= users {
                break;
            }
            let has = [
                old.contains(user) || tied(user, &comparison.old),
                new.contains(user) || tied(user, &comparison.new),
            ];
            match has {
                [true, false] => lost.push(user),
                [false, true] => gained.push(user),
                _ => {}
            }
        }
    }
    [lost, gained]
}

impl StrangerReach {
    /// Computes the sets of one policy. Costs a pass over the users and their tags, and a look at
    /// the ties of users who reach few.
    pub(super) fn of(
        comparison: &ActionComparison<'_>,
        user_classes: &UserClasses<'_>,
        population: &Population,
        side: PolicySide,
    ) -> Self {
        let [subjects, others] =
            [&comparison.subjects, &comparison.others].map(|[old, new]| match side {
                PolicySide::Old => old,
                PolicySide::New => new,
            });
        let nobody = BitSet::nobody(user_classes.users);
        let mut strangers = Self { reach: nobody.clone(), reached: nobody };
        if !comparison.rules || user_classes.open == Some(side) {
            let (can, may) = (Candidates::of(subjects), Candidates::of(others));
            let found = subjects.iter().filter(|&user| may.has_stranger(population, user));
            found.for_each(|user| strangers.reach.insert(user));
            let found = others.iter().filter(|&user| can.has_stranger(population, user));
            found.for_each(|user| strangers.reached.insert(user));
            return strangers;
        }
        let mut by_tag: Vec<(Candidates, &BitSet)> = Vec::new();
        let mut reaching = Vec::with_capacity(user_classes.reachers.len());
        for reachers in &user_classes.reachers {
            let set = reachers.on(side);
            reaching.push(Candidates::of(&set.and(subjects)));
            if let Some(members) = population.members(reachers.tag) {
                by_tag.push((Candidates::among(members, others), set));
            }
        }
        by_tag.sort_by_key(|(some, _)| std::cmp::Reverse(some.count));
        for (some, set) in by_tag.iter().filter(|(some, _)| some.count > 0) {
            for ((at, able), (_, subjects)) in set.words().zip(subjects.words()) {
                let rest = able & subjects & !strangers.reach.word(at);
                for user in members(at, rest) {
                    if some.has_stranger(population, user) {
                        strangers.reach.insert(user);
                    }
                }
            }
        }
        for user in others.iter() {
            let ranks = user_classes
                .class(user_classes.class_number(user))
                .map_or(&[][..], |class| &class.ranks);
            let mut sets = ranks.iter().filter_map(|&rank| reaching.get(rank as usize));
            if sets.any(|some| some.has_stranger(population, user)) {
                strangers.reached.insert(user);
            }
        }
        strangers
    }
}

/// A number of candidates, with a list of them if they are few.
struct Candidates {
    count: u64,
    few: Vec<UserNumber>,
}

impl Candidates {
    fn of(set: &BitSet) -> Self {
        let count = set.len();
        Self { count, few: if count <= FEW { set.iter().collect() } else { Vec::new() } }
    }

    /// The candidates of a set who are in another set too.
    fn among(set: &UserSet, others: &BitSet) -> Self {
        let users = || set.iter().filter(|&user| others.contains(user));
        let count = users().map(|_| 1).sum();
        Self { count, few: if count <= FEW { users().collect() } else { Vec::new() } }
    }

    /// Whether a candidate is neither the user nor tied to the user. The answer may be a wrong no
    /// if the user has at least as many ties as there are candidates, and those are more than a
    /// few.
    fn has_stranger(&self, population: &Population, user: UserNumber) -> bool {
        let known = population.ties_of(user).len() as u64;
        let is_stranger =
            |&other: &UserNumber| other != user && population.tie(user, other) == Tie::NONE;
        self.count > known + 1 || self.few.iter().any(is_stranger)
    }
}
