//! The counts of a view's contents, for metrics.

use super::{Selection, TagId, View};
use crate::request::{BUILT_IN_MATRICES, RelationMap};

/// The counts of a view's contents.
#[derive(Clone, Copy, Debug)]
pub struct ViewCounts {
    pub users: u64,
    pub tags: u64,
    /// The number of distinct tag sets of users.
    pub tag_sets: u64,
    pub rules: u64,
    pub groups: u64,
    /// The matrices that the policy defines, without the built-in ones.
    pub matrices: u64,
    /// The members of all groups.
    pub memberships: u64,
    pub conversations: u64,
    pub banned: u64,
    pub silenced: u64,
    pub shadowed: u64,
    /// The edges of each relation; a favorite counts as a contact too.
    pub relations: RelationMap<u64>,
}

impl ViewCounts {
    pub(super) fn from_view(view: &View) -> Self {
        let (directory, ties) = (&view.population.directory, &view.population.ties);
        let users =
            |selection: Selection<'_>| selection.within(&view.population.everyone).as_ref().len();
        let is_own = |name: &str| !BUILT_IN_MATRICES.contains(&name);
        Self {
            users: view.population.everyone.len(),
            tags: tags(view),
            tag_sets: directory.tag_set_count() as u64,
            rules: view.rule_books().map(|book| book.rules.len()).sum::<usize>() as u64,
            groups: view.groups.len() as u64,
            matrices: view.matrices.iter().filter(|it| is_own(&it.name)).count() as u64,
            memberships: view.groups.membership_count(),
            conversations: ties.conversations(),
            banned: users(view.states.banned()),
            silenced: users(view.states.silenced()),
            shadowed: users(view.states.shadowed()),
            relations: RelationMap::from_fn(|relation| ties.edges(relation)),
        }
    }
}

/// The number of tags that a user has or a statement names; an unused tag keeps its number but does
/// not count.
fn tags(view: &View) -> u64 {
    let mut used = vec![false; view.tags.len()];
    let mut note = |tag: TagId| {
        if let Some(used) = used.get_mut(tag.index()) {
            *used = true;
        }
    };
    view.named_tags.iter().for_each(|&tag| note(tag));
    let population = &view.population;
    for (tag, users) in (0..).map(TagId).zip(&*population.members) {
        if !users.is_empty() {
            note(tag);
        }
    }
    for rule in view.rule_books().flat_map(|book| book.rules.iter()) {
        rule.condition.for_each_tag(&mut |&tag| note(tag));
        rule.outcome.for_each_tag(&mut |&tag| note(tag));
    }
    population.switch_conditions().for_each(|(.., when)| when.for_each_tag(&mut |&tag| note(tag)));
    population.own_switches.conditions().for_each(|when| when.for_each_tag(&mut |&tag| note(tag)));
    for matrix in view.groups.own_matrices() {
        matrix.for_each_condition(&mut |value| value.for_each_tag(&mut |&tag| note(tag)));
    }
    used.into_iter().filter(|&used| used).count() as u64
}
