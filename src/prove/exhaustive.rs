//! Whether an invariant holds of the users there are, and how many pairs break it: set algebra for
//! those between whom nothing is, and a look at each pair that has something between them.

use std::{collections::HashMap, ops::ControlFlow};

use smallvec::SmallVec;

use crate::{
    decide::PairEvaluator,
    policy::Demand,
    request::Condition,
    snapshot::{Population, RuleBook, TagId, Tie, UserNumber, UserSet, View},
};

/// Who breaks an invariant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Breach {
    /// Ordered pairs of a subject and another user: some of them, and how many there are.
    Pairs(Vec<(UserNumber, UserNumber)>, u64),
    /// Users who reach nobody whom they should: the first of them, and how many there are.
    Isolated(Vec<UserNumber>, u64),
}

/// How many pairs are told.
const MAX_PAIRS: usize = 5;

/// How many users are told who reach nobody.
const MAX_ISOLATED: usize = 20;

/// What breaks an invariant among the users of a view; `None` if it holds.
///
/// Costs set algebra for each tag that the rules let someone reach, and for each different set of such
/// tags that users have whom some may reach; and a look at each relation of those who meet the first
/// condition.
pub(super) fn check(
    view: &View,
    judge: &PairEvaluator<'_>,
    demand: Demand,
    from: &Condition<TagId>,
    to: &Condition<TagId>,
) -> Option<Breach> {
    let (from, to) = (users_meeting(&view.population, from), users_meeting(&view.population, to));
    let one_sided = judge.one_sided();
    let (able, open) = one_sided.unrelated_within(&from, &to);
    let rules = one_sided.rules;
    let case = ExhaustiveCheck { view, judge, from: &from, to: &to, able, open, rules };
    match demand {
        Demand::Never => case.find_pairs(true),
        Demand::Always => case.find_pairs(false),
        Demand::Every => case.find_isolated(),
    }
}

/// Those who meet a condition, in the form in which sets are worked out.
fn users_meeting(population: &Population, condition: &Condition<TagId>) -> UserSet {
    UserSet::union([&*population.users_meeting(condition)])
}

struct ExhaustiveCheck<'c, 'v> {
    view: &'v View,
    judge: &'c PairEvaluator<'v>,
    from: &'c UserSet,
    to: &'c UserSet,
    /// Those of `from` who may do it to a stranger, as far as they alone matter.
    able: UserSet,
    /// Those of `to` to whom a stranger may do it.
    open: UserSet,
    rules: Option<&'v RuleBook>,
}

/// A tag that lets some users be reached by some.
struct ReachTag {
    tag: TagId,
    /// Those of `able` who reach whoever has it.
    reachers: UserSet,
    /// Those of `open` who have it.
    reached: UserSet,
}

impl ExhaustiveCheck<'_, '_> {
    /// The pairs that are allowed, or those that are refused.
    fn find_pairs(&self, are_allowed: bool) -> Option<Breach> {
        let mut count = 0_u64;
        let _ = self.visit_products(are_allowed, &mut |subjects, others| {
            let oneself = UserSet::intersection([subjects, others]).len();
            count = count.saturating_add(subjects.len().saturating_mul(others.len()) - oneself);
            ControlFlow::Continue(())
        });
        // So far as if nothing were between any two.
        let (mut more, mut fewer) = (0_u64, 0_u64);
        self.visit_related_pairs(&mut |user, other, tie| {
            let is = self.judge.allows(user, other, tie) == are_allowed;
            let was = self.judge.allows(user, other, Tie::NONE) == are_allowed;
            more += u64::from(is && !was);
            fewer += u64::from(was && !is);
        });
        let count = count.saturating_add(more).saturating_sub(fewer);
        (count > 0).then(|| Breach::Pairs(self.sample_pairs(are_allowed, count), count))
    }

    /// Some pairs that are allowed or refused: of as many subjects as there are, at first.
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
            self.to.contains(other) && self.judge.allows(user, other, tie) == are_allowed
        });
        let missing = most - found.len().min(most);
        found.extend(tied.take(missing).map(|(user, other, _)| (user, other)));
        found.sort_unstable();
        found
    }

    /// Those who may do it to nobody.
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
            !ties.any(|(other, tie)| self.to.contains(other) && self.judge.allows(user, other, tie))
        });
        lost.sort_unstable();
        let count = lost.len() as u64;
        lost.truncate(MAX_ISOLATED);
        (count > 0).then_some(Breach::Isolated(lost, count))
    }

    /// Those of some users to whom there is no stranger among others.
    fn without_strangers<'u>(
        &'u self,
        users: &'u UserSet,
        others: &'u UserSet,
    ) -> impl Iterator<Item = UserNumber> + 'u {
        users.iter().filter(|&user| self.unrelated_users(user, others).next().is_none())
    }

    /// Visits users who may do it to strangers of other users, or those who may not: all pairs of the
    /// two sets, one of a user with himself aside. Each pair comes once.
    fn visit_products(
        &self,
        are_allowed: bool,
        visit: &mut impl FnMut(&UserSet, &UserSet) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut tell = |may: &UserSet, others: &UserSet| {
            if others.is_empty() {
                ControlFlow::Continue(())
            } else if are_allowed {
                visit(may, others)
            } else {
                visit(&self.from.minus(may), others)
            }
        };
        let nobody = UserSet::default();
        tell(&nobody, &self.to.minus(&self.open))?;
        let Some(book) = self.rules else { return tell(&self.able, &self.open) };
        let ways = self.reach_tags(book);
        let reached = UserSet::union(ways.iter().map(|way| &way.reached));
        tell(&nobody, &self.open.minus(&reached))?;
        // Those whose tags begin alike stand together, and share the union so far.
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
                tell(may, &UserSet::from_sorted(users.iter().copied()))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The tags by which someone of `able` reaches someone of `open`.
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

    /// Users put together by the ways that lead to them, told by their places; in their order.
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
            let to_him = tags.filter_map(|tag| places.get(&tag).copied()).collect();
            alike.entry(to_him).or_default().push(user);
        }
        let mut alike: Vec<_> = alike.into_iter().collect();
        alike.sort_unstable();
        alike
    }

    /// Those of a set, the user himself not among them, between whom and a user nothing is.
    fn unrelated_users<'u>(
        &'u self,
        user: UserNumber,
        among: &'u UserSet,
    ) -> impl Iterator<Item = UserNumber> + 'u {
        let population = &self.view.population;
        among.iter().filter(move |&other| other != user && population.tie(user, other) == Tie::NONE)
    }

    /// Visits each pair with something between the two of which it is not up to one alone that it is
    /// refused.
    fn visit_related_pairs(&self, visit: &mut impl FnMut(UserNumber, UserNumber, Tie)) {
        let population = &self.view.population;
        if population.ties.is_empty() {
            return;
        }
        let one_sided = self.judge.one_sided();
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
