use std::sync::Arc;

use crate::{
    policy::Roster,
    snapshot::{Directory, Entry, Population, TagId, UserSet},
};

use super::digest;

/// The population that a roster tells, and the names of its tags in order. Costs a sort of the ids.
pub(super) fn compile(roster: &Roster) -> (Arc<Population>, Vec<String>) {
    let mut order: Vec<usize> = (0..roster.len()).collect();
    order.sort_unstable_by_key(|&user| roster.id(user));
    let mut names: Vec<(usize, &String)> = roster.tags().iter().enumerate().collect();
    names.sort_unstable_by_key(|&(_, name)| name);
    let mut rank = vec![TagId(0); names.len()];
    for (new, &(old, _)) in (0..).zip(&names) {
        if let Some(slot) = rank.get_mut(old) {
            *slot = TagId(new);
        }
    }
    let names: Vec<String> = names.into_iter().map(|(_, name)| name.clone()).collect();

    let classes = classes(roster, &rank);
    let class = |user: usize| roster.set_of().get(user).map_or(usize::MAX, |&set| set as usize);
    let users = order.iter().map(|&user| Entry { id: roster.id(user), class: class(user) });
    let directory = Directory::new(users, &classes);
    let everyone = UserSet::range(0..directory.len());
    let members = members(&directory, names.len());
    let digest = digest::population(&directory, &names);
    (Arc::new(Population { directory, members, everyone, key: roster.key, digest }), names)
}

/// The distinct tag sets, their tags by rank and in order.
fn classes(roster: &Roster, rank: &[TagId]) -> Vec<Vec<TagId>> {
    let bound = |set: &[u32]| {
        let mut tags: Vec<TagId> =
            set.iter().filter_map(|&tag| rank.get(tag as usize)).copied().collect();
        tags.sort_unstable();
        tags
    };
    roster.sets().map(bound).collect()
}

fn members(directory: &Directory, tags: usize) -> Vec<UserSet> {
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); tags];
    for user in 0..directory.len() {
        for tag in directory.tags(user) {
            if let Some(users) = members.get_mut(tag.index()) {
                users.push(user);
            }
        }
    }
    members.into_iter().map(|users| UserSet::from_sorted(&users)).collect()
}
