//! The restricting sections and the users that a policy lacks in comparison with its predecessor.

use std::sync::Arc;

use super::diff;
use crate::{
    request::{Section, SectionSet, Settings},
    snapshot::View,
};

/// The restricting sections that the first policy has and the second one lacks, where that changes
/// decisions, in the order of the reference.
///
/// A section that the second policy states is not missing, however little it restricts. Costs a
/// comparison of settings and matrices.
pub fn missing_sections(before: &View, after: &View) -> impl Iterator<Item = Section> + use<> {
    let View {
        rules,
        rule_sets,
        settings: _,
        matrices: _,
        // Compared below, by the names of tags.
        tags: _,
        declared_tags: _,
        named_tags: _,
        sections: _,
        // Users and groups are not sections.
        population: _,
        groups: _,
        revision: _,
        at: _,
        windows: _,
        // Derived from the settings.
        states: _,
        only_rules_restrict: _,
        barriers: _,
        group_sides: _,
        pair_actions: _,
        speaks_of_pairs: _,
        managers: _,
    } = before;
    let mut differing = settings(before).differing_sections(&settings(after));
    let has_set = |name: &str| after.rules_of(Some(name)).is_some();
    let others = [
        (Section::RuleSets, !rule_sets.iter().all(|set| has_set(&set.name))),
        (Section::Rules, rules.is_some() && after.rules.is_none()),
        (Section::Matrices, !diff::matrix_changes(before, after).is_empty()),
    ];
    differing = differing.union(
        others.into_iter().filter_map(|(section, differs)| differs.then_some(section)).collect(),
    );
    // A rule set that is gone is missing, whether or not others are there.
    let mut present = after.sections;
    if differing.contains(Section::RuleSets) {
        present = present.without([Section::RuleSets].into_iter().collect());
    }
    let missing: SectionSet = differing.without(present);
    missing.iter()
}

/// The number of users of the first policy that the second one lacks. Costs a lookup of each.
pub fn missing_users(before: &View, after: &View) -> u32 {
    if Arc::ptr_eq(&before.population, &after.population) {
        return 0;
    }
    let (old, new) = (&before.population.directory, &after.population.directory);
    let known = old.numbers().filter(|&user| old.is_known(user));
    let gone = known.filter(|&user| new.number(old.id(user)).is_none()).count();
    u32::try_from(gone).unwrap_or(u32::MAX)
}

fn settings(view: &View) -> Settings<String> {
    view.settings.map(&mut |&tag| view.tags.name(tag).to_owned())
}
