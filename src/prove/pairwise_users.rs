//! Invariants over the existing users, where the policy says something about two users together.

use std::collections::{HashMap, HashSet};

use super::finding::{Breach, MAX_ISOLATED, MAX_PAIRS};
use crate::{
    decide::PairEvaluator,
    policy::Demand,
    request::AudienceSlot,
    snapshot::{UserNumber, UserSet, UserState, UserTags, View},
};

/// The check of an invariant by what each subject reaches.
///
/// Subjects with ties or groups are looked at one by one; all others with the same tags, the same state and
/// the same audience as their own peers mode reach the same users.
pub(super) struct PairwiseCheck<'c, 'v> {
    pub(super) view: &'v View,
    pub(super) evaluator: &'c PairEvaluator<'v>,
    pub(super) from: &'c UserSet,
    pub(super) to: &'c UserSet,
}

impl PairwiseCheck<'_, '_> {
    /// The breach; `None` if the invariant holds. Costs set algebra for each subject who has ties or groups,
    /// and for each distinct set of tags and state of the others.
    pub(super) fn breach(&self, demand: Demand) -> Option<Breach> {
        let (mut pairs, mut isolated) = (Vec::new(), Vec::new());
        let (mut pair_count, mut isolated_count) = (0_u64, 0_u64);
        self.visit_subjects(&mut |subject, reached| {
            let breaking = match demand {
                Demand::Never => reached.clone(),
                Demand::Always => self.to.minus(reached),
                Demand::Every => {
                    let others = reached.len() - u64::from(reached.contains(subject));
                    if others == 0 {
                        isolated_count += 1;
                        if isolated.len() < MAX_ISOLATED {
                            isolated.push(subject);
                        }
                    }
                    return;
                }
            };
            let count = breaking.len() - u64::from(breaking.contains(subject));
            pair_count = pair_count.saturating_add(count);
            let others = breaking.iter().filter(|&other| other != subject);
            let wanted = if pairs.len() < MAX_PAIRS { MAX_PAIRS } else { 0 };
            pairs.extend(others.take(wanted).map(|other| (subject, other)));
        });
        if isolated_count > 0 {
            return Some(Breach::Isolated(isolated, isolated_count));
        }
        (pair_count > 0).then(|| Breach::Pairs(sample(pairs), pair_count))
    }

    /// Visits each subject with the users of `to` whom they may reach, who may be among them.
    fn visit_subjects(&self, visit: &mut impl FnMut(UserNumber, &UserSet)) {
        let population = &self.view.population;
        let mut known: HashMap<(UserTags<'_>, UserState, Option<&str>), KindReach> = HashMap::new();
        let own_switches: HashSet<UserNumber> =
            population.own_switches.iter().map(|own| own.user).collect();
        for subject in self.from.iter() {
            let is_alone = !own_switches.contains(&subject)
                && population.ties_of(subject).len() == 0
                && self.view.groups.numbers_of(subject).next().is_none();
            if !is_alone {
                visit(subject, &self.reached(subject));
                continue;
            }
            let audience = population.own_audiences.get(subject, &AudienceSlot::Peers);
            let directory = &population.directory;
            let kind = (directory.tags(subject), directory.state(subject), audience);
            let kind = known.entry(kind).or_insert_with(|| KindReach {
                first: subject,
                reached: self.reached(subject),
                is_of_others: false,
            });
            if kind.first != subject && !kind.is_of_others {
                // What holds of oneself does not hold of others of the kind.
                let is_reached = self.to.contains(kind.first)
                    && self.evaluator.allows_strangers(subject, kind.first);
                let below = population.directory.len();
                kind.reached.apply_changes(&[(kind.first, is_reached)], below);
                kind.is_of_others = true;
            }
            visit(subject, &kind.reached);
        }
    }

    fn reached(&self, subject: UserNumber) -> UserSet {
        let reached = self.evaluator.reached(subject);
        let reached = reached.within(&self.view.population.everyone);
        UserSet::intersection([&*reached, self.to])
    }
}

/// The users whom subjects of one kind reach.
struct KindReach {
    /// The first subject of the kind.
    first: UserNumber,
    reached: UserSet,
    /// Whether the first subject is among the reached as others of the kind reach them.
    is_of_others: bool,
}

/// Some of the pairs, first of all of distinct subjects, in order.
fn sample(mut pairs: Vec<(UserNumber, UserNumber)>) -> Vec<(UserNumber, UserNumber)> {
    let mut firsts = Vec::new();
    let mut rest = Vec::new();
    for pair in pairs.drain(..) {
        let is_first = firsts.last().is_none_or(|&(subject, _)| subject != pair.0);
        if is_first { firsts.push(pair) } else { rest.push(pair) }
    }
    firsts.extend(rest);
    firsts.truncate(MAX_PAIRS);
    firsts.sort_unstable();
    firsts
}
