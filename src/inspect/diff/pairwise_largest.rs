//! The largest changes between classes of users where a policy says something about two users together.

use std::collections::{BTreeMap, HashMap};

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
        let mut by_class = vec![0; self.user_classes.classes.len()];
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
            found.extend(self.changes_towards(to, direction, &mut by_class));
            found.sort_unstable_by_key(|it| (std::cmp::Reverse(it.pairs), it.from, it.to));
            found.truncate(most);
        }
        for changed in &mut found {
            changed.examples = self.examples(changed, direction);
        }
        (found, is_complete)
    }

    /// The changes towards one class, by the classes of the subjects; `by_class` is all zeros, and is so again.
    fn changes_towards(
        &self,
        to: u32,
        direction: usize,
        by_class: &mut [i64],
    ) -> Vec<ChangedClasses> {
        let mut add = |subject: UserNumber, pairs: i64| {
            let class = self.user_classes.class_number(subject) as usize;
            by_class.get_mut(class).into_iter().for_each(|all| *all += pairs);
        };
        for alike in self.users_alike(to) {
            let changed = self.changed_strangers(&alike, direction);
            changed.iter().for_each(|subject| add(subject, signed(alike.len() as u64)));
            for &user in &alike {
                for (other, is) in self.judged(user, direction) {
                    add(other, i64::from(is) - i64::from(changed.contains(other)));
                }
            }
        }
        let classes = (0..).zip(by_class.iter_mut()).filter(|(_, pairs)| **pairs != 0);
        classes
            .filter_map(|(from, pairs)| {
                let pairs = u64::try_from(std::mem::take(pairs)).ok()?;
                Some(ChangedClasses { from, to, pairs, examples: Vec::new() })
            })
            .collect()
    }

    /// Some of the changed pairs between two classes.
    fn examples(
        &self,
        between: &ChangedClasses,
        direction: usize,
    ) -> Vec<(UserNumber, UserNumber)> {
        let mut examples = Vec::new();
        let is_from =
            |subject: &UserNumber| self.user_classes.class_number(*subject) == between.from;
        for alike in self.users_alike(between.to) {
            let changed = self.changed_strangers(&alike, direction);
            for &user in &alike {
                let judged = self.judged(user, direction);
                let strangers = changed.iter().filter(|it| !judged.contains_key(it));
                let others = judged.iter().filter(|(_, is)| **is).map(|(&other, _)| other);
                let subjects = others.chain(strangers).filter(is_from);
                let missing = MAX_EXAMPLES.saturating_sub(examples.len());
                examples.extend(subjects.map(|subject| (subject, user)).take(missing));
                if examples.len() >= MAX_EXAMPLES {
                    return examples;
                }
            }
        }
        examples
    }

    /// The users of a class by their kind.
    fn users_alike(&self, class: u32) -> Vec<Vec<UserNumber>> {
        let mut kinds: HashMap<u32, Vec<UserNumber>> = HashMap::new();
        for (user, kind) in self.others.numbers() {
            if self.user_classes.class_number(user) == class {
                kinds.entry(kind).or_default().push(user);
            }
        }
        let mut kinds: Vec<_> = kinds.into_values().collect();
        kinds.sort_unstable();
        kinds
    }

    /// Who is no stranger to a user, they themself among them, and whether the change of each is in the direction.
    fn judged(&self, user: UserNumber, direction: usize) -> BTreeMap<UserNumber, bool> {
        let acquainted = self.acquainted(user);
        let judged = acquainted
            .map(|other| (other, direction_of(self.judge(other, user)) == Some(direction)));
        judged.chain([(user, false)]).collect()
    }

    /// The strangers whose change towards each of some users of one class and one kind is in the direction.
    fn changed_strangers(&self, alike: &[UserNumber], direction: usize) -> BitSet {
        let [before, after] = self.reaching_strangers(alike);
        if direction == GAINED { after.minus(&before) } else { before.minus(&after) }
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
