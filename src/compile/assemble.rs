//! The compiler proper: a policy, and perhaps a previous view, to a view.

use std::sync::Arc;

use super::{advance::advance, barriers, digest, groups, population, rules, user_states};
use crate::{
    policy::{self, Policy, Users},
    request::Windows,
    snapshot::{GroupSides, GroupTable, Population, Revision, StateIndex, Tags, UserState, View},
};

/// The names of the tags that a view's users have.
pub(super) fn user_tags(view: &View) -> Vec<String> {
    let of_users = view.population.members.len();
    view.tags.iter().take(of_users).map(|(_, name)| name.to_owned()).collect()
}

/// Compiles a policy. Costs set algebra for each condition that `previous` does not share.
///
/// A policy whose users are [`Users::Unchanged`] takes the population of `previous`; without it, or with
/// another one, there are no users, and every request is denied.
pub fn compile(policy: &Policy, previous: Option<&View>) -> View {
    let unchanged = match &policy.users {
        Users::Read(_) => None,
        Users::Unchanged(key) => previous.filter(|view| view.population.key == *key),
    };
    let (known, user_tags) = match (unchanged, &policy.users) {
        (Some(view), _) => {
            let names = user_tags(view).into_iter().map(String::into_boxed_str);
            (PopulationSource::As(view), names.collect())
        }
        (None, Users::Read(roster)) => PopulationSource::new(population::compile(roster)),
        (None, Users::Unchanged(_)) => {
            PopulationSource::new(population::compile(&policy::Roster::default()))
        }
    };
    let digest = digest::policy(&known.population().digest, policy);
    let mut view = assemble_view(policy, known, user_tags, policy.rules.clone(), previous);
    let groups = groups::compile(&policy.groups, &mut view);
    view.set_groups(groups);
    groups::set_group_ends(&mut view, &policy.groups);
    view.revision = Revision { policy: digest, facts: 0 };
    if unchanged.is_some() {
        // The previous view may be of an earlier moment.
        advance(&mut view, policy.at);
    }
    view
}

/// The view of a policy over these users, without groups and revision.
pub(super) fn assemble_view(
    policy: &Policy,
    known: PopulationSource<'_>,
    user_tags: Tags,
    rules: Option<Vec<policy::Rule>>,
    previous: Option<&View>,
) -> View {
    let mut tags = number_tags(user_tags, policy, rules.as_deref().unwrap_or_default());
    let declared = policy.tags.iter().filter_map(|name| tags.get(name)).collect();
    let named = named_tags(policy).into_iter().filter_map(|name| tags.get(name)).collect();
    let windows = Windows::new(Arc::clone(&policy.windows), policy.at);
    let mut settings = policy.settings.map(&mut |name| tags.intern(name));
    windows.resolve(&mut settings);
    let known = known.with_friendships(settings.blocks_end_friendship).with_windows(&windows);
    let (standings, each) = user_states::compile(&settings, known.population());
    let population = known.with_states(&standings, &each);
    let managers = settings.managers.as_ref().map(|condition| {
        population.users_meeting(condition).into_owned().packed(population.directory.len())
    });
    let mut users =
        rules::RuleUsers { tags: &mut tags, population: &population, windows: &windows };
    let rules = rules.map(|rules| rules::compile(rules, &mut users, previous));
    let rule_sets = rules::compile_sets(policy.rule_sets.clone(), &mut users, previous);
    let barriers = barriers::compile(&settings.barriers, &population);
    let pair_actions = barriers::pair_actions(&settings, &rule_sets);
    let mut matrices = groups::bind_matrices(&policy.matrices, &mut tags);
    windows.resolve(&mut matrices);
    let mut view = View {
        only_rules_restrict: standings.is_unrestricted()
            && population.ties.is_empty()
            && settings.actions.is_empty(),
        population,
        matrices: matrices.into(),
        tags: Arc::new(tags),
        declared_tags: declared,
        named_tags: named,
        rules: rules.map(Arc::new),
        rule_sets,
        barriers: Arc::new(barriers),
        pair_actions,
        speaks_of_pairs: false,
        settings: Arc::new(settings),
        sections: policy.sections,
        states: standings,
        managers,
        groups: GroupTable::new(&[], 0),
        group_sides: GroupSides::default(),
        revision: Revision { policy: [0; 32], facts: 0 },
        at: policy.at,
        windows: Arc::new(windows),
    };
    view.speaks_of_pairs = view.has_pair_statements();
    view
}

/// The users of a policy, before their states under it are computed.
pub(super) enum PopulationSource<'v> {
    New(Box<Population>),
    /// Those of a previous view.
    As(&'v View),
}

impl PopulationSource<'_> {
    /// The same users, whose declared friendships blocks end or do not end.
    fn with_friendships(self, blocks_end: bool) -> Self {
        let settled = match &self {
            Self::New(population) => population.with_friendships(blocks_end),
            Self::As(view) if view.settings.blocks_end_friendship == blocks_end => None,
            Self::As(view) => view.population.with_friendships(blocks_end),
        };
        settled.map_or(self, |population| Self::New(Box::new(population)))
    }
}

impl PopulationSource<'_> {
    /// The same users, in whose records' conditions these windows are open or closed.
    fn with_windows(self, windows: &Windows) -> Self {
        let resolved = self.population().with_windows(windows);
        resolved.map_or(self, |population| Self::New(Box::new(population)))
    }

    fn new((population, tags): (Population, Tags)) -> (Self, Tags) {
        (Self::New(Box::new(population)), tags)
    }

    fn population(&self) -> &Population {
        match self {
            Self::New(population) => population,
            Self::As(view) => &view.population,
        }
    }

    fn with_states(self, standings: &StateIndex, each: &[UserState]) -> Arc<Population> {
        match self {
            Self::New(population) => Arc::new(population.with_states(standings, each)),
            Self::As(view) if view.population.has_states(standings, each) => {
                Arc::clone(&view.population)
            }
            Self::As(view) => {
                Arc::new(Population::clone(&view.population).with_states(standings, each))
            }
        }
    }
}

/// Numbers the other tags after those of users, in the order of their names.
fn number_tags(mut tags: Tags, policy: &Policy, rules: &[policy::Rule]) -> Tags {
    let mut others = named_tags(policy);
    for rule in rules.iter().chain(policy.rule_sets.iter().flat_map(|set| &set.rules)) {
        rule.condition.for_each_tag(&mut |tag| others.push(tag));
        rule.outcome.for_each_tag(&mut |tag| others.push(tag));
    }
    others.sort_unstable();
    for name in others {
        tags.intern(name);
    }
    tags
}

/// The tags that a policy names apart from rules and users' records, some perhaps more than once.
fn named_tags(policy: &Policy) -> Vec<&str> {
    let mut others: Vec<&str> = policy.tags.iter().map(String::as_str).collect();
    policy.settings.for_each_tag(&mut |tag| others.push(tag));
    for invariant in &policy.invariants {
        invariant.from.for_each_tag(&mut |tag| others.push(tag));
        invariant.to.for_each_tag(&mut |tag| others.push(tag));
    }
    for requires in policy.groups.iter().filter_map(|group| group.requires.as_ref()) {
        requires.for_each_tag(&mut |tag| others.push(tag));
    }
    for matrix in &policy.matrices {
        matrix.each_value(&mut |value| value.for_each_tag(&mut |tag| others.push(tag)));
    }
    others
}
