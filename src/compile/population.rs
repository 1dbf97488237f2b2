use std::sync::Arc;

use crate::{
    policy::Roster,
    snapshot::{Classes, Directory, Population, TagId, UserSet},
};

use super::digest;

/// The population that a roster tells, and the names of its tags in order. Costs a sort of the ids.
pub(super) fn compile(roster: &Roster) -> (Arc<Population>, Vec<String>) {
    let mut order: Vec<usize> = (0..roster.len()).collect();
    order.sort_unstable_by_key(|&user| roster.id(user));
    let directory = Directory::new(order.iter().map(|&user| roster.id(user)));

    let mut names: Vec<(usize, &String)> = roster.tags().iter().enumerate().collect();
    names.sort_unstable_by_key(|&(_, name)| name);
    let mut rank = vec![TagId(0); names.len()];
    for (new, &(old, _)) in (0..).zip(&names) {
        if let Some(slot) = rank.get_mut(old) {
            *slot = TagId(new);
        }
    }
    let names: Vec<String> = names.into_iter().map(|(_, name)| name.clone()).collect();

    let classes = classes(roster, &order, &rank);
    let everyone = UserSet::range(0..directory.len());
    let members = members(&classes, directory.len(), names.len());
    let digest = digest::population(&directory, &classes, &names);
    let population = Population { directory, classes, members, everyone, key: roster.key, digest };
    (Arc::new(population), names)
}

/// The tag sets in the users' order, their tags by rank.
fn classes(roster: &Roster, order: &[usize], rank: &[TagId]) -> Classes {
    let sets: Vec<Vec<TagId>> = roster
        .sets()
        .map(|set| {
            let mut tags: Vec<TagId> =
                set.iter().filter_map(|&tag| rank.get(tag as usize)).copied().collect();
            tags.sort_unstable();
            tags
        })
        .collect();
    let of_user =
        order.iter().map(|&user| roster.set_of().get(user).map_or(usize::MAX, |&set| set as usize));
    Classes::new(sets.iter().map(Vec::as_slice), of_user)
}

fn members(classes: &Classes, users: u32, tags: usize) -> Vec<UserSet> {
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); tags];
    for user in 0..users {
        for tag in classes.tags(user) {
            if let Some(users) = members.get_mut(tag.index()) {
                users.push(user);
            }
        }
    }
    members.into_iter().map(|users| UserSet::from_sorted(&users)).collect()
}
