//! The correction of counts for strangers who share a tag of a pattern, tag by tag.

use std::collections::HashMap;

use super::{
    openings::Openings,
    pairwise::{Corrections, PairwiseComparison},
};
use crate::snapshot::{TagId, UserNumber, UserSet};

/// The users with a tag who are of the same kinds, and have the same tags of patterns.
struct Team<'s> {
    subject: u32,
    other: u32,
    users: i64,
    /// All tags of patterns that the users have.
    tags: &'s [(TagId, u64)],
    /// The number of users of each class, and one of them.
    classes: HashMap<u32, (i64, UserNumber)>,
}

/// Corrects the counts for all pairs of users of whom a tag is the first of those that they share. Costs a look at
/// each pair of teams, and at each pair of classes where rules decide.
pub(super) fn correct(
    comparison: &PairwiseComparison<'_, '_>,
    tag: TagId,
    mask: u64,
    corrections: &mut Corrections,
) {
    let teams = teams(comparison, tag);
    for (at, one) in teams.iter().enumerate() {
        for (their, other) in teams.iter().enumerate() {
            let mask = match (one.tags, other.tags) {
                ([_], _) | (_, [_]) => mask,
                _ => match first_shared(one.tags, other.tags) {
                    (first, mask) if first == Some(tag) => mask,
                    _ => continue,
                },
            };
            let apart = comparison.openings(one.subject, other.other, 0, corrections);
            let sharing = comparison.openings(one.subject, other.other, mask, corrections);
            if apart != sharing {
                let teams = TeamPair { one, other, is_one: at == their };
                teams.correct(comparison, [apart, sharing], corrections);
            }
        }
    }
}

fn teams<'s>(comparison: &'s PairwiseComparison<'_, '_>, tag: TagId) -> Vec<Team<'s>> {
    let mut numbers: HashMap<_, usize, foldhash::fast::RandomState> = HashMap::default();
    let mut teams: Vec<Team<'s>> = Vec::new();
    let members = comparison.new.population.members(tag);
    for user in members.into_iter().flat_map(UserSet::iter) {
        let class = comparison.user_classes.class_number(user);
        let tags = comparison.shared.of_class(class);
        let (subject, other) = (comparison.subjects.number(user), comparison.others.number(user));
        let number = *numbers.entry((subject, other, tags)).or_insert(teams.len());
        if number == teams.len() {
            teams.push(Team { subject, other, users: 0, tags, classes: HashMap::new() });
        }
        if let Some(team) = teams.get_mut(number) {
            team.users += 1;
            team.classes.entry(class).or_insert((0, user)).0 += 1;
        }
    }
    teams
}

/// The first tag that both have, and the mask of all of them.
fn first_shared(one: &[(TagId, u64)], other: &[(TagId, u64)]) -> (Option<TagId>, u64) {
    let mut shared = one.iter().filter(|(tag, _)| other.iter().any(|(their, _)| their == tag));
    let first = shared.clone().next().map(|&(tag, _)| tag);
    (first, shared.by_ref().fold(0, |all, (_, mask)| all | mask))
}

/// The users of two teams, or of one with each other.
struct TeamPair<'t, 's> {
    one: &'t Team<'s>,
    other: &'t Team<'s>,
    is_one: bool,
}

impl TeamPair<'_, '_> {
    fn correct(
        &self,
        comparison: &PairwiseComparison<'_, '_>,
        [apart, sharing]: [Openings; 2],
        corrections: &mut Corrections,
    ) {
        if !apart.depends_on_rules() && !sharing.depends_on_rules() {
            let [was, is] = [apart, sharing].map(|openings| openings.direction(|_| false));
            if was != is {
                for (&class, &(users, _)) in &self.other.classes {
                    let oneself = if self.is_one { users } else { 0 };
                    let pairs = self.one.users * users - oneself;
                    corrections.add(class, is, pairs);
                    corrections.add(class, was, -pairs);
                }
            }
            return;
        }
        for (&from, &(subjects, subject)) in &self.one.classes {
            for (&class, &(users, _)) in &self.other.classes {
                let opens = |side| comparison.rules_open(subject, class, side);
                let [was, is] = [apart, sharing].map(|openings| openings.direction(opens));
                if was != is {
                    let oneself = if self.is_one && from == class { users } else { 0 };
                    let pairs = subjects * users - oneself;
                    corrections.add(class, is, pairs);
                    corrections.add(class, was, -pairs);
                }
            }
        }
    }
}
