//! Invariants over the existing users: whether one holds, and how many pairs break it.
//!
//! Unrelated users are counted by set algebra; pairs with a tie are evaluated one by one.

use std::{collections::HashMap, ops::ControlFlow};

use smallvec::SmallVec;

use super::{
    finding::{Breach, MAX_ISOLATED, MAX_PAIRS},
    pairwise_users::PairwiseCheck,
};

use crate::{
    decide::PairEvaluator,
    policy::Demand,
    request::Condition,
    snapshot::{Population, RuleBook, TagId, Tie, UserNumber, UserSet, View},
};

/// The breach of an invariant among the users of a view; `None` if it holds.
///
/// Costs set algebra for each tag in an outcome of a rule and for each distinct set of such tags, and an
/// evaluation of each tie of the users who meet the first condition.
pub(super) fn check(
    view: &View,
    evaluator: &PairEvaluator<'_>,
    demand: Demand,
    from: &Condition<TagId>,
    to: &Condition<TagId>,
) -> Option<Breach> {
    let (from, to) = (users_meeting(&view.population, from), users_meeting(&view.population, to));
    let one_sided = evaluator.one_sided();
    if one_sided.is_pairwise() {
        return PairwiseCheck { view, evaluator, from: &from, to: &to }.breach(demand);
    }
    let (able, open) = one_sided.unrelated_within(&from, &to);
    let rules = one_sided.rules;
    let case = ExhaustiveCheck { view, evaluator, from: &from, to: &to, able, open, rules };
    match demand {
        Demand::Never => case.find_pairs(true),
        Demand::Always => case.find_pairs(false),
        Demand::Every => case.find_isolated(),
    }
}

/// The users who meet a condition, in the form that set algebra takes.
fn users_meeting(population: &Population, condition: &Condition<TagId>) -> UserSet {
    UserSet::union([&*population.users_meeting(condition)])
}

struct ExhaustiveCheck<'c, 'v> {
    view: &'v View,
    evaluator: &'c PairEvaluator<'v>,
    from: &'c UserSet,
    to: &'c UserSet,
    /// The users of `from` who meet the conditions on unrelated subjects.
    able: UserSet,
    /// The users of `to` who meet the conditions on unrelated others.
    open: UserSet,
    rules: Option<&'v RuleBook>,
}

/// A tag by which some users reach others.
struct ReachTag {
    tag: TagId,
    /// The users of `able` who reach every user with the tag.
    reachers: UserSet,
    /// The users of `open` who have the tag.
    reached: UserSet,
}

impl ExhaustiveCheck<'_, '_> {
    /// The breach by pairs that are allowed, or by pairs that are denied.
    fn find_pairs(&self, are_allowed: bool) -> Option<Breach> {
        let mut count = 0_u64;
        let _ = self.visit_products(are_allowed, &mut |subjects, others| {
            let oneself = UserSet::intersection([subjects, others]).len();
            count = count.saturating_add(subjects.len().saturating_mul(others.len()) - oneself);
            ControlFlow::Continue(())
        });
        // So far no tie is counted.
        let (mut more, mut fewer) = (0_u64, 0_u64);
        self.visit_related_pairs(&mut |user, other, tie| {
            let is = self.evaluator.allows(user, other, tie) == are_allowed;
            let was = self.evaluator.allows(user, other, Tie::NONE) == are_allowed;
            more += u64::from(is && !was);
            fewer += u64::from(was && !is);
        });
        let count = count.saturating_add(more).saturating_sub(fewer);
        (count > 0).then(|| Breach::Pairs(self.sample_pairs(are_allowed, count), count))
    }

    /// Some pairs that are allowed or denied, first of all of distinct subjects.
    fn sample_pairs(&self, are_allowed: bool, count: u64) -> Vec<(UserNumber, UserNumber)> {
        let most = usize::try_from(count).unwrap_or(MAX_PAIRS).min(MAX_PAIRS);
        let mut found: Vec<(UserNumber, UserNumber)> = Vec::new();
        for of_each in [1, MAX_PAIRS] {
            let _ = self.visit_products(are_allowed, &mut |subjects, others| {
                for user in subjects.iter() {
                    for other in self.unrelated_users(user, others).take(of_each) {
                        if found.len() >= most {
                            return ControlFlow::Break(());
                        }
                        if !found.contains(&(user, other)) {
                            found.push((user, other));
                        }
                    }
                }
                ControlFlow::Continue(())
            });
        }
        let tied = self.from.iter().flat_map(|user| {
            self.view.population.ties_of(user).map(move |(other, tie)| (user, other, tie))
        });
        let tied = tied.filter(|&(user, other, tie)| {
            self.to.contains(other) && self.evaluator.allows(user, other, tie) == are_allowed
        });
        let missing = most - found.len().min(most);
        found.extend(tied.take(missing).map(|(user, other, _)| (user, other)));
        found.sort_unstable();
        found
    }

