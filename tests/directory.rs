//! The directory finds each user, with his own id and tags, however long and many they are.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test may fail by it, and its numbers are small"
)]

use std::collections::BTreeMap;

use peerage::snapshot::{Directory, Entry, TagId, Ties};
use proptest::{collection, prelude::*};

type Users = BTreeMap<String, Vec<u32>>;

fn directory(users: &Users) -> Directory {
    let mut sets: Vec<&Vec<u32>> = users.values().collect();
    sets.sort();
    sets.dedup();
    let class = |tags: &Vec<u32>| sets.binary_search(&tags).unwrap();
    let classes: Vec<Vec<TagId>> =
        sets.iter().map(|set| set.iter().copied().map(TagId).collect()).collect();
    let entries = users.iter().map(|(id, tags)| Entry { id, class: class(tags) });
    Directory::new(entries, &classes, &Ties::default())
}

fn check(users: &Users, strangers: &[String]) {
    let directory = directory(users);
    assert_eq!(directory.len() as usize, users.len());
    for ((id, tags), number) in users.iter().zip(0..) {
        assert_eq!(directory.number(id), Some(number), "{id}");
        assert_eq!(directory.id(number), id);
        let tags: Vec<TagId> = tags.iter().copied().map(TagId).collect();
        assert_eq!(directory.tags(number).iter().collect::<Vec<_>>(), tags, "{id}");
        assert_eq!(directory.after(id), number + 1, "{id}");
    }
    for stranger in strangers.iter().filter(|id| !users.contains_key(*id)) {
        assert_eq!(directory.number(stranger), None, "{stranger}");
        let before = users.range(..stranger.clone()).count();
        assert_eq!(directory.after(stranger) as usize, before, "{stranger}");
    }
    assert_eq!(directory.id(directory.len()), "");
    assert!(directory.tags(directory.len()).is_empty());
}

#[test]
fn every_length_of_id_and_number_of_tags() {
    let id = |len: usize| "x".repeat(len);
    let users: Users = (1..=255).map(|len| (id(len), (0..len as u32).collect())).collect();
    let strangers: Vec<String> = (0..=255).map(|len| format!("{}y", id(len))).collect();
    check(&users, &strangers);
    check(&Users::new(), &strangers);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_users(
        users in collection::btree_map(
            "[a-c\u{e4}\u{1f600}]{1,50}",
            collection::btree_set(0_u32..300, 0..12).prop_map(|tags| tags.into_iter().collect()),
            0..200,
        ),
        strangers in collection::vec("[a-c\u{e4}\u{1f600}]{0,50}", 0..50),
    ) {
        check(&users, &strangers);
    }
}
