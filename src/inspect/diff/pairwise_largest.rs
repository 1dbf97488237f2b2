//! The largest changes between classes of users where a policy says something about two users together.

use std::collections::{HashMap, HashSet};

use super::{
    bitset::BitSet,
    count::{GAINED, PairCounts, direction_of, signed},
    pairwise::PairwiseComparison,
};
use crate::snapshot::UserNumber;

/// The number of classes whose changes are broken down by the class of the subject.
const LOOKED_AT: usize = 24;

/// The number of examples that are kept of each pair of classes.
const MAX_EXAMPLES: usize = 8;

/// The change from the users of one class to those of another, with some of the pairs.
#[derive(Clone, Debug)]
pub(super) struct ChangedClasses {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) pairs: u64,
    pub(super) examples: Vec<(UserNumber, UserNumber)>,
}

/// The pairs from one class, with some of them.
#[derive(Default)]
struct ChangedPairs {
    pairs: i64,
    examples: Vec<(UserNumber, UserNumber)>,
}

impl PairwiseComparison<'_, '_> {
    /// The largest changes in a direction by the classes of both users, at most `most`, and whether no larger
    /// one can be missing. Costs whom some classes are reached by.
    pub(super) fn largest(
        &self,
        counts: &PairCounts,
        direction: usize,
        most: usize,
    ) -> (Vec<ChangedClasses>, bool) {
        let mut classes: Vec<(u32, i64)> = (0..)
            .zip(&counts.classes)
            .filter_map(|(class, counts)| Some((class, *counts.get(direction)?)))
            .filter(|&(_, pairs)| pairs > 0)
            .collect();
        classes.sort_unstable_by_key(|&(class, pairs)| (std::cmp::Reverse(pairs), class));
        let mut found: Vec<ChangedClasses> = Vec::new();
        let mut is_complete = true;
        for (at, &(to, pairs)) in classes.iter().enumerate() {
            let least = found.get(most.saturating_sub(1)).map_or(0, |it| it.pairs);
            if u64::try_from(pairs).unwrap_or(0) <= least {
                break;
            }
            if at == LOOKED_AT || self.user_classes.is_late() {
                is_complete = false;
                break;
            }
            found.extend(self.changes_towards(to, direction));
            found.sort_unstable_by_key(|it| (std::cmp::Reverse(it.pairs), it.from, it.to));
            found.truncate(most);
        }
        (found, is_complete)
    }

    /// The changes towards one class, by the classes of the subjects.
    fn changes_towards(&self, to: u32, direction: usize) -> Vec<ChangedClasses> {
        let mut by_class: HashMap<u32, ChangedPairs> = HashMap::new();
        let mut kinds: HashMap<u32, Vec<UserNumber>> = HashMap::new();
        for (user, kind) in self.others.numbers() {
            if self.user_classes.class_number(user) == to {
                kinds.entry(kind).or_default().push(user);
            }
        }
        let mut kinds: Vec<_> = kinds.into_values().collect();
        kinds.sort_unstable();
        for alike in kinds {
            let [before, after] = self.reaching_strangers(&alike);
            let changed =
                if direction == GAINED { after.minus(&before) } else { before.minus(&after) };
            for subject in changed.iter() {
                let pairs = by_class.entry(self.user_classes.class_number(subject)).or_default();
                pairs.pairs += signed(alike.len() as u64);
            }
            for (at, &user) in alike.iter().enumerate() {
                self.correct_class(user, direction, &changed, at < MAX_EXAMPLES, &mut by_class);
            }
        }
        let changes = by_class.into_iter().filter(|(_, changed)| changed.pairs > 0);
        changes
            .map(|(from, ChangedPairs { pairs, examples })| {
                let pairs = u64::try_from(pairs).unwrap_or(0);
                ChangedClasses { from, to, pairs, examples }
            })
            .collect()
    }

    /// Corrects the changes towards one user, of whom `changed` has those by whom strangers like them are or were
    /// reached.
    fn correct_class(
        &self,
        user: UserNumber,
        direction: usize,
        changed: &BitSet,
        is_example: bool,
        by_class: &mut HashMap<u32, ChangedPairs>,
    ) {
        let apart: HashSet<UserNumber> = self.acquainted(user).chain([user]).collect();
        let mut apart_in_order: Vec<UserNumber> = apart.iter().copied().collect();
        apart_in_order.sort_unstable();
        for other in apart_in_order {
            let is = other != user && direction_of(self.judge(other, user)) == Some(direction);
            let was = changed.contains(other);
            if !is && !was {
                continue;
            }
            let pairs = by_class.entry(self.user_classes.class_number(other)).or_default();
            pairs.pairs += i64::from(is) - i64::from(was);
            if is && pairs.examples.len() < MAX_EXAMPLES {
                pairs.examples.push((other, user));
            }
        }
        if is_example {
            for subject in changed.iter().filter(|subject| !apart.contains(subject)) {
                let class = self.user_classes.class_number(subject);
                let pairs = by_class.entry(class).or_default();
                if pairs.examples.len() < MAX_EXAMPLES {
                    pairs.examples.push((subject, user));
                }
            }
        }
    }

    /// The strangers by whom each of some users of one class and one kind is reached, before and after. One of the
    /// users may be among them, as another one is reached by them.
    fn reaching_strangers(&self, alike: &[UserNumber]) -> [BitSet; 2] {
        let users = self.user_classes.users;
        [&self.comparison.old, &self.comparison.new].map(|evaluator| {
            let Some(&other) = alike.first() else { return BitSet::nobody(users) };
            let mut reaching = BitSet::selected(&evaluator.reaching_strangers(other), users);
            // What holds of oneself does not hold of others of the kind.
            if let Some(&second) = alike.get(1) {
                reaching.set(other, evaluator.allows_strangers(other, second));
            }
            reaching
        })
    }
}