    /// The breach by subjects who may act on no user of `to`.
    fn find_isolated(&self) -> Option<Breach> {
        let mut lost: Vec<UserNumber> = Vec::new();
        match self.rules {
            None => lost.extend(self.without_strangers(&self.able, &self.open)),
            Some(book) => {
                let mut left = self.able.clone();
                for way in self.reach_tags(book) {
                    let hits = UserSet::intersection([&left, &way.reachers]);
                    let still: UserSet = self.without_strangers(&hits, &way.reached).collect();
                    left = left.minus(&hits.minus(&still));
                }
                lost.extend(left.iter());
            }
        }
        lost.extend(self.from.minus(&self.able).iter());
        lost.retain(|&user| {
            let mut ties = self.view.population.ties_of(user);
            !ties.any(|(other, tie)| {
                self.to.contains(other) && self.evaluator.allows(user, other, tie)
            })
        });
        lost.sort_unstable();
        let count = lost.len() as u64;
        lost.truncate(MAX_ISOLATED);
        (count > 0).then_some(Breach::Isolated(lost, count))
    }

    /// The users who have a tie with each of the others.
    fn without_strangers<'u>(
        &'u self,
        users: &'u UserSet,
        others: &'u UserSet,
    ) -> impl Iterator<Item = UserNumber> + 'u {
        users.iter().filter(|&user| self.unrelated_users(user, others).next().is_none())
    }

    /// Visits products of two sets of users that together hold all unrelated pairs that are allowed, or
    /// all that are denied. Each pair occurs once; pairs of a user with themself are to be left out.
    fn visit_products(
        &self,
        are_allowed: bool,
        visit: &mut impl FnMut(&UserSet, &UserSet) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut visit_nonempty = |may: &UserSet, others: &UserSet| {
            if others.is_empty() {
                ControlFlow::Continue(())
            } else if are_allowed {
                visit(may, others)
            } else {
                visit(&self.from.minus(may), others)
            }
        };
        let nobody = UserSet::default();
        visit_nonempty(&nobody, &self.to.minus(&self.open))?;
        let Some(book) = self.rules else { return visit_nonempty(&self.able, &self.open) };
        let ways = self.reach_tags(book);
        let reached = UserSet::union(ways.iter().map(|way| &way.reached));
        visit_nonempty(&nobody, &self.open.minus(&reached))?;
        // Users whose lists of tags share a beginning are adjacent, and share the union of it.
        let mut unions: Vec<(usize, UserSet)> = Vec::new();
        for (places, users) in self.group_by_reach_tags(&ways, &reached) {
            let shared = unions.iter().zip(&places).take_while(|((one, _), other)| one == *other);
            let shared = shared.count();
            unions.truncate(shared);
            for &place in places.iter().skip(shared) {
                let Some(way) = ways.get(place) else { continue };
                let last = unions.last().map(|(_, union)| union);
                let union = UserSet::union(last.into_iter().chain([&way.reachers]));
                unions.push((place, union));
            }
            if let Some((_, may)) = unions.last() {
                visit_nonempty(may, &UserSet::from_sorted(users.iter().copied()))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The tags by which a user of `able` reaches a user of `open`.
    fn reach_tags(&self, book: &RuleBook) -> Vec<ReachTag> {
        let ways = self.view.tags.iter().filter_map(|(tag, _)| {
            let (members, reachers) = (self.view.population.members(tag)?, book.reachers(tag)?);
            let reached = UserSet::intersection([members, &self.open]);
            if reached.is_empty() {
                return None;
            }
            let reachers = UserSet::intersection([reachers, &self.able]);
            (!reachers.is_empty()).then_some(ReachTag { tag, reachers, reached })
        });
        ways.collect()
    }

    /// Users grouped by the tags by which they are reached, as positions in `ways`; in that order.
    fn group_by_reach_tags(
        &self,
        ways: &[ReachTag],
        users: &UserSet,
    ) -> Vec<(SmallVec<[usize; 8]>, Vec<UserNumber>)> {
        let places: HashMap<TagId, usize> =
            ways.iter().enumerate().map(|(place, way)| (way.tag, place)).collect();
        let mut alike: HashMap<SmallVec<[usize; 8]>, Vec<UserNumber>> = HashMap::new();
        for user in users.iter() {
            let tags = self.view.population.directory.tags(user).iter();
            let reached_by = tags.filter_map(|tag| places.get(&tag).copied()).collect();
            alike.entry(reached_by).or_default().push(user);
        }
        let mut alike: Vec<_> = alike.into_iter().collect();
        alike.sort_unstable();
        alike
    }

    /// The users of a set who are unrelated to a user, without that user.
    fn unrelated_users<'u>(
        &'u self,
        user: UserNumber,
        among: &'u UserSet,
    ) -> impl Iterator<Item = UserNumber> + 'u {
        let population = &self.view.population;
        among.iter().filter(move |&other| other != user && population.tie(user, other) == Tie::NONE)
    }

    /// Visits each pair with a tie that no one-sided condition denies.
    fn visit_related_pairs(&self, visit: &mut impl FnMut(UserNumber, UserNumber, Tie)) {
        let population = &self.view.population;
        if population.ties.is_empty() {
            return;
        }
        let one_sided = self.evaluator.one_sided();
        let (subjects, others) = (one_sided.subject_users(), one_sided.other_users());
        for user in self.from.iter().filter(|&user| subjects.contains(user)) {
            for (other, tie) in population.ties_of(user) {
                if self.to.contains(other) && others.contains(other) {
                    visit(user, other, tie);
                }
            }
        }
    }
}
