//! Whether an invariant holds of the users there are: set algebra for those between whom nothing is,
//! and a look at each pair that has something between them.

use std::collections::{HashMap, HashSet};

use crate::{
    decide::Judge,
    policy::Demand,
    request::Condition,
    snapshot::{RuleBook, TagId, Tie, UserSet, View},
};

/// Who breaks an invariant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Breach {
    /// Pairs of a subject and another user: the first that were found.
    Pairs(Vec<(u32, u32)>),
    /// Users who reach nobody whom they should: the first of them, and how many there are.
    Orphans(Vec<u32>, u64),
}

/// How many are told.
const TOLD: usize = 5;

/// What breaks an invariant among the users of a view; `None` if it holds.
///
/// Costs set algebra for each tag that the rules let someone reach and, except for `never`, for each
/// different set of such tags; and a look at each relation of those who meet the first condition.
pub(super) fn check(
    view: &View,
    judge: &Judge<'_>,
    demand: Demand,
    from: &Condition<TagId>,
    to: &Condition<TagId>,
) -> Option<Breach> {
    let population = &view.population;
    let (from, to) = (population.meeting(from), population.meeting(to));
    let sides = judge.strangers();
    let (able, open) = sides.of(&from, &to);
    let case = Case { view, judge, from: &from, to: &to, able, open, rules: sides.rules };
    let pairs = match demand {
        Demand::Never => case.allowed(),
        Demand::Always => case.refused(),
        Demand::Every => return case.orphans(),
    };
    (!pairs.is_empty()).then_some(Breach::Pairs(pairs))
}

struct Case<'c, 'v> {
    view: &'v View,
    judge: &'c Judge<'v>,
    from: &'c UserSet,
    to: &'c UserSet,
    /// Those of `from` who may do it to a stranger, as far as they alone matter.
    able: UserSet,
    /// Those of `to` to whom a stranger may do it.
    open: UserSet,
    rules: Option<&'v RuleBook>,
}

impl Case<'_, '_> {
    /// The first pairs that are allowed.
    fn allowed(&self) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        match self.rules {
            None => self.strangers(&self.able, &self.open, &mut found),
            Some(book) => {
                for (tag, reached) in self.reached_by_tag(book) {
                    let Some(reachers) = book.reachers(tag) else { continue };
                    let reachers = UserSet::intersection([reachers, &self.able]);
                    self.strangers(&reachers, &reached, &mut found);
                }
            }
        }
        self.tied(&mut found, true);
        found
    }

    /// The first pairs that are refused.
    fn refused(&self) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        self.strangers(&self.from.minus(&self.able), self.to, &mut found);
        for (users, reached) in self.by_reach() {
            self.strangers(&users, &self.to.minus(&reached), &mut found);
        }
        self.tied(&mut found, false);
        found
    }

    /// Those who may do it to nobody.
    fn orphans(&self) -> Option<Breach> {
        let mut orphans = Vec::new();
        let nobody = UserSet::default();
        let mut look = |users: &UserSet, reached: &UserSet| {
            let lost = users.iter().filter(|&user| {
                self.stranger(user, reached).is_none()
                    && !self.ties(user).any(|(other, tie)| self.judge.allows(user, other, tie))
            });
            orphans.extend(lost);
        };
        look(&self.from.minus(&self.able), &nobody);
        for (users, reached) in self.by_reach() {
            look(&users, &reached);
        }
        orphans.sort_unstable();
        let count = orphans.len() as u64;
        orphans.truncate(TOLD);
        (count > 0).then_some(Breach::Orphans(orphans, count))
    }

    /// For each tag that someone of `able` reaches, those of `open` who have it, if there are any.
    fn reached_by_tag(&self, book: &RuleBook) -> Vec<(TagId, UserSet)> {
        let population = &self.view.population;
        let reached = self.view.tags.iter().filter_map(|(tag, _)| {
            let members = population.members(tag)?;
            book.reachers(tag).filter(|reachers| !reachers.is_empty())?;
            let reached = UserSet::intersection([members, &self.open]);
            (!reached.is_empty()).then_some((tag, reached))
        });
        reached.collect()
    }

    /// Those of `able`, put together by the strangers of `open` whom they reach.
    fn by_reach(&self) -> Vec<(UserSet, UserSet)> {
        let Some(book) = self.rules else {
            return vec![(self.able.clone(), self.open.clone())];
        };
        let by_tag = self.reached_by_tag(book);
        let mut tags_of: HashMap<u32, Vec<usize>> = HashMap::new();
        for (at, (tag, _)) in by_tag.iter().enumerate() {
            let Some(reachers) = book.reachers(*tag) else { continue };
            for user in UserSet::intersection([reachers, &self.able]).iter() {
                tags_of.entry(user).or_default().push(at);
            }
        }
        let mut alike: HashMap<Vec<usize>, Vec<u32>> = HashMap::new();
        for user in self.able.iter() {
            alike.entry(tags_of.remove(&user).unwrap_or_default()).or_default().push(user);
        }
        let mut alike: Vec<_> = alike.into_iter().collect();
        alike.sort_unstable_by_key(|(_, users)| users.first().copied());
        let reach = |tags: Vec<usize>| {
            UserSet::union(tags.iter().filter_map(|&at| by_tag.get(at)).map(|(_, users)| users))
        };
        alike.into_iter().map(|(tags, users)| (UserSet::from_sorted(&users), reach(tags))).collect()
    }

    /// Adds the first pairs of the two sets between whom nothing is. Costs no more than a look at
    /// each user of the first, and at his relations.
    fn strangers(&self, from: &UserSet, to: &UserSet, found: &mut Vec<(u32, u32)>) {
        if to.is_empty() {
            return;
        }
        for user in from.iter() {
            if found.len() >= TOLD {
                return;
            }
            if let Some(other) = self.stranger(user, to)
                && !found.contains(&(user, other))
            {
                found.push((user, other));
            }
        }
    }

    /// The first of a set who is another user and between whom and this one nothing is.
    fn stranger(&self, user: u32, among: &UserSet) -> Option<u32> {
        let tied: HashSet<u32> =
            self.view.population.ties_of(user).map(|(other, _)| other).collect();
        among.iter().find(|other| *other != user && !tied.contains(other))
    }

    /// Those of `to` between whom and a user there is something.
    fn ties(&self, user: u32) -> impl Iterator<Item = (u32, Tie)> + '_ {
        self.view.population.ties_of(user).filter(|(other, _)| self.to.contains(*other))
    }

    /// Adds the first pairs between whom something is and that are decided so.
    fn tied(&self, found: &mut Vec<(u32, u32)>, is_allowed: bool) {
        if self.view.population.ties.is_empty() {
            return;
        }
        for user in self.from.iter() {
            for (other, tie) in self.ties(user) {
                if found.len() >= TOLD {
                    return;
                }
                if self.judge.allows(user, other, tie) == is_allowed {
                    found.push((user, other));
                }
            }
        }
    }
}
